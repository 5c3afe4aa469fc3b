"""Rules for URLs of payers' returns and of merchants' webhook endpoints."""

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

from payflowx.domain.shared.limits import MAX_URL_CHARS
from payflowx.domain.shared.text import is_clean

_LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_LOCAL_SUFFIXES: Final = (".local", ".localhost", ".internal", ".lan", ".home", ".test", ".invalid")
_MAX_HOST_CHARS: Final = 253
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
"""A part of a host name (RFC 1123), with the underscore that some names have.

Browsers decode a percent sign in a host: `10.0.0%2e1` is an address of a private network there.
"""

_PORTS: Final = {"https": 443, "http": 80}
_ENCODED: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]")


def why_not_allowed(url: str, *, loopback_allowed: bool = False) -> str | None:
    """Return the reason why a URL is refused; None when it is a public one, or this machine's where that is allowed."""
    if loopback_allowed and is_loopback_url(url):
        return None
    if len(url) > MAX_URL_CHARS:
        return f"it is longer than {MAX_URL_CHARS} characters"
    if not url.isascii() or not is_clean(url) or " " in url or "\\" in url:
        return "it holds characters that must be percent-encoded or written in Punycode"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "it is not a valid URL"
    if parts.scheme != "https":
        return "it does not begin with https://"
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        return "it holds a user name or password"
    if port not in (None, 443):
        return "it names a port other than 443"
    if "[" in parts.netloc and not _is_ip_literal(host):
        return "its host is no host name"
    return _why_not_host(host)


def is_loopback_url(url: str) -> bool:
    """Return whether a plain http address names this machine.

    Developers need that; elsewhere only attackers use it.
    """
    if len(url) > MAX_URL_CHARS or not url.isascii() or not is_clean(url) or " " in url or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return parts.scheme == "http" and host in _LOOPBACK_HOSTS and "@" not in parts.netloc


def same_address(one: str, other: str) -> bool:
    """Return whether two allowed URLs are spellings of one address: what is posted to one arrives at the other.

    By RFC 3986, section 6.2.2 and 6.2.3: case of scheme and host, port of the scheme, empty path, percent-encoding. A
    dot after the host and what follows `#` make no difference either. Paths with `.` and `..` are sent as they are.
    """
    return _normal_form(one) == _normal_form(other)


def _normal_form(url: str) -> tuple[str, str, int | None, str, str]:
    parts = urlsplit(url)
    host, port = (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme)
    return parts.scheme, host, port, _decoded(parts.path or "/"), _decoded(parts.query)


def _decoded(text: str) -> str:
    """Decode what needs no percent-encoding; the rest is encoded with capital letters."""
    return _ENCODED.sub(lambda found: _decoded_character(found[0]), text)


def _decoded_character(encoded: str) -> str:
    character = chr(int(encoded[1:], 16))
    return character if _UNRESERVED.fullmatch(character) else encoded.upper()


def _why_not_host(host: str) -> str | None:
    host = host.rstrip(".").lower()
    if _is_ip_literal(host):
        return "it names an IP address instead of a host"
    labels = host.split(".")
    if len(host) > _MAX_HOST_CHARS or not all(_LABEL.fullmatch(label) for label in labels if label):
        return "its host is no host name"
    if len(labels) < 2 or not all(labels) or host.endswith(_LOCAL_SUFFIXES):
        return "its host is not public"
    if any(label.startswith("xn--") for label in labels):
        return "its host is an internationalized name, which can imitate another one"
    return None


def _is_ip_literal(host: str) -> bool:
    """Recognize the spellings that browsers accept too: 127.1, 0x7f.1, 2130706433."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        last = host.rsplit(".", 1)[-1]
        return last.isdigit() or last.startswith("0x")
    return True
