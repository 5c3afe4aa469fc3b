"""Is this deployment well?"""

from typing import Any

from payflowx.entrypoints.operators.commands.base import Command
from payflowx.wiring.operators import OperatorsWiring


class DiagnoseCommand(Command, tag="diagnose"):
    """Every check in words."""


COMMANDS = (DiagnoseCommand,)


def run(wired: OperatorsWiring, _command: DiagnoseCommand) -> dict[str, Any]:
    """Findings, in the order in which one would look."""
    return {
        "items": [
            {"check": f.check, "health": f.health.value, "words": f.words, "advice": f.advice} for f in wired.diagnose()
        ]
    }
