"""How a command reaches the function that carries it out. Tests have another way."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol

from ops.errors import Exit, OperatorError
from ops.target import Target, aws_errors

_HINTS: Final = {"proof_needed": " In the local environment see docs/local-environment.md, Two people."}
_UNAVAILABLE: Final = frozenset({"unavailable"})
_OUTDATED: Final = frozenset({"command_invalid"})
_WRONG_VALUE: Final = re.compile(
    r"Expected `(?P<kind>\w+)` (?P<rule>(?:of length|matching regex|[<>]).*) - at `\$\.(?P<field>\w+)`"
)
"""A value out of its bounds is no sign of another release: somebody typed it."""
_KINDS: Final = {"str": "text", "int": "a whole number"}


class Function(Enum):
    """A function that takes commands: its name in messages, and the stack's output that holds its address."""

    OPERATIONS = ("operations function", "OperationsFunctionName")
    RECONCILER = ("reconciler", "ReconcilerFunctionName")

    def __init__(self, title: str, output: str) -> None:
        self.title = title
        self.output = output


_OF_THE_RECONCILER: Final = frozenset({"reconcile", "show_reconciliation", "list_reconciliations", "read_refunds"})


def function_of(command: str) -> Function:
    """The function that takes the command."""
    return Function.RECONCILER if command in _OF_THE_RECONCILER else Function.OPERATIONS


class Invoker(Protocol):
    """Asks one function."""

    def __call__(self, command: Mapping[str, Any], /) -> dict[str, Any]:
        """Its answer, `{"ok": ...}`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaInvoker:
    """Through Lambda's API: who may, IAM decides. The command travels in the request's body, never in a log."""

    target: Target
    function: Function

    def __call__(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Sent once."""
        name, _, qualifier = self._address().partition(":")
        with aws_errors(f"ask the {self.function.title}", changing="reason" in command):
            answer = self.target.client("lambda").invoke(
                FunctionName=name, Qualifier=qualifier, Payload=json.dumps(command).encode()
            )
            payload = answer["Payload"].read()
        if "FunctionError" in answer:
            raise OperatorError(
                f"The {self.function.title} failed.",
                Exit.FAILED,
                hint="It may have done part of the work. Its log says why; no payment is harmed by a failed command.",
            )
        result: dict[str, Any] = json.loads(payload)
        return result

    def _address(self) -> str:
        try:
            return self.target.outputs[self.function.output]
        except KeyError:
            raise OperatorError(
                f"The stack of {self.target.name} does not name its {self.function.title}.",
                Exit.NO_ACCESS,
                hint="It is older than this command line. Deploy it anew.",
            ) from None


def unwrapped(answer: Mapping[str, Any], function: Function) -> dict[str, Any]:
    """The answer's fields; raises `OperatorError` for a refusal."""
    if answer.get("ok") is True:
        return {name: value for name, value in answer.items() if name != "ok"}
    error = answer.get("error") or {"code": "unknown", "message": "The answer is not understood."}
    code, message = str(error["code"]), str(error["message"])
    if code in _UNAVAILABLE:
        raise OperatorError(message[:1].upper() + message[1:], Exit.UNAVAILABLE)
    if code in _OUTDATED and (value := _WRONG_VALUE.fullmatch(message)):
        kind = _KINDS.get(value["kind"], value["kind"])
        raise OperatorError(f"{value['field']} is not valid: it must be {kind} {value['rule']}.", Exit.REFUSED)
    if code in _OUTDATED:
        raise OperatorError(
            f"The {function.title} does not take this command: {message}.",
            Exit.REFUSED,
            hint="Is the deployment older than this command line? Deploy it anew.",
        )
    raise OperatorError(message, Exit.REFUSED, hint=f"({code}){_HINTS.get(code, '')}")
