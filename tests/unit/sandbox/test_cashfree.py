"""Walks through Cashfree's protocol, written by hand from its documents: no adapter takes part."""

import base64
import hashlib
import hmac
import json
import re
import uuid
from decimal import Decimal
from functools import cache
from typing import Any

import jsonschema
import pytest

from sandbox.cashfree import CashfreeSimulator, sign_webhook
from sandbox.http_types import Reply, Request
from sandbox.simulator import Credentials
from sandbox.store import MemoryStore
from tests.support.left_out import CONTRACTS

CONTRACT = CONTRACTS / "cashfree-pg-2025-01-01.full.json"
NOW = 1_700_000_000.0
DAY = 24 * 3600
CREDENTIALS = Credentials(key_id="app_1", key_secret="cfsk_1")
HEADERS = {"x-client-id": "app_1", "x-client-secret": "cfsk_1"}
CUSTOMER = {"customer_id": "cust_1", "customer_phone": "9876543210"}


class SimulatorClient:
    """A simulator with a clock, and what a client of it types all the time."""

    def __init__(self, **options: Any) -> None:
        self.simulator = CashfreeSimulator(MemoryStore(), CREDENTIALS, public_url="https://cf.example", **options)
        self.now = NOW

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        request = Request(
            method=method,
            path=path,
            headers={
                "x-api-version": "2025-01-01",
                **({} if path == "/pg/orders/sessions" else HEADERS),
                **({} if body is None else {"content-type": "application/json"}),
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
            body=b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode(),
        )
        return self.simulator.handle(request, self.now)

    def get(self, path: str) -> Any:
        return read(self.send("GET", path))

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return read(self.send("POST", path, body, **headers))

    def order(self, order_id: str = "order-1", **fields: Any) -> str:
        body = {"order_id": order_id, "order_amount": 50.5, "order_currency": "INR", "customer_details": CUSTOMER}
        return str(self.post("/pg/orders", body | fields)["payment_session_id"])

    def pay(self, session: str, token: str = "tok_success", **headers: str) -> Reply:
        method = {"card": {"channel": "link", "instrument_id": token}}
        body = {"payment_session_id": session, "payment_method": method}
        return self.send("POST", "/pg/orders/sessions", body, **headers)

    def paid(self, token: str = "tok_success", **fields: Any) -> str:
        """The id of its payment."""
        session = self.order(**fields)
        return str(read(self.pay(session, token))["cf_payment_id"])

    def upi(self, session: str, **fields: Any) -> Any:
        method = {"upi": {"channel": "link", **fields}}
        return self.post("/pg/orders/sessions", {"payment_session_id": session, "payment_method": method})

    def payments(self, order_id: str = "order-1") -> list[Any]:
        return list(self.get(f"/pg/orders/{order_id}/payments"))

    def payment(self) -> Any:
        (payment,) = self.payments()
        return payment

    def status(self, order_id: str = "order-1") -> str:
        return str(self.get(f"/pg/orders/{order_id}")["order_status"])

    def terminate(self, order_id: str = "order-1") -> str:
        reply = self.send("PATCH", f"/pg/orders/{order_id}", {"order_status": "TERMINATED"})
        return str(read(reply)["order_status"])

    def refund(self, refund_id: str, amount: Any, **headers: str) -> Reply:
        body = {"refund_id": refund_id, "refund_amount": amount}
        return self.send("POST", "/pg/orders/order-1/refunds", body, **headers)

    def events(self) -> list[str]:
        return [webhook.type for webhook in self.simulator.webhooks_due(self.now)]

    def books(self, kind: str = "charge") -> list[tuple[int, str]]:
        entries = self.simulator.ledger(self.now)
        return [(entry["amount"], entry["status"]) for entry in entries if entry["kind"] == kind]


@pytest.fixture
def client() -> SimulatorClient:
    return SimulatorClient()


def read(reply: Reply) -> Any:
    assert reply.status == 200, reply.body
    return json.loads(reply.body, parse_float=Decimal)


def refusal(reply: Reply, status: int = 400, kind: str = "invalid_request_error") -> dict[str, str]:
    assert reply.status == status, reply.body
    error: dict[str, str] = json.loads(reply.body)
    assert (set(error) - {"help"}, error["type"]) == ({"message", "code", "type"}, kind)
    return error


def key(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


# -- a payment that goes well


def test_an_order_is_paid(client: SimulatorClient) -> None:
    body = {"order_id": "order-1", "order_amount": 50.5, "order_currency": "INR", "customer_details": CUSTOMER}
    order = client.post("/pg/orders", {**body, "order_note": "a note", "order_tags": {"a": "b"}})
    assert (order["entity"], order["order_status"], order["order_amount"]) == ("order", "ACTIVE", Decimal("50.50"))
    assert order["created_at"] == "2023-11-15T03:43:20+05:30"
    reply = client.pay(order["payment_session_id"])
    answer = read(reply)
    assert b'"payment_amount":50.50' in reply.body
    assert type(answer["cf_payment_id"]) is int
    assert "payment_status" not in answer  # the answer does not say how it ended
    assert (answer["payment_method"], answer["action"], answer["data"]["url"]) == ("card", "custom", None)
    payment = client.payment()
    assert payment["cf_payment_id"] == str(answer["cf_payment_id"])
    assert (payment["payment_status"], payment["is_captured"]) == ("SUCCESS", True)
    assert (payment["payment_amount"], payment["error_details"], payment["authorization"]) == (
        Decimal("50.50"),
        None,
        None,
    )
    assert client.get(f"/pg/orders/order-1/payments/{payment['cf_payment_id']}") == payment
    assert client.status() == "PAID"
    assert client.books() == [(5050, "charged")]
    assert client.events() == ["PAYMENT_SUCCESS_WEBHOOK"]
    assert client.events() == []


def test_the_session_is_the_credential(client: SimulatorClient) -> None:
    session = client.order()
    reply = client.pay(session)
    assert (reply.status, reply.headers["x-ratelimit-type"]) == (200, "ip")
    assert refusal(client.pay("session_unknown"))["code"] == "payment_session_id_invalid"


def test_a_paid_order_takes_no_other_payment(client: SimulatorClient) -> None:
    session = client.order()
    client.pay(session)
    assert refusal(client.pay(session))["code"] == "order_already_paid"
    assert len(client.books()) == 1


# -- idempotency


def test_an_order_id_is_unique(client: SimulatorClient) -> None:
    client.order()
    body = {"order_id": "order-1", "order_amount": 50.5, "order_currency": "INR", "customer_details": CUSTOMER}
    error = refusal(client.send("POST", "/pg/orders", body), 409)
    assert error["code"] == "order_already_exists"
    assert refusal(client.send("POST", "/pg/orders", body, x_idempotency_key=key("2")), 409)


def test_a_key_replays_and_insists_on_its_body(client: SimulatorClient) -> None:
    body = {"order_id": "order-1", "order_amount": 50.5, "order_currency": "INR", "customer_details": CUSTOMER}
    first = client.send("POST", "/pg/orders", body, x_idempotency_key=key("1"))
    again = client.send("POST", "/pg/orders", body, x_idempotency_key=key("1"))
    assert (first.headers["x-idempotency-replayed"], again.headers["x-idempotency-replayed"]) == ("false", "true")
    assert (again.body, again.headers["x-idempotency-key"]) == (first.body, key("1"))
    other = client.send("POST", "/pg/orders", {**body, "order_amount": 50.51}, x_idempotency_key=key("1"))
    assert refusal(other, 422, "idempotency_error")["code"] == "request_invalid"
    refusal(client.send("POST", "/pg/orders", body, x_idempotency_key="pfx-123"))


def test_a_replayed_payment_is_no_second_attempt(client: SimulatorClient) -> None:
    session = client.order()
    first = client.pay(session, "tok_timeout_after_charge", x_idempotency_key=key("1"))
    assert first.hold_seconds == 20
    again = client.pay(session, "tok_timeout_after_charge", x_idempotency_key=key("1"))
    assert (again.body, again.hold_seconds) == (first.body, 0)
    assert len(client.payments()) == 1


def test_a_failure_is_kept_with_its_key_too(client: SimulatorClient) -> None:
    session = client.order()
    assert client.pay(session, "tok_500_before_charge", x_idempotency_key=key("1")).status == 500
    again = client.pay(session, "tok_500_before_charge", x_idempotency_key=key("1"))
    assert (again.status, again.headers["x-idempotency-replayed"]) == (500, "true")
    assert client.books() == []
    assert client.pay(session, "tok_500_before_charge").status == 200
    assert client.books() == [(5050, "charged")]


def test_a_request_that_never_arrived_is_not_kept(client: SimulatorClient) -> None:
    session = client.order()
    assert client.pay(session, "tok_timeout_before_charge", x_idempotency_key=key("1")).hold_seconds == 20
    reply = client.pay(session, "tok_timeout_before_charge", x_idempotency_key=key("1"))
    assert (reply.status, reply.headers["x-idempotency-replayed"]) == (200, "false")


# -- what the account and the order allow


def test_a_new_order_cannot_be_paid_at_once() -> None:
    client = SimulatorClient(session_lag_seconds=10)
    session = client.order()
    assert refusal(client.pay(session), 404)["code"] == "order_not_found"
    client.now += 10
    assert client.pay(session).status == 200


def test_an_account_without_payments_from_servers() -> None:
    client = SimulatorClient(s2s_enabled=False)
    error = refusal(client.pay(client.order()), 400, "feature_not_enabled")
    assert error["code"] == "s2s_enabled_not_approved"


@pytest.mark.parametrize(("token", "code"), [("tok_refused", "card_unsupported"), ("tok_refused_unlisted", None)])
def test_a_refusal_charges_nothing(client: SimulatorClient, token: str, code: str | None) -> None:
    error = refusal(client.pay(client.order(), token), 400)
    assert code in {None, error["code"]}
    assert client.payments() == []
    assert client.books() == []


# -- tokens


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("tok_soft_decline", "issuer_not_available"),
        ("tok_reopened_decline", "issuer_not_available"),
        ("tok_hard_decline", "card_stolen"),
        ("tok_insufficient_funds", "insufficient_funds"),
    ],
)
def test_declines_show_in_the_payments_and_the_order_stays_open(
    client: SimulatorClient, token: str, reason: str
) -> None:
    session = client.order()
    assert client.pay(session, token).status == 200
    client.now += 60
    payment = client.payment()
    assert (payment["payment_status"], payment["error_details"]["error_reason"]) == ("FAILED", reason)
    assert client.status() == "ACTIVE"
    assert client.books() == [(5050, "declined")]
    assert client.events() == ["PAYMENT_FAILED_WEBHOOK"]
    assert client.pay(session).status == 200
    assert [payment["payment_status"] for payment in client.payments()] == ["SUCCESS", "FAILED"]
    assert client.status() == "PAID"


