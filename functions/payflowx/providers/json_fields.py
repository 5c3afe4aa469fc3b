"""Reading providers' answers: nothing is taken for granted, and what is not understood is `Unknown`."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from payflowx.domain.payments.outcome import ActionRequired, NextAction, Outcome, Rejected, Unknown
from payflowx.domain.shared.text import provider_code, provider_reference
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.sanitize import sanitize

_MAX_WAIT_SECONDS: Final = 3_600
_MAX_URL_CHARS: Final = 2_048


def json_object(response: HttpResponse) -> dict[str, Any]:
    """The body as an object, fractions as Decimal; raises ValueError for anything else."""
    value = json.loads(response.body, parse_float=Decimal, parse_constant=_no_constant)
    if not isinstance(value, dict):
        raise ValueError("the answer is no object")  # noqa: TRY004 - bad data, not a bad argument
    return value


def json_array(response: HttpResponse) -> list[Any]:
    """The body as an array; raises ValueError for anything else."""
    value = json.loads(response.body, parse_float=Decimal, parse_constant=_no_constant)
    if not isinstance(value, list):
        raise ValueError("the answer is no array")  # noqa: TRY004 - bad data, not a bad argument
    return value


def as_int(value: Any) -> int:
    """An integer; a bool, a fraction or a text is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("not a whole number")  # noqa: TRY004 - bad data, not a bad argument
    return value


def as_text(value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise ValueError("not a text")  # noqa: TRY004 - bad data, not a bad argument
    return value


def reference(value: Any) -> str:
    """A provider's id that can be stored and asked for; raises ValueError otherwise."""
    found = provider_reference(value)
    if found is None:
        raise ValueError("not a usable reference")
    return found


def action(of: str, url: Any) -> Outcome:
    """Send the payer to `url`; without a usable address nobody can approve, and we do not know."""
    if not isinstance(url, str) or len(url) > _MAX_URL_CHARS or not url.startswith(("https://", "http://")):
        return Unknown(code="action_without_address")
    return ActionRequired(reference=of, action=NextAction(kind="redirect", url=url))


def refusal(response: HttpResponse, error: Mapping[str, Any], *, retry_after_header: str) -> Rejected | Unknown:
    """An error status that is no decline: was it refused before anything happened, or do we not know?

    429, 401 and 403 are documented as refused before execution; so are plain validation errors. A conflict, a
    duplicate, or a fault on their side says nothing.
    """
    code, message = provider_code(error.get("code")), sanitize(error.get("message"))
    if response.status == 429:
        wait = response.headers.get(retry_after_header, "")
        seconds = min(int(wait), _MAX_WAIT_SECONDS) if wait.isascii() and wait.isdecimal() else 0
        return Rejected(code="rate_limited", message=message, retry_after_seconds=seconds)
    if response.status in {401, 403}:
        return Rejected(code="unauthorized", message=message, misconfigured=True)
    if response.status in {400, 422}:
        return Rejected(code=code, message=message)
    return Unknown(code=f"http_{response.status}", message=message)


def error_body(response: HttpResponse) -> dict[str, Any]:
    """The body of an error, or an empty object when it cannot be read: the status has to do then."""
    try:
        return json_object(response)
    except ValueError:
        return {}


def as_object(value: Any) -> dict[str, Any]:
    """An object inside an answer, or an empty one."""
    return value if isinstance(value, dict) else {}


def _no_constant(_name: str) -> Any:
    raise ValueError("NaN and Infinity are not valid JSON")
