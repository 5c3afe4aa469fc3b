"""The only recovery mechanism: wake every due item that no message has woken.

Neither an item nor a shard stops another. Pages of the shards are taken in turns, so that all of them progress when
more is due than one run can wake. A queue that is late gets no more messages than its consumers take: the items that it
has no room for stay due and untouched.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from traceback import extract_tb
from typing import Final

from payflowx.application.recovery.waking import Taken, Waker, WakeResult
from payflowx.domain.payments.ports import AnyDue, Concurrency, Due, DueItems, DueKind, UnknownDue
from payflowx.domain.shared.ambient import Clock, Deadline, Telemetry
from payflowx.domain.shared.backoff import FAILED_ITEM_INTERVAL_MS
from payflowx.domain.shared.errors import PayFlowXError, StorageUnavailableError
from payflowx.domain.shared.limits import EVER_DUE_MS, MAX_DUE_SHARDS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.metrics import Metric

TIME_TO_STOP_MS: Final = 5 * SECOND_MS
_MAX_STORAGE_FAILURES: Final = 3
"""Items of a page in a row whose wake-up the store or the queue refused: then the shard waits for the next run."""
_PAUSE_SECONDS: Final = 1.0
"""A late queue is asked once a second for its length; a shorter pause would only read the held items again."""
_MAX_PAUSES: Final = 45
"""Of one shard in a run: as long as the function may run."""
_MAX_VAIN_PAUSES: Final = 10
"""In a row, without room for one item of the shard. A late queue has work for a minute, and the next run goes on."""
_FIRST_SHARD_STEP: Final = 5
"""Each minute another shard is the first; without a common divisor with their number, each is the first in its turn."""
_MINUTES_BETWEEN_MOVES: Final = 60
"""Shards that are not written any more are emptied so rarely. While a deployment that writes to more shards goes on, a
sweeper of before it would else bring back, each minute, what the functions of after it write.
"""


class UnknownDueItemError(PayFlowXError):
    """A due item of a kind that this release does not know."""


@dataclass(slots=True)
class Swept:
    """The counts of one run, of one shard or of all."""

    due: int = 0
    woken: int = 0
    to_review: int = 0
    failed: int = 0
    moved: int = 0
    """Items that lay in a shard that nothing is written to any more."""
    held_back: int = 0
    """Items that were left due, because their queue was late until the end of the run."""
    oldest_due_ms: int | None = None
    unfinished_shards: int = 0
    """Shards not read to the end: the time was up, or the store failed. The next run continues."""

    def add(self, other: "Swept") -> None:
        """Add another shard's counts."""
        self.due += other.due
        self.woken += other.woken
        self.to_review += other.to_review
        self.failed += other.failed
        self.moved += other.moved
        self.held_back += other.held_back
        self.unfinished_shards += other.unfinished_shards
        if other.oldest_due_ms is not None:
            self.saw(other.oldest_due_ms)

    def count(self, due: AnyDue, result: "Taken | WakeResult") -> None:
        """A message that is sent for a taken item is counted then."""
        if result is WakeResult.STALE:
            return
        self.due += 1
        self.to_review += result is WakeResult.TO_REVIEW
        self.saw(due.due_at_ms)

    def saw(self, due_at_ms: int) -> None:
        self.oldest_due_ms = min(self.oldest_due_ms or due_at_ms, due_at_ms)