def test_a_token_for_another_provider_succeeds_here(client: SimulatorClient) -> None:
    client.paid("tok_soft_decline@razorpay")
    assert client.status() == "PAID"
    client.paid("tok_soft_decline@cashfree", order_id="order-2")
    assert client.status("order-2") == "ACTIVE"


@pytest.mark.parametrize(("token", "status"), [("tok_async_success", "SUCCESS"), ("tok_async_failure", "FAILED")])
def test_what_is_settled_later(client: SimulatorClient, token: str, status: str) -> None:
    client.paid(token)
    assert client.payment()["payment_status"] == "PENDING"
    assert client.events() == []
    client.now += 3
    assert client.payment()["payment_status"] == status
    assert client.events() == [f"PAYMENT_{status}_WEBHOOK"]


def test_two_payments_under_way_both_succeed_and_one_is_given_back(client: SimulatorClient) -> None:
    session = client.order()
    client.pay(session, "tok_async_success")
    client.now += 1
    client.pay(session, "tok_async_success")
    client.now += 3
    assert [payment["payment_status"] for payment in client.payments()] == ["SUCCESS", "SUCCESS"]
    (refund,) = client.get("/pg/orders/order-1/refunds")
    assert (refund["refund_type"], refund["refund_amount"]) == ("PAYMENT_AUTO_REFUND", Decimal("50.50"))
    assert refund["cf_payment_id"] == client.payments()[0]["cf_payment_id"]
    assert client.books() == [(5050, "charged"), (5050, "charged")]
    assert client.books("refund") == [(5050, "done")]
    assert client.events() == ["PAYMENT_SUCCESS_WEBHOOK", "PAYMENT_SUCCESS_WEBHOOK", "AUTO_REFUND_STATUS_WEBHOOK"]
    assert read(client.refund("refund-1", 50.5))["cf_payment_id"] == client.payments()[1]["cf_payment_id"]


