"""Storage and queue ports of payments."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, Protocol

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Change, SeenEvent
from payflowx.domain.payments.events import Event
from payflowx.domain.payments.payment import Layout, Lease, Payment
from payflowx.domain.payments.work_item import Owner, OwnerId
from payflowx.domain.shared.statuses import PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Created(Generic[Owner]):
    """The payment or operation was stored by this call."""

    item: Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """The idempotency key belongs to this payment or operation already; the fingerprints are its request's."""

    transaction_id: str
    fingerprint: str
    content_fingerprint: str | None = None
    operation_id: str | None = None
    payment: Payment | None = field(default=None, compare=False, repr=False)
    """The payment as stored, where it was found and not only its key."""

    def is_of(self, fingerprint: str, content_fingerprint: str | None) -> bool:
        """Return whether this request made it. Release 0.2.0 stored no fingerprint of the content."""
        if self.content_fingerprint is not None and content_fingerprint is not None:
            return self.content_fingerprint == content_fingerprint
        return self.fingerprint == fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored(Generic[Owner]):
    """The write took place; `item` is as stored now."""

    item: Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionConflict(Generic[Owner]):
    """Another writer was first and nothing was written; `item` is as stored now, None if it does not exist."""

    item: Owner | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceTaken:
    """Another attempt owns the provider's reference already; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadySeen:
    """The provider event was applied before; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentQuery:
    """A query for a merchant's payments, newest first.

    Times are milliseconds, from inclusive, until exclusive.
    """

    merchant_id: str
    from_ms: int
    until_ms: int
    status: PaymentStatus | None
    limit: int
    position: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentPage:
    """A page, newest first. `next_position` continues the list; None ends it.

    A page may be empty and still have a next one. `unreadable` holds the ids of payments of the page that this release
    cannot read, whatever their status is.
    """

    items: Sequence[Payment]
    next_position: str | None
    unreadable: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """A page, oldest first. `next_seq` continues the audit log; None ends it."""

    items: Sequence[Event]
    next_seq: int | None


class AttemptStore(Protocol[Owner]):
    """Conditional reads and writes of items with attempts.

    None overwrites a state that the caller has not read. All methods raise `StorageUnavailableError` when the result of
    a write is unknown or the store does not answer.
    """

    def claim(
        self,
        owner_id: OwnerId,
        *,
        version: int,
        lease: Lease,
        now_ms: int,
        layout: Layout = Layout.FULL,
        leaves_due: bool = False,
        append: Attempt | None = None,
        reopen: Attempt | None = None,
    ) -> Stored[Owner] | VersionConflict[Owner]:
        """Take the lease if the version is unchanged, and store the attempt `append`, or `reopen` at its place.

        The item becomes due soon after the lease. `leaves_due`: if the stored time is such a time, it stays as it is.
        `layout` is that of the item, which need not have been read.
        At most one of them is given. `reopen` is a stored attempt that was not sent, STARTED again.
        """
        ...

    def save_progress(
        self, before: Owner, number: int, progress: Mapping[str, str]
    ) -> Stored[Owner] | VersionConflict[Owner]:
        """Store a completed step of an attempt under the lease's epoch."""
        ...

    def reschedule(self, before: Owner, after: Owner) -> Stored[Owner] | VersionConflict[Owner]:
        """Release the lease and schedule the next inquiry, under the lease's epoch. Writes no event."""
        ...

    def expedite(
        self, before: Owner, after: Owner, seen: SeenEvent
    ) -> Stored[Owner] | VersionConflict[Owner] | AlreadySeen:
        """Bring the next inquiry forward after a provider event, once for each event."""
        ...


class Payments(AttemptStore[Payment], Protocol):
    """The store of payments and their audit logs."""

    def create(self, payment: Payment, event: Event, idempotency_key: str) -> Created[Payment] | Existing:
        """Store a payment with its first event. A taken id, which the key decides, gives the earlier payment."""
        ...

    def find_key(self, merchant_id: str, idempotency_key: str) -> Existing | None:
        """Return the payment that a key was used for."""
        ...

    def get(self, merchant_id: str, transaction_id: str) -> Payment | None: ...

    def commit(self, change: Change) -> Stored[Payment] | VersionConflict[Payment] | ReferenceTaken | AlreadySeen:
        """Store a change with its event, operation and provider reference in one transaction."""
        ...

    def page(self, query: PaymentQuery) -> PaymentPage: ...

    def events(self, merchant_id: str, transaction_id: str, *, after_seq: int, limit: int) -> EventPage: ...


