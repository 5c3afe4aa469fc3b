"""Posts to addresses that merchants have given us: the one place where a stranger says whom we call.

A name is resolved once, every address it has must be a public one, and the connection goes to an address that was
checked: between the check and the call no DNS answer can change it. Certificates are still checked by the name.
"""

import contextlib
import email.utils
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from payflowx.adapters.platform.tls import tls_context
from payflowx.adapters.webhooks.connections import (
    EndpointConnection,
    NotOpenedError,
    Origin,
    TlsEndpointConnection,
)
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
TOO_SLOW: Final = "too_slow"
_STRAY_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_TAKEN: Final = "/?:@!$&'()*+,;=%"
"""Beside letters, digits and `_.-~` (RFC 3986, section 3.3 and 3.4)."""
_HTTPS_PORT: Final = 443
_HTTP_PORT: Final = 80

Resolve = Callable[[str, int], Sequence[str]]


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
            origin = _origin_of(parts)
            connection = self._connection(origin, self._checked(origin), ends_at)
        except (ValueError, HTTPException):
            return NotAnswered(code="url_not_allowed")
        except NotOpenedError as error:
            return NotAnswered(code=error.code)
        try:
            return self._exchange(connection, _target_of(parts), headers, body)
        finally:
            connection.leave()

    def _checked(self, origin: Origin) -> Sequence[str]:
        """All or nothing: a name with one private address among public ones is refused."""
        is_plain = origin.scheme == "http" and self._loopback_allowed
        if not origin.host or not (is_plain or origin.scheme == "https"):
            raise NotOpenedError("url_not_allowed")
        addresses = _in_time(self._resolve, origin.host, origin.port)
        is_allowed = is_loopback if is_plain else is_public
        if not addresses:
            raise NotOpenedError("name_not_resolved")
        if not all(is_allowed(address) for address in addresses):
            raise NotOpenedError("address_not_allowed")
        return addresses[:MAX_ADDRESSES_TRIED]

    def _connection(self, origin: Origin, addresses: Sequence[str], ends_at: float) -> EndpointConnection:
        given: dict[str, Any] = {
            "timeout": self._total_seconds,
            "addresses": addresses,
            "ends_at": ends_at,
            "connect_seconds": self._connect_seconds,
        }
        if origin.scheme == "http":
            return EndpointConnection(origin.host, origin.port, **given)
        return TlsEndpointConnection(
            origin.host, origin.port, cert_reqs="CERT_REQUIRED", ssl_context=self._tls, **given
        )

    def _exchange(self, connection: EndpointConnection, target: str, headers: Mapping[str, str], body: bytes) -> Posted:
        try:
            response = _answer(connection, target, headers, body)
        except NotOpenedError as error:
            return NotAnswered(code=error.code)
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            return NotAnswered(code=TOO_SLOW if connection.is_cut_off else _code_of(error))
        _drain(response)
        return Answered(
            status=response.status,
            retry_after_seconds=_seconds_of(response.headers.get("retry-after", ""), self._now_ms()),
        )


def _origin_of(url: SplitResult) -> Origin:
    port = url.port or (_HTTPS_PORT if url.scheme == "https" else _HTTP_PORT)
    return Origin(scheme=url.scheme, host=url.hostname or "", port=port)


def _target_of(url: SplitResult) -> str:
    """The path and the query as the merchant wrote them, with what HTTP does not take percent-encoded."""
    target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    return quote(_STRAY_PERCENT.sub("%25", target), safe=_TAKEN)


def _answer(
    connection: EndpointConnection, target: str, headers: Mapping[str, str], body: bytes
) -> urllib3.BaseHTTPResponse:
    """The answer's head. Raises what sockets, TLS and HTTP raise."""
    connection.connect()
    # A server may refuse, and close, before it has read all: its answer counts.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.request("POST", target, body=body, headers=headers, preload_content=False, decode_content=False)
    return connection.getresponse()


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
        if isinstance(chain, TimeoutError):
            return TOO_SLOW
        chain = chain.__cause__ or chain.__context__
    return "tls_failed" if "SSL" in type(error).__name__ else "connection_lost"
