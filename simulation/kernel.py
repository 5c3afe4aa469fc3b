"""Simulated time, and tasks that take turns on it: one thread, and a seed that decides who is next."""

import contextlib
from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from typing import Final

from greenlet import getcurrent, greenlet

EPOCH_MS: Final = 1_800_000_000_000
"""Where simulated time begins: some day in January 2027."""


class Killed(BaseException):
    """The process that a task runs in is gone. Nobody may catch this, and nothing may be sent any more."""


class Owner:
    """The process that tasks belong to. Its library state is kept apart from that of the others."""

    __slots__ = ()

    def enter(self) -> None:
        """Called before a task of this owner goes on."""

    def leave(self) -> None:
        """Called when it waits."""


class Task:
    """A line of control. It goes on until it waits for something."""

    __slots__ = ("dead", "greenlet", "owed_ms", "owner")

    def __init__(self, function: Callable[[], None], owner: Owner | None, hub: greenlet) -> None:
        self.owner = owner
        self.dead = False
        self.owed_ms = 0
        """Time that it has spent already and the clock has not: the next wait is longer by it."""
        self.greenlet = greenlet(function, parent=hub)


class Kernel:
    """The clock and the queue of what happens next. Ties are broken by the order in which they were planned."""

    __slots__ = ("_heap", "_hub", "_planned", "_until_ms", "current", "now_ms", "random")

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now_ms = EPOCH_MS
        self.current: Task | None = None
        self._heap: list[tuple[int, int, Task | Callable[[], object]]] = []
        """What is planned: its time, its number, and the action, or the task that goes on then."""
        self._planned = 0
        self._until_ms = EPOCH_MS
        """The end of the current call of `run`."""
        self._hub = getcurrent()

    def at(self, at_ms: int, action: Task | Callable[[], object]) -> None:
        """Run the action then, or let the task go on."""
        self._planned += 1
        heappush(self._heap, (at_ms, self._planned, action))

    def after(self, delay_ms: int, action: Task | Callable[[], object]) -> None:
        """As `at`, counted from now."""
        self._planned += 1
        heappush(self._heap, (self.now_ms + delay_ms, self._planned, action))

    def spawn(self, function: Callable[[], None], owner: Owner | None = None) -> Task:
        """A new task that begins at once."""
        task = Task(function, owner, self._hub)
        self.after(0, task)
        return task

    def is_quiet_until(self, at_ms: int) -> bool:
        """Whether nothing else is planned up to that time, so that a task may go on without a turn of the others."""
        return at_ms <= self._until_ms and not (self._heap and self._heap[0][0] <= at_ms)

    def resume(self, task: Task) -> None:
        """From the hub: let a task go on until it waits or ends."""
        if task.dead:
            return
        owner = task.owner
        self.current = task
        if owner is None:
            task.greenlet.switch()
        else:
            owner.enter()
            task.greenlet.switch()
            owner.leave()
        self.current = None

    def sleep(self, delay_ms: int) -> None:
        """From a task: wait. Where nothing else would happen meanwhile, only the clock goes on: a switch is dear."""
        task = self.current
        if task is None or task.dead:
            raise Killed
        at_ms = self.now_ms + delay_ms
        if self.is_quiet_until(at_ms):
            self.now_ms = max(self.now_ms, at_ms)
        else:
            self.at(at_ms, task)
            self.wait()

    def wait(self) -> None:
        """From a task: wait until somebody resumes it."""
        self._hub.switch()
        if self.current is None or self.current.dead:
            raise Killed

    def kill(self, task: Task) -> None:
        """From the hub: the task ends where it stands. What it would clean up, it cleans up in memory only."""
        if task.dead:
            return
        task.dead = True
        if task.greenlet.dead or not task.greenlet:
            return
        self.current = task
        if task.owner is not None:
            task.owner.enter()
        with contextlib.suppress(Killed):
            task.greenlet.throw(Killed)
        self.current = None

    def run(self, until_ms: int) -> None:
        """Do what is planned up to that time. The clock goes on to it only where more is planned for later."""
        heap = self._heap
        self._until_ms = until_ms
        while heap and heap[0][0] <= until_ms:
            at_ms, _, action = heappop(heap)
            self.now_ms = max(self.now_ms, at_ms)
            if isinstance(action, Task):
                self.resume(action)
            else:
                action()
        if heap:
            self.now_ms = max(self.now_ms, until_ms)

    def close(self) -> None:
        """Forget what was planned."""
        self._heap.clear()
