"""The slow lane: a queue and executions of its own for calls that are slow, so that the others do not wait for them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from payflowx.domain.shared.ambient import Telemetry
from payflowx.domain.shared.limits import SECOND_MS

SLOW_CALL_MS: Final = 5 * SECOND_MS
"""A call that takes longer holds up nine other messages of its batch."""

T = TypeVar("T")


class Room(Protocol):
    """Tells whether a queue is not late."""

    def admits(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowLane(Generic[T]):
    """Takes over jobs before anything is claimed or sent for them, so that their items are due as before."""

    send: Callable[[T], None]
    room: Room
    telemetry: Telemetry

    def take(self, job: T, *, is_due: bool = True) -> bool:
        """Return whether the job was handed over. Raises `StorageUnavailableError`: then the message returns.

        A slow lane that is late gets no more jobs of items that are due: the sweeper wakes them again, later each time.
        A job without a due item is always handed over.
        """
        if is_due and not self.room.admits():
            self.telemetry.info("the slow lane is late; the sweeper wakes this item again")
            return False
        self.send(job)
        return True
