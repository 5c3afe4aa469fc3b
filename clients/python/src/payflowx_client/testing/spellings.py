"""Spellings of one address: the API registers it once, whatever its spelling."""

import re
from typing import Final
from urllib.parse import urlsplit

_PORTS: Final = {"https": 443, "http": 80}
_ENCODED: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]")
_ALLOWED: Final = re.compile(r"https://|http://(?:127\.0\.0\.1|localhost)(?:[:/?#]|$)", re.IGNORECASE)


def is_allowed(url: str) -> bool:
    """Whether the double takes the address: a public one, or one of this machine."""
    try:
        normal_form(url)
    except ValueError:
        return False
    return _ALLOWED.match(url) is not None


def normal_form(url: str) -> tuple[str, str, int | None, str, str]:
    """The same for all spellings: case of scheme and host, port, empty path, percent-encoding, `#...`.

    Raises ValueError for a port that is none.
    """
    parts = urlsplit(url)
    host, port = (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme)
    return parts.scheme, host, port, _decoded(parts.path or "/"), _decoded(parts.query)


def _decoded(text: str) -> str:
    return _ENCODED.sub(lambda found: _decoded_character(found[0]), text)


def _decoded_character(encoded: str) -> str:
    character = chr(int(encoded[1:], 16))
    return character if _UNRESERVED.fullmatch(character) else encoded.upper()
