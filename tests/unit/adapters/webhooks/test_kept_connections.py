"""A connection to an endpoint is kept for seconds: it saves handshakes, and changes nothing about what is delivered."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from payflowx.adapters.platform.idle import IDLE_LIMIT_SECONDS
from payflowx.adapters.webhooks.client import UrllibWebhookClient
from payflowx.adapters.webhooks.connections import MOST_KEPT, KeptConnections, Origin
from payflowx.domain.outbound_webhooks.merchant_events import Answered, NotAnswered
from payflowx.domain.shared.limits import MAX_POST_ANSWER_BYTES
from tests.unit.adapters.platform.test_http import OK, server
from tests.unit.adapters.platform.test_idle_connections import Clock, forgetful, reset, swallow

FAILED = b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"
FINE = Answered(status=200)


def client(**changes: Any) -> UrllibWebhookClient:
    given: dict[str, Any] = {"loopback_allowed": True, "now_ms": lambda: 0, "total_seconds": 60.0, **changes}
    return UrllibWebhookClient(**given)


def post(webhook_client: UrllibWebhookClient, url: str) -> Any:
    return webhook_client.post(url, {"webhook-id": "evt_1"}, b"{}")


class Talk:
    """Answers by the number of the request; keeps the number of the connection of each."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = answers
        self.connections: list[int] = []

    def __call__(self, connection: socket.socket, number: int) -> None:
        self.connections.append(number)
        connection.sendall(self.answers[min(len(self.connections), len(self.answers)) - 1])


def test_posts_without_a_pause_share_a_connection() -> None:
    talk, clock, sender = Talk(OK), Clock(), client()
    with server(talk) as (url, seen):
        for path in ("/a", "/b?c=d", "/a"):
            assert post(sender, url + path) == FINE
            clock.seconds += IDLE_LIMIT_SECONDS - 1
    assert talk.connections == [0, 0, 0]
    assert [request.split(b" ")[1] for request in seen] == [b"/a", b"/b?c=d", b"/a"]


@pytest.mark.parametrize("stopped", [0, 1, None])
def test_after_a_pause_by_any_clock_a_new_one_is_opened(stopped: int | None) -> None:
    talk, clocks = Talk(OK), (Clock(), Clock())
    sender = client(clocks=clocks)
    with server(talk) as (url, _):
        assert post(sender, url) == FINE
        for place, clock in enumerate(clocks):
            clock.seconds += 0 if place == stopped else IDLE_LIMIT_SECONDS + 1
        assert post(sender, url) == FINE
    assert talk.connections == [0, 1]


def test_an_event_that_a_kept_connection_lost_is_posted_on_a_new_one() -> None:
    sender = client()
    with server(forgetful(reset)) as (url, seen):
        assert post(sender, url) == FINE
        assert post(sender, url) == FINE
        assert len(seen) == 3, "the lost one may have arrived: an endpoint expects that"


def test_a_new_connection_that_is_lost_is_not_tried_again() -> None:
    with server(lambda connection, _: connection.close()) as (url, seen):
        assert post(client(), url) == NotAnswered(code="connection_lost")
        assert len(seen) == 1


def test_an_endpoint_that_is_silent_on_a_kept_connection_is_slow() -> None:
    sender = client(total_seconds=1.0)
    with server(forgetful(swallow)) as (url, seen):
        assert post(sender, url) == FINE
        assert post(sender, url) == NotAnswered(code="too_slow")
        assert len(seen) == 2


def test_each_post_on_a_connection_has_its_own_time() -> None:
    def drips(connection: socket.socket, _number: int) -> None:
        if len(seen) == 1:
            connection.sendall(OK)
            return
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2000\r\n\r\n")
        for _ in range(600):
            connection.sendall(b".")
            threading.Event().wait(0.1)

    sender = client(total_seconds=1.5)
    with server(drips) as (url, seen):
        assert post(sender, url) == FINE
        started = time.monotonic()
        assert post(sender, url) == Answered(status=202)
        assert time.monotonic() - started < 30


def test_a_kept_connection_to_an_address_that_the_name_has_no_more_is_not_used() -> None:
    """Between two posts the owner of a name may move it; what is called now was checked now."""
    addresses = ["127.0.0.1"]
    talk, sender = Talk(OK), client(resolve=lambda _host, _port: addresses)
    with server(talk) as (url, seen):
        named = url.replace("127.0.0.1", "shop.test")
        assert post(sender, named) == FINE
        addresses[:] = ["127.0.0.2"]
        assert post(sender, named) == NotAnswered(code="connection_refused")
        addresses[:] = ["10.0.0.1", "127.0.0.1"]
        assert post(sender, named) == NotAnswered(code="address_not_allowed")
        assert len(seen) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * MAX_POST_ANSWER_BYTES)
        + b"x" * (2 * MAX_POST_ANSWER_BYTES),
    ],
    ids=["closes", "old", "huge"],
)
def test_a_connection_whose_answer_was_its_last_or_was_left_unread_is_not_kept(answer: bytes) -> None:
    talk, sender = Talk(answer, OK), client()
    with server(talk) as (url, _):
        assert post(sender, url) == FINE
        assert post(sender, url) == FINE
    assert talk.connections == [0, 1]


@pytest.mark.parametrize(
    "more", [OK, b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK], ids=["a second answer", "an interim answer first"]
)
def test_no_answer_counts_for_another_event(more: bytes) -> None:
    """Of a server that says more than one answer to a request: the next post waits for its own."""
    first = OK + more if more == OK else more
    talk, sender = Talk(first, FAILED), client()
    with server(talk) as (url, seen):
        post(sender, url)
        assert post(sender, url) == Answered(status=500)
        assert len(seen) == 2


def test_other_ports_and_names_have_connections_of_their_own() -> None:
    sender = client(resolve=lambda _host, _port: ["127.0.0.1"])
    one, other = Talk(OK), Talk(OK)
    with server(one) as (url, seen), server(other) as (elsewhere, _):
        assert post(sender, url) == FINE
        assert post(sender, elsewhere) == FINE
        assert post(sender, url) == FINE
        assert (one.connections, other.connections) == ([0, 0], [0])
        assert len(seen) == 2


def test_no_more_are_kept_than_the_limit() -> None:
    class Known:
        left = False

        def leave(self) -> None:
            self.left = True

    kept, connections = KeptConnections(), [Known() for _ in range(MOST_KEPT + 5)]
    for number, connection in enumerate(connections):
        kept.keep(Origin(scheme="https", host=f"shop-{number}.example.com", port=443), connection)  # type: ignore[arg-type]
    assert [connection.left for connection in connections] == [True] * 5 + [False] * MOST_KEPT


def test_ten_at_once_take_a_connection_each_and_use_it_again() -> None:
    connections: list[object] = []

    class Shop(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            connections.append(self)
            super().setup()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Nothing."""

    shop = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    serving = threading.Thread(target=shop.serve_forever, daemon=True)
    serving.start()
    sender, answers = client(), list[Any]()

    def work() -> None:
        answers.extend(post(sender, f"http://127.0.0.1:{shop.server_port}/") for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    shop.shutdown()
    shop.server_close()
    assert answers == [Answered(status=204)] * 200
    assert len(connections) <= 10
