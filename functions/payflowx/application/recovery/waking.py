"""Wake-up of due items: wake a worker, and wait longer after each wake-up without progress."""

from enum import StrEnum
from typing import Protocol

from payflowx.domain.payments.ports import Due, DueItems, Job, Jobs
from payflowx.domain.shared.backoff import wake_delay_ms


class WakeResult(StrEnum):
    """The result of a due item's wake-up."""

    STALE = "stale"
    """The index lags behind the table: the item is not due any more."""
    LEFT = "left"
    """A worker holds the lease; if it dies, the item is still due."""
    WOKEN = "woken"
    TO_REVIEW = "to_review"


class Waker(Protocol):
    """Wakes one kind of due items."""

    def __call__(self, due: Due, now_ms: int) -> WakeResult:
        """Raises `StorageUnavailableError`; then the next sweep tries again."""
        ...


def wake(due: Due, job: Job, drives: int, now_ms: int, *, due_items: DueItems, jobs: Jobs) -> WakeResult:
    """Postpone first, then send the message: of two sweepers, one sends."""
    if not due_items.postpone(due, due_at_ms=now_ms + wake_delay_ms(drives), drives=drives + 1):
        return WakeResult.LEFT
    jobs.send(job)
    return WakeResult.WOKEN
