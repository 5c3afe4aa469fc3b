"""HTTP by the standard library: no redirects, no proxies, and a limit on everything."""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
_CHUNK_BYTES: Final = 64 * 1024
_FIRST_FINAL_STATUS: Final = 200
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

    The timeout bounds the whole exchange, however slowly the server sends. Only the look-up of the name, which the
    standard library cannot bound, comes before it.
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
            connected = connection.sock
            connection.sock = _Deadline(connected, until)
            try:
                headers = dict(request.headers)
                connection.request(request.method, self._prefix + request.target, request.body, headers)
                response = connection.getresponse()
                if response.status < _FIRST_FINAL_STATUS:
                    raise NoAnswerError(
                        "an interim answer"
                    )  # `http.client` skips 100 only, and takes 103 for the answer
                body = _read(response)
            except (OSError, http.client.HTTPException) as error:
                raise NoAnswerError(type(error).__name__) from error
            finally:
                connected.close()
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)
        finally:
            connection.close()

    def _connection(self, timeout_seconds: float) -> http.client.HTTPConnection:
        if self._context is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout_seconds)
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout_seconds, context=self._context)


class _Deadline:
    """A socket, as far as `http.client` uses it, with one deadline for all that is sent and received."""

    def __init__(self, connected: socket.socket, until: float) -> None:
        self._connected, self._until = connected, until

    def in_time(self) -> socket.socket:
        """The socket, which waits no longer than until the deadline. Raises `TimeoutError` after it."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connected.settimeout(left)
        return self._connected

    def sendall(self, content: bytes) -> None:
        self.in_time().sendall(content)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Received(self))

    def close(self) -> None:
        """Nothing: the answer may still be read. The transport closes the socket."""


class _Received(io.RawIOBase):
    def __init__(self, source: _Deadline) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._source.in_time().recv_into(buffer)


def _read(response: http.client.HTTPResponse) -> bytes:
    body = bytearray()
    while chunk := response.read1(_CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise NoAnswerError("the answer is too large")
    if response.length:
        raise NoAnswerError("the answer is incomplete")
    return bytes(body)
