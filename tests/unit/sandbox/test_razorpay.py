"""Walks through Razorpay's protocol, written by hand from its documents: no adapter takes part."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from sandbox.http_types import Reply, Request
from sandbox.razorpay import (
    PRE_DEBIT_SECONDS,
    WEBHOOK_SECRET,
    RazorpaySimulator,
    sign_payment,
    sign_webhook,
)
from sandbox.razorpay_forms import MANUAL_EXPIRY_SECONDS
from sandbox.simulator import Credentials
from sandbox.store import MemoryStore
from tests.support.left_out import CONTRACTS

NOW = 1_700_000_000.0
DAY = 24 * 3600
BASIC = "Basic " + base64.b64encode(b"rzp_test_1:secret").decode()
CREDENTIALS = Credentials(key_id="rzp_test_1", key_secret="secret")
CUSTOMER = {"email": "a@b.example", "contact": "+919876543210", "customer_id": "cust_1"}


class SimulatorClient:
    """A simulator with a clock, and what a client of it types all the time."""

    def __init__(self, **options: Any) -> None:
        self.simulator = RazorpaySimulator(MemoryStore(), CREDENTIALS, public_url="https://rzp.example", **options)
        self.now = NOW

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        path, _, query = path.partition("?")
        request = Request(
            method=method,
            path=path,
            query=dict(pair.split("=", 1) for pair in query.split("&") if pair),
            headers={
                "authorization": BASIC,
                **({} if body is None else {"content-type": "application/json"}),
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
            body=b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode(),
        )
        return self.simulator.handle(request, self.now)

    def get(self, path: str) -> Any:
        reply = self.send("GET", path)
        assert reply.status == 200, reply.body
        return json.loads(reply.body)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        reply = self.send("POST", path, body, **headers)
        assert reply.status == 200, reply.body
        return json.loads(reply.body)

    def order(self, **fields: Any) -> str:
        return str(self.post("/v1/orders", {"amount": 5000, "currency": "INR", "receipt": "r1", **fields})["id"])

    def pay(self, order: str, token: str = "tok_success", **fields: Any) -> Reply:
        body = {**CUSTOMER, "amount": 5000, "currency": "INR", "order_id": order, "token": token, "recurring": True}
        return self.send("POST", "/v1/payments/create/recurring", body | fields)

    def show_card(self, order: str, token: str, **fields: Any) -> Reply:
        body = {**CUSTOMER, "amount": 5000, "currency": "INR", "order_id": order, "token": token, "method": "card"}
        browser = {"ip": "203.0.113.1", "user_agent": "Mozilla/5.0", "referer": "https://shop.example"}
        return self.send("POST", "/v1/payments/create/json", body | browser | fields)

    def payment(self, order: str) -> Any:
        (payment,) = self.get(f"/v1/orders/{order}/payments")["items"]
        return payment

    def captured(self, token: str = "tok_success") -> str:
        order = self.order()
        self.pay(order, token)
        return str(self.payment(order)["id"])

    def authorized(self) -> str:
        order = self.order(payment_capture=False)
        assert self.pay(order).status == 200
        return str(self.payment(order)["id"])

    def webhooks(self) -> list[Any]:
        return [json.loads(webhook.body) for webhook in self.simulator.webhooks_due(self.now)]

    def events(self) -> list[str]:
        return [body["event"] for body in self.webhooks()]

    def books(self, kind: str = "charge") -> list[tuple[int, str]]:
        entries = self.simulator.ledger(self.now)
        return [(entry["amount"], entry["status"]) for entry in entries if entry["kind"] == kind]


@pytest.fixture
def client() -> SimulatorClient:
    return SimulatorClient()


def refusal(reply: Reply, status: int = 400) -> dict[str, Any]:
    assert reply.status == status, reply.body
    error: dict[str, Any] = json.loads(reply.body)["error"]
    assert {"code", "description", "source", "step", "reason", "metadata"} <= set(error)
    return error


# -- a payment that goes well


def test_an_order_is_paid_and_captured(client: SimulatorClient) -> None:
    order = client.post("/v1/orders", {"amount": 5000, "currency": "INR", "receipt": "r1", "notes": {"a": "b"}})
    assert (order["entity"], order["status"], order["attempts"], order["amount_due"]) == ("order", "created", 0, 5000)
    assert (order["notes"], order["receipt"]) == ({"a": "b"}, "r1")
    paid = json.loads(client.pay(order["id"]).body)
    assert paid["razorpay_order_id"] == order["id"]
    message = f"{order['id']}|{paid['razorpay_payment_id']}".encode()
    assert paid["razorpay_signature"] == hmac.new(b"secret", message, hashlib.sha256).hexdigest()
    payment = client.get(f"/v1/payments/{paid['razorpay_payment_id']}")
    assert (payment["status"], payment["captured"], payment["amount"]) == ("captured", True, 5000)
    assert (payment["refund_status"], payment["notes"], payment["error_code"]) == (None, [], None)
    order = client.get(f"/v1/orders/{order['id']}")
    assert (order["status"], order["amount_paid"], order["amount_due"], order["attempts"]) == ("paid", 5000, 0, 1)
    assert client.books() == [(5000, "charged")]
    assert client.events() == ["payment.authorized", "payment.captured", "order.paid"]
    assert client.events() == []


def test_a_paid_order_is_not_paid_again(client: SimulatorClient) -> None:
    order = client.order()
    client.pay(order)
    assert refusal(client.pay(order))["reason"] == "order_already_paid"
    assert len(client.books()) == 1


def test_a_receipt_finds_orders_and_keeps_nobody_from_making_another(client: SimulatorClient) -> None:
    first = client.order()
    client.now += 1
    second, _other = client.order(), client.order(receipt="r2")
    found = client.get("/v1/orders?receipt=r1")
    assert first != second
    assert (found["count"], [order["id"] for order in found["items"]]) == (2, [second, first])
    assert client.get("/v1/orders?receipt=none") == {"entity": "collection", "count": 0, "items": []}
    assert client.get("/v1/orders?count=1&skip=1")["count"] == 1
    assert client.get(f"/v1/orders?from={int(NOW) + 1}")["count"] == 2


# -- tokens


@pytest.mark.parametrize(
    ("token", "reason", "code"),
    [
        ("tok_soft_decline", "bank_technical_error", "GATEWAY_ERROR"),
        ("tok_hard_decline", "debit_instrument_blocked", "BAD_REQUEST_ERROR"),
        ("tok_insufficient_funds", "insufficient_funds", "BAD_REQUEST_ERROR"),
    ],
)
def test_declines_name_their_payment(client: SimulatorClient, token: str, reason: str, code: str) -> None:
    order = client.order()
    error = refusal(client.pay(order, token))
    payment = client.payment(order)
    assert (error["reason"], error["code"]) == (reason, code)
    assert error["metadata"] == {"payment_id": payment["id"], "order_id": order}
    assert (payment["status"], payment["error_reason"], payment["captured"]) == ("failed", reason, False)
    assert client.get(f"/v1/orders/{order}")["status"] == "attempted"
    assert client.books() == [(5000, "declined")]
    assert client.events() == ["payment.failed"]
    assert client.pay(order).status == 200  # the order can be tried again


def test_a_token_for_another_provider_succeeds_here(client: SimulatorClient) -> None:
    assert client.pay(client.order(), "tok_soft_decline@mock").status == 200
    refusal(client.pay(client.order(), "tok_soft_decline@razorpay"))


def test_a_late_authorization_captures_a_failed_payment(client: SimulatorClient) -> None:
    order = client.order()
    refusal(client.pay(order, "tok_reopened_decline"))
    assert client.payment(order)["status"] == "failed"
    assert client.events() == ["payment.failed"]
    client.now += 10
    assert client.payment(order)["status"] == "captured"
    assert client.get(f"/v1/orders/{order}")["status"] == "paid"
    assert client.books() == [(5000, "charged")]
    bodies = client.webhooks()
    assert [body["event"] for body in bodies] == ["payment.authorized", "payment.captured", "order.paid"]
    assert bodies[0]["created_at"] == int(NOW) + 10


def test_a_late_authorization_of_an_order_that_was_paid_meanwhile_is_given_back(client: SimulatorClient) -> None:
    order = client.order()
    refusal(client.pay(order, "tok_reopened_decline"))
    client.pay(order)
    client.now += 10
    statuses = [payment["status"] for payment in client.get(f"/v1/orders/{order}/payments")["items"]]
    assert statuses == ["captured", "authorized"]
    client.now += MANUAL_EXPIRY_SECONDS
    statuses = [payment["status"] for payment in client.get(f"/v1/orders/{order}/payments")["items"]]
    assert statuses == ["captured", "refunded"]
    assert client.books() == [(5000, "released"), (5000, "charged")]


@pytest.mark.parametrize(("token", "status"), [("tok_async_success", "captured"), ("tok_async_failure", "failed")])
def test_what_is_settled_later(client: SimulatorClient, token: str, status: str) -> None:
    order = client.order()
    reply = client.pay(order, token)
    assert list(json.loads(reply.body)) == ["razorpay_payment_id"]
    assert client.payment(order)["status"] == "created"
    assert client.events() == []
    client.now += 3
    assert client.payment(order)["status"] == status
    assert client.events()[-1] == {"captured": "order.paid", "failed": "payment.failed"}[status]


def test_two_pending_payments_of_an_order_are_captured_once(client: SimulatorClient) -> None:
    order = client.order()
    client.pay(order, "tok_async_success")
    client.pay(order, "tok_async_success")
    client.now += 3
    statuses = [payment["status"] for payment in client.get(f"/v1/orders/{order}/payments")["items"]]
    assert sorted(statuses) == ["authorized", "captured"]
    assert client.events().count("payment.captured") == 1


def test_a_wrong_amount_shows_in_the_payment_only(client: SimulatorClient) -> None:
    order = client.order()
    assert client.pay(order, "tok_wrong_amount").status == 200
    assert client.payment(order)["amount"] == 5001
    assert client.books() == [(5001, "charged")]


@pytest.mark.parametrize(
    ("token", "hold", "status"),
    [("tok_timeout_after_charge", 20, 200), ("tok_500_after_charge", 0, 500), ("tok_slow_success", 3, 200)],
)
def test_answers_that_get_lost_after_the_charge(client: SimulatorClient, token: str, hold: int, status: int) -> None:
    order = client.order()
    reply = client.pay(order, token)
    assert (reply.hold_seconds, reply.status) == (hold, status)
    assert client.payment(order)["status"] == "captured"
    refusal(client.pay(order, token))
    assert len(client.books()) == 1


@pytest.mark.parametrize("token", ["tok_timeout_before_charge", "tok_500_before_charge"])
def test_answers_that_get_lost_before_the_charge(client: SimulatorClient, token: str) -> None:
    order = client.order()
    assert client.pay(order, token).status == 500
    assert client.get(f"/v1/orders/{order}/payments")["count"] == 0
    assert client.books() == []
    assert client.pay(order, token).status == 200


def test_garbage(client: SimulatorClient) -> None:
    order = client.order()
    assert b"nginx" in client.pay(order, "tok_garbage").body
    assert client.payment(order)["status"] == "captured"


def test_rate_limits_do_nothing(client: SimulatorClient) -> None:
    order = client.order()
    assert refusal(client.pay(order, "tok_rate_limited"), 429)["code"] == "BAD_REQUEST_ERROR"
    assert client.get(f"/v1/orders/{order}")["attempts"] == 0


def test_the_payer_approves(client: SimulatorClient) -> None:
    order = client.order()
    answer = json.loads(client.show_card(order, "tok_requires_action").body)
    (step,) = answer["next"]
    assert (step["action"], client.payment(order)["status"]) == ("redirect", "created")
    page = step["url"].removeprefix("https://rzp.example")
    assert client.send("GET", page).status == 200
    assert client.send("GET", page).status == 200
    assert client.payment(order)["status"] == "captured"
    assert client.events() == ["payment.authorized", "payment.captured", "order.paid"]
    assert client.send("GET", page + "/decline").status == 404


def test_the_payer_declines(client: SimulatorClient) -> None:
    order = client.order()
    payment = json.loads(client.show_card(order, "tok_requires_action").body)["razorpay_payment_id"]
    client.send("GET", f"/actions/{payment}/decline")
    assert client.payment(order)["error_reason"] == "payment_cancelled"
    assert client.send("GET", "/actions/pay_none").status == 404


def test_a_saved_card_without_a_question_answers_with_a_signature(client: SimulatorClient) -> None:
    answer = json.loads(client.show_card(client.order(), "tok_success", card={"cvv": "123"}).body)
    assert {"razorpay_payment_id", "razorpay_order_id", "razorpay_signature"} == set(answer)


def test_upi_intent_waits_for_its_app(client: SimulatorClient) -> None:
    order = client.order()
    fields = {**CUSTOMER, "amount": 5000, "currency": "INR", "order_id": order, "method": "upi"}
    answer = client.post("/v1/payments/create/upi", {**fields, "upi": {"flow": "intent"}})
    assert answer["link"].startswith("upi://pay?")
    assert (client.payment(order)["method"], client.payment(order)["status"]) == ("upi", "created")
    client.send("GET", f"/actions/{answer['razorpay_payment_id']}")
    assert client.payment(order)["status"] == "captured"
    for wrong in ({"flow": "collect", "vpa": "a@upi"}, {"flow": "collect"}, {}):
        refusal(client.send("POST", "/v1/payments/create/upi", {**fields, "upi": wrong}))


def test_a_young_payment_is_invisible_while_the_lag_lasts(client: SimulatorClient) -> None:
    client.simulator.visibility_lag_seconds = 5
    order = client.order()
    client.pay(order)
    assert client.get(f"/v1/orders/{order}/payments")["count"] == 0
    refusal(client.pay(order))
    client.now += 5
    assert client.payment(order)["status"] == "captured"


def test_pre_debit_notifications() -> None:
    client = SimulatorClient(pre_debit_required=True)
    assert refusal(client.pay(client.order()))["reason"] == "pre_debit_notification_not_sent"
    order = client.order(notification={"token_id": "tok_success", "payment_after": int(NOW)})
    shown = client.get(f"/v1/orders/{order}")["notification"]
    assert shown["payment_after"] == int(NOW) + PRE_DEBIT_SECONDS
    assert refusal(client.pay(order, "tok_slow_success"))["reason"] == "pre_debit_notification_not_sent"
    assert "PROMISED_DEBIT_DATE" in refusal(client.pay(order))["reason"]
    client.now += PRE_DEBIT_SECONDS
    assert client.pay(order).status == 200


# -- capture


def test_an_authorized_payment_is_captured_in_full_only(client: SimulatorClient) -> None:
    payment = client.authorized()
    assert client.get(f"/v1/payments/{payment}")["status"] == "authorized"
    assert client.books() == [(5000, "authorized")]
    assert client.events() == ["payment.authorized"]
    for body in ({"amount": 4999, "currency": "INR"}, {"amount": 5001, "currency": "INR"}):
        error = refusal(client.send("POST", f"/v1/payments/{payment}/capture", body))
        assert error["description"] == "Capture amount must be equal to the amount authorized"
    refusal(client.send("POST", f"/v1/payments/{payment}/capture", {"amount": 5000, "currency": "USD"}))
    refusal(client.send("POST", f"/v1/payments/{payment}/capture", {"amount": 5000}))
    captured = client.post(f"/v1/payments/{payment}/capture", {"amount": 5000, "currency": "INR"})
    assert (captured["status"], captured["captured"]) == ("captured", True)
    again = refusal(client.send("POST", f"/v1/payments/{payment}/capture", {"amount": 5000, "currency": "INR"}))
    assert again["description"] == "This payment has already been captured"
    assert client.books() == [(5000, "charged")]
    assert client.books("capture") == [(5000, "done")]
    assert client.events() == ["payment.captured", "order.paid"]


def test_only_one_of_two_authorized_payments_is_captured(client: SimulatorClient) -> None:
    order = client.order(payment={"capture": "manual"})
    client.pay(order)
    client.pay(order)
    first, second = (payment["id"] for payment in client.get(f"/v1/orders/{order}/payments")["items"])
    body = {"amount": 5000, "currency": "INR"}
    client.post(f"/v1/payments/{first}/capture", body)
    assert refusal(client.send("POST", f"/v1/payments/{second}/capture", body))["reason"] == "order_already_paid"


@pytest.mark.parametrize("token", ["tok_soft_decline", "tok_async_success", "tok_requires_action"])
def test_what_is_not_authorized_is_not_captured(client: SimulatorClient, token: str) -> None:
    order = client.order()
    client.pay(order, token)
    body = {"amount": 5000, "currency": "INR"}
    refusal(client.send("POST", f"/v1/payments/{client.payment(order)['id']}/capture", body))


def test_there_is_no_void(client: SimulatorClient) -> None:
    payment = client.authorized()
    refusal(client.send("POST", f"/v1/payments/{payment}/void", {}), 400)
    refusal(client.send("POST", f"/v1/payments/{payment}/cancel", {}), 400)
    refusal(client.send("POST", f"/v1/payments/{payment}/refund", {}))


def test_what_nobody_captures_is_given_back(client: SimulatorClient) -> None:
    payment = client.authorized()
    client.events()
    client.now += MANUAL_EXPIRY_SECONDS
    shown = client.get(f"/v1/payments/{payment}")
    assert (shown["status"], shown["captured"], shown["amount_refunded"]) == ("refunded", False, 5000)
    bodies = client.webhooks()
    assert [body["event"] for body in bodies] == ["refund.created", "refund.processed"]
    assert bodies[0]["payload"]["payment"]["entity"]["captured"] is False
    refund = bodies[0]["payload"]["refund"]["entity"]
    assert client.get(f"/v1/refunds/{refund['id']}") == refund
    assert client.get(f"/v1/payments/{payment}/refunds")["items"] == [refund]
    assert client.books() == [(5000, "released")]
    refusal(client.send("POST", f"/v1/payments/{payment}/capture", {"amount": 5000, "currency": "INR"}))


def test_the_order_says_how_long(client: SimulatorClient) -> None:
    options = {"manual_expiry_period": 30}
    order = client.order(payment={"capture": "manual", "capture_options": options})
    client.pay(order)
    client.now += 29 * 60
    assert client.payment(order)["status"] == "authorized"
    client.now += 60
    assert client.payment(order)["status"] == "refunded"


def test_what_is_authorized_after_the_automatic_period_waits_for_a_capture(client: SimulatorClient) -> None:
    options = {"automatic_expiry_period": 12, "manual_expiry_period": 20}
    order = client.order(payment={"capture": "automatic", "capture_options": options})
    payment = json.loads(client.show_card(order, "tok_requires_action").body)["razorpay_payment_id"]
    client.now += 13 * 60
    client.send("GET", f"/actions/{payment}")
    assert client.payment(order)["status"] == "authorized"


def test_a_capture_by_hand_comes_before_one_that_is_under_way(client: SimulatorClient) -> None:
    options = {"automatic_expiry_period": 12, "manual_expiry_period": 20}
    order = client.order(payment={"capture": "automatic", "capture_options": options})
    payment = json.loads(client.show_card(order, "tok_requires_action").body)["razorpay_payment_id"]
    client.now += 13 * 60
    client.send("GET", f"/actions/{payment}")
    client.pay(order, "tok_async_success")
    client.post(f"/v1/payments/{payment}/capture", {"amount": 5000, "currency": "INR"})
    client.now += 3
    statuses = {item["id"] == payment: item["status"] for item in client.get(f"/v1/orders/{order}/payments")["items"]}
    assert statuses == {True: "captured", False: "authorized"}
    assert client.events().count("payment.captured") == 1


def test_a_capture_can_go_wrong(client: SimulatorClient) -> None:
    payment, body = client.authorized(), {"amount": 5000, "currency": "INR"}
    client.simulator.next_operation(
        "tok_500_before_charge", "tok_soft_decline", "tok_rate_limited", "tok_timeout_after_charge"
    )
    assert client.send("POST", f"/v1/payments/{payment}/capture", body).status == 500
    assert refusal(client.send("POST", f"/v1/payments/{payment}/capture", body))["reason"] == "capture_failed"
    refusal(client.send("POST", f"/v1/payments/{payment}/capture", body), 429)
    assert client.books() == [(5000, "authorized")]
    assert client.send("POST", f"/v1/payments/{payment}/capture", body).hold_seconds == 20
    assert client.books() == [(5000, "charged")]


# -- refunds


def test_partial_refunds_add_up(client: SimulatorClient) -> None:
    payment = client.captured()
    client.events()
    first = client.post(f"/v1/payments/{payment}/refund", {"amount": 2000, "notes": {"why": "x"}, "receipt": "ref1"})
    assert (first["entity"], first["status"], first["payment_id"]) == ("refund", "processed", payment)
    assert (first["receipt"], first["notes"], first["speed_requested"]) == ("ref1", {"why": "x"}, "normal")
    shown = client.get(f"/v1/payments/{payment}")
    assert (shown["status"], shown["amount_refunded"], shown["refund_status"]) == ("captured", 2000, "partial")
    over = refusal(client.send("POST", f"/v1/payments/{payment}/refund", {"amount": 3001}))
    assert over["description"] == "The refund amount provided is greater than amount captured"
    rest = client.post(f"/v1/payments/{payment}/refund", {})
    assert rest["amount"] == 3000
    shown = client.get(f"/v1/payments/{payment}")
    assert (shown["status"], shown["refund_status"], shown["captured"]) == ("refunded", "full", True)
    error = refusal(client.send("POST", f"/v1/payments/{payment}/refund", {}))
    assert error["description"] == "The payment has been fully refunded already"
    assert client.get(f"/v1/orders/{shown['order_id']}")["status"] == "paid"
    listed = client.get(f"/v1/payments/{payment}/refunds")
    assert [refund["id"] for refund in listed["items"]] == [rest["id"], first["id"]]
    assert client.get(f"/v1/refunds/{first['id']}") == first
    assert client.books("refund") == [(2000, "done"), (3000, "done")]
    assert sorted(client.events()) == ["refund.created"] * 2 + ["refund.processed"] * 2


def test_without_a_key_a_repeated_refund_is_a_second_one(client: SimulatorClient) -> None:
    payment = client.captured()
    ids = {client.post(f"/v1/payments/{payment}/refund", {"amount": 1000})["id"] for _ in range(2)}
    assert len(ids) == 2


def test_a_refund_key_replays_and_insists_on_its_body(client: SimulatorClient) -> None:
    payment, other = client.captured(), client.captured()
    path, key = f"/v1/payments/{payment}/refund", "refund-key_1"
    first = client.post(path, {"amount": 1000}, x_refund_idempotency=key)
    assert client.post(path, {"amount": 1000}, x_refund_idempotency=key) == first
    assert client.books("refund") == [(1000, "done")]
    for where, body in ((path, {"amount": 1001}), (f"/v1/payments/{other}/refund", {"amount": 1000})):
        error = refusal(client.send("POST", where, body, x_refund_idempotency=key))
        assert error["description"].startswith("Different request with the same idempotency key")


def test_a_refund_in_flight_is_a_conflict(client: SimulatorClient) -> None:
    path, key = f"/v1/payments/{client.captured()}/refund", "refund-key_1"
    client.simulator.next_operation("tok_timeout_after_charge")
    assert client.send("POST", path, {"amount": 1000}, x_refund_idempotency=key).hold_seconds == 20
    client.now += 19
    refusal(client.send("POST", path, {"amount": 1000}, x_refund_idempotency=key), 409)
    client.now += 1
    client.post(path, {"amount": 1000}, x_refund_idempotency=key)
    assert client.books("refund") == [(1000, "done")]


@pytest.mark.parametrize("key", ["short", "nine-char", "with space in it", "with/slash/in/it", ""])
def test_refund_keys_have_a_form(client: SimulatorClient, key: str) -> None:
    path = f"/v1/payments/{client.captured()}/refund"
    refusal(client.send("POST", path, {"amount": 1000}, x_refund_idempotency=key))
    assert client.books("refund") == []


def test_a_refund_can_be_slow_or_fail(client: SimulatorClient) -> None:
    payment = client.captured()
    client.events()
    path = f"/v1/payments/{payment}/refund"
    client.simulator.next_operation("tok_async_success", "tok_async_failure", "tok_insufficient_funds")
    slow, failing = client.post(path, {"amount": 1000}), client.post(path, {"amount": 1500})
    assert "balance" in refusal(client.send("POST", path, {"amount": 1000}))["description"]
    assert (slow["status"], failing["status"]) == ("pending", "pending")
    assert client.get(f"/v1/payments/{payment}")["amount_refunded"] == 2500
    assert client.events() == ["refund.created", "refund.created"]
    client.now += 3
    assert client.get(f"/v1/refunds/{slow['id']}")["status"] == "processed"
    assert client.get(f"/v1/refunds/{failing['id']}")["status"] == "failed"
    assert client.get(f"/v1/payments/{payment}")["amount_refunded"] == 1000
    assert client.events() == ["refund.processed", "refund.failed"]
    assert client.books("refund") == [(1000, "done"), (1500, "failed")]


# -- what is refused


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"amount": 99}, "The amount must be at least INR 1.00."),
        ({"amount": 50.5}, "The amount must be an integer."),
        ({"amount": "5000"}, "The amount must be an integer."),
        ({"amount": True}, "The amount must be an integer."),
        ({"amount": None}, "The amount must be an integer."),
        ({"surprise": 1}, "surprise is/are not required and should not be sent"),
        ({"receipt": "x" * 41}, "The receipt may not be greater than 40 characters."),
        ({"receipt": 1}, "The receipt must be a string."),
        ({"currency": "inr"}, "The currency is not supported."),
        ({"currency": "KWD", "amount": 99_991}, "The last digit of an amount in KWD must be 0."),
        ({"notes": {str(n): "x" for n in range(16)}}, "Number of fields in notes should be less than or equal to 15."),
        ({"notes": {"a": "x" * 257}}, "Keys and values of notes must be strings of at most 256 characters."),
        ({"notes": {"a": 1}}, "Keys and values of notes must be strings of at most 256 characters."),
        ({"notes": "x"}, "The notes must be an object."),
        ({"partial_payment": True}, "The selected partial_payment is invalid."),
        ({"payment_capture": "yes"}, "The selected payment_capture is invalid."),
        ({"payment": {"capture": "never"}}, "The selected capture is invalid."),
        ({"payment": {"capture_options": {}}}, "The capture field is required."),
        (
            {"payment": {"capture": "automatic", "capture_options": {"automatic_expiry_period": 11}}},
            "The automatic expiry period must be at least 12.",
        ),
    ],
)
def test_orders_that_are_refused(client: SimulatorClient, changes: dict[str, Any], text: str) -> None:
    error = refusal(client.send("POST", "/v1/orders", {"amount": 5000, "currency": "INR", **changes}))
    assert (error["description"], error["code"]) == (text, "BAD_REQUEST_ERROR")
    assert client.get("/v1/orders")["count"] == 0


def test_orders_that_are_taken(client: SimulatorClient) -> None:
    for fields in (
        {"amount": 100, "currency": "INR"},
        {"amount": 295, "currency": "JPY"},
        {"amount": 295_990, "currency": "KWD"},
        {"amount": 5000, "currency": "INR", "payment_capture": 1, "partial_payment": False, "notes": []},
    ):
        client.post("/v1/orders", fields)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount": 4999}, "order_amount_mismatch"),
        ({"currency": "USD"}, "mismatch_in_transaction_details"),
        ({"order_id": "order_none"}, "input_validation_failed"),
        ({"token": "token_nobody_issued"}, "input_validation_failed"),
        ({"email": "nobody"}, "invalid_email"),
        ({"contact": "12"}, "invalid_mobile_number"),
        ({"recurring": False}, "input_validation_failed"),
        ({"recurring": "1"}, "input_validation_failed"),
        ({"surprise": 1}, "input_validation_failed"),
        ({"customer_id": None}, "input_validation_failed"),
    ],
)
def test_payments_that_are_refused(client: SimulatorClient, changes: dict[str, Any], reason: str) -> None:
    order = client.order()
    assert refusal(client.pay(order, **changes))["reason"] == reason
    assert client.books() == []
    assert client.get(f"/v1/orders/{order}")["status"] == "created"


@pytest.mark.parametrize("name", ["email", "contact", "amount", "currency", "order_id", "customer_id", "token"])
def test_fields_of_a_payment_that_are_missing(client: SimulatorClient, name: str) -> None:
    body = {**CUSTOMER, "amount": 5000, "currency": "INR", "order_id": client.order(), "token": "tok_success"}
    body["recurring"] = True
    body.pop(name)
    error = refusal(client.send("POST", "/v1/payments/create/recurring", body))
    assert (error["field"], error["description"]) == (name, f"The {name.replace('_', ' ')} field is required.")


def test_a_card_number_has_no_business_here(client: SimulatorClient) -> None:
    order = client.order()
    refusal(client.show_card(order, "tok_success", card={"number": "4111111111111111", "cvv": "123"}))
    refusal(client.show_card(order, "tok_success", method="upi"))
    refusal(client.show_card(order, "tok_success", user_agent=""))


@pytest.mark.parametrize(
    "body", [{"amount": 99}, {"amount": 10.5}, {"amount": 5001}, {"speed": "slow"}, {"surprise": 1}, {"notes": "x"}]
)
def test_refunds_that_are_refused(client: SimulatorClient, body: dict[str, Any]) -> None:
    refusal(client.send("POST", f"/v1/payments/{client.captured()}/refund", body))
    assert client.books("refund") == []


@pytest.mark.parametrize("token", ["tok_soft_decline", "tok_async_success"])
def test_what_is_not_captured_is_not_refunded(client: SimulatorClient, token: str) -> None:
    order = client.order()
    client.pay(order, token)
    error = refusal(client.send("POST", f"/v1/payments/{client.payment(order)['id']}/refund", {}))
    assert error["description"] == "The payment status should be captured for action to be taken"


def test_wrong_credentials_and_addresses(client: SimulatorClient) -> None:
    for wrong in ("", "Bearer secret", "Basic ???", "Basic " + base64.b64encode(b"rzp_test_1:other").decode()):
        assert refusal(client.send("GET", "/v1/orders", authorization=wrong), 401)["reason"] == "NA"
    refusal(client.send("GET", "/v2/orders"), 400)
    refusal(client.send("POST", "/v1/charges", {}), 400)
    refusal(client.send("DELETE", "/v1/orders"), 400)
    refusal(client.send("GET", f"/v1/payments/{client.captured()}/capture"), 400)
    for path in (
        "/v1/payments/pay_none",
        "/v1/orders/order_none",
        "/v1/refunds/rfnd_none",
        "/v1/orders/order_x/payments",
    ):
        assert refusal(client.send("GET", path))["description"] == "The id provided does not exist"
    for query in ("count=0", "count=101", "skip=x", "surprise=1"):
        refusal(client.send("GET", f"/v1/orders?{query}"))


def test_bodies_that_are_none(client: SimulatorClient) -> None:
    for body in (b"", b"{", b"[]", b"null"):
        refusal(client.send("POST", "/v1/orders", body))
    refusal(client.send("POST", "/v1/orders", b"amount=1", content_type="application/x-www-form-urlencoded"))


# -- reconciliation, webhooks, signatures


def test_reconciliation_has_payments_and_refunds(client: SimulatorClient) -> None:
    payment = client.captured()
    client.post(f"/v1/payments/{payment}/refund", {"amount": 1000})
    found = client.get("/v1/settlements/recon/combined?year=2023&month=11&day=15")
    charge, refund = found["items"]
    assert (charge["type"], charge["entity_id"], charge["credit"], charge["order_receipt"]) == (
        "payment",
        payment,
        5000 - charge["fee"],
        "r1",
    )
    assert (refund["type"], refund["payment_id"], refund["debit"]) == ("refund", payment, 1000)
    assert client.get("/v1/settlements/recon/combined?year=2023&month=10")["count"] == 0
    assert client.get("/v1/settlements/recon/combined?year=2023&month=11&count=1")["count"] == 1
    refusal(client.send("GET", "/v1/settlements/recon/combined?year=2023"))


def test_webhooks_have_the_providers_shape(client: SimulatorClient) -> None:
    order = client.order(notes={"a": "b"})
    client.pay(order)
    authorized, captured, paid = client.simulator.webhooks_due(client.now)
    assert captured.headers["x-razorpay-signature"] == (
        hmac.new(WEBHOOK_SECRET.encode(), captured.body, hashlib.sha256).hexdigest()
    )
    ids = {webhook.headers["x-razorpay-event-id"] for webhook in (authorized, captured, paid)}
    assert len(ids) == 3
    body = json.loads(captured.body)
    assert (body["entity"], body["event"], body["contains"]) == ("event", "payment.captured", ["payment"])
    assert body["payload"]["payment"]["entity"] == client.payment(order)
    assert json.loads(authorized.body)["payload"]["payment"]["entity"]["captured"] is True  # as the provider warns
    body = json.loads(paid.body)
    assert body["contains"] == ["payment", "order"]
    assert body["payload"]["order"]["entity"] == client.get(f"/v1/orders/{order}")
    again = client.simulator.redelivered(captured, client.now + 60)
    assert again == captured


def test_a_webhook_tells_what_was_so_then(client: SimulatorClient) -> None:
    payment = client.authorized()
    client.now += 60
    client.post(f"/v1/payments/{payment}/capture", {"amount": 5000, "currency": "INR"})
    client.now += 60
    client.post(f"/v1/payments/{payment}/refund", {"amount": 1000})
    seen = [
        (
            body["event"],
            body["payload"]["payment"]["entity"]["status"],
            body["payload"]["payment"]["entity"]["captured"],
        )
        for body in client.webhooks()
    ]
    assert seen == [
        ("payment.authorized", "authorized", False),
        ("payment.captured", "captured", True),
        ("order.paid", "captured", True),
        ("refund.created", "captured", True),
        ("refund.processed", "captured", True),
    ]


def test_the_webhook_secret_is_an_argument() -> None:
    client = SimulatorClient(webhook_secret="other")
    client.captured()
    webhook = client.simulator.webhooks_due(client.now)[0]
    assert webhook.headers["x-razorpay-signature"] == sign_webhook("other", webhook.body)


def test_signatures_made_by_openssl() -> None:
    """`printf %s BODY | openssl dgst -sha256 -hmac KEY`."""
    assert sign_webhook("whsec", b'{"a":1}') == OPENSSL_WEBHOOK
    assert sign_payment("secret", "order_1", "pay_1") == OPENSSL_PAYMENT


OPENSSL_WEBHOOK = "19373ef0e8c66f206e49d251e4402291615bbce6ef00922e94a47a213fb76ee1"
OPENSSL_PAYMENT = "52115a0d3400de9e86aade1f1b6eba9e8974604f4e267a9e9a16633a4c8dd2cb"


@pytest.mark.needs("contracts")
def test_the_providers_own_vectors() -> None:
    rows = {row["id"]: row for row in json.loads((CONTRACTS / "vectors.json").read_text())}
    webhook = rows["razorpay-webhook-vendor"]
    assert sign_webhook(webhook["secret"], (CONTRACTS / webhook["body_file"]).read_bytes()) == webhook["expected"]
    payment = rows["razorpay-payment-vendor"]
    assert sign_payment(payment["secret"], *payment["message"].split("|")) == payment["expected"]


@pytest.mark.needs("contracts")
@pytest.mark.parametrize(
    ("fixture", "entity"),
    [("fake_order.json", "order"), ("fake_captured_payment.json", "payment"), ("fake_refund.json", "refund")],
)
def test_entities_have_the_fields_of_the_providers_samples(client: SimulatorClient, fixture: str, entity: str) -> None:
    path = CONTRACTS / "razorpay-fixtures" / fixture
    payment = client.captured()
    shown = {
        "order": client.get(f"/v1/orders/{client.order()}"),
        "payment": client.get(f"/v1/payments/{payment}"),
        "refund": client.post(f"/v1/payments/{payment}/refund", {}),
    }[entity]
    assert set(json.loads(path.read_text())) - {"udf"} <= set(shown)  # the oldest samples have a field `udf`


class TestLists:
    def test_payments_and_refunds_of_a_span_newest_first_in_pages(self, client: SimulatorClient) -> None:
        names = []
        for _ in range(3):
            names.append(client.captured())
            client.now += 10
        client.post(f"/v1/payments/{names[0]}/refund", {"amount": 100})
        span = f"from={int(NOW)}&to={int(NOW) + 20}"
        assert [item["id"] for item in client.get(f"/v1/payments?{span}")["items"]] == names[::-1]
        assert [item["id"] for item in client.get(f"/v1/payments?{span}&count=2&skip=2")["items"]] == names[:1]
        later = client.get(f"/v1/payments?from={int(NOW) + 5}&to={int(NOW) + 15}")
        assert [item["id"] for item in later["items"]] == names[1:2]
        (refund,) = client.get(f"/v1/refunds?from={int(NOW)}&to={int(NOW) + 60}")["items"]
        assert (refund["payment_id"], refund["amount"]) == (names[0], 100)

    def test_more_than_a_hundred_a_page_are_refused(self, client: SimulatorClient) -> None:
        refusal(client.send("GET", "/v1/payments?count=101"))


# -- refusals


def test_an_account_without_server_to_server_has_no_address_to_pay_an_order(client: SimulatorClient) -> None:
    order = client.order()
    client.simulator.server_to_server = False
    refused = refusal(client.pay(order))
    assert refused["description"] == "The requested URL was not found on the server."
    assert (refused["source"], refused["step"], refused["reason"], refused["metadata"]) == ("NA", "NA", "NA", {})
    assert client.get(f"/v1/orders/{order}/payments")["count"] == 0


@pytest.mark.parametrize(
    ("token", "reason"),
    [("tok_refused", "recurring_payment_not_enabled"), ("tok_refused_unlisted", "request_not_accepted")],
)
def test_a_refused_charge_makes_no_payment(client: SimulatorClient, token: str, reason: str) -> None:
    order = client.order()
    refused = refusal(client.pay(order, token))
    assert (refused["reason"], refused["metadata"]) == (reason, {})
    assert client.get(f"/v1/orders/{order}/payments")["count"] == 0


def test_a_refused_refund_makes_no_refund(client: SimulatorClient) -> None:
    payment = client.captured()
    client.simulator.next_operation("refund_refused")
    refused = refusal(client.send("POST", f"/v1/payments/{payment}/refund", {"amount": 100}))
    assert "enough balance" in refused["description"]
    assert client.get(f"/v1/payments/{payment}/refunds")["count"] == 0
    assert client.send("POST", f"/v1/payments/{payment}/refund", {"amount": 100}).status == 200
