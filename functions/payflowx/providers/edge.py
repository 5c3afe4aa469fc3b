"""Rejections that providers make at their edge, before anything is executed: rate limits and bad credentials. Pure."""

from datetime import UTC, datetime
from typing import Final

from payflowx.domain.payments.outcome import RATE_LIMITED, UNAUTHORIZED, Rejected
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.json_fields import error_body

_MAX_WAIT_SECONDS: Final = 3_600
_MAX_WAIT_DIGITS: Final = 9
_UNAUTHORIZED: Final = frozenset({401, 403})
_TOO_MANY_REQUESTS: Final = 429
_OWN_IDS: Final = ("id", "razorpay_payment_id", "cf_payment_id", "cf_refund_id")
"""Members at the top of what a request has made. An error has none of them."""


def rejected_at_edge(
    response: HttpResponse,
    message: str,
    *,
    names_object: bool,
    wait_header: str = "retry-after",
    default_wait_seconds: int = 0,
) -> Rejected | None:
    """Return the rejection that an error status means by itself, else None.

    `message`: sanitized. `names_object`: the answer holds the id of a payment, intent, charge or refund, so it was
    executed at least in part, whatever its status says. `default_wait_seconds`: without a number in `wait_header`.
    """
    if names_object or response.status not in {_TOO_MANY_REQUESTS, *_UNAUTHORIZED} or _is_an_object(response):
        return None
    if response.status == _TOO_MANY_REQUESTS:
        return rate_limited(message, _wait_seconds(response, wait_header, default_wait_seconds))
    return unauthorized(message)


def _is_an_object(response: HttpResponse) -> bool:
    """Whether the body is not an error but the object itself, to which a proxy may have given another status."""
    body = error_body(response)
    return any(body.get(name) is not None for name in _OWN_IDS)


def rate_limited(message: str, wait_seconds: int) -> Rejected:
    return Rejected(code=RATE_LIMITED, message=message, retry_after_seconds=min(wait_seconds, _MAX_WAIT_SECONDS))


def unauthorized(message: str) -> Rejected:
    return Rejected(code=UNAUTHORIZED, message=message, misconfigured=True)


def _wait_seconds(response: HttpResponse, wait_header: str, default_seconds: int) -> int:
    """Return the whole seconds that a header says, also as a date; the default for a fraction, or no value."""
    value = response.headers.get(wait_header, "").strip()
    if value.isascii() and value.isdecimal():
        return int(value) if len(value) <= _MAX_WAIT_DIGITS else _MAX_WAIT_SECONDS
    try:
        # By the provider's own clock: the answer says when it was written.
        wait = http_date(value) - http_date(response.headers.get("date", ""))
    except ValueError:
        return default_seconds
    return max(0, int(wait.total_seconds()))


def http_date(value: str) -> datetime:
    """Return the time of a header, such as `Sat, 28 Nov 2026 12:00:00 GMT`. Raises ValueError for anything else."""
    return datetime.strptime(value, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
