"""Reads of captures, voids and refunds. Another merchant's operation is not found."""

from dataclasses import dataclass

from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import OperationPage, Operations
from payflowx.domain.payments.ports import Payments
from payflowx.domain.shared.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOperations:
    """Raises `Refusal` (`not_found`)."""

    payments: Payments
    operations: Operations

    def get(self, merchant_id: str, transaction_id: str, operation_id: str) -> Operation:
        operation = self.operations.get(merchant_id, transaction_id, operation_id)
        if operation is None:
            raise Refusal("not_found", "This payment has no operation with this id.")
        return operation

    def page(self, merchant_id: str, transaction_id: str, *, limit: int, position: str | None) -> OperationPage:
        """Return a page of a payment's operations, oldest first."""
        found = self.operations.page(merchant_id, transaction_id, limit=limit, position=position)
        if not found.items and self.payments.get(merchant_id, transaction_id) is None:
            raise Refusal("not_found", "There is no payment with this id.")
        return found
