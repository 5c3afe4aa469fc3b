"""I20 and what else a checkout promises: one door at a time, a choice for each attempt, and nothing by looking."""

from collections.abc import Iterator
from typing import Any, Final

from sandbox.hosted_pages import amount_text
from simulation.checker.evidence import UNDONE, Evidence, PaymentEvidence, Stored, Violation, is_recorded_by_person
from simulation.checker.providers import TRIES_LAST_MS
from simulation.history import Door

_TAKING: Final = frozenset({"open", "processing", "paid"})
_REOPENING: Final = frozenset({"razorpay", "razorpay_mock", "payu"})
"""A try that failed inside their objects may still be charged, days after: docs/providers."""
_FIXED: Final = ("hosted_method", "hosted_expires_at", "hosted_return_url")
_ERASED: Final = "erased"
_CLOCKS_MS: Final = 7_000


def i20_one_door(evidence: Evidence) -> Iterator[Violation]:
    """An object is opened only when no earlier one can take money any more; one ends only when it cannot be paid."""
    names = {(p.merchant, p.transaction_id): (name, p) for name, p in evidence.payments.items()}
    for door in evidence.result.history.doors:
        _, merchant, _, transaction_id = door.partition.split("#")
        if evidence.result.forgotten is not None and (merchant, transaction_id) not in names:
            continue  # a restore has forgotten the payment
        name, payment = names[merchant, transaction_id]
        item = payment.item or {}
        yield from (Violation("I20", name, what) for what in _faults(door, payment))
        wanted = amount_text(item.get("amount", 0), item.get("currency", ""))
        if door.opened and door.amount and door.amount != wanted:
            yield Violation("I20", name, f"{door.key} asks the payer for {door.amount} instead of {wanted}")


def _faults(door: Door, payment: PaymentEvidence) -> Iterator[str]:
    if door.opened:
        for key, provider, state, tries in door.others:
            if state in _TAKING:
                yield f"{door.key} was opened while {key} was {state}"
            elif tries and provider in _REOPENING:
                yield f"{door.key} was opened while a try in {key} at {provider} might still be charged"
        return
    event = next((e for e in payment.events if e["at"] == door.at_ms), None)
    written = _version_at(payment, door)
    if written is None or (event is not None and event["actor"] == "operator"):
        return
    attempt = next(a for a in written["attempts"] if a["provider_key"] == door.key)
    is_taking = door.state in _TAKING and not _is_released(payment, door)
    if door.state == "open" or (is_taking and attempt.get("reopens_until_ms") is None):
        yield f"{door.key} is {attempt['state']} while it is {door.state}"
    elif door.tries and door.provider in _REOPENING and attempt.get("reopens_until_ms") is None:
        yield f"{door.key} is {attempt['state']} and not watched, while a try in it might still be charged"
    elif not _is_proven_closed(door, attempt, payment):
        yield f"{door.key} is {attempt['state']}: it was not terminated, and it has not expired for long enough"


def _is_proven_closed(door: Door, attempt: Stored, payment: PaymentEvidence) -> bool:
    """An order of Cashfree is closed when it was terminated, when its money went back, or long after its expiry.

    It may have been terminated in the time that a restore forgot.
    """
    lasts_ms = TRIES_LAST_MS.get(door.provider)
    if lasts_ms is None or attempt.get("reopens_until_ms") is not None or attempt["state"] != "FENCED":
        return True
    if "sent_before_restore" in attempt["progress"]:
        return True
    is_ended = any(s.method == "PATCH" and s.provider_key == door.key for s in payment.sent)
    went_back = any(line["kind"] == "void" or line["status"] == "canceled" for line in payment.books)
    expires_ms = int(attempt["progress"]["hosted_expires_at"])
    return is_ended or went_back or door.at_ms + _CLOCKS_MS >= expires_ms + lasts_ms


def _is_released(payment: PaymentEvidence, door: Door) -> bool:
    """Whether its authorization was released, at the provider or in the time that a restore forgot.

    Other tries in it may have failed.
    """
    tries = [entry for entry in payment.books if entry["reference"] == door.key and entry["kind"] == "charge"]
    states = {entry["status"] for entry in tries}
    return door.state == "paid" and "canceled" in states and states <= UNDONE | {"declined"}


def _version_at(payment: PaymentEvidence, door: Door) -> Stored | None:
    """The version that said it; None if a person decided so."""
    for write, before, after, event in payment.changes():
        by_operator = event is not None and event["actor"] == "operator"
        if write.at_ms == door.at_ms and not by_operator and _states(before) != _states(after):
            return after
    return None


