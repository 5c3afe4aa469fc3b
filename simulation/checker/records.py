"""I2, I4 and I16: nothing is lost, every change is in the audit log, every new status is told."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from simulation.checker.evidence import Evidence, PaymentEvidence, Stored, Version, Violation
from simulation.releases import is_unreadable

FINAL: Final = {"SUCCESS", "FAILED", "CANCELLED"}
FINAL_OPERATION: Final = {"SUCCEEDED", "FAILED"}

_PAYMENT_TOPICS: Final[Mapping[str, str]] = {
    "PENDING": "payment.pending",
    "REQUIRES_ACTION": "payment.requires_action",
    "AUTHORIZED": "payment.authorized",
    "SUCCESS": "payment.succeeded",
    "FAILED": "payment.failed",
    "CANCELLED": "payment.cancelled",
    "IN_REVIEW": "payment.in_review",
}


# --- I2


def i2_nothing_lost(evidence: Evidence) -> Iterator[Violation]:
    """All that was accepted exists, and is final once faults have stopped, or in review and on the list of reviews."""
    for call in evidence.accepted:
        name = f"{call.answer['transactionId']}@{call.merchant}"
        if name not in evidence.payments or evidence.payments[name].item is None:
            yield Violation("I2", name, "was accepted and is not stored")
    for (merchant, kind, key), calls in evidence.operated.items():
        for call in calls:
            if call.status == 202 and not _is_stored(evidence, call.merchant, call.answer):
                yield Violation("I2", f"{key}@{merchant}", f"a {kind} was accepted and is not stored: {call.answer}")
    for name, payment in evidence.payments.items():
        if (
            payment.item is not None
            and payment.status not in {*FINAL, "IN_REVIEW"}
            and not _waits(evidence, payment.item)
            and not _waits_for_a_person(payment)
        ):
            yield Violation("I2", name, f"is still {payment.status} long after the trouble ended")
        for operation in payment.operations.values():
            item = operation.item
            if (
                item is not None
                and operation.status not in {*FINAL_OPERATION, "IN_REVIEW"}
                and not _waits(evidence, item)
            ):
                yield Violation("I2", name, f"{operation.operation_id} is still {operation.status}")
    if not evidence.result.settled:
        yield Violation("I2", "-", "the system did not come to rest")


def unknown_words_wait(evidence: Evidence) -> Iterator[Violation]:
    """An item with a word that this release does not know is postponed: nothing else of it changes, nothing is sent.

    The sweeper takes an item before it reads it, so the wake-up is counted until the item is given back.
    """
    for write in evidence.result.history.writes:
        if write.before is None or not is_unreadable(write.key[0]):
            continue
        after = write.after or {}
        changed = {name for name in {*write.before, *after} if write.before.get(name) != after.get(name)}
        if changed - {"dueAt", "drives"} or abs(_drives(after) - _drives(write.before)) > 1:
            yield Violation("I5", write.key[0], f"holds an unknown word, and its {sorted(changed)} were changed")


def _drives(item: Mapping[str, Any]) -> int:
    return int(item.get("drives", {"N": "0"})["N"])


def _waits(evidence: Evidence, item: Stored) -> bool:
    """An amount that is held waits for its merchant, or until it lapses where no void is possible.

    A short run does not wait for what no provider decided.
    """
    undecided = evidence.result.undecided
    is_left = not item.get("cancelRequested") or bool(item.get("stopRequested"))
    is_held = item["status"] == "AUTHORIZED" and is_left and "dueAt" in item
    return (
        is_held
        or (item["pk"], item["sk"]) in undecided
        or (item["pk"], f"OP#{item.get('openSettlement')}") in undecided
    )


def _waits_for_a_person(payment: PaymentEvidence) -> bool:
    """Whether its capture or void is in review: until that is closed, nobody knows what is still held."""
    settlement = payment.operations.get((payment.item or {}).get("openSettlement", ""))
    return settlement is not None and settlement.status == "IN_REVIEW"


def _is_stored(evidence: Evidence, merchant: str, answer: Mapping[str, Any]) -> bool:
    payment = evidence.payments.get(f"{answer['transactionId']}@{merchant}")
    operation = payment.operations.get(answer["operationId"]) if payment else None
    return operation is not None and operation.item is not None


def reviews_are_listed(evidence: Evidence) -> Iterator[Violation]:
    """A payment or operation in review is on the list that a person reads; and nothing else is.

    What came into review, or left it, after the list was read may be on it or not.
    """
    listed = {(merchant, operation_id or payment_id) for merchant, payment_id, operation_id in evidence.result.listed}
    wanted = {
        (payment.merchant, item_id)
        for payment in evidence.payments.values()
        for item_id, status in _statuses(payment)
        if status == "IN_REVIEW"
    }
    since_ms = evidence.result.ended_ms - _LIST_IS_READ_MS
    late = {
        (payment.merchant, item_id)
        for payment in evidence.payments.values()
        for item_id, versions in _versions(payment)
        if any(write.at_ms > since_ms and _changes_status(before, after) for write, before, after in versions)
    }
    listed, wanted = listed - late, wanted - late
    for merchant, item_id in sorted(wanted - listed):
        yield Violation("I2", f"{item_id}@{merchant}", "is in review and on no list")
    for merchant, item_id in sorted(listed - wanted):
        yield Violation("I2", f"{item_id}@{merchant}", "is on the list of reviews and in none")


_LIST_IS_READ_MS: Final = 60_000
"""So long before its end, when everything rests, a run reads the list."""


def _versions(payment: PaymentEvidence) -> Iterator[tuple[str, Sequence[Version]]]:
    yield payment.transaction_id, payment.versions
    for operation in payment.operations.values():
        yield operation.operation_id, operation.versions


def _changes_status(before: Stored | None, after: Stored | None) -> bool:
    return before is not None and after is not None and before["status"] != after["status"]


def _statuses(payment: PaymentEvidence) -> Iterator[tuple[str, str]]:
    yield payment.transaction_id, payment.status
    for operation in payment.operations.values():
        yield operation.operation_id, operation.status


def operators_give_reasons(evidence: Evidence) -> Iterator[Violation]:
    """Every change by a person names the person and the reason."""
    for name, payment in evidence.payments.items():
        for event in payment.events:
            if event["actor"] == "operator" and not {"operator", "reason"} <= event["facts"].keys():
                yield Violation("I4", name, f"event {event['seq']} does not say which operator did it, and why")


# --- I4


def i4_audit_log(evidence: Evidence) -> Iterator[Violation]:
    """Events 1..n without a gap, the chain intact, the last ones equal to the stored states."""
    for name, payment in evidence.payments.items():
        if payment.item is None:
            continue
        previous, status = "0" * 64, None
        operations: dict[str, str] = {}
        number = 0
        for event in payment.events:
            number = event["seq"] if _leaves_out(event, number) else number + 1
            if event["seq"] != number:
                yield Violation("I4", name, f"event {number} is missing")
                break
            if event["previousHash"] != previous or event["hash"] != hash_of(event):
                yield Violation("I4", name, f"the chain breaks at event {number}")
            if event.get("from") != status:
                yield Violation("I4", name, f"event {number} begins with {event.get('from')} instead of {status}")
            previous, status = event["hash"], event["to"]
            if "operationId" in event["facts"]:
                operations[event["facts"]["operationId"]] = event["facts"]["operationStatus"]
        head = (payment.item["eventSeq"], payment.item["eventHash"], payment.status)
        if head != (number, previous, status):
            yield Violation("I4", name, f"the last event is {status}, the payment is {payment.status}")
        found = {o.operation_id: o.status for o in payment.operations.values() if o.item is not None}
        if operations != found:
            yield Violation("I4", name, f"by the events its operations are {operations}, stored are {found}")


def _leaves_out(event: Stored, before: int) -> bool:
    """The event of a restore says after which number it follows: those between were used and are forgotten."""
    facts = event["facts"]
    is_named = event["type"] == "payment.restored" and facts.get("afterSeq") == before
    return bool(is_named and event["seq"] > before)


def hash_of(event: Mapping[str, Any]) -> str:
    """The hash that an event must have, from its content."""
    content = {
        "merchant_id": event["merchantId"],
        "transaction_id": event["transactionId"],
        "seq": event["seq"],
        "type": event["type"],
        "status_from": event.get("from"),
        "status_to": event["to"],
        "actor": event["actor"],
        "at_ms": event["at"],
        "facts": event["facts"],
        "previous_hash": event["previousHash"],
        "hash": "",
        "format": 1,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


# --- I16


def i16_merchant_events(evidence: Evidence) -> Iterator[Violation]:
    """Every new status is published, in the write that made it, numbered without a gap; in the end none is owed."""
    for name, payment in evidence.payments.items():
        if payment.item is None:
            continue
        told = {event["seq"]: event["topic"] for event in payment.events if "topic" in event}
        wanted = dict(_news(payment))
        if told != wanted:
            yield Violation("I16", name, f"new statuses are {wanted}, published are {told}")
        numbers = [event["number"] for event in payment.events if "topic" in event]
        if not _is_numbered(payment, payment.item.get("announced", 0)):
            yield Violation("I16", name, f"the published events are numbered {numbers}")
        owed = [event["seq"] for event in payment.events if "topic" in event and _is_owed(event)]
        if evidence.result.settled and owed:
            yield Violation("I16", name, f"at rest, nobody was told of {owed}")


def _is_numbered(payment: PaymentEvidence, last: int) -> bool:
    """After a restore, numbers go on above those that were used: by how much, `restored` says."""
    number = 0
    may_rise = False
    for event in payment.events:
        may_rise |= event["type"] == "payment.restored"
        if "topic" not in event:
            continue
        is_raised = may_rise and event["number"] > number
        number = event["number"] if is_raised else number + 1
        may_rise = False
        if event["number"] != number:
            return False
    return last >= number if may_rise else number == last


def _news(payment: PaymentEvidence) -> Iterator[tuple[int, str]]:
    """The events that give a payment or an operation a new status; one of both is named after the payment."""
    known: dict[str, str] = {}
    for event in payment.events:
        operation_id = event["facts"].get("operationId")
        before = known.get(operation_id) if operation_id else None
        if operation_id:
            known[operation_id] = event["facts"]["operationStatus"]
        if event.get("from") not in {None, event["to"]}:
            yield event["seq"], _PAYMENT_TOPICS[event["to"]]
        elif event["type"] == _CHARGED_TWICE or event["type"].startswith(_DISPUTE):
            yield event["seq"], event["type"]
        elif operation_id and before != known[operation_id] and (before or event["type"].endswith(_OUTSIDE)):
            yield event["seq"], f"{_KINDS[operation_id[:4]]}.{known[operation_id].lower()}"


_CHARGED_TWICE: Final = "payment.charged_twice"
"""A further charge inside a hosted object that was paid: money that is owed to the payer."""
_DISPUTE: Final = "payment.dispute."
"""Which type is right, and for what, the rules of disputes say."""
_OUTSIDE: Final = ".made_at_provider"
"""No merchant asked for it, so its first status is news too."""
_KINDS: Final = {"cap_": "capture", "void": "void", "ref_": "refund"}


def _is_owed(event: Stored) -> bool:
    """An event that was never planned is nobody's, unless its merchant had an endpoint: see `audience`."""
    pending = any(delivery["state"] == "PENDING" for delivery in event.get("deliveries", {}).values())
    return "dueAt" in event or pending
