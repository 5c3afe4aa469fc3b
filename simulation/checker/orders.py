"""I17: one order, one charge. Orders are told apart by what the merchants sent, not by what is stored."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from simulation.checker.evidence import (
    Evidence,
    OperationEvidence,
    PaymentEvidence,
    Stored,
    Version,
    Violation,
    stored_at,
)
from simulation.checker.money import misjudged_payments
from simulation.checker.transitions import OPEN
from simulation.history import Call
from simulation.world import CONFIGURATION
from testing.dynamodb.values import plain_item

_NO_CHARGE: Final = {"DECLINED", "NOT_SENT", "REJECTED", "FENCED"}
_ORDER_REVIEWS: Final = {"order_contended", "order_charged_twice"}
_CONFLICT: Final = 409
_NEVER: Final = 1 << 62
_KNOWN_MS: Final = 120_000
"""A function may know a merchant's switch a minute late, and a call lasts a while."""
_DECIDED_MS: Final = 150 * 60_000
"""A payment that contends looks at the holder every hour, and the sweeper may be late."""
_LATE: Final = "late"
"""The fingerprint of a refund that no request asked for."""


@dataclass(slots=True)
class _Payment:
    """A payment of an order. `once`: it said that no other one pays the order."""

    evidence: PaymentEvidence
    once: bool

    def at(self, at_ms: int, *, before: bool = False) -> Stored | None:
        """The payment as stored at this time; `before`: without the writes of that very moment."""
        return stored_at(self.evidence.versions, at_ms, before=before)


def i17_one_order_one_charge(evidence: Evidence) -> Iterator[Violation]:
    """One order has one charge that stays; and no payment is accepted, and no attempt begun, beside another charge."""
    misjudged = set(misjudged_payments(evidence))
    refused, refunding, stopped = _refusals(evidence), _refunding_since_ms(evidence), _refunding_until_ms(evidence)
    for (merchant, order_id), payments in sorted(_orders(evidence).items()):
        name = f"{order_id}@{merchant}"
        since_ms, until_ms = refunding.get(merchant, _NEVER), stopped.get(merchant, _NEVER)
        yield from _accepted_while_free(name, payments, since_ms)
        if evidence.result.forgotten is None:
            watched_ms = since_ms + _KNOWN_MS if until_ms == _NEVER else _NEVER
            yield from _refused_while_held(name, payments, refused[merchant, order_id], watched_ms)
        yield from _automatic_refunds(name, payments, since_ms, until_ms + _KNOWN_MS)
        yield from _refunds_left_out(name, payments, since_ms + _KNOWN_MS, until_ms)
        yield from _decided_at_rest(name, payments, evidence.result.ended_ms)
        if not all(payment.once for payment in payments):
            continue
        yield from _begun_beside_a_charge(name, payments)
        yield from _taken_after_the_holder(name, payments)
        if not misjudged & {payment.evidence.name for payment in payments}:
            yield from _charges_that_stay(name, payments)


def _orders(evidence: Evidence) -> Mapping[tuple[str, str], list[_Payment]]:
    found: dict[tuple[str, str], dict[str, _Payment]] = defaultdict(dict)
    for (merchant, _), calls in evidence.created.items():
        for call in calls:
            body: dict[str, Any] = json.loads(call.body or "{}")
            if call.status != 202 or "orderId" not in body:
                continue
            name = f"{call.answer['transactionId']}@{merchant}"
            if name not in evidence.payments:
                continue  # accepted and not stored: I2 says so
            payment = _Payment(evidence.payments[name], body.get("oncePerOrder", True))
            found[merchant, body["orderId"]][name] = payment
    return {order: list(payments.values()) for order, payments in found.items()}


