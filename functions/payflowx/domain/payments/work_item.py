"""The item that a worker processes: a payment, or a capture, void or refund with its payment."""

from dataclasses import dataclass, replace
from typing import TypeVar

from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment

Owner = TypeVar("Owner", Payment, Operation)
"""An item with attempts, a lease and a due time. One attempt engine works on both kinds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerId:
    """The identity of a payment, or of the operation `operation_id` on it."""

    merchant_id: str
    transaction_id: str
    operation_id: str | None = None


def id_of(owner: Payment | Operation) -> OwnerId:
    """Return the identity of a stored item."""
    operation_id = owner.operation_id if isinstance(owner, Operation) else None
    return OwnerId(merchant_id=owner.merchant_id, transaction_id=owner.transaction_id, operation_id=operation_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """`operation` None: the payment itself."""

    payment: Payment
    operation: Operation | None = None

    @property
    def owner_id(self) -> OwnerId:
        return id_of(self.owner)

    @property
    def owner(self) -> Payment | Operation:
        """The item whose attempts, lease and due time are worked on."""
        return self.operation or self.payment

    def with_owner(self, owner: Payment | Operation) -> "WorkItem":
        """Return the item with its owner as stored by the latest write."""
        return replace(self, payment=owner) if isinstance(owner, Payment) else replace(self, operation=owner)
