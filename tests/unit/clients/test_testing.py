"""The test double, as a merchant's own tests use it. Its behaviour is held to the API by tests/integration."""

import json
from pathlib import Path
from typing import Any

import pytest

import payflowx_client as pfx
from payflowx_client.testing import API_KEY, SCENARIOS, FakeApi, served

VECTORS = json.loads((Path(__file__).resolve().parents[3] / "clients" / "vectors.json").read_text())
METHOD = pfx.PaymentMethod(type="card", token="tok_success")
NEW: dict[str, Any] = {"amount": 1999, "currency": "USD", "key": ("order", 1)}


def test_every_scenario_has_a_name_a_token_and_a_meaning() -> None:
    assert len(SCENARIOS) == 9
    for name, scenario in SCENARIOS.items():
        assert (scenario.name, scenario.token) == (name, f"tok_{name}")
        assert scenario.means.endswith(".")


def test_events_arrive_in_the_wrong_order_and_the_kit_says_so() -> None:
    api = FakeApi()
    client = api.client()
    secret = client.webhook_endpoints.create(url="https://shop.example.com/hook").secret
    client.payments.create(**NEW, payment_method=pfx.PaymentMethod(type="card", token="tok_out_of_order_events"))
    api.advance(120)
    webhook = pfx.Webhook(secret, store=pfx.MemoryEventStore(), now=api.now_seconds)
    found = []
    for delivery in api.deliveries():
        received = webhook.parse(delivery.body, delivery.headers)
        found.append((received.event.sequence, received.missing, received.is_late))
        received.done()
    assert found == [(2, (1,), False), (1, (), True)]
    assert api.deliveries() == []


def test_answers_are_lost_and_requests_refused_where_a_test_wants_it() -> None:
    api = FakeApi()
    client = api.client(retries=pfx.NO_RETRIES)
    api.lose_answers()
    with pytest.raises(pfx.UnansweredError):
        client.payments.create(**NEW, payment_method=METHOD)
    api.refuse_next("rate_limited")
    with pytest.raises(pfx.RateLimitedError):
        client.payments.create(**NEW, payment_method=METHOD)
    payment = client.payments.create(**NEW, payment_method=METHOD)
    assert len(list(client.payments.list())) == 1
    assert client.payments.wait_for(payment).status is pfx.PaymentStatus.SUCCESS


@pytest.mark.parametrize(("one", "other"), VECTORS["sameAddress"])
def test_an_address_in_another_spelling_is_registered_already(one: str, other: str) -> None:
    client = FakeApi().client()
    client.webhook_endpoints.create(url=one)
    with pytest.raises(pfx.ConflictError) as refused:
        client.webhook_endpoints.create(url=other)
    assert refused.value.code == "endpoint_exists"


@pytest.mark.parametrize(("one", "other"), VECTORS["otherAddress"])
def test_another_address_is_registered(one: str, other: str) -> None:
    client = FakeApi().client()
    for url in (one, other):
        assert client.webhook_endpoints.create(url=url).url == url


def test_another_process_reaches_it_by_a_socket() -> None:
    api = FakeApi()
    with served(api) as url:
        client = pfx.Client(base_url=url, api_key=API_KEY, clock=api.clock)
        api.lose_answers(2)
        payment = client.payments.create(**NEW, payment_method=METHOD)
        assert client.payments.get(payment.transaction_id).amount == 1999
    assert len(list(api.client().payments.list())) == 1


def test_a_payer_who_must_act_can_be_cancelled() -> None:
    api = FakeApi()
    client = api.client()
    method = pfx.PaymentMethod(type="card", token="tok_requires_action")
    payment = client.payments.wait_for(client.payments.create(**NEW, payment_method=method))
    assert payment.next_action is not None
    assert client.payments.cancel(payment.transaction_id).cancel_requested
    until = {pfx.PaymentStatus.CANCELLED}
    assert client.payments.wait_for(payment, until=until).next_action is None
