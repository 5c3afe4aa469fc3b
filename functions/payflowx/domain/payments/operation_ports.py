"""Storage port of captures, voids and refunds."""

from collections.abc import Sequence
from typing import Protocol

from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.ports import AttemptStore, Created, Existing, VersionConflict
from payflowx.domain.payments.state_machine import Change
from payflowx.domain.shared.operation_request import OperationKind


class Operations(AttemptStore[Operation], Protocol):
    """The store of operations."""

    def accept(
        self, change: Change, idempotency_key: str
    ) -> Created[Operation] | Existing | VersionConflict[Operation]:
        """Store key, operation, reservation and event in one transaction; a conflict is one of the payment."""
        ...

    def find_key(self, merchant_id: str, kind: OperationKind, idempotency_key: str) -> Existing | None: ...

    def get(self, merchant_id: str, transaction_id: str, operation_id: str) -> Operation | None: ...

    def of_payment(self, merchant_id: str, transaction_id: str) -> Sequence[Operation]:
        """Return all operations of a payment, oldest first, at most `MAX_OPERATIONS_LISTED`."""
        ...

    def all_of_payment(self, merchant_id: str, transaction_id: str) -> Sequence[Operation]:
        """Return every operation of a payment, in any order. Needed only after an older release wrote the payment."""
        ...

    def locate(self, merchant_id: str, operation_id: str) -> str | None:
        """Return the id of the payment that owns an operation; None if there is none."""
        ...