class DueKind(StrEnum):
    """The kinds of due items."""

    PAYMENT = "payment"
    OPERATION = "operation"
    EVENT = "event"
    CATCH_UP = "catch_up"
    """The search for events that a new endpoint missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An item of the due index.

    `item_id`: the operation's id, the event's number, or the endpoint's id; empty for a payment. A search for an
    endpoint's events has no `transaction_id`.
    """

    merchant_id: str
    transaction_id: str
    due_at_ms: int
    kind: DueKind = DueKind.PAYMENT
    item_id: str = ""

    @property
    def owner_id(self) -> OwnerId:
        """Return the identity of a due payment or operation."""
        operation_id = self.item_id if self.kind is DueKind.OPERATION else None
        return OwnerId(merchant_id=self.merchant_id, transaction_id=self.transaction_id, operation_id=operation_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownDue:
    """A due item of a kind that this release does not know, by its stored key."""

    partition: str
    sort: str
    due_at_ms: int


AnyDue = Due | UnknownDue


@dataclass(frozen=True, slots=True, kw_only=True)
class DueState:
    """The state of a due item that was not taken. `due_at_ms` is None if no item is there, or nothing is due."""

    due_at_ms: int | None
    drives: int = 0
    lease_expires_at_ms: int = 0


class DueItems(Protocol):
    """The due index, as the sweeper reads and writes it."""

    def pages(self, shard: int, until_ms: int) -> Iterable[Sequence[AnyDue]]:
        """Return the items of a shard that are due, oldest first."""
        ...

    def take(self, due: Due, *, now_ms: int, due_at_ms: int, drives: int) -> DueState | None:
        """Set a later due time and count a wake-up, and return None; else return what stood there instead.

        The condition: the due time is as seen, `drives` is the number of wake-ups so far, and no lease is live. Raises
        `UnreadableItemError` for an item that this release cannot read, which is then as it was before.
        """
        ...

    def postpone(self, due: AnyDue, *, due_at_ms: int, drives: int | None) -> bool:
        """Set a later due time; False if the item changed since. The item itself is not read.

        `drives` is the new number of wake-ups; None leaves it, for an item that nothing is known about.
        """
        ...

    def move(self, due: AnyDue) -> bool:
        """Put an item into the shard that writers would choose now; False if its due time changed since."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A message that wakes a worker for a payment, or for an operation on it.

    The optional fields spare the first worker a read; a job without them is decided from a read.
    """

    merchant_id: str
    transaction_id: str
    operation_id: str | None = None
    version: int | None = None
    provider: str | None = None
    account_id: str | None = None
    request_hash: str | None = None
    layout: Layout = Layout.FULL
    due_at_ms: int | None = None
    read_refunds: bool = False
    """Read the refunds of the payment's charge at the provider: one may have been made there."""
    slow: bool = False
    """It was handed to the slow lane, and is done by whoever receives it."""
    correlation_id: str | None = None
    """The correlation id of the original request; set by the queue's adapter."""

    @property
    def owner_id(self) -> OwnerId:
        return OwnerId(merchant_id=self.merchant_id, transaction_id=self.transaction_id, operation_id=self.operation_id)


class Jobs(Protocol):
    """The queue that wakes workers. A lost message delays a payment but never loses it."""

    def send(self, job: Job, *, delay_seconds: int = 0) -> None:
        """Raises `StorageUnavailableError` when the queue did not accept the message."""
        ...


class WakeJobs(Protocol):
    """The same queue, for many wake-ups at once."""

    def send_all(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Send each; return those that the queue did not accept."""
        ...


class Concurrency(Protocol):
    """Runs independent tasks concurrently, and returns when all have ended."""

    def run(self, tasks: Sequence[Callable[[], None]]) -> None: ...