def _states(item: Stored) -> list[str]:
    return [attempt["state"] for attempt in item["attempts"]]


def choices(evidence: Evidence) -> Iterator[Violation]:
    """An attempt of a checkout begins for a stored choice of an allowed method, at its first way.

    Its object's facts never change.
    """
    for name, payment in evidence.payments.items():
        if not payment.is_checkout:
            continue
        for _, before, after, _ in payment.changes():
            if len(after["attempts"]) > len(before["attempts"]):
                newest, choice = after["attempts"][-1], before["checkout"].get("choice", {})
                if "sent_before_restore" in newest.get("progress", {}) or is_recorded_by_person(newest):
                    continue  # the choice is forgotten; nothing is sent for it
                if choice.get("number") != newest["number"] or newest["provider"] != next(iter(choice["ways"]), None):
                    yield Violation("I20", name, f"attempt {newest['number']} began, and the payer had not chosen it")
                allowed = after["checkout"].get("methods") or [choice.get("method")]
                if choice.get("method") not in allowed:
                    what = f"attempt {newest['number']} began with {choice.get('method')}, which its merchant excludes"
                    yield Violation("I20", name, what)
                if int(newest["progress"]["hosted_expires_at"]) > after["checkout"]["expires_at_ms"]:
                    yield Violation("I20", name, f"the object of attempt {newest['number']} outlives the checkout")
            for one, other in zip(before["attempts"], after["attempts"], strict=False):
                changed = [f for f in _FIXED if one["progress"].get(f) != other["progress"].get(f) != _ERASED]
                if changed:
                    yield Violation("I20", name, f"attempt {one['number']} changed {changed}")


def same_bytes(evidence: Evidence) -> Iterator[Violation]:
    """A hosted object is asked for again with the same bytes: another expiry or amount would be another object."""
    for name, payment in evidence.payments.items():
        digests: dict[tuple[str, str], int] = {}
        for sent in payment.sent if payment.is_checkout else ():
            if not sent.is_creation or sent.provider_key is None:
                continue
            if digests.setdefault((sent.connector, sent.provider_key), sent.digest) != sent.digest:
                yield Violation("I20", name, f"{sent.connector} was asked for {sent.provider_key} with other bytes")


def looking_changes_nothing(evidence: Evidence) -> Iterator[Violation]:
    """Who opens the page writes nothing, sends no message, and no page calls a provider."""
    history = evidence.result.history
    writers = {write.process for write in history.writes}
    for call in history.page_calls:
        if call.act == "show" and call.process in writers:
            yield Violation("I20", "-", f"the payer of {call.owner} opened the page, and process {call.process} wrote")
    for sent in history.sent:
        if sent.function == "checkout":
            yield Violation("I20", "-", f"a page called {sent.connector}: {sent.method} {sent.path}")


def extra_charges(evidence: Evidence) -> Iterator[Violation]:
    """Every further charge inside an object that was paid is recorded, once its last read is over; and no other."""
    for name, payment in evidence.payments.items():
        item = payment.item
        if item is None or not payment.is_checkout or item.get("chargedAttempt") is None:
            continue
        if item.get("eventInquiries", {}).get("waiting") or any(a["state"] == "MISMATCH" for a in item["attempts"]):
            continue
        if payment.is_under_another_key:
            continue  # a person found the charge; the reconciliation of the forgotten time lists the others
        recorded = {extra["reference"] for extra in item.get("extraCharges", [])}
        if payment.is_held_twice:
            # No capture takes more than one of them. Which one, is the provider's choice, so the ids may differ.
            if recorded and len(recorded) >= len(payment.charged):
                yield Violation(
                    "I20", name, f"was paid {len(payment.charged)} times; {len(recorded)} more are recorded"
                )
            continue
        charge = item["attempts"][item["chargedAttempt"] - 1]
        booked = {line["chargeId"] for line in payment.charged} - {charge.get("reference")}
        if recorded != booked:
            yield Violation(
                "I20", name, f"was paid {len(booked)} times more than once, and {len(recorded)} are recorded"
            )


def owed_charges_are_listed(evidence: Evidence) -> Iterator[Violation]:
    """A further charge is owed to its payer: its payment is on a list of people until the refund is recorded."""
    for name, payment in evidence.payments.items():
        for _, _, after in payment.versions:
            extras: list[dict[str, Any]] = (after or {}).get("extraCharges", [])
            owed = [extra["reference"] for extra in extras if not extra.get("refund_reference")]
            if after is not None and owed and "reviewsOf" not in after:
                yield Violation("I20", name, f"owes {owed} to its payer, and is on no list")
                break
