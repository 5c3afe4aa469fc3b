"""The sender against real sockets: whom it refuses to call, and what a hostile server can do to it."""

import ipaddress
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from payflowx.adapters.webhooks import client as webhook_client_module
from payflowx.adapters.webhooks.client import UrllibWebhookClient
from payflowx.domain.outbound_webhooks.merchant_events import Answered, NotAnswered
from tests.support.certificates import certificates
from tests.support.raw_http import read_request

NOW_MS = 1_790_000_000_000
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Behaviour = Callable[[socket.socket], None]


@dataclass
class Server:
    """Reads one request a connection, then does as it was told."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks?to=us"


@contextmanager
def serving(behave: Behaviour | bytes, *, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener.getsockname()[1])

    def one(connection: socket.socket) -> None:
        try:
            with tls.wrap_socket(connection, server_side=True) if tls else connection as sock:
                sock.settimeout(20)
                if not (request := read_request(sock)):
                    raise ValueError("no request")
                server.requests.append(request)
                if callable(behave):
                    behave(sock)
                else:
                    sock.sendall(behave)
        except (OSError, ValueError) as error:
            server.errors.append(error)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield server
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def drip(sock: socket.socket) -> None:
    """Byte by byte until the other side closes the connection, which is an error here; a minute at most."""
    for _ in range(1_200):
        sock.sendall(b"x")
        time.sleep(0.05)


def was_cut_off(server: Server) -> bool:
    """Whether the server's side ended in an error; waits for it."""
    return happens(lambda: bool(server.errors))


def happens(condition: Callable[[], bool]) -> bool:
    """Wait for what another thread does: a busy machine may take long."""
    ends_at = time.monotonic() + 30
    while not condition() and time.monotonic() < ends_at:
        time.sleep(0.01)
    return condition()


def local(**changes: Any) -> UrllibWebhookClient:
    """As on a developer's machine."""
    return UrllibWebhookClient(**{"loopback_allowed": True, "now_ms": lambda: NOW_MS, "total_seconds": 60.0, **changes})


def deployed(*addresses: str, **changes: Any) -> UrllibWebhookClient:
    """As deployed, with a name server that answers so."""
    values = {"loopback_allowed": False, "now_ms": lambda: NOW_MS, "total_seconds": 60.0, **changes}
    return UrllibWebhookClient(**values, resolve=lambda _host, _port: addresses)


def post(webhook_client: UrllibWebhookClient, url: str) -> Any:
    return webhook_client.post(url, {"content-type": "application/json", "webhook-id": "evt_1"}, b'{"a":1}')


