"""Hosted sessions of the mocks: the connectors against the simulators, and answers that must prove nothing."""

import json
from dataclasses import replace
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
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.registry import connector
from sandbox.hosted_pages import Act, HostedCall, lose_answers
from tests.support.hosted import AMOUNT, KEY
from tests.support.hosted_checkout import MINUTES, RETURN, HostedCheckout

NAMES = ("mock", "razorpay_mock", "cashfree_mock")
PROVEN = ("mock", "cashfree_mock")


@pytest.fixture(params=NAMES)
def checkout(request: pytest.FixtureRequest) -> HostedCheckout:
    opened = HostedCheckout(request.param)
    assert isinstance(opened.create(), ActionRequired)
    return opened


class TestThePayer:
    def test_an_open_session_waits_at_its_page(self, checkout: HostedCheckout) -> None:
        outcome = checkout.inquire()
        assert isinstance(outcome, ActionRequired)
        assert (outcome.action.url, outcome.failed_tries) == (checkout.browser.url, None)

    def test_pays(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.PAY)
        outcome = checkout.inquire()
        assert isinstance(outcome, Succeeded)
        assert (outcome.amount, outcome.currency, outcome.merchant_reference) == (AMOUNT, "INR", KEY)
        assert outcome.extra_charges == ()

    def test_a_failed_try_ends_nothing_and_the_next_one_pays(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.FAIL)
        checkout.press(Act.NO_FUNDS)
        open_still = checkout.inquire()
        assert isinstance(open_still, ActionRequired)
        assert open_still.failed_tries is not None
        assert (open_still.failed_tries.count, open_still.failed_tries.code) == (2, "insufficient_funds")
        checkout.press(Act.PAY)
        assert isinstance(checkout.inquire(), Succeeded)

    def test_a_failed_try_is_charged_an_hour_later_where_declines_reopen(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.REOPEN)
        reopens = checkout.simulator.reopens
        assert ("Fail, charged later" in checkout.browser.html) is reopens
        open_still = checkout.inquire()
        assert isinstance(open_still, ActionRequired)
        assert open_still.failed_tries is not None
        checkout.pass_minutes(61)
        assert isinstance(checkout.inquire(), Succeeded) is reopens

    def test_leaves_and_nothing_happens(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.LEAVE)
        assert isinstance(checkout.inquire(), ActionRequired)
        assert checkout.world.http.ledger() == []

    def test_the_bank_answers_an_hour_late(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.LATE)
        assert checkout.inquire() == Accepted(reference=checkout.request.reference)
        assert checkout.close() == Accepted(reference=checkout.request.reference)
        checkout.pass_minutes(61)
        assert isinstance(checkout.inquire(), Succeeded)

    def test_pays_twice_and_the_first_money_stays_the_payment_s(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.LATE)
        checkout.press(Act.PAY)
        first = checkout.inquire()
        assert isinstance(first, Succeeded)
        checkout.pass_minutes(61)
        both = checkout.inquire()
        assert isinstance(both, Succeeded)
        assert both.reference == first.reference
        assert [(extra.amount, extra.currency) for extra in both.extra_charges] == [(AMOUNT, "INR")]

    def test_a_known_charge_stays_the_payment_s_whatever_came_first(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.LATE)
        checkout.press(Act.PAY)
        checkout.pass_minutes(61)
        outcome = checkout.inquire()
        assert isinstance(outcome, Succeeded)
        checkout.request = replace(checkout.request, reference=outcome.extra_charges[0].reference)
        turned = checkout.inquire()
        assert isinstance(turned, Succeeded)
        assert turned.reference == outcome.extra_charges[0].reference

    def test_pays_in_the_second_of_the_closing(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.SLOW)
        assert isinstance(checkout.close(), Accepted)
        checkout.pass_minutes(1)
        assert isinstance(checkout.inquire(), Succeeded)

    def test_pays_after_expiry(self, checkout: HostedCheckout) -> None:
        checkout.pass_minutes(MINUTES - 0.05)
        checkout.press(Act.SLOW)
        checkout.pass_minutes(0.1)
        assert isinstance(checkout.inquire(), Accepted)
        checkout.pass_minutes(1)
        assert isinstance(checkout.inquire(), Succeeded)

    def test_a_closed_page_takes_no_payment(self, checkout: HostedCheckout) -> None:
        checkout.close()
        checkout.press(Act.PAY)
        assert checkout.world.http.charged() == []