def test_a_wrong_amount(client: SimulatorClient) -> None:
    client.paid("tok_wrong_amount")
    payment = client.payment()
    assert (payment["payment_amount"], payment["order_amount"]) == (Decimal("50.51"), Decimal("50.50"))
    assert client.books() == [(5051, "charged")]


@pytest.mark.parametrize(
    ("token", "hold", "status"),
    [("tok_timeout_after_charge", 20, 200), ("tok_500_after_charge", 0, 500), ("tok_slow_success", 3, 200)],
)
def test_answers_that_get_lost_after_the_charge(client: SimulatorClient, token: str, hold: int, status: int) -> None:
    session = client.order()
    reply = client.pay(session, token)
    assert (reply.hold_seconds, reply.status) == (hold, status)
    assert client.status() == "PAID"
    refusal(client.pay(session, token))


def test_answers_that_get_lost_before_the_charge(client: SimulatorClient) -> None:
    session = client.order()
    reply = client.pay(session, "tok_timeout_before_charge")
    assert (reply.hold_seconds, refusal(reply, 500, "api_error")["code"]) == (20, "internal_error")
    assert client.payments() == []
    assert client.pay(session, "tok_timeout_before_charge").status == 200


def test_garbage(client: SimulatorClient) -> None:
    assert b"nginx" in client.pay(client.order(), "tok_garbage").body
    assert client.status() == "PAID"


def test_a_rate_limit_of_a_token_does_nothing(client: SimulatorClient) -> None:
    reply = client.pay(client.order(), "tok_rate_limited")
    refusal(reply, 429, "rate_limit_error")
    assert (reply.headers["x-ratelimit-retry"], client.payments()) == ("1", [])


def test_a_young_payment_is_invisible_while_the_lag_lasts(client: SimulatorClient) -> None:
    client.simulator.visibility_lag_seconds = 5
    client.paid()
    assert client.payments() == []
    client.now += 5
    assert client.payment()["payment_status"] == "SUCCESS"


# -- the payer


def test_the_payer_approves(client: SimulatorClient) -> None:
    session = client.order()
    answer = read(client.pay(session, "tok_requires_action"))
    assert (answer["action"], client.payment()["payment_status"], client.status()) == ("link", "PENDING", "ACTIVE")
    page = answer["data"]["url"].removeprefix("https://cf.example")
    assert client.send("GET", page).status == 200
    assert client.send("GET", page).status == 200
    assert (client.payment()["payment_status"], client.status()) == ("SUCCESS", "PAID")
    assert client.events() == ["PAYMENT_SUCCESS_WEBHOOK"]
    assert client.send("GET", page + "/drop").status == 404


@pytest.mark.parametrize(
    ("button", "status", "event"),
    [
        ("decline", "FAILED", "PAYMENT_FAILED_WEBHOOK"),
        ("drop", "USER_DROPPED", "PAYMENT_USER_DROPPED_WEBHOOK"),
    ],
)
def test_the_payer_leaves_and_tries_again(client: SimulatorClient, button: str, status: str, event: str) -> None:
    session = client.order()
    payment = read(client.pay(session, "tok_requires_action"))["cf_payment_id"]
    assert client.send("GET", f"/actions/{payment}/{button}").status == 200
    assert (client.payment()["payment_status"], client.events()) == (status, [event])
    assert client.send("GET", f"/actions/{payment}").status == 404
    assert client.pay(session).status == 200


