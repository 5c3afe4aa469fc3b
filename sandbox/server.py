"""A simulator as a real HTTP server on 127.0.0.1: it holds answers, drops connections and closes its port."""

import contextlib
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from sandbox.faults import Control
from sandbox.http_types import MAX_BODY_BYTES, Reply, Request, json_reply
from sandbox.ledger import LedgerSimulator
from sandbox.simulator import Credentials, Simulator
from sandbox.simulators import ALL
from sandbox.store import MemoryStore
from sandbox.webhook_dispatcher import Correspondent, Postman

HOST: Final = "127.0.0.1"
_MAX_CLOSED_SECONDS: Final = 600
_FEATURES: Final = frozenset({"card_preauth", "partial_capture", "pre_debit_required"})
"""What a vendor switches on for an account, where the simulator of that vendor has it."""


class SimulatorServer:
    """One gateway on one port. `start` and `stop` may be called from any thread.

    `webhook_secret` is for those that sign with another secret than the one that opens them.
    """

    def __init__(
        self, provider: str, port: int, credentials: Credentials, *, webhook_secret: str | None = None
    ) -> None:
        self.control = Control()
        self.store = MemoryStore()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self.connections: set[socket.socket] = set()
        self._listener = self._listen(port)
        self.port = self._listener.server_address[1]
        options: dict[str, Any] = {} if webhook_secret is None else {"webhook_secret": webhook_secret}
        self.simulator: Simulator = ALL[provider](self.store, credentials, public_url=self.url, **options)
        self._postman = Postman(self.simulator, self._lock) if isinstance(self.simulator, Correspondent) else None

    @property
    def url(self) -> str:
        """The address of the gateway."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Serve in the background, and deliver webhooks."""
        self._serve()
        if self._postman:
            self._postman.start()

    def stop(self) -> None:
        """End all holds and close the port."""
        self._stopping.set()
        if self._postman:
            self._postman.stop()
        self._listener.shutdown()
        self._listener.server_close()

    def wait(self) -> None:
        """Until somebody stops the server."""
        while not self._stopping.wait(0.5):
            pass

    def handle(self, request: Request) -> Reply:
        """One at a time: a gateway's books are kept in one hand. Holds are waited for elsewhere."""
        if request.path == "/_ledger":
            return self._ledger()
        if request.path == "/_control":
            return self._control(request)
        if request.path == "/_webhooks":
            return json_reply(200, {"deliveries": self._postman.reports() if self._postman else []})
        with self._lock:
            self.simulator.visibility_lag_seconds = self.control.visibility_lag_seconds
            return self.control.around(lambda: self.simulator.handle(request, time.time()))

    def hold(self, seconds: float) -> None:
        """Wait, but not beyond the server's end."""
        self._stopping.wait(seconds)

    def _serve(self) -> None:
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()

    def _ledger(self) -> Reply:
        with self._lock:
            return json_reply(200, {"gateway": self.simulator.name, "entries": self.simulator.ledger(time.time())})

    def _control(self, request: Request) -> Reply:
        try:
            settings = json.loads(request.body or b"{}")
            with self._lock:
                if settings.get("reset"):
                    self.store.clear()
                    self.control = Control()
                    if self._postman:
                        self._postman.reset()
                self.control.update(settings)
                self._configure(settings)
            closed_seconds = float(settings.get("closePortSeconds", 0))
            if not 0 <= closed_seconds <= _MAX_CLOSED_SECONDS:
                raise ValueError(f"closePortSeconds must be at most {_MAX_CLOSED_SECONDS}")
        except (ValueError, TypeError, AttributeError) as error:
            return json_reply(400, {"error": str(error)})
        if closed_seconds:
            threading.Thread(target=self._close_for, args=(closed_seconds,), daemon=True).start()
        return json_reply(200, {"ok": True})

    def _configure(self, settings: dict[str, Any]) -> None:
        """Webhooks, operations to come and features of the account; a gateway without them takes no notice."""
        if self._postman:
            self._postman.update(settings)
        if isinstance(self.simulator, LedgerSimulator):
            self.simulator.next_operation(*settings.get("nextOperations", []))
        for name, value in settings.get("accountFeatures", {}).items():
            if name not in _FEATURES or not isinstance(value, bool) or not hasattr(self.simulator, name):
                raise ValueError(f"{self.simulator.name} has no feature {name} that could be set so")
            setattr(self.simulator, name, value)

    def _close_for(self, seconds: float) -> None:
        """Really closed: a connection is refused, as when a gateway is down."""
        time.sleep(0.05)  # let the answer to the control request out
        self._listener.shutdown()
        self._listener.server_close()
        for connection in list(self.connections):  # those that clients keep for their next request
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        if self._stopping.wait(seconds):
            return
        self._listener = self._listen(self.port)
        self._serve()

    def _listen(self, port: int) -> ThreadingHTTPServer:
        server = type("Server", (ThreadingHTTPServer,), {"daemon_threads": True, "request_queue_size": 128})
        return server((HOST, port), type("Handler", (_Handler,), {"provider": self}))  # type: ignore[no-any-return]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    """Head and body are written apart: the second would wait 40 ms for the first one's acknowledgement."""
    provider: SimulatorServer

    def setup(self) -> None:
        super().setup()
        self.provider.connections.add(self.connection)

    def finish(self) -> None:
        self.provider.connections.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_DELETE = do_PUT = do_GET  # noqa: N815

    def log_message(self, *_args: Any) -> None:
        """Silent: addresses and headers may hold tokens."""

    def _serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > MAX_BODY_BYTES:
            self._send(json_reply(413, {"error": "too large"}))
            return
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
        )
        reply = self.provider.handle(request)
        self.provider.hold(reply.hold_seconds)
        if reply.drop:
            self.close_connection = True
            self.connection.close()
            return
        self._send(reply)

    def _send(self, reply: Reply) -> None:
        try:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
        except OSError:
            self.close_connection = True  # the caller has given up waiting