class TestClosing:
    def test_without_a_try_it_is_proof_everywhere(self, checkout: HostedCheckout) -> None:
        assert checkout.close() == ConfirmedCancelled(reference=checkout.request.reference)
        assert checkout.inquire() == ConfirmedCancelled(reference=checkout.request.reference)

    def test_an_expired_session_without_a_try_is_closed_everywhere(self, checkout: HostedCheckout) -> None:
        checkout.pass_minutes(MINUTES)
        assert checkout.inquire() == ConfirmedCancelled(reference=checkout.request.reference)

    def test_after_a_try_only_two_of_them_can_prove_it(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.FAIL)
        outcome = checkout.close()
        name = checkout.http_provider.capabilities.provider
        hosted = checkout.http_provider.capabilities.hosted
        assert hosted is not None
        assert hosted.is_closing_proof is (name in PROVEN)
        if name in PROVEN:
            assert isinstance(outcome, ConfirmedCancelled)
        else:
            assert isinstance(outcome, Declined)
            assert outcome.reopens_for_seconds == 5 * 24 * 3600

    def test_a_paid_session_cannot_be_closed(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.PAY)
        assert isinstance(checkout.close(), Succeeded)

    @pytest.mark.parametrize("name", NAMES)
    def test_without_the_session_s_id_it_is_found_by_our_key(self, name: str) -> None:
        opened = HostedCheckout(name)
        assert opened.inquire() == NotFound()
        assert isinstance(opened.close(), Unknown)
        asked = opened.request
        opened.create()
        opened.request = asked
        assert isinstance(opened.inquire(), ActionRequired)
        assert isinstance(opened.close(), ConfirmedCancelled)


class TestCreating:
    def test_a_repeated_request_gives_the_same_session(self, checkout: HostedCheckout) -> None:
        first = checkout.browser.url
        assert isinstance(checkout.create(), ActionRequired)
        assert checkout.browser.url == first

    @pytest.mark.parametrize("name", NAMES)
    def test_a_lost_answer_is_unknown_and_the_next_one_finds_the_same_session(self, name: str) -> None:
        opened = HostedCheckout(name)
        lose_answers(opened.simulator.store, {HostedCall.CREATE: 1, HostedCall.READ: 1, HostedCall.CLOSE: 1})
        assert isinstance(opened.create(), Unknown)
        assert isinstance(opened.inquire(), Unknown)
        assert isinstance(opened.inquire(), ActionRequired)
        assert isinstance(opened.create(), ActionRequired)
        assert isinstance(opened.close(), Unknown)
        assert isinstance(opened.close(), ConfirmedCancelled)

    def test_another_request_with_our_key_is_not_believed(self, checkout: HostedCheckout) -> None:
        checkout.request = replace(checkout.request, amount=AMOUNT + 1)
        assert isinstance(checkout.create(), Rejected | Unknown)
        assert isinstance(checkout.inquire(), Mismatch)

    def test_a_session_that_differs_contradicts_nothing_while_nobody_has_its_address(
        self, checkout: HostedCheckout
    ) -> None:
        """It was rejected when it was created, and the payer was sent elsewhere. Money in it counts."""
        hosted = checkout.request.hosted
        assert hosted is not None
        unopened = replace(hosted, object_id=None)
        checkout.request = replace(checkout.request, amount=AMOUNT + 1, hosted=unopened, reference=None)
        assert checkout.inquire() == Unknown(code="amount_differs")
        checkout.press(Act.PAY)
        assert isinstance(checkout.inquire(), Mismatch)

    def test_a_session_that_differs_takes_no_money_once_it_has_ended(self, checkout: HostedCheckout) -> None:
        hosted = checkout.request.hosted
        assert hosted is not None
        unopened = replace(hosted, object_id=None)
        checkout.request = replace(checkout.request, amount=AMOUNT + 1, hosted=unopened, reference=None)
        assert isinstance(checkout.close(), ConfirmedCancelled)
        assert isinstance(checkout.inquire(), ConfirmedCancelled)

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("change", [{"amount": 1}, {"currency": "USD"}, {"reference": "another"}])
    def test_a_session_that_differs_is_rejected_and_its_address_not_used(
        self, name: str, change: dict[str, Any]
    ) -> None:
        hosted = connector(name).hosted
        assert hosted is not None
        answer = _answer(200, {**_session(), **change})
        assert hosted.create[-1].read(HostedCheckout(name).request, answer) == Rejected(
            code="object_differs", message=next(iter(change))
        )

    @pytest.mark.parametrize("name", NAMES)
    def test_the_request_has_no_token_and_all_that_decides(self, name: str) -> None:
        hosted = connector(name).hosted
        assert hosted is not None
        request = HostedCheckout(name).request
        body = json.loads(hosted.create[0].build(request).body)
        assert request.hosted is not None
        assert body == {
            "reference": KEY,
            "amount": AMOUNT,
            "currency": "INR",
            "method": "upi",
            "expires_at": request.hosted.expires_at_ms,
            "return_url": RETURN,
            "capture": "automatic",
        }


