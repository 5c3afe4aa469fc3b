"""Tables for people."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

_GAP: Final = "  "
_NOTHING: Final = "-"


def table(items: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """Aligned, headings in capitals; a dot in a field leads into what is nested."""
    rows = [[heading.upper() for heading in columns]]
    rows += [[text_of(look_up(item, field)) for field in columns.values()] for item in items]
    widths = [max(len(row[place]) for row in rows) for place in range(len(columns))]
    lines = (_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def key_values(rows: Mapping[str, Any]) -> str:
    """A label a line."""
    known = {label: text_of(value) for label, value in rows.items() if value is not None}
    width = max((len(label) for label in known), default=0)
    return "\n".join(f"{label.ljust(width)}{_GAP}{value}" for label, value in known.items())


def look_up(item: Mapping[str, Any], field: str) -> Any:
    """`lastError.code`, or None where the way ends."""
    value: Any = item
    for part in field.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def text_of(value: Any) -> str:
    """As a person reads it; control characters cannot move a terminal's cursor."""
    match value:
        case None | "" | []:
            return _NOTHING
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(text_of(inner) for inner in value)
        case Mapping():
            return ", ".join(f"{text_of(name)}={text_of(inner)}" for name, inner in value.items())
        case _:
            return "".join(char if char.isprintable() else "?" for char in str(value))
