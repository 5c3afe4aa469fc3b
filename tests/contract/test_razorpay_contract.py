"""Razorpay against the provider's own vectors and samples. They are the provider's, and are not kept here."""

import json
from typing import Any

import pytest

from payflowx.domain.payments.outcome import Accepted, Mismatch, NotFound, Progress, Rejected, Succeeded, Unknown
from payflowx.domain.providers.events import InvalidSignatureError, Webhook
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.http_provider import _read
from payflowx.providers.razorpay.connector import CONNECTOR
from payflowx.providers.razorpay.signature import is_payment_signed, is_signed, sign
from tests.support.left_out import CONTRACTS

FIXTURES = CONTRACTS / "razorpay-fixtures"
VECTORS = CONTRACTS / "vectors.json"

pytestmark = pytest.mark.needs("contracts")

ORDER, PAY = CONNECTOR.charge_steps


def vectors(kind: str) -> list[Any]:
    if not VECTORS.is_file():
        return []
    rows = json.loads(VECTORS.read_text())
    return [pytest.param(row, id=row["id"]) for row in rows if (row["provider"], row["kind"]) == ("razorpay", kind)]


def sample(name: str, http_status: int = 200, **changes: Any) -> HttpResponse:
    body = (FIXTURES / name).read_bytes()
    if changes:
        body = json.dumps({**json.loads(body), **changes}).encode()
    return HttpResponse(status=http_status, headers={}, body=body)


def charge(order_id: str = "fake_order_id", amount: int = 500) -> ChargeRequest:
    return ChargeRequest(
        provider_key="pfx-abcdefghijklmnop-1",
        amount=amount,
        currency="INR",
        token="cust_1:token_1",
        payment_method_type="card",
        capture=CaptureMode.AUTOMATIC,
        progress={"order_id": order_id},
    )


def refund(**changes: Any) -> OperationRequest:
    values: dict[str, Any] = {
        "kind": OperationKind.REFUND,
        "provider_key": "pfx-qrstuvwxyz234567-1",
        "amount": 300_100,
        "currency": "INR",
        "charge_key": "pfx-abcdefghijklmnop-1",
        "charge_reference": "pay_FIKOnlyii5QGNx",
        "charge_amount": 400_000,
        **changes,
    }
    return OperationRequest(**values)


@pytest.mark.parametrize("row", vectors("hmac_hex"))
def test_published_signatures(row: dict[str, Any]) -> None:
    assert sign(row["message"].encode(), row["secret"]) == row["expected"]
    assert is_signed(row["message"].encode(), row["expected"], ("another", row["secret"]))
    assert not is_signed(row["message"].encode(), row["expected"], ("another",))


@pytest.mark.parametrize("row", [row for row in vectors("hmac_hex") if row.id == "razorpay-payment-vendor"])
def test_published_signature_of_a_payment(row: dict[str, Any]) -> None:
    order_id, payment_id = row["message"].split("|")
    assert is_payment_signed(order_id, payment_id, row["expected"], row["secret"])
    assert not is_payment_signed(payment_id, order_id, row["expected"], row["secret"])


@pytest.mark.parametrize("row", vectors("webhook"))
def test_published_webhook(row: dict[str, Any]) -> None:
    body = (CONTRACTS / row["body_file"]).read_bytes()
    webhook = Webhook(headers={"x-razorpay-signature": row["expected"]}, body=body, received_at_ms=0)
    provider_event = CONNECTOR.read_webhook(webhook, (row["secret"],))
    assert (provider_event.type, provider_event.charge_reference) == ("payment.authorized", "pay_6koWN7bvxujzxM")
    assert (provider_event.charge_key, provider_event.outcome) == (None, None)
    with pytest.raises(InvalidSignatureError):
        CONNECTOR.read_webhook(Webhook(headers=webhook.headers, body=body + b" ", received_at_ms=0), (row["secret"],))


def test_a_sample_order_is_not_ours_and_is_not_paid() -> None:
    assert _read(ORDER, charge(), sample("fake_order.json")) == Unknown(code="another_order")
    ours = sample("fake_order.json", receipt=charge().provider_key, status="created")
    assert _read(ORDER, charge(), ours) == Progress(
        facts={"order_id": "fake_order_id", "capture_within_minutes": "7200"}
    )


def test_a_sample_error() -> None:
    for step in (ORDER, PAY):
        refused = _read(step, charge(), sample("bad_request_error.json", 400))
        assert refused == Rejected(code="field_refused", message="The amount is invalid")


def test_a_sample_recurring_payment() -> None:
    answer = sample("fake_create_recurring.json")
    assert _read(PAY, charge("order_Ia5nABHSOWXg0Q"), answer) == Accepted(reference="pay_Ia5nRCnwjqXGxv")
    assert _read(PAY, charge("order_of_somebody_else"), answer) == Unknown(code="another_order")


@pytest.mark.parametrize("name", ["fake_payment.json", "fake_captured_payment.json"])
def test_a_sample_payment_without_an_order_is_not_believed(name: str) -> None:
    body = json.dumps({"count": 1, "items": [json.loads((FIXTURES / name).read_bytes())]}).encode()
    step = CONNECTOR.inquiry_steps(charge())[0]
    outcome = _read(step, charge(), HttpResponse(status=200, headers={}, body=body))
    assert outcome == Unknown(code="answer_not_understood")


def test_the_sample_webhooks_payment_as_it_would_be_read() -> None:
    event = json.loads((FIXTURES / "fake_payment_authorized_webhook.json").read_bytes())
    body = json.dumps({"count": 1, "items": [event["payload"]["payment"]["entity"]]}).encode()
    asked = charge("order_100000000order", amount=1_000_000)
    outcome = _read(CONNECTOR.inquiry_steps(asked)[0], asked, HttpResponse(status=200, headers={}, body=body))
    assert outcome == Succeeded(
        reference="pay_6koWN7bvxujzxM",
        amount=1_000_000,
        currency="INR",
        merchant_reference="pfx-abcdefghijklmnop-1",
    )


def test_a_sample_refund() -> None:
    read = CONNECTOR.operation_steps(refund())[0].read
    assert isinstance(read(refund(), sample("fake_refund.json")), Mismatch)
    ours = sample("fake_refund.json", receipt=refund().provider_key)
    assert isinstance(read(refund(), ours), Succeeded)
    assert isinstance(read(refund(charge_reference="pay_2"), ours), Mismatch)


def test_sample_refunds_of_others() -> None:
    asked = refund(charge_reference="fake_payment_id")
    (step,) = CONNECTOR.operation_inquiry_steps(asked)
    assert step.read(asked, sample("refund_collection.json")) == NotFound(complete=True)
