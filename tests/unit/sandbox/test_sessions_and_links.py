"""The rules of Stripe's sessions and Razorpay's payment links that the providers document, at the simulators alone."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox.http_types import Reply, Request
from sandbox.razorpay_hosted import RazorpayHostedSimulator
from sandbox.simulator import Credentials
from sandbox.store import MemoryStore
from sandbox.stripe_hosted import StripeHostedSimulator

NOW = 1_790_000_000
CREDENTIALS = Credentials(key_id="id", key_secret="secret")
FORM = {"content-type": "application/x-www-form-urlencoded"}
SESSIONS, LINKS = "/v1/checkout/sessions", "/v1/payment_links"


def read(reply: Reply) -> Any:
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


def said(reply: Reply) -> str:
    assert reply.status == 400
    return str(json.loads(reply.body)["error"]["description" if b"description" in reply.body else "message"])


class Stripe:
    def __init__(self) -> None:
        self.simulator = StripeHostedSimulator(MemoryStore(), CREDENTIALS, public_url="https://stripe")

    def post(self, path: str, key: str | None = None, **fields: str) -> Reply:
        headers = {**FORM, "authorization": "Bearer secret", **({"idempotency-key": key} if key else {})}
        asked = Request(method="POST", path=path, headers=headers, body=urlencode(fields).encode())
        return self.simulator.handle(asked, NOW)

    def create(self, key: str | None = None, **changes: str) -> Reply:
        fields = {
            "mode": "payment",
            "line_items[0][quantity]": "1",
            "line_items[0][price_data][currency]": "inr",
            "line_items[0][price_data][unit_amount]": "49900",
            "line_items[0][price_data][product_data][name]": "Two tickets",
            "success_url": "https://shop.example/back",
            **changes,
        }
        return self.post(SESSIONS, key, **fields)

    def press(self, session: str, act: str) -> None:
        body = urlencode({"act": act, "method": "card"}).encode()
        asked = Request(method="POST", path=f"/pages/{session}", headers=FORM, body=body)
        assert self.simulator.handle(asked, NOW).status == 303

    def intent(self, session: str) -> Any:
        headers = {"authorization": "Bearer secret"}
        query = {"expand[]": "payment_intent"}
        return read(
            self.simulator.handle(
                Request(method="GET", path=f"{SESSIONS}/{session}", headers=headers, query=query), NOW
            )
        )["payment_intent"]


class TestSessions:
    def test_the_key_returns_the_same_session(self) -> None:
        stripe = Stripe()
        assert read(stripe.create("key-1")) == read(stripe.create("key-1"))
        assert read(stripe.create("key-2"))["id"] != read(stripe.create("key-1"))["id"]

    @pytest.mark.parametrize(("seconds", "status"), [(1_799, 400), (1_800, 200), (86_400, 200), (86_401, 400)])
    def test_a_session_lives_from_30_minutes_to_24_hours(self, seconds: int, status: int) -> None:
        assert Stripe().create(expires_at=str(NOW + seconds)).status == status

    def test_the_intent_exists_from_the_first_try(self) -> None:
        stripe = Stripe()
        session = read(stripe.create())["id"]
        assert stripe.intent(session) is None
        stripe.press(session, "fail")
        assert stripe.intent(session)["status"] == "requires_payment_method"

    def test_only_an_open_session_can_be_expired(self) -> None:
        stripe = Stripe()
        session = read(stripe.create())["id"]
        assert read(stripe.post(f"{SESSIONS}/{session}/expire"))["status"] == "expired"
        assert said(stripe.post(f"{SESSIONS}/{session}/expire")).endswith("has a status of `expired`.")

    def test_the_intent_of_a_session_cannot_be_cancelled(self) -> None:
        stripe = Stripe()
        session = read(stripe.create())["id"]
        stripe.press(session, "fail")
        assert "Checkout Session" in said(stripe.post(f"/v1/payment_intents/{stripe.intent(session)['id']}/cancel"))

    def test_an_authorized_one_can(self) -> None:
        stripe = Stripe()
        session = read(stripe.create(**{"payment_intent_data[capture_method]": "manual"}))["id"]
        stripe.press(session, "pay")
        intent = stripe.intent(session)["id"]
        assert read(stripe.post(f"/v1/payment_intents/{intent}/cancel"))["status"] == "canceled"

    @pytest.mark.parametrize("field", ["discount", "line_items[1][quantity]", "adaptive_pricing[enabled]"])
    def test_other_fields_are_refused(self, field: str) -> None:
        assert Stripe().create(**{field: "true"}).status == 400


class Razorpay:
    def __init__(self) -> None:
        self.simulator = RazorpayHostedSimulator(MemoryStore(), CREDENTIALS, public_url="https://razorpay")
        pair = base64.b64encode(b"id:secret").decode()
        self.headers = {"authorization": f"Basic {pair}", "content-type": "application/json"}

    def create(self, **changes: Any) -> Reply:
        body = {"amount": 49_900, "currency": "INR", "reference_id": "ref-1", **changes}
        asked = Request(method="POST", path=LINKS, headers=self.headers, body=json.dumps(body).encode())
        return self.simulator.handle(asked, NOW)

    def ask(self, method: str, path: str, **query: str) -> Reply:
        return self.simulator.handle(Request(method=method, path=path, headers=self.headers, query=query), NOW)

    def press(self, link: str, act: str) -> None:
        body = urlencode({"act": act, "method": "upi"}).encode()
        asked = Request(method="POST", path=f"/pages/{link}", headers=FORM, body=body)
        assert self.simulator.handle(asked, NOW).status == 303


class TestLinks:
    def test_a_reference_has_one_link(self) -> None:
        razorpay = Razorpay()
        link = read(razorpay.create())
        assert "already exists" in said(razorpay.create())
        assert read(razorpay.ask("GET", LINKS, reference_id="ref-1"))["payment_links"] == [link]
        assert read(razorpay.ask("GET", LINKS, reference_id="ref-2"))["payment_links"] == []

    @pytest.mark.parametrize(("seconds", "status"), [(899, 400), (900, 200), (200 * 86_400, 400)])
    def test_a_link_lives_from_15_minutes_to_six_months(self, seconds: int, status: int) -> None:
        assert Razorpay().create(expire_by=NOW + seconds).status == status

    def test_a_paid_link_cannot_be_cancelled(self) -> None:
        razorpay = Razorpay()
        link = read(razorpay.create())["id"]
        razorpay.press(link, "pay")
        assert "cancellable" in said(razorpay.ask("POST", f"{LINKS}/{link}/cancel"))
        shown = read(razorpay.ask("GET", f"{LINKS}/{link}"))
        assert (shown["status"], shown["amount_paid"], len(shown["payments"])) == ("paid", 49_900, 1)

    def test_a_failed_payment_is_in_the_order_only(self) -> None:
        razorpay = Razorpay()
        link = read(razorpay.create())["id"]
        razorpay.press(link, "fail")
        shown = read(razorpay.ask("GET", f"{LINKS}/{link}"))
        assert shown["payments"] is None
        assert read(razorpay.ask("GET", f"/v1/orders/{shown['order_id']}/payments"))["count"] == 1

    @pytest.mark.parametrize("change", [{"accept_partial": True}, {"callback_url": "https://x"}, {"unknown": 1}])
    def test_other_fields_are_refused(self, change: dict[str, Any]) -> None:
        assert Razorpay().create(**change).status == 400
