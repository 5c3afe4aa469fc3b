"""The time since which an item waits for a person."""

from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.statuses import OperationStatus, PaymentStatus


def is_in_review(item: Payment | Operation) -> bool:
    """Return whether only a person can decide."""
    return item.status in (PaymentStatus.IN_REVIEW, OperationStatus.IN_REVIEW)


def review_since_ms(before: Payment | Operation | None, after: Payment | Operation, now_ms: int) -> int | None:
    """Return the time at which the review that `after` is in began; None if it is in none.

    Release 0.2.0 did not store it: the item's last change before this one stands in for it.
    """
    if not is_in_review(after):
        return None
    if before is None or not is_in_review(before):
        return now_ms
    return before.review_since_ms or before.updated_at_ms
