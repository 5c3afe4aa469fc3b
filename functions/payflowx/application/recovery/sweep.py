"""The only recovery mechanism: wake every due item that no message has woken.

Neither an item nor a shard stops another. Pages of the shards are taken in turns, so that all of them progress when
more is due than one run can wake.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from traceback import extract_tb
from typing import Final

from payflowx.application.recovery.waking import Waker, WakeResult
from payflowx.domain.payments.ports import AnyDue, Concurrency, Due, DueItems, DueKind, UnknownDue
from payflowx.domain.shared.ambient import Clock, Deadline, Telemetry
from payflowx.domain.shared.backoff import FAILED_ITEM_INTERVAL_MS
from payflowx.domain.shared.errors import PayFlowXError, StorageUnavailableError
from payflowx.domain.shared.limits import DUE_SHARDS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.metrics import Metric

_TIME_TO_STOP_MS: Final = 5 * SECOND_MS
_MAX_STORAGE_FAILURES: Final = 3
"""Items of a page in a row whose wake-up the store or the queue refused: then the shard waits for the next run."""
_FIRST_SHARD_STEP: Final = 5
"""Each minute another shard is the first; without a common divisor with their number, each is the first in its turn."""


class UnknownDueItemError(PayFlowXError):
    """A due item of a kind that this release does not know."""


@dataclass(slots=True)
class Swept:
    """The counts of one run, of one shard or of all."""

    due: int = 0
    woken: int = 0
    to_review: int = 0
    failed: int = 0
    oldest_due_ms: int | None = None
    unfinished_shards: int = 0
    """Shards not read to the end: the time was up, or the store failed. The next run continues."""

    def add(self, other: "Swept") -> None:
        """Add another shard's counts."""
        self.due += other.due
        self.woken += other.woken
        self.to_review += other.to_review
        self.failed += other.failed
        self.unfinished_shards += other.unfinished_shards
        if other.oldest_due_ms is not None:
            self.saw(other.oldest_due_ms)

    def count(self, due: AnyDue, wake_result: WakeResult) -> None:
        if wake_result is WakeResult.STALE:
            return
        self.due += 1
        self.woken += wake_result is WakeResult.WOKEN
        self.to_review += wake_result is WakeResult.TO_REVIEW
        self.saw(due.due_at_ms)

    def saw(self, due_at_ms: int) -> None:
        self.oldest_due_ms = min(self.oldest_due_ms or due_at_ms, due_at_ms)


