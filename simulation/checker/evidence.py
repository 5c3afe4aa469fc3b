"""The traces of a run, in order by payment. Nothing here comes from the code under test."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from simulation.history import Call, Sent, Write
from simulation.layouts import in_full, with_first
from simulation.world import TRANSACTIONS, Result
from testing.dynamodb.values import Item, plain_item

Stored = dict[str, Any]
Version = tuple[Write, Stored | None, Stored | None]
"""A write of an item, with the item before and after it as plain values."""

_PARTITION: Final = re.compile(r"M#([a-z0-9_-]+)#P#(pay_[a-z2-7]{16})")
PAYMENT: Final = "PAYMENT"
_EVENT: Final = "EVENT#"
_OPERATION: Final = "OP#"
_CREATION: Final = re.compile(r"/payments(?:/(pay_[a-z2-7]{16})/(capture|refunds))?")
_HELD: Final = frozenset({"authorized", "charged", "pending"})
UNDONE: Final = frozenset({"failed", "canceled"})


def is_recorded_by_person(attempt: Mapping[str, Any]) -> bool:
    """A person found a charge of which a restore had forgotten the request: nothing was sent for this attempt."""
    return attempt.get("code") == "closed_by_operator" and attempt.get("request_hash") == ""


"""States of a capture, void or refund in a provider's books that moved no money, or whose money came back."""


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold, for which payment, and how that shows."""

    invariant: str
    payment: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.payment}: {self.what}"


@dataclass(slots=True)
class OperationEvidence:
    """All about one capture, void or refund."""

    operation_id: str
    item: Stored | None = None
    versions: list[Version] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    books: list[dict[str, Any]] = field(default_factory=list)

    @property
    def status(self) -> str:
        """As stored."""
        return self.item["status"] if self.item else "MISSING"

    @property
    def executed(self) -> list[dict[str, Any]]:
        """The entries of the providers' books that moved money under a key of this operation, and still count."""
        return [entry for entry in self.books if entry["status"] not in UNDONE]


@dataclass(slots=True)
class Transaction:
    """The changes of one write call: the payment and its operations by sort key, before and after."""

    at_ms: int
    process: int
    changed: dict[str, tuple[Stored | None, Stored | None]] = field(default_factory=dict)


@dataclass(slots=True)
class PaymentEvidence:
    """All about one payment. `versions` are the stored states in order, as plain values, with their writers."""

    merchant: str
    transaction_id: str
    item: Stored | None = None
    events: list[Stored] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    operations: dict[str, OperationEvidence] = field(default_factory=dict)
    transactions: list[Transaction] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    books: list[dict[str, Any]] = field(default_factory=list)
    """Entries of the providers' books about this payment's charges; those of operations lie with them."""

    @property
    def name(self) -> str:
        """As violations name it."""
        return f"{self.transaction_id}@{self.merchant}"

    @property
    def status(self) -> str:
        """As stored."""
        return self.item["status"] if self.item else "MISSING"

    @property
    def is_checkout(self) -> bool:
        """Whether its payer chooses, and pays on a provider's page."""
        return self.item is not None and "checkout" in self.item

    @property
    def is_held_twice(self) -> bool:
        """Whether the payer approved two amounts inside one hosted object."""
        held = [entry for entry in self.books if entry["kind"] == "charge" and entry["status"] in _HELD]
        return self.item is not None and self.item.get("capture") == "manual" and self.is_checkout and len(held) > 1

    @property
    def is_under_another_key(self) -> bool:
        """Whether a person booked a charge of an attempt that a restore forgot: nothing reads that attempt's object."""
        number = self.item.get("chargedAttempt") if self.item else None
        attempts: list[dict[str, Any]] = self.item["attempts"] if self.item else []
        charge = next((attempt for attempt in attempts if attempt["number"] == number), {})
        lines = [entry for entry in self.books if entry.get("chargeId") == charge.get("reference")]
        is_forgotten = "sent_before_restore" in charge.get("progress", {})
        return is_forgotten and any(line["reference"] != charge["provider_key"] for line in lines)

    @property
    def charged(self) -> list[dict[str, Any]]:
        """The charges in the providers' books that took the payer's money."""
        return [entry for entry in self.books if entry["kind"] == "charge" and entry["status"] == "charged"]

    def event_of(self, version: Stored) -> Stored | None:
        """The audit event that was written with this version; None for a write without one."""
        return self.event(version["eventSeq"])

    def event(self, seq: int) -> Stored | None:
        """The audit event with this number. Numbers go on from 1; a restore may leave some out."""
        if 0 < seq <= len(self.events) and self.events[seq - 1]["seq"] == seq:
            return self.events[seq - 1]
        return next((event for event in self.events if event["seq"] == seq), None)

    def changes(self) -> Iterator[tuple[Write, Stored, Stored, Stored | None]]:
        """The writes that changed a stored payment, with the event of those that have one."""
        for write, before, after in self.versions:
            if before is not None and after is not None:
                event = self.event_of(after) if after["eventSeq"] != before["eventSeq"] else None
                yield write, before, after, event