def _charges_that_stay(name: str, payments: list[_Payment]) -> Iterator[Violation]:
    """At rest. One that is named in a review of its order is known, and waits for its refund."""
    staying = [p.evidence for p in payments if any(e["refunded"] < e["amount"] for e in p.evidence.charged)]
    unknown = [p for p in staying if p.status != "IN_REVIEW"]
    if len(unknown) > 1:
        yield Violation("I17", name, f"is charged by {[p.transaction_id for p in unknown]}")
    for payment in staying:
        code = (payment.item or {}).get("lastError", {}).get("code")
        if payment.status == "IN_REVIEW" and code in _ORDER_REVIEWS and len(staying) < 2 and code != "order_contended":
            given_back = [p for p in payments if p.evidence.charged and p.evidence is not payment]
            if not given_back:
                yield Violation("I17", name, f"{payment.transaction_id} is {code}, and no other payment was charged")


def _refunding_since_ms(evidence: Evidence) -> Mapping[str, int]:
    """When the automatic refund was turned on, by merchant."""
    found: dict[str, int] = {}
    for write in evidence.result.history.writes:
        if write.table == CONFIGURATION and plain_item(write.after or {}).get("automaticRefund"):
            found.setdefault(write.key[0].removeprefix("M#"), write.at_ms)
    return found


def _refunding_until_ms(evidence: Evidence) -> Mapping[str, int]:
    """When the automatic refund was turned off again, by merchant."""
    found: dict[str, int] = {}
    for write in evidence.result.history.writes:
        was_on = write.table == CONFIGURATION and plain_item(write.before or {}).get("automaticRefund")
        if was_on and not plain_item(write.after or {}).get("automaticRefund"):
            found.setdefault(write.key[0].removeprefix("M#"), write.at_ms)
    return found


def _accepted_while_free(name: str, payments: list[_Payment], refunding_since_ms: int) -> Iterator[Violation]:
    """A payment that says once is accepted when every earlier one is proven uncharged for good, or given back."""
    for payment in payments:
        created_ms = payment.evidence.versions[0][0].at_ms
        for other in payments:
            stored = other.at(created_ms, before=True) if other is not payment else None
            if stored is None or not payment.once:
                continue
            is_watched = other.once and created_ms >= refunding_since_ms
            why = _occupies(stored, _refunds_at(other.evidence, created_ms), frees_while_reopening=is_watched)
            if why:
                what = f"{payment.evidence.transaction_id} was accepted while {other.evidence.transaction_id} {why}"
                yield Violation("I17", name, what)


def _refusals(evidence: Evidence) -> Mapping[tuple[str, str], list[Call]]:
    found: dict[tuple[str, str], list[Call]] = defaultdict(list)
    for (merchant, _), calls in evidence.created.items():
        for call in calls:
            if call.status == _CONFLICT and call.answer["code"] == "order_not_free":
                found[merchant, json.loads(call.body or "{}")["orderId"]].append(call)
    return found


def _refused_while_held(
    name: str, payments: list[_Payment], refused: list[Call], refunding_since_ms: int
) -> Iterator[Violation]:
    """A payment is refused only while another one keeps the order: an order that is never free again sells nothing.

    What became true during the request may have been seen, or not. An event about a payment that ended keeps its order
    until the provider was asked.
    """
    for call in refused:
        for other in payments:
            times = [call.at_ms, *(w.at_ms for w, _, _ in other.evidence.versions if call.at_ms <= w.at_ms)]
            if any(_occupies_at(other, at_ms, refunding_since_ms) for at_ms in times if at_ms <= call.answered_ms):
                break
        else:
            yield Violation("I17", name, f"{call.key} was refused, and no payment kept the order")


def _occupies_at(payment: _Payment, at_ms: int, refunding_since_ms: int) -> bool:
    stored = payment.at(at_ms)
    is_watched = payment.once and at_ms >= refunding_since_ms
    refunds = _refunds_at(payment.evidence, at_ms)
    if stored is None:
        return False
    is_inquired_about = stored.get("eventInquiries", {}).get("waiting")
    return bool(is_inquired_about or _occupies(stored, refunds, frees_while_reopening=is_watched))


