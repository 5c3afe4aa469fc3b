"""Delays before the next try, inquiry or wake-up."""

from typing import Final

from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MAX_RETRY_AFTER_MS, MINUTE_MS, SECOND_MS

_INQUIRY_STEPS_MS: Final = (
    5 * SECOND_MS,
    15 * SECOND_MS,
    45 * SECOND_MS,
    2 * MINUTE_MS,
    5 * MINUTE_MS,
    15 * MINUTE_MS,
    HOUR_MS,
)
REVIEW_INTERVAL_MS: Final = DAY_MS
FAILED_ITEM_INTERVAL_MS: Final = 10 * MINUTE_MS
"""The wait of a due item that this release cannot handle: the next release, or the one before, shall find it soon."""

_PENDING_HOURLY_INQUIRIES: Final = len(_INQUIRY_STEPS_MS) + 23
_PENDING_CAP_MS: Final = 6 * HOUR_MS

_RETRY_STEPS_MS: Final = (2 * SECOND_MS, 10 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS)
_RESEND_BASE_MS: Final = 2 * SECOND_MS
_RESEND_CAP_MS: Final = 5 * MINUTE_MS
_SEARCH_BASE_MS: Final = 5 * MINUTE_MS
_SEARCH_CAP_MS: Final = HOUR_MS
_WAKE_BASE_MS: Final = MINUTE_MS
_WAKE_CAP_MS: Final = HOUR_MS
WAKES_TO_LONGEST_WAIT: Final = 6
"""After so many wake-ups without progress, the wait for the next one grows no more."""
_DELIVERY_STEPS_MS: Final = (
    5 * SECOND_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    14 * HOUR_MS,
    20 * HOUR_MS,
    24 * HOUR_MS,
)
"""The schedule that Standard Webhooks suggests: ten tries in three days and four hours."""


def inquiry_delay_ms(inquiries: int, first_ms: int = 0) -> int:
    """Return the wait after `inquiries` inquiries without a result.

    5 s, 15 s, 45 s, 2 m, 5 m, 15 m, then hourly. `first_ms`, where it is not 0, is the wait before the first inquiry;
    the steps that are not longer than it are left out.
    """
    if first_ms and inquiries == 0:
        return first_ms
    place = inquiries + sum(step_ms <= first_ms for step_ms in _INQUIRY_STEPS_MS) - (first_ms > 0)
    return _INQUIRY_STEPS_MS[min(place, len(_INQUIRY_STEPS_MS) - 1)]


def pending_delay_ms(inquiries: int, first_ms: int = 0) -> int:
    """Return the wait after `inquiries` inquiries that found the request pending at the provider.

    As `inquiry_delay_ms` for about a day, then every 6 hours: "pending" is an answer, and it may last for weeks.
    """
    return inquiry_delay_ms(inquiries, first_ms) if inquiries < _PENDING_HOURLY_INQUIRIES else _PENDING_CAP_MS


def retry_delay_ms(retries: int, jitter: float) -> int:
    """Return the wait before a new attempt at a provider that rejected one: 2 s, 10 s, 1 m, 5 m, then 10 m.

    Times 0.5 to 1. It grows fast, because retries are few: the first one serves a rate limit of a second, the last ones
    credentials that an operator corrects. `retries` counts the answered attempts after the first so far; `jitter` lies
    in [0, 1).
    """
    ceiling_ms = _RETRY_STEPS_MS[min(retries, len(_RETRY_STEPS_MS) - 1)]
    return int(ceiling_ms * (0.5 + jitter / 2))


def resend_delay_ms(waited_ms: int, jitter: float) -> int:
    """Return the wait before a request that could not be sent is tried again.

    As long as it has been tried so far, which doubles the wait each time: 2 s at least, 5 minutes at most, times 0.5
    to 1. `jitter` lies in [0, 1).
    """
    ceiling_ms = min(_RESEND_CAP_MS, max(_RESEND_BASE_MS, waited_ms))
    return int(ceiling_ms * (0.5 + jitter / 2))


def search_delay_ms(waited_ms: int) -> int:
    """Return the wait before a search after a restore is repeated, because a provider did not answer.

    Half as long as it has been tried so far: 5 minutes at least, an hour at most. A restore leaves many items to be
    searched for, and an account that is gone, or a provider that is down, leaves the search for each incomplete.
    """
    return min(_SEARCH_CAP_MS, max(_SEARCH_BASE_MS, waited_ms // 2))


def wake_delay_ms(drives: int) -> int:
    """Return how far the sweeper postpones a due item: a minute, doubled, at most an hour."""
    return min(_WAKE_CAP_MS, _WAKE_BASE_MS << min(drives, 16))


def delivery_delay_ms(attempts: int, jitter: float, retry_after_seconds: int = 0) -> int | None:
    """Return the wait after `attempts` tries of a delivery; None when the schedule is exhausted.

    Up to a fifth longer than the schedule's, so that deliveries that failed together are spread; never before
    Retry-After, of which a day at most is honoured. `jitter` lies in [0, 1).
    """
    if attempts > len(_DELIVERY_STEPS_MS):
        return None
    delay_ms = int(_DELIVERY_STEPS_MS[attempts - 1] * (1 + jitter / 5))
    return max(delay_ms, min(retry_after_seconds * SECOND_MS, MAX_RETRY_AFTER_MS))
