"""A payment link at Razorpay: its request, every answer about it, and the payer on its page."""

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from payflowx.domain.payments.hosted import ExtraCharge, FailedTries, HostedRequest
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Authorized,
    ConfirmedCancelled,
    Declined,
    Mismatch,
    NextAction,
    NotFound,
    Progress,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Customer
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.statuses import CaptureMode, DeclineKind
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.razorpay import hosted_requests, hosted_responses
from payflowx.providers.razorpay.connector import CONNECTOR
from payflowx.providers.razorpay.responses import REOPENS_FOR_SECONDS
from sandbox.hosted_pages import Act, HostedCall, lose_answers
from sandbox.razorpay_hosted import RazorpayHostedSimulator
from tests.support.hosted_checkout import AMOUNT, KEY, RETURN, HostedCheckout

LINK = "plink_ExjpAUN3gVHrPJ"
ORDER = "order_IG1v1wK3n1xqQp"
URL = "https://rzp.io/i/nxrHnLJ"
NOT_FINAL = (Unknown, Progress)


def request(**changes: Any) -> ChargeRequest:
    values: dict[str, Any] = {
        "provider_key": KEY,
        "amount": AMOUNT,
        "currency": "INR",
        "token": "",
        "payment_method_type": "checkout",
        "capture": CaptureMode.AUTOMATIC,
        "hosted": HostedRequest(method="upi", expires_at_ms=1_700_003_600_000, return_url=RETURN, object_id=LINK),
        **changes,
    }
    return ChargeRequest(**values)


def body_of(charge: ChargeRequest) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(hosted_requests.create(charge).body)
    return body


def link(**changes: Any) -> dict[str, Any]:
    return {
        "id": LINK,
        "reference_id": KEY,
        "amount": AMOUNT,
        "amount_paid": 0,
        "currency": "INR",
        "accept_partial": False,
        "status": "created",
        "short_url": URL,
        "payments": None,
        **changes,
    }


def payment(status: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": "pay_1",
        "status": status,
        "captured": status == "captured",
        "amount": AMOUNT,
        "amount_refunded": 0,
        "currency": "INR",
        "order_id": ORDER,
        "created_at": 1_700_000_000,
        "notes": {"payflowx_key": KEY},
        "error_reason": "payment_failed" if status == "failed" else None,
        "error_description": "Payment failed." if status == "failed" else None,
        **changes,
    }


GIVEN_BACK = payment("refunded", refund_status="full", amount_refunded=AMOUNT)


def answer(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status=status, headers={}, body=json.dumps(value).encode())


def error(description: str, **more: Any) -> dict[str, Any]:
    return {"error": {"code": "BAD_REQUEST_ERROR", "description": description, "reason": "NA", **more}}


def created(value: Any, status: int = 200) -> Any:
    return hosted_responses.created(request(), answer(value, status))


def state(value: Any, charge: ChargeRequest | None = None) -> Any:
    return hosted_responses.link_state(charge or request(), answer(value))


def whole(status: str, *payments: dict[str, Any]) -> Any:
    facts = state(link(status=status, order_id=ORDER)).facts
    collection = {"count": len(payments), "items": list(payments)}
    return hosted_responses.whole(request(progress=facts), answer(collection))


OPEN = ActionRequired(reference=LINK, action=NextAction(kind="redirect", url=URL))
PAID = Succeeded(reference="pay_1", amount=AMOUNT, currency="INR", merchant_reference=KEY)