def test_upi_links_wait_for_their_app(client: SimulatorClient) -> None:
    session = client.order()
    answer = client.upi(session)
    assert answer["data"]["payload"]["default"].startswith("upi://pay?")
    assert "qrcode" in client.upi(session, channel="qrcode")["data"]["payload"]
    client.send("GET", f"/actions/{answer['cf_payment_id']}")
    assert [payment["payment_status"] for payment in client.payments()] == ["PENDING", "SUCCESS"]
    assert client.payments()[1]["payment_group"] == "upi"


@pytest.mark.parametrize("status", ["SUCCESS", "FAILED", "PENDING", "USER_DROPPED"])
def test_the_sandbox_can_finish_a_payment(client: SimulatorClient, status: str) -> None:
    payment = client.paid("tok_requires_action")
    body = {"entity": "PAYMENTS", "entity_id": payment, "entity_simulation": {"payment_status": status}}
    answer = client.post("/pg/simulate", body)
    assert client.payment()["payment_status"] == status
    assert client.get(f"/pg/simulate/{answer['simulation_id']}") == answer
    if status != "PENDING":
        refusal(client.send("POST", "/pg/simulate", body))
    refusal(client.send("POST", "/pg/simulate", {**body, "entity_id": "1"}), 404)
    refusal(client.send("POST", "/pg/simulate", {**body, "entity": "SUBS_PAYMENTS"}))


# -- termination and expiry


def test_an_unpaid_order_is_terminated(client: SimulatorClient) -> None:
    session = client.order()
    assert (client.terminate(), client.terminate(), client.status()) == ("TERMINATED", "TERMINATED", "TERMINATED")
    assert refusal(client.pay(session))["code"] == "order_inactive"
    assert client.books() == []


def test_a_payer_comes_too_late_for_a_terminated_order(client: SimulatorClient) -> None:
    payment = client.paid("tok_requires_action")
    assert client.terminate() == "TERMINATED"
    assert client.payment()["payment_status"] == "CANCELLED"
    assert client.send("GET", f"/actions/{payment}").status == 404
    assert client.books() == [(5050, "canceled")]


@pytest.mark.parametrize(("token", "status"), [("tok_async_success", "PAID"), ("tok_async_failure", "TERMINATED")])
def test_what_is_under_way_can_still_win(client: SimulatorClient, token: str, status: str) -> None:
    session = client.order()
    client.pay(session, token)
    assert client.terminate() == "TERMINATION_REQUESTED"
    refusal(client.pay(session))
    client.now += 3
    assert client.status() == status


def test_a_paid_order_is_not_terminated(client: SimulatorClient) -> None:
    client.paid()
    assert (client.terminate(), client.status()) == ("PAID", "PAID")


def test_an_order_expires(client: SimulatorClient) -> None:
    session = client.order(order_expiry_time="2023-11-15T04:43:20+05:30")
    client.pay(session, "tok_requires_action")
    client.now += 3600
    assert (client.status(), client.payment()["payment_status"]) == ("EXPIRED", "USER_DROPPED")
    assert refusal(client.pay(session))["code"] == "order_inactive"
    assert client.terminate() == "EXPIRED"
    assert client.events() == ["PAYMENT_USER_DROPPED_WEBHOOK"]


@pytest.mark.parametrize("body", [{}, {"order_status": "PAID"}, {"order_status": "TERMINATED", "x": 1}])
def test_only_termination_can_be_asked_for(client: SimulatorClient, body: Any) -> None:
    client.order()
    refusal(client.send("PATCH", "/pg/orders/order-1", body))
    assert client.status() == "ACTIVE"


# -- pre-authorization


def act(client: SimulatorClient, action: str, amount: Any = None, **headers: str) -> Reply:
    body = {"action": action} | ({} if amount is None else {"amount": amount})
    return client.send("POST", "/pg/orders/order-1/authorization", body, **headers)


@pytest.fixture
def bank() -> SimulatorClient:
    client = SimulatorClient(card_preauth=True)
    client.paid()
    assert client.events() == ["PAYMENT_SUCCESS_WEBHOOK"]
    return client


def test_an_authorized_payment_is_not_captured(bank: SimulatorClient) -> None:
    payment = bank.payment()
    assert (payment["payment_status"], payment["is_captured"]) == ("SUCCESS", False)
    assert (payment["authorization"]["action"], payment["authorization"]["captured_amount"]) == (None, 0)
    assert (bank.status(), bank.books()) == ("PAID", [(5050, "authorized")])
    assert refusal(bank.refund("refund-1", 1))["code"] == "order_id_not_paid"


