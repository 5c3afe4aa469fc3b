"""Razorpay's SDK beside our connector and our simulator. It has no types: it sends and returns what it is given."""

import json
from dataclasses import replace
from typing import Any

import pytest

from payflowx.domain.payments.hosted import HostedRequest
from payflowx.domain.payments.outcome import Rejected, Succeeded, Unknown
from payflowx.domain.providers.events import InvalidSignatureError, Webhook
from payflowx.domain.reconciliation.reports import ReportPage
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.razorpay.connector import CONNECTOR
from payflowx.providers.razorpay.signature import is_payment_signed, sign
from sandbox.razorpay import RazorpaySimulator
from sandbox.simulator import Credentials
from sandbox.store import MemoryStore
from tests.sdk.comparison import call, compare, compare_all
from tests.sdk.official import KEY_ID, KEY_SECRET, RaisedError, Sdk
from tests.sdk.ours import (
    CREDENTIALS,
    KEY,
    OPERATION_KEY,
    PAGE,
    PAYER,
    charge_request,
    every_request,
    operation_request,
)
from tests.sdk.simulated import NOW, answering

pytestmark = pytest.mark.needs("sdk")

ENDPOINT = "https://api.razorpay.com"
CHARGE = charge_request(token="cust_1:token_1", customer=PAYER, progress={"order_id": "order_1"})
ORDER: dict[str, Any] = {
    "amount": 1999,
    "currency": "INR",
    "receipt": KEY,
    "notes": {"payflowx_key": KEY},
    "partial_payment": False,
    "payment": {"capture": "manual", "capture_options": {"manual_expiry_period": 7200, "refund_speed": "normal"}},
}
"""Every order asks for manual capture."""
UPI_ORDER = {
    **ORDER,
    "payment": {"capture": "manual", "capture_options": {"manual_expiry_period": 20, "refund_speed": "normal"}},
}
CAPTURED = {**ORDER, "payment": {"capture": "automatic", "capture_options": {"automatic_expiry_period": 7200}}}
"""An order as other code of the account may make it."""
PAYMENT = {
    "amount": 1999,
    "currency": "INR",
    "order_id": "order_1",
    "notes": {"payflowx_key": KEY},
    "email": "payer@example.com",
    "contact": "+919876543210",
}
CARD = {**PAYMENT, "customer_id": "cust_1", "token": "token_1", "recurring": True}
UPI = {**PAYMENT, "method": "upi", "upi": {"flow": "intent"}}
REFUND = {"amount": 500, "speed": "normal", "receipt": OPERATION_KEY, "notes": {"payflowx_key": OPERATION_KEY}}
REFUND_KEY = {"X-Refund-Idempotency": OPERATION_KEY}
HOUR = {"from": 1_699_999_999, "to": 1_700_003_600, "count": 50}
PAYMENT_LINK = {
    "amount": 1999,
    "currency": "INR",
    "accept_partial": False,
    "upi_link": False,
    "reference_id": KEY,
    "expire_by": 1_700_003_600,
    "callback_url": "https://shop.example/back",
    "callback_method": "get",
    "notify": {"sms": False, "email": False},
    "reminder_enable": False,
    "notes": {"payflowx_key": KEY},
    "options": {"checkout": {"method": {"card": False, "upi": True, "netbanking": False, "wallet": False}}},
    "description": "Two tickets",
    "customer": {"name": "Payer", "email": "payer@example.com", "contact": "+919876543210"},
}

CALLS = {
    "charge/order": call("order.create", ORDER),
    "charge/pay": call("payment.createRecurring", CARD),
    "inquiry/payments": call("order.payments", "order_1"),
    "capture/capture": call("payment.capture", "charge_1", 1999, {"currency": "INR"}),
    "capture inquiry/read": call("payment.fetch", "charge_1"),
    "refund/refund": call("payment.refund", "charge_1", REFUND, headers=REFUND_KEY),
    "refund inquiry/read": call("payment.fetch_multiple_refund", "charge_1", {"count": 100}),
    "report": call("payment.all", {**HOUR, "skip": 0}),
}


