"""Reads a payer's request: an event of a REST API, with a limit on everything."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

_MAX_BODY_BYTES: Final = 4096
_MAX_FIELDS: Final = 10
_FORM: Final = "application/x-www-form-urlencoded"


class MalformedBodyError(Exception):
    """The body is no form of ours."""


class BodyTooLargeError(Exception):
    """The body has more bytes than any form of ours."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """`event` is the proxy event of a REST API. No part of it may reach a log: its path bears a token."""

    event: Mapping[str, Any]

    @property
    def request_id(self) -> str:
        """API Gateway's id of this request; also in its access log."""
        return str((self.event.get("requestContext") or {}).get("requestId", ""))

    @property
    def method(self) -> str:
        return str(self.event.get("httpMethod", ""))

    @property
    def route(self) -> str:
        """The route's template, such as `/checkout/{token}`."""
        return str(self.event.get("resource", ""))

    def path_parameter(self, name: str) -> str:
        """Return a part of the path; an empty text if it is not there."""
        return str((self.event.get("pathParameters") or {}).get(name) or "")

    def query(self, name: str) -> str | None:
        """Return the parameter's last value. Providers add any parameters; none of them is trusted."""
        return (self.event.get("queryStringParameters") or {}).get(name)

    def form(self) -> Mapping[str, str]:
        """Return the fields of the form, each with its last value.

        Raises `BodyTooLargeError` and `MalformedBodyError`.
        """
        text = self._body().decode("ascii")
        if text and not self._is_form():
            raise MalformedBodyError
        try:
            pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
        except ValueError:  # UnicodeDecodeError is one
            raise MalformedBodyError from None
        return dict(pairs)

    def _is_form(self) -> bool:
        headers = self.event.get("headers") or {}
        found = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
        return str(found).partition(";")[0].strip().lower() == _FORM

    def _body(self) -> bytes:
        """Raises `BodyTooLargeError` and `MalformedBodyError`."""
        text = str(self.event.get("body") or "")
        if len(text) > 2 * _MAX_BODY_BYTES:
            raise BodyTooLargeError
        try:
            data = base64.b64decode(text, validate=True) if self.event.get("isBase64Encoded") else text.encode("ascii")
        except ValueError:  # also what is not ASCII
            raise MalformedBodyError from None
        if len(data) > _MAX_BODY_BYTES:
            raise BodyTooLargeError
        if not data.isascii():
            raise MalformedBodyError
        return data
