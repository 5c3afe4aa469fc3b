"""A plain address in front of the engine's API: http://127.0.0.1:3000/payments instead of a long path."""

import socket
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import urllib3

from local.errors import StageError

HOST: Final = "127.0.0.1"
_MAX_BODY_BYTES: Final = 10 * 1024 * 1024
"""What API Gateway takes at most."""
_TIMEOUT_SECONDS: Final = 29
"""When API Gateway gives up on an integration."""
_REMEMBERED: Final = 10_000
_HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "content-length",
    }
)


class Front:
    """A reverse proxy on one port, served in the background."""

    def __init__(self, port: int, target: str) -> None:
        self._pool = urllib3.PoolManager(maxsize=32, retries=False, timeout=_TIMEOUT_SECONDS)
        self.answered: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED)
        """Status and milliseconds of the last requests: what API Gateway would make metrics of."""
        parts = {"pool": self._pool, "target": target.rstrip("/"), "answered": self.answered}
        handler = type("Handler", (_Handler,), parts)
        server = type("Server", (ThreadingHTTPServer,), {"daemon_threads": True, "request_queue_size": 128})
        try:
            self._server: ThreadingHTTPServer = server((HOST, port), handler)
        except OSError as error:
            raise StageError(_busy(port)) from error
        self.url = f"http://{HOST}:{self._server.server_address[1]}"

    def start(self) -> None:
        """Serve."""
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()


def _busy(port: int) -> str:
    return f"Port {port} cannot be used: something else listens there. Choose another one, such as PORT={port + 1}."


def check_port(port: int) -> None:
    """Raises `StageError` before anything is started, rather than after a minute."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise StageError(_busy(port)) from error


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    """Head and body are written apart: the second would wait 40 ms for the first one's acknowledgement."""
    pool: urllib3.PoolManager
    target: str
    answered: deque[tuple[int, int]]

    def do_GET(self) -> None:
        self._forward()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815

    def log_message(self, *_args: Any) -> None:
        """Silent: an address may hold what must not be logged."""

    def _forward(self) -> None:
        length = self.headers.get("content-length") or "0"
        if not length.isdecimal() or int(length) > _MAX_BODY_BYTES:
            self.close_connection = True
            self._send(413, {"Content-Type": "application/problem+json"}, _TOO_LARGE)
            return
        body = self.rfile.read(int(length))
        started = time.monotonic()
        headers = urllib3.HTTPHeaderDict()
        for name, value in self.headers.items():
            if name.lower() not in _HOP_BY_HOP:
                headers.add(name, value)
        try:
            answer = self.pool.request(
                self.command, self.target + self.path, body=body, headers=headers, redirect=False
            )
        except urllib3.exceptions.HTTPError:
            self._send(503, {"Content-Type": "application/problem+json", "Retry-After": "5"}, _UNAVAILABLE)
            return
        self.answered.append((answer.status, int((time.monotonic() - started) * 1000)))
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
        self._send(answer.status, kept, answer.data)

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the client has gone


_TOO_LARGE: Final = (
    b'{"type":"urn:payflowx:problem:body_too_large","title":"The body is too large","status":413,'
    b'"detail":"The body is larger than 65536 bytes.","code":"body_too_large"}'
)
_UNAVAILABLE: Final = (
    b'{"type":"urn:payflowx:problem:unavailable","title":"Temporarily unavailable","status":503,'
    b'"detail":"The local engine does not answer.","code":"unavailable"}'
)
