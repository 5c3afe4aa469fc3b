"""How long a connection may be idle before it is closed instead of being used again.

Lambda freezes a sandbox after an invocation, and networks forget an idle flow: a request on such a connection is lost
although no server has seen it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

IDLE_LIMIT_SECONDS: Final = 3.0
"""Servers and load balancers keep idle connections for five seconds and more."""
Clocks = tuple[Callable[[], float], ...]
CLOCKS: Final[Clocks] = (time.monotonic, time.time)
"""In seconds. The first may stand still in a frozen sandbox, and the second may be set back."""


@dataclass(slots=True)
class Idleness:
    """Of one connection. It is fresh as long as it was never idle, or not for longer than the limit by any clock."""

    clocks: Clocks = CLOCKS
    since: tuple[float, ...] | None = None

    def begin(self) -> None:
        """The answer is read: from now on the connection is idle."""
        self.since = tuple(clock() for clock in self.clocks)

    def is_fresh(self) -> bool:
        """Whether the next request may use it."""
        if self.since is None:
            return True
        return all(clock() - since <= IDLE_LIMIT_SECONDS for clock, since in zip(self.clocks, self.since, strict=True))
