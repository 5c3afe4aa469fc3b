"""Checkouts through the API: what is accepted, what is shown, and each member that goes only with another one."""

from dataclasses import replace
from typing import Any

import pytest

from payflowx.domain.payments.hosted import HostedCapability
from payflowx.domain.payments.outcome import ActionRequired, NextAction, NotSent, Rejected
from payflowx.domain.shared.limits import DAY_MS, MINUTE_MS
from payflowx.entrypoints.checkout import handler as checkout
from tests.support.handlers import Context, Functions

PAGES = "https://pay.example.com/checkout/"
CHECKOUT = {"type": "checkout"}
HOSTED = HostedCapability(
    methods=frozenset({"card", "upi"}),
    min_lifetime_ms=20 * MINUTE_MS,
    max_lifetime_ms=DAY_MS,
    is_closing_proof=True,
)


@pytest.fixture
def shop(functions: Functions) -> Functions:
    """`alpha` has hosted pages, and takes USD only; no other provider has any."""
    alpha = functions.providers.get("alpha")
    alpha.able = replace(alpha.able, currencies=frozenset({"USD"}), hosted=HOSTED)
    return functions


def test_the_next_action_is_our_page_until_the_checkout_ends(shop: Functions) -> None:
    status, made, _ = shop.pay(paymentMethod=CHECKOUT, expiresInSeconds=3600)
    assert (status, made["status"], made["attempts"]) == (202, "REQUIRES_ACTION", [])
    action = made["nextAction"]
    assert (action["type"], action["fields"]) == ("redirect", None)
    assert action["url"].startswith(PAGES)
    assert action["expiresAt"] > made["createdAt"]
    assert shop.messages() == []
    _, shown, _ = shop.call("GET", f"/payments/{made['transactionId']}")
    assert shown["nextAction"] == action
    assert (shown["extraCharges"], shown["payerPaid"]) == ([], None)


def test_our_page_stays_the_address_while_the_providers_page_is_open(shop: Functions) -> None:
    """The merchant never sends a payer past our page, which knows whether the provider's is still open."""
    opened = ActionRequired(reference="obj-1", action=NextAction(kind="redirect", url="https://bank.example/1"))
    shop.providers.get("alpha").charges = [opened]
    _, direct, _ = shop.pay("key-1", paymentMethod=CHECKOUT | {"presentation": "direct"})
    assert direct["nextAction"] is None
    shop.work()
    _, direct, _ = shop.call("GET", f"/payments/{direct['transactionId']}")
    assert direct["nextAction"]["url"] == "https://bank.example/1"
    assert direct["nextAction"]["expiresAt"] is not None
    _, paged, _ = shop.pay("key-2", paymentMethod=CHECKOUT)
    assert paged["nextAction"]["url"].startswith(PAGES)


@pytest.mark.parametrize("answer", [NotSent(code="connection_refused"), Rejected(code="invalid_request")])
def test_without_the_providers_page_a_direct_checkout_has_ours(shop: Functions, answer: NotSent | Rejected) -> None:
    """Nobody else would begin again: the payment would wait for its expiry, and hold its order."""
    shop.providers.get("alpha").charges = [answer]
    _, made, _ = shop.pay(paymentMethod=CHECKOUT | {"presentation": "direct"}, orderId="order-1")
    assert made["nextAction"] is None
    shop.work()
    _, shown, _ = shop.call("GET", f"/payments/{made['transactionId']}")
    assert (shown["status"], shown["attempts"][0]["state"]) == ("REQUIRES_ACTION", answer_state(answer))
    assert shown["nextAction"]["url"].startswith(PAGES)
    _, refused, _ = shop.pay("key-2", paymentMethod=CHECKOUT, orderId="order-1")
    assert refused["order"]["nextAction"] == shown["nextAction"]
    token = shown["nextAction"]["url"].rpartition("/")[2]
    event = {"httpMethod": "GET", "resource": "/checkout/{token}", "pathParameters": {"token": token}}
    assert "How do you want to pay?" in checkout.handler(event, Context())["body"]


def answer_state(answer: NotSent | Rejected) -> str:
    return "NOT_SENT" if isinstance(answer, NotSent) else "REJECTED"


