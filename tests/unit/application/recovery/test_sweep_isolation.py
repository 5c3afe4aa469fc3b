"""Neither an item nor a shard stops another, and all shards progress under a backlog."""

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from payflowx.adapters.platform.threads import Threads
from payflowx.application.recovery.sweep import SweepDueItems, Swept
from payflowx.application.recovery.waking import Taken, WakeResult
from payflowx.domain.payments.ports import AnyDue, Concurrency, Due, DueKind, UnknownDue
from payflowx.domain.shared.backoff import FAILED_ITEM_INTERVAL_MS
from payflowx.domain.shared.errors import StorageUnavailableError, UnreadableItemError
from payflowx.domain.shared.limits import DUE_SHARDS, HOUR_MS, MAX_DUE_SHARDS, MINUTE_MS
from tests.support.memory import NOW_MS, ManualClock, ManualDeadline, OneByOne, RecordingTelemetry

SECRET = "jane@example.com"
"""A personal datum, which no log line may hold."""


def due(name: str, age_seconds: int = 60, kind: DueKind = DueKind.PAYMENT) -> Due:
    return Due(merchant_id="acme", transaction_id=name, due_at_ms=NOW_MS - age_seconds * 1000, kind=kind)


@dataclass
class Index:
    """Pages by shard; a page that is an exception is raised."""

    shards: Mapping[int, Sequence[Sequence[AnyDue] | Exception]]
    postponed: list[tuple[AnyDue, int, int | None]] = field(default_factory=list)
    broken: Exception | None = None

    def pages(self, shard: int, until_ms: int) -> Iterator[Sequence[AnyDue]]:
        assert until_ms == NOW_MS
        for page in self.shards.get(shard, ()):
            if isinstance(page, Exception):
                raise page
            yield page

    def postpone(self, due: AnyDue, *, due_at_ms: int, drives: int | None) -> bool:
        if self.broken:
            raise self.broken
        self.postponed.append((due, due_at_ms, drives))
        return True


@dataclass
class Waking:
    """Wakes everything but what a test names."""

    faults: Mapping[str, Exception] = field(default_factory=dict)
    woken: list[str] = field(default_factory=list)
    refuses: frozenset[str] = frozenset()
    has_room: Callable[[], bool] = lambda: True

    def admits(self) -> bool:
        return self.has_room()

    def take(self, due: Due, now_ms: int) -> Taken | WakeResult:
        if due.transaction_id in self.faults:
            raise self.faults[due.transaction_id]
        return Taken(due=replace(due, due_at_ms=now_ms + MINUTE_MS), drives=3)

    def send(self, taken: Sequence[Taken]) -> Sequence[Taken]:
        refused = [each for each in taken if each.due.transaction_id in self.refuses]
        self.woken += [each.due.transaction_id for each in taken if each not in refused]
        return refused


@dataclass
class Sweeper:
    index: Any
    waking: Any = field(default_factory=Waking)
    concurrency: Concurrency = field(default_factory=OneByOne)
    clock: ManualClock = field(default_factory=ManualClock)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    pauses: list[float] = field(default_factory=list)
    more: Mapping[DueKind, Any] = field(default_factory=dict)
    due_shards: int = DUE_SHARDS
    written_shards: int | None = None

    def __call__(self, deadline: Any = None) -> Swept:
        return SweepDueItems(
            due_items=self.index,
            due_shards=self.due_shards,
            written_shards=self.written_shards or self.due_shards,
            wakers={DueKind.PAYMENT: self.waking, **self.more},
            concurrency=self.concurrency,
            clock=self.clock,
            telemetry=self.telemetry,
            pause=self.pauses.append,
        )(deadline or ManualDeadline())

    def ages(self) -> list[int]:
        return [value for name, value, _ in self.telemetry.counts if name == "OldestDueAge"]


