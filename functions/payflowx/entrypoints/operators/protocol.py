"""How a function takes commands: decode -> use case -> present, and one form for what goes wrong.

Commands are invoked with IAM, never through the API. They run the use cases that everybody runs: nothing can be forced.
"""

import json
from collections.abc import Callable, Mapping
from functools import reduce
from operator import or_
from typing import Any, TypeVar

import msgspec

from payflowx.domain.shared.errors import ConfigurationError, Refusal, StorageUnavailableError, UnreadableItemError

W = TypeVar("W")

Runners = Mapping[type, Callable[[W, Any], dict[str, Any]]]
"""From a command's type to what runs it over the function's wiring."""


def unchanged(_wired: object, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """For functions that take no proof of identity."""
    return event


def answer(
    event: Mapping[str, Any],
    wired: W,
    runners: Runners[W],
    identified: Callable[[W, Mapping[str, Any]], Mapping[str, Any]] = unchanged,
) -> dict[str, Any]:
    """`{"ok": true, ...}`, or `{"ok": false, "error": {"code", "message"}}`.

    `identified` replaces a proof of identity in the event by the caller that it proves.
    """
    any_command: Any = reduce(or_, runners)
    try:
        _refuse_broken_texts(event)
        command = msgspec.convert(identified(wired, event), any_command, strict=True)
        return {"ok": True, **runners[type(command)](wired, command)}
    except msgspec.ValidationError as error:
        return _failure("command_invalid", str(error))
    except Refusal as refusal:
        return _failure(refusal.code, refusal.detail)
    except StorageUnavailableError as error:
        return _failure("unavailable", f"{error}. Nothing may have been written; try again.")
    except UnreadableItemError as error:
        return _failure("not_readable", f"{error}. A newer release wrote it; nothing was changed.")
    except ConfigurationError as error:
        return _failure("configuration", f"{error}.")


def _refuse_broken_texts(event: Mapping[str, Any]) -> None:
    """A command line passes bytes that are no UTF-8 on as halves of surrogate pairs, which no store takes."""
    try:
        json.dumps(event, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Refusal("text_invalid", "The command has a text that is no UTF-8.") from None


def _failure(code: str, message: str) -> dict[str, Any]:
    return {"ok": False, "error": {"code": code, "message": message}}
