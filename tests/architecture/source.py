"""The tree as the rules see it: files, what they import, and the tables of the documents."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "functions" / "payflowx"


@cache
def files(*folders: str) -> tuple[Path, ...]:
    return tuple(sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")))


@cache
def imported(path: Path) -> frozenset[str]:
    """Dotted names; `from a import b` gives both `a` and `a.b`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def top_levels(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def place_of(path: Path) -> tuple[str, str]:
    """Layer and room of a module below `functions/payflowx`; the room is empty where the layer has none."""
    layer, *rest = path.relative_to(PACKAGE).parts
    return layer.removesuffix(".py"), rest[0] if len(rest) > 1 else ""


def arrows(path: Path) -> Iterator[tuple[str, str]]:
    """Layer and room of each module of ours that is imported, other than the module's own room."""
    for name in imported(path):
        match = re.match(r"payflowx\.(\w+)(?:\.(\w+))?(?:\.|$)", name)
        if match and (PACKAGE / match[1]).is_dir():
            room = match[2] or ""
            yield match[1], room if room and (PACKAGE / match[1] / room).is_dir() else ""


def table(document: str, first_column: str) -> list[list[str]]:
    """The rows of the Markdown table whose first column has this head, without head and rule."""
    text = (ROOT / document).read_text()
    _, found, rest = text.partition(f"\n| {first_column} |")
    assert found, f"{document} has no table with the head {first_column!r}"
    rows = rest.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in rows]