@pytest.mark.parametrize(
    "fault",
    [
        TypeError(SECRET),
        KeyError(SECRET),
        ValueError(SECRET),
        AssertionError(SECRET),
        RecursionError(SECRET),
        UnreadableItemError("payment", 2, "ValueError: 'SUSPENDED' is not a valid PaymentStatus"),
    ],
)
def test_an_item_that_cannot_be_handled_is_postponed_and_those_behind_it_are_woken(fault: Exception) -> None:
    bad, good = due("bad", 90), [due(name) for name in "abcd"]
    sweeper = Sweeper(Index({3: [[bad, *good]], 4: [[due("e")]]}), Waking({"bad": fault}))
    swept = sweeper()
    assert sorted(sweeper.waking.woken) == ["a", "b", "c", "d", "e"]
    assert (swept.due, swept.woken, swept.failed, swept.unfinished_shards) == (5, 5, 1, 0)
    assert sweeper.index.postponed == [(bad, NOW_MS + FAILED_ITEM_INTERVAL_MS, None)]
    assert sweeper.telemetry.total("DueItemsFailed") == 1
    assert sweeper.ages() == [90]
    assert SECRET not in repr(sweeper.telemetry)
    facts = dict(sweeper.telemetry.lines)["a due item cannot be handled; it is postponed"]
    assert (facts["transactionId"], facts["error"]) == ("bad", type(fault).__name__)
    assert str(facts["at"]).startswith("test_sweep_isolation.py:")


@pytest.mark.parametrize(
    "unknown",
    [
        UnknownDue(partition="C#acme#co_1", sort="CHECKOUT", due_at_ms=NOW_MS - 60_000),
        due("x", kind=DueKind.OPERATION),
    ],
)
def test_a_due_item_of_an_unknown_kind_is_postponed(unknown: AnyDue) -> None:
    sweeper = Sweeper(Index({0: [[unknown, due("a")]]}))
    assert sweeper().failed == 1
    assert sweeper.waking.woken == ["a"]
    assert sweeper.index.postponed == [(unknown, NOW_MS + FAILED_ITEM_INTERVAL_MS, None)]
    assert sweeper.telemetry.total("DueItemsFailed") == 1


@pytest.mark.parametrize("fault", [StorageUnavailableError("no"), RuntimeError(SECRET)])
def test_an_item_that_cannot_even_be_postponed_stops_nobody(fault: Exception) -> None:
    index = Index({0: [[due("bad"), due("a")], [due("b")]]}, broken=fault)
    sweeper = Sweeper(index, Waking({"bad": TypeError()}))
    swept = sweeper()
    assert sweeper.waking.woken == ["a", "b"]
    assert (swept.failed, swept.unfinished_shards) == (1, 0)
    assert SECRET not in repr(sweeper.telemetry)


@pytest.mark.parametrize("fault", [StorageUnavailableError("no"), TypeError(SECRET), ValueError(SECRET)])
def test_a_shard_that_cannot_be_read_stops_no_other(fault: Exception) -> None:
    sweeper = Sweeper(Index({shard: [[due(f"p{shard}")]] for shard in range(DUE_SHARDS)} | {3: [fault]}))
    swept = sweeper()
    assert (swept.woken, swept.unfinished_shards) == (DUE_SHARDS - 1, 1)
    assert SECRET not in repr(sweeper.telemetry)


@pytest.mark.parametrize("unread", [{3}, set(range(DUE_SHARDS))], ids=["one", "all"])
def test_an_age_that_leaves_out_a_shard_is_not_told(unread: set[int]) -> None:
    """Else the alarms of an index that cannot be read would see a sweeper that has nothing to do."""
    pages: dict[int, list[Any]] = {shard: [[due(f"p{shard}", 1)]] for shard in range(DUE_SHARDS)}
    sweeper = Sweeper(Index(pages | {shard: [StorageUnavailableError("no")] for shard in unread}))
    sweeper()
    assert sweeper.ages() == []


def test_a_later_page_that_cannot_be_read_hides_no_age() -> None:
    sweeper = Sweeper(Index({0: [[due("a", 1234)], StorageUnavailableError("no")]}))
    sweeper()
    assert sweeper.ages() == [1234]


def test_one_refusal_of_the_store_passes_over_its_item_only() -> None:
    refusal = StorageUnavailableError("no")
    names = ["a", "x", "b", "y", "z", "c"]
    sweeper = Sweeper(Index({0: [[due(name) for name in names]]}), Waking(dict.fromkeys("xyz", refusal)))
    swept = sweeper()
    assert sweeper.waking.woken == ["a", "b", "c"]
    assert (swept.failed, swept.unfinished_shards) == (0, 0)
    assert sweeper.index.postponed == []


def test_three_refusals_in_a_row_leave_the_shard_for_the_next_run() -> None:
    refusal = StorageUnavailableError("no")
    pages = [[due("a"), due("x", 99), due("y"), due("z"), due("b")], [due("c")]]
    sweeper = Sweeper(Index({0: pages, 1: [[due("d")]]}), Waking(dict.fromkeys("xyz", refusal)))
    swept = sweeper()
    assert sorted(sweeper.waking.woken) == ["a", "d"]
    assert (swept.woken, swept.unfinished_shards) == (2, 1)
    assert sweeper.ages() == [99]


