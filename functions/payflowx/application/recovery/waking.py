"""What it means to drive a due item: wake whoever goes on with it, and look less often the longer that helps nobody."""

from enum import StrEnum
from typing import Protocol

from payflowx.domain.payments.ports import Due, DueItems, Job, Jobs
from payflowx.domain.shared.backoff import wake_delay_ms


class WakeResult(StrEnum):
    """What became of a due item."""

    STALE = "stale"
    """The index lags behind the table: it is not due any more."""
    LEFT = "left"
    """Somebody is on it; should they die, it is still due."""
    WOKEN = "woken"
    TO_REVIEW = "to_review"


class Waker(Protocol):
    """Drives one kind of due items."""

    def __call__(self, due: Due, now_ms: int) -> WakeResult:
        """Raises `StorageUnavailableError`; then the next sweep tries again."""
        ...


def wake(due: Due, job: Job, drives: int, now_ms: int, *, due_items: DueItems, jobs: Jobs) -> WakeResult:
    """First the later due time, then the message: of two sweepers, one sends."""
    if not due_items.postpone(due, due_at_ms=now_ms + wake_delay_ms(drives), drives=drives + 1):
        return WakeResult.LEFT
    jobs.send(job)
    return WakeResult.WOKEN
