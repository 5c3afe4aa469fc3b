"""Asks again, less and less often, until a status is reached."""

import random
from collections.abc import Callable, Collection
from typing import Final, TypeVar

from payflowx_client._enums import OpenEnum
from payflowx_client.errors import ApiError, PayFlowXError, RateLimitedError, UnansweredError, UnavailableError
from payflowx_client.models import Operation, Payment
from payflowx_client.sender import Clock

_FIRST_WAIT_SECONDS: Final = 0.5
_LONGEST_WAIT_SECONDS: Final = 15.0
_SHORTEST_READ_SECONDS: Final = 1.0
_FACTOR: Final = 1.6


Waited = TypeVar("Waited", Payment, Operation)


class StillWaitingError(PayFlowXError):
    """The time is over and the status is not reached. This is no failure: the outcome is open, `last` is the state.

    Wait again, or for the webhook. Never charge anew because of it.
    """

    def __init__(self, last: Payment | Operation | None) -> None:
        status = "unread" if last is None else last.status
        super().__init__(f"still {status}; the outcome is open, so do not charge anew")
        self.last = last


class OtherEndError(PayFlowXError):
    """It ended in another status than those that were waited for; `last` is the state."""

    def __init__(self, last: Payment | Operation) -> None:
        super().__init__(f"ended as {last.status}")
        self.last = last


def wait(
    read: Callable[[float], Waited],
    *,
    until: Collection[OpenEnum],
    ends: Collection[OpenEnum],
    timeout_seconds: float,
    clock: Clock,
) -> Waited:
    """Return the first state with a status of `until`. Raises `StillWaitingError`, `OtherEndError`.

    `read` is given the seconds that are left. A temporary error of it is no end: reading changes nothing, and the
    payment goes on meanwhile.
    """
    deadline, pause = clock.monotonic() + timeout_seconds, _FIRST_WAIT_SECONDS
    last: Waited | None = None
    while True:
        asked = 0.0
        try:
            last = read(max(deadline - clock.monotonic(), _SHORTEST_READ_SECONDS))
        except (UnansweredError, UnavailableError, RateLimitedError) as error:
            asked = (error.problem.retry_after_seconds or 0.0) if isinstance(error, ApiError) else 0.0
        else:
            if last.status in until:
                return last
            if last.status in ends:
                raise OtherEndError(last)
        left = deadline - clock.monotonic()
        if left <= 0:
            raise StillWaitingError(last)
        clock.sleep(min(left, max(asked, pause * (0.8 + random.random() * 0.4))))  # noqa: S311 - not a secret
        pause = min(pause * _FACTOR, _LONGEST_WAIT_SECONDS)
