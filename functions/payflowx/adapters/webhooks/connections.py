"""A connection for one post to a merchant's endpoint: to an address that was checked, and with one end."""

import io
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPResponse as RawResponse
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection

from payflowx.adapters.platform.body_limit import CutOff
from payflowx.domain.shared.limits import MAX_POST_ANSWER_BYTES


class NotOpenedError(Exception):
    """Nothing was sent; the code says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a post goes: what a certificate names, and a port."""

    scheme: str
    host: str
    port: int


class EndpointConnection(HTTPConnection):
    """Connects to addresses that were checked, and to no other; all that follows has one end.

    It is not kept for the next post (decision 21 says why).
    """

    def __init__(
        self, host: str, port: int, *, addresses: Sequence[str], ends_at: float, connect_seconds: float, **kwargs: Any
    ) -> None:
        """`ends_at` is a time of the monotonic clock, in seconds."""
        super().__init__(host, port, **kwargs)
        self.response_class = _BoundedResponse
        self._addresses = addresses
        self._ends_at = ends_at
        self._connect_seconds = connect_seconds
        self._cut_off = CutOff()
        self._second: socket.socket | None = None

    @property
    def is_cut_off(self) -> bool:
        """Whether the post's time was over before its answer."""
        return self._cut_off.struck

    def leave(self) -> None:
        """Close it with all its handles.

        `close` alone does not: the standard library calls it before it reads the body of a last answer, whose time
        must end, too.
        """
        self._cut_off.disarm()
        if self._second is not None:
            self._second.close()
            self._second = None
        self.close()

    def _new_conn(self) -> socket.socket:
        sock = self._open()
        # TLS takes the socket over, and a handshake may drip as well: the cut-off has a handle of its own.
        self._second = sock.dup()
        self._cut_off.arm(self._second, max(0.0, self._ends_at - time.monotonic()))
        return sock

    def _open(self) -> socket.socket:
        """Try the addresses in turn: another address of the host may answer."""
        code = "connection_failed"
        for address in self._addresses:
            left = self._ends_at - time.monotonic()
            if left <= 0:
                raise NotOpenedError("connect_timeout")
            try:
                sock = socket.create_connection((address, self.port), timeout=min(left, self._connect_seconds))
            except TimeoutError:
                code = "connect_timeout"
            except ConnectionRefusedError:
                code = "connection_refused"
            except OSError:
                code = "connection_failed"
            else:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return sock
        raise NotOpenedError(code)


class TlsEndpointConnection(EndpointConnection, HTTPSConnection):
    """The same over TLS; the certificate must be the name's."""


class _BoundedResponse(RawResponse):
    """Status line, headers and body together have a size: beyond it the answer has ended."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Bounded(self.fp, MAX_POST_ANSWER_BYTES))


class _Bounded(io.RawIOBase):
    """Ends after so many bytes."""

    def __init__(self, inner: Any, most: int) -> None:
        self._inner = inner
        self._left = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Like the end of the stream once all is used up."""
        if self._left <= 0:
            return 0
        data = self._inner.read1(min(len(buffer), self._left))
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def close(self) -> None:
        self._inner.close()
        super().close()
