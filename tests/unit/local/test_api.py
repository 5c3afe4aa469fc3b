"""The launcher's client: it waits where a merchant's would."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import urllib3

from local.api import Api
from local.errors import LocalEnvironmentError


class Answers(BaseHTTPRequestHandler):
    """Gives the statuses one after the other, the last one again and again."""

    statuses: list[int]
    keys: list[str]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.keys.append(self.headers["Idempotency-Key"])
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.send_header("Retry-After", "86400")  # nobody waits for so long here
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def answers() -> Iterator[tuple[type[Answers], Api]]:
    own = type("Own", (Answers,), {"statuses": [200], "keys": []})
    server = HTTPServer(("127.0.0.1", 0), own)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield own, Api(f"http://127.0.0.1:{server.server_port}", "key", urllib3.PoolManager())
    server.shutdown()
    server.server_close()


def test_a_busy_machine_gets_the_same_request_again_under_its_key(answers: tuple[type[Answers], Api]) -> None:
    handler, api = answers
    handler.statuses = [429, 429, 200]
    assert api.post("/payments", {}, "order-1") == {}
    assert handler.keys == ["order-1"] * 3


@pytest.mark.parametrize("status", [400, 404, 422, 500, 503])
def test_nothing_else_is_repeated(answers: tuple[type[Answers], Api], status: int) -> None:
    handler, api = answers
    handler.statuses = [status]
    with pytest.raises(LocalEnvironmentError, match=f"POST /payments answered {status}"):
        api.post("/payments", {}, "order-1")
    assert handler.keys == ["order-1"]
