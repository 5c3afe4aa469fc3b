"""Wake-up of a due payment, capture, void or refund, a limited number of times."""

from collections.abc import Sequence
from dataclasses import dataclass

from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.application.payments.work_items import WorkItems
from payflowx.application.recovery.waking import Taken, WakeResult, take
from payflowx.domain.payments import attempt_engine
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.ports import Due, DueItems, Job, WakeJobs
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.shared.ambient import Telemetry
from payflowx.domain.shared.backoff import REVIEW_INTERVAL_MS
from payflowx.domain.shared.limits import MAX_DRIVES
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.slow_lane import Room
from payflowx.domain.shared.statuses import (
    FINAL_OPERATION_STATUSES,
    FINAL_STATUSES,
    OperationStatus,
    PaymentStatus,
)

_NOT_FOR_REVIEW = FINAL_STATUSES | FINAL_OPERATION_STATUSES | {PaymentStatus.IN_REVIEW, OperationStatus.IN_REVIEW}


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeAttempts:
    """Implements `Waker` for payments and operations."""

    due_items: DueItems
    items: WorkItems
    jobs: WakeJobs
    room: Room
    outcome_writer: OutcomeWriter
    telemetry: Telemetry
    policy: RetryPolicy

    def admits(self) -> bool:
        """Whether the queue of jobs is not late."""
        return self.room.admits()

    def take(self, due: Due, now_ms: int) -> Taken | WakeResult:
        """Take the item; after `MAX_DRIVES` wake-ups without progress, start a manual review."""
        taken = take(due, now_ms, due_items=self.due_items, max_drives=MAX_DRIVES)
        return self._stop(due, now_ms) if taken is WakeResult.EXHAUSTED else taken

    def send(self, taken: Sequence[Taken]) -> Sequence[Taken]:
        """Wake a worker for each, in batches."""
        jobs = {_job_of(each.due): each for each in taken}
        return [jobs[job] for job in self.jobs.send_all(list(jobs))]

    def _stop(self, due: Due, now_ms: int) -> WakeResult:
        """Start a manual review, because money may have moved. Never FAILED, because that would be a guess."""
        self.telemetry.count(Metric.DRIVES_EXHAUSTED)
        item = self.items.get(due.owner_id)
        if item is None or item.owner.status in _NOT_FOR_REVIEW:
            self.due_items.postpone(due, due_at_ms=now_ms + REVIEW_INTERVAL_MS, drives=0)
            return WakeResult.LEFT
        context = Context(now_ms=now_ms, actor="sweeper", policy=self.policy)
        change = attempt_engine.review(item, ReviewReason.DRIVES_EXHAUSTED, context)
        return WakeResult.TO_REVIEW if self.outcome_writer.commit(change) is not None else WakeResult.LEFT


def _job_of(due: Due) -> Job:
    return Job(merchant_id=due.merchant_id, transaction_id=due.transaction_id, operation_id=due.owner_id.operation_id)
