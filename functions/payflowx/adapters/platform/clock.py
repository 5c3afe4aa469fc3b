"""Clock and randomness of the machine, and the time that an invocation has left."""

import secrets
import string
import time
import uuid
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
