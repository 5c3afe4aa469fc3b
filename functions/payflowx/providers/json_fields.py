"""Reads providers' answers without trusting their form: what it does not understand raises or is `Unknown`."""

import json
from decimal import Decimal
from typing import Any, Final

from payflowx.domain.payments.outcome import (
    ActionRequired,
    NextAction,
    Outcome,
    Unknown,
)
from payflowx.domain.shared.text import provider_reference
from payflowx.domain.shared.transport import HttpResponse

_MAX_URL_CHARS: Final = 2_048


def json_object(response: HttpResponse) -> dict[str, Any]:
    """The body as an object, with fractions as Decimal. Raises ValueError for anything else."""
    value = json.loads(response.body, parse_float=Decimal, parse_constant=_no_constant)
    if not isinstance(value, dict):
        raise ValueError("the answer is no object")  # noqa: TRY004 - bad data, not a bad argument
    return value


def json_array(response: HttpResponse) -> list[Any]:
    """The body as an array, with fractions as Decimal. Raises ValueError for anything else."""
    value = json.loads(response.body, parse_float=Decimal, parse_constant=_no_constant)
    if not isinstance(value, list):
        raise ValueError("the answer is no array")  # noqa: TRY004 - bad data, not a bad argument
    return value


def as_int(value: Any) -> int:
    """The value, if it is an integer. Raises ValueError for a bool, a fraction or a text."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("not a whole number")  # noqa: TRY004 - bad data, not a bad argument
    return value


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
    if not isinstance(url, str) or len(url) > _MAX_URL_CHARS or not url.startswith(("https://", "http://")):
        return Unknown(code="action_without_address")
    return ActionRequired(reference=of, action=NextAction(kind="redirect", url=url))


def error_body(response: HttpResponse) -> dict[str, Any]:
    """The body of an error, or an empty object when it cannot be read: then only the status counts."""
    try:
        return json_object(response)
    except ValueError:
        return {}


def as_object(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def _no_constant(_name: str) -> Any:
    raise ValueError("NaN and Infinity are not valid JSON")
