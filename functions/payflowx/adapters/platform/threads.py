"""Tasks side by side, in threads that are kept for the next ones."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import Final

_MOST_KEPT: Final = 64
"""No more threads than this. Ten messages, each of which posts to five endpoints, need 49 beside the caller's own."""


class Threads:
    """Implements `Concurrency`. A task's exception is raised after all have ended.

    A new thread costs more processor time than all that a short task does, so threads are kept, and the caller's thread
    takes its part of the tasks: a task may run others itself, and where no kept thread is free, the caller does all.
    """

    __slots__ = ("_kept", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept = ThreadPoolExecutor(max_workers=_MOST_KEPT)  # it starts one only where no idle one is left

    def run(self, tasks: Sequence[Callable[[], None]]) -> None:
        """Side by side, at most `most` at a time, each in its own copy of the caller's context."""
        if not tasks:
            return
        started = _Started(tasks)
        with contextlib.suppress(RuntimeError):  # the machine gives no further thread: those that there are do the work
            for _ in range(min(self.most, len(tasks)) - 1):
                self._kept.submit(started.work)
        started.work()
        started.wait()


class _Started:
    """The tasks of one call: those that no thread has taken yet, and how many have not ended."""

    __slots__ = ("_all_ended", "_errors", "_left", "_lock", "_waiting")

    def __init__(self, tasks: Sequence[Callable[[], None]]) -> None:
        self._waiting: deque[tuple[Context, Callable[[], None]]] = deque((copy_context(), task) for task in tasks)
        self._left = len(tasks)
        self._errors: list[BaseException] = []
        self._lock = threading.Lock()
        self._all_ended = threading.Event()

    def work(self) -> None:
        """One task after the other until none is left to be taken."""
        with contextlib.suppress(IndexError):
            while True:
                self._do(*self._waiting.popleft())

    def wait(self) -> None:
        """Until all have ended. Raises the first exception."""
        self._all_ended.wait()
        if self._errors:
            raise self._errors[0]

    def _do(self, context: Context, task: Callable[[], None]) -> None:
        error: BaseException | None = None
        try:
            context.run(task)
        except BaseException as raised:  # noqa: BLE001 - the caller's thread raises it
            error = raised
        with self._lock:
            self._left -= 1
            if error is not None:
                self._errors.append(error)
            if not self._left:
                self._all_ended.set()
