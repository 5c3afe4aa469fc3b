"""Reads providers' answers without trusting their form: what it does not understand raises or is `Unknown`."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from payflowx.domain.payments.outcome import (
    ActionRequired,
    NextAction,
    Outcome,
    Unknown,
)
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.text import provider_reference
from payflowx.domain.shared.transport import HttpResponse

_MAX_URL_CHARS: Final = 2_048
_ADDRESS: Final = re.compile(r"https?://[!-~]+")
"""Printable ASCII without blanks: it is stored, and sent in headers."""
_LARGEST_NUMBER: Final = 10**18 - 1
"""Above every amount, and every time in milliseconds. DynamoDB stores 38 digits, and fails for more."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class RepeatedMemberError(ValueError):
    """An object names a member twice: parsers differ in which of the two values they read."""


def parse(body: bytes) -> Any:
    """The value, with fractions as Decimal. Raises ValueError, also for NaN, and `RepeatedMemberError`."""
    return json.loads(body, parse_float=_fraction, parse_constant=_no_constant, object_pairs_hook=_members)


def json_object(response: HttpResponse) -> dict[str, Any]:
    """The body as an object, with fractions as Decimal. Raises ValueError for anything else."""
    value = parse(response.body)
    if not isinstance(value, dict):
        raise ValueError("the answer is no object")  # noqa: TRY004 - bad data, not a bad argument
    return value


def json_array(response: HttpResponse) -> list[Any]:
    """The body as an array, with fractions as Decimal. Raises ValueError for anything else."""
    value = parse(response.body)
    if not isinstance(value, list):
        raise ValueError("the answer is no array")  # noqa: TRY004 - bad data, not a bad argument
    return value


def as_int(value: Any) -> int:
    """The value, if it is an integer. Raises ValueError for a bool, a fraction, a text or more than 18 digits."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _LARGEST_NUMBER:
        raise ValueError("not a whole number")
    return value


def ms_of_seconds(value: Any) -> int | None:
    """The time in milliseconds of one in seconds since 1970. None for anything else: only the time is missing."""
    is_time = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_NUMBER // SECOND_MS
    return value * SECOND_MS if is_time else None


def ms_of_time(value: Any) -> int | None:
    """The time in milliseconds of a text with its zone. None for anything else: only the time is missing."""
    try:
        at = datetime.fromisoformat(as_text(value))
    except ValueError:
        return None
    return None if at.tzinfo is None else (at - _EPOCH) // _MILLISECOND


def as_text(value: Any) -> str:
    """The value, if it is a text. Raises ValueError otherwise."""
    if not isinstance(value, str):
        raise ValueError("not a text")  # noqa: TRY004 - bad data, not a bad argument
    return value


def reference(value: Any) -> str:
    """The provider's id, if it can be stored and queried. Raises ValueError otherwise."""
    found = provider_reference(value)
    if found is None:
        raise ValueError("not a usable reference")
    return found


def action(of: str, url: Any) -> Outcome:
    """Redirect the payer to `url`. Without a usable address the payer cannot approve, so the outcome is `Unknown`."""
    if not isinstance(url, str) or len(url) > _MAX_URL_CHARS or not _ADDRESS.fullmatch(url):
        return Unknown(code="action_without_address")
    return ActionRequired(reference=of, action=NextAction(kind="redirect", url=url))


def error_body(response: HttpResponse) -> dict[str, Any]:
    """The body of an error, or an empty object when it cannot be read: then only the status counts.

    Raises `RepeatedMemberError`: one of the two values may name a payment, and then the status does not count.
    """
    try:
        return json_object(response)
    except RepeatedMemberError:
        raise
    except ValueError:
        return {}


def as_object(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise RepeatedMemberError("a member stands twice in one object")
    return members


def _fraction(text: str) -> Decimal:
    """Raises ValueError for an exponent that no Decimal has."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("a number's exponent is too large") from None


def _no_constant(_name: str) -> Any:
    raise ValueError("NaN and Infinity are not valid JSON")