class TestRequests:
    def test_every_one_is_the_sdks(self, razorpay: Sdk) -> None:
        compare_all("razorpay", razorpay, ENDPOINT, every_request(CONNECTOR, CHARGE), CALLS)

    def test_what_varies(self, razorpay: Sdk) -> None:
        held = charge_request(capture=CaptureMode.MANUAL)
        upi = charge_request(payment_method_type="upi", customer=PAYER, progress=CHARGE.progress)
        refund = operation_request(OperationKind.REFUND, CHARGE, reference="rfnd_1")
        order, pay = CONNECTOR.charge_steps
        (find,) = CONNECTOR.operation_inquiry_steps(refund)
        refunds = ReportPage(from_ms=PAGE.from_ms, until_ms=PAGE.until_ms, cursor="refund:50")
        ours = {
            "an order to be held": order.build(held),
            "an order with a payer": order.build(upi),
            "a UPI payment": pay.build(upi),
            "a refund by its id": find.build(refund),
            "the report's refunds": CONNECTOR.reports.request(refunds),
        }
        calls = {
            "an order to be held": call("order.create", ORDER),
            "an order with a payer": call("order.create", UPI_ORDER),
            "a UPI payment": call("payment.createUpi", UPI),
            "a refund by its id": call("refund.fetch", "rfnd_1"),
            "the report's refunds": call("refund.all", {**HOUR, "skip": 50}),
        }
        opened = {name: CONNECTOR.authenticate(request, CREDENTIALS) for name, request in ours.items()}
        compare("razorpay", razorpay, ENDPOINT, opened, calls)

    def test_a_payment_link(self, razorpay: Sdk) -> None:
        hosted = CONNECTOR.hosted
        assert hosted is not None
        page = HostedRequest(method="upi", expires_at_ms=1_700_003_600_000, return_url="https://shop.example/back")
        created = charge_request(token="", customer=PAYER, description="Two tickets", hosted=page)
        opened = replace(created, hosted=replace(page, object_id="plink_1"), progress={"link_order": "order_1"})
        _find, cancel, read, _payment, payments = hosted.close(opened)
        create, find = hosted.create
        ours = {
            "a payment link": create.build(created),
            "a payment link by our key": find.build(created),
            "a payment link, read": read.build(opened),
            "a payment link, cancelled": cancel.build(opened),
            "the payments of a link": payments.build(opened),
        }
        calls = {
            "a payment link": call("payment_link.create", PAYMENT_LINK),
            "a payment link by our key": call("payment_link.all", {"reference_id": KEY}),
            "a payment link, read": call("payment_link.fetch", "plink_1"),
            "a payment link, cancelled": call("payment_link.cancel", "plink_1"),
            "the payments of a link": call("order.payments", "order_1"),
        }
        authentic = {name: CONNECTOR.authenticate(request, CREDENTIALS) for name, request in ours.items()}
        compare("razorpay", razorpay, ENDPOINT, authentic, calls)


class Shop:
    """The SDK at our simulator."""

    def __init__(self, sdk: Sdk) -> None:
        credentials = Credentials(key_id=KEY_ID, key_secret=KEY_SECRET)
        self.simulator = RazorpaySimulator(MemoryStore(), credentials, public_url="https://razorpay.example")
        self.sdk = sdk

    def ask(self, name: str, *arguments: Any, **named: Any) -> Any:
        return self.sdk.call(name, *arguments, provider=answering(self.simulator), **named)

    def pay(self, token: str = "tok_success", order: dict[str, Any] = CAPTURED) -> Any:
        created = self.ask("order.create", order)
        return self.ask("payment.createRecurring", {**CARD, "order_id": created["id"], "token": token})


@pytest.fixture
def shop(razorpay: Sdk) -> Shop:
    return Shop(razorpay)


