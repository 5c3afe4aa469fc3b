"""Templates, and how values from outside become text."""

import re
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ops.output import text_of

FOLDER: Final = Path(__file__).parent
_MAX_CHARS: Final = 300
_MINUTE_SECONDS: Final = 60
_HOUR_SECONDS: Final = 3_600
_DAY_SECONDS: Final = 86_400
_SPACES: Final = re.compile(r"[\r\n\t]+")


def environment() -> Environment:
    """Everything is escaped; a name that a screen forgot is an error."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"shown": shown, "whole": whole, "moment": moment, "age": age, "words": words, "number": number}
    return made


def shown(value: object) -> Markup:
    """A value from outside, cut off, isolated from the direction and the controls of the text around it."""
    text = _text(value)
    if len(text) > _MAX_CHARS:
        text = f"{text[:_MAX_CHARS]}… ({len(text):,} characters)"
    return Markup("<bdi>{}</bdi>").format(text)


def whole(value: object) -> Markup:
    """The same, not cut off."""
    return Markup("<bdi>{}</bdi>").format(_text(value))


def words(value: object) -> str:
    """`IN_REVIEW` or `operationStatus` as words."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_.-]", " ", str(value))
    return spaced[:1].upper() + spaced[1:].lower()


def number(value: float | None) -> str:
    """With at most three significant digits below a thousand."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def moment(value: str | None) -> Markup:
    """An RFC 3339 time."""
    if not value:
        return Markup("-")
    at = time_of(value)
    return Markup('<time datetime="{}">{}</time>').format(value, at.strftime("%Y-%m-%d %H:%M:%S UTC"))


def time_of(value: str) -> datetime:
    """Of an RFC 3339 text in UTC."""
    return datetime.fromisoformat(value).astimezone(UTC)


def age(seconds: float) -> str:
    """The two largest units: `3 d 4 h`."""
    rest = int(abs(seconds))
    units = (("d", _DAY_SECONDS), ("h", _HOUR_SECONDS), ("min", _MINUTE_SECONDS), ("s", 1))
    for (name, size), (lower_name, lower_size) in pairwise(units):
        if rest >= size:
            lower = rest % size // lower_size
            return f"{rest // size} {name} {lower} {lower_name}" if lower else f"{rest // size} {name}"
    return f"{rest} s"


def _printable(value: object) -> object:
    """Whatever a template writes: no control can turn or hide the text beside it. Lines stay lines."""
    if isinstance(value, str) and not isinstance(value, Markup) and not value.isprintable():
        return "".join(char if char.isprintable() or char in "\n\t" else "?" for char in value)
    return value


def _text(value: object) -> str:
    """Line ends are spaces here: `text_of` would show them as question marks."""
    if isinstance(value, str):
        value = _SPACES.sub(" ", value)
    return text_of(value)
