"""A plain address before the engine's API: http://127.0.0.1:3000/payments instead of a long path.

It does what API Gateway does before a function is called: it reads a request whole, whether its length is declared or
it comes in chunks, limits its size and the time of the answer, and limits how many are in progress. The engine's own
server would start a process for each request that it cannot serve at once.
"""

import asyncio
import contextlib
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import httpx
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from local.admission import Admission, Limits, QueueFullError
from local.errors import LocalEnvironmentError
from local.gateway_answers import BAD_BODY, FAILURE, THROTTLED, TIMEOUT, TOO_LARGE, GatewayAnswer
from sandbox.asgi_server import HOST, AsgiServer, listen

_MAX_BODY_BYTES: Final = 10 * 1024 * 1024
"""What API Gateway takes at most."""
_BODY_SECONDS: Final = 20.0
_ANSWER_SECONDS: Final = 29.0
"""When API Gateway gives up on an integration."""
_ENGINE_SECONDS: Final = 60.0
"""Longer than any function's timeout: a place at the engine is free only when its function has ended."""
_REMEMBERED: Final = 10_000

Header = tuple[bytes, bytes]
_HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_NOT_FORWARDED: Final = _HOP_BY_HOP | {b"host", b"content-length", b"expect"}
_NOT_RETURNED: Final = _HOP_BY_HOP | {b"content-length", b"date", b"server"}


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, for API Gateway's metrics. `milliseconds` leaves out the time in the queue, which AWS has not."""

    status: int
    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """An API of the engine. `path_prefix`: the paths that it serves; `answers`: its own, by response type."""

    path_prefix: str
    target: str
    answers: Mapping[str, GatewayAnswer]


class GatewayServer:
    """Listens on `port` from its construction on. Raises `LocalEnvironmentError` when the port is taken.

    `others` serve their own paths, and `target` all the rest. Only the answers of the rest are metrics of the API.
    """

    def __init__(
        self,
        port: int,
        target: str,
        answers: Mapping[str, GatewayAnswer],
        limits: Limits,
        others: Sequence[Backend] = (),
    ) -> None:
        try:
            listener = listen(port)
        except (OSError, OverflowError) as error:
            raise LocalEnvironmentError(_busy(port)) from error
        self.url = f"http://{HOST}:{listener.getsockname()[1]}"
        self.answered: deque[Answered] = deque(maxlen=_REMEMBERED)
        """The last answers, the oldest first."""
        rest = Backend(path_prefix="/", target=target, answers=answers)
        self._server = AsgiServer(_Forwarder((*others, rest), limits, self.answered).app(), listener)

    def start(self) -> None:
        """Serve in the background."""
        self._server.start()

    def stop(self) -> None:
        """Close the port."""
        self._server.stop()


def check_port(port: int) -> None:
    """Raises `LocalEnvironmentError` before anything is started, rather than after a minute."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise LocalEnvironmentError(_busy(port)) from error


def _busy(port: int) -> str:
    return f"Port {port} cannot be used: another process listens there. Choose another one, such as PORT={port + 1}."


class _RefusedError(Exception):
    """Raised with the response type of API Gateway's own answer."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def _backend_of(path: str, backends: Sequence[Backend]) -> Backend:
    """Return the first one that serves the path; the last one serves every path."""
    return next(backend for backend in backends if path.startswith(backend.path_prefix))


