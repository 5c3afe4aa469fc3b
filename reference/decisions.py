"""docs/decisions/README.md: the index of decision records, from their titles, status and date."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "docs" / "decisions"
INDEX: Final = FOLDER / "README.md"
_TITLE: Final = re.compile(r"^# (\d+)\. (.+)$", re.MULTILINE)
_STATUS: Final = re.compile(r"^\*\*Status\.\*\* (.+?)\. \*\*Date\.\*\* (\d{4}-\d{2}-\d{2})\.$", re.MULTILINE)

_HEAD: Final = """# Decisions

`make pages` writes this index from the records; a test compares.

A record explains one decision: context, decision, consequences. A record is never rewritten to mean something else:
a new record supersedes it. [The template](0000-template.md) shows the form.

| | decision | status | date |
| --- | --- | --- | --- |
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the index shows of a record."""

    number: int
    title: str
    file: str
    status: str
    date: str


def read(path: Path) -> Decision:
    """Raises ValueError for a record without title, status or date, or with another number than its file name."""
    text = path.read_text()
    title, status = _TITLE.search(text), _STATUS.search(text)
    if title is None or status is None:
        raise ValueError(f"{path.name} needs a title `# N. ...` and a line `**Status.** ... **Date.** YYYY-MM-DD.`")
    if int(title[1]) != int(path.name[:4]):
        raise ValueError(f"{path.name} has the number {title[1]} in its title")
    return Decision(number=int(title[1]), title=title[2], file=path.name, status=status[1], date=status[2])


def records() -> list[Decision]:
    """All records but the template, by number."""
    return [read(path) for path in sorted(FOLDER.glob("[0-9]*.md")) if path.name != "0000-template.md"]


def index() -> str:
    """The page."""
    found = records()
    rows = [f"| {one.number} | [{one.title}]({one.file}) | {one.status} | {one.date} |" for one in found]
    return _HEAD + "\n".join(rows) + "\n" + _gaps([one.number for one in found])


def _gaps(numbers: Sequence[int]) -> str:
    missing = sorted(set(range(1, max(numbers))) - set(numbers))
    if not missing:
        return ""
    return f"\nThese numbers have no record: {', '.join(map(str, missing))}. They were reserved and never used.\n"