def test_a_payer_returns_to_a_shop_on_this_machine_only_where_a_developer_works(shop: Functions) -> None:
    sale = {"paymentMethod": CHECKOUT, "returnUrl": "http://127.0.0.1:8000/thanks"}
    refused = (422, "url_not_allowed", "returnUrl")

    def answered(key: str) -> tuple[int, str, str]:
        status, problem, _ = shop.pay(key, **sale)
        return status, problem.get("code", ""), problem.get("field", "")

    assert answered("key-1") == refused
    shop.deploy(LOOPBACK_ALLOWED="true")
    assert answered("key-1") == (202, "", "")
    shop.deploy(LOOPBACK_ALLOWED="true", AWS_LAMBDA_RUNTIME_API="127.0.0.1:9001")
    assert answered("key-2") == refused


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8000/thanks",
        "http://127.0.0.1/thanks",
        "http://localhost:3000/thanks",
        "http://[::1]:8000/thanks",
        "HTTPS://shop.example.com/thanks",
        "https://shop.example.com?a=%zz#b",
    ],
)
def test_every_way_back_that_is_accepted_is_shown(shop: Functions, address: str) -> None:
    shop.deploy(LOOPBACK_ALLOWED="true")
    _, made, _ = shop.pay(paymentMethod=CHECKOUT, returnUrl=address)
    token = made["nextAction"]["url"].rpartition("/")[2]
    event = {"httpMethod": "GET", "resource": "/checkout/{token}", "pathParameters": {"token": token}}
    answer = checkout.handler(event, Context())
    assert answer["statusCode"] == 200
    assert f"transactionId={made['transactionId']}" in answer["body"]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"paymentMethod": CHECKOUT | {"token": "tok_success"}}, "payment_method_invalid", "paymentMethod"),
        ({"paymentMethod": CHECKOUT | {"tokens": {"alpha": "t"}}}, "payment_method_invalid", "paymentMethod"),
        ({"paymentMethod": CHECKOUT | {"tokens": {}}}, "payment_method_invalid", "paymentMethod"),
        ({"paymentMethod": CHECKOUT | {"methods": []}}, "payment_method_invalid", "paymentMethod.methods"),
        ({"paymentMethod": CHECKOUT | {"methods": ["cash"]}}, "payment_method_invalid", "paymentMethod.methods"),
        ({"paymentMethod": CHECKOUT | {"methods": ["card"] * 2}}, "payment_method_invalid", "paymentMethod.methods"),
        ({"paymentMethod": CHECKOUT | {"presentation": "x"}}, "payment_method_invalid", "paymentMethod.presentation"),
        ({"paymentMethod": CHECKOUT, "initiator": "merchant"}, "field_invalid", "initiator"),
        ({"paymentMethod": CHECKOUT, "savePaymentMethod": True}, "field_invalid", "savePaymentMethod"),
        ({"paymentMethod": CHECKOUT, "expiresInSeconds": 899}, "field_invalid", "expiresInSeconds"),
        ({"paymentMethod": CHECKOUT, "expiresInSeconds": 2_592_001}, "field_invalid", "expiresInSeconds"),
        ({"paymentMethod": CHECKOUT, "expiresInSeconds": "900"}, "field_invalid", "expiresInSeconds"),
        ({"paymentMethod": CHECKOUT, "returnUrl": "javascript:alert(1)"}, "url_not_allowed", "returnUrl"),
        ({"expiresInSeconds": 3600}, "field_invalid", "expiresInSeconds"),
        (
            {"paymentMethod": {"type": "card", "token": "t", "methods": ["card"]}},
            "payment_method_invalid",
            "paymentMethod.methods",
        ),
        (
            {"paymentMethod": {"type": "card", "token": "t", "presentation": "direct"}},
            "payment_method_invalid",
            "paymentMethod.presentation",
        ),
        ({"paymentMethod": CHECKOUT | {"methods": ["wallet"]}}, "no_provider_available", None),
        ({"paymentMethod": CHECKOUT, "currency": "EUR"}, "no_provider_available", None),
        ({"paymentMethod": CHECKOUT, "capture": "manual"}, "no_provider_available", None),
        ({"paymentMethod": CHECKOUT, "expiresInSeconds": 900}, "no_provider_available", None),
    ],
)
def test_a_refusal_names_the_field_and_nothing_is_written(
    shop: Functions, changes: dict[str, Any], code: str, field: str | None
) -> None:
    status, problem, _ = shop.pay(**changes)
    assert (status, problem["code"], problem.get("field")) == (422, code, field)
    client = shop.engine.client("dynamodb")
    assert client.scan(TableName="transactions")["Count"] == 0
    assert shop.messages() == []
