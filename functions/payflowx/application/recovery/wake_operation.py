"""Wake-up of a due capture, void or refund, a limited number of times."""

from dataclasses import dataclass

from payflowx.application.payments.operation_outcome_writer import OperationOutcomeWriter
from payflowx.application.recovery.waking import WakeResult, wake
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.operation_state_machine import send_operation_to_review
from payflowx.domain.payments.ports import Due, DueItems, Job, Jobs, Payments
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.state_machine import Context
from payflowx.domain.shared.ambient import Telemetry
from payflowx.domain.shared.backoff import REVIEW_INTERVAL_MS
from payflowx.domain.shared.limits import MAX_DRIVES
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.statuses import OperationStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeOperation:
    """Implements `Waker`."""

    due_items: DueItems
    payments: Payments
    operations: Operations
    jobs: Jobs
    outcome_writer: OperationOutcomeWriter
    telemetry: Telemetry
    policy: RetryPolicy

    def __call__(self, due: Due, now_ms: int) -> WakeResult:
        """Wake a worker; after `MAX_DRIVES` wake-ups without progress, start a manual review."""
        operation = self.operations.get(due.merchant_id, due.transaction_id, due.item_id)
        if operation is None or operation.due_at_ms != due.due_at_ms:
            return WakeResult.STALE
        if operation.lease.is_live(now_ms):
            return WakeResult.LEFT
        if operation.drives >= MAX_DRIVES:
            return self._stop(operation, due, now_ms)
        job = Job(merchant_id=due.merchant_id, transaction_id=due.transaction_id, operation_id=due.item_id)
        return wake(due, job, operation.drives, now_ms, due_items=self.due_items, jobs=self.jobs)

    def _stop(self, operation: Operation, due: Due, now_ms: int) -> WakeResult:
        """Start a manual review; the amount stays reserved, because money may have moved."""
        self.telemetry.count(Metric.DRIVES_EXHAUSTED)
        payment = self.payments.get(due.merchant_id, due.transaction_id)
        if payment is None or operation.status is not OperationStatus.PENDING:
            self.due_items.postpone(due, due_at_ms=now_ms + REVIEW_INTERVAL_MS, drives=0)
            return WakeResult.LEFT
        context = Context(now_ms=now_ms, actor="sweeper", policy=self.policy)
        change = send_operation_to_review(payment, operation, ReviewReason.DRIVES_EXHAUSTED, context)
        return WakeResult.TO_REVIEW if self.outcome_writer.commit(change) is not None else WakeResult.LEFT