@dataclass(slots=True)
class _Shard:
    """A shard, the pages that are left of it, and its counts. `is_moved`: its items go to shards that are written.

    `held`: items of its last page that wait for their queue. `pauses`: how often they have waited, `vain_pauses` since
    one of them went. `is_read`: its first page was read, so that it is known how late its oldest item is.
    """

    number: int
    is_moved: bool
    pages: Iterator[Sequence[AnyDue]]
    swept: Swept = field(default_factory=Swept)
    held: list[AnyDue] = field(default_factory=list)
    pauses: int = 0
    vain_pauses: int = 0
    is_read: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepDueItems:
    """Runs every minute. Concurrent runs are harmless: only one can postpone a due item."""

    due_items: DueItems
    due_shards: int
    """The setting of the deployment: what is due lies in so many shards."""
    written_shards: int
    """The first ones, which get what becomes due."""
    wakers: Mapping[DueKind, Waker]
    concurrency: Concurrency
    clock: Clock
    telemetry: Telemetry
    pause: Callable[[float], None]

    def __call__(self, deadline: Deadline) -> Swept:
        """Read all due pages of every shard."""
        now_ms = self.clock.now_ms()
        shards = self._shards(now_ms)
        waiting = deque(shards)
        self.concurrency.run([partial(self._take_turns, waiting, deadline)] * self.due_shards)
        total = Swept()
        for shard in shards:
            total.add(shard.swept)
        self._report(total, is_age_known=all(shard.is_read for shard in shards))
        return total

    def _report(self, total: Swept, *, is_age_known: bool) -> None:
        """An age that leaves out a shard is not told: nothing due and nothing read would look the same to the alarm. As
        long as each run fails to read a shard, the alarm rings that there is no age.
        """
        if is_age_known:
            age_ms = self.clock.now_ms() - total.oldest_due_ms if total.oldest_due_ms is not None else 0
            self.telemetry.seconds(Metric.OLDEST_DUE_AGE, max(0, age_ms // SECOND_MS))
        if total.due or total.failed or total.moved or total.unfinished_shards:
            self.telemetry.info(
                "swept",
                due=total.due,
                woken=total.woken,
                toReview=total.to_review,
                failed=total.failed,
                moved=total.moved,
                heldBack=total.held_back,
                unfinishedShards=total.unfinished_shards,
            )

    # -- shards

    def _shards(self, now_ms: int) -> Sequence[_Shard]:
        """Return those of the setting, from another one on in each run. Once an hour all that any setting allows: those
        that are not written any more are emptied then, so that no release and no lower setting leaves anything behind.
        """
        minute = now_ms // MINUTE_MS
        numbers = [(minute * _FIRST_SHARD_STEP + place) % self.due_shards for place in range(self.due_shards)]
        if minute % _MINUTES_BETWEEN_MOVES:
            return [_Shard(number, is_moved=False, pages=self._pages(number, now_ms)) for number in numbers]
        return [self._at_full_hour(number, now_ms) for number in (*numbers, *range(self.due_shards, MAX_DUE_SHARDS))]

    def _at_full_hour(self, number: int, now_ms: int) -> _Shard:
        """Of a shard that is not written, all items are read and moved, whenever they are due."""
        is_moved = number >= self.written_shards
        until_ms = now_ms + EVER_DUE_MS if is_moved else now_ms
        return _Shard(number, is_moved=is_moved, pages=self._pages(number, until_ms))

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
            page = self._next_page(shard)
            shard.is_read = True
            if page is None:
                return False
            is_swept = self._page(page, shard, deadline)
            if len(shard.held) < len(page):
                shard.vain_pauses = 0
            if is_swept and self._may_wait(shard):
                return True
        except StorageUnavailableError:
            self.telemetry.warn("a shard could not be swept; the next run will retry", shard=shard.number)
        except Exception as error:  # noqa: BLE001 - a defect of one shard must not stop the others
            self.telemetry.warn("a shard cannot be swept", shard=shard.number, **_facts_of(error))
            self.telemetry.count(Metric.DUE_ITEMS_FAILED)
        shard.swept.unfinished_shards += 1
        shard.swept.held_back += len(shard.held)
        return False

    @staticmethod
    def _next_page(shard: _Shard) -> Sequence[AnyDue] | None:
        """Return the items that the last page held back; without any, the next page."""
        if not shard.held:
            return next(shard.pages, None)
        held, shard.held = shard.held, []
        return held

    def _may_wait(self, shard: _Shard) -> bool:
        """Let the consumers of a late queue go on before the held items are tried again; False if it took too long."""
        if not shard.held:
            return True
        shard.pauses += 1
        shard.vain_pauses += 1
        self.pause(_PAUSE_SECONDS)
        return shard.pauses < _MAX_PAUSES and shard.vain_pauses < _MAX_VAIN_PAUSES

    def _page(self, page: Sequence[AnyDue], shard: _Shard, deadline: Deadline) -> bool:
        """Return False when the time is up. Raises `StorageUnavailableError` when the store or queue keeps refusing."""
        taken: defaultdict[DueKind, list[Taken]] = defaultdict(list)
        try:
            return self._take_page(page, shard, deadline, taken)
        finally:
            self._send(taken, shard.swept)

    def _take_page(
        self, page: Sequence[AnyDue], shard: _Shard, deadline: Deadline, taken: Mapping[DueKind, list[Taken]]
    ) -> bool:
        refused = 0
        late: set[DueKind] = set()
        for due in page:
            if deadline.remaining_ms() < TIME_TO_STOP_MS:
                shard.swept.saw(due.due_at_ms)
                return False
            try:
                self._take(due, shard, taken, late)
                refused = 0
            except StorageUnavailableError:
                shard.swept.saw(due.due_at_ms)
                refused += 1
                if refused == _MAX_STORAGE_FAILURES:
                    raise
            except Exception as error:  # noqa: BLE001 - an item of any fault must not stop those behind it
                self._set_aside(due, error, shard.swept)
        return True

    def _send(self, taken: Mapping[DueKind, list[Taken]], swept: Swept) -> None:
        """Send the messages of a page. An item whose message the queue refused was not woken: that is no drive."""
        unsent = 0
        for kind, items in taken.items():
            refused = self.wakers[kind].send(items)
            swept.woken += len(items) - len(refused)
            unsent += len(refused)
            for item in refused:
                with suppress(StorageUnavailableError):
                    self.due_items.postpone(item.due, due_at_ms=item.due.due_at_ms, drives=item.drives)
        if unsent:
            raise StorageUnavailableError("the queue did not take all messages")

    # -- items

    def _take(self, due: AnyDue, shard: _Shard, taken: Mapping[DueKind, list[Taken]], late: set[DueKind]) -> None:
        """`late`: the kinds whose queue had no room for an item of this page. It is not asked for the others of it."""
        if shard.is_moved:
            shard.swept.saw(due.due_at_ms)
            shard.swept.moved += self.due_items.move(due)
            return
        waker = None if isinstance(due, UnknownDue) else self.wakers.get(due.kind)
        if isinstance(due, UnknownDue) or waker is None:
            raise UnknownDueItemError("a due item of an unknown kind")
        if due.kind in late or not waker.admits():
            late.add(due.kind)
            shard.held.append(due)
            shard.swept.saw(due.due_at_ms)
            return
        result = waker.take(due, self.clock.now_ms())
        shard.swept.count(due, result)
        if isinstance(result, Taken):
            taken[due.kind].append(result)

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