def test_the_age_of_what_is_not_reached_is_told() -> None:
    sweeper = Sweeper(Index({0: [[due("a", 1234)]]}))
    assert sweeper(ManualDeadline(left_ms=4_000)).unfinished_shards == 1
    assert sweeper.ages() == [1234]


class Endless:
    """A backlog that outlasts the run; counts the pages that each shard was given, and in which order first."""

    def __init__(self) -> None:
        self.pages_of: Counter[int] = Counter()
        self.lock = threading.Lock()

    def pages(self, shard: int, until_ms: int) -> Iterator[Sequence[AnyDue]]:
        for _ in itertools.count():
            with self.lock:
                self.pages_of[shard] += 1
            yield [due(f"p{shard}", kind=DueKind.PAYMENT)]


@dataclass
class PagesLeft:
    """The time that is left, in items: the run is over after so many."""

    items: int
    lock: Any = field(default_factory=threading.Lock)

    def remaining_ms(self) -> int:
        with self.lock:
            self.items -= 1
            return 30_000 if self.items >= 0 else 0


@pytest.mark.parametrize("concurrency", [OneByOne(), Threads(10)])
def test_every_shard_gets_its_share_of_a_run_that_a_backlog_outlasts(concurrency: Concurrency) -> None:
    backlog = Endless()
    swept = Sweeper(backlog, concurrency=concurrency)(PagesLeft(items=400))
    assert (swept.woken, swept.unfinished_shards) == (400, DUE_SHARDS)
    assert len(backlog.pages_of) == DUE_SHARDS
    if isinstance(concurrency, OneByOne):  # threads are scheduled by the machine, as they like
        assert set(backlog.pages_of.values()) <= {26, 27}


