"""The static files: each name holds a hash of its content, so that a browser may keep it for good."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from payflowx.domain.merchants.checkout_profile import is_colour, text_colour_on

_FOLDER: Final = Path(__file__).parent / "assets"
_HASH_CHARS: Final = 16
_TYPES: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_ACCENT: Final = re.compile(r"accent-([0-9a-f]{6})\.css")
"""A merchant's colour is a stylesheet too: the page has no styles of its own, so that its policy can forbid them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFile:
    """A file whose name says all of its content."""

    name: str
    media_type: str
    text: str


def _loaded(file_name: str) -> StaticFile:
    path = _FOLDER / file_name
    text = path.read_text()
    digest = hashlib.sha256(text.encode()).hexdigest()[:_HASH_CHARS]
    return StaticFile(name=f"{path.stem}-{digest}{path.suffix}", media_type=_TYPES[path.suffix], text=text)


STYLES: Final = _loaded("page.css")
SCRIPT: Final = _loaded("page.js")
_BY_NAME: Final[Mapping[str, StaticFile]] = {file.name: file for file in (STYLES, SCRIPT)}


def accent_name(colour: str) -> str:
    """Return the name of the stylesheet with this colour, which must be `#rrggbb`."""
    return f"accent-{colour.removeprefix('#')}.css"


def find(name: str) -> StaticFile | None:
    """Return the file; None for an unknown name."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    found = _ACCENT.fullmatch(name)
    colour = f"#{found[1]}" if found else ""
    text = text_colour_on(colour) if is_colour(colour) else None
    if text is None:
        return None
    content = f":root {{ --accent: {colour}; --on-accent: {text}; }}\n"
    return StaticFile(name=name, media_type=_TYPES[".css"], text=content)