def test_capture(bank: SimulatorClient) -> None:
    for amount in (50.51, 0, -1, 10.001, "50.50"):
        refusal(act(bank, "CAPTURE", amount))
    refusal(act(bank, "CAPTURE"))
    refusal(act(bank, "KEEP", 50.5))
    first = act(bank, "CAPTURE", 50.5, x_idempotency_key=key("c"))
    payment = read(first)
    assert (payment["is_captured"], payment["payment_status"]) == (True, "SUCCESS")
    assert (payment["authorization"]["action"], payment["authorization"]["status"]) == ("CAPTURE", "SUCCESS")
    assert payment["authorization"]["captured_amount"] == Decimal("50.50")
    assert act(bank, "CAPTURE", 50.5, x_idempotency_key=key("c")).headers["x-idempotency-replayed"] == "true"
    refusal(act(bank, "CAPTURE", 50.5))
    refusal(act(bank, "VOID"))
    assert (bank.books(), bank.books("capture")) == ([(5050, "charged")], [(5050, "done")])


def test_what_is_not_captured_of_it_is_given_back(bank: SimulatorClient) -> None:
    payment = read(act(bank, "CAPTURE", 20.25))
    assert (payment["payment_amount"], payment["authorization"]["captured_amount"]) == (
        Decimal("50.50"),
        Decimal("20.25"),
    )
    assert bank.books() == [(2025, "charged")]
    refusal(bank.refund("refund-1", 20.26))
    assert bank.refund("refund-1", 20.25).status == 200


def test_void(bank: SimulatorClient) -> None:
    payment = read(act(bank, "VOID"))
    assert (payment["payment_status"], payment["is_captured"]) == ("VOID", False)
    assert payment["authorization"]["action"] == "VOID"
    refusal(act(bank, "CAPTURE", 50.5))
    assert (bank.books(), bank.books("void")) == ([(5050, "voided")], [(5050, "done")])


@pytest.mark.parametrize(("token", "captured"), [("tok_async_success", True), ("tok_async_failure", False)])
def test_a_capture_can_be_pending(bank: SimulatorClient, token: str, captured: bool) -> None:
    bank.simulator.next_operation(token)
    payment = read(act(bank, "CAPTURE", 50.5))
    assert (payment["is_captured"], payment["authorization"]["status"]) == (False, "PENDING")
    refusal(act(bank, "CAPTURE", 50.5))
    bank.now += 3
    assert bank.payment()["is_captured"] is captured
    assert bank.books("capture") == [(5050, "done" if captured else "failed")]
    assert act(bank, "CAPTURE", 50.5).status == (400 if captured else 200)


def test_a_failure_at_the_bank_leaves_the_hold(bank: SimulatorClient) -> None:
    bank.simulator.next_operation("tok_soft_decline", "tok_500_after_charge")
    error = refusal(act(bank, "CAPTURE", 50.5), 502, "api_error")
    assert (error["code"], bank.books()) == ("bank_processing_failure", [(5050, "authorized")])
    assert act(bank, "CAPTURE", 50.5).status == 500
    assert bank.books() == [(5050, "charged")]


def test_a_upi_mandate_is_held_until_its_end(client: SimulatorClient) -> None:
    until = {"start_time": "2023-11-14T22:13:20+00:00", "end_time": "2023-11-15T22:13:20+00:00"}
    answer = client.upi(client.order(), authorize_only=True, authorization=until)
    client.send("GET", f"/actions/{answer['cf_payment_id']}")
    payment = client.payment()
    assert (payment["payment_status"], payment["is_captured"]) == ("SUCCESS", False)
    client.now += DAY
    assert client.payment()["payment_status"] == "VOID"
    refusal(act(client, "CAPTURE", 50.5))


def test_a_charged_payment_has_nothing_to_capture(client: SimulatorClient) -> None:
    client.paid()
    refusal(act(client, "CAPTURE", 50.5))
    refusal(act(client, "VOID"))


# -- refunds


def test_partial_refunds_add_up(client: SimulatorClient) -> None:
    payment = client.paid()
    client.events()
    first = read(client.refund("refund-1", 20.25))
    assert (first["entity"], first["refund_status"], first["refund_amount"]) == ("refund", "SUCCESS", Decimal("20.25"))
    assert (first["cf_payment_id"], first["refund_type"], first["refund_id"]) == (
        payment,
        "MERCHANT_INITIATED",
        "refund-1",
    )
    assert refusal(client.refund("refund-2", 30.26))["code"] == "refund_amount_invalid"
    assert client.refund("refund-2", 30.25).status == 200
    refusal(client.refund("refund-3", 1))
    assert client.get("/pg/orders/order-1/refunds/refund-1") == first
    assert [refund["refund_id"] for refund in client.get("/pg/orders/order-1/refunds")] == ["refund-1", "refund-2"]
    assert (client.status(), client.payment()["payment_status"]) == ("PAID", "SUCCESS")
    assert client.books("refund") == [(2025, "done"), (3025, "done")]
    assert client.events() == ["REFUND_STATUS_WEBHOOK"] * 2
    refusal(client.send("GET", "/pg/orders/order-1/refunds/refund-3"), 404)


def test_a_refund_id_is_unique_and_a_key_replays(client: SimulatorClient) -> None:
    client.paid()
    first = client.refund("refund-1", 20, x_idempotency_key=key("r"))
    assert client.refund("refund-1", 20, x_idempotency_key=key("r")).body == first.body
    refusal(client.refund("refund-1", 21, x_idempotency_key=key("r")), 422, "idempotency_error")
    assert refusal(client.refund("refund-1", 20), 409)["code"] == "refund_already_exists"
    assert client.books("refund") == [(2000, "done")]


