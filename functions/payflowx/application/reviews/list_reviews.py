"""Payments in manual review, and captures, voids and refunds in manual review."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import PaymentQuery, Payments
from payflowx.domain.shared.statuses import CaptureMode, OperationStatus, PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One review. `operation` None: it is about the charge itself."""

    payment: Payment
    operation: Operation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPage:
    """A page of reviews; it may be empty and still have a next one."""

    items: Sequence[Review]
    next_position: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListReviews:
    """Reads a merchant's payments, and operations only where the amounts show that some exist."""

    payments: Payments
    operations: Operations

    def __call__(self, query: PaymentQuery) -> ReviewPage:
        """Return the reviews of one page of payments, newest first."""
        page = self.payments.page(replace(query, status=None))
        reviews = [review for payment in page.items for review in self._of(payment)]
        return ReviewPage(items=reviews, next_position=page.next_position)

    def _of(self, payment: Payment) -> Sequence[Review]:
        own = [Review(payment=payment)] if payment.status is PaymentStatus.IN_REVIEW else []
        if not _may_have_operations(payment):
            return own
        operations = self.operations.of_payment(payment.merchant_id, payment.transaction_id)
        return own + [
            Review(payment=payment, operation=operation)
            for operation in operations
            if operation.status is OperationStatus.IN_REVIEW
        ]


def _may_have_operations(payment: Payment) -> bool:
    """Return whether the payment can have operations.

    Captures and voids need an authorization; a refund changes the amounts until it has failed.
    """
    return payment.capture is CaptureMode.MANUAL or payment.refunded > 0 or payment.refundable != payment.captured