@pytest.mark.parametrize("shards", [16, 32, 64])
def test_as_many_short_runs_as_shards_serve_every_shard_equally(shards: int) -> None:
    """Each run has the time for ten items only, and does not begin with the shards that the last one began with."""
    served: Counter[int] = Counter()
    clock = ManualClock()
    begun = []
    for _ in range(shards):
        backlog, waking = Endless(), Waking()
        Sweeper(backlog, waking, clock=clock, due_shards=shards)(PagesLeft(items=10))
        begun.append(waking.woken[0])
        served.update(int(name[1:]) for name in waking.woken)
        clock.advance(MINUTE_MS // 1000)
    assert served == dict.fromkeys(range(shards), 10)
    assert len(set(begun)) == shards


# -- shards that are not written any more


@dataclass
class OneEach:
    """An item in each of these shards, due now and a month later."""

    shards: range
    moved: list[str] = field(default_factory=list)
    refuses: Exception | None = None

    def pages(self, shard: int, until_ms: int) -> Iterator[Sequence[AnyDue]]:
        found = [due(f"p{shard}", 3600), due(f"later{shard}", -30 * 24 * 3600)] if shard in self.shards else []
        yield [each for each in found if each.due_at_ms <= until_ms]

    def move(self, due: Due) -> bool:
        if self.refuses:
            raise self.refuses
        self.moved.append(due.transaction_id)
        return True


def runs_of_an_hour(due_shards: int, written_shards: int, filled: range) -> Iterator[Sweeper]:
    clock = ManualClock()
    for _ in range(60):
        clock.advance(MINUTE_MS // 1000)
        sweeper = Sweeper(OneEach(filled), clock=clock, due_shards=due_shards, written_shards=written_shards)
        sweeper()
        yield sweeper


def names(shards: range, *prefixes: str) -> set[str]:
    return {f"{prefix}{shard}" for shard in shards for prefix in prefixes}


@pytest.mark.parametrize(("due_shards", "written"), [(16, 16), (32, 16), (32, 32), (64, 16), (64, 64)])
def test_shards_of_the_setting_are_swept_and_those_that_are_not_written_are_emptied_once_an_hour(
    due_shards: int, written: int
) -> None:
    """All that any setting allows: a setting that was lowered strands nothing."""
    usual: list[tuple[set[str], set[str]]] = []
    hourly: list[tuple[set[str], set[str]]] = []
    for sweeper in runs_of_an_hour(due_shards, written, range(MAX_DUE_SHARDS)):
        is_hour = sweeper.clock.now_ms() // MINUTE_MS % 60 == 0
        (hourly if is_hour else usual).append((set(sweeper.waking.woken), set(sweeper.index.moved)))
    assert usual == [(names(range(due_shards), "p"), set())] * 59
    assert hourly == [(names(range(written), "p"), names(range(written, MAX_DUE_SHARDS), "p", "later"))]


def emptying(index: OneEach) -> Sweeper:
    clock = ManualClock()
    clock.at_ms = NOW_MS // HOUR_MS * HOUR_MS
    return Sweeper(index, clock=clock, due_shards=32, written_shards=16)


def test_a_moved_item_is_as_late_as_it_is_and_no_drive_is_counted() -> None:
    sweeper = emptying(OneEach(range(16, 17)))
    swept = sweeper()
    assert (swept.moved, swept.due, swept.woken, swept.failed) == (2, 0, 0, 0)
    assert dict(sweeper.telemetry.lines)["swept"]["moved"] == 2
    assert sweeper.ages() == [(sweeper.clock.now_ms() - due("p", 3600).due_at_ms) // 1000]


def test_an_item_that_cannot_be_moved_waits_for_the_next_time() -> None:
    sweeper = emptying(OneEach(range(15, 17), refuses=StorageUnavailableError("no")))
    assert (sweeper().woken, sweeper.index.moved) == (1, [])


def test_an_item_whose_message_the_queue_refused_was_not_woken() -> None:
    """Its wake-ups are counted as before; it waits as long as a woken one, and the shard is left for the next run."""
    sweeper = Sweeper(Index({0: [[due("a"), due("x"), due("b")], [due("c")]]}), Waking(refuses=frozenset("x")))
    swept = sweeper()
    assert sweeper.waking.woken == ["a", "b"]
    assert (swept.woken, swept.unfinished_shards) == (2, 1)
    ((item, due_at_ms, drives),) = sweeper.index.postponed
    assert (item.transaction_id, due_at_ms, drives) == ("x", NOW_MS + MINUTE_MS, 3)


def test_a_late_queue_leaves_its_items_untouched_and_gets_them_when_it_has_room() -> None:
    room = iter([True, False, False, True, True])
    sweeper = Sweeper(Index({0: [[due(name) for name in "abc"]]}), Waking(has_room=lambda: next(room)))
    swept = sweeper()
    assert sweeper.waking.woken == ["a", "b", "c"]
    assert next(room, "all asked") == "all asked"
    assert (swept.woken, swept.held_back, swept.unfinished_shards) == (3, 0, 0)
    assert len(sweeper.pauses) == 2
    assert sweeper.index.postponed == []


def test_a_late_queue_is_asked_once_a_turn_and_holds_no_item_of_another_kind() -> None:
    asked = Counter[str]()

    def refuses() -> bool:
        asked.update(["payments"])
        return False

    payments, events = Waking(has_room=refuses), Waking()
    page = [replace(due(f"{number}"), kind=kind) for number in range(50) for kind in (DueKind.PAYMENT, DueKind.EVENT)]
    sweeper = Sweeper(Index({0: [page]}), more={DueKind.PAYMENT: payments, DueKind.EVENT: events})
    swept = sweeper()
    assert (len(events.woken), len(payments.woken), swept.held_back) == (50, 0, 50)
    assert asked.total() == len(sweeper.pauses)


def test_a_queue_that_stays_late_ends_the_run_and_is_reported() -> None:
    shards = {0: [[due("a", 1_000)], [due("b")]], 1: [[due("c")]]}
    sweeper = Sweeper(Index(shards), Waking(has_room=lambda: False))
    swept = sweeper()
    assert (swept.woken, swept.held_back, swept.unfinished_shards) == (0, 2, 2)
    assert sweeper.index.postponed == []
    assert sweeper.ages() == [1_000]
    assert len(sweeper.pauses) == 2 * 10
    assert dict(sweeper.telemetry.lines)["swept"]["heldBack"] == 2


def test_a_queue_that_takes_one_item_now_and_then_is_waited_for() -> None:
    """Each item that goes begins the count of vain pauses anew; the run ends after 45 pauses of a shard."""
    asked = iter(range(1_000))
    one_in_nine = Waking(has_room=lambda: next(asked) % 9 == 8)
    sweeper = Sweeper(Index({0: [[due(f"{number}") for number in range(9)]]}), one_in_nine)
    swept = sweeper()
    assert (swept.woken, swept.held_back, len(sweeper.pauses)) == (5, 4, 45)
