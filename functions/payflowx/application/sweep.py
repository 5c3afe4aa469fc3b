"""The one recovery mechanism: what is due and was not woken is woken, whatever the reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from payflowx.application.recording import Recorder
from payflowx.domain.backoff import REVIEW_INTERVAL_MS, drive_delay_ms
from payflowx.domain.conclusion import Context, send_to_review
from payflowx.domain.errors import StorageUnavailableError
from payflowx.domain.limits import DUE_SHARDS, MAX_DRIVES, SECOND_MS
from payflowx.domain.payment import Payment
from payflowx.domain.ports import Clock, Concurrency, Deadline, Due, DueItems, Job, Jobs, Payments, Telemetry
from payflowx.domain.retry import RetryPolicy
from payflowx.domain.statuses import FINAL_STATUSES, PaymentStatus

_TIME_TO_STOP_MS = 5 * SECOND_MS


@dataclass(slots=True)
class Swept:
    """What one run has seen, of one shard or of all."""

    due: int = 0
    woken: int = 0
    to_review: int = 0
    oldest_due_ms: int | None = None
    unfinished_shards: int = 0
    """Not read to the end: the function's time was up, or the store did not answer. The next run goes on."""

    def add(self, other: "Swept") -> None:
        """Count another shard's findings in."""
        self.due += other.due
        self.woken += other.woken
        self.to_review += other.to_review
        self.unfinished_shards += other.unfinished_shards
        if other.oldest_due_ms is not None:
            self.saw(other.oldest_due_ms)

    def saw(self, due_at_ms: int) -> None:
        """Remember the oldest due time."""
        self.oldest_due_ms = min(self.oldest_due_ms or due_at_ms, due_at_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepDuePayments:
    """Runs every minute. Two runs at once do no harm: each due time is moved by one of them only."""

    due_items: DueItems
    payments: Payments
    jobs: Jobs
    recorder: Recorder
    concurrency: Concurrency
    clock: Clock
    telemetry: Telemetry
    policy: RetryPolicy

    def __call__(self, deadline: Deadline) -> Swept:
        """Walk all due pages of every shard."""
        shards = [Swept() for _ in range(DUE_SHARDS)]
        self.concurrency.run([partial(self._shard, i, swept, deadline) for i, swept in enumerate(shards)])
        total = Swept()
        for swept in shards:
            total.add(swept)
        age_ms = self.clock.now_ms() - total.oldest_due_ms if total.oldest_due_ms is not None else 0
        self.telemetry.seconds("OldestDueAge", max(0, age_ms // SECOND_MS))
        if total.due or total.unfinished_shards:
            self.telemetry.info(
                "swept",
                due=total.due,
                woken=total.woken,
                toReview=total.to_review,
                unfinishedShards=total.unfinished_shards,
            )
        return total

    def _shard(self, shard: int, swept: Swept, deadline: Deadline) -> None:
        try:
            for page in self.due_items.pages(shard, self.clock.now_ms()):
                if not self._page(page, swept, deadline):
                    swept.unfinished_shards += 1
                    return
        except StorageUnavailableError:
            swept.unfinished_shards += 1
            self.telemetry.warn("a shard could not be swept; the next run will", shard=shard)

    def _page(self, page: Sequence[Due], swept: Swept, deadline: Deadline) -> bool:
        for due in page:
            if deadline.remaining_ms() < _TIME_TO_STOP_MS:
                return False
            self._drive(due, swept)
        return True

    def _drive(self, due: Due, swept: Swept) -> None:
        payment = self.payments.get(due.merchant_id, due.transaction_id)
        if payment is None or payment.due_at_ms != due.due_at_ms:
            return  # the index lags behind the table
        swept.due += 1
        swept.saw(due.due_at_ms)
        now_ms = self.clock.now_ms()
        if payment.lease.is_live(now_ms):
            return  # a worker is on it; should it die, the payment is still due in a minute
        if payment.drives >= MAX_DRIVES:
            self._stop_driving(payment, due, swept, now_ms)
            return
        due_at_ms = now_ms + drive_delay_ms(payment.drives)
        if self.due_items.postpone(due, due_at_ms=due_at_ms, drives=payment.drives + 1):
            self.jobs.send(Job(merchant_id=due.merchant_id, transaction_id=due.transaction_id))
            swept.woken += 1

    def _stop_driving(self, payment: Payment, due: Due, swept: Swept, now_ms: int) -> None:
        """Forty wake-ups brought nothing: a person has to look. Never FAILED: that would be a guess."""
        self.telemetry.count("DrivesExhausted")
        if payment.status in FINAL_STATUSES or payment.status is PaymentStatus.IN_REVIEW:
            self.due_items.postpone(due, due_at_ms=now_ms + REVIEW_INTERVAL_MS, drives=0)
            return
        change = send_to_review(
            payment,
            "drives_exhausted",
            "The payment was woken many times without progress; a person has to look.",
            Context(now_ms=now_ms, actor="sweeper", policy=self.policy),
        )
        if self.recorder.commit(change) is not None:
            swept.to_review += 1
