"""How many requests may be at the engine at a time, and how many may wait for that."""

import asyncio
import os
from dataclasses import dataclass
from typing import Final

from local.settings import whole_number

_PER_CORE: Final = 2
_DEFAULT_AT_MOST: Final = 4
"""The engine is one process of Python: more requests at once cost memory and are not faster."""
_MAX_AT_ONCE: Final = 64
_WAITING_PER_PLACE: Final = 16
_MAX_WAITING: Final = 1_000
_WAIT_SECONDS: Final = 20.0


class QueueFullError(Exception):
    """The request is to be refused: too many wait already, or it has waited too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The engine starts a process for every request that it cannot serve at once: `at_once` bounds these processes."""

    at_once: int
    waiting: int

    @classmethod
    def read(cls) -> "Limits":
        """From API_CONCURRENCY (by default two a core, at most four) and API_QUEUE. Raises `LocalEnvironmentError`."""
        cores = os.cpu_count() or 1
        at_once = whole_number(
            "API_CONCURRENCY", default=min(_PER_CORE * cores, _DEFAULT_AT_MOST), least=1, most=_MAX_AT_ONCE
        )
        default = min(_WAITING_PER_PLACE * at_once, _MAX_WAITING)
        return cls(at_once=at_once, waiting=whole_number("API_QUEUE", default=default, least=0, most=_MAX_WAITING))


class Admission:
    """First come, first served. Belongs to one event loop."""

    def __init__(self, limits: Limits, *, wait_seconds: float = _WAIT_SECONDS) -> None:
        self._places = asyncio.Semaphore(limits.at_once)
        self._max_waiting, self._wait_seconds = limits.waiting, wait_seconds
        self._waiting = 0

    async def enter(self) -> None:
        """Take a place, which must be given back by `leave`. Raises `QueueFullError`."""
        if not self._places.locked():
            await self._places.acquire()
            return
        if self._waiting >= self._max_waiting:
            raise QueueFullError
        self._waiting += 1
        try:
            await asyncio.wait_for(self._places.acquire(), self._wait_seconds)
        except TimeoutError:
            raise QueueFullError from None
        finally:
            self._waiting -= 1

    def leave(self) -> None:
        """Give the place back."""
        self._places.release()
