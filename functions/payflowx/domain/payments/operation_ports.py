"""Storage port of captures, voids and refunds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from payflowx.domain.payments.change import Change
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.ports import AttemptStore, Created, Existing, VersionConflict
from payflowx.domain.shared.operation_request import OperationKind


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationPage:
    """A page, oldest first. `next_position` continues the list; None ends it.

    `unreadable` holds the ids of operations of the page that this release cannot read.
    """

    items: Sequence[Operation]
    next_position: str | None
    unreadable: Sequence[str] = ()


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
        """Return all operations of a payment, oldest first."""
        ...

    def page(self, merchant_id: str, transaction_id: str, *, limit: int, position: str | None) -> OperationPage: ...

    def locate(self, merchant_id: str, operation_id: str) -> str | None:
        """Return the id of the payment that owns an operation; None if there is none."""
        ...
