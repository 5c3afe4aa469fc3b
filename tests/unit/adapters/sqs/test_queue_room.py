"""A late queue gets no more messages than its consumers take, and is asked seldom."""

from dataclasses import dataclass

import pytest

from payflowx.adapters.sqs.queue_room import QueueRoom
from payflowx.domain.shared.errors import StorageUnavailableError
from tests.support.memory import ManualClock, RecordingTelemetry


@dataclass
class Depth:
    """A queue's length."""

    messages: int
    asked: int = 0
    is_down: bool = False

    def waiting(self) -> int:
        self.asked += 1
        if self.is_down:
            raise StorageUnavailableError("down")
        return self.messages


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def room_of(depth: Depth, clock: ManualClock, telemetry: RecordingTelemetry | None = None) -> QueueRoom:
    telemetry = telemetry or RecordingTelemetry()
    return QueueRoom(waiting=depth.waiting, late_at=10, now_ms=clock.now_ms, telemetry=telemetry)


def test_it_lends_what_the_queue_lacks_and_asks_once_for_it(clock: ManualClock) -> None:
    depth = Depth(7)
    room = room_of(depth, clock)
    assert [room.admits() for _ in range(5)] == [True, True, True, False, False]
    assert depth.asked == 1
    depth.messages = 8
    clock.advance(1)
    assert [room.admits() for _ in range(3)] == [True, True, False]
    assert depth.asked == 2


@pytest.mark.parametrize("messages", [10, 11, 100_000])
def test_a_late_queue_gets_none(clock: ManualClock, messages: int) -> None:
    room = room_of(Depth(messages), clock)
    assert not any(room.admits() for _ in range(20))


def test_room_of_a_while_ago_is_asked_for_again(clock: ManualClock) -> None:
    depth = Depth(0)
    room = room_of(depth, clock)
    assert room.admits()
    depth.messages = 100
    clock.advance(60)
    assert not room.admits()


def test_a_queue_that_does_not_tell_its_length_is_not_late(clock: ManualClock) -> None:
    telemetry = RecordingTelemetry()
    room = room_of(Depth(0, is_down=True), clock, telemetry)
    assert all(room.admits() for _ in range(10))
    said = [message for message, _ in telemetry.lines]
    assert said == ["a queue does not say how long it is, and counts as not late"]


def test_a_clock_that_was_set_back_stops_nothing(clock: ManualClock) -> None:
    room = room_of(Depth(0), clock)
    assert room.admits()
    clock.advance(-3_600)
    assert room.admits()
