"""The transport over httpx does what the standard library's does."""

import socket
from typing import Any

import pytest

import payflowx_client as pfx
from payflowx_client.httpx_transport import HttpxTransport
from payflowx_client.testing import API_KEY, FakeApi, served
from tests.unit.clients.conftest import StillClock
from tests.unit.clients.server import Say, Server

NEW: dict[str, Any] = {
    "amount": 5,
    "currency": "USD",
    "payment_method": pfx.PaymentMethod(type="card", token="tok_success"),
    "key": ("order", 1),
}


def test_answers_problems_and_lost_answers() -> None:
    api = FakeApi()
    with served(api) as url, HttpxTransport(url) as transport:
        client = pfx.Client(base_url=url, api_key=API_KEY, transport=transport, clock=api.clock)
        api.lose_answers(2)
        payment = client.payments.create(**NEW)
        assert client.payments.create(**NEW).transaction_id == payment.transaction_id
        with pytest.raises(pfx.NotFoundError):
            client.payments.get("pay_none")
    assert len(list(api.client().payments.list())) == 1


def test_a_refused_connection_is_no_lost_answer(clock: StillClock) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with HttpxTransport(url) as transport:
        client = pfx.Client(base_url=url, api_key="k", transport=transport, clock=clock)
        with pytest.raises(pfx.UnansweredError, match="not connected: ConnectError"):
            client.payments.create(**NEW)


def test_redirects_are_not_followed_and_answers_are_bounded(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with HttpxTransport(server.url) as transport:
        client = pfx.Client(base_url=server.url, api_key="k", transport=transport, retries=pfx.NO_RETRIES)
        server.answers = [Say(302, b"", {"Location": "https://elsewhere.example.com"})]
        with pytest.raises(pfx.UnexpectedAnswerError):
            client.payments.get("pay_1")
        monkeypatch.setattr("payflowx_client.httpx_transport.MAX_ANSWER_BYTES", 10)
        server.answers = [Say(200, b"x" * 11)]
        with pytest.raises(pfx.UnansweredError, match="too large"):
            client.payments.get("pay_1")
        assert len(server.came) == 2


def test_the_key_goes_to_no_address_that_can_be_read_on_the_way() -> None:
    with pytest.raises(ValueError, match="https"):
        HttpxTransport("http://api.example.com")
