"""I6, I7, I8 and I10: keys of merchants, keys of providers, references of providers."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from simulation.checker.evidence import Evidence, OperationEvidence, PaymentEvidence, Stored, Violation, stored_at
from simulation.checker.transitions import OPEN
from simulation.history import Call, Sent, Write
from testing.dynamodb.values import plain_item

_REUSED: Final = "idempotency_key_reused"
_QUESTIONS: Final = ("/merchant/postservice", "/pg/recon")
_ENDS_A_CHARGE: Final = re.compile(r"/(captures?|voids|refunds?|authorization|cancel|close|expire)$")
_OURS: Final = "pfx-"
"""The beginning of every key that we make."""


def _named(evidence: Evidence) -> Iterator[tuple[str, str, Sequence[Call]]]:
    """All requests that create something, by merchant and key; a key counts for each kind of request on its own."""
    for (merchant, key), calls in evidence.created.items():
        yield f"{key}@{merchant}", "transactionId", calls
    for (merchant, kind, key), calls in evidence.operated.items():
        yield f"{kind} {key}@{merchant}", "operationId", calls


def _forgotten_with(evidence: Evidence, one: Call) -> Iterator[Call]:
    """Calls with this key that were answered in the time that a restore forgot: what they stored may be older."""
    forgotten = evidence.result.forgotten
    for call in forgotten.accepted if forgotten is not None else ():
        if (call.merchant, call.key) == (one.merchant, one.key):
            yield call


_CONFLICT: Final = 409


def i6_other_body(evidence: Evidence) -> Iterator[Violation]:
    """A key stands for one request: no two are ever accepted with it, and one is not accepted once and refused once."""
    for name, _, calls in _named(evidence):
        asked = {_said(call) for call in (*calls, *_forgotten_with(evidence, calls[0]))}
        accepted = {_said(call) for call in calls if call.status == 202}
        if len(accepted) > 1:
            yield Violation("I6", name, "two different bodies were accepted with one key")
        refused = {_said(c) for c in calls if c.status == 422 and c.answer.get("code") == _REUSED}
        if accepted & refused:
            yield Violation("I6", name, "a body was accepted once and refused once")
        if refused and len(asked) == 1:
            yield Violation("I6", name, "was refused though this merchant used it for one body only")
    for call in evidence.result.history.calls:
        if call.key is None and call.answer.get("code") == _REUSED:
            yield Violation("I6", call.path, "has no key, and was refused for one that is taken")


def _said(call: Call) -> tuple[str, str]:
    """The meaning of a request, however it is spelled. A member with its default says the same as none."""
    members = {name: value for name, value in json.loads(call.body or "{}").items() if value != _DEFAULTS.get(name)}
    return call.path, json.dumps(members, sort_keys=True)


_DEFAULTS: Final = {"capture": "automatic", "savePaymentMethod": False, "oncePerOrder": True}


def i7_one_id(evidence: Evidence) -> Iterator[Violation]:
    """One merchant and key, one id, for ever; and never the same for two merchants."""
    owners: dict[str, str] = {}
    for name, what, calls in _named(evidence):
        ids = {call.answer[what] for call in calls if call.status == 202}
        if len(ids) > 1:
            yield Violation("I7", name, f"has several ids: {sorted(ids)}")
        for found in ids:
            if owners.setdefault(found, name) != name:
                yield Violation("I7", found, f"belongs to {owners[found]} and to {name}")


def i7_stays_accepted(evidence: Evidence) -> Iterator[Violation]:
    """A request that was accepted under a key is not refused for its order when it is repeated."""
    for (merchant, key), calls in evidence.created.items() if evidence.result.forgotten is None else ():
        accepted_ms = min((call.answered_ms for call in calls if call.status == 202 and call.answered_ms), default=None)
        for call in calls:
            is_refused = call.status == _CONFLICT and call.answer.get("code") == "order_not_free"
            if is_refused and accepted_ms is not None and call.at_ms > accepted_ms:
                yield Violation("I7", f"{key}@{merchant}", "was accepted, and is refused now for its order")


def i8_key_stored_first(evidence: Evidence) -> Iterator[Violation]:
    """No provider gets a key that is not stored already; who sends has taken the lease with that attempt open."""
    is_restored = evidence.result.forgotten is not None  # then keys are asked about of which nothing is stored
    for sent in evidence.result.history.sent:
        if not sent.stored and not ((sent.provider_key is None or is_restored) and _is_question(sent)):
            what = f"{sent.connector} got {sent.method} {sent.path} with {sent.provider_key}, which was not stored"
            yield Violation("I8", str(sent.provider_key), what)
    for name, payment in evidence.payments.items():
        captures = [o for o in payment.operations.values() if o.item is not None and o.item["kind"] == "capture"]
        capturing = {process for operation in captures for process, _ in _opened(operation)}
        yield from _senders(name, payment, capturing)
        for operation in payment.operations.values():
            yield from _senders(name, operation, set())


def _opened(owner: PaymentEvidence | OperationEvidence) -> set[tuple[int, str]]:
    """The processes that took the lease, with the keys of the attempts that were open then."""
    return {
        (write.process, attempt["provider_key"])
        for write, _, after in owner.versions
        if after is not None and after["lease"]["owner"]
        for attempt in after["attempts"]
        if attempt["state"] in OPEN
    }


def _senders(name: str, owner: PaymentEvidence | OperationEvidence, capturing: set[int]) -> Iterator[Violation]:
    """`capturing`: who opened a capture. Some providers' captures name no key, only the charge."""
    opened, completing = _opened(owner), _completing(owner)
    for sent in owner.sent:
        is_capture = sent.path.endswith("/capture")
        if is_capture and sent.process in capturing:
            continue
        if is_capture and isinstance(owner, PaymentEvidence) and (sent.process, sent.provider_key) not in completing:
            what = f"{sent.connector} got {sent.path} from process {sent.process}, which had not stored it first"
            yield Violation("I8", name, what)
        if _moves_money(sent) and (sent.process, sent.provider_key) not in opened:
            what = f"{sent.connector} got {sent.method} {sent.path} from process {sent.process}, which did not open it"
            yield Violation("I8", name, what)


