"""Sends a provider's request once, and knows whether it can have left.

The line is drawn at the connection: as long as a *new* one is being opened, nothing was sent. From then on, and on a
connection that is used again, anything may have arrived. So a connection is used again only while it is fresh: Lambda
freezes a sandbox after an invocation, networks forget an idle flow, and a request that is lost on it would be an
unknown outcome, although no server has seen it.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)

from payflowx.adapters.platform.body_limit import CutOff
from payflowx.adapters.platform.tls import tls_context
from payflowx.domain.shared.release import USER_AGENT
from payflowx.domain.shared.transport import (
    ANSWER_TOO_LARGE,
    HttpRequest,
    HttpResponse,
    HttpResult,
    NoAnswer,
    NoConnection,
)

CONNECT_TIMEOUT_SECONDS: Final = 2.0
READ_TIMEOUT_SECONDS: Final = 10.0
CALL_TIMEOUT_SECONDS: Final = 12.0
MAX_ANSWER_BYTES: Final = 256 * 1024
IDLE_LIMIT_SECONDS: Final = 3.0
"""A connection that was idle for longer is closed instead of being used again."""
Clocks = tuple[Callable[[], float], ...]
_CLOCKS: Final[Clocks] = (time.monotonic, time.time)
"""In seconds. A sandbox that is frozen may stop the first; somebody may set the second."""


class _NotOpenedError(Exception):
    """The connection could not be opened."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _open(connect: Callable[[], None]) -> None:
    try:
        connect()
    except NameResolutionError as error:
        raise _NotOpenedError("name_not_resolved") from error
    except NewConnectionError as error:  # before its base class, the timeout
        refused = isinstance(error.__cause__, ConnectionRefusedError)
        raise _NotOpenedError("connection_refused" if refused else "connection_failed") from error
    except (ConnectTimeoutError, TimeoutError) as error:
        raise _NotOpenedError("connect_timeout") from error
    except Exception as error:  # whatever it is, it happened before the first byte of the request
        raise _NotOpenedError("connection_failed") from error


class _Watched(HTTPConnection):
    """Tells a connection that was not opened from all that comes after, and keeps the call's total time."""

    call_timeout_seconds = CALL_TIMEOUT_SECONDS
    clocks: Clocks = _CLOCKS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cut_off = CutOff()
        self._idle_since: tuple[float, ...] | None = None

    @property
    def is_connected(self) -> bool:
        """The pool asks before it uses a connection again, and closes the one that says no."""
        return self._is_fresh() and super().is_connected

    def rest(self) -> None:
        """The answer is read: from now on the connection is idle."""
        self._idle_since = tuple(clock() for clock in self.clocks)

    def _is_fresh(self) -> bool:
        if self._idle_since is None:
            return True
        return all(
            clock() - since <= IDLE_LIMIT_SECONDS for clock, since in zip(self.clocks, self._idle_since, strict=True)
        )

    def connect(self) -> None:
        _open(self._connect)

    def _connect(self) -> None:
        super().connect()
        self._begin_call()

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:  # a connection that is used again
            self._begin_call()
        super().request(*args, **kwargs)

    def _begin_call(self) -> None:
        """Each call has a cut-off of its own: the pool may give the connection on before the last call is quite over.

        Over TLS, urllib3 connects before it requests, so a first call begins twice. Closing the connection does not end
        the time: the standard library closes it before the last answer is read.
        """
        self.cut_off.disarm()
        self.cut_off = CutOff()
        self.cut_off.arm(self.sock, self.call_timeout_seconds)


class _WatchedTls(_Watched, HTTPSConnection):
    """The same over TLS."""


def _pool_manager(call_timeout_seconds: float, clocks: Clocks) -> urllib3.PoolManager:
    given = {"call_timeout_seconds": call_timeout_seconds, "clocks": clocks}
    plain = type("Plain", (HTTPConnectionPool,), {"ConnectionCls": type("PlainConnection", (_Watched,), given)})
    tls = type("Tls", (HTTPSConnectionPool,), {"ConnectionCls": type("TlsConnection", (_WatchedTls,), given)})
    manager = urllib3.PoolManager(num_pools=20, maxsize=10, retries=False, ssl_context=tls_context())
    manager.pool_classes_by_scheme = {"http": plain, "https": tls}
    return manager


class Urllib3Client:
    """Implements `HttpClient`: one try, no redirects, 12 seconds in all, 256 KB at most, on a fresh connection."""

    def __init__(
        self,
        *,
        connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS,
        read_timeout_seconds: float = READ_TIMEOUT_SECONDS,
        call_timeout_seconds: float = CALL_TIMEOUT_SECONDS,
        clocks: Clocks = _CLOCKS,
    ) -> None:
        self._pools = _pool_manager(call_timeout_seconds, clocks)
        self._timeout = urllib3.Timeout(connect=connect_timeout_seconds, read=read_timeout_seconds)

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        """Never raises: what cannot be understood is no answer."""
        try:
            response = self._pools.request(
                request.method,
                endpoint.rstrip("/") + request.path,
                headers={"User-Agent": USER_AGENT, **request.headers},
                body=request.body or None,
                timeout=self._timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except _NotOpenedError as error:
            return NoConnection(code=error.code)
        except (HTTPError, OSError, ValueError) as error:
            return NoAnswer(code=_code_of(error))
        return _complete(response)


def _complete(response: urllib3.BaseHTTPResponse) -> HttpResult:
    """Read the body, but no more than the limit."""
    connection: _Watched = response.connection  # type: ignore[assignment]  # our own connection class
    cut_off = connection.cut_off
    try:
        body = response.read(MAX_ANSWER_BYTES + 1, decode_content=True)
    except (HTTPError, OSError, ValueError) as error:
        response.close()
        return NoAnswer(code="too_slow" if cut_off.struck else _code_of(error))
    finally:
        cut_off.disarm()
    if len(body) > MAX_ANSWER_BYTES:
        response.close()
        return NoAnswer(code=ANSWER_TOO_LARGE)
    if cut_off.struck:
        response.close()
        return NoAnswer(code="too_slow")
    connection.rest()
    response.release_conn()
    headers = {name.lower(): value for name, value in response.headers.items()}
    return HttpResponse(status=response.status, headers=headers, body=body)


def _code_of(error: Exception) -> str:
    return "read_timeout" if isinstance(error, ReadTimeoutError | TimeoutError) else "connection_lost"
