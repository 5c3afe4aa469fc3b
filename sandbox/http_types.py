"""A request and a reply as data, so that a server, a Lambda function and a simulation can use a simulator."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

MAX_BODY_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Header names are lower case; each query parameter has one value."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        """The body as an object. Raises `BadRequestError`."""
        try:
            value = json.loads(self.body, parse_float=Fraction)
        except (ValueError, RecursionError):
            raise BadRequestError("the body is no JSON") from None
        if not isinstance(value, dict):
            raise BadRequestError("the body is no object")
        return value

    def basic(self) -> tuple[str, str] | None:
        """User and password of HTTP Basic."""
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return user, password


class Fraction(str):
    """A JSON number with a fraction, kept as its text, because a float could change the amount."""

    __slots__ = ()


class BadRequestError(Exception):
    """The simulator answers with the provider's validation error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A server waits `hold_seconds` before the answer; with `drop` it resets the connection instead of answering.

    With `close_port_seconds` it refuses all connections for so long after this answer.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hold_seconds: float = 0.0
    drop: bool = False
    close_port_seconds: float = 0.0

    def held(self, seconds: float) -> "Reply":
        """The same reply, delayed."""
        return replace(self, hold_seconds=self.hold_seconds + seconds)

    def closing_port(self, seconds: float) -> "Reply":
        """The same reply; the server closes its port after it."""
        return replace(self, close_port_seconds=seconds)


def json_reply(status: int, body: Any, **headers: str) -> Reply:
    """A JSON answer; keyword names become header names, with dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = json.dumps(body, separators=(",", ":")).encode()
    return Reply(status=status, body=data, headers={"content-type": "application/json", **named})


def html_reply(status: int, text: str) -> Reply:
    """An HTML page: for the payer's browser, or in place of JSON."""
    return Reply(status=status, body=text.encode(), headers={"content-type": "text/html; charset=utf-8"})