def _completing(owner: PaymentEvidence | OperationEvidence) -> set[tuple[int, str]]:
    """The processes whose writes left the fact of our own capture on an open attempt, with the attempt's key."""
    return {
        (write.process, attempt["provider_key"])
        for write, _, after in owner.versions
        if after is not None and after["lease"]["owner"]
        for attempt in after["attempts"]
        if attempt["state"] in OPEN and "capture_sent_at" in attempt.get("progress", {})
    }


def i8_same_bytes(evidence: Evidence) -> Iterator[Violation]:
    """A request that may have left leaves again with the same bytes, or never: the newer release builds other ones.

    All steps of a charge count as one request: the stored hash is about all of them.
    """
    for name, payment in evidence.payments.items():
        releases: dict[str, str] = {}
        owners: list[PaymentEvidence | OperationEvidence] = [payment, *payment.operations.values()]
        for owner in owners:
            for sent in owner.sent:
                key = _key_that_moves(payment, owner, sent)
                if key is None or sent.release is None:
                    continue
                if releases.setdefault(key, sent.release) != sent.release:
                    yield Violation("I8", name, f"{sent.connector} got {sent.path} with {key} again, with other bytes")


def _key_that_moves(payment: PaymentEvidence, owner: PaymentEvidence | OperationEvidence, sent: Sent) -> str | None:
    """The key of the attempt for which the request was made. A capture without a key is that of its process.

    None for what ends a charge, or takes what was held for it without an operation.
    """
    if isinstance(owner, OperationEvidence) or not _ENDS_A_CHARGE.search(sent.path):
        return sent.provider_key if sent.method == "POST" else None
    captures = [o for o in payment.operations.values() if o.item is not None and o.item["kind"] == "capture"]
    keys = {key for capture in captures for process, key in _opened(capture) if process == sent.process}
    return keys.pop() if sent.path.endswith("/capture") and len(keys) == 1 else None


def _moves_money(sent: Sent) -> bool:
    return not _is_question(sent)


def _is_question(sent: Sent) -> bool:
    """PayU is asked by POST too, and at the address of its refunds; Cashfree's report is a POST."""
    return sent.method == "GET" or sent.path.startswith(_QUESTIONS)


def i10_reference_owner(evidence: Evidence) -> Iterator[Violation]:
    """A provider's reference has one owner, for ever: one attempt of one payment or of one operation."""
    for write in evidence.result.history.writes:
        if not write.key[0].startswith("R#") or write.before is None:
            continue
        before, after = plain_item(write.before), plain_item(write.after or {})
        owners = [
            tuple(item.get(fact) for fact in ("transactionId", "operationId", "attempt")) for item in (before, after)
        ]
        if owners[0] != owners[1]:
            yield Violation("I10", write.key[0], f"went from {owners[0]} to {owners[1]}")


def i10_one_operation(evidence: Evidence) -> Iterator[Violation]:
    """A refund at the provider is one operation: nobody books it twice, as ours and as made there."""
    for name, payment in evidence.payments.items():
        owners: dict[tuple[str, str], str] = {}
        for operation in payment.operations.values():
            if operation.item is None or operation.item["kind"] != "refund":
                continue
            for attempt in operation.item["attempts"]:
                if "reference" not in attempt or attempt["state"] == "MISMATCH":
                    continue
                owner = owners.setdefault((attempt["provider"], attempt["reference"]), operation.operation_id)
                if owner != operation.operation_id:
                    yield Violation("I10", name, f"{attempt['reference']} is {owner} and {operation.operation_id}")


def i10_made_elsewhere(evidence: Evidence) -> Iterator[Violation]:
    """A refund is booked as made at the provider only if no request of ours can have made it.

    One with a key of ours never is. One without a key may be ours as long as one of ours has no answer and no id: it
    waits until ours was asked about.
    """
    for name, payment in evidence.payments.items():
        for operation in payment.operations.values():
            write, _, booked = operation.versions[0]
            if booked is None or booked.get("origin") != "provider":
                continue
            key = str(booked["attempts"][0].get("provider_key") or "")
            if key.startswith(_OURS):
                yield Violation("I10", name, f"{operation.operation_id} bears our key {key} and was made elsewhere")
            unsure = [o.operation_id for o in _unsure_refunds(payment, write)]
            if not key and unsure:
                yield Violation("I10", name, f"{operation.operation_id} was booked while it might be {unsure[0]}")


def _unsure_refunds(payment: PaymentEvidence, write: Write) -> Iterator[OperationEvidence]:
    """Refunds that may have been executed under an id that is not known: when the process read the list, and since."""
    read_ms = max((s.at_ms for s in payment.sent if s.process == write.process), default=write.at_ms)
    for operation in payment.operations.values():
        moments = [stored_at(operation.versions, at_ms, before=True) for at_ms in (read_ms, write.at_ms)]
        if all(stored is not None and _may_be_nameless(stored) for stored in moments):
            yield operation


def _may_be_nameless(stored: Stored) -> bool:
    is_ours = stored["kind"] == "refund" and stored.get("origin") != "provider"
    nameless = [attempt for attempt in stored["attempts"] if "reference" not in attempt]
    return is_ours and any(attempt["state"] in {*OPEN, "MISMATCH"} for attempt in nameless)
