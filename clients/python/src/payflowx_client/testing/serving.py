"""The double behind a socket, for programs in other processes and languages."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from payflowx_client.testing.api import FakeApi
from payflowx_client.transport import NoAnswerError, Request

_TIMEOUT_SECONDS = 30.0
_MAX_LENGTH_DIGITS = 7
"""Of a body's length: the API takes less."""


@contextmanager
def served(api: FakeApi, port: int = 0) -> Iterator[str]:
    """The address of a server on this machine, until the block ends. A lost answer closes its connection."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        timeout = _TIMEOUT_SECONDS

        def handle_any(self) -> None:
            length = self.headers.get("Content-Length", "0")
            if not length.isdecimal() or len(length) > _MAX_LENGTH_DIGITS:
                self.send_error(400)
                return
            body = self.rfile.read(int(length))
            request = Request(self.command, self.path, dict(self.headers.items()), body or None)
            try:
                with lock:
                    answer = api(request, timeout_seconds=_TIMEOUT_SECONDS)
            except NoAnswerError:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in {**answer.headers, "content-length": str(len(answer.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_DELETE = handle_any  # noqa: N815 - names of the base class

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