class TestAnswers:
    def test_the_sdk_pays_captures_and_refunds_at_the_simulator(self, shop: Shop) -> None:
        payment = shop.pay(order=ORDER)["razorpay_payment_id"]
        assert shop.ask("payment.fetch", payment)["status"] == "authorized"
        assert shop.ask("payment.capture", payment, 1999, {"currency": "INR"})["status"] == "captured"
        refund = shop.ask("payment.refund", payment, REFUND, headers=REFUND_KEY)
        assert shop.ask("payment.refund", payment, REFUND, headers=REFUND_KEY) == refund
        assert shop.ask("refund.fetch", refund["id"]) == refund
        assert shop.ask("payment.fetch_multiple_refund", payment, {"count": 100})["items"] == [refund]
        assert [entry["id"] for entry in shop.ask("payment.all", {**HOUR, "skip": 0})["items"]] == [payment]
        assert [entry["id"] for entry in shop.ask("refund.all", {**HOUR, "skip": 0})["items"]] == [refund["id"]]

    def test_errors_are_the_sdks(self, shop: Shop) -> None:
        for token, kind in (("tok_hard_decline", "BadRequestError"), ("tok_soft_decline", "GatewayError")):
            with pytest.raises(RaisedError) as raised:
                shop.pay(token)
            assert raised.value.kind == kind
        with pytest.raises(RaisedError, match="BadRequestError: The id provided does not exist"):
            shop.ask("payment.fetch", "pay_none")

    def test_no_error_code_of_the_sdks_is_a_success(self, razorpay: Sdk) -> None:
        codes = razorpay.call("error_codes")
        assert set(codes) == {"BAD_REQUEST_ERROR", "GATEWAY_ERROR", "SERVER_ERROR"}
        refund = operation_request(OperationKind.REFUND, CHARGE)
        for code in (*codes, "A_CODE_OF_TOMORROW"):
            for status in (400, 401, 429, 500, 502):
                said = {"error": {"code": code, "description": "No", "reason": "a reason of tomorrow"}}
                response = HttpResponse(status=status, headers={}, body=json.dumps(said).encode())
                for step in CONNECTOR.charge_steps:
                    assert isinstance(step.read(CHARGE, response), Rejected | Unknown)
                (move,) = CONNECTOR.operation_steps(refund)
                assert isinstance(move.read(refund, response), Rejected | Unknown)
                (read,) = CONNECTOR.inquiry_steps(CHARGE)
                assert isinstance(read.read(CHARGE, response), Unknown)


class TestSignatures:
    VERIFY = "utility.verify_webhook_signature"

    def test_the_sdk_and_we_believe_what_the_simulator_signs(self, shop: Shop) -> None:
        payment = shop.pay()["razorpay_payment_id"]
        events = shop.simulator.webhooks_due(NOW)
        shop.ask("payment.refund", payment, REFUND, headers=REFUND_KEY)
        events += shop.simulator.webhooks_due(NOW)
        secret = shop.simulator.webhook_secret
        believed = []
        for event in events:
            signature, body = event.headers["x-razorpay-signature"], event.body.decode()
            assert shop.sdk.call(self.VERIFY, body, signature, secret) is True
            said = Webhook(headers=event.headers, body=event.body, received_at_ms=0)
            believed.append(CONNECTOR.read_webhook(said, [secret]))
            for forged in ((body + " ", signature, secret), (body, signature, secret + "x")):
                with pytest.raises(RaisedError, match="SignatureVerificationError"):
                    shop.sdk.call(self.VERIFY, *forged)
                changed = Webhook(headers=event.headers, body=forged[0].encode(), received_at_ms=0)
                with pytest.raises(InvalidSignatureError):
                    CONNECTOR.read_webhook(changed, [forged[2]])
        assert any(isinstance(event.outcome, Succeeded) for event in believed)
        assert any(isinstance(event.operation_outcome, Succeeded) for event in believed)

    def test_the_sdk_believes_what_we_sign(self, razorpay: Sdk) -> None:
        body = '{"event":"payment.captured"}'
        signature = sign(body.encode(), "a secret")
        assert razorpay.call(self.VERIFY, body, signature, "a secret") is True
        with pytest.raises(RaisedError, match="SignatureVerificationError"):
            razorpay.call(self.VERIFY, body, signature, "another secret")

    def test_a_payment_is_signed_for_the_sdk_as_for_us(self, shop: Shop) -> None:
        paid = shop.pay()
        assert shop.sdk.call("utility.verify_payment_signature", paid) is True
        order, payment, signature = (paid[f"razorpay_{name}"] for name in ("order_id", "payment_id", "signature"))
        assert is_payment_signed(order, payment, signature, KEY_SECRET)
        swapped = {**paid, "razorpay_order_id": payment, "razorpay_payment_id": order}
        with pytest.raises(RaisedError, match="SignatureVerificationError"):
            shop.sdk.call("utility.verify_payment_signature", swapped)
        assert not is_payment_signed(payment, order, signature, KEY_SECRET)
