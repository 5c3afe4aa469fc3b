"""Cashfree's order as a hosted object: against the simulator, and every answer of Cashfree's pages."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Authorized,
    ConfirmedCancelled,
    Declined,
    Mismatch,
    NotFound,
    Outcome,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Customer
from payflowx.domain.providers.events import ProviderEvent, Webhook
from payflowx.domain.reconciliation.reports import EntryKind, ReportAnswer, ReportPage
from payflowx.domain.shared.limits import DAY_MS, MINUTE_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.cashfree.connector import CONNECTOR
from payflowx.providers.cashfree.signature import signature_of
from sandbox.hosted_pages import Act, HostedCall, lose_answers
from tests.support.hosted import AMOUNT, KEY
from tests.support.hosted_checkout import MINUTES, RETURN, HostedCheckout

HOSTED = CONNECTOR.hosted
assert HOSTED is not None
DATE = "Mon, 21 Sep 2026 15:00:00 GMT"
EXPIRED_AT = "2026-09-21T19:30:00+05:30"
"""An hour before `DATE`."""
TWO_DAYS_SECONDS = 2 * 86_400


@pytest.fixture
def checkout() -> HostedCheckout:
    opened = HostedCheckout("cashfree")
    assert isinstance(opened.create(), ActionRequired)
    return opened


class TestCreating:
    def test_the_request(self) -> None:
        opened = HostedCheckout("cashfree", description="two seats", metadata={"basket": "b-7"})
        request = HOSTED.create[0].build(opened.request)
        assert (request.method, request.path) == ("POST", "/orders")
        assert "x-idempotency-key" not in request.headers
        assert json.loads(request.body) == {
            "order_amount": 499.0,
            "order_id": KEY,
            "order_currency": "INR",
            "customer_details": {
                "customer_id": KEY.replace("-", ""),
                "customer_phone": "9876543210",
                "customer_name": "Payer Example",
                "customer_email": "payer@example.com",
            },
            "order_tags": {"payflowx_key": KEY, "basket": "b-7"},
            "order_meta": {"return_url": RETURN, "payment_methods": "upi"},
            "order_expiry_time": "2026-09-21T14:43:20Z",
            "order_note": "two seats",
            "products": {"one_click_checkout": {"enabled": False}, "verify_pay": {"enabled": False}},
        }

    @pytest.mark.parametrize(
        ("method", "words"), [("card", "cc,dc,ccc,ppc"), ("upi", "upi"), ("netbanking", "nb"), ("wallet", "app")]
    )
    def test_the_order_takes_the_chosen_method_only(self, method: str, words: str) -> None:
        asked = HostedCheckout("cashfree").request
        assert asked.hosted is not None
        request = replace(asked, hosted=replace(asked.hosted, method=method))
        assert json.loads(HOSTED.create[0].build(request).body)["order_meta"]["payment_methods"] == words

    def test_one_request_gives_the_address_a_form_to_the_account_s_own_host(self, checkout: HostedCheckout) -> None:
        outcome = checkout.inquire()
        assert isinstance(outcome, ActionRequired)
        assert outcome.action.kind == "form_post"
        assert outcome.action.url == "https://cashfree/pg/view/sessions/checkout"
        assert list(outcome.action.fields) == ["payment_session_id"]
        assert [request.method for _, request in checkout.world.http.requests][:1] == ["POST"]

    def test_a_repeated_request_reads_the_order_that_exists(self) -> None:
        opened = HostedCheckout("cashfree")
        lose_answers(opened.simulator.store, {HostedCall.CREATE: 1})
        assert isinstance(opened.create(), Unknown)
        assert isinstance(opened.create(), ActionRequired)
        assert opened.request.progress == {"order": "existed"}

    @pytest.mark.parametrize(
        "change", [{"order_amount": 498.99}, {"order_amount": 499.001}, {"order_currency": "USD"}, {"order_id": "x"}]
    )
    @pytest.mark.parametrize("step", HOSTED.create, ids=lambda step: step.name)
    def test_an_order_that_differs_is_rejected(self, step: Any, change: dict[str, Any]) -> None:
        result = step.read(HostedCheckout("cashfree").request, answer(200, {**order(), **change}))
        assert isinstance(result, Rejected)
        assert result.code == "object_differs"

    @pytest.mark.parametrize("status", ["PAID", "EXPIRED", "TERMINATED", "TERMINATION_REQUESTED", "", None])
    def test_an_order_that_is_not_open_gives_no_address(self, status: Any) -> None:
        result = HOSTED.create[1].read(HostedCheckout("cashfree").request, answer(200, order(order_status=status)))
        assert result == Unknown(code="order_not_active")

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"code": "order_expiry_time_invalid", "type": "invalid_request_error"}, "order_expiry_time_invalid"),
            ({"code": "order_amount_invalid", "type": "invalid_request_error"}, "order_amount_invalid"),
        ],
    )
    def test_a_documented_refusal_takes_the_next_provider(self, body: dict[str, Any], code: str) -> None:
        result = HOSTED.create[0].read(HostedCheckout("cashfree").request, answer(400, body))
        assert isinstance(result, Rejected)
        assert code in result.code

    @pytest.mark.parametrize("phone", [None, "12", "call me"])
    def test_without_a_telephone_number_nothing_is_sent(self, phone: str | None) -> None:
        opened = HostedCheckout("cashfree", customer=Customer(phone=phone))
        assert isinstance(opened.create(), Rejected)
        assert opened.world.http.requests == []

    def test_a_return_address_that_is_too_long_is_refused_before_the_send(self) -> None:
        opened = HostedCheckout("cashfree")
        assert opened.request.hosted is not None
        hosted = replace(opened.request.hosted, return_url=RETURN + "/" * 300)
        opened.request = replace(opened.request, hosted=hosted)
        assert isinstance(opened.create(), Rejected)
        assert opened.world.http.requests == []

    def test_the_hash_of_the_request_has_the_expiry_and_not_the_progress(self) -> None:
        opened = HostedCheckout("cashfree")
        same = opened.http_provider.request_hash
        assert opened.request.hosted is not None
        assert same(opened.request) == same(replace(opened.request, progress={"order": "existed"}, reference=KEY))
        later = replace(opened.request.hosted, expires_at_ms=opened.request.hosted.expires_at_ms + 1000)
        assert same(opened.request) != same(replace(opened.request, hosted=later))


class TestThePayer:
    @pytest.mark.parametrize("method", ["card", "upi", "netbanking", "wallet"])
    def test_pays(self, method: str) -> None:
        opened = HostedCheckout("cashfree")
        assert opened.request.hosted is not None
        opened.request = replace(opened.request, hosted=replace(opened.request.hosted, method=method))
        opened.create()
        assert opened.press(Act.PAY, method) == RETURN
        outcome = opened.inquire()
        assert isinstance(outcome, Succeeded)
        assert (outcome.amount, outcome.currency, outcome.merchant_reference) == (AMOUNT, "INR", KEY)
        assert isinstance(opened.operate(OperationKind.REFUND, outcome.reference), Succeeded | Accepted)
        assert [(e["reference"], e["amount"]) for e in opened.world.http.charged()] == [(KEY, AMOUNT)]

    def test_a_failed_try_ends_nothing(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.FAIL)
        checkout.pass_minutes(1)
        checkout.press(Act.NO_FUNDS)
        outcome = checkout.inquire()
        assert isinstance(outcome, ActionRequired)
        assert outcome.failed_tries is not None
        assert (outcome.failed_tries.count, outcome.failed_tries.code) == (2, "insufficient_funds")
        checkout.press(Act.PAY)
        assert isinstance(checkout.inquire(), Succeeded)

    def test_pays_twice_and_the_second_is_extra(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.LATE)
        assert checkout.inquire() == Accepted(reference=KEY)
        checkout.press(Act.PAY)
        first = checkout.inquire()
        assert isinstance(first, Succeeded)
        checkout.pass_minutes(61)
        both = checkout.inquire()
        assert isinstance(both, Succeeded)
        assert both.reference == first.reference
        assert [extra.amount for extra in both.extra_charges] == [AMOUNT]

    def test_pays_in_the_second_of_the_closing(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.SLOW)
        assert checkout.close() == Accepted(reference=KEY)
        checkout.pass_minutes(1)
        assert isinstance(checkout.close(), Succeeded)

    def test_fails_in_the_second_of_the_closing(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.FAIL)
        assert checkout.close() == ConfirmedCancelled(reference=KEY)
        checkout.press(Act.PAY)
        assert checkout.world.http.charged() == []

    def test_pays_after_the_expiry(self, checkout: HostedCheckout) -> None:
        checkout.pass_minutes(MINUTES - 0.05)
        checkout.press(Act.SLOW)
        checkout.pass_minutes(0.1)
        assert checkout.inquire() == Accepted(reference=KEY)
        checkout.pass_minutes(1)
        assert isinstance(checkout.inquire(), Succeeded)

    def test_an_expired_order_is_closed_by_proof_after_the_longest_attempt(self, checkout: HostedCheckout) -> None:
        checkout.pass_minutes(MINUTES + 1)
        expired = checkout.inquire()
        assert isinstance(expired, Declined)
        assert (expired.kind, expired.code) == (DeclineKind.SOFT, "order_expired")
        assert expired.reopens_for_seconds == TWO_DAYS_SECONDS - 60
        checkout.pass_minutes(2 * 1440)
        assert checkout.inquire() == ConfirmedCancelled(reference=KEY)

    def test_lost_answers_prove_nothing(self, checkout: HostedCheckout) -> None:
        lose_answers(checkout.simulator.store, {HostedCall.READ: 1, HostedCall.CLOSE: 1})
        assert isinstance(checkout.inquire(), Unknown)
        assert isinstance(checkout.close(), Unknown)
        assert checkout.close() == ConfirmedCancelled(reference=KEY)

    def test_without_an_order_there_is_nothing(self) -> None:
        opened = HostedCheckout("cashfree")
        assert opened.inquire() == NotFound()
        assert opened.close() == NotFound()

    def test_the_webhook_of_the_payment_proves_it_and_that_of_a_failed_try_is_none(
        self, checkout: HostedCheckout
    ) -> None:
        checkout.press(Act.FAIL)
        checkout.press(Act.PAY)
        failed, paid = checkout.events()
        assert (failed.charge_key, failed.outcome) == (KEY, None)
        assert paid.charge_key == KEY
        assert isinstance(paid.outcome, Succeeded)


def test_a_webhook_with_a_declared_fee_is_no_proof() -> None:
    """Its amount is not the order's: verified against our amount, it would be a mismatch."""
    surcharge = {"payment_surcharge_service_charge": 10, "payment_surcharge_service_tax": 1.8}
    assert isinstance(webhook_of(payment("1", "SUCCESS")).outcome, Succeeded)
    assert webhook_of(payment("1", "SUCCESS", payment_surcharge=surcharge)).outcome is None
    assert webhook_of(payment("1", "SUCCESS", payment_surcharge={"payment_surcharge_service_tax": "x"})).outcome is None