@dataclass(slots=True)
class _Shard:
    """A shard, the pages that are left of it, and its counts."""

    number: int
    pages: Iterator[Sequence[AnyDue]]
    swept: Swept = field(default_factory=Swept)


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
        now_ms = self.clock.now_ms()
        first = now_ms // MINUTE_MS * _FIRST_SHARD_STEP
        numbers = [(first + place) % DUE_SHARDS for place in range(DUE_SHARDS)]
        shards = [_Shard(number, self._pages(number, now_ms)) for number in numbers]
        waiting = deque(shards)
        self.concurrency.run([partial(self._take_turns, waiting, deadline)] * DUE_SHARDS)
        total = Swept()
        for shard in shards:
            total.add(shard.swept)
        self._report(total)
        return total

    def _report(self, total: Swept) -> None:
        age_ms = self.clock.now_ms() - total.oldest_due_ms if total.oldest_due_ms is not None else 0
        self.telemetry.seconds(Metric.OLDEST_DUE_AGE, max(0, age_ms // SECOND_MS))
        if total.due or total.failed or total.unfinished_shards:
            self.telemetry.info(
                "swept",
                due=total.due,
                woken=total.woken,
                toReview=total.to_review,
                failed=total.failed,
                unfinishedShards=total.unfinished_shards,
            )

    # -- shards

    def _pages(self, shard: int, until_ms: int) -> Iterator[Sequence[AnyDue]]:
        """The first page is asked for in the shard's turn, where its failure is the shard's own."""
        yield from self.due_items.pages(shard, until_ms)

    def _take_turns(self, waiting: deque[_Shard], deadline: Deadline) -> None:
        """Sweep one page of the shard that has waited longest, until none waits. Several run side by side."""
        while True:
            try:
                shard = waiting.popleft()
            except IndexError:
                return
            if self._take_turn(shard, deadline):
                waiting.append(shard)

    def _take_turn(self, shard: _Shard, deadline: Deadline) -> bool:
        """Return whether the shard may have another page."""
        try:
            page = next(shard.pages, None)
            if page is None:
                return False
            if self._page(page, shard, deadline):
                return True
        except StorageUnavailableError:
            self.telemetry.warn("a shard could not be swept; the next run will retry", shard=shard.number)
        except Exception as error:  # noqa: BLE001 - a defect of one shard must not stop the others
            self.telemetry.warn("a shard cannot be swept", shard=shard.number, **_facts_of(error))
            self.telemetry.count(Metric.DUE_ITEMS_FAILED)
        shard.swept.unfinished_shards += 1
        return False

    def _page(self, page: Sequence[AnyDue], shard: _Shard, deadline: Deadline) -> bool:
        """Return False when the time is up. Raises `StorageUnavailableError` when the store keeps refusing."""
        refused = 0
        for due in page:
            if deadline.remaining_ms() < _TIME_TO_STOP_MS:
                shard.swept.saw(due.due_at_ms)
                return False
            try:
                shard.swept.count(due, self._wake(due))
                refused = 0
            except StorageUnavailableError:
                shard.swept.saw(due.due_at_ms)
                refused += 1
                if refused == _MAX_STORAGE_FAILURES:
                    raise
            except Exception as error:  # noqa: BLE001 - an item of any fault must not stop those behind it
                self._set_aside(due, error, shard.swept)
        return True

    # -- items

    def _wake(self, due: AnyDue) -> WakeResult:
        waker = None if isinstance(due, UnknownDue) else self.wakers.get(due.kind)
        if isinstance(due, UnknownDue) or waker is None:
            raise UnknownDueItemError("a due item of an unknown kind")
        return waker(due, self.clock.now_ms())

    def _set_aside(self, due: AnyDue, error: Exception, swept: Swept) -> None:
        """Postpone an item that cannot be handled: it would be the oldest of its shard again and again.

        Its wake-ups are not counted: it is this release that fails, and not the payment that needs a manual review.
        """
        swept.failed += 1
        swept.saw(due.due_at_ms)
        self.telemetry.count(Metric.DUE_ITEMS_FAILED)
        self.telemetry.warn("a due item cannot be handled; it is postponed", **_ids_of(due), **_facts_of(error))
        try:
            self.due_items.postpone(due, due_at_ms=self.clock.now_ms() + FAILED_ITEM_INTERVAL_MS, drives=None)
        except Exception as refusal:  # noqa: BLE001 - it is met again by the next run
            self.telemetry.warn("a due item cannot be postponed", **_ids_of(due), **_facts_of(refusal))


def _ids_of(due: AnyDue) -> Mapping[str, str]:
    match due:
        case Due():
            return {
                "kind": due.kind.value,
                "merchantId": due.merchant_id,
                "transactionId": due.transaction_id,
                "itemId": due.item_id,
            }
        case UnknownDue():
            return {"kind": "unknown", "partition": due.partition, "sort": due.sort}


def _facts_of(error: Exception) -> Mapping[str, str]:
    """Where it was raised. The text of an exception of ours only: another one's may hold any value of the item."""
    place = extract_tb(error.__traceback__)[-1]
    return {
        "error": type(error).__name__,
        "at": f"{place.filename.rsplit('/', 1)[-1]}:{place.lineno}",
        "reason": str(error) if isinstance(error, PayFlowXError) else "",
    }
