"""The only recovery mechanism: wake every due item that no message has woken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from payflowx.application.recovery.waking import Waker, WakeResult
from payflowx.domain.payments.ports import Concurrency, Due, DueItems, DueKind
from payflowx.domain.shared.ambient import Clock, Deadline, Telemetry
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import DUE_SHARDS, SECOND_MS
from payflowx.domain.shared.metrics import Metric

_TIME_TO_STOP_MS = 5 * SECOND_MS


@dataclass(slots=True)
class Swept:
    """The counts of one run, of one shard or of all."""

    due: int = 0
    woken: int = 0
    to_review: int = 0
    oldest_due_ms: int | None = None
    unfinished_shards: int = 0
    """Shards not read to the end: the time was up, or the store failed. The next run continues."""

    def add(self, other: "Swept") -> None:
        """Add another shard's counts."""
        self.due += other.due
        self.woken += other.woken
        self.to_review += other.to_review
        self.unfinished_shards += other.unfinished_shards
        if other.oldest_due_ms is not None:
            self.saw(other.oldest_due_ms)

    def count(self, due: Due, wake_result: WakeResult) -> None:
        if wake_result is WakeResult.STALE:
            return
        self.due += 1
        self.woken += wake_result is WakeResult.WOKEN
        self.to_review += wake_result is WakeResult.TO_REVIEW
        self.saw(due.due_at_ms)

    def saw(self, due_at_ms: int) -> None:
        self.oldest_due_ms = min(self.oldest_due_ms or due_at_ms, due_at_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepDueItems:
    """Runs every minute. Concurrent runs are harmless: only one can postpone a due item."""

    due_items: DueItems
    wakers: Mapping[DueKind, Waker]
    concurrency: Concurrency
    clock: Clock
    telemetry: Telemetry

    def __call__(self, deadline: Deadline) -> Swept:
        """Read all due pages of every shard."""
        shards = [Swept() for _ in range(DUE_SHARDS)]
        self.concurrency.run([partial(self._shard, i, swept, deadline) for i, swept in enumerate(shards)])
        total = Swept()
        for swept in shards:
            total.add(swept)
        age_ms = self.clock.now_ms() - total.oldest_due_ms if total.oldest_due_ms is not None else 0
        self.telemetry.seconds(Metric.OLDEST_DUE_AGE, max(0, age_ms // SECOND_MS))
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
            self.telemetry.warn("a shard could not be swept; the next run will retry", shard=shard)

    def _page(self, page: Sequence[Due], swept: Swept, deadline: Deadline) -> bool:
        for due in page:
            if deadline.remaining_ms() < _TIME_TO_STOP_MS:
                return False
            waker = self.wakers.get(due.kind)
            if waker is not None:
                swept.count(due, waker(due, self.clock.now_ms()))
        return True