def test_the_report_has_our_key(checkout: HostedCheckout) -> None:
    checkout.press(Act.PAY)
    assert checkout.reported() == [(KEY, AMOUNT)]


def test_the_report_has_our_key_of_each_payment_of_an_object(checkout: HostedCheckout) -> None:
    checkout.press(Act.LATE)
    checkout.press(Act.PAY)
    checkout.pass_minutes(61)
    now_ms = checkout.world.clock.now_ms()
    page = ReportPage(from_ms=now_ms - DAY_MS, until_ms=now_ms + MINUTE_MS)
    answer = checkout.http_provider.report_page(page, checkout.account)
    assert isinstance(answer, ReportAnswer)
    charges = [entry for entry in answer.entries if entry.kind is EntryKind.CHARGE]
    assert [(entry.provider_key, entry.amount) for entry in charges] == [(KEY, AMOUNT)] * 2


def test_a_second_payment_is_cashfree_s_to_return() -> None:
    assert CONNECTOR.capabilities.hosted is not None
    assert CONNECTOR.capabilities.hosted.returns_extra_charges


class TestTheWholeRead:
    """Every pair of an order's status and a payment's status."""

    @pytest.mark.parametrize(
        ("status", "words", "expected"),
        [
            ("ACTIVE", [], ActionRequired),
            ("ACTIVE", ["FAILED"], ActionRequired),
            ("ACTIVE", ["USER_DROPPED", "CANCELLED"], ActionRequired),
            ("ACTIVE", ["NOT_ATTEMPTED"], ActionRequired),
            ("ACTIVE", ["PENDING"], Accepted),
            ("ACTIVE", ["FLAGGED"], Unknown),
            ("TERMINATED", [], ConfirmedCancelled),
            ("TERMINATED", ["FAILED", "VOID"], ConfirmedCancelled),
            ("TERMINATED", ["PENDING"], Accepted),
            ("TERMINATED", ["NOT_ATTEMPTED"], Accepted),
            ("TERMINATED", ["FLAGGED"], Unknown),
            ("TERMINATION_REQUESTED", [], Unknown),
            ("TERMINATION_REQUESTED", ["FAILED"], Unknown),
            ("TERMINATION_REQUESTED", ["PENDING"], Accepted),
            ("EXPIRED", [], Declined),
            ("EXPIRED", ["FAILED"], Declined),
            ("EXPIRED", ["PENDING"], Accepted),
            ("PAID", [], Unknown),
            ("PAID", ["FAILED"], Unknown),
            ("PAID", ["VOID"], ConfirmedCancelled),
            ("CLOSED", [], Unknown),
        ],
    )
    def test_without_money(self, status: str, words: list[str], expected: type[Outcome]) -> None:
        payments = [payment(str(number), word) for number, word in enumerate(words)]
        outcome = read(order(order_status=status), payments)
        assert isinstance(outcome, expected)

    @pytest.mark.parametrize("status", ["ACTIVE", "PAID", "EXPIRED", "TERMINATED", "TERMINATION_REQUESTED", "ANYTHING"])
    def test_money_decides_whatever_the_order_says(self, status: str) -> None:
        outcome = read(order(order_status=status), [payment("1", "FAILED"), payment("2", "SUCCESS")])
        assert isinstance(outcome, Succeeded)
        assert outcome.reference == "2"

    def test_an_authorization_is_none(self) -> None:
        assert isinstance(read(order(), [payment("1", "SUCCESS", is_captured=False)]), Authorized)
        held = [payment(number, "SUCCESS", is_captured=False) for number in ("1", "2")]
        assert isinstance(read(order(), held), Mismatch)

    def test_a_declared_fee_is_stored_beside(self) -> None:
        surcharge = {"payment_surcharge_service_charge": 10, "payment_surcharge_service_tax": Decimal("1.80")}
        outcome = read(
            order(), [payment("1", "SUCCESS", payment_amount=Decimal("510.80"), payment_surcharge=surcharge)]
        )
        assert isinstance(outcome, Succeeded)
        assert (outcome.amount, outcome.payer_paid) == (AMOUNT, 51_080)

    @pytest.mark.parametrize("paid", [Decimal("510.81"), Decimal(489), Decimal("498.99")])
    def test_an_undeclared_difference_stays_one(self, paid: Decimal) -> None:
        surcharge = {"payment_surcharge_service_charge": 10, "payment_surcharge_service_tax": Decimal("1.80")}
        outcome = read(order(), [payment("1", "SUCCESS", payment_amount=paid, payment_surcharge=surcharge)])
        assert isinstance(outcome, Succeeded)
        assert outcome.amount == int(paid * 100)
        assert outcome.payer_paid is None

    def test_the_stored_charge_stays_the_payment_s(self) -> None:
        early = payment("1", "SUCCESS", payment_completion_time="2026-09-21T20:00:00+05:30")
        late = payment("2", "SUCCESS", payment_completion_time="2026-09-21T20:01:00+05:30")
        first = read(order(), [late, early])
        assert isinstance(first, Succeeded)
        assert first.reference == "1"
        known = read(order(), [late, early], reference="2")
        assert isinstance(known, Succeeded)
        assert (known.reference, [extra.reference for extra in known.extra_charges]) == ("2", ["1"])

    def test_of_two_charges_of_the_same_second_nobody_knows_which_one_cashfree_keeps(self) -> None:
        at = {"payment_completion_time": "2026-09-21T20:00:00+05:30"}
        both = [payment(number, "SUCCESS", **at) for number in ("1", "2")]
        assert read(order(), both) == Mismatch(code="duplicate_charge")
        known = read(order(), both, reference="2")
        assert isinstance(known, Succeeded)
        assert known.reference == "2"

    def test_two_charges_without_times_are_not_put_in_order(self) -> None:
        undated = [payment(number, "SUCCESS", payment_time=None) for number in ("1", "2")]
        assert isinstance(read(order(), undated), Unknown)

    def test_a_known_payment_that_is_missing_proves_nothing(self) -> None:
        assert read(order(order_status="TERMINATED"), [], reference="77") == Unknown(code="payment_not_in_answer")

    def test_an_order_of_another_amount_is_a_mismatch_once_it_may_be_paid_or_is(self) -> None:
        """Nobody can pay one whose address was never given out: it contradicts nothing that is paid elsewhere."""
        assert isinstance(read(order(order_amount=1, order_status="PAID"), []), Mismatch)
        assert read(order(order_amount=1), []) == Unknown(code="amount_differs")
        assert isinstance(read(order(order_amount=1, order_status="TERMINATED"), []), ConfirmedCancelled)
        given_out = HostedCheckout("cashfree")
        hosted = given_out.request.hosted
        assert hosted is not None
        given_out.request = replace(given_out.request, hosted=replace(hosted, object_id=KEY))
        given_out.answers(answer(200, order(order_amount=1)), answer(200, []))
        assert isinstance(given_out.inquire(), Mismatch)

    @pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}])
    def test_without_cashfree_s_clock_an_expired_order_is_not_closed(self, headers: dict[str, str]) -> None:
        state = answer(200, order(order_status="EXPIRED", order_expiry_time="2026-01-01T00:00:00Z"))
        outcome = converse(replace(state, headers=headers), answer(200, []))
        assert isinstance(outcome, Declined)
        assert outcome.reopens_for_seconds == TWO_DAYS_SECONDS

    def test_an_expiry_in_the_future_does_not_make_the_wait_longer(self) -> None:
        outcome = read(order(order_status="EXPIRED", order_expiry_time="2027-01-01T00:00:00Z"), [])
        assert isinstance(outcome, Declined)
        assert outcome.reopens_for_seconds == TWO_DAYS_SECONDS


