"""Reads and conditional writes of the items that workers process, whichever kind they are."""

from dataclasses import dataclass

from payflowx.application.payments.current_ledger import current_ledger
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.payment import Layout, Lease, Payment
from payflowx.domain.payments.ports import Payments, Stored, VersionConflict
from payflowx.domain.payments.work_item import OwnerId, WorkItem

Conflict = VersionConflict[Payment] | VersionConflict[Operation]
StoredItem = Stored[Payment] | Stored[Operation]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItems:
    """One door to the stores of payments and operations."""

    payments: Payments
    operations: Operations

    def get(self, owner_id: OwnerId) -> WorkItem | None:
        """Return the item as stored; None if it, or its payment, does not exist."""
        operation = None
        if owner_id.operation_id is not None:
            operation = self.operations.get(owner_id.merchant_id, owner_id.transaction_id, owner_id.operation_id)
            if operation is None:
                return None
        payment = self.payments.get(owner_id.merchant_id, owner_id.transaction_id)
        return self.current(WorkItem(payment=payment, operation=operation)) if payment else None

    def current(self, item: WorkItem) -> WorkItem:
        """Return an operation's item with a current balance; an item of this release is current already."""
        if item.operation is None:
            return item
        payment, operation = current_ledger(item.payment, item.operation, self.operations)
        return WorkItem(payment=payment, operation=operation)

    def get_owner(self, owner_id: OwnerId) -> Payment | Operation | None:
        """Return the payment or the operation alone, in one read."""
        if owner_id.operation_id is None:
            return self.payments.get(owner_id.merchant_id, owner_id.transaction_id)
        return self.operations.get(owner_id.merchant_id, owner_id.transaction_id, owner_id.operation_id)

    def claim(
        self,
        item: WorkItem,
        *,
        lease: Lease,
        now_ms: int,
        append: Attempt | None = None,
        reopen: Attempt | None = None,
    ) -> StoredItem | Conflict:
        """Take the lease, and store the attempt `append`, or `reopen` at its place, if the item is as it was read."""
        store = self.payments if item.operation is None else self.operations
        return store.claim(
            item.owner_id,
            version=item.owner.version,
            lease=lease,
            now_ms=now_ms,
            layout=item.payment.layout if item.operation is None else Layout.FULL,
            append=append,
            reopen=reopen,
        )

    def reschedule(self, before: Payment | Operation, after: Payment | Operation) -> StoredItem | Conflict:
        """Store the next due time of an item, under its lease's epoch."""
        if isinstance(before, Payment) and isinstance(after, Payment):
            return self.payments.reschedule(before, after)
        if isinstance(before, Operation) and isinstance(after, Operation):
            return self.operations.reschedule(before, after)
        raise TypeError("a payment cannot become an operation")
