"""Wake-up of a due payment, a limited number of times."""

from dataclasses import dataclass

from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.application.recovery.waking import WakeResult, wake
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Due, DueItems, Job, Jobs, Payments
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.state_machine import Context, send_to_review
from payflowx.domain.shared.ambient import Telemetry
from payflowx.domain.shared.backoff import REVIEW_INTERVAL_MS
from payflowx.domain.shared.limits import MAX_DRIVES
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.statuses import FINAL_STATUSES, PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class WakePayment:
    """Implements `Waker`."""

    due_items: DueItems
    payments: Payments
    jobs: Jobs
    outcome_writer: OutcomeWriter
    telemetry: Telemetry
    policy: RetryPolicy

    def __call__(self, due: Due, now_ms: int) -> WakeResult:
        """Wake a worker; after `MAX_DRIVES` wake-ups without progress, start a manual review."""
        payment = self.payments.get(due.merchant_id, due.transaction_id)
        if payment is None or payment.due_at_ms != due.due_at_ms:
            return WakeResult.STALE
        if payment.lease.is_live(now_ms):
            return WakeResult.LEFT
        if payment.drives >= MAX_DRIVES:
            return self._stop(payment, due, now_ms)
        job = Job(merchant_id=due.merchant_id, transaction_id=due.transaction_id)
        return wake(due, job, payment.drives, now_ms, due_items=self.due_items, jobs=self.jobs)

    def _stop(self, payment: Payment, due: Due, now_ms: int) -> WakeResult:
        """Start a manual review. Never FAILED, because that would be a guess."""
        self.telemetry.count(Metric.DRIVES_EXHAUSTED)
        if payment.status in FINAL_STATUSES or payment.status is PaymentStatus.IN_REVIEW:
            self.due_items.postpone(due, due_at_ms=now_ms + REVIEW_INTERVAL_MS, drives=0)
            return WakeResult.LEFT
        change = send_to_review(
            payment,
            ReviewReason.DRIVES_EXHAUSTED,
            f"No progress after {MAX_DRIVES} recovery attempts. Requires manual review.",
            Context(now_ms=now_ms, actor="sweeper", policy=self.policy),
        )
        return WakeResult.TO_REVIEW if self.outcome_writer.commit(change) is not None else WakeResult.LEFT
