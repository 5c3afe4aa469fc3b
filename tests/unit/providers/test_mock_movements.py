"""The mock gateways' answers to captures, voids and refunds, one row each, and what their signatures are good for."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from payflowx.domain.movement import Movement, MovementKind
from payflowx.domain.notices import ForgedWebhookError, Webhook
from payflowx.domain.outcome import Accepted, Mismatch, Moved, NotFound, Refused, Rejected, Unknown
from payflowx.domain.transport import HttpResponse
from payflowx.providers.registry import gateway

CAPTURE, VOID, REFUND = MovementKind.CAPTURE, MovementKind.VOID, MovementKind.REFUND
KEY = "pfx-abcdefghijklmnop-1"
CHARGE_KEY = "pfx-qrstuvwxyz234567-1"
NOW_MS = 1_790_000_000_000
SECRET = "a secret of the webhooks"


def movement(kind: MovementKind) -> Movement:
    return Movement(
        kind=kind,
        provider_key=KEY,
        amount=1999,
        currency="USD",
        charge_key=CHARGE_KEY,
        charge_reference="ch_1",
        charge_amount=1999,
        charge_progress={"order_id": "order_1"},
    )


def settled(kind: str, status: str, **changes: Any) -> dict[str, Any]:
    """A charge of `mock` that was captured or voided."""
    charge = {
        "id": "ch_1",
        "object": "charge",
        "status": status,
        "amount": 1999,
        "amount_captured": 1999 if status == "succeeded" else 0,
        "currency": "USD",
        "reference": CHARGE_KEY,
        "settlement": {"type": kind, "reference": KEY, "status": "succeeded"},
    }
    return charge | changes


def held(**changes: Any) -> dict[str, Any]:
    return settled("capture", "authorized", settlement=None) | changes


REFUNDED = {
    "id": "refund_1",
    "object": "refund",
    "status": "succeeded",
    "amount": 1999,
    "currency": "USD",
    "charge": "ch_1",
    "reference": KEY,
}
PAYMENT = {"id": "ch_1", "order_id": "order_1", "amount": 1999, "currency": "USD", "status": "captured"}
GIVEN_BACK = {**PAYMENT, "status": "refunded", "captured": False, "amount_refunded": 1999}
PROCESSED = {
    "id": "refund_1",
    "amount": 1999,
    "currency": "USD",
    "payment_id": "ch_1",
    "receipt": KEY,
    "status": "processed",
}
CF_REFUND = {
    "cf_refund_id": "refund_1",
    "cf_payment_id": "ch_1",
    "order_id": CHARGE_KEY,
    "refund_id": KEY,
    "refund_amount": 19.99,
    "refund_currency": "USD",
    "refund_status": "SUCCESS",
}


def cf_payment(status: str, captured: object, action: str | None, state: str | None) -> dict[str, Any]:
    """A payment of `cashfree_mock` with what was done to its authorization."""
    return {
        "cf_payment_id": "ch_1",
        "order_id": CHARGE_KEY,
        "payment_amount": 19.99,
        "payment_currency": "USD",
        "payment_status": status,
        "is_captured": captured,
        "authorization": {"action": action, "status": state, "captured_amount": 19.99 if captured else 0},
    }


def error(kind: str, code: str) -> dict[str, Any]:
    """Of `mock`."""
    return {"error": {"type": kind, "code": code, "message": "no"}}


def reason(name: str) -> dict[str, Any]:
    """An error of `razorpay_mock`."""
    return {"error": {"code": "BAD_REQUEST_ERROR", "reason": name, "description": "no"}}


def refusal(code: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    """An error of `cashfree_mock`."""
    return {"code": code, "type": kind, "message": "no"}


MOVES = [
    ("mock", CAPTURE, 200, settled("capture", "succeeded"), Moved),
    ("mock", VOID, 200, settled("void", "canceled"), Moved),
    ("mock", REFUND, 200, REFUNDED, Moved),
    ("mock", CAPTURE, 200, held(), Unknown),
    ("mock", CAPTURE, 200, held(settlement={"type": "capture", "reference": KEY, "status": "pending"}), Accepted),
    ("mock", CAPTURE, 200, settled("capture", "succeeded", reference="another"), Unknown),
    ("mock", CAPTURE, 200, settled("capture", "succeeded", status="canceled", amount_captured=None), Unknown),
    ("mock", REFUND, 200, {**REFUNDED, "charge": "ch_2"}, Mismatch),
    ("mock", REFUND, 200, {**REFUNDED, "reference": "another"}, Mismatch),
    ("mock", REFUND, 200, {**REFUNDED, "status": "pending"}, Accepted),
    ("mock", REFUND, 200, {**REFUNDED, "status": "failed"}, Refused),
    ("mock", REFUND, 200, {**REFUNDED, "status": "novel"}, Unknown),
    ("mock", REFUND, 402, error("operation_error", "amount_too_large"), Refused),
    ("mock", REFUND, 402, error("operation_error", "novel"), Unknown),
    ("mock", REFUND, 402, error("card_error", "refused"), Unknown),
    ("mock", REFUND, 400, error("idempotency_error", "x"), Unknown),
    ("mock", REFUND, 400, error("invalid_request_error", "parameter_invalid"), Rejected),
    ("mock", REFUND, 404, error("invalid_request_error", "resource_missing"), Unknown),
    ("mock", REFUND, 429, error("rate_limit_error", "x"), Rejected),
    ("razorpay_mock", CAPTURE, 200, PAYMENT, Moved),
    ("razorpay_mock", CAPTURE, 200, {**PAYMENT, "order_id": "order_2"}, Mismatch),
    ("razorpay_mock", CAPTURE, 200, {**PAYMENT, "status": "authorized"}, Unknown),
    ("razorpay_mock", CAPTURE, 400, reason("capture_failed"), Unknown),
    ("razorpay_mock", CAPTURE, 400, reason("input_validation_failed"), Unknown),
    ("razorpay_mock", CAPTURE, 429, reason("too_many_requests"), Rejected),
    ("razorpay_mock", REFUND, 200, PROCESSED, Moved),
    ("razorpay_mock", REFUND, 200, {**PROCESSED, "receipt": "another"}, Mismatch),
    ("razorpay_mock", REFUND, 200, {**PROCESSED, "payment_id": "ch_2"}, Mismatch),
    ("razorpay_mock", REFUND, 200, {**PROCESSED, "status": "pending"}, Accepted),
    ("razorpay_mock", REFUND, 200, {**PROCESSED, "status": "failed"}, Refused),
    ("razorpay_mock", REFUND, 400, reason("refund_limit_crossed"), Refused),
    ("razorpay_mock", REFUND, 400, reason("duplicate_request"), Unknown),
    ("razorpay_mock", REFUND, 409, reason("in_progress"), Unknown),
    ("cashfree_mock", CAPTURE, 200, cf_payment("SUCCESS", True, "CAPTURE", "SUCCESS"), Moved),
    ("cashfree_mock", VOID, 200, cf_payment("VOID", False, "VOID", "SUCCESS"), Moved),
    ("cashfree_mock", CAPTURE, 200, cf_payment("SUCCESS", False, "CAPTURE", "PENDING"), Accepted),
    ("cashfree_mock", CAPTURE, 200, cf_payment("SUCCESS", False, "CAPTURE", "FAILED"), Refused),
    ("cashfree_mock", CAPTURE, 200, cf_payment("SUCCESS", False, None, None), Unknown),
    ("cashfree_mock", VOID, 200, cf_payment("SUCCESS", False, "CAPTURE", "PENDING"), Unknown),
    ("cashfree_mock", REFUND, 200, CF_REFUND, Moved),
    ("cashfree_mock", REFUND, 200, {**CF_REFUND, "refund_id": "another"}, Unknown),
    ("cashfree_mock", REFUND, 200, {**CF_REFUND, "cf_payment_id": "ch_2"}, Mismatch),
    ("cashfree_mock", REFUND, 200, {**CF_REFUND, "refund_amount": 19.999}, Mismatch),
    ("cashfree_mock", REFUND, 409, refusal("refund_already_exists"), Unknown),
    ("cashfree_mock", REFUND, 422, refusal("request_invalid", "idempotency_error"), Unknown),
    ("cashfree_mock", CAPTURE, 400, refusal("order_authorization_invalid"), Unknown),
    ("cashfree_mock", REFUND, 400, refusal("amount_invalid"), Rejected),
]
INQUIRIES = [
    ("mock", CAPTURE, 200, held(), NotFound),
    ("mock", CAPTURE, 200, settled("void", "canceled", settlement={"type": "void", "reference": "another"}), Refused),
    ("mock", CAPTURE, 200, settled("capture", "expired", settlement=None), Refused),
    ("mock", CAPTURE, 200, settled("capture", "succeeded", settlement={"type": "capture", "reference": "x"}), Refused),
    ("mock", VOID, 200, settled("void", "canceled", settlement=None), Refused),
    ("mock", CAPTURE, 404, error("invalid_request_error", "resource_missing"), Unknown),
    ("mock", REFUND, 200, {"data": []}, NotFound),
    ("mock", REFUND, 200, {"data": [REFUNDED]}, Moved),
    ("mock", REFUND, 200, {"data": [REFUNDED, REFUNDED]}, Mismatch),
    ("mock", REFUND, 200, {"data": [{**REFUNDED, "charge": "ch_2"}]}, Mismatch),
    ("razorpay_mock", CAPTURE, 200, {**PAYMENT, "status": "authorized"}, NotFound),
    ("razorpay_mock", CAPTURE, 200, GIVEN_BACK, Refused),
    ("razorpay_mock", CAPTURE, 200, {**GIVEN_BACK, "captured": True}, Unknown),
    ("razorpay_mock", CAPTURE, 200, {**GIVEN_BACK, "amount_refunded": 1}, Unknown),
    ("razorpay_mock", REFUND, 200, {"items": [{**PROCESSED, "receipt": "another"}]}, NotFound),
    ("razorpay_mock", REFUND, 200, {"items": [PROCESSED, {**PROCESSED, "receipt": "another"}]}, Moved),
    ("razorpay_mock", REFUND, 200, {"items": [PROCESSED, PROCESSED]}, Mismatch),
    ("cashfree_mock", CAPTURE, 200, [cf_payment("SUCCESS", False, None, None)], NotFound),
    ("cashfree_mock", CAPTURE, 200, [cf_payment("SUCCESS", False, "VOID", "FAILED")], NotFound),
    ("cashfree_mock", CAPTURE, 200, [cf_payment("VOID", False, "VOID", "SUCCESS")], Refused),
    ("cashfree_mock", CAPTURE, 200, [cf_payment("SUCCESS", True, None, None)], Unknown),
    ("cashfree_mock", VOID, 200, [cf_payment("SUCCESS", True, "CAPTURE", "SUCCESS")], Refused),
    ("cashfree_mock", VOID, 200, [cf_payment("VOID", False, None, None)], Refused),
    ("cashfree_mock", VOID, 200, [], Unknown),
    ("cashfree_mock", REFUND, 404, refusal("refund_not_found"), NotFound),
    ("cashfree_mock", REFUND, 404, refusal("order_not_found"), Unknown),
]


def answer(status: int, body: object) -> HttpResponse:
    return HttpResponse(status=status, headers={}, body=json.dumps(body).encode())


def read(step: Any, kind: MovementKind, response: HttpResponse) -> object:
    """As the connector does it."""
    try:
        return step.read(movement(kind), response)
    except (ValueError, KeyError, TypeError):
        return Unknown(code="answer_not_understood")


@pytest.mark.parametrize(("name", "kind", "status", "body", "expected"), MOVES)
def test_an_answer(name: str, kind: MovementKind, status: int, body: object, expected: type) -> None:
    (step,) = gateway(name).movement_steps(movement(kind))
    assert type(read(step, kind, answer(status, body))) is expected


@pytest.mark.parametrize(("name", "kind", "status", "body", "expected"), INQUIRIES)
def test_an_answer_to_an_inquiry(name: str, kind: MovementKind, status: int, body: object, expected: type) -> None:
    (step,) = gateway(name).movement_inquiry_steps(movement(kind))
    assert type(read(step, kind, answer(status, body))) is expected


def signed_mock(body: bytes) -> dict[str, str]:
    at = NOW_MS // 1000
    digest = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"mock-signature": f"t={at},v1={digest}"}


def signed_cashfree(body: bytes) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), str(NOW_MS).encode() + body, hashlib.sha256).digest()
    return {"x-webhook-timestamp": str(NOW_MS), "x-webhook-signature": base64.b64encode(digest).decode()}


@pytest.mark.parametrize(
    ("name", "sign", "tolerance_seconds"), [("mock", signed_mock, 300), ("cashfree_mock", signed_cashfree, 3_600)]
)
def test_a_signature_of_another_time_is_worth_nothing(name: str, sign: Any, tolerance_seconds: int) -> None:
    headers = sign(b"{}")
    for seconds, is_good in ((0, True), (tolerance_seconds, True), (tolerance_seconds + 1, False)):
        for received_at_ms in (NOW_MS + seconds * 1000, NOW_MS - seconds * 1000):
            webhook = Webhook(headers=headers, body=b"{}", received_at_ms=received_at_ms)
            if is_good:
                gateway(name).read_webhook(webhook, (SECRET,))
            else:
                with pytest.raises(ForgedWebhookError):
                    gateway(name).read_webhook(webhook, (SECRET,))


def test_a_captured_authorization_proves_no_charge_that_was_taken_at_once() -> None:
    """It may be a part of what was asked for; the capture's own inquiry tells."""
    taken = {**cf_payment("SUCCESS", True, None, None), "authorization": None}
    for payment, is_proof in ((taken, True), (cf_payment("SUCCESS", True, "CAPTURE", "SUCCESS"), False)):
        body = json.dumps({"type": "PAYMENT_SUCCESS_WEBHOOK", "data": {"payment": payment}}).encode()
        webhook = Webhook(headers=signed_cashfree(body), body=body, received_at_ms=NOW_MS)
        notice = gateway("cashfree_mock").read_webhook(webhook, (SECRET,))
        assert (notice.outcome is not None) is is_proof


def test_of_mock_a_later_capture_proves_the_capture_and_not_the_charge() -> None:
    event = {"id": "evt_1", "type": "charge.succeeded", "data": {"object": settled("capture", "succeeded")}}
    body = json.dumps(event).encode()
    notice = gateway("mock").read_webhook(
        Webhook(headers=signed_mock(body), body=body, received_at_ms=NOW_MS), (SECRET,)
    )
    assert (notice.outcome, notice.movement_key) == (None, KEY)
    assert notice.movement_outcome == Moved(reference="ch_1", amount=1999, currency="USD", merchant_reference=KEY)