def _taken_after_the_holder(name: str, payments: list[_Payment]) -> Iterator[Violation]:
    """A late charge takes the order when the payment that held it is proven uncharged for good, or given back."""
    ids = {payment.evidence.transaction_id: payment.evidence for payment in payments}
    for payment in payments:
        for write, before, after, _ in payment.evidence.changes():
            holder = ids.get(before.get("orderContendsWith", ""))
            is_taken = before.get("orderStanding") == "contending" and "orderStanding" not in after
            stored = stored_at(holder.versions, write.at_ms, before=False) if holder and is_taken else None
            if stored is None or holder is None:
                continue
            why = _occupies(stored, _refunds_at(holder, write.at_ms), frees_while_reopening=False)
            if why:
                what = f"{payment.evidence.transaction_id} took it while {holder.transaction_id} {why}"
                yield Violation("I17", name, what)


def _occupies(stored: Stored, refunds: list[Stored], *, frees_while_reopening: bool) -> str:
    """Why a payment keeps its order; empty for one that does not.

    `frees_while_reopening`: it said once, and its merchant has late charges given back.
    """
    states = [attempt["state"] for attempt in stored["attempts"]]
    if stored.get("chargedAttempt") is not None:
        unsure = [o["operationId"] for o in refunds if o["status"] not in {"SUCCEEDED", "FAILED"}]
        owes_more = any(not extra.get("refund_reference") for extra in stored.get("extraCharges", []))
        whole = 0 < stored.get("captured", 0) == stored.get("refunded", 0) and not owes_more
        return "" if whole and not unsure and stored["status"] == "SUCCESS" else "was charged"
    if stored["status"] not in {"FAILED", "CANCELLED"}:
        return f"was {stored['status']}"
    unproven = set(states) - _NO_CHARGE
    # A person's evidence proves that what an attempt took was returned; it proves nothing about an open one.
    is_closed = stored["status"] == "FAILED" and stored.get("lastError", {}).get("code") == "not_charged"
    if unproven & OPEN or (unproven and not is_closed):
        return f"had the attempts {states}"
    may_reopen = any(attempt.get("reopens_until_ms") is not None for attempt in stored["attempts"])
    is_watched = frees_while_reopening and stored["status"] == "FAILED"
    return f"was {stored['status']} and might reopen" if may_reopen and not is_watched else ""


def _begun_beside_a_charge(name: str, payments: list[_Payment]) -> Iterator[Violation]:
    """No attempt begins once another payment of the order is known to be charged, and keeps it; and no capture does."""
    for payment in payments:
        captures = [
            o for o in payment.evidence.operations.values() if o.item is not None and o.item["kind"] == "capture"
        ]
        for versions in (payment.evidence.versions, *(capture.versions for capture in captures)):
            for begun_ms in _beginnings(versions):
                for other in payments:
                    if other is not payment and _keeps(other, begun_ms, before=True):
                        what = f"{payment.evidence.transaction_id} began an attempt after"
                        yield Violation("I17", name, f"{what} {other.evidence.transaction_id} was charged")


def _beginnings(versions: list[Version]) -> Iterator[int]:
    """When a further attempt was opened, or one again that was not sent.

    One that stands for what a restore may have forgotten sends nothing.
    """
    for write, before, after in versions:
        known, now = ((version or {}).get("attempts", []) for version in (before, after))
        is_opened = sum(a["state"] in OPEN for a in now) > sum(a["state"] in OPEN for a in known)
        was = {a["number"]: a["state"] for a in known}
        begun = [a for a in now if a["state"] == "STARTED" and was.get(a["number"]) in {None, "NOT_SENT"}]
        if is_opened and any("sent_before_restore" not in a.get("progress", {}) for a in begun):
            yield write.at_ms