class TestHostileAnswers:
    @pytest.mark.parametrize("status", [301, 400, 401, 403, 409, 422, 429, 500, 503])
    def test_an_error_proves_nothing(self, status: int) -> None:
        assert isinstance(converse(answer(status, order()), answer(200, [])), Unknown)
        assert isinstance(converse(answer(200, order()), answer(status, [])), Unknown)

    def test_only_the_explicit_answer_says_that_there_is_no_order(self) -> None:
        assert isinstance(converse(answer(404, {"code": "page_not_found"}), answer(200, [])), Unknown)
        missing = {"code": "order_not_found", "type": "invalid_request_error", "message": "order is not found"}
        assert converse(answer(404, missing), answer(200, [])) == NotFound()

    @given(garbage=st.binary(max_size=200) | st.from_regex(r"[\[{].{0,50}[\]}]").map(str.encode))
    def test_garbage_is_never_a_result(self, garbage: bytes) -> None:
        raw = HttpResponse(status=200, headers={"date": DATE}, body=garbage)
        for first, second in ((raw, answer(200, [])), (answer(200, order(order_status="PAID")), raw)):
            assert isinstance(converse(first, second), Unknown | Mismatch)

    @pytest.mark.parametrize(
        "payments",
        [{}, [None], [{}], [{"order_id": "other", "payment_status": "SUCCESS"}], "x", 5],
    )
    def test_payments_that_are_not_understood_prove_nothing(self, payments: Any) -> None:
        assert isinstance(converse(answer(200, order(order_status="TERMINATED")), answer(200, payments)), Unknown)

    @pytest.mark.parametrize("session", [None, "", "with\nline", "x" * 600, 7])
    def test_a_session_that_cannot_be_used_is_unknown(self, session: Any) -> None:
        assert isinstance(read(order(payment_session_id=session), []), Unknown)


