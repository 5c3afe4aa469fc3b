"""Wake-up of due items: take them, then wake workers; wait longer after each wake-up without progress."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol

from payflowx.domain.payments.ports import Due, DueItems
from payflowx.domain.shared.backoff import wake_delay_ms

_MAX_TAKES: Final = 2
"""The first one assumes an item that was never woken; the second one knows how often it was."""


class WakeResult(StrEnum):
    """Why a due item was not taken."""

    STALE = "stale"
    """The index lags behind the table: the item is not due any more."""
    LEFT = "left"
    """A worker holds the lease; if it dies, the item is still due."""
    EXHAUSTED = "exhausted"
    """It was woken as often as it may be."""
    TO_REVIEW = "to_review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A due item with its new due time, and the number of its wake-ups before this one."""

    due: Due
    drives: int


class Waker(Protocol):
    """Wakes one kind of due items."""

    def admits(self) -> bool:
        """Return whether one more message may be sent: the queue is not late."""
        ...

    def take(self, due: Due, now_ms: int) -> Taken | WakeResult:
        """Postpone the item and count a wake-up. Raises `StorageUnavailableError`; then the next sweep tries again."""
        ...

    def send(self, taken: Sequence[Taken]) -> Sequence[Taken]:
        """Send the messages of what was taken; return those that the queue did not accept."""
        ...


def take(due: Due, now_ms: int, *, due_items: DueItems, max_drives: int | None = None) -> Taken | WakeResult:
    """Take the item by one write; by two where it was woken before. Of two sweepers, one takes it."""
    drives = 0
    for _ in range(_MAX_TAKES):
        due_at_ms = now_ms + wake_delay_ms(drives)
        found = due_items.take(due, now_ms=now_ms, due_at_ms=due_at_ms, drives=drives)
        if found is None:
            return Taken(due=replace(due, due_at_ms=due_at_ms), drives=drives)
        if found.due_at_ms != due.due_at_ms:
            return WakeResult.STALE
        if found.lease_expires_at_ms > now_ms:
            return WakeResult.LEFT
        if max_drives is not None and found.drives >= max_drives:
            return WakeResult.EXHAUSTED
        drives = found.drives
    return WakeResult.LEFT
