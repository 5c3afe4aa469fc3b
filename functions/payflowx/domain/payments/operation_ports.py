"""Storage port of captures, voids and refunds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Lease
from payflowx.domain.payments.ports import AlreadySeen
from payflowx.domain.payments.state_machine import Change, SeenEvent
from payflowx.domain.shared.operation_request import OperationKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedOperation:
    """The operation was stored by this call, and its amount reserved."""

    operation: Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOperation:
    """The idempotency key belongs to this operation already; `fingerprint` is its request's."""

    transaction_id: str
    operation_id: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOperation:
    """The caller holds the lease; `operation` is the operation as stored now."""

    operation: Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationVersionConflict:
    """Another writer was first; `operation` is as stored now, None if it does not exist."""

    operation: Operation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentVersionConflict:
    """The payment changed since it was read; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationPage:
    """A page, oldest first. `next_position` continues the list; None ends it."""

    items: Sequence[Operation]
    next_position: str | None


class Operations(Protocol):
    """Conditional reads and writes of operations.

    Every method raises `StorageUnavailableError` when the result of a write is unknown.
    """

    def accept(
        self, change: Change, idempotency_key: str
    ) -> AcceptedOperation | KnownOperation | PaymentVersionConflict:
        """Store key, operation, reservation and event in one transaction."""
        ...

    def find_key(self, merchant_id: str, kind: OperationKind, idempotency_key: str) -> KnownOperation | None: ...

    def get(self, merchant_id: str, transaction_id: str, operation_id: str) -> Operation | None: ...

    def of_payment(self, merchant_id: str, transaction_id: str) -> Sequence[Operation]:
        """Return all operations of a payment, oldest first."""
        ...

    def page(self, merchant_id: str, transaction_id: str, *, limit: int, position: str | None) -> OperationPage: ...

    def locate(self, merchant_id: str, operation_id: str) -> str | None:
        """Return the id of the payment that owns an operation; None if there is none."""
        ...

    def claim(
        self, operation: Operation, *, lease: Lease, now_ms: int, append: Attempt | None
    ) -> StoredOperation | OperationVersionConflict:
        """Take the lease, and store the attempt `append`, if the version is unchanged."""
        ...

    def reschedule(self, before: Operation, after: Operation) -> StoredOperation | OperationVersionConflict:
        """Release the lease and schedule the next inquiry, under the lease's epoch. Writes no event."""
        ...

    def expedite(
        self, before: Operation, after: Operation, seen: SeenEvent
    ) -> StoredOperation | OperationVersionConflict | AlreadySeen:
        """Bring the next inquiry forward after a provider event, once for each event."""
        ...
