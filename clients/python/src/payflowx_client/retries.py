"""When a request is sent again, and after how long."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from payflowx_client.calls import Repeat

_TEMPORARY: Final = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """`attempts` counts the first request. No wait begins that would end after `max_seconds` from the first request."""

    attempts: int = 5
    max_seconds: float = 60.0
    first_wait_seconds: float = 0.25
    max_wait_seconds: float = 8.0

    def __post_init__(self) -> None:
        if not 1 <= self.attempts <= 20:
            raise ValueError("attempts is 1 to 20")

    def wait_seconds(self, number: int, asked_seconds: float | None) -> float:
        """The wait after attempt `number`, at random, so that many clients do not come back together.

        Never less than the server asked for.
        """
        longest = min(self.max_wait_seconds, self.first_wait_seconds * 2.0 ** (number - 1))
        jittered = longest * (0.5 + random.random() / 2)  # noqa: S311 - not a secret
        return jittered if asked_seconds is None else asked_seconds + jittered / 4


NO_RETRIES: Final = Retries(attempts=1)


def may_repeat_status(repeat: Repeat, status: int) -> bool:
    """Whether a request may be sent again after this status. A 429 was refused before anything was executed."""
    return status == 429 or (status in _TEMPORARY and repeat is not Repeat.NEVER)


def retry_after_seconds(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """The header in seconds or as a date; None where it is absent or not readable."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())
