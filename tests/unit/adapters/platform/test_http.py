"""The line between "nothing left" and "it may have arrived", on real sockets."""

import contextlib
import socket
import ssl
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from payflowx.adapters.platform import body_limit, http
from payflowx.adapters.platform.body_limit import CutOff
from payflowx.adapters.platform.http import MAX_ANSWER_BYTES, Urllib3Client
from payflowx.domain.shared.transport import HttpRequest, HttpResponse, NoAnswer, NoConnection
from tests.support.certificates import certificates
from tests.support.raw_http import read_request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Kind: Plain\r\n\r\nok"
GET = HttpRequest(method="GET", path="/x")
POST = HttpRequest(method="POST", path="/x", headers={"A": "b"}, body=b"{}")


@contextmanager
def server(talk: Callable[[socket.socket, int], None]) -> Iterator[tuple[str, list[bytes]]]:
    """`talk` answers each connection; what arrived is kept."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen: list[bytes] = []
    stop = threading.Event()

    def serve() -> None:
        for number in range(10):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(60)
                try:
                    while request := read_request(connection):
                        seen.append(request)
                        talk(connection, number)
                except OSError:
                    pass
            if stop.is_set():
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
    finally:
        stop.set()
        listener.close()


@pytest.fixture
def client() -> Urllib3Client:
    """Waits long enough on any machine: its tests are about what the server does, not when."""
    return Urllib3Client(connect_timeout_seconds=30, read_timeout_seconds=60, call_timeout_seconds=60)


def test_a_provider_sees_which_release_of_ours_asks(client: Urllib3Client) -> None:
    with server(lambda connection, _: connection.sendall(OK)) as (url, seen):
        assert isinstance(client.send(POST, url), HttpResponse)
    wanted = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]
    assert f"user-agent: payflowx/{wanted}\r\n".encode() in seen[0].lower()


def drip(connection: socket.socket) -> None:
    """Byte by byte, until the client has closed the connection; after a minute the answer is complete."""
    for _ in range(600):
        connection.sendall(b".")
        threading.Event().wait(0.1)


def test_an_answer(client: Urllib3Client) -> None:
    with server(lambda c, _: c.sendall(OK)) as (url, seen):
        answer = client.send(POST, url + "/base/")
    assert answer == HttpResponse(status=200, headers={"content-length": "2", "x-kind": "Plain"}, body=b"ok")
    assert seen[0].startswith(b"POST /base/x HTTP/1.1")


def test_a_refused_connection_sent_nothing(client: Urllib3Client) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    assert client.send(GET, url) == NoConnection(code="connection_refused")


def test_a_name_that_does_not_resolve_sent_nothing(client: Urllib3Client) -> None:
    assert client.send(GET, "http://nowhere.invalid") == NoConnection(code="name_not_resolved")


def test_a_failed_tls_handshake_sent_nothing(client: Urllib3Client) -> None:
    with server(lambda c, _: c.sendall(b"this is no TLS\r\n")) as (url, _):
        answer = client.send(GET, url.replace("http:", "https:"))
    assert isinstance(answer, NoConnection)


def test_a_connection_that_is_not_accepted_sent_nothing() -> None:
    client = Urllib3Client(connect_timeout_seconds=0.3)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        answer = client.send(GET, f"http://127.0.0.1:{port}")
        for filler in fillers:
            filler.close()
    assert answer == NoConnection(code="connect_timeout")


def test_silence_after_the_request_is_no_answer() -> None:
    client = Urllib3Client(connect_timeout_seconds=30, read_timeout_seconds=0.4)
    arrived = threading.Event()
    with server(lambda _c, _n: arrived.set()) as (url, _):
        assert client.send(POST, url) == NoAnswer(code="read_timeout")
        assert arrived.wait(30)


def test_a_reset_after_the_request_is_no_answer(client: Urllib3Client) -> None:
    with server(lambda c, _: c.close()) as (url, _):
        assert client.send(POST, url) == NoAnswer(code="connection_lost")


def test_half_an_answer_is_no_answer(client: Urllib3Client) -> None:
    def half(connection: socket.socket, _number: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        connection.close()

    with server(half) as (url, _):
        assert client.send(POST, url) == NoAnswer(code="connection_lost")


def test_no_http_at_all_is_no_answer(client: Urllib3Client) -> None:
    with server(lambda c, _: c.sendall(b"\x00\x01\x02 garbage\r\n\r\n")) as (url, _):
        assert isinstance(client.send(POST, url), NoAnswer)


def test_an_answer_that_drips_is_cut_off() -> None:
    def behave(connection: socket.socket, _number: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n")
        drip(connection)

    client = Urllib3Client(connect_timeout_seconds=30, read_timeout_seconds=30, call_timeout_seconds=0.8)
    with server(behave) as (url, _):
        assert isinstance(client.send(POST, url), NoAnswer)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n"])
def test_a_last_answer_that_drips_is_cut_off(head: bytes) -> None:
    """The standard library closes such a connection before the body is read."""

    def behave(connection: socket.socket, _number: int) -> None:
        connection.sendall(head)
        drip(connection)

    client = Urllib3Client(connect_timeout_seconds=30, read_timeout_seconds=30, call_timeout_seconds=0.8)
    started = time.monotonic()
    with server(behave) as (url, _):
        assert isinstance(client.send(POST, url), NoAnswer)
    assert time.monotonic() - started < 30


@contextmanager
def shop_over_tls(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Answers each request after a moment, on connections that stay open."""
    authority, context = certificates(folder, "localhost")
    monkeypatch.setattr(http, "tls_context", lambda: ssl.create_default_context(cafile=authority))
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            for _ in range(10):
                connection, _ = listener.accept()
                with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
                    tls.settimeout(60)
                    while read_request(tls):
                        time.sleep(0.05)
                        tls.sendall(OK)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"https://localhost:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_the_time_of_a_first_call_over_tls_ends_with_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection lives longer than its first call, whose time must not end a later one."""
    with shop_over_tls(tmp_path, monkeypatch) as url:
        client = Urllib3Client(connect_timeout_seconds=30, read_timeout_seconds=30, call_timeout_seconds=1)
        started = time.monotonic()
        while time.monotonic() < started + 2:
            assert isinstance(client.send(POST, url), HttpResponse)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nothing_is_watched_after_a_call(scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with shop_over_tls(tmp_path, monkeypatch) as safe, server(lambda c, _: c.sendall(OK)) as (plain, _):
        client = Urllib3Client(connect_timeout_seconds=30, read_timeout_seconds=30, call_timeout_seconds=600)
        watched = set(body_limit._WATCH.calls)
        for _ in range(3):
            assert isinstance(client.send(POST, safe if scheme == "https" else plain), HttpResponse)
        assert set(body_limit._WATCH.calls) <= watched


def test_a_machine_that_gives_no_thread_for_the_time_of_a_call_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with server(lambda c, _: c.sendall(OK)) as (url, seen):
        monkeypatch.setattr(body_limit._WATCH, "thread", None)
        monkeypatch.setattr(threading.Thread, "start", refuse)
        answer = Urllib3Client(connect_timeout_seconds=30).send(POST, url)
    assert answer == NoConnection(code="connection_failed")
    assert seen == []


def test_headers_that_drip_are_cut_off() -> None:
    def behave(connection: socket.socket, _number: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        drip(connection)
        connection.sendall(b"\r\nContent-Length: 0\r\n\r\n")

    client = Urllib3Client(connect_timeout_seconds=30, read_timeout_seconds=30, call_timeout_seconds=0.8)
    with server(behave) as (url, _):
        assert isinstance(client.send(POST, url), NoAnswer)


def test_an_endless_answer_is_no_answer(client: Urllib3Client) -> None:
    size = MAX_ANSWER_BYTES + 10

    def endless(connection: socket.socket, _number: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)

    with server(endless) as (url, _):
        assert client.send(GET, url) == NoAnswer(code="answer_too_large")


def test_a_redirect_is_an_answer_and_is_not_followed(client: Urllib3Client) -> None:
    redirect = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with server(lambda c, _: c.sendall(redirect)) as (url, seen):
        answer = client.send(POST, url)
    assert isinstance(answer, HttpResponse)
    assert (answer.status, len(seen)) == (302, 1)


def test_nothing_is_ever_sent_twice(client: Urllib3Client) -> None:
    """The server drops the second request of a reused connection: it may have been read, so it is not repeated."""

    def once(connection: socket.socket, _number: int) -> None:
        if len(seen) == 1:
            connection.sendall(OK)
        else:
            connection.close()

    with server(once) as (url, seen):
        assert isinstance(client.send(POST, url), HttpResponse)
        assert client.send(POST, url) == NoAnswer(code="connection_lost")
        assert len(seen) == 2


def test_a_kept_connection_is_used_again_and_its_time_starts_anew(
    client: Urllib3Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm = CutOff.arm
    armed: list[float] = []
    calls: list[CutOff] = []

    def counted(cut_off: CutOff, sock: socket.socket, seconds: float) -> None:
        armed.append(seconds)
        calls.append(cut_off)
        arm(cut_off, sock, seconds)

    def behave(connection: socket.socket, number: int) -> None:
        connections.append(number)
        connection.sendall(OK)

    connections: list[int] = []
    monkeypatch.setattr(CutOff, "arm", counted)
    with server(behave) as (url, _):
        for _ in range(4):
            assert isinstance(client.send(POST, url), HttpResponse)
    assert connections == [0, 0, 0, 0]
    assert armed == [60, 60, 60, 60]
    assert len(set(calls)) == 4, "the pool may give a connection on before its last call has ended its own time"
