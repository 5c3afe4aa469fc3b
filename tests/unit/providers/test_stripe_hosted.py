"""A Checkout Session at Stripe: its request, every answer about it, and the payer on its page."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest

from payflowx.domain.payments.hosted import FailedTries, HostedRequest
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Authorized,
    ConfirmedCancelled,
    Mismatch,
    NextAction,
    NotFound,
    Progress,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Address, Customer
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.stripe import hosted_requests, hosted_responses
from payflowx.providers.stripe.connector import CONNECTOR
from sandbox.hosted_pages import Act, HostedCall, lose_answers
from tests.support.hosted_checkout import AMOUNT, KEY, RETURN, HostedCheckout

SESSION = "cs_test_a1YYufWQzNY63zpQ6QSNRQhkUpVph4WRmzW0zWJO2znZKdVujZ0N0S22u"
INTENT = "pi_3MtwBwLkdIwHu7ix28a3tqPa"
URL = f"https://checkout.stripe.com/c/pay/{SESSION}#fid"
ERROR = {"code": "card_declined", "decline_code": "do_not_honor", "message": "Your card was declined."}


def request(**changes: Any) -> ChargeRequest:
    values: dict[str, Any] = {
        "provider_key": KEY,
        "amount": AMOUNT,
        "currency": "USD",
        "token": "",
        "payment_method_type": "checkout",
        "capture": CaptureMode.AUTOMATIC,
        "hosted": HostedRequest(method="card", expires_at_ms=1_700_003_600_000, return_url=RETURN, object_id=SESSION),
        **changes,
    }
    return ChargeRequest(**values)


def fields_of(charge: ChargeRequest) -> dict[str, str]:
    return dict(parse_qsl(hosted_requests.create(charge).body.decode(), strict_parsing=True))


def session(**changes: Any) -> dict[str, Any]:
    return {
        "id": SESSION,
        "object": "checkout.session",
        "mode": "payment",
        "client_reference_id": KEY,
        "amount_total": AMOUNT,
        "currency": "usd",
        "status": "open",
        "payment_status": "unpaid",
        "url": URL,
        "payment_intent": None,
        **changes,
    }


def intent(status: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": INTENT,
        "object": "payment_intent",
        "status": status,
        "amount": AMOUNT,
        "amount_received": AMOUNT if status == "succeeded" else 0,
        "amount_capturable": AMOUNT if status == "requires_capture" else 0,
        "currency": "usd",
        "metadata": {"payflowx_key": KEY},
        "last_payment_error": None,
        **changes,
    }


def answer(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status=status, headers={}, body=json.dumps(value).encode())


def created(value: Any, status: int = 200) -> Any:
    return hosted_responses.created(request(), answer(value, status))


def read(value: Any, charge: ChargeRequest | None = None) -> Any:
    return hosted_responses.read_back(charge or request(), answer(value))


OPEN = ActionRequired(reference=SESSION, action=NextAction(kind="redirect", url=URL))


class TestRequest:
    def test_a_session_of_one_line_with_every_switch_off(self) -> None:
        assert fields_of(request()) == {
            "mode": "payment",
            "payment_method_types[]": "card",
            "client_reference_id": KEY,
            "metadata[payflowx_key]": KEY,
            "line_items[0][quantity]": "1",
            "line_items[0][price_data][currency]": "usd",
            "line_items[0][price_data][unit_amount]": str(AMOUNT),
            "line_items[0][price_data][product_data][name]": "Payment",
            "success_url": RETURN,
            "cancel_url": RETURN,
            "expires_at": "1700003600",
            "adaptive_pricing[enabled]": "false",
            "after_expiration[recovery][enabled]": "false",
            "allow_promotion_codes": "false",
            "automatic_tax[enabled]": "false",
            "billing_address_collection": "auto",
            "invoice_creation[enabled]": "false",
            "line_items[0][adjustable_quantity][enabled]": "false",
            "phone_number_collection[enabled]": "false",
            "tax_id_collection[enabled]": "false",
            "payment_intent_data[capture_method]": "automatic",
            "payment_intent_data[metadata][payflowx_key]": KEY,
        }

    def test_the_key_makes_it_repeatable(self) -> None:
        first, second = hosted_requests.create(request()), hosted_requests.create(request())
        assert (first, first.headers["Idempotency-Key"]) == (second, KEY)

    def test_the_merchants_words_go_to_the_intent(self) -> None:
        charge = request(
            description="Two tickets",
            metadata={"order": "17", "payflowx_key": "stolen"},
            statement_descriptor_suffix="TICKETS",
            receipt_email="asha@example.com",
            customer=Customer(
                name="Asha Rao", email="payer@example.com", address=Address(line1="1 MG Road", country="IN")
            ),
            save_payment_method=True,
            capture=CaptureMode.MANUAL,
        )
        fields = fields_of(charge)
        data = {
            name.removeprefix("payment_intent_data"): value
            for name, value in fields.items()
            if name.startswith("payment_intent_data")
        }
        assert data == {
            "[capture_method]": "manual",
            "[metadata][payflowx_key]": KEY,
            "[setup_future_usage]": "off_session",
            "[description]": "Two tickets",
            "[statement_descriptor_suffix]": "TICKETS",
            "[receipt_email]": "asha@example.com",
            "[metadata][order]": "17",
            "[shipping][name]": "Asha Rao",
            "[shipping][address][line1]": "1 MG Road",
            "[shipping][address][country]": "IN",
        }
        assert fields["customer_email"] == "payer@example.com"
        assert fields["line_items[0][price_data][product_data][name]"] == "Two tickets"

    def test_stripes_own_customer_takes_the_place_of_the_address(self) -> None:
        fields = fields_of(request(customer=Customer(id="cus_1", email="payer@example.com")))
        assert fields["customer"] == "cus_1"
        assert "customer_email" not in fields

    @pytest.mark.parametrize(("description", "name"), [(" ", "Payment"), ("x" * 300, "x" * 250)])
    def test_the_name_of_the_line_is_never_empty_nor_too_long(self, description: str, name: str) -> None:
        assert fields_of(request(description=description))["line_items[0][price_data][product_data][name]"] == name

    def test_a_manual_capture_is_read_with_its_charge(self) -> None:
        assert hosted_requests.read(request()).path == f"/v1/checkout/sessions/{SESSION}?expand%5B%5D=payment_intent"
        manual = hosted_requests.read(request(capture=CaptureMode.MANUAL))
        assert manual.path.endswith("expand%5B%5D=payment_intent.latest_charge")

    def test_an_expiry_has_no_key_because_a_stored_refusal_would_be_repeated(self) -> None:
        sent = hosted_requests.expire(request())
        assert (sent.method, sent.path) == ("POST", f"/v1/checkout/sessions/{SESSION}/expire")
        assert "Idempotency-Key" not in sent.headers

    def test_an_ordinary_charge_has_no_session(self) -> None:
        with pytest.raises(ValueError, match="no hosted object"):
            hosted_requests.create(request(hosted=None))


class TestCreated:
    def test_an_open_session_gives_its_address(self) -> None:
        assert created(session()) == OPEN

    @pytest.mark.parametrize(
        "wrong",
        [
            {"amount_total": AMOUNT + 1},
            {"currency": "inr"},
            {"client_reference_id": "pfx-abcdefghijklmnop-2"},
            {"client_reference_id": None},
            {"mode": "setup"},
        ],
    )
    def test_nobody_gets_the_address_of_a_session_that_differs(self, wrong: dict[str, Any]) -> None:
        found = created(session(**wrong))
        assert isinstance(found, Rejected)
        assert found.code == "object_differs"

    @pytest.mark.parametrize("wrong", [{"status": "expired"}, {"url": None}, {"url": "javascript:1"}, {"object": "x"}])
    def test_anything_else_is_unknown(self, wrong: dict[str, Any]) -> None:
        assert isinstance(created(session(**wrong)), Unknown)

    def test_errors_are_those_of_a_charge(self) -> None:
        too_small = {"error": {"type": "invalid_request_error", "code": "amount_too_small", "param": "line_items"}}
        expiry = {"error": {"type": "invalid_request_error", "param": "expires_at", "message": "too late"}}
        assert [created(body, status) for body, status in ((too_small, 400), (expiry, 400))] == [
            Rejected(code="amount_too_small"),
            Rejected(code="parameter_refused", message="too late"),
        ]
        assert isinstance(created({"error": {"type": "api_error"}}, 500), Unknown)
        assert isinstance(created({"error": {"type": "idempotency_error"}}, 400), Unknown)


class TestRead:
    def test_open(self) -> None:
        assert read(session()) == OPEN

    @pytest.mark.parametrize("status", ["requires_action", "requires_confirmation", "requires_payment_method"])
    def test_an_open_session_is_open_whatever_its_intent_waits_for(self, status: str) -> None:
        assert read(session(payment_intent=intent(status))) == OPEN

    def test_a_failed_try_is_counted_in_the_list_of_charges(self) -> None:
        failed = intent("requires_payment_method", last_payment_error=ERROR)
        found = read(session(payment_intent=failed))
        assert isinstance(found, Progress)
        charge = request(progress=dict(found.facts))
        step = CONNECTOR.hosted.inquiry(charge)[-1]  # type: ignore[union-attr]
        assert step.build(charge).path == f"/v1/charges?payment_intent={INTENT}&limit=40"
        charges = [{"object": "charge", "payment_intent": INTENT, "status": status} for status in ["failed"] * 3]
        tries = FailedTries(count=3, code="do_not_honor", message="Your card was declined.")
        assert step.read(charge, answer({"data": charges})) == replace(OPEN, failed_tries=tries)
        assert step.read(charge, answer({}, 500)) == replace(OPEN, failed_tries=replace(tries, count=1))
        other = [{**charges[0], "payment_intent": "pi_other"}]
        assert isinstance(step.read(charge, answer({"data": other})), Unknown)

    @pytest.mark.parametrize("status", ["open", "complete", "expired"])
    def test_money_that_was_taken_counts_whatever_the_session_says(self, status: str) -> None:
        assert read(session(status=status, payment_intent=intent("succeeded"))) == Succeeded(
            reference=INTENT, amount=AMOUNT, currency="USD", merchant_reference=KEY
        )

    def test_the_amount_is_what_the_intent_received(self) -> None:
        found = read(session(status="complete", payment_intent=intent("succeeded", amount_received=1)))
        assert (found.amount, found.reference) == (1, INTENT)

    def test_a_success_without_our_key_is_a_success_of_nobody(self) -> None:
        found = read(session(status="complete", payment_intent=intent("succeeded", metadata={})))
        assert found.merchant_reference == "none"

    def test_a_manual_capture_is_authorized_until_the_charge_lapses(self) -> None:
        held = intent(
            "requires_capture",
            latest_charge={"payment_method_details": {"card": {"capture_before": 1_700_600_000}}},
        )
        assert read(session(status="complete", payment_intent=held)) == Authorized(
            reference=INTENT,
            amount=AMOUNT,
            currency="USD",
            merchant_reference=KEY,
            lapses_at_ms=1_700_600_000_000,
        )

    @pytest.mark.parametrize("status", ["open", "complete", "expired"])
    def test_the_bank_is_processing(self, status: str) -> None:
        assert read(session(status=status, payment_intent=intent("processing"))) == Accepted(reference=SESSION)

    @pytest.mark.parametrize("found", [None, intent("canceled"), intent("requires_payment_method")])
    def test_expired_and_unpaid_is_the_proof(self, found: Any) -> None:
        assert read(session(status="expired", url=None, payment_intent=found)) == ConfirmedCancelled(reference=SESSION)

    @pytest.mark.parametrize("status", ["requires_action", "requires_confirmation"])
    def test_a_try_that_began_before_the_expiry_is_no_proof(self, status: str) -> None:
        assert read(session(status="expired", payment_intent=intent(status))) == Accepted(reference=SESSION)

    def test_an_authorization_that_was_released(self) -> None:
        assert read(session(status="complete", payment_intent=intent("canceled"))) == ConfirmedCancelled(
            reference=INTENT
        )

    @pytest.mark.parametrize(
        "hostile",
        [
            session(status="complete"),
            session(status="complete", payment_intent=intent("requires_payment_method")),
            session(status="complete", payment_intent=intent("requires_action")),
            session(status="expired", payment_status="paid"),
            session(status="expired", payment_intent=intent("canceled", amount_received=1)),
            session(status="expired", payment_intent=intent("canceled", amount_received=None)),
            session(status="expired", payment_intent=intent("new_word")),
            session(status="expired", payment_intent=intent("canceled", metadata={})),
            session(status="expired", payment_intent=INTENT),
            session(status="expired", payment_intent={}),
            session(status="expired", client_reference_id="pfx-abcdefghijklmnop-2"),
            session(status="expired", id="cs_another"),
            session(status="new_word"),
            session(status=None),
            session(object="payment_intent"),
            session(url="ftp://x"),
            {},
            [],
            "expired",
        ],
    )
    def test_nothing_else_is_final(self, hostile: Any) -> None:
        try:
            found = read(hostile)
        except ValueError:
            return  # the transport makes `Unknown` of it
        assert isinstance(found, Unknown)

    @pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
    def test_no_error_of_a_read_proves_anything(self, status: int) -> None:
        assert isinstance(hosted_responses.read_back(request(), answer({"error": {}}, status)), Unknown)


def shown(checkout: HostedCheckout) -> str:
    checkout.browser.reload()
    return checkout.browser.html


@pytest.fixture
def checkout() -> HostedCheckout:
    return HostedCheckout("stripe")


class TestJourneys:
    """With the simulator and its page."""

    def test_pay(self, checkout: HostedCheckout) -> None:
        assert isinstance(checkout.create(), ActionRequired)
        assert "499.00" in shown(checkout)
        assert checkout.press(Act.PAY) == RETURN
        found = checkout.inquire()
        assert isinstance(found, Succeeded)
        assert (found.amount, found.merchant_reference) == (AMOUNT, KEY)
        assert found.reference.startswith("pi_")
        (charge,) = checkout.world.http.charged()
        assert (charge["reference"], charge["chargeId"]) == (KEY, found.reference)

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

    def test_closed_and_proven(self, checkout: HostedCheckout) -> None:
        assert isinstance(checkout.create(), ActionRequired)
        checkout.press(Act.FAIL)
        assert isinstance(checkout.close(), ConfirmedCancelled)
        checkout.press(Act.PAY)
        assert checkout.world.http.charged() == []
        assert "closed" in shown(checkout)

    def test_closed_while_the_bank_processes(self, checkout: HostedCheckout) -> None:
        assert isinstance(checkout.create(), ActionRequired)
        checkout.press(Act.SLOW)
        assert isinstance(checkout.close(), Accepted)
        checkout.pass_minutes(1)
        assert isinstance(checkout.inquire(), Succeeded)

    def test_expired_by_itself(self, checkout: HostedCheckout) -> None:
        assert isinstance(checkout.create(), ActionRequired)
        checkout.pass_minutes(31)
        checkout.press(Act.PAY)
        assert isinstance(checkout.inquire(), ConfirmedCancelled)
        assert checkout.world.http.charged() == []

    def test_found_by_our_key(self, checkout: HostedCheckout) -> None:
        lose_answers(checkout.simulator.store, {HostedCall.CREATE: 1})
        assert isinstance(checkout.create(), Unknown)
        found = checkout.inquire()
        assert isinstance(found, ActionRequired)
        assert checkout.create() == found
        assert isinstance(checkout.close(), ConfirmedCancelled)

    def test_nothing_was_created(self, checkout: HostedCheckout) -> None:
        assert isinstance(checkout.inquire(), NotFound)
        assert isinstance(checkout.close(), Unknown)

    def test_two_sessions_with_our_key_need_a_person(self, checkout: HostedCheckout) -> None:
        checkout.create()
        checkout.pass_minutes(24 * 60)  # the key is forgotten
        hosted = replace(checkout.request.hosted, object_id=None, expires_at_ms=int((checkout.now + 3_600) * 1000))  # type: ignore[type-var]
        checkout.request = replace(checkout.request, hosted=hosted, sent_at_ms=None)
        checkout.create()
        checkout.request = replace(checkout.request, hosted=hosted)
        assert isinstance(checkout.inquire(), Mismatch)

    def test_a_manual_capture(self) -> None:
        checkout = HostedCheckout("stripe", capture=CaptureMode.MANUAL)
        checkout.create()
        checkout.press(Act.PAY)
        found = checkout.inquire()
        assert isinstance(found, Authorized)
        assert found.lapses_at_ms is not None

    def test_events_bring_the_key_and_the_intent(self, checkout: HostedCheckout) -> None:
        checkout.create()
        checkout.press(Act.PAY)
        found = checkout.inquire()
        assert isinstance(found, Succeeded)
        events = {event.type: event for event in checkout.events()}
        done = events["checkout.session.completed"]
        assert (done.charge_key, done.charge_reference, done.outcome) == (KEY, found.reference, None)
        assert events["payment_intent.succeeded"].outcome == found

    def test_the_event_of_an_expiry_brings_the_session(self, checkout: HostedCheckout) -> None:
        checkout.create()
        assert isinstance(checkout.close(), ConfirmedCancelled)
        (event,) = checkout.events()
        assert (event.type, event.charge_key) == ("checkout.session.expired", KEY)
        assert event.charge_reference == checkout.request.reference
        assert event.outcome is None