@dataclass(slots=True)
class Evidence:
    """A run, by payment."""

    result: Result
    payments: dict[str, PaymentEvidence]
    accepted: Sequence[Call]
    created: Mapping[tuple[str, str], Sequence[Call]]
    """All POST /payments of a merchant with a key, in the order in which they were made."""
    operated: Mapping[tuple[str, str, str], Sequence[Call]] = field(default_factory=dict)
    """All captures or refunds of a merchant with a key, by merchant, kind and key."""
    of_no_payment: Mapping[str, Stored] = field(default_factory=dict)
    """The merchant events that belong to no payment, by their id."""

    def forget(self) -> None:
        """Free what was recorded. A world refers to itself in circles: the collector would walk through it all."""
        self.payments.clear()
        self.result.items.clear()
        self.result.history.forget()


def gather(result: Result) -> Evidence:
    """Read the run once."""
    payments: dict[str, PaymentEvidence] = {}

    def of(partition: str) -> PaymentEvidence | None:
        match = _PARTITION.fullmatch(partition)
        if match is None:
            return None
        return payments.setdefault(match[2] + "@" + match[1], PaymentEvidence(match[1], match[2]))

    of_no_payment: dict[str, Stored] = {}
    for (table, (partition, sort)), item in result.items.items():
        if sort.startswith(_EVENT) and "forgotten" in item:
            event = plain_item(item)
            of_no_payment[f"evt_{event['transactionId'][4:]}_{event['seq']}"] = event
            continue
        payment = of(partition) if table == TRANSACTIONS else None
        if payment is None:
            continue
        if sort == PAYMENT:
            payment.item = in_full(plain_item(item))
        elif sort.startswith(_EVENT):
            payment.events.append(plain_item(item))
        elif sort.startswith(_OPERATION):
            _operation(payment, sort).item = plain_item(item)
    for payment in payments.values():
        payment.events.sort(key=lambda event: str(event["sk"]))
        payment.events = with_first(payment.events, payment.item)
    _add_versions(result, of)
    _add_providers(result, payments)
    created, operated = _requests(result.history.calls)
    accepted = [call for calls in created.values() for call in calls if call.status == 202]
    return Evidence(
        result=result,
        payments=payments,
        accepted=accepted,
        created=created,
        operated=operated,
        of_no_payment=of_no_payment,
    )


def _operation(payment: PaymentEvidence, sort: str) -> OperationEvidence:
    operation_id = sort.removeprefix(_OPERATION)
    return payment.operations.setdefault(operation_id, OperationEvidence(operation_id))


def _requests(
    calls: Sequence[Call],
) -> tuple[dict[tuple[str, str], list[Call]], dict[tuple[str, str, str], list[Call]]]:
    created: dict[tuple[str, str], list[Call]] = defaultdict(list)
    operated: dict[tuple[str, str, str], list[Call]] = defaultdict(list)
    for call in calls:
        match = _CREATION.fullmatch(call.path) if call.method == "POST" and call.key is not None else None
        if match is None or call.key is None:
            continue
        if match[2] is None:
            created[call.merchant, call.key].append(call)
        else:
            operated[call.merchant, match[2].removesuffix("s"), call.key].append(call)
    return created, operated


