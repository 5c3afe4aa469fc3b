"""What this capability needs from outside."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.events import Event
from payflowx.domain.payments.payment import Lease, Payment
from payflowx.domain.payments.state_machine import Change, SeenEvent
from payflowx.domain.shared.statuses import PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """The payment was stored by this call."""

    payment: Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """The key was used before, for this id, with the request of this fingerprint."""

    transaction_id: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The lease is ours; this is the payment as stored now."""

    payment: Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionConflict:
    """Somebody else was faster; this is the payment as stored now, None if it is gone."""

    payment: Payment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceTaken:
    """The provider's reference belongs to another attempt already; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadySeen:
    """The provider's event was applied before; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentQuery:
    """Which payments of a merchant, newest first. Times are milliseconds, from inclusive, until exclusive."""

    merchant_id: str
    from_ms: int
    until_ms: int
    status: PaymentStatus | None
    limit: int
    position: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentPage:
    """Newest first. `next_position` continues the list; None ends it. A page may be empty and still go on."""

    items: Sequence[Payment]
    next_position: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Oldest first. `next_seq` continues the trail; None ends it."""

    items: Sequence[Event]
    next_seq: int | None


class Payments(Protocol):
    """The store of payments and their trails. Every method is conditional; none overwrites what it did not see.

    All raise `StorageUnavailableError` when a write's fate is not known or the store does not answer.
    """

    def create(self, payment: Payment, event: Event, idempotency_key: str) -> Created | Existing: ...

    def find_key(self, merchant_id: str, idempotency_key: str) -> Existing | None: ...

    def get(self, merchant_id: str, transaction_id: str) -> Payment | None: ...

    def claim(
        self,
        *,
        merchant_id: str,
        transaction_id: str,
        version: int,
        lease: Lease,
        now_ms: int,
        append: Attempt | None,
    ) -> Stored | VersionConflict:
        """Take the lease, and with `append` store that attempt, if the payment still has this version."""
        ...

    def save_progress(self, payment: Payment, number: int, progress: Mapping[str, str]) -> Stored | VersionConflict:
        """Store a step of an attempt under the lease's epoch."""
        ...

    def reschedule(self, before: Payment, after: Payment) -> Stored | VersionConflict:
        """Release the lease and plan the next look, under the lease's epoch. No event: nothing happened."""
        ...

    def commit(self, change: Change) -> Stored | VersionConflict | ReferenceTaken | AlreadySeen:
        """Store a change with its event, its operation and the provider's reference, all or nothing."""
        ...

    def expedite(self, before: Payment, after: Payment, seen: SeenEvent) -> Stored | VersionConflict | AlreadySeen:
        """Plan the next look earlier because of a provider's event, once for each event."""
        ...

    def page(self, query: PaymentQuery) -> PaymentPage: ...

    def events(self, merchant_id: str, transaction_id: str, *, after_seq: int, limit: int) -> EventPage: ...


class DueKind(StrEnum):
    """What can be due."""

    PAYMENT = "payment"
    OPERATION = "operation"
    EVENT = "event"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An item of the due index. `item_id`: the operation's id or the event's number; empty for the payment itself."""

    merchant_id: str
    transaction_id: str
    due_at_ms: int
    kind: DueKind = DueKind.PAYMENT
    item_id: str = ""


class DueItems(Protocol):
    """The sweeper's view of the store."""

    def pages(self, shard: int, until_ms: int) -> Iterable[Sequence[Due]]: ...

    def postpone(self, due: Due, *, due_at_ms: int, drives: int) -> bool:
        """Move the due time and count the drive; False if somebody changed it since."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A wake-up of a payment, or of an operation on it.

    The hints spare the first worker a read; a job without them is decided from a read.
    """

    merchant_id: str
    transaction_id: str
    operation_id: str | None = None
    version: int | None = None
    provider: str | None = None
    account_id: str | None = None
    request_hash: str | None = None
    correlation_id: str | None = None
    """Of the request that it goes back to; filled in by the queue's adapter."""


class Jobs(Protocol):
    """The queue that wakes workers. Losing a message delays a payment, never loses it."""

    def send(self, job: Job, *, delay_seconds: int = 0) -> None:
        """Raises `StorageUnavailableError` when the queue did not take it."""
        ...


class Concurrency(Protocol):
    """Runs independent tasks side by side, and returns when all have ended."""

    def run(self, tasks: Sequence[Callable[[], None]]) -> None: ...
