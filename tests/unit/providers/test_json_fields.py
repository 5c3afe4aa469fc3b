"""Answers of providers in forms that no provider documents: they are not understood, whatever they contain."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from payflowx.domain.payments.outcome import ActionRequired, Progress, Unknown
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.cashfree.connector import CONNECTOR as CASHFREE
from payflowx.providers.contract import Connector
from payflowx.providers.http_provider import _read
from payflowx.providers.json_fields import action, as_int, error_body, json_array, json_object
from payflowx.providers.payu.connector import CONNECTOR as PAYU
from payflowx.providers.razorpay.connector import CONNECTOR as RAZORPAY
from payflowx.providers.stripe.connector import CONNECTOR as STRIPE

KEY = "pfx-abcdefghijklmnop-1"
CONNECTORS = {"stripe": STRIPE, "razorpay": RAZORPAY, "cashfree": CASHFREE, "payu": PAYU}
CHARGE = ChargeRequest(
    provider_key=KEY,
    amount=1999,
    currency="INR",
    token="pm_1",
    payment_method_type="card",
    capture=CaptureMode.AUTOMATIC,
    progress={"order_id": "order_1", "payment_session_id": "session_1", "order": "created"},
)


def answer(body: str, status: int = 200) -> HttpResponse:
    return HttpResponse(status=status, headers={}, body=body.encode())


TWICE = [
    '{"status": "canceled", "status": "succeeded"}',
    '{"status": "canceled", "status": "canceled"}',
    '{"data": {"amount": 1, "amount": 100}}',
    '{"data": [{"amount": 1, "amount": 100}]}',
    '{"error": {"payment_intent": {"id": "pi_1"}}, "error": {}}',
    '{"status": 1, "st\\u0061tus": 0}',
]


@pytest.mark.parametrize("read", [json_object, error_body])
@pytest.mark.parametrize("body", TWICE)
def test_a_member_that_stands_twice_leaves_the_whole_answer_unread(
    read: Callable[[HttpResponse], Any], body: str
) -> None:
    with pytest.raises(ValueError, match="twice"):
        read(answer(body))


@pytest.mark.parametrize("number", ["1e9999999999999999999", "-1.5E-9999999999999999999", "NaN", "Infinity"])
def test_a_number_that_no_decimal_holds_is_an_error_of_the_form(number: str) -> None:
    """Readers of webhooks expect this one error."""
    with pytest.raises(ValueError, match=r"exponent|NaN"):
        json_object(answer(f'{{"amount": {number}}}'))


def test_in_an_array_too() -> None:
    with pytest.raises(ValueError, match="twice"):
        json_array(answer('[{"a": 1, "a": 2}]'))


@pytest.mark.parametrize("connector", CONNECTORS.values(), ids=CONNECTORS)
@pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 404, 409, 429])
def test_no_step_of_a_charge_decides_by_such_an_answer(connector: Connector, status: int) -> None:
    """The hidden member may be the payment that the answer names."""
    body = '{"error": {"metadata": {"payment_id": "pay_1"}, "charge": "ch_1"}, "error": {"code": "x", "code": "y"}}'
    for step in (*connector.charge_steps, *connector.inquiry_steps(CHARGE)):
        found = _read(step, CHARGE, answer(body, status))
        assert isinstance(found, Unknown | Progress), step.name


@pytest.mark.parametrize("value", [10**18, -(10**18), 10**60, 10**4_000])
def test_a_number_that_no_amount_and_no_time_has_is_not_read(value: int) -> None:
    """DynamoDB keeps 38 digits: a longer number would fail at every write of the outcome."""
    with pytest.raises(ValueError, match="whole number"):
        as_int(value)


@pytest.mark.parametrize("value", [0, -1, 999_999_999_999, 1_790_000_000_000])
def test_amounts_and_times_are(value: int) -> None:
    assert as_int(value) == value


@pytest.mark.parametrize("seconds", [10**60, 10**16, -1, 0, True, 1.5, "1790000000", None])
def test_an_authorization_without_a_usable_time_keeps_the_providers_usual_one(seconds: Any) -> None:
    intent = {
        "id": "pi_1",
        "object": "payment_intent",
        "status": "requires_capture",
        "amount_capturable": 1999,
        "currency": "inr",
        "metadata": {"payflowx_key": KEY},
        "latest_charge": {"payment_method_details": {"card": {"capture_before": seconds}}},
    }
    found = _read(STRIPE.charge_steps[-1], CHARGE, answer(json.dumps(intent)))
    assert found.lapses_at_ms is None  # type: ignore[union-attr]  # an authorization


@pytest.mark.parametrize(
    "url",
    [
        "https://pay.example/\ud83d",
        "https://pay.example/ a",
        "https://pay.example/\r\nset-cookie: a=b",
        "https://pay.example/\x00",
        "https://pay.example/\u202ecod.exe",
        "javascript:alert(1)",
        "//pay.example/",
        "",
        None,
        7,
        ["https://pay.example/"],
    ],
)
def test_an_address_that_no_browser_and_no_table_takes_is_none(url: Any) -> None:
    assert action("pi_1", url) == Unknown(code="action_without_address")


def test_an_address_of_the_provider_is_one() -> None:
    assert isinstance(action("pi_1", "https://hooks.stripe.com/3d_secure_2/a?b=c%20d#e"), ActionRequired)


@pytest.mark.parametrize("fields", [{"a": "\ud83d"}, {"\udc00": "a"}])
def test_a_form_with_half_a_character_cannot_be_posted(fields: dict[str, str]) -> None:
    data = {"url": "https://bank.example/", "method": "post", "payload": fields}
    body = {"action": "form", "cf_payment_id": "1", "payment_amount": 19.99, "data": data}
    found = _read(CASHFREE.charge_steps[-1], CHARGE, answer(json.dumps(body)))
    assert found == Unknown(code="action_without_address")
