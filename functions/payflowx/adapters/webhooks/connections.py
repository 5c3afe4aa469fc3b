"""Connections to merchants' endpoints: to addresses that were checked, each post with one end, kept for seconds."""

import io
import socket
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import HTTPResponse as RawResponse
from typing import Any, Final

from urllib3.connection import HTTPConnection, HTTPSConnection

from payflowx.adapters.platform.body_limit import CutOff
from payflowx.adapters.platform.idle import CLOCKS, Clocks, Idleness
from payflowx.domain.shared.limits import MAX_POST_ANSWER_BYTES

MOST_KEPT: Final = 20
"""Ten messages at once, each for the endpoints of a merchant, mostly for those of the same few merchants."""


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
    """Connects to addresses that were checked, and to no other; each post on it has one end."""

    def __init__(
        self, host: str, port: int, *, addresses: Sequence[str], connect_seconds: float, clocks: Clocks, **kwargs: Any
    ) -> None:
        super().__init__(host, port, **kwargs)
        self.response_class = _BoundedResponse
        self.address = ""
        """The one of the addresses that it goes to, once it is open."""
        self.idleness = Idleness(clocks)
        self._addresses = addresses
        self._connect_seconds = connect_seconds
        self._ends_at = 0.0
        self._cut_off = CutOff()
        self._second: socket.socket | None = None

    def begin_post(self, ends_at: float) -> None:
        """Open it, or give it a new end: a time of the monotonic clock, in seconds.

        Raises `NotOpenedError`, and what TLS raises.
        """
        self._ends_at = ends_at
        if self.sock is None:
            self.connect()
        else:
            self._arm()

    @property
    def is_cut_off(self) -> bool:
        """Whether the post's time was over before its answer."""
        return self._cut_off.struck

    def end_post(self) -> bool:
        """The answer is read. Return whether the connection is still open and can take another post."""
        self._cut_off.disarm()
        self.idleness.begin()
        return self.sock is not None and not self._cut_off.struck

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
        self._arm()
        return sock

    def _arm(self) -> None:
        if self._second is not None:
            self._cut_off.arm(self._second, max(0.0, self._ends_at - time.monotonic()))

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
                self.address = address
                return sock
        raise NotOpenedError(code)


class TlsEndpointConnection(EndpointConnection, HTTPSConnection):
    """The same over TLS; the certificate must be the name's."""


@dataclass(slots=True, weakref_slot=True, eq=False)
class KeptConnections:
    """The idle connections. The next post to the same origin saves the handshakes of TCP and TLS, and their time.

    A kept connection is used only where its address is one of those that were checked for this very post.
    """

    clocks: Clocks = CLOCKS
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _idle: list[tuple[Origin, EndpointConnection]] = field(default_factory=list)
    """The one that was used last at the end."""

    def __post_init__(self) -> None:
        weakref.finalize(self, _leave_all, self._idle)

    def take(self, origin: Origin, addresses: Sequence[str]) -> EndpointConnection | None:
        """Return one that can be used, and close those that cannot."""
        while (connection := self._last(origin)) is not None:
            if connection.address in addresses and connection.idleness.is_fresh() and connection.is_connected:
                return connection
            connection.leave()
        return None

    def keep(self, origin: Origin, connection: EndpointConnection) -> None:
        """Keep it for the next post; beyond the limit the oldest one is closed."""
        with self._lock:
            self._idle.append((origin, connection))
            dropped = [self._idle.pop(0)[1] for _ in range(len(self._idle) - MOST_KEPT)]
        for oldest in dropped:
            oldest.leave()

    def _last(self, origin: Origin) -> EndpointConnection | None:
        with self._lock:
            for place in reversed(range(len(self._idle))):
                if self._idle[place][0] == origin:
                    return self._idle.pop(place)[1]
        return None


def _leave_all(idle: Sequence[tuple[Origin, EndpointConnection]]) -> None:
    for _, connection in idle:
        connection.leave()


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