def _add_versions(result: Result, of: Any) -> None:
    decoded: dict[int, Any] = {}  # the history keeps all versions alive, so that an identity stays one
    last: dict[tuple[str, str], Stored | None] = {}
    for write in result.history.writes:
        payment = of(write.key[0]) if write.table == TRANSACTIONS else None
        if payment is None:
            continue
        sort = write.key[1]
        if sort != PAYMENT and not sort.startswith(_OPERATION):
            continue
        known = last.get(write.key)
        read = _payment if sort == PAYMENT else plain_item
        before = known if known is not None else (read(write.before, decoded) if write.before else None)
        after = read(write.after, decoded) if write.after else None
        last[write.key] = after
        of_item = payment.versions if sort == PAYMENT else _operation(payment, sort).versions
        of_item.append((write, before, after))
        _add_to_transaction(payment, write, before, after)


def _payment(item: Item, decoded: dict[int, Any]) -> Stored:
    return in_full(plain_item(item, decoded))


def _add_to_transaction(payment: PaymentEvidence, write: Write, before: Stored | None, after: Stored | None) -> None:
    """Items of one write call are written one after the other, at one time, each once."""
    newest = payment.transactions[-1] if payment.transactions else None
    if (
        newest is None
        or (newest.at_ms, newest.process) != (write.at_ms, write.process)
        or write.key[1] in newest.changed
    ):
        newest = Transaction(write.at_ms, write.process)
        payment.transactions.append(newest)
    newest.changed[write.key[1]] = (before, after)


def _add_providers(result: Result, payments: Mapping[str, PaymentEvidence]) -> None:
    """A provider key holds 16 characters of the id of a payment or of an operation."""
    owners: dict[str, PaymentEvidence | OperationEvidence] = {}
    for payment in payments.values():
        owners[payment.transaction_id[4:]] = payment
        for operation in payment.operations.values():
            owners[operation.operation_id.partition("_")[2]] = operation
    for sent in result.history.sent:
        name = sent.provider_key[4:20] if sent.provider_key else ""
        if name in owners:
            owners[name].sent.append(sent)
    outside = _made_outside(payments)
    for entry in result.ledger:
        key = str(entry.get("providerKey") or entry["reference"])
        made_there = str(entry.get("providerReference") or entry.get("operationId"))
        owner: PaymentEvidence | OperationEvidence | None = outside.get(made_there)
        owner = owner or owners.get(key[4:20])
        if owner is not None:
            owner.books.append({"kind": "charge", **entry})


def _made_outside(payments: Mapping[str, PaymentEvidence]) -> dict[str, OperationEvidence]:
    """Refunds that were made at the provider and are stored as operations, by the provider's id of them."""
    return {
        str(attempt["reference"]): operation
        for payment in payments.values()
        for operation in payment.operations.values()
        if operation.item is not None and operation.item.get("origin") == "provider"
        for attempt in operation.item["attempts"]
        if "reference" in attempt
    }


def alive_between(versions: Sequence[Version], from_ms: int, until_ms: int) -> list[Stored]:
    """The versions of an item that were the stored one at some time of that span."""
    times = [write.at_ms for write, _, _ in versions]
    first = max(0, bisect_right(times, from_ms - 1) - 1)
    last = bisect_right(times, until_ms)
    return [after for _, _, after in versions[first:last] if after is not None]


def stored_at(versions: Sequence[Version], at_ms: int, *, before: bool) -> Stored | None:
    """The item as stored at this time; None if it was not there. `before`: without the writes of that very moment."""
    stored = None
    for write, _, after in versions:
        if write.at_ms > at_ms or (before and write.at_ms == at_ms):
            break
        stored = after
    return stored
