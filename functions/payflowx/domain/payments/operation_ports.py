"""The store of captures, voids and refunds, as the use cases need it."""

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
    """The key was used before, for this operation, with the request of this fingerprint."""

    transaction_id: str
    operation_id: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOperation:
    """The lease is ours; this is the operation as stored now."""

    operation: Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationVersionConflict:
    """Somebody else was faster; this is the operation as stored now, None if it is not there."""

    operation: Operation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentVersionConflict:
    """The payment changed since it was read; nothing was written."""


class Operations(Protocol):
    """Every method is conditional. All raise `StorageUnavailableError` when a write's fate is not known."""

    def accept(
        self, change: Change, idempotency_key: str
    ) -> AcceptedOperation | KnownOperation | PaymentVersionConflict:
        """Key, operation, reservation and event, all or nothing."""
        ...

    def find_key(self, merchant_id: str, kind: OperationKind, idempotency_key: str) -> KnownOperation | None: ...

    def get(self, merchant_id: str, transaction_id: str, operation_id: str) -> Operation | None: ...

    def of_payment(self, merchant_id: str, transaction_id: str) -> Sequence[Operation]:
        """All of a payment's, oldest first, at most `MAX_OPERATIONS_LISTED`."""
        ...

    def locate(self, merchant_id: str, operation_id: str) -> str | None:
        """The id of the payment that an operation belongs to."""
        ...

    def claim(
        self, operation: Operation, *, lease: Lease, now_ms: int, append: Attempt | None
    ) -> StoredOperation | OperationVersionConflict:
        """Take the lease, and with `append` store that attempt, if the operation still has this version."""
        ...

    def reschedule(self, before: Operation, after: Operation) -> StoredOperation | OperationVersionConflict:
        """Release the lease and plan the next look, under the lease's epoch. No event: nothing happened."""
        ...

    def expedite(
        self, before: Operation, after: Operation, seen: SeenEvent
    ) -> StoredOperation | OperationVersionConflict | AlreadySeen:
        """Plan the next look earlier because of a provider's event, once for each event."""
        ...
