"""Remembers answers for a while, by our own clock, so that tests and simulations can move time."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

_MAX_ENTRIES = 1_000


@dataclass(slots=True)
class TtlCache(Generic[T]):
    """A bounded cache. Two threads may both load; that costs a call and harms nothing."""

    lifetime_ms: int
    clock_ms: Callable[[], int]
    _entries: dict[str, tuple[int, T]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: str, load: Callable[[], T]) -> T:
        """The remembered value, or what `load` gives; an exception of `load` is not remembered."""
        now_ms = self.clock_ms()
        with self._lock:
            entry = self._entries.get(key)
        if entry is not None and now_ms - entry[0] < self.lifetime_ms:
            return entry[1]
        value = load()
        with self._lock:
            if len(self._entries) >= _MAX_ENTRIES:
                self._entries.clear()
            self._entries[key] = (now_ms, value)
        return value