def test_refunds_can_be_slow_held_or_fail(client: SimulatorClient) -> None:
    client.paid()
    client.events()
    tokens = ("tok_async_success", "tok_async_failure", "tok_insufficient_funds", "tok_hard_decline")
    client.simulator.next_operation(*tokens)
    statuses = [read(client.refund(f"refund-{n}", 10))["refund_status"] for n in range(4)]
    assert statuses == ["PENDING", "PENDING", "ONHOLD", "CANCELLED"]
    assert client.events() == ["REFUND_STATUS_WEBHOOK"] * 2
    client.now += 3
    shown = {refund["refund_id"]: refund["refund_status"] for refund in client.get("/pg/orders/order-1/refunds")}
    assert list(shown.values()) == ["SUCCESS", "FAILED", "ONHOLD", "CANCELLED"]
    bodies = [json.loads(webhook.body) for webhook in client.simulator.webhooks_due(client.now)]
    assert [body["data"]["refund"]["refund_status"] for body in bodies] == ["SUCCESS", "FAILED"]
    refusal(client.refund("refund-9", 30.51))  # one succeeded and one is held, which leaves 30.50
    assert client.refund("refund-9", 30.5).status == 200


def test_a_lost_answer_to_a_refund(client: SimulatorClient) -> None:
    client.paid()
    client.simulator.next_operation("tok_timeout_before_charge", "tok_timeout_after_charge", "tok_rate_limited")
    assert client.refund("refund-1", 10).status == 500
    assert client.books("refund") == []
    assert client.refund("refund-1", 10).hold_seconds == 20
    refusal(client.refund("refund-2", 10), 429, "rate_limit_error")
    assert client.books("refund") == [(1000, "done")]


# -- what is refused


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"order_id": "no"}, "order_id_invalid"),
        ({"order_id": "x" * 46}, "order_id_invalid"),
        ({"order_id": "no blanks"}, "order_id_invalid"),
        ({"order_amount": 0.99}, "order_amount_invalid"),
        ({"order_amount": 10.001}, "order_amount_invalid"),
        ({"order_amount": "10.00"}, "order_amount_invalid"),
        ({"order_amount": True}, "order_amount_invalid"),
        ({"order_amount": None}, "order_amount_invalid"),
        ({"order_currency": "inr"}, "order_currency_invalid"),
        ({"order_currency": "JPY"}, "order_amount_invalid"),
        ({"customer_details": {}}, "customer_details.customer_id_missing"),
        ({"customer_details": "x"}, "customer_details_invalid"),
        ({"customer_details": {**CUSTOMER, "customer_id": "ab"}}, "customer_details.customer_id_invalid"),
        ({"customer_details": {**CUSTOMER, "customer_phone": "123"}}, "customer_details.customer_phone_invalid"),
        ({"customer_details": {**CUSTOMER, "customer_email": "nobody"}}, "customer_details.customer_email_invalid"),
        ({"customer_details": {**CUSTOMER, "surprise": 1}}, "customer_details.surprise_invalid"),
        ({"order_meta": {"notify_url": "http://shop.example"}}, "order_meta.notify_url_invalid"),
        ({"order_meta": {"notify_url": "https://shop.example/" + "x" * 250}}, "order_meta.notify_url_invalid"),
        ({"order_note": "no"}, "order_note_invalid"),
        ({"order_tags": {str(n): "x" for n in range(11)}}, "order_tags_invalid"),
        ({"order_tags": {"a": ""}}, "order_tags_invalid"),
        ({"order_expiry_time": "2020-01-01T00:00:00+05:30"}, "order_expiry_time_invalid"),
        ({"order_expiry_time": "2030-01-01T00:00:00"}, "order_expiry_time_invalid"),
        ({"order_expiry_time": "tomorrow or so"}, "order_expiry_time_invalid"),
        ({"surprise": 1}, "surprise_invalid"),
    ],
)
def test_orders_that_are_refused(client: SimulatorClient, changes: dict[str, Any], code: str) -> None:
    body = {"order_id": "order-1", "order_amount": 50.5, "order_currency": "INR", "customer_details": CUSTOMER}
    assert refusal(client.send("POST", "/pg/orders", body | changes))["code"] == code
    refusal(client.send("GET", "/pg/orders/order-1"), 404)


def test_orders_that_are_taken(client: SimulatorClient) -> None:
    client.order("abc", order_amount=1)
    client.order("a" * 45, order_amount=100, order_currency="JPY")
    client.order("dinars", order_amount=10.125, order_currency="KWD")
    client.order("abroad", customer_details={**CUSTOMER, "customer_phone": "+442071838750"})
    body = {"order_amount": 1, "order_currency": "INR", "customer_details": CUSTOMER}
    assert client.post("/pg/orders", body)["order_id"].startswith("order_")
    assert client.get("/pg/orders/dinars")["order_amount"] == Decimal("10.125")


@pytest.mark.parametrize("name", ["order_amount", "order_currency", "customer_details"])
def test_fields_of_an_order_that_are_missing(client: SimulatorClient, name: str) -> None:
    body = {"order_amount": 1, "order_currency": "INR", "customer_details": CUSTOMER}
    body.pop(name)
    assert refusal(client.send("POST", "/pg/orders", body))["code"] == f"{name}_missing"


