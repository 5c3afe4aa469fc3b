"""HTTP by the standard library: no redirects, no proxies, and a limit on everything."""

import http.client
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urlsplit

MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
_CHUNK_BYTES: Final = 64 * 1024
_LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}


class NotSentError(Exception):
    """No connection was made: the API has certainly not seen the request."""


class NoAnswerError(Exception):
    """The request was sent, at least in part, and no whole answer came."""


@dataclass(frozen=True, slots=True)
class Request:
    """`target` is the path with the query, as it stands in the request line. Headers hold the API key."""

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Transport(Protocol):
    """Sends one request once."""

    def __call__(self, request: Request, *, timeout_seconds: float) -> Answer:
        """Raises `NotSentError`, `NoAnswerError`."""
        ...


class HttpTransport:
    """One connection for each request: a connection that the server closed meanwhile would look like a lost answer.

    The timeout bounds connecting, each wait for bytes, and reading of the whole body.
    """

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        if (
            parts.scheme not in {"https", "http"}
            or not parts.hostname
            or parts.query
            or parts.fragment
            or "@" in parts.netloc
        ):
            raise ValueError("base_url is https://host, with a path if the API has one")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError("base_url must be https: the API key would be readable on the way")
        self._host, self._port = parts.hostname, parts.port
        self._prefix = parts.path.rstrip("/")
        self._context = ssl.create_default_context() if parts.scheme == "https" else None

    def __call__(self, request: Request, *, timeout_seconds: float) -> Answer:
        until = time.monotonic() + timeout_seconds
        connection = self._connection(timeout_seconds)
        try:
            try:
                connection.connect()
            except OSError as error:
                raise NotSentError(type(error).__name__) from error
            try:
                headers = dict(request.headers)
                connection.request(request.method, self._prefix + request.target, request.body, headers)
                response = connection.getresponse()
                body = _read(response, until)
            except (OSError, http.client.HTTPException) as error:
                raise NoAnswerError(type(error).__name__) from error
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)
        finally:
            connection.close()

    def _connection(self, timeout_seconds: float) -> http.client.HTTPConnection:
        if self._context is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout_seconds)
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout_seconds, context=self._context)


def _read(response: http.client.HTTPResponse, until: float) -> bytes:
    body = bytearray()
    while chunk := response.read1(_CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise NoAnswerError("the answer is too large")
        if time.monotonic() > until:
            raise NoAnswerError("the answer took too long")
    if response.length:
        raise NoAnswerError("the answer is incomplete")
    return bytes(body)
