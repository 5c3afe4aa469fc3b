"""The item that a worker processes: a payment, or a capture, void or refund with its payment."""

from dataclasses import dataclass, replace

from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import OwnerId, id_of


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
