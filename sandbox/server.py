"""A simulator as a real HTTP server on 127.0.0.1: it delays answers, drops connections and closes its port."""

import asyncio
import contextlib
import json
import threading
import time
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from sandbox.asgi_server import HOST, AsgiServer, listen
from sandbox.faults import Control
from sandbox.hosted_pages import lose_answers
from sandbox.http_types import MAX_BODY_BYTES, Reply, Request, json_reply
from sandbox.ledger import LedgerSimulator
from sandbox.simulator import Credentials, Simulator
from sandbox.simulators import ALL
from sandbox.store import MemoryStore
from sandbox.webhook_dispatcher import WebhookDispatcher, WebhookSource

_MAX_CLOSED_SECONDS: Final = 600
_REOPEN_SECONDS: Final = 0.1
_WAIT_SECONDS: Final = 0.5
_FEATURES: Final = frozenset({"card_preauth", "partial_capture", "pre_debit_required"})
"""The features that a real provider enables for an account, where its simulator has them."""


class SimulatorServer:
    """One provider on one port. `start`, `stop` and `wait` may be called from any thread.

    `webhook_secret` is for providers that sign webhooks with a secret of its own.
    """

    def __init__(
        self, provider: str, port: int, credentials: Credentials, *, webhook_secret: str | None = None
    ) -> None:
        self.control = Control()
        self.store = MemoryStore()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        listener = listen(port)
        self.port: int = listener.getsockname()[1]
        self._server = AsgiServer(self._app(), listener)
        options: dict[str, Any] = {} if webhook_secret is None else {"webhook_secret": webhook_secret}
        self.simulator: Simulator = ALL[provider](self.store, credentials, public_url=self.url, **options)
        self._dispatcher = (
            WebhookDispatcher(self.simulator, self._lock) if isinstance(self.simulator, WebhookSource) else None
        )

    @property
    def url(self) -> str:
        """The address of the provider."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Serve in the background, and deliver webhooks."""
        self._server.start()
        if self._dispatcher:
            self._dispatcher.start()

    def stop(self) -> None:
        """Close the port; answers that are delayed are not given any more."""
        self._stopping.set()
        if self._dispatcher:
            self._dispatcher.stop()
        self._server.stop(abort=True)

    def wait(self) -> None:
        """Returns when `stop` was called."""
        while not self._stopping.wait(_WAIT_SECONDS):
            pass  # in short waits: a signal that another thread received is handled after one

    # -- requests

    def _app(self) -> Starlette:
        return Starlette(routes=[Mount("/", app=self._serve)])

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            reply = await self._reply(HttpRequest(scope, receive))
        except ClientDisconnect:
            return
        await asyncio.sleep(reply.hold_seconds)
        if reply.drop:
            self._server.drop(scope["client"])
            with contextlib.suppress(ClientDisconnect):
                while (await receive())["type"] != "http.disconnect":
                    pass
            return
        response = Response(reply.body, reply.status, dict(reply.headers))
        if reply.close_port_seconds:
            response.background = BackgroundTask(self._close_port, reply.close_port_seconds)
        await response(scope, receive, send)

    async def _reply(self, request: HttpRequest) -> Reply:
        """Requests are handled one after the other, under the lock of the provider's records."""
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY_BYTES:
                return json_reply(413, {"error": "too large"})
        taken = Request(
            method=request.method,
            path=request.scope["raw_path"].decode("latin-1"),
            query=dict(parse_qsl(request.scope["query_string"].decode("latin-1"))),
            headers=dict(request.headers),
            body=bytes(body),
        )
        return await run_in_threadpool(self.handle, taken)

    def handle(self, request: Request) -> Reply:
        """The control, the ledger and the deliveries beside the provider's own API."""
        match request.path:
            case "/_ledger":
                return self._ledger()
            case "/_control":
                return self._control(request)
            case "/_webhooks":
                return json_reply(200, {"deliveries": self._dispatcher.reports() if self._dispatcher else []})
            case _:
                with self._lock:
                    self.simulator.visibility_lag_seconds = self.control.visibility_lag_seconds
                    return self.control.around(lambda: self.simulator.handle(request, time.time()))

    def _ledger(self) -> Reply:
        with self._lock:
            return json_reply(200, {"gateway": self.simulator.name, "entries": self.simulator.ledger(time.time())})

    def _control(self, request: Request) -> Reply:
        try:
            settings = json.loads(request.body or b"{}")
            with self._lock:
                if settings.get("reset"):
                    self._reset()
                self.control.update(settings)
                for kind, key, record in settings.get("records", []):
                    before = self.store.get(kind, key) or {"version": 0}
                    self.store.put(kind, key, {**record, "version": before["version"]})
                self._configure(settings)
            closed_seconds = float(settings.get("closePortSeconds", 0))
            if not 0 <= closed_seconds <= _MAX_CLOSED_SECONDS:
                raise ValueError(f"closePortSeconds must be at most {_MAX_CLOSED_SECONDS}")
        except (ValueError, TypeError, AttributeError) as error:
            return json_reply(400, {"error": str(error)})
        return json_reply(200, {"ok": True}).closing_port(closed_seconds)

    def _reset(self) -> None:
        self.store.clear()
        self.control = Control()
        if self._dispatcher:
            self._dispatcher.reset()

    def _configure(self, settings: dict[str, Any]) -> None:
        """Webhooks, the next operations and the account's features; a provider without them ignores these settings."""
        if self._dispatcher:
            self._dispatcher.update(settings)
        if isinstance(self.simulator, LedgerSimulator):
            self.simulator.next_operation(*settings.get("nextOperations", []))
        lose_answers(self.store, settings.get("loseHostedAnswers", {}))
        for name, value in settings.get("accountFeatures", {}).items():
            if name not in _FEATURES or not isinstance(value, bool) or not hasattr(self.simulator, name):
                raise ValueError(f"{self.simulator.name} has no feature {name} that could be set so")
            setattr(self.simulator, name, value)

    # -- the port

    async def _close_port(self, seconds: float) -> None:
        """After the answer is out. A thread, because the event loop of this request ends with its server."""
        threading.Thread(target=self._closed_for, args=(seconds,), name="closed port", daemon=True).start()

    def _closed_for(self, seconds: float) -> None:
        """Connections are refused, as when a provider is down; those that clients keep open are reset."""
        self._server.stop(abort=True)
        if self._stopping.wait(seconds):
            return
        while not self._stopping.wait(_REOPEN_SECONDS):
            with contextlib.suppress(OSError):  # another process may have taken the port meanwhile
                self._server = AsgiServer(self._app(), listen(self.port))
                self._server.start()
                break
        if self._stopping.is_set():
            self._server.stop(abort=True)