@pytest.mark.parametrize(
    "method",
    [
        {},
        {"card": {"channel": "link"}},
        {"card": {"instrument_id": "tok_success"}},
        {"card": {"channel": "collect", "instrument_id": "tok_success"}},
        {"card": {"channel": "link", "instrument_id": "nobody issued it"}},
        {"card": {"channel": "link", "card_number": "4111111111111111", "card_cvv": "900"}},
        {"upi": {"channel": "collect", "upi_id": "a@upi"}},
        {"upi": {"channel": "link"}, "card": {"channel": "link", "instrument_id": "tok_success"}},
        {"app": {"channel": "link"}},
        "card",
    ],
)
def test_payments_that_are_refused(client: SimulatorClient, method: Any) -> None:
    body = {"payment_session_id": client.order(), "payment_method": method}
    refusal(client.send("POST", "/pg/orders/sessions", body))
    assert client.payments() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"refund_id": "no"},
        {"refund_id": "x" * 41},
        {"refund_amount": 0},
        {"refund_amount": 1.001},
        {"refund_amount": "1"},
        {"refund_note": "no"},
        {"refund_speed": "FAST"},
        {"surprise": 1},
    ],
)
def test_refunds_that_are_refused(client: SimulatorClient, changes: dict[str, Any]) -> None:
    client.paid()
    body = {"refund_id": "refund-1", "refund_amount": 1, **changes}
    refusal(client.send("POST", "/pg/orders/order-1/refunds", body))
    assert client.books("refund") == []


def test_wrong_credentials_versions_and_addresses(client: SimulatorClient) -> None:
    client.order()
    for wrong in ({"x_client_id": "other"}, {"x_client_secret": "other"}, {"x_client_secret": ""}):
        refusal(client.send("GET", "/pg/orders/order-1", **wrong), 401, "authentication_error")
    for version in ("", "2022-09-01"):
        refusal(client.send("GET", "/pg/orders/order-1", x_api_version=version))
    for path in ("/pg/orders/none", "/pg/orders/none/payments", "/pg/orders/order-1/payments/1", "/pg/simulate/sim_1"):
        refusal(client.send("GET", path), 404)
    for method, path in (("GET", "/orders/order-1"), ("DELETE", "/pg/orders/order-1"), ("POST", "/pg/orders/order-1")):
        refusal(client.send(method, path, {} if method == "POST" else None))
    for body in (b"", b"{", b"[]"):
        refusal(client.send("POST", "/pg/orders", body))
    refusal(client.send("POST", "/pg/orders", b"a=1", content_type="application/x-www-form-urlencoded"))


# -- rate limits


def test_the_limit_of_a_minute() -> None:
    client = SimulatorClient(limits={"get order": 3})
    client.order()
    replies = [client.send("GET", "/pg/orders/order-1") for _ in range(4)]
    assert [reply.headers["x-ratelimit-remaining"] for reply in replies] == ["2", "1", "0", "0"]
    assert [reply.headers["x-ratelimit-retry"] for reply in replies] == ["0", "0", "0", "59"]
    assert (replies[0].headers["x-ratelimit-limit"], replies[0].headers["x-ratelimit-type"]) == ("3", "app_id")
    refusal(replies[3], 429, "rate_limit_error")
    assert client.payments() == []
    client.now += 60
    assert client.status() == "ACTIVE"


def test_the_published_limits(client: SimulatorClient) -> None:
    client.order()
    limits = {
        client.send("GET", f"/pg/orders/order-1{path}").headers["x-ratelimit-limit"]
        for path in ("", "/payments", "/payments/1")
    }
    assert limits == {"400", "100", "130"}
    unlimited = SimulatorClient(limits=None)
    unlimited.order()
    assert {unlimited.send("GET", "/pg/orders/order-1").status for _ in range(500)} == {200}


# -- reconciliation, webhooks, signatures


def test_reconciliation_has_payments_and_refunds(client: SimulatorClient) -> None:
    client.paid()
    client.now += 1
    client.refund("refund-1", 20)
    window = {"start_date": "2023-11-14T00:00:00+05:30", "end_date": "2023-11-16T00:00:00+05:30"}
    body: dict[str, Any] = {"pagination": {"limit": 1}, "filters": window}
    first = client.post("/pg/recon", body)
    second = client.post("/pg/recon", {**body, "pagination": {"limit": 1, "cursor": first["cursor"]}})
    assert [row["event_type"] for page in (first, second) for row in page["data"]] == ["PAYMENT", "REFUND"]
    assert (second["data"][0]["refund_id"], second["cursor"]) == ("refund-1", None)
    refusal(client.send("POST", "/pg/recon", {"pagination": {"limit": 1001}, "filters": window}))