class TestRequest:
    def test_a_link_with_every_switch_off(self) -> None:
        assert body_of(request()) == {
            "amount": AMOUNT,
            "currency": "INR",
            "accept_partial": False,
            "upi_link": False,
            "reference_id": KEY,
            "expire_by": 1_700_003_600,
            "callback_url": RETURN,
            "callback_method": "get",
            "notify": {"sms": False, "email": False},
            "reminder_enable": False,
            "notes": {"payflowx_key": KEY},
            "options": {"checkout": {"method": {"card": False, "upi": True, "netbanking": False, "wallet": False}}},
        }

    def test_the_same_request_has_the_same_bytes(self) -> None:
        assert hosted_requests.create(request()) == hosted_requests.create(request())

    def test_the_merchants_words_and_the_payer(self) -> None:
        customer = Customer(name="Asha Rao", phone="+919876543210")
        body = body_of(
            request(customer=customer, receipt_email="asha@example.com", description="x" * 3_000, metadata={"a": "b"})
        )
        assert body["customer"] == {"name": "Asha Rao", "email": "asha@example.com", "contact": "+919876543210"}
        assert len(body["description"]) == 2_048
        assert body["notes"] == {"payflowx_key": KEY, "a": "b"}

    def test_addresses(self) -> None:
        unknown = request(hosted=replace(request().hosted, object_id=None))  # type: ignore[type-var]
        assert [
            hosted_requests.read(request()).path,
            hosted_requests.read(unknown).path,
            hosted_requests.cancel(request()).path,
        ] == [
            f"/v1/payment_links/{LINK}",
            f"/v1/payment_links?reference_id={KEY}",
            f"/v1/payment_links/{LINK}/cancel",
        ]

    def test_an_ordinary_charge_has_no_link(self) -> None:
        with pytest.raises(ValueError, match="no hosted object"):
            hosted_requests.create(request(hosted=None))


class TestCreated:
    def test_an_open_link_gives_its_address(self) -> None:
        assert created(link()) == OPEN

    @pytest.mark.parametrize(
        "wrong",
        [
            {"amount": AMOUNT + 1},
            {"currency": "USD"},
            {"reference_id": "pfx-abcdefghijklmnop-2"},
            {"reference_id": ""},
            {"accept_partial": True},
        ],
    )
    def test_nobody_gets_the_address_of_a_link_that_differs(self, wrong: dict[str, Any]) -> None:
        found = created(link(**wrong))
        assert isinstance(found, Rejected)
        assert found.code == "object_differs"

    @pytest.mark.parametrize("wrong", [{"status": "expired"}, {"short_url": None}, {"short_url": "ftp://x"}])
    def test_anything_else_is_unknown(self, wrong: dict[str, Any]) -> None:
        assert isinstance(created(link(**wrong)), Unknown)

    @pytest.mark.parametrize(
        "text",
        [
            f"payment link already exists with reference_id {KEY}",
            "The reference id has been taken.",
            "duplicate request",
        ],
    )
    def test_a_refused_reference_leads_to_a_read(self, text: str) -> None:
        assert created(error(text), 400) == Progress(facts={"link_exists": "true"})

    def test_every_other_refusal_is_final_because_nobody_can_pay(self) -> None:
        assert created(error("expire_by should be at least 15 minutes after current time."), 400) == Rejected(
            code="BAD_REQUEST_ERROR", message="expire_by should be at least 15 minutes after current time."
        )
        assert isinstance(created(error("x"), 500), Unknown)
        assert created(error("Authentication failed"), 401).misconfigured

    def test_the_existing_link_is_read_by_our_key(self) -> None:
        read = CONNECTOR.hosted.create[1].read  # type: ignore[union-attr]
        assert read(request(), answer({"payment_links": [link(reference_id="x"), link()]})) == OPEN
        assert isinstance(read(request(), answer({"payment_links": []})), Unknown)
        assert isinstance(read(request(), answer({}, 500)), Unknown)
        assert isinstance(read(request(), answer({"payment_links": [link(), link()]})), Mismatch)