@pytest.mark.parametrize("name", PROVEN)
def test_manual_capture_holds_and_is_captured(name: str) -> None:
    checkout = HostedCheckout(name, capture=CaptureMode.MANUAL)
    checkout.create()
    checkout.press(Act.PAY)
    held = checkout.inquire()
    assert isinstance(held, Authorized)
    assert (held.amount, held.merchant_reference) == (AMOUNT, KEY)
    assert isinstance(checkout.operate(OperationKind.CAPTURE, held.reference), Succeeded)
    assert isinstance(checkout.inquire(), Succeeded)


def test_refunds_are_those_of_an_ordinary_charge(checkout: HostedCheckout) -> None:
    checkout.press(Act.PAY)
    paid = checkout.inquire()
    assert isinstance(paid, Succeeded)
    assert isinstance(checkout.operate(OperationKind.REFUND, paid.reference), Succeeded)


def test_the_ledger_names_our_key(checkout: HostedCheckout) -> None:
    checkout.press(Act.PAY)
    assert [(entry["reference"], entry["amount"]) for entry in checkout.world.http.charged()] == [(KEY, AMOUNT)]


class TestWebhooks:
    def test_the_payment_s_proves_it_and_the_session_s_only_causes_an_inquiry(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.FAIL)
        checkout.press(Act.PAY)
        checkout.pass_minutes(MINUTES)
        events = checkout.events()
        proofs = [event for event in events if event.outcome is not None]
        ended = [event for event in events if event.type == "session.ended"]
        assert len(events) == 3
        assert [(type(event.outcome), event.charge_key) for event in proofs] == [(Succeeded, KEY)]
        assert [(event.charge_key, event.charge_reference) for event in ended] == [(KEY, checkout.request.reference)]


class TestHostileAnswers:
    STATUSES = ("open", "paid", "closed", "expired", "", None, 7)
    PAYMENTS: tuple[Any, ...] = (
        None,
        {},
        [None],
        [{}],
        [{"status": "succeeded"}],
        [{"status": "paid"}],
        [{"status": ["failed"]}],
        [{"id": "ch_1", "status": "succeeded", "amount": True, "currency": "INR", "reference": KEY, "settled_at": 1}],
    )

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("payments", PAYMENTS)
    @pytest.mark.parametrize("status", STATUSES)
    def test_payments_that_are_not_understood_prove_nothing(self, name: str, status: Any, payments: Any) -> None:
        outcome = _inquired(name, _answer(200, {**_session(), "status": status, "payments": payments}))
        assert isinstance(outcome, Unknown)

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("status", [301, 400, 404, 409, 500, 503])
    def test_an_error_proves_nothing(self, name: str, status: int) -> None:
        assert isinstance(_inquired(name, _answer(status, _session())), Unknown)

    @pytest.mark.parametrize("name", NAMES)
    @given(garbage=st.binary(max_size=200) | st.from_regex(r"\{.{0,50}\}").map(str.encode))
    def test_garbage_is_never_a_result(self, name: str, garbage: bytes) -> None:
        outcome = _inquired(name, HttpResponse(status=200, headers={}, body=garbage))
        assert isinstance(outcome, Unknown | Mismatch)

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("url", [None, "", "javascript:alert(1)", "upi://pay", 5])
    def test_an_open_session_without_a_usable_address_is_unknown(self, name: str, url: Any) -> None:
        assert isinstance(_inquired(name, _answer(200, {**_session(), "url": url})), Unknown)


def _session() -> dict[str, Any]:
    return {
        "id": "ses_1",
        "object": "session",
        "reference": KEY,
        "amount": AMOUNT,
        "currency": "INR",
        "status": "open",
        "url": "https://mock/pages/ses_1",
        "payments": [],
    }


def _answer(status: int, body: Any) -> HttpResponse:
    return HttpResponse(status=status, headers={}, body=json.dumps(body).encode())


def _inquired(name: str, answer: HttpResponse) -> Outcome:
    """The inquiry's outcome, with the transport's reading of parser errors."""
    opened = HostedCheckout(name)
    assert opened.request.hosted is not None
    hosted = replace(opened.request.hosted, object_id="ses_1")
    opened.answers(answer)
    return opened.http_provider.inquire(replace(opened.request, hosted=hosted), opened.account)
