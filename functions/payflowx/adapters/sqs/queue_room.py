"""Restraint of senders: a late queue holds the messages of what is due already, and gets no more of them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from payflowx.domain.shared.ambient import Telemetry
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import SECOND_MS

_ASK_INTERVAL_MS: Final = SECOND_MS
_VALID_MS: Final = 5 * SECOND_MS
"""What a queue had room for some seconds ago says nothing of now."""


@dataclass(slots=True)
class QueueRoom:
    """Implements `Room`. Lends as many sends as the queue lacks to `late_at` messages, and asks again after them.

    A count, and not the age of the oldest message: one message that fails five times is old for a quarter of an hour
    while the queue is empty, and an age comes from CloudWatch, a minute late and for money.
    """

    waiting: Callable[[], int]
    """The approximate number of messages that no consumer has taken. Raises `StorageUnavailableError`."""
    late_at: int
    """More waiting messages than the queue's consumer takes in a minute of the slowest calls."""
    now_ms: Callable[[], int]
    telemetry: Telemetry
    _room: int = 0
    _asked_at_ms: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admits(self) -> bool:
        """Return whether one more message may be sent now. The queue is asked once a second at most."""
        with self._lock:
            now_ms = self.now_ms()
            age_ms = now_ms - self._asked_at_ms
            if self._room > 0 and 0 <= age_ms < _VALID_MS:
                self._room -= 1
                return True
            if 0 <= age_ms < _ASK_INTERVAL_MS:
                return False
            self._asked_at_ms = now_ms
        room = self._ask()
        with self._lock:
            self._room = max(0, room - 1)
        return room > 0

    def _ask(self) -> int:
        """A queue that does not answer is not late: recovery shall not depend on an estimate."""
        try:
            return self.late_at - self.waiting()
        except StorageUnavailableError:
            self.telemetry.warn("a queue does not say how long it is, and counts as not late")
            return self.late_at