class _Forwarder:
    """The ASGI application. Everything but its construction happens in the server's event loop."""

    def __init__(self, backends: Sequence[Backend], limits: Limits, answered: deque[Answered]) -> None:
        self._backends, self._answered = backends, answered
        self._limits = limits
        self._admission: Admission
        self._client: httpx.AsyncClient
        self._calls: set[asyncio.Task[Response]] = set()

    def app(self) -> Starlette:
        return Starlette(routes=[Mount("/", app=self._serve)], lifespan=self._lifespan)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self._admission = Admission(self._limits)
        at_once = self._limits.at_once
        limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once, keepalive_expiry=30)
        timeout = httpx.Timeout(_ENGINE_SECONDS, connect=5)
        async with httpx.AsyncClient(limits=limits, timeout=timeout, trust_env=False) as self._client:
            yield
            for call in self._calls:
                call.cancel()
            await asyncio.gather(*self._calls, return_exceptions=True)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        backend = _backend_of(scope["path"], self._backends)
        try:
            response, milliseconds = await self._answer(request, backend)
        except ClientDisconnect:
            return  # nothing was forwarded, and nobody waits for an answer
        except _RefusedError as refused:
            response, milliseconds = _refusal(refused.kind, backend), 0
        if backend is self._backends[-1]:
            self._answered.append(Answered(response.status_code, milliseconds))
        await response(scope, receive, send)

    async def _answer(self, request: Request, backend: Backend) -> tuple[Response, int]:
        """Return the answer, and how many milliseconds it took from its admission on."""
        body = await _whole_body(request)
        try:
            await self._admission.enter()
        except QueueFullError:
            raise _RefusedError(THROTTLED) from None
        started = time.monotonic()
        call = asyncio.create_task(self._call(request, body, backend))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        # A call goes on when its client's time is over, as a function does on AWS, and keeps its place until it ends.
        done, _ = await asyncio.wait({call}, timeout=_ANSWER_SECONDS)
        response = call.result() if done else _refusal(TIMEOUT, backend)
        return response, int((time.monotonic() - started) * 1000)

    async def _call(self, request: Request, body: bytes, backend: Backend) -> Response:
        try:
            answer = await self._client.send(_forwarded(request, body, backend), stream=True)
            try:
                content = b"".join([part async for part in answer.aiter_raw()])
            finally:
                await answer.aclose()
        except httpx.HTTPError:
            return _refusal(FAILURE, backend)
        finally:
            self._admission.leave()
        return _returned(answer, content)


def _forwarded(request: Request, body: bytes, backend: Backend) -> httpx.Request:
    """The path goes as it came: normalized, `..` could leave the API's address at the engine."""
    base = httpx.URL(backend.target.rstrip("/"))
    target = base.raw_path + request.scope["raw_path"]
    if query := request.scope["query_string"]:
        target += b"?" + query
    headers = _without(request.headers.raw, _NOT_FORWARDED)
    return httpx.Request(request.method, base, headers=headers, content=body, extensions={"target": target})


def _refusal(kind: str, backend: Backend) -> Response:
    answer = backend.answers[kind]
    # The rest of a body that did not come in time would be taken for the next request.
    closing = {"Connection": "close"} if kind == BAD_BODY else {}
    return Response(answer.body(), status_code=answer.status, headers={**answer.headers, **closing})


async def _whole_body(request: Request) -> bytes:
    """Raises `_RefusedError` for a body that is too large or comes too slowly."""
    if int(request.headers.get("content-length") or 0) > _MAX_BODY_BYTES:
        raise _RefusedError(TOO_LARGE)
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > _MAX_BODY_BYTES:
                    raise _RefusedError(TOO_LARGE)
    except TimeoutError:
        raise _RefusedError(BAD_BODY) from None
    return bytes(body)


def _returned(answer: httpx.Response, content: bytes) -> Response:
    """Headers that occur twice stay two; a HEAD keeps the length of what a GET would have had."""
    response = Response(content, status_code=answer.status_code)
    length = [header for header in response.raw_headers if header[0] == b"content-length"]
    if answer.request.method == "HEAD":
        length = [(b"content-length", value.encode()) for value in answer.headers.get_list("content-length")[:1]]
    response.raw_headers = _without(answer.headers.raw, _NOT_RETURNED) + length
    return response


def _without(headers: Iterable[Header], names: frozenset[bytes]) -> list[Header]:
    """Also without those that a `Connection` header names."""
    kept = [(name.lower(), value) for name, value in headers]
    named = {part.strip().lower() for name, value in kept if name == b"connection" for part in value.split(b",")}
    return [(name, value) for name, value in kept if name not in names and name not in named]
