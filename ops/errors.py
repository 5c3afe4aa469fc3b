"""Errors of commands: their text, their hint, and the exit status of the process."""

from enum import IntEnum
from typing import Any, Final

import click


class Exit(IntEnum):
    """Scripts may rely on these."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    BAD_NEWS = 3
    REFUSED = 4
    UNAVAILABLE = 5
    NO_ACCESS = 6
    INTERRUPTED = 130


EXIT_MEANINGS: Final = {
    Exit.DONE: "Done; the answer is good.",
    Exit.FAILED: "A defect, or an answer that this version does not understand.",
    Exit.USAGE: "The command line is wrong; nothing was sent.",
    Exit.BAD_NEWS: "Answered, and the answer is bad: a broken audit log, an invalid document, an unhealthy deployment.",
    Exit.REFUSED: "Understood and not done; nothing was changed. The message says what to do.",
    Exit.UNAVAILABLE: "No answer, or not now. A question may be repeated; after a change, look first.",
    Exit.NO_ACCESS: "No stage, no stack, no credentials, or no right.",
    Exit.INTERRUPTED: "Interrupted. A replay goes on where it ended when it is started again.",
}


class OperatorError(click.ClickException):
    """One message for a person: what happened, why, and what to do next."""

    def __init__(self, message: str, code: Exit, *, hint: str = "") -> None:
        super().__init__(message)
        self.exit_code = int(code)  # type: ignore[misc]  # Click reads it from the instance
        self.hint = hint

    def show(self, file: Any = None) -> None:
        """On standard error, so that `--json` output stays JSON."""
        click.secho(f"payflowx: {self.message}", fg="red", err=True, file=file)
        if self.hint:
            click.echo(f"  {self.hint}", err=True, file=file)
