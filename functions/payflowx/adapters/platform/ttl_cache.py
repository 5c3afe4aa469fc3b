"""Remembers answers for a while, by our own clock, so that tests and simulations can move time."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_MAX_ENTRIES: Final = 1_000
_WAIT_SECONDS: Final = 0.005
_MAX_WAITS: Final = 600
"""Three seconds in all: the time of a slow call of AWS. Then a thread that waits loads for itself."""


@dataclass(slots=True)
class _Load:
    """A load that is running in another thread."""

    error: Exception | None = None


@dataclass(slots=True)
class TtlCache(Generic[T]):
    """A bounded cache. A key has one loader at a time; the other threads wait for its answer or its failure.

    `pause` takes seconds. A full cache gives up the value that was loaded first, and never all of them.
    """

    lifetime_ms: int
    clock_ms: Callable[[], int]
    pause: Callable[[float], None]
    _entries: dict[str, tuple[int, T]] = field(default_factory=dict)
    """The time of each load and its value, by the order of the loads."""
    _loads: dict[str, _Load] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: str, load: Callable[[], T]) -> T:
        """The remembered value, or what `load` gives; an exception of `load` is not remembered."""
        for _ in range(_MAX_WAITS):
            with self._lock:
                entry = self._entries.get(key)
                if entry is not None and self.clock_ms() - entry[0] < self.lifetime_ms:
                    return entry[1]
                running = self._loads.get(key)
                if running is None:
                    mine = self._loads[key] = _Load()
                    break
            self.pause(_WAIT_SECONDS)
            if running.error is not None:
                raise running.error
        else:
            return load()
        return self._loaded(key, mine, load)

    def forget(self, key: str) -> None:
        """The next one who asks loads anew."""
        with self._lock:
            self._entries.pop(key, None)

    def _loaded(self, key: str, mine: _Load, load: Callable[[], T]) -> T:
        """The age of a value counts from the begin of its load."""
        now_ms = self.clock_ms()
        try:
            value = load()
            self._keep(key, now_ms, value)
        except Exception as error:
            mine.error = error
            raise
        finally:
            with self._lock:
                self._loads.pop(key, None)
        return value

    def _keep(self, key: str, now_ms: int, value: T) -> None:
        with self._lock:
            self._entries.pop(key, None)
            if len(self._entries) >= _MAX_ENTRIES:
                del self._entries[next(iter(self._entries))]
            self._entries[key] = (now_ms, value)
