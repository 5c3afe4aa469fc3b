"""The mock connectors' captures, voids, refunds and webhooks: readings of every answer, and signatures."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflowx.domain.payments.outcome import (
    Accepted,
    Declined,
    Mismatch,
    NotFound,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.providers.events import InvalidSignatureError, ProviderEvent, Webhook
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.registry import connector

NAMES = ("mock", "razorpay_mock", "cashfree_mock")
CAPTURE, VOID, REFUND = OperationKind.CAPTURE, OperationKind.VOID, OperationKind.REFUND
KEY, CHARGE_KEY = "pfx-bcdefghijklmnopq-1", "pfx-abcdefghijklmnop-1"


def request(kind: OperationKind = REFUND, **changes: Any) -> OperationRequest:
    values: dict[str, Any] = {
        "kind": kind,
        "provider_key": KEY,
        "amount": 1999,
        "currency": "USD",
        "charge_key": CHARGE_KEY,
        "charge_reference": "ch_1",
        "charge_amount": 1999,
        "charge_progress": {"order_id": "order_1"},
        **changes,
    }
    return OperationRequest(**values)


def answer(status: int, body: Any) -> HttpResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status=status, headers={}, body=data)


def sent(name: str, asked: OperationRequest, status: int, body: Any) -> object:
    (step,) = connector(name).operation_steps(asked)
    return _read(step, asked, status, body)


def looked_up(name: str, asked: OperationRequest, status: int, body: Any) -> object:
    (step,) = connector(name).operation_inquiry_steps(asked)
    return _read(step, asked, status, body)


def _read(step: Any, asked: OperationRequest, status: int, body: Any) -> object:
    """As `HttpProvider` does: an answer that makes the reader fail is not understood."""
    try:
        return step.read(asked, answer(status, body))
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return Unknown(code="answer_not_understood")


OPERATION = {
    "id": "op_1",
    "object": "refund",
    "charge": "ch_1",
    "amount": 1999,
    "currency": "USD",
    "reference": KEY,
    "status": "succeeded",
}
RZP_REFUND = {
    "id": "op_1",
    "payment_id": "ch_1",
    "amount": 1999,
    "currency": "USD",
    "receipt": KEY,
    "status": "processed",
}
RZP_PAYMENT = {"id": "ch_1", "order_id": "order_1", "amount": 1999, "currency": "USD", "status": "captured"}
CF_REFUND = (
    b'{"cf_refund_id":"op_1","refund_id":"%s","order_id":"%s","refund_amount":19.99,"refund_currency":"USD",'
    b'"refund_status":"SUCCESS"}' % (KEY.encode(), CHARGE_KEY.encode())
)
CF_PAYMENT = (
    b'{"cf_payment_id":"ch_1","order_id":"%s","payment_amount":19.99,"payment_currency":"USD",'
    b'"payment_status":"SUCCESS","is_captured":true}' % CHARGE_KEY.encode()
)
CF_HELD = CF_PAYMENT.replace(b"true", b"false")
CF_VOID = CF_HELD.replace(b"SUCCESS", b"VOID")


def moved(reference: str) -> Succeeded:
    return Succeeded(reference=reference, amount=1999, currency="USD", merchant_reference=KEY)


ANSWERS: list[tuple[str, OperationKind, int, Any, object]] = [
    ("mock", REFUND, 200, OPERATION, moved("op_1")),
    ("mock", CAPTURE, 200, {**OPERATION, "object": "capture"}, moved("op_1")),
    ("mock", CAPTURE, 200, OPERATION, Mismatch),
    ("mock", REFUND, 200, {**OPERATION, "charge": "ch_2"}, Mismatch),
    ("mock", REFUND, 200, {**OPERATION, "reference": "another"}, Mismatch),
    ("mock", REFUND, 200, {**OPERATION, "status": "pending"}, Accepted),
    ("mock", REFUND, 200, {**OPERATION, "status": "failed"}, Declined),
    ("mock", REFUND, 200, {**OPERATION, "status": "new word"}, Unknown),
    ("mock", REFUND, 200, {**OPERATION, "amount": 19.99}, Unknown),
    ("mock", REFUND, 400, {"error": {"code": "amount_too_large"}}, Rejected),
    ("mock", REFUND, 400, {"error": {"type": "idempotency_error"}}, Unknown),
    ("mock", REFUND, 404, {}, Unknown),
    ("mock", REFUND, 500, {}, Unknown),
    ("mock", REFUND, 200, b"<html>", Unknown),
    ("razorpay_mock", REFUND, 200, RZP_REFUND, moved("op_1")),
    ("razorpay_mock", REFUND, 200, {**RZP_REFUND, "receipt": None}, Mismatch),
    ("razorpay_mock", REFUND, 200, {**RZP_REFUND, "status": "failed"}, Declined),
    ("razorpay_mock", REFUND, 400, {"error": {"reason": "not_refundable"}}, Rejected),
    ("razorpay_mock", REFUND, 400, {"error": {"reason": "amount_too_large"}}, Rejected),
    ("razorpay_mock", CAPTURE, 200, RZP_PAYMENT, moved("ch_1")),
    ("razorpay_mock", CAPTURE, 200, {**RZP_PAYMENT, "status": "authorized"}, Unknown),
    ("razorpay_mock", CAPTURE, 200, {**RZP_PAYMENT, "order_id": "order_2"}, Mismatch),
    ("razorpay_mock", CAPTURE, 400, {"error": {"reason": "not_capturable"}}, Rejected),
    ("cashfree_mock", REFUND, 200, CF_REFUND, moved("op_1")),
    ("cashfree_mock", REFUND, 200, CF_REFUND.replace(b"19.99", b"19.999"), Mismatch),
    ("cashfree_mock", REFUND, 200, CF_REFUND.replace(b"19.99", b'"19.99"'), Unknown),
    ("cashfree_mock", REFUND, 200, CF_REFUND.replace(KEY.encode(), b"another"), Mismatch),
    ("cashfree_mock", REFUND, 200, CF_REFUND.replace(b"SUCCESS", b"CANCELLED"), Declined),
    ("cashfree_mock", REFUND, 409, {"code": "refund_already_exists"}, Unknown),
    ("cashfree_mock", CAPTURE, 200, CF_PAYMENT, moved("ch_1")),
    ("cashfree_mock", CAPTURE, 200, CF_HELD, Unknown),
    ("cashfree_mock", CAPTURE, 200, CF_VOID, Declined),
    ("cashfree_mock", VOID, 200, CF_VOID, moved("ch_1")),
    ("cashfree_mock", VOID, 200, CF_PAYMENT, Declined),
    ("cashfree_mock", CAPTURE, 400, {"code": "order_authorization_invalid"}, Rejected),
]


@pytest.mark.parametrize(("name", "kind", "status", "body", "expected"), ANSWERS)
def test_what_an_answer_means(name: str, kind: OperationKind, status: int, body: Any, expected: object) -> None:
    outcome = sent(name, request(kind), status, body)
    assert outcome == expected if isinstance(expected, Succeeded) else type(outcome) is expected


INQUIRIES: list[tuple[str, OperationKind, int, Any, object]] = [
    ("mock", REFUND, 200, {"data": [OPERATION]}, moved("op_1")),
    ("mock", REFUND, 200, {"data": []}, NotFound),
    ("mock", REFUND, 200, {"data": [OPERATION, OPERATION]}, Mismatch),
    ("mock", REFUND, 404, {}, Unknown),
    ("razorpay_mock", REFUND, 200, {"items": [{**RZP_REFUND, "receipt": "x"}, RZP_REFUND]}, moved("op_1")),
    ("razorpay_mock", REFUND, 200, {"items": [{**RZP_REFUND, "receipt": "x"}]}, NotFound),
    ("razorpay_mock", REFUND, 200, {"items": [RZP_REFUND, RZP_REFUND]}, Mismatch),
    ("razorpay_mock", CAPTURE, 200, {**RZP_PAYMENT, "status": "authorized"}, NotFound),
    ("cashfree_mock", REFUND, 404, {"code": "refund_not_found"}, NotFound),
    ("cashfree_mock", REFUND, 404, {"code": "order_not_found"}, Unknown),
    ("cashfree_mock", REFUND, 404, b"<html>", Unknown),
    ("cashfree_mock", CAPTURE, 200, b"[" + CF_HELD + b"]", NotFound),
    ("cashfree_mock", CAPTURE, 200, b"[]", Unknown),
    ("cashfree_mock", VOID, 200, b"[" + CF_VOID + b"]", moved("ch_1")),
]


@pytest.mark.parametrize(("name", "kind", "status", "body", "expected"), INQUIRIES)
def test_an_inquiry(name: str, kind: OperationKind, status: int, body: Any, expected: object) -> None:
    outcome = looked_up(name, request(kind), status, body)
    assert outcome == expected if isinstance(expected, Succeeded) else type(outcome) is expected


def test_what_is_not_offered_has_no_request() -> None:
    assert connector("razorpay_mock").operation_steps(request(VOID)) == ()
    assert connector("razorpay_mock").operation_steps(request(CAPTURE, amount=1000)) == ()
    assert len(connector("razorpay_mock").operation_steps(request(REFUND, amount=1000))) == 1


@pytest.mark.parametrize("name", NAMES)
@given(status=st.sampled_from([200, 400, 404, 409, 500]), body=st.binary(max_size=40) | st.sampled_from([OPERATION]))
def test_nothing_is_moved_by_an_answer_that_does_not_bear_our_key(name: str, status: int, body: Any) -> None:
    asked = request(provider_key="pfx-zzzzzzzzzzzzzzzz-1")
    assert not isinstance(sent(name, asked, status, body), Succeeded)
    assert not isinstance(looked_up(name, asked, status, body), Succeeded)


# --- webhooks


def received(name: str, body: Any, *, secret: str = "secret", secrets: tuple[str, ...] = ("secret",)) -> ProviderEvent:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()
    webhook = Webhook(headers={"x-mock-signature": signature}, body=data, received_at_ms=0)
    return connector(name).read_webhook(webhook, secrets)


@pytest.mark.parametrize("name", NAMES)
class TestSignature:
    def test_any_of_the_secrets_will_do(self, name: str) -> None:
        assert received(name, {"id": "evt_1"}, secrets=("new", "secret")).event_id == "evt_1"

    @pytest.mark.parametrize("secrets", [(), ("another",), ("",)])
    def test_another_secret_is_a_forgery(self, name: str, secrets: tuple[str, ...]) -> None:
        with pytest.raises(InvalidSignatureError):
            received(name, {"id": "evt_1"}, secrets=secrets)

    def test_an_empty_secret_signs_nothing(self, name: str) -> None:
        with pytest.raises(InvalidSignatureError):
            received(name, {"id": "evt_1"}, secret="", secrets=("",))

    @pytest.mark.parametrize("headers", [{}, {"x-mock-signature": ""}, {"x-mock-signature": "\udcff"}])
    def test_without_a_signature(self, name: str, headers: dict[str, str]) -> None:
        with pytest.raises(InvalidSignatureError):
            connector(name).read_webhook(Webhook(headers=headers, body=b"{}", received_at_ms=0), ("secret",))

    @pytest.mark.parametrize("body", [b"", b"no json", b"[1]", b"{}", b'{"id": 1.5, "data": [], "payload": 3}'])
    def test_what_is_authentic_and_not_understood_becomes_an_empty_provider_event(self, name: str, body: bytes) -> None:
        provider_event = received(name, body)
        assert provider_event.event_id == hashlib.sha256(body).hexdigest()
        assert (
            provider_event.charge_key,
            provider_event.operation_key,
            provider_event.outcome,
            provider_event.operation_outcome,
        ) == (None,) * 4


MOCK_CHARGE = {
    "id": "ch_1",
    "object": "charge",
    "status": "succeeded",
    "amount": 1999,
    "currency": "USD",
    "reference": CHARGE_KEY,
}
CHARGED = Succeeded(reference="ch_1", amount=1999, currency="USD", merchant_reference=CHARGE_KEY)
ORDER = {"id": "order_1", "receipt": CHARGE_KEY}


class TestProof:
    def test_a_success_of_the_charge(self) -> None:
        cashfree = b'{"type":"PAYMENT_WEBHOOK","data":{"payment":' + CF_PAYMENT + b"}}"
        paid = {"event": "order.paid", "payload": {"order": ORDER, "payment": RZP_PAYMENT}}
        assert received("mock", {"type": "charge.succeeded", "data": MOCK_CHARGE}).outcome == CHARGED
        assert received("razorpay_mock", paid).outcome == CHARGED
        assert received("cashfree_mock", cashfree).outcome == CHARGED

    def test_a_success_of_a_refund(self) -> None:
        cashfree = b'{"type":"REFUND_WEBHOOK","data":{"refund":' + CF_REFUND + b"}}"
        provider_events = [
            received("mock", {"type": "refund.succeeded", "data": OPERATION}),
            received("razorpay_mock", {"event": "refund.processed", "payload": {"refund": RZP_REFUND}}),
            received("cashfree_mock", cashfree),
        ]
        assert [provider_event.operation_outcome for provider_event in provider_events] == [moved("op_1")] * 3
        assert {provider_event.operation_key for provider_event in provider_events} == {KEY}

    @pytest.mark.parametrize(
        ("name", "body"),
        [
            ("mock", {"type": "charge.authorized", "data": {**MOCK_CHARGE, "status": "authorized"}}),
            ("mock", {"type": "charge.succeeded", "data": {**MOCK_CHARGE, "status": "failed"}}),
            ("mock", {"type": "charge.failed", "data": MOCK_CHARGE}),
            ("mock", {"type": "charge.succeeded", "data": {**MOCK_CHARGE, "amount": "1999"}}),
            ("mock", {"type": "refund.failed", "data": {**OPERATION, "status": "failed"}}),
            ("razorpay_mock", {"event": "payment.captured", "payload": {"order": ORDER, "payment": RZP_PAYMENT}}),
            (
                "razorpay_mock",
                {"event": "order.paid", "payload": {"order": {**ORDER, "id": "x"}, "payment": RZP_PAYMENT}},
            ),
            ("cashfree_mock", b'{"type":"PAYMENT_WEBHOOK","data":{"payment":' + CF_HELD + b"}}"),
            ("cashfree_mock", b'{"type":"PAYMENT_WEBHOOK","data":{"payment":' + CF_VOID + b"}}"),
        ],
    )
    def test_anything_else_is_a_reason_to_ask(self, name: str, body: Any) -> None:
        provider_event = received(name, body)
        assert provider_event.charge_reference == "ch_1"
        assert (provider_event.outcome, provider_event.operation_outcome) == (None, None)
