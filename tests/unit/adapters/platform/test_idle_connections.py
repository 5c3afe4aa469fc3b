"""A connection that was idle for more than a few seconds carries no request.

Lambda freezes a sandbox between two invocations, and networks forget idle flows meanwhile. A request on such a
connection is reset or swallowed before any server sees it, and would be an unknown outcome all the same.
"""

import socket
import struct
from collections.abc import Callable

import pytest

from payflowx.adapters.platform.http import IDLE_LIMIT_SECONDS, Urllib3Client
from payflowx.domain.shared.transport import HttpRequest, HttpResponse, NoAnswer, NoConnection
from tests.unit.adapters.platform.test_http import OK, POST, server

ON_EXIT = struct.pack("ii", 1, 0)
"""Linger for no time: closing sends a reset."""


class Clock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ON_EXIT)
    connection.close()


def swallow(_: socket.socket) -> None:
    """The flow is forgotten: nothing comes back."""


def forgetful(fault: Callable[[socket.socket], None]) -> Callable[[socket.socket, int], None]:
    """Answers the first request of the first connection, and does this to its second; other connections work."""
    requests: list[int] = []

    def talk(connection: socket.socket, number: int) -> None:
        requests.append(number)
        if number == 0 and requests.count(0) > 1:
            fault(connection)
        else:
            connection.sendall(OK)

    return talk


def client_with(monotonic: Clock, wall: Clock, *, read_timeout_seconds: float = 30) -> Urllib3Client:
    """Patient: where an answer is expected, a busy machine must not break a test."""
    return Urllib3Client(
        connect_timeout_seconds=30, read_timeout_seconds=read_timeout_seconds, clocks=(monotonic, wall)
    )


def is_ok(answer: object) -> bool:
    return isinstance(answer, HttpResponse) and answer.status == 200


@pytest.mark.parametrize("fault", [reset, swallow])
@pytest.mark.parametrize("stopped", ["monotonic", "wall", "neither"])
def test_a_request_after_a_pause_takes_a_new_connection(fault: Callable[[socket.socket], None], stopped: str) -> None:
    """Either clock may stand still in a frozen sandbox; one that goes on is enough."""
    monotonic, wall = Clock(), Clock()
    client = client_with(monotonic, wall)
    with server(forgetful(fault)) as (url, seen):
        assert is_ok(client.send(POST, url))
        monotonic.seconds += 0 if stopped == "monotonic" else IDLE_LIMIT_SECONDS + 1
        wall.seconds += 0 if stopped == "wall" else IDLE_LIMIT_SECONDS + 1
        assert is_ok(client.send(POST, url))
        assert len(seen) == 2


@pytest.mark.parametrize("fault", [reset, swallow])
def test_without_a_pause_the_same_faults_are_unknown(fault: Callable[[socket.socket], None]) -> None:
    """Nobody can tell whether the request arrived. The test above is about the same server."""
    client = client_with(Clock(), Clock(), read_timeout_seconds=3)
    with server(forgetful(fault)) as (url, _):
        assert is_ok(client.send(POST, url))
        assert isinstance(client.send(POST, url), NoAnswer)


def test_a_connection_is_kept_for_requests_without_a_pause() -> None:
    connections: set[int] = set()

    def talk(connection: socket.socket, number: int) -> None:
        connections.add(number)
        connection.sendall(OK)

    monotonic, wall = Clock(), Clock()
    client = client_with(monotonic, wall)
    with server(talk) as (url, _):
        for _ in range(4):
            assert is_ok(client.send(POST, url))
            monotonic.seconds += IDLE_LIMIT_SECONDS - 1
            wall.seconds -= 3_600  # a clock that is set back proves nothing
    assert connections == {0}


def test_the_pause_is_counted_from_the_last_answer_and_not_from_the_connections_beginning() -> None:
    connections: set[int] = set()

    def talk(connection: socket.socket, number: int) -> None:
        connections.add(number)
        clock.seconds += 60  # a slow provider
        connection.sendall(OK)

    clock = Clock()
    client = client_with(clock, Clock())
    with server(talk) as (url, _):
        for _ in range(3):
            assert is_ok(client.send(POST, url))
    assert connections == {0}


def test_a_new_connection_that_cannot_be_opened_after_a_pause_sent_nothing() -> None:
    """The proof of NOT_SENT: the old connection is gone, and the new one never was."""
    clock = Clock()
    client = client_with(clock, Clock())
    with server(lambda connection, _: connection.sendall(OK)) as (url, seen):
        assert is_ok(client.send(POST, url))
    clock.seconds += IDLE_LIMIT_SECONDS + 1
    assert client.send(HttpRequest(method="POST", path="/x", body=b"{}"), url) == NoConnection(
        code="connection_refused"
    )
    assert len(seen) == 1


def test_a_few_seconds() -> None:
    """Servers and load balancers keep idle connections for five seconds and more."""
    assert 1 <= IDLE_LIMIT_SECONDS < 5