class TestState:
    def test_the_order_leads_to_its_payments(self) -> None:
        found = state(link(order_id=ORDER))
        assert isinstance(found, Progress)
        assert found.facts["link_order"] == ORDER

    def test_without_its_order_a_payment_leads_to_it(self) -> None:
        found = state(link(status="paid", payments=[{"payment_id": "pay_1"}]))
        assert isinstance(found, Progress)
        assert found.facts["link_payment"] == "pay_1"
        charge = request(progress=found.facts)
        assert hosted_requests.read_payment(charge).path == "/v1/payments/pay_1"
        assert hosted_responses.payment_order(charge, answer(payment("captured"))) == Progress(
            facts={"link_order": ORDER}
        )

    def test_without_both_an_open_link_is_open(self) -> None:
        assert state(link()) == OPEN

    @pytest.mark.parametrize("status", ["cancelled", "expired"])
    def test_without_both_a_closed_link_is_no_proof(self, status: str) -> None:
        found = state(link(status=status))
        assert isinstance(found, Declined)
        assert (found.kind, found.reopens_for_seconds) == (DeclineKind.SOFT, REOPENS_FOR_SECONDS)

    def test_partly_paid(self) -> None:
        assert state(link(status="partially_paid", amount_paid=1)) == Mismatch(
            code="partly_paid", reference=LINK, amount=1
        )

    @pytest.mark.parametrize(
        "hostile",
        [
            link(status="paid"),
            link(status="new_word"),
            link(id="plink_another"),
            link(reference_id="pfx-abcdefghijklmnop-2"),
            link(status="cancelled", payments=[{}]),
            {},
            [],
        ],
    )
    def test_nothing_else_is_final(self, hostile: Any) -> None:
        try:
            assert isinstance(state(hostile), NOT_FINAL)
        except ValueError:
            return  # the transport makes `Unknown` of it

    @pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
    def test_no_error_of_a_read_proves_anything(self, status: int) -> None:
        reads = (
            hosted_responses.link_state,
            hosted_responses.whole,
            hosted_responses.closed_whole,
            hosted_responses.payment_order,
            hosted_responses.found,
        )
        assert all(isinstance(read(request(), answer(error("x"), status)), Unknown) for read in reads)


class TestWhole:
    @pytest.mark.parametrize("status", ["created", "paid", "cancelled", "expired"])
    def test_money_that_was_taken_counts_whatever_the_link_says(self, status: str) -> None:
        assert whole(status, payment("failed", id="pay_0"), payment("captured")) == PAID

    def test_refunded_elsewhere_is_a_charge(self) -> None:
        assert whole("paid", payment("refunded", captured=True)) == PAID

    def test_a_second_charge_is_extra(self) -> None:
        second = payment("captured", id="pay_2", created_at=1_700_000_009)
        extra = ExtraCharge(reference="pay_2", amount=AMOUNT, currency="INR")
        assert whole("paid", second, payment("captured")) == replace(PAID, extra_charges=(extra,))

    def test_a_note_with_another_key_is_anothers_charge(self) -> None:
        found = whole("paid", payment("captured", notes={"payflowx_key": "pfx-abcdefghijklmnop-2"}))
        assert found.merchant_reference == "pfx-abcdefghijklmnop-2"
        assert whole("paid", payment("captured", notes=[])) == PAID

    @pytest.mark.parametrize("status", ["created", "cancelled", "expired", "paid"])
    def test_an_authorization_waits_for_its_capture(self, status: str) -> None:
        found = whole(status, payment("authorized"))
        assert isinstance(found, Authorized)
        assert found.reference == "pay_1"

    def test_after_a_closing_the_capture_waits_for_an_inquiry(self) -> None:
        facts = state(link(status="cancelled", order_id=ORDER)).facts
        found = answer({"count": 1, "items": [payment("authorized")]})
        assert hosted_responses.closed_whole(request(progress=facts), found) == Accepted(reference="pay_1")

    @pytest.mark.parametrize("payments", [[], [payment("created")]])
    def test_an_open_link_is_open(self, payments: list[dict[str, Any]]) -> None:
        assert whole("created", *payments) == OPEN

    def test_failed_tries_of_an_open_link(self) -> None:
        found = whole("created", payment("failed"), payment("failed", created_at=1_700_000_009), payment("created"))
        tries = FailedTries(count=2, code="payment_failed", message="Payment failed.")
        assert found == replace(OPEN, failed_tries=tries)

    @pytest.mark.parametrize("status", ["cancelled", "expired"])
    def test_closed_without_any_payment_is_the_proof(self, status: str) -> None:
        assert whole(status) == ConfirmedCancelled(reference=LINK)

    @pytest.mark.parametrize("status", ["cancelled", "expired"])
    @pytest.mark.parametrize("failed", [payment("failed"), GIVEN_BACK])
    def test_closed_after_a_try_may_reopen(self, status: str, failed: dict[str, Any]) -> None:
        found = whole(status, failed)
        assert isinstance(found, Declined)
        assert (found.kind, found.reopens_for_seconds) == (DeclineKind.SOFT, REOPENS_FOR_SECONDS)

    def test_closed_while_the_bank_processes(self) -> None:
        assert whole("cancelled", payment("created"), payment("failed")) == Accepted(reference=LINK)

    @pytest.mark.parametrize(
        "payments",
        [
            [payment("new_word")],
            [payment("captured", order_id="order_another")],
            [payment("captured", captured=False)],
            [payment("failed", captured=True)],
            [payment("refunded", captured=None)],
            [payment("captured", amount="49900")],
            [payment("captured", created_at=None)],
        ],
    )
    @pytest.mark.parametrize("status", ["created", "cancelled", "paid"])
    def test_a_contradiction_is_never_final(self, status: str, payments: list[dict[str, Any]]) -> None:
        try:
            assert isinstance(whole(status, *payments), Unknown)
        except ValueError:
            return  # the transport makes `Unknown` of it

    def test_paid_without_a_payment_is_unknown(self) -> None:
        assert isinstance(whole("paid", payment("failed")), Unknown)


