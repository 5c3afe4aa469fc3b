"""The runbooks of this release, to read beside what they are about."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from ops.console.prose import as_html
from ops.console.screen import Page, Screen, ScreenRequest, View
from ops.errors import Exit, OperatorError

_FOLDER: Final = Path(__file__).resolve().parents[3] / "docs" / "runbooks"
_COMMAND: Final = re.compile(r"payflowx ([a-z-]+)")
FACES: Final[Mapping[str, str]] = {
    "approvals": "/reviews",
    "credentials": "/providers",
    "deliveries": "/deliveries",
    "dlq": "/dead-letters",
    "doctor": "/",
    "keys": "/merchants",
    "merchants": "/merchants",
    "payments": "/find",
    "providers": "/providers",
    "reconcile": "/reconciliation",
    "reconciliations": "/reconciliation",
    "review": "/reviews",
    "routing": "/routing",
}
"""The screen that is the face of a command, so that a runbook's commands lead to where they can be done."""


@cache
def runbook_names() -> dict[str, Path]:
    """`mismatch` is an alarm's; `review-mismatch` is that of a review's reason. Empty where docs are not installed."""
    alarms = {path.stem: path for path in sorted(_FOLDER.glob("*.md")) if path.stem != "README"}
    return alarms | {f"review-{path.stem}": path for path in sorted((_FOLDER / "review").glob("*.md"))}


def _show(request: ScreenRequest) -> Page:
    path = runbook_names().get(request.path["name"])
    if path is None:
        raise OperatorError("There is no runbook of this name.", Exit.REFUSED, hint="(not_found)")
    title, _, text = path.read_text().partition("\n")

    def address(target: str) -> str | None:
        return _address(path, target)

    return Page(template="runbook.html", title=title.lstrip("# "), values={"text": as_html(text, address)})


def _address(page: Path, target: str) -> str | None:
    """The address here of another runbook, or of a command's screen; None for everything else."""
    command = _COMMAND.match(target)
    if command:
        return FACES.get(command[1])
    linked = (page.parent / target.partition("#")[0]).resolve()
    return next((f"/runbooks/{name}" for name, path in runbook_names().items() if path == linked), None)


RUNBOOKS: Final = Screen(
    name="runbooks",
    title="Runbooks",
    path="/runbooks/{name}",
    key="",
    summary="what to do",
    views=(View("/runbooks/{name}", _show),),
)
