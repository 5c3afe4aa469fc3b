"""Razorpay's documented refusals: each row through the real parser with the documented body, and its conditions."""

import json
from dataclasses import replace
from typing import Any, Final

import pytest

from payflowx.domain.payments.outcome import (
    ConfirmedCancelled,
    Declined,
    Mismatch,
    NotFound,
    Outcome,
    Rejected,
    StepResult,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.refund_list import ProviderRefund, RefundState
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.razorpay.connector import CONNECTOR
from payflowx.providers.razorpay.refusals import REFUSALS
from payflowx.providers.refusals import Refusal, RefusedCall
from tests.unit.providers.test_razorpay import (
    ACCOUNT,
    KEY,
    REFUND_KEY,
    answer,
    charge,
    collection,
    http_provider,
    look,
    move,
    operation_request,
    order,
    pay,
    payment,
    refund,
)

SENTENCES: Final = {
    "url_not_found": "The requested URL was not found on the server.",
    "extra_field": "speeds is/are not required and should not be sent",
    "capture_amount_differs": "Capture amount must be equal to the amount authorized.",
    "capture_currency_differs": "Capture request currency must be same as payment currency.",
    "amount_below_minimum": "The amount must be at least INR 1.00",
    "balance_too_low": "Your account does not have enough balance to carry out the refund operation.",
    "refund_exceeds_captured": "The refund amount provided is greater than amount captured.",
    "partial_refund_unsupported": "Partial refund is currently not supported for this payment method.",
    "refund_unsupported": "Refund is currently not supported for this payment method.",
    "refunds_disabled": "Refunds cannot be created on your account for wallet payments.",
    "payment_disputed": "The refund on this payment is blocked due to ongoing dispute investigation.",
    "payment_too_old": "Refund is not supported by the bank because the payment is more than 6 months old",
    "fully_refunded": "The payment has been fully refunded already.",
    "not_captured": "The payment status should be captured for action to be taken.",
}
"""The sentences of Razorpay's pages. All other rows have a reason of their own."""
OPERATIONS: Final = {RefusedCall.CAPTURE: OperationKind.CAPTURE, RefusedCall.REFUND: OperationKind.REFUND}
ROWS: Final = [(row, call) for row in REFUSALS.rows for call in sorted(row.calls)]


def documented(row: Refusal, *, status: int = 400, **changes: Any) -> HttpResponse:
    """The error as Razorpay's pages print it."""
    error: dict[str, Any] = {
        "code": "BAD_REQUEST_ERROR",
        "description": SENTENCES.get(row.code, "Payment failed"),
        "source": "business",
        "step": "payment_initiation",
        "reason": "NA" if row.code in {"url_not_found", "field_refused"} else row.code,
        "metadata": {},
    }
    if row.code in SENTENCES and row.code != "url_not_found":
        error["reason"] = "input_validation_failed"
    if row.code == "payment_too_old":
        error |= {"source": None, "step": None, "reason": None}
    if row.code == "field_refused":
        error["field"] = "contact"
    return answer(status, {"error": {**error, **changes}})


def asked(response: HttpResponse, call: RefusedCall) -> StepResult:
    if call is RefusedCall.CHARGE:
        outcome: StepResult = pay(response)
    else:
        outcome = move(response, operation_request(OPERATIONS[call]))
    return outcome


def test_a_total_that_is_too_large_is_a_refund_of_too_much() -> None:
    """What remains after other refunds is less: the everyday case beside the dashboard, on no page of Razorpay's."""
    sentence = "The total refund amount is greater than the refund payment amount"
    error = {"code": "BAD_REQUEST_ERROR", "description": sentence, "source": "NA", "step": "NA", "reason": "NA"}
    found = asked(answer(400, {"error": {**error, "metadata": {}}}), RefusedCall.REFUND)
    assert found == Rejected(code="refund_exceeds_captured", message=sentence)


@pytest.mark.parametrize(("row", "call"), ROWS, ids=[f"{row.code}-{call}" for row, call in ROWS])
class TestEachRow:
    def test_the_documented_answer_is_final_and_keeps_its_sentence(self, row: Refusal, call: RefusedCall) -> None:
        sentence = SENTENCES.get(row.code, "Payment failed")
        assert asked(documented(row), call) == Rejected(
            code=row.code, message=sentence, misconfigured=row.misconfigured, claims_done=row.claims_done
        )

    @pytest.mark.parametrize("metadata", [{"payment_id": "pay_1"}, {"payment_id": "pay_1", "order_id": "order_1"}])
    def test_an_answer_that_names_a_payment_is_not(
        self, row: Refusal, call: RefusedCall, metadata: dict[str, str]
    ) -> None:
        assert isinstance(asked(documented(row, metadata=metadata), call), Unknown)

    @pytest.mark.parametrize("status", [401, 403, 429])
    def test_a_limit_or_a_bad_key_that_names_a_payment_is_not(
        self, row: Refusal, call: RefusedCall, status: int
    ) -> None:
        assert isinstance(asked(documented(row, status=status), call), Rejected)
        named = documented(row, status=status, metadata={"payment_id": "pay_1"})
        assert isinstance(asked(named, call), Unknown)

    @pytest.mark.parametrize("status", [409, 422, 500, 502, 503])
    def test_another_status_is_not(self, row: Refusal, call: RefusedCall, status: int) -> None:
        assert isinstance(asked(documented(row, status=status), call), Unknown)

    @pytest.mark.parametrize("words", ["already paid", "A duplicate request", "Another request is in progress"])
    def test_a_text_about_an_earlier_request_is_not(self, row: Refusal, call: RefusedCall, words: str) -> None:
        if row.claims_done:
            return
        sentence = SENTENCES.get(row.code, "Payment failed")
        assert isinstance(asked(documented(row, description=f"{sentence} {words}"), call), Unknown)

    def test_its_page_is_razorpays(self, row: Refusal, call: RefusedCall) -> None:
        assert row.source.startswith("https://razorpay.com/docs/"), call


class TestNeverFinal:
    @pytest.mark.parametrize(
        "members",
        [
            {"reason": "payment_timed_out"},
            {"reason": "duplicate_request"},
            {"reason": "order_already_paid", "description": "Payment already done for this order."},
            {"reason": "payment_pending"},
            {"reason": "server_error"},
            {"reason": "a_new_reason"},
            {"reason": "capture_failed"},
            {"reason": "refund_limit_crossed"},
            {"reason": "input_validation_failed", "code": "GATEWAY_ERROR", "description": "It is in progress."},
        ],
    )
    def test_charges(self, members: dict[str, Any]) -> None:
        body = {"code": "BAD_REQUEST_ERROR", "description": "No.", "metadata": {}, **members}
        assert isinstance(pay(answer(400, {"error": body})), Unknown)

    @pytest.mark.parametrize(
        "text",
        [
            "This payment has already been captured",
            "The payment has already been either captured or voided.",
            "Your payment has been declined as the order is already paid.",
            "Request failed because another payment operation is in progress.",
            "Only payments which have been authorized and not yet captured can be captured.",
            "Payment is not in authorized state.",
            "Duplicate receipt found for this refund request.",
            "Refund has already been processed.",
            "Different request with the same idempotency key has already been processed.",
            "Another request with the same idempotency key is still in progress.",
            "Payment capture has failed.",
        ],
    )
    @pytest.mark.parametrize("kind", [OperationKind.CAPTURE, OperationKind.REFUND])
    def test_captures_and_refunds(self, text: str, kind: OperationKind) -> None:
        body = {"code": "BAD_REQUEST_ERROR", "description": text, "reason": "input_validation_failed", "metadata": {}}
        outcome = move(answer(400, {"error": body}), operation_request(kind))
        assert outcome == Unknown(code="input_validation_failed", message=text)


class TestTheEdge:
    @pytest.mark.parametrize("sentence", ["Authentication failed", "The api key provided is invalid"])
    def test_bad_credentials_as_a_400(self, sentence: str) -> None:
        """Razorpay's page of orders gives these a 400."""
        body = {"code": "BAD_REQUEST_ERROR", "description": sentence, "reason": "NA", "metadata": {}}
        refused = Rejected(code="unauthorized", message=sentence, misconfigured=True)
        assert pay(answer(400, {"error": body}), progress={}) == refused
        assert pay(answer(400, {"error": body})) == refused
        assert move(answer(400, {"error": body}), operation_request()) == refused

    def test_a_payer_who_fails_to_authenticate_is_a_decline(self) -> None:
        about = {"payment_id": "pay_1", "order_id": "order_1"}
        body = {"code": "BAD_REQUEST_ERROR", "reason": "authentication_failed", "description": "Authentication failed"}
        assert isinstance(pay(answer(400, {"error": {**body, "metadata": about}})), Declined)

    @pytest.mark.parametrize("status", [400, 404])
    @pytest.mark.parametrize("kind", ["upi", "card"])
    def test_server_to_server_that_is_not_enabled(self, status: int, kind: str) -> None:
        """The first answer that a new account gets."""
        refused = pay(documented(next(iter(REFUSALS.rows)), status=status), payment_method_type=kind)
        assert refused == Rejected(code="url_not_found", message=SENTENCES["url_not_found"], misconfigured=True)


class TestRequestsThatAreNotSent:
    def test_a_saved_token_without_its_customer(self) -> None:
        http = http_provider()
        refused = http.charge(charge(token="token_1", progress={}), ACCOUNT)
        assert isinstance(refused, Rejected)
        assert (refused.code, http.http.sent) == ("customer_id_missing", [])  # type: ignore[attr-defined]

    def test_a_link_needs_no_customer(self) -> None:
        asked_for = charge(token="token_1", payment_method_type="upi", progress={})
        assert CONNECTOR.unable(asked_for) is None
        assert CONNECTOR.unable(charge()) is None


class TestOurCapture:
    STEP = CONNECTOR.completion_step(charge())

    def read(self, response: HttpResponse, **changes: Any) -> StepResult:
        assert self.STEP is not None
        return self.STEP.read(charge(reference="pay_1", **changes), response)

    def test_it_is_the_whole_amount_of_the_payment(self) -> None:
        assert self.STEP is not None
        request = self.STEP.build(charge(reference="pay/1"))
        assert (request.method, request.path) == ("POST", "/v1/payments/pay%2F1/capture")
        assert request.body == b'{"amount":1999,"currency":"INR"}'

    def test_it_is_only_for_orders_that_wait_for_it(self) -> None:
        assert CONNECTOR.completion_step(charge(progress={"order_id": "order_1"})) is None
        assert CONNECTOR.completion_step(charge(capture=CaptureMode.MANUAL)) is None

    def test_the_captured_payment_is_the_charge(self) -> None:
        taken = Succeeded(reference="pay_1", amount=1999, currency="INR", merchant_reference=KEY)
        assert self.read(answer(200, payment())) == taken

    @pytest.mark.parametrize(
        "body",
        [payment("authorized"), payment(id="pay_2"), payment(captured=False), payment("refunded"), {}],
    )
    def test_anything_else_is_no_charge(self, body: dict[str, Any]) -> None:
        try:
            outcome = self.read(answer(200, body))
        except ValueError:
            return
        assert isinstance(outcome, Unknown)


class TestLeaving:
    """Nobody captures the order any more, so every state without a capture is as good as cancelled."""

    def left(self, *payments: Any, **changes: Any) -> Outcome:
        return http_provider(answer(200, collection(*payments))).cancel_and_confirm(charge(**changes), ACCOUNT)

    def test_what_is_not_captured_is_left(self) -> None:
        for state in ("created", "authorized"):
            assert isinstance(self.left(payment(state)), ConfirmedCancelled)
        failed = payment("failed", error_reason="payment_timed_out")
        waiting = self.left(payment("created"), payment_method_type="upi", reference="pay_1")
        for outcome in (self.left(), self.left(failed), waiting):
            assert isinstance(outcome, ConfirmedCancelled)

    def test_what_is_captured_is_a_charge(self) -> None:
        assert isinstance(self.left(payment()), Succeeded)
        assert isinstance(self.left(payment("authorized"), payment(id="pay_2")), Succeeded)

    @pytest.mark.parametrize("reason", ["order_already_paid", "duplicate_request", "duplicate_rrn_found"])
    def test_a_failure_that_names_another_charge_is_not_left(self, reason: str) -> None:
        assert isinstance(self.left(payment("failed", error_reason=reason)), Unknown)

    def test_what_is_not_read_whole_is_not_left(self) -> None:
        assert isinstance(self.left(payment("a_new_word")), Unknown)
        cut_off = {**collection(payment("created")), "count": 2}
        for response in (answer(200, cut_off), answer(500, {}), answer(404, {}), answer(200, {})):
            outcome = http_provider(response).cancel_and_confirm(charge(), ACCOUNT)
            assert isinstance(outcome, Unknown)

    def test_another_payment_than_ours_is_a_mismatch(self) -> None:
        assert isinstance(self.left(payment("authorized", order_id="order_2")), Mismatch)


class TestAllRefunds:
    def read(self, *refunds: Any, status: int = 200) -> Any:
        assert CONNECTOR.refunds is not None
        return CONNECTOR.refunds.read(charge(reference="pay_1"), answer(status, collection(*refunds)))

    def test_the_request(self) -> None:
        assert CONNECTOR.refunds is not None
        request = CONNECTOR.refunds.request(charge(reference="pay_1"))
        assert (request.method, request.path) == ("GET", "/v1/payments/pay_1/refunds?count=100")
        with pytest.raises(ValueError, match="reference"):
            CONNECTOR.refunds.request(charge())

    @pytest.mark.parametrize("time", [None, "today", True, -1, 10**30])
    def test_a_time_that_is_not_understood_is_none(self, time: object) -> None:
        assert [found.made_at_ms for found in self.read(refund(created_at=time))] == [None]

    def test_ours_and_those_of_the_dashboard(self) -> None:
        by_hand = refund("pending", id="rfnd_2", receipt=None, amount=300)
        failed = refund("failed", id="rfnd_3", receipt=None, notes={"payflowx_key": REFUND_KEY})
        assert self.read(refund(), by_hand, failed) == [
            ProviderRefund(
                reference="rfnd_1",
                provider_key=REFUND_KEY,
                amount=500,
                currency="INR",
                state=RefundState.SUCCEEDED,
                made_at_ms=1_700_000_100_000,
            ),
            ProviderRefund(
                reference="rfnd_2",
                provider_key=None,
                amount=300,
                currency="INR",
                state=RefundState.PENDING,
                made_at_ms=1_700_000_100_000,
            ),
            ProviderRefund(
                reference="rfnd_3",
                provider_key=REFUND_KEY,
                amount=500,
                currency="INR",
                state=RefundState.FAILED,
                code="refund_failed",
                made_at_ms=1_700_000_100_000,
            ),
        ]

    def test_a_list_that_may_go_on_is_none(self) -> None:
        with pytest.raises(ValueError, match="pages"):
            self.read(*[refund(id=f"rfnd_{n}") for n in range(100)])

    @pytest.mark.parametrize(
        "change", [{"payment_id": "pay_2"}, {"status": "reversed"}, {"amount": "5"}, {"id": ""}, {"entity": "payment"}]
    )
    def test_what_is_not_understood_is_no_list(self, change: dict[str, Any]) -> None:
        with pytest.raises((ValueError, KeyError)):
            self.read(refund(**change))

    def test_a_refused_list_is_none(self) -> None:
        with pytest.raises(ValueError, match="refused"):
            self.read(status=400)

    def test_a_complete_list_without_ours_proves_a_refusal(self) -> None:
        assert look(answer(200, collection(refund(receipt=None))), operation_request()) == NotFound(complete=True)


class TestWhatTheMerchantSends:
    def sent(self, place: int, **changes: Any) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(CONNECTOR.charge_steps[place].build(charge(**changes)).body)
        return body

    @pytest.mark.parametrize("kind", ["card", "upi"])
    def test_description_and_metadata_reach_the_dashboard(self, kind: str) -> None:
        given = {"metadata": {"cart": "7", "shop": "north"}, "description": "Two books", "payment_method_type": kind}
        notes = {"payflowx_key": KEY, "cart": "7", "shop": "north"}
        assert self.sent(0, **given)["notes"] == notes
        paid = self.sent(1, **given)
        assert (paid["notes"], paid["description"]) == (notes, "Two books")

    def test_within_razorpays_lengths(self) -> None:
        metadata = {f"name{n}": "\u00e9" * 500 for n in range(20)}
        body = self.sent(1, metadata=metadata, description="\u0905" * 500)
        assert len(body["notes"]) == 15
        assert body["notes"]["payflowx_key"] == KEY
        assert {len(text) for name, text in body["notes"].items() if name != "payflowx_key"} == {256}
        assert len(body["description"]) == 255

    def test_no_merchant_can_take_the_place_of_our_key(self) -> None:
        assert self.sent(0, metadata={"payflowx_key": "pfx-other-1"})["notes"] == {"payflowx_key": KEY}

    def test_the_receipts_address_serves_where_no_other_is_known(self) -> None:
        assert self.sent(1, customer=None, receipt_email="r@example.com")["email"] == "r@example.com"
        assert self.sent(1, receipt_email="r@example.com")["email"] == "canary@example.com"

    def test_nothing_is_made_up(self) -> None:
        body = self.sent(1, customer=None, description=None)
        assert not {"email", "contact", "description"} & body.keys()

    def test_all_of_it_is_part_of_the_hash(self) -> None:
        same = http_provider().request_hash
        for change in ({"description": "Other"}, {"metadata": {"cart": "8"}}):
            assert same(charge()) != same(charge(**change))


def test_an_order_that_is_refused_charged_nothing() -> None:
    body = {"code": "BAD_REQUEST_ERROR", "description": "Receipt is too long", "reason": "a_new_reason"}
    assert pay(answer(400, {"error": body}), progress={}) == Rejected(
        code="a_new_reason", message="Receipt is too long"
    )
    again = {**body, "description": "Duplicate receipt"}
    assert isinstance(pay(answer(400, {"error": again}), progress={}), Unknown)
    assert isinstance(pay(answer(200, order(status="paid")), progress={}), Unknown)


@pytest.mark.parametrize("kind", [OperationKind.CAPTURE, OperationKind.REFUND])
def test_the_refusal_of_an_operation_does_not_repeat_the_payers_values(kind: OperationKind) -> None:
    error = {"code": "BAD_REQUEST_ERROR", "description": "The refund to Payer Example is not possible."}
    known = replace(operation_request(kind), private_values=("Payer Example",))
    outcome = http_provider(answer(400, {"error": error})).move(known, ACCOUNT)
    assert isinstance(outcome, Unknown)
    assert outcome.message == "The refund to [removed] is not possible."
