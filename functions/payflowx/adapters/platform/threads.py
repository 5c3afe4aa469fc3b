"""Tasks side by side, in threads that are kept for the next ones."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Final

_MOST_KEPT: Final = 64
"""No more threads than this. Ten messages, each of which posts to five endpoints, need 49 beside the caller's own."""


class Threads:
    """Implements `Concurrency`. A task's exception is raised after all have ended.

    A new thread costs more processor time than all that a short task does, so threads are kept, and the caller's thread
    takes its part of the tasks: a task may run others itself, and where all kept threads are busy, the caller does all.
    """

    __slots__ = ("_kept", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept = ThreadPoolExecutor(max_workers=_MOST_KEPT)  # it starts one only where no idle one is left

    def run(self, tasks: Sequence[Callable[[], None]]) -> None:
        """Side by side, at most `most` at a time, each in its own copy of the caller's context."""
        started = _Started(deque((copy_context(), task) for task in tasks))
        helpers = [self._kept.submit(started.work) for _ in range(min(self.most, len(tasks)) - 1)]
        try:
            started.work()
        finally:
            _wait_for(helpers)
        if started.errors:
            raise started.errors[0]


@dataclass(frozen=True, slots=True)
class _Started:
    """The tasks of one call that no thread has taken yet, and what those that ended have raised."""

    waiting: deque[tuple[Context, Callable[[], None]]]
    errors: list[Exception] = field(default_factory=list)

    def work(self) -> None:
        """One task after the other until none is left."""
        while self.waiting:
            try:
                context, task = self.waiting.popleft()
            except IndexError:  # another thread took the last one
                return
            try:
                context.run(task)
            except Exception as error:  # noqa: BLE001 - raised by the caller, once all have ended
                self.errors.append(error)


def _wait_for(helpers: Sequence[Future[None]]) -> None:
    """One that has not begun finds nothing to do any more."""
    for helper in helpers:
        if not helper.cancel():
            helper.result()