class TestWhomItCalls:
    @pytest.mark.parametrize(
        "addresses",
        [
            ("127.0.0.1",),
            ("10.0.0.1",),
            ("169.254.169.254",),
            ("93.184.216.34", "10.0.0.1"),
            ("10.0.0.1", "93.184.216.34"),
            ("93.184.216.34", "::1"),
            ("93.184.216.34", "::ffff:127.0.0.1"),
            ("64:ff9b::a9fe:a9fe",),
            ("fd00:ec2::254",),
            ("224.0.0.1",),
            ("0.0.0.0",),
        ],
    )
    def test_one_private_address_among_all_is_enough_to_refuse(
        self, addresses: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(socket, "create_connection", _never)
        assert post(deployed(*addresses), "https://shop.example.com/") == NotAnswered(code="address_not_allowed")

    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "0",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[fe80::1]",
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "localhost",
        ],
    )
    def test_every_spelling_of_a_private_address_is_refused(self, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """By the system's own resolver: what it makes of them is what would have been called."""
        monkeypatch.setattr(socket, "create_connection", _never)
        webhook_client = UrllibWebhookClient(loopback_allowed=False, now_ms=lambda: NOW_MS)
        assert post(webhook_client, f"https://{host}/") in {
            NotAnswered(code="address_not_allowed"),
            NotAnswered(code="name_not_resolved"),
        }

    @pytest.mark.parametrize(
        "url",
        ["http://shop.example.com/", "ftp://shop.example.com/", "file:///etc/passwd", "https://", "https://[", ""],
    )
    def test_https_only(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket, "create_connection", _never)
        assert post(deployed("93.184.216.34"), url) == NotAnswered(code="url_not_allowed")

    def test_the_address_that_was_checked_is_the_one_that_is_called(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A name server that says something else the second time is not asked a second time."""
        asked: list[str] = []
        called: list[Any] = []

        def resolve(host: str, _port: int) -> tuple[str, ...]:
            asked.append(host)
            return ("93.184.216.34",) if len(asked) == 1 else ("127.0.0.1",)

        def connect(address: Any, **_more: Any) -> socket.socket:
            called.append(address)
            raise ConnectionRefusedError

        monkeypatch.setattr(socket, "create_connection", connect)
        webhook_client = UrllibWebhookClient(loopback_allowed=False, now_ms=lambda: NOW_MS, resolve=resolve)
        assert post(webhook_client, "https://shop.example.com/") == NotAnswered(code="connection_refused")
        assert asked == ["shop.example.com"]
        assert called == [("93.184.216.34", 443)]

    def test_a_few_addresses_are_tried_and_no_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        called: list[Any] = []

        def connect(address: Any, **_more: Any) -> socket.socket:
            called.append(address[0])
            raise TimeoutError

        monkeypatch.setattr(socket, "create_connection", connect)
        addresses = tuple(f"93.184.216.{number}" for number in range(1, 9))
        assert post(deployed(*addresses), "https://shop.example.com/") == NotAnswered(code="connect_timeout")
        assert called == list(addresses[:3])

    def test_a_private_address_far_down_the_list_counts_too(self) -> None:
        addresses = tuple(f"93.184.216.{number}" for number in range(1, 9))
        answer = post(deployed(*addresses, "10.0.0.1"), "https://shop.example.com/")
        assert answer == NotAnswered(code="address_not_allowed")

    def test_the_local_stage_calls_the_machine_itself_and_nobody_else_without_tls(self) -> None:
        with serving(OK) as server:
            assert post(local(), server.url) == Answered(status=200)
        assert post(local(resolve=lambda *_: ("93.184.216.34",)), "http://shop.example.com/") == NotAnswered(
            code="address_not_allowed"
        )
        assert post(local(), "https://127.0.0.1/") == NotAnswered(code="address_not_allowed")

    def test_a_slow_name_server_is_not_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(webhook_client_module, "RESOLVE_TIMEOUT_SECONDS", 0.1)
        over = threading.Event()

        def slow(_host: str, _port: int) -> tuple[str, ...]:
            over.wait(60)
            return ("10.0.0.1",)

        webhook_client = UrllibWebhookClient(loopback_allowed=False, now_ms=lambda: NOW_MS, resolve=slow)
        assert post(webhook_client, "https://shop.example.com/") == NotAnswered(code="name_not_resolved")
        over.set()

    def test_no_proxy_of_the_environment_is_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        with serving(OK) as server:
            assert post(local(), server.url) == Answered(status=200)


class TestWhatItSends:
    def test_the_body_and_headers_as_they_are(self) -> None:
        with serving(OK) as server:
            assert post(local(), server.url) == Answered(status=200)
        (request,) = server.requests
        head, _, body = request.partition(b"\r\n\r\n")
        assert head.startswith(b"POST /hooks?to=us HTTP/1.1\r\n")
        assert f"host: 127.0.0.1:{server.port}".encode() in head.lower()
        assert b"webhook-id: evt_1" in head.lower()
        assert body == b'{"a":1}'

    @pytest.mark.parametrize(
        ("target", "sent"),
        [
            ("", "/"),
            ("?a=b", "/?a=b"),
            ("/a/../b/./c//", "/a/../b/./c//"),
            ("/%7Ea%2fb?c=%20&d=1+2", "/%7Ea%2fb?c=%20&d=1+2"),
            ("/a;b=c:d@e!$&'()*+,=?/?:@", "/a;b=c:d@e!$&'()*+,=?/?:@"),
            ('/a"<b>{c}|^`[d]?"<>{}', "/a%22%3Cb%3E%7Bc%7D%7C%5E%60%5Bd%5D?%22%3C%3E%7B%7D"),
            ("/100%?50%zz", "/100%25?50%25zz"),
            ("/a#b", "/a"),
        ],
    )
    def test_path_and_query_as_the_merchant_wrote_them(self, target: str, sent: str) -> None:
        with serving(OK) as server:
            assert post(local(), f"http://127.0.0.1:{server.port}{target}") == Answered(status=200)
        assert server.requests[0].split(b"\r\n")[0] == f"POST {sent} HTTP/1.1".encode()


class TestWhatAServerCanDo:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_not_followed(self, status: int) -> None:
        with serving(OK) as inside:
            moved = f"HTTP/1.1 {status} Moved\r\nLocation: {inside.url}\r\nContent-Length: 0\r\n\r\n".encode()
            with serving(moved) as server:
                assert post(local(), server.url) == Answered(status=status)
            assert inside.requests == []

    def test_a_huge_body_is_left_unread(self) -> None:
        written = 0

        def flood(sock: socket.socket) -> None:
            nonlocal written
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            while True:
                written += sock.send(b"x" * 65536)

        with serving(flood) as server:
            assert post(local(), server.url) == Answered(status=200)
            assert was_cut_off(server)
        assert written < 20_000_000, "what the sockets' buffers hold"

    def test_endless_headers_are_an_end(self) -> None:
        written = 0

        def flood(sock: socket.socket) -> None:
            nonlocal written
            sock.sendall(b"HTTP/1.1 200 OK\r\n")
            while True:
                written += sock.send(b"X-Filler: " + b"y" * 1000 + b"\r\n")

        with serving(flood) as server:
            answer = post(local(), server.url)
            assert was_cut_off(server)
        assert answer in {Answered(status=200), NotAnswered(code="connection_lost")}
        assert written < 20_000_000, "what the sockets' buffers hold"

    def test_endless_interim_answers_are_an_end(self) -> None:
        written = 0

        def flood(sock: socket.socket) -> None:
            nonlocal written
            while True:
                written += sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")

        with serving(flood) as server:
            assert post(local(), server.url) == NotAnswered(code="connection_lost")
            assert was_cut_off(server)
        assert written < 20_000_000, "what the sockets' buffers hold"

    def test_a_slow_status_line_ends_at_the_total_time(self) -> None:
        with serving(drip) as server:
            assert isinstance(post(local(total_seconds=0.5), server.url), NotAnswered)
            assert was_cut_off(server)

    def test_silence_ends_at_the_total_time(self) -> None:
        with serving(lambda sock: closed.append(sock.recv(1))) as server:
            closed: list[bytes] = []
            assert isinstance(post(local(total_seconds=0.5), server.url), NotAnswered)
            assert happens(lambda: closed == [b""]), "the client closed the connection"

    def test_a_body_that_drips_changes_nothing_about_the_status(self) -> None:
        def behave(sock: socket.socket) -> None:
            sock.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2000\r\n\r\n")
            drip(sock)

        with serving(behave) as server:
            assert post(local(total_seconds=2), server.url) == Answered(status=202)
            assert was_cut_off(server)

    @pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n"])
    def test_a_last_answer_that_drips_ends_at_the_total_time(self, head: bytes) -> None:
        """The standard library closes such a connection before the body is read."""

        def behave(sock: socket.socket) -> None:
            sock.sendall(head)
            drip(sock)

        with serving(behave) as server:
            assert post(local(total_seconds=1), server.url) == Answered(status=200)
            assert was_cut_off(server)

    def test_an_answer_to_a_request_that_is_not_read_counts(self) -> None:
        """A server that refuses early closes with bytes of the request unread, which resets the connection."""

        def refuse(sock: socket.socket) -> None:
            sock.sendall(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))

        with serving(refuse) as server:
            assert post(local(), server.url) == Answered(status=410)

    @pytest.mark.parametrize("error", [BrokenPipeError, ConnectionResetError])
    def test_an_answer_counts_although_the_request_could_not_be_sent_to_its_end(
        self, error: type[OSError], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        send = webhook_client_module.EndpointConnection.request

        def request(connection: Any, *args: Any, **kwargs: Any) -> None:
            send(connection, *args, **kwargs)
            raise error

        monkeypatch.setattr(webhook_client_module.EndpointConnection, "request", request)
        with serving(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n") as server:
            assert post(local(), server.url) == Answered(status=410)

    def test_a_host_that_is_none_is_refused(self) -> None:
        answer = post(deployed("93.184.216.34"), "https://shop example.com/")
        assert answer == NotAnswered(code="url_not_allowed")

    def test_a_bomb_is_not_unpacked(self) -> None:
        bomb = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x00\x00"
        with serving(bomb) as server:
            assert post(local(), server.url) == Answered(status=200)

    @pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 9999 X\r\n\r\n", b"\x00" * 100])
    def test_nonsense_is_no_answer(self, answer: bytes) -> None:
        with serving(answer) as server:
            assert isinstance(post(local(), server.url), NotAnswered)

    def test_a_port_where_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        assert post(local(), f"http://127.0.0.1:{port}/") == NotAnswered(code="connection_refused")

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("120", 120),
            ("0", 0),
            ("-1", 0),
            ("soon", 0),
            ("1.5", 0),
            ("9" * 40, 999_999_999),
            ("Mon, 21 Sep 2026 14:26:40 GMT", 800),
            ("Mon, 21 Sep 2020 14:00:00 GMT", 0),
            ("Mon, 21 Sep 9999 14:00:00 GMT", 864_000),
        ],
    )
    def test_retry_after_in_seconds_or_as_a_date(self, value: str, seconds: int) -> None:
        answer = f"HTTP/1.1 503 Busy\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n".encode()
        with serving(answer) as server:
            assert post(local(), server.url) == Answered(status=503, retry_after_seconds=seconds)


class TestTls:
    def test_the_certificate_must_be_the_names_though_an_address_is_called(self, tmp_path: Path) -> None:
        for name, expected in (("shop.example.com", Answered(status=200)), ("other.example.com", None)):
            authority, context = certificates(tmp_path, name)
            with serving(OK, tls=context) as server, reaching(server):
                webhook_client = deployed("93.184.216.34", tls=ssl.create_default_context(cafile=authority))
                answer = post(webhook_client, "https://shop.example.com/hooks")
                assert answer == (expected or NotAnswered(code="tls_failed"))
                if expected:
                    assert b"host: shop.example.com\r\n" in server.requests[0].lower()
                else:
                    assert server.requests == []

    def test_an_unknown_authority_is_refused(self, tmp_path: Path) -> None:
        _, context = certificates(tmp_path, "shop.example.com")
        with serving(OK, tls=context) as server, reaching(server):
            answer = post(deployed("93.184.216.34"), "https://shop.example.com/hooks")
            assert answer == NotAnswered(code="tls_failed")
            assert server.requests == []

    def test_a_handshake_that_drips_ends_at_the_total_time(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        server = Server(listener.getsockname()[1])

        def behave() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    connection.sendall(b"\x16\x03\x03\x40\x00")
                    drip(connection)
                except OSError as error:
                    server.errors.append(error)

        thread = threading.Thread(target=behave, daemon=True)
        thread.start()
        with reaching(server):
            answer = post(deployed("93.184.216.34", total_seconds=0.6), "https://shop.example.com/")
        assert isinstance(answer, NotAnswered)
        assert was_cut_off(server)
        thread.join(30)
        listener.close()


@contextmanager
def reaching(server: Server) -> Iterator[None]:
    """The public address of the tests is this server."""
    connect = socket.create_connection

    def redirected(address: tuple[str, int], **more: Any) -> socket.socket:
        assert address == ("93.184.216.34", 443)
        return connect(("127.0.0.1", server.port), **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "create_connection", redirected)
        yield


def _never(*_arguments: Any, **_more: Any) -> socket.socket:
    raise AssertionError("a connection was opened")


def test_the_addresses_of_these_tests_are_public_ones() -> None:
    assert ipaddress.ip_address("93.184.216.34").is_global
