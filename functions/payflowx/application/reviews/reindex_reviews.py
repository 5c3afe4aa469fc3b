"""A walk over a merchant's payments that adds what is in review and on no list.

Release 0.2.0 puts items in review without the index. The walk follows an upgrade from it, and a rollback to it.
"""

from dataclasses import dataclass

from payflowx.domain.merchants.directory import AuditEntry, MerchantDirectory
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import PaymentQuery, Payments
from payflowx.domain.payments.review_ports import ReviewIndex
from payflowx.domain.payments.review_since import is_in_review
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import DAY_MS, MAX_LIST_RANGE_DAYS, MAX_PAGE_ITEMS
from payflowx.domain.shared.statuses import AttemptState


@dataclass(frozen=True, slots=True, kw_only=True)
class ReindexPage:
    """The result of one page of payments. `next_position` continues the walk; None ends it."""

    payments: int
    added: int
    next_position: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReindexReviews:
    """May be repeated, and run beside all workers: it writes the index's keys only, if the status is unchanged.

    Raises `Refusal` (`not_found`).
    """

    payments: Payments
    operations: Operations
    index: ReviewIndex
    merchant_directory: MerchantDirectory
    clock: Clock

    def __call__(self, merchant_id: str, position: str | None, operator_action: OperatorAction) -> ReindexPage:
        """Walk one page of payments with their operations; after the last page the merchant's list is complete."""
        if self.merchant_directory.reviews_indexed(merchant_id) is None:
            raise Refusal("not_found", "There is no merchant with this id.")
        until_ms = self.clock.now_ms() + 1
        query = PaymentQuery(
            merchant_id=merchant_id,
            from_ms=until_ms - MAX_LIST_RANGE_DAYS * DAY_MS,
            until_ms=until_ms,
            status=None,
            limit=MAX_PAGE_ITEMS,
            position=position,
        )
        page = self.payments.page(query)
        added = sum(self._add(item) for payment in page.items for item in self._items_of(payment))
        if page.next_position is None:
            self._mark(merchant_id, operator_action)
        return ReindexPage(payments=len(page.items), added=added, next_position=page.next_position)

    def _mark(self, merchant_id: str, operator_action: OperatorAction) -> None:
        record = AuditEntry(
            action="reviews.reindexed",
            at_ms=self.clock.now_ms(),
            operator_action=operator_action,
            merchant_id=merchant_id,
        )
        self.merchant_directory.mark_reviews_indexed(merchant_id, record)

    def _items_of(self, payment: Payment) -> list[Payment | Operation]:
        if not may_have_operations(payment):
            return [payment]
        return [payment, *self.operations.of_payment(payment.merchant_id, payment.transaction_id)]

    def _add(self, item: Payment | Operation) -> bool:
        return is_in_review(item) and item.review_since_ms is None and self.index.add(item)


def may_have_operations(payment: Payment) -> bool:
    """Return False where the audit log holds only the payment's acceptance and its attempts.

    Each operation adds at least the event of its own acceptance.
    """
    recorded = sum(attempt.state is not AttemptState.STARTED for attempt in payment.attempts)
    return payment.event_seq > 1 + recorded
