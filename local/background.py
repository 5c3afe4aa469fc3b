"""A thread that repeats an action beside the environment until it is stopped."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Background:
    """An action that raises ends the thread: it suppresses what may fail once.

    `at_once`: the first time comes before the first interval instead of after it.
    """

    action: Callable[[], object]
    interval_seconds: float
    at_once: bool = False
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Repeat the action until `stop`."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self, wait_seconds: float | None = None) -> None:
        """Begin the action no more, and wait for the end of the one that runs; `wait_seconds` limits the wait."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(wait_seconds)

    def _run(self) -> None:
        if self.at_once:
            self.action()
        while not self._stopping.wait(self.interval_seconds):
            self.action()
