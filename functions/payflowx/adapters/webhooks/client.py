"""Posts to addresses that merchants have given us: the one place where a stranger says whom we call.

A name is resolved once, every address it has must be a public one, and the connection goes to an address that was
checked: between the check and the call no DNS answer can change it. Certificates are still checked by the name.
"""

import contextlib
import email.utils
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from http.client import HTTPResponse as RawResponse
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from payflowx.adapters.platform.body_limit import CutOff
from payflowx.adapters.platform.tls import tls_context
from payflowx.domain.outbound_webhooks.merchant_events import Answered, NotAnswered, Posted
from payflowx.domain.shared.addresses import is_loopback, is_public
from payflowx.domain.shared.limits import (
    DAY_MS,
    MAX_ADDRESSES_TRIED,
    MAX_POST_ANSWER_BYTES,
    POST_TIMEOUT_SECONDS,
    SECOND_MS,
)

CONNECT_TIMEOUT_SECONDS: Final = 3.0
RESOLVE_TIMEOUT_SECONDS: Final = 4.0
_HTTPS_PORT: Final = 443
_HTTP_PORT: Final = 80

Resolve = Callable[[str, int], Sequence[str]]


class _RefusedError(Exception):
    """Nothing was sent; the code says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class UrllibWebhookClient:
    """Implements `WebhookClient`: one try, no redirects, 15 seconds in all, 64 KB of answer at most, no proxy."""

    def __init__(
        self,
        *,
        loopback_allowed: bool,
        now_ms: Callable[[], int],
        resolve: Resolve | None = None,
        total_seconds: float = POST_TIMEOUT_SECONDS,
        connect_seconds: float = CONNECT_TIMEOUT_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._loopback_allowed = loopback_allowed
        self._now_ms = now_ms
        self._resolve = resolve or _addresses
        self._total_seconds = total_seconds
        self._connect_seconds = connect_seconds
        self._tls = tls or tls_context()

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted:
        """Never raises: what cannot be understood is no answer."""
        ends_at = time.monotonic() + self._total_seconds
        try:
            parts = urlsplit(url)
            scheme, host = parts.scheme, parts.hostname or ""
            port = parts.port or (_HTTPS_PORT if scheme == "https" else _HTTP_PORT)
            addresses = self._checked(scheme, host, port)
        except ValueError:
            return NotAnswered(code="url_not_allowed")
        except _RefusedError as error:
            return NotAnswered(code=error.code)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        with self._pool(scheme, host, port, addresses, ends_at) as pool:
            return self._exchange(pool, target, headers, body)

    def _checked(self, scheme: str, host: str, port: int) -> Sequence[str]:
        """All or nothing: a name with one private address among public ones is refused."""
        is_plain = scheme == "http" and self._loopback_allowed
        if not host or not (is_plain or scheme == "https"):
            raise _RefusedError("url_not_allowed")
        addresses = _in_time(self._resolve, host, port)
        is_allowed = is_loopback if is_plain else is_public
        if not addresses:
            raise _RefusedError("name_not_resolved")
        if not all(is_allowed(address) for address in addresses):
            raise _RefusedError("address_not_allowed")
        return addresses[:MAX_ADDRESSES_TRIED]

    def _pool(self, scheme: str, host: str, port: int, addresses: Sequence[str], ends_at: float) -> HTTPConnectionPool:
        given: dict[str, Any] = {
            "timeout": urllib3.Timeout(connect=self._connect_seconds, read=self._total_seconds),
            "retries": False,
            "pinned": _Pin(addresses, ends_at, self._connect_seconds),
        }
        if scheme == "http":
            return _PlainPool(host, port, **given)
        return _TlsPool(host, port, cert_reqs="CERT_REQUIRED", ssl_context=self._tls, **given)

    def _exchange(self, pool: HTTPConnectionPool, target: str, headers: Mapping[str, str], body: bytes) -> Posted:
        try:
            response = pool.urlopen(
                "POST",
                target,
                body=body,
                headers=dict(headers),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except _RefusedError as error:
            return NotAnswered(code=error.code)
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            return NotAnswered(code=_code_of(error))
        _drain(response)
        return Answered(
            status=response.status,
            retry_after_seconds=_seconds_of(response.headers.get("retry-after", ""), self._now_ms()),
        )


@dataclass(frozen=True, slots=True)
class _Pin:
    """Where a connection may go, and until when. `ends_at` is a time of the monotonic clock, in seconds."""

    addresses: Sequence[str]
    ends_at: float
    connect_seconds: float


class _Pinned(HTTPConnection):
    """Connects to addresses that were checked, and to no other; all that follows has one end."""

    def __init__(self, *args: Any, pinned: _Pin, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pin = pinned
        self._cut_off = CutOff()
        self._second: socket.socket | None = None
        self.response_class = _BoundedResponse

    def _new_conn(self) -> socket.socket:
        sock = self._open()
        # TLS takes the socket over, and a handshake may drip as well: the cut-off has a handle of its own.
        self._second = sock.dup()
        self._cut_off.arm(self._second, max(0.0, self._pin.ends_at - time.monotonic()))
        return sock

    def _open(self) -> socket.socket:
        """Try the addresses in turn: another address of the host may answer."""
        code = "connection_failed"
        for address in self._pin.addresses:
            left = self._pin.ends_at - time.monotonic()
            if left <= 0:
                raise _RefusedError("connect_timeout")
            try:
                sock = socket.create_connection((address, self.port), timeout=min(left, self._pin.connect_seconds))
            except TimeoutError:
                code = "connect_timeout"
            except ConnectionRefusedError:
                code = "connection_refused"
            except OSError:
                code = "connection_failed"
            else:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return sock
        raise _RefusedError(code)

    def close(self) -> None:
        self._cut_off.disarm()
        if self._second is not None:
            self._second.close()
            self._second = None
        super().close()


class _PinnedTls(_Pinned, HTTPSConnection):
    """The same over TLS; the certificate must be the name's."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Pinned


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _PinnedTls


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


def _drain(response: urllib3.BaseHTTPResponse) -> None:
    """Let the endpoint finish what it says, within size and time. Its status is what counts, and is known already."""
    with contextlib.suppress(HTTPError, HTTPException, OSError, ValueError):
        response.read(MAX_POST_ANSWER_BYTES, decode_content=False)
    response.close()


def _addresses(host: str, port: int) -> Sequence[str]:
    """IPv4 first: a function has no way out over IPv6 unless its network was given one."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    ordered = sorted(found, key=lambda info: info[0] is not socket.AF_INET)
    return tuple(dict.fromkeys(str(info[4][0]) for info in ordered))


def _in_time(resolve: Resolve, host: str, port: int) -> Sequence[str]:
    """The system's resolver knows no deadline, and a stranger's name server may be slow on purpose."""
    found: list[Sequence[str]] = []

    def ask() -> None:
        with contextlib.suppress(OSError, UnicodeError):
            found.append(resolve(host, port))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(RESOLVE_TIMEOUT_SECONDS)
    return found[0] if found else ()


def _seconds_of(retry_after: str, now_ms: int) -> int:
    """Seconds or an HTTP date; 0 for anything else. The scheduler bounds it."""
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        return int(text[:9])
    try:
        at = email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0
    return min(max(0, int(at) - now_ms // SECOND_MS), 10 * DAY_MS // SECOND_MS)


def _code_of(error: Exception) -> str:
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, _RefusedError):
            return chain.code
        if isinstance(chain, TimeoutError):
            return "too_slow"
        chain = chain.__cause__ or chain.__context__
    return "tls_failed" if "SSL" in type(error).__name__ else "connection_lost"