class TestCapture:
    CHARGE = request(reference="pay_1")

    def read(self, value: Any, status: int = 200) -> Any:
        step = CONNECTOR.completion_step(self.CHARGE)
        assert step is not None
        assert step.build(self.CHARGE).path == "/v1/payments/pay_1/capture"
        return step.read(self.CHARGE, answer(value, status))

    def test_captured(self) -> None:
        assert self.read(payment("captured")) == PAID

    @pytest.mark.parametrize("other", [payment("authorized"), payment("captured", id="pay_2"), GIVEN_BACK])
    def test_only_the_captured_payment_proves_it(self, other: dict[str, Any]) -> None:
        assert isinstance(self.read(other), Unknown)

    def test_captured_before_by_razorpay_itself(self) -> None:
        assert isinstance(self.read(error("This payment has already been captured"), 400), Unknown)


def shown(checkout: HostedCheckout) -> str:
    checkout.browser.reload()
    return checkout.browser.html


@pytest.fixture
def checkout() -> HostedCheckout:
    return HostedCheckout("razorpay")


class TestJourneys:
    """With the simulator and its page."""

    def test_pay(self, checkout: HostedCheckout) -> None:
        assert isinstance(checkout.create(), ActionRequired)
        assert "value='upi' checked" in shown(checkout)
        assert "value='card'" not in shown(checkout)
        way_back = checkout.press(Act.PAY)
        found = checkout.inquire()
        assert isinstance(found, Succeeded)
        (charge,) = checkout.world.http.charged()
        assert (charge["reference"], charge["chargeId"], found.merchant_reference) == (KEY, found.reference, KEY)
        query = dict(parse_qsl(urlsplit(way_back).query))
        text = "|".join(
            query[f"razorpay_{name}"]
            for name in ("payment_link_id", "payment_link_reference_id", "payment_link_status", "payment_id")
        )
        assert query["razorpay_signature"] == hmac.new(b"secret", text.encode(), hashlib.sha256).hexdigest()
        assert way_back.startswith(RETURN)

    def test_a_failed_try_ends_nothing(self, checkout: HostedCheckout) -> None:
        assert isinstance(checkout.create(), ActionRequired)
        checkout.press(Act.FAIL)
        checkout.press(Act.NO_FUNDS)
        found = checkout.inquire()
        assert isinstance(found, ActionRequired)
        assert found.failed_tries is not None
        assert (found.failed_tries.count, found.failed_tries.code) == (2, "insufficient_funds")
        checkout.press(Act.PAY)
        assert isinstance(checkout.inquire(), Succeeded)
        assert len(checkout.world.http.charged()) == 1

    def test_a_link_without_an_order_proves_nothing(self, checkout: HostedCheckout) -> None:
        checkout.create()
        found = checkout.close()
        assert isinstance(found, Declined)
        assert found.reopens_for_seconds == REOPENS_FOR_SECONDS

    def test_a_link_that_shows_an_order_without_payments_is_the_proof(self, checkout: HostedCheckout) -> None:
        assert isinstance(checkout.simulator, RazorpayHostedSimulator)
        checkout.simulator.shows_order_at_once = True
        assert isinstance(checkout.create(), ActionRequired)
        assert isinstance(checkout.close(), ConfirmedCancelled)
        checkout.press(Act.PAY)
        assert checkout.world.http.charged() == []

    def test_closed_while_the_bank_processes(self, checkout: HostedCheckout) -> None:
        assert isinstance(checkout.create(), ActionRequired)
        checkout.press(Act.SLOW)
        assert isinstance(checkout.close(), Accepted)
        checkout.pass_minutes(1)
        assert isinstance(checkout.inquire(), Succeeded)

    def test_expired_after_a_try(self, checkout: HostedCheckout) -> None:
        assert isinstance(checkout.create(), ActionRequired)
        checkout.press(Act.FAIL)
        checkout.pass_minutes(31)
        checkout.press(Act.PAY)
        found = checkout.inquire()
        assert isinstance(found, Declined)
        assert checkout.world.http.charged() == []

    def test_a_failed_try_that_is_charged_after_the_expiry(self, checkout: HostedCheckout) -> None:
        assert isinstance(checkout.create(), ActionRequired)
        checkout.press(Act.REOPEN)
        checkout.pass_minutes(31)
        found = checkout.inquire()
        assert isinstance(found, Declined)
        assert found.reopens_for_seconds == REOPENS_FOR_SECONDS
        checkout.pass_minutes(30)
        assert isinstance(checkout.inquire(), Succeeded)
        assert len(checkout.world.http.charged()) == 1

    def test_an_account_that_captures_by_hand(self, checkout: HostedCheckout) -> None:
        assert isinstance(checkout.simulator, RazorpayHostedSimulator)
        checkout.simulator.auto_capture = False
        checkout.create()
        checkout.press(Act.PAY)
        found = checkout.inquire()
        assert isinstance(found, Authorized)
        checkout.request = replace(checkout.request, reference=found.reference)
        assert checkout.http_provider.completes(checkout.request)
        captured = checkout.http_provider.complete(checkout.request, checkout.account)
        assert isinstance(captured, Succeeded)
        assert captured == checkout.inquire()

    def test_found_by_our_key(self, checkout: HostedCheckout) -> None:
        lose_answers(checkout.simulator.store, {HostedCall.CREATE: 1})
        assert isinstance(checkout.create(), Unknown)
        found = checkout.inquire()
        assert isinstance(found, ActionRequired)
        assert checkout.create() == found
        assert checkout.request.progress == {"link_exists": "true"}

    def test_nothing_was_created(self, checkout: HostedCheckout) -> None:
        assert isinstance(checkout.inquire(), NotFound)
        assert isinstance(checkout.close(), Unknown)

    def test_events_bring_the_key(self, checkout: HostedCheckout) -> None:
        checkout.create()
        checkout.press(Act.PAY)
        found = checkout.inquire()
        assert isinstance(found, Succeeded)
        events = {event.type: event for event in checkout.events()}
        done = events["payment_link.paid"]
        assert (done.charge_key, done.charge_reference, done.outcome) == (KEY, found.reference, None)
        assert events["order.paid"].outcome == found

    @pytest.mark.parametrize("is_closed", [True, False])
    def test_the_event_of_the_end_brings_the_link(self, checkout: HostedCheckout, is_closed: bool) -> None:
        checkout.create()
        if is_closed:
            checkout.close()
        else:
            checkout.pass_minutes(31)
        (event,) = checkout.events()
        assert event.type == f"payment_link.{'cancelled' if is_closed else 'expired'}"
        assert (event.charge_key, event.charge_reference) == (KEY, checkout.request.reference)
        assert event.outcome is None