def order(**changes: Any) -> dict[str, Any]:
    return {
        "cf_order_id": "2149460581",
        "order_id": KEY,
        "order_amount": 499.00,
        "order_currency": "INR",
        "order_status": "ACTIVE",
        "order_expiry_time": EXPIRED_AT,
        "payment_session_id": "session_a1VXIPJo8kh7IBigVXX8LgTMupQW",
        **changes,
    }


def payment(payment_id: str, word: str, **changes: Any) -> dict[str, Any]:
    return {
        "cf_payment_id": payment_id,
        "order_id": KEY,
        "payment_status": word,
        "payment_amount": 499.00,
        "payment_currency": "INR",
        "payment_time": "2026-09-21T20:00:00+05:30",
        "payment_group": "upi",
        "is_captured": True,
        **changes,
    }


def webhook_of(paid: dict[str, Any]) -> ProviderEvent:
    body = json.dumps({"type": "PAYMENT_SUCCESS_WEBHOOK", "data": {"payment": paid, "order": order()}}).encode()
    timestamp = "1790000000"
    headers = {
        "x-webhook-timestamp": timestamp,
        "x-webhook-signature": signature_of(timestamp, body, "secret"),
    }
    return CONNECTOR.read_webhook(Webhook(headers=headers, body=body, received_at_ms=1_790_000_000_000), ("secret",))


def answer(status: int, body: Any) -> HttpResponse:
    data = json.dumps(body, default=float).encode()
    return HttpResponse(status=status, headers={"date": DATE}, body=data)


def read(state: dict[str, Any], payments: list[dict[str, Any]], *, reference: str | None = None) -> Outcome:
    return converse(answer(200, state), answer(200, payments), reference=reference)


def converse(*answers: HttpResponse, reference: str | None = None) -> Outcome:
    opened = HostedCheckout("cashfree", reference=reference)
    opened.answers(*answers)
    return opened.inquire()
