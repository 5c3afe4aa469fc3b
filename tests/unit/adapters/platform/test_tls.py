"""Reading the certificate authorities takes longer than all else about a connection: it is done once."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from payflowx.adapters.platform.http import Urllib3Client
from payflowx.adapters.platform.tls import tls_context
from payflowx.adapters.webhooks import client as webhooks
from payflowx.adapters.webhooks.client import UrllibWebhookClient
from payflowx.domain.outbound_webhooks.merchant_events import NotAnswered
from payflowx.domain.shared.transport import HttpRequest, NoConnection

CALLS = 3


@contextmanager
def hanging_up() -> Iterator[tuple[int, list[int]]]:
    """A port where every handshake is broken off; the numbers of the connections that came."""
    listener, seen = socket.create_server(("127.0.0.1", 0)), list[int]()

    def serve() -> None:
        for number in range(CALLS):
            connection, _ = listener.accept()
            seen.append(number)
            connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listener:
        yield listener.getsockname()[1], seen
        thread.join(60)


@pytest.fixture
def times_read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ssl.SSLContext]]:
    """The contexts that have read the machine's authorities since the process forgot its own."""
    read: list[ssl.SSLContext] = []
    load = ssl.SSLContext.load_default_certs

    def counted(context: ssl.SSLContext, *args: ssl.Purpose) -> None:
        read.append(context)
        load(context, *args)

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", counted)
    tls_context.cache_clear()
    yield read
    tls_context.cache_clear()


def provider_calls(port: int) -> Callable[[], None]:
    client = Urllib3Client(connect_timeout_seconds=30)
    request = HttpRequest(method="POST", path="/v1/charges", body=b"{}")

    def call() -> None:
        assert isinstance(client.send(request, f"https://localhost:{port}"), NoConnection)

    return call


def webhook_posts(port: int) -> Callable[[], None]:
    client = UrllibWebhookClient(loopback_allowed=False, now_ms=lambda: 0, resolve=lambda *_: ("127.0.0.1",))

    def post() -> None:
        assert isinstance(client.post(f"https://localhost:{port}/hooks", {}, b"{}"), NotAnswered)

    return post


@pytest.mark.parametrize("calls_of", [provider_calls, webhook_posts])
def test_the_authorities_are_read_once_for_all_connections(
    calls_of: Callable[[int], Callable[[], None]],
    times_read: list[ssl.SSLContext],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhooks, "is_public", lambda _address: True)
    with hanging_up() as (port, seen):
        call = calls_of(port)
        for _ in range(CALLS):
            call()
    assert len(seen) == CALLS
    assert len(times_read) == 1


def test_both_clients_share_the_context(times_read: list[ssl.SSLContext]) -> None:
    Urllib3Client()
    UrllibWebhookClient(loopback_allowed=False, now_ms=lambda: 0)
    assert len(times_read) == 1


def test_a_certificate_is_required_and_its_name_is_checked() -> None:
    context = tls_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.cert_store_stats()["x509_ca"] > 0
