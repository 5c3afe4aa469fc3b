"""Operators' commands."""

from typing import Any, Final

from payflowx.adapters.platform import log_context
from payflowx.entrypoints.operators import protocol
from payflowx.entrypoints.operators.commands.registry import RUNNERS
from payflowx.entrypoints.operators.proof import identified
from payflowx.entrypoints.runtime import Wired
from payflowx.wiring.operators import OperatorsWiring

wiring: Final = Wired(OperatorsWiring.of_function)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The answer of `protocol.answer`."""
    wired = wiring()
    with log_context.invocation(context, wired.platform.trace):
        return protocol.answer(event, wired, RUNNERS, identified)
