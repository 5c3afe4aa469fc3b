"""Operators' commands. Invoked with IAM, never through the API; the same use cases, so nothing can be forced."""

from functools import cache, reduce
from operator import or_
from typing import Any, Final

import msgspec

from payflowx.adapters.platform import log_context
from payflowx.bootstrap import Container
from payflowx.domain.shared.errors import ConfigurationError, Refusal, StorageUnavailableError
from payflowx.entrypoints.operators.commands import RUNNERS

_ANY_COMMAND: Final[Any] = reduce(or_, RUNNERS)


@cache
def container() -> Container:
    """One a function instance; tests replace it."""
    return Container()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"ok": true, ...}`, or `{"ok": false, "error": {"code", "message"}}`."""
    with log_context.invocation(context, container().trace):
        return _answer(event)


def _answer(event: dict[str, Any]) -> dict[str, Any]:
    try:
        command = msgspec.convert(event, _ANY_COMMAND, strict=True)
        return {"ok": True, **RUNNERS[type(command)](container(), command)}
    except msgspec.ValidationError as error:
        return _failure("command_invalid", str(error))
    except Refusal as refusal:
        return _failure(refusal.code, refusal.detail)
    except StorageUnavailableError as error:
        return _failure("unavailable", f"{error}. Nothing may have been written; try again.")
    except ConfigurationError as error:
        return _failure("configuration", f"{error}.")


def _failure(code: str, message: str) -> dict[str, Any]:
    return {"ok": False, "error": {"code": code, "message": message}}
