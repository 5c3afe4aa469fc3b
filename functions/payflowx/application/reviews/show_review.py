"""A review with the ledgers of both sides, and what each verdict makes true."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from payflowx.application.payments.current_ledger import current_ledger, explained_payment
from payflowx.domain.payments.change import Change, Context
from payflowx.domain.payments.events import Event
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.operation_review import close_operation_review
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Payments
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.review import ReviewDecision, ReviewVerdict, close_review
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import MAX_PAGE_ITEMS
from payflowx.domain.shared.statuses import OperationStatus, PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownReview:
    """A review and its verdicts, each with its effect, or with the reason why it is refused.

    `opened_by`: the event that opened the review, with the amounts that the provider reported. None: it is older than
    the events that were read.
    """

    payment: Payment
    operation: Operation | None
    opened_by: Event | None
    verdicts: Mapping[ReviewVerdict, Change | Refusal]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowReview:
    """Writes nothing. Raises `Refusal` (`not_found`, `invalid_state`)."""

    payments: Payments
    operations: Operations
    clock: Clock
    policy: RetryPolicy

    def of_payment(self, merchant_id: str, transaction_id: str, decision: ReviewDecision) -> ShownReview:
        """Show the review of a payment. The decision's verdict is ignored: both are shown."""
        payment = self._payment(merchant_id, transaction_id)
        if payment.status is not PaymentStatus.IN_REVIEW:
            raise Refusal("invalid_state", f"The payment is {payment.status}, so it has no review.")

        def close(verdict: ReviewDecision) -> Change:
            current, rebuilt = explained_payment(payment, self.operations)
            return close_review(current, verdict, self._context(), rebuilt=rebuilt)

        return ShownReview(
            payment=payment,
            operation=None,
            opened_by=self._opened_by(payment, None),
            verdicts={verdict: _tried(close, _with(decision, verdict)) for verdict in ReviewVerdict},
        )

    def of_operation(self, merchant_id: str, operation_id: str, decision: ReviewDecision) -> ShownReview:
        """Show the review of a capture, void or refund. The decision's verdict is ignored: both are shown."""
        transaction_id = self.operations.locate(merchant_id, operation_id)
        operation = self.operations.get(merchant_id, transaction_id, operation_id) if transaction_id else None
        if operation is None:
            raise Refusal("not_found", "There is no capture, void or refund with this id.")
        if operation.status is not OperationStatus.IN_REVIEW:
            raise Refusal("invalid_state", f"The operation is {operation.status}, so it has no review.")
        payment = self._payment(merchant_id, operation.transaction_id)
        payment, current = current_ledger(payment, operation, self.operations)

        def close(verdict: ReviewDecision) -> Change:
            return close_operation_review(payment, current, verdict, self._context())

        return ShownReview(
            payment=payment,
            operation=current,
            opened_by=self._opened_by(payment, operation_id),
            verdicts={verdict: _tried(close, _with(decision, verdict)) for verdict in ReviewVerdict},
        )

    def _payment(self, merchant_id: str, transaction_id: str) -> Payment:
        payment = self.payments.get(merchant_id, transaction_id)
        if payment is None:
            raise Refusal("not_found", "There is no payment with this id.")
        return payment

    def _context(self) -> Context:
        return Context(now_ms=self.clock.now_ms(), actor="operator", policy=self.policy)

    def _opened_by(self, payment: Payment, operation_id: str | None) -> Event | None:
        """Return the newest event that put the payment or the operation into review, of the last events."""
        after_seq = max(0, payment.event_seq - MAX_PAGE_ITEMS)
        page = self.payments.events(
            payment.merchant_id, payment.transaction_id, after_seq=after_seq, limit=MAX_PAGE_ITEMS
        )
        return next((event for event in reversed(page.items) if _opens(event, operation_id)), None)


def _opens(event: Event, operation_id: str | None) -> bool:
    if operation_id is None:
        opened = event.status_from is not PaymentStatus.IN_REVIEW and event.status_to is PaymentStatus.IN_REVIEW
        return opened or event.type == "attempt.mismatch"
    in_review = event.facts.get("operationStatus") == OperationStatus.IN_REVIEW.value
    return event.facts.get("operationId") == operation_id and in_review


def _with(decision: ReviewDecision, verdict: ReviewVerdict) -> ReviewDecision:
    """Return the decision for this verdict: an amount or a reference proves that money moved."""
    if verdict is ReviewVerdict.CHARGED:
        return replace(decision, verdict=verdict)
    return ReviewDecision(verdict=verdict, held=decision.held)


def _tried(close: Callable[[ReviewDecision], Change], decision: ReviewDecision) -> Change | Refusal:
    try:
        return close(decision)
    except Refusal as refusal:
        return refusal
