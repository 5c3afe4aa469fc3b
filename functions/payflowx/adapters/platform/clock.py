"""Clock, randomness and threads of the machine."""

import secrets
import string
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Final

_BASE62: Final = string.digits + string.ascii_letters


class SystemClock:
    """Implements `Clock`."""

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return time.time_ns() // 1_000_000


class SystemRandomness:
    """Implements `Randomness`."""

    def owner(self) -> str:
        """A name that no other lease holder has."""
        return uuid.uuid4().hex

    def jitter(self) -> float:
        """Spread in [0, 1)."""
        return secrets.randbelow(1_000) / 1_000

    def secret_text(self, chars: int) -> str:
        """Base62, from the system's cryptographic source."""
        return "".join(secrets.choice(_BASE62) for _ in range(chars))


@dataclass(frozen=True, slots=True)
class LambdaDeadline:
    """Implements `Deadline` by the invocation's context."""

    context: Any

    def remaining_ms(self) -> int:
        """Return the time that Lambda reports as left."""
        return int(self.context.get_remaining_time_in_millis())


@dataclass(frozen=True, slots=True)
class Threads:
    """Implements `Concurrency`. A task's exception is raised after all have ended."""

    most: int

    def run(self, tasks: Sequence[Callable[[], None]]) -> None:
        """Side by side, at most `most` at a time, each in its own copy of the caller's context.

        A single task runs in the caller's thread: a new thread costs more than all that a short task does.
        """
        if len(tasks) == 1:
            copy_context().run(tasks[0])
            return
        with ThreadPoolExecutor(max_workers=min(self.most, max(1, len(tasks)))) as pool:
            futures = [pool.submit(copy_context().run, task) for task in tasks]
        for future in futures:
            future.result()
