"""Judges the merchant events: each was numbered without a gap, and reached the merchant with a valid signature."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.chaos.operations import Account
from local.chaos.result import Violation
from local.merchant_endpoint import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantEvent:
    """As GET /events lists it. `attempts` are the posts to our endpoint; 0 when none was planned."""

    event_id: str
    transaction_id: str
    sequence: int
    kind: str
    attempts: int
    is_delivered: bool
    operation_id: str | None = None

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> "MerchantEvent":
        """From an item of the list."""
        return cls(
            event_id=item["id"],
            transaction_id=item["transactionId"],
            sequence=item["sequence"],
            kind=item["type"],
            attempts=sum(delivery["attempts"] for delivery in item["deliveries"]),
            is_delivered=any(delivery["state"] == "DELIVERED" for delivery in item["deliveries"]),
            operation_id=item.get("operationId"),
        )


_EVENT_OF = {
    "SUCCESS": "payment.succeeded",
    "FAILED": "payment.failed",
    "CANCELLED": "payment.cancelled",
    "IN_REVIEW": "payment.in_review",
    "AUTHORIZED": "payment.authorized",
}


_PAYMENT_ENDS = {"capture.succeeded": "payment.succeeded", "void.succeeded": "payment.cancelled"}
_ENDS = frozenset({"SUCCEEDED", "FAILED", "IN_REVIEW"})


def judge_deliveries(
    statuses: Mapping[str, str],
    events: Sequence[MerchantEvent],
    received: Mapping[Message, int],
    *,
    forged: int,
    accounts: Sequence[Account] = (),
) -> list[Violation]:
    """Empty if every promise was kept. `statuses` has the payments' last statuses by id, `accounts` the operations."""
    by_payment: dict[str, list[MerchantEvent]] = defaultdict(list)
    for event in events:
        by_payment[event.transaction_id].append(event)
    arrived = {message.event_id: message for message in received}
    return [
        *_announced(statuses, by_payment),
        *_ends_announced(accounts, events),
        *_numbered(by_payment),
        *_arrived(events, arrived),
        *_unknown(events, arrived),
        *_forged(forged),
    ]


def _announced(statuses: Mapping[str, str], by_payment: Mapping[str, Sequence[MerchantEvent]]) -> Iterator[Violation]:
    for transaction_id, status in statuses.items():
        kind = _EVENT_OF.get(status)
        if kind is not None and kind not in {event.kind for event in by_payment.get(transaction_id, ())}:
            yield Violation(rule="a status without a merchant event", subject=transaction_id, detail=status)


def _ends_announced(accounts: Sequence[Account], events: Sequence[MerchantEvent]) -> Iterator[Violation]:
    """Each end of a capture, void or refund has an event that names it, which `_arrived` follows.

    Where the end changes the payment's status, the event is the payment's.
    """
    known = {(event.operation_id, event.kind) for event in events}
    for account in accounts:
        for operation in account.operations:
            if operation.status not in _ENDS:
                continue
            kind = f"{operation.kind}.{operation.status.lower()}"
            ends = {(operation.operation_id, kind), (operation.operation_id, _PAYMENT_ENDS.get(kind))}
            if not ends & known:
                subject, detail = account.seen.transaction_id, f"{kind} of {operation.operation_id}"
                yield Violation(rule="the end of an operation without a merchant event", subject=subject, detail=detail)


def _numbered(by_payment: Mapping[str, Sequence[MerchantEvent]]) -> Iterator[Violation]:
    for transaction_id, events in by_payment.items():
        numbers = sorted(event.sequence for event in events)
        if numbers != list(range(1, len(numbers) + 1)):
            yield Violation(rule="a gap in the merchant events", subject=transaction_id, detail=f"{numbers}")


def _arrived(events: Sequence[MerchantEvent], arrived: Mapping[str, Message]) -> Iterator[Violation]:
    for event in events:
        subject, detail = event.transaction_id, f"{event.kind} {event.event_id}"
        message = arrived.get(event.event_id)
        if message is None and event.is_delivered:
            yield Violation(rule="recorded as delivered, but never received", subject=subject, detail=detail)
        elif message is None and not event.attempts:
            yield Violation(rule="a merchant event was never posted", subject=subject, detail=detail)
        elif message is None:
            yield Violation(rule="a merchant event did not arrive", subject=subject, detail=detail)
        elif (message.transaction_id, message.sequence, message.kind) != (
            event.transaction_id,
            event.sequence,
            event.kind,
        ):
            yield Violation(rule="another merchant event arrived", subject=subject, detail=f"{detail}: {message}")


def _unknown(events: Sequence[MerchantEvent], arrived: Mapping[str, Message]) -> Iterator[Violation]:
    known = {event.event_id for event in events}
    for event_id, message in arrived.items():
        if event_id not in known:
            yield Violation(rule="an unknown merchant event arrived", subject=message.transaction_id, detail=event_id)


def _forged(count: int) -> Iterator[Violation]:
    if count:
        yield Violation(rule="webhooks without a valid signature", subject="the merchant's endpoint", detail=f"{count}")


def delivery_rows(
    events: Sequence[MerchantEvent], received: Mapping[Message, int], *, refused: int, redelivered: int
) -> dict[str, int]:
    """The table's rows."""
    rows: Counter[str] = Counter(event.kind for event in events)
    return dict(sorted(rows.items())) | {
        "accepted by the merchant": sum(received.values()),
        "accepted more than once": sum(count > 1 for count in received.values()),
        "refused by the merchant": refused,
        "redelivered on request": redelivered,
    }