def test_webhooks_have_the_providers_shape(client: SimulatorClient) -> None:
    client.paid(order_tags={"a": "b"})
    (webhook,) = client.simulator.webhooks_due(client.now)
    headers = webhook.headers
    message = headers["x-webhook-timestamp"].encode() + webhook.body
    assert headers["x-webhook-signature"] == base64.b64encode(hmac.digest(b"cfsk_1", message, hashlib.sha256)).decode()
    assert (headers["x-webhook-timestamp"], headers["x-webhook-attempt"]) == ("1700000000000", "1")
    assert b'"order_amount":50.50' in webhook.body  # raw bytes matter: the zero is part of what was signed
    body = json.loads(webhook.body, parse_float=Decimal)
    assert (body["type"], body["event_time"]) == ("PAYMENT_SUCCESS_WEBHOOK", "2023-11-15T03:43:20+05:30")
    assert body["data"]["order"] == {
        "order_id": "order-1",
        "order_amount": Decimal("50.50"),
        "order_currency": "INR",
        "order_tags": {"a": "b"},
    }
    assert body["data"]["payment"]["cf_payment_id"] == client.payment()["cf_payment_id"]
    assert body["data"]["customer_details"]["customer_id"] == "cust_1"
    again = client.simulator.redelivered(webhook, client.now + 120)
    assert (again.body, again.headers["x-webhook-attempt"]) == (webhook.body, "2")
    assert again.headers["x-idempotency-key"] == headers["x-idempotency-key"]
    assert again.headers["x-webhook-signature"] == sign_webhook("cfsk_1", "1700000120000", webhook.body)


def test_a_failed_attempt_says_why_in_its_webhook(client: SimulatorClient) -> None:
    session = client.order()
    client.pay(session, "tok_insufficient_funds")
    client.now += 5
    client.pay(session)
    failed, succeeded = (json.loads(webhook.body) for webhook in client.simulator.webhooks_due(client.now))
    assert failed["data"]["error_details"]["error_reason"] == "insufficient_funds"
    assert failed["data"]["payment"]["payment_status"] == "FAILED"
    assert "error_details" not in succeeded["data"]


def test_the_webhook_secret_is_an_argument() -> None:
    client = SimulatorClient(webhook_secret="other")
    client.paid()
    (webhook,) = client.simulator.webhooks_due(client.now)
    expected = sign_webhook("other", webhook.headers["x-webhook-timestamp"], webhook.body)
    assert webhook.headers["x-webhook-signature"] == expected


def test_a_signature_made_by_openssl() -> None:
    """`printf %s '1700000000000{"a":10.10}' | openssl dgst -sha256 -hmac cfsk_1 -binary | base64`."""
    assert sign_webhook("cfsk_1", "1700000000000", b'{"a":10.10}') == OPENSSL_WEBHOOK


OPENSSL_WEBHOOK = "qfLU1WzE3puI8JLiSuHcgOJbN0wS8kEp/OdTyI0AUj8="


# -- the provider's own schema


@cache
def contract() -> Any:
    # The provider's alternatives exclude each other in words only: a card also fits the schema of an app.
    return json.loads(CONTRACT.read_text().replace('"oneOf"', '"anyOf"'))


def conforms(name: str, body: Any) -> None:
    """The provider answers null where its schema has no null: such fields are left out."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": contract()["components"]}
    jsonschema.Draft4Validator(schema).validate(without_nulls(json.loads(json.dumps(body, default=float))))


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


@pytest.mark.needs("contracts")
def test_answers_conform_to_the_providers_schema(bank: SimulatorClient) -> None:
    conforms("OrderEntity", bank.get("/pg/orders/order-1"))
    conforms("PaymentEntity", bank.payment())
    conforms("PaymentEntity", read(act(bank, "CAPTURE", 50.5)))
    conforms("RefundEntity", read(bank.refund("refund-1", 1)))
    session = bank.order("order-2")
    for answer in (read(bank.pay(session, "tok_requires_action")), bank.upi(session)):
        assert type(answer["cf_payment_id"]) is int  # the schema says string with the format int64; see the facts
        conforms("PayOrderEntity", answer | {"cf_payment_id": str(answer["cf_payment_id"])})
    bank.pay(session, "tok_hard_decline")
    for payment in bank.payments("order-2"):
        conforms("PaymentEntity", payment)
    for webhook in bank.simulator.webhooks_due(bank.now):
        conforms("RefundWebhook" if "REFUND" in webhook.type else "PaymentWebhook", json.loads(webhook.body))


@pytest.mark.needs("contracts")
@pytest.mark.parametrize(
    ("name", "status"),
    [("BadRequestError", 400), ("AuthenticationError", 401), ("ApiError404", 404), ("ApiError409", 409)],
)
def test_errors_conform_to_the_providers_schema(client: SimulatorClient, name: str, status: int) -> None:
    client.order()
    body = {"order_id": "order-1", "order_amount": 50.5, "order_currency": "INR", "customer_details": CUSTOMER}
    reply = {
        400: lambda: client.send("POST", "/pg/orders", {}),
        401: lambda: client.send("GET", "/pg/orders/order-1", x_client_id="x"),
        404: lambda: client.send("GET", "/pg/orders/none"),
        409: lambda: client.send("POST", "/pg/orders", body),
    }[status]()
    assert reply.status == status
    conforms(name, json.loads(reply.body))


@pytest.mark.needs("contracts")
def test_operations_are_those_of_the_providers_contract() -> None:
    """Every address that the simulator serves is one of the provider's."""
    known = {re.sub(r"\{\w+\}", "{}", f"/pg{path}") for path in contract()["paths"]}
    served = {"/pg/orders", "/pg/orders/{}", "/pg/orders/sessions", "/pg/simulate", "/pg/simulate/{}", "/pg/recon"}
    served |= {
        f"/pg/orders/{{}}{rest}" for rest in ("/payments", "/payments/{}", "/refunds", "/refunds/{}", "/authorization")
    }
    assert served <= known
