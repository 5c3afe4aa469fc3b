"""A tiny HTTP server on a free port: it keeps what came, and answers as its test says."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Came:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Say:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hangs_up: bool = False
    """Closes the connection after it has read the request."""


def problem(status: int, code: str, **headers: str) -> Say:
    body = {
        "type": f"urn:payflowx:problem:{code}",
        "title": "t",
        "status": status,
        "detail": "d",
        "code": code,
        "requestId": "req-1",
    }
    return Say(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


class Server:
    def __init__(self) -> None:
        self.came: list[Came] = []
        self.answers: list[Say] = []
        self.answer: Callable[[Came], Say] = lambda _: self.answers.pop(0)
        self.url = ""

    @contextmanager
    def running(self) -> Iterator["Server"]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                came = Came(self.command, self.path, headers, body)
                server.came.append(came)
                say = server.answer(came)
                if say.hangs_up:
                    self.close_connection = True
                    return
                content = say.body if isinstance(say.body, bytes) else json.dumps(say.body).encode()
                self.send_response(say.status)
                for name, value in {"Content-Length": str(len(content)), **say.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = handle_any  # noqa: N815 - names of the base class

            def log_message(self, *_: Any) -> None:
                pass

        http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{http.server_address[1]}"
        try:
            yield self
        finally:
            http.shutdown()
            http.server_close()
            thread.join()