def _automatic_refunds(
    name: str, payments: list[_Payment], refunding_since_ms: int, refunding_until_ms: int
) -> Iterator[Violation]:
    """A refund that nobody asked for gives back one of two charges that are both known, never the last one.

    It gives the whole charge back, and only where the merchant has that done.
    """
    requested = [
        (operation.versions[0][0].at_ms, payment, operation)
        for payment in payments
        for operation in payment.evidence.operations.values()
        if operation.versions and (operation.versions[0][2] or {}).get("fingerprint") == _LATE
    ]
    for at_ms, payment, operation in requested:
        others = [p for p in payments if p is not payment]
        if not refunding_since_ms <= at_ms <= refunding_until_ms:
            yield Violation("I17", name, f"{operation.operation_id} was not asked for, and the merchant has none made")
        rest = (payment.at(at_ms) or {}).get("refundable", 0)
        if rest:
            yield Violation("I17", name, f"{operation.operation_id} leaves {rest} of a charge beside the holder's")
        if not any(_stays(p, at_ms) for p in others):
            what = f"{operation.operation_id} gives back {payment.evidence.transaction_id}, and no other charge stays"
            yield Violation("I17", name, what)
        first = payment.at(at_ms)
        if first is not None and first.get("orderStanding") != "charged_twice":
            yield Violation("I17", name, f"{operation.operation_id} gives the charge of the order's holder back")


def _refunds_left_out(
    name: str, payments: list[_Payment], refunding_since_ms: int, refunding_until_ms: int
) -> Iterator[Violation]:
    """A charge beside the holder's is given back where the merchant has that done, in the write that says so."""
    for payment in payments:
        for write, before, after, _ in payment.evidence.changes():
            is_decided = after.get("orderStanding") == "charged_twice" != before.get("orderStanding")
            is_meant = refunding_since_ms <= write.at_ms <= refunding_until_ms
            if not is_decided or not is_meant or not after.get("refundable"):
                continue
            others = [other for other in payments if other is not payment]
            if any(_stays(other, write.at_ms) for other in others) and not _refunds_at(
                payment.evidence, write.at_ms + 1
            ):
                what = f"the charge of {payment.evidence.transaction_id} beside the holder's was not given back"
                yield Violation("I17", name, what)


def _decided_at_rest(name: str, payments: list[_Payment], ended_ms: int) -> Iterator[Violation]:
    """A payment that contends is decided soon after the others of its order are."""
    for payment in payments:
        if payment.evidence.status != "IN_REVIEW" or _reason(payment) != "order_contended":
            continue
        others = [other.evidence for other in payments if other is not payment]
        reviewed_ms = [w.at_ms for w, b, a, _ in payment.evidence.changes() if b["status"] != a["status"]]
        changed_ms = max(other.versions[-1][0].at_ms for other in others) if others else ended_ms
        changed_ms = max(changed_ms, *reviewed_ms)
        if all(_is_decided(other) for other in others) and ended_ms - changed_ms > _DECIDED_MS:
            what = f"{payment.evidence.transaction_id} contends although all others of its order are decided"
            yield Violation("I17", name, what)


def _is_decided(payment: PaymentEvidence) -> bool:
    item = payment.item or {}
    is_open = any(attempt["state"] in OPEN or "reopens_until_ms" in attempt for attempt in item.get("attempts", []))
    return payment.status in {"SUCCESS", "FAILED", "CANCELLED"} and not is_open


def _reason(payment: _Payment) -> str:
    return str((payment.evidence.item or {}).get("lastError", {}).get("code"))


def _keeps(payment: _Payment, at_ms: int, *, before: bool = False) -> bool:
    stored = payment.at(at_ms, before=before)
    charged = stored is not None and stored.get("chargedAttempt") is not None
    return stored is not None and charged and stored.get("refunded", 0) < stored.get("captured", 0)


def _stays(payment: _Payment, at_ms: int) -> bool:
    """Whether a part of its charge stays even if all refunds that are reserved succeed."""
    stored = payment.at(at_ms) or {}
    given_back = stored.get("refunded", 0) + stored.get("reserved", 0)
    return stored.get("chargedAttempt") is not None and given_back < stored.get("captured", 0)


def _refunds_at(payment: PaymentEvidence, at_ms: int) -> list[Stored]:
    found = [_operation_at(operation, at_ms) for operation in payment.operations.values()]
    return [stored for stored in found if stored is not None and stored["kind"] == "refund"]


def _operation_at(operation: OperationEvidence, at_ms: int) -> Stored | None:
    return stored_at(operation.versions, at_ms, before=True)
