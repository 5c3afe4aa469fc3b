"""The runbooks of this release, to read beside what they are about."""

from functools import cache
from pathlib import Path
from typing import Final

from ops.console.prose import as_html
from ops.console.screen import Page, Screen, ScreenRequest, View
from ops.errors import Exit, OperatorError

_FOLDER: Final = Path(__file__).resolve().parents[3] / "docs" / "runbooks"


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
    """The address here of another runbook; None for every other link."""
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
