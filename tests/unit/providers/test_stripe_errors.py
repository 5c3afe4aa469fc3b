"""Stripe's errors: what each of its codes is to our calls, and which of them are final."""

import json
from pathlib import Path
from typing import Any

import pytest

from payflowx.domain.payments.outcome import Declined, Rejected, Unknown
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.http_provider import _read
from payflowx.providers.refusals import RefusedCall
from payflowx.providers.stripe.connector import CONNECTOR
from payflowx.providers.stripe.refusals import (
    INSUFFICIENT_BALANCE,
    PARAMETER_REFUSED,
    PAYMENT_METHOD_CONSUMED,
    REFUSALS,
)

KEY, OPERATION_KEY = "pfx-abcdefghijklmnop-1", "pfx-qrstuvwxyz234567-1"
PI = "pi_3MtwBwLkdIwHu7ix28a3tqPa"
CODES = Path(__file__).parents[2] / "data" / "stripe" / "error_codes.txt"
LINES = [line.split() for line in CODES.read_text().splitlines() if not line.startswith("#")]
GROUP_OF = {line[0]: line[1] for line in LINES}
CALLS_OF = {
    line[0]: set(RefusedCall) if line[2] == "all" else {RefusedCall(line[2])} for line in LINES if line[1] == "refused"
}
CHARGE = ChargeRequest(
    provider_key=KEY,
    amount=1999,
    currency="USD",
    token="pm_1",
    payment_method_type="card",
    capture=CaptureMode.AUTOMATIC,
)
OURS: dict[str, Any] = {
    "id": PI,
    "object": "payment_intent",
    "status": "requires_payment_method",
    "metadata": {"payflowx_key": KEY},
}
SENTENCE = "Stripe's own sentence."


def answer(status: int, *, headers: dict[str, str] | None = None, **error: Any) -> HttpResponse:
    body = {"error": {"type": "invalid_request_error", "message": SENTENCE, **error}}
    return HttpResponse(status=status, headers=headers or {}, body=json.dumps(body).encode())


def charged(response: HttpResponse) -> Any:
    (step,) = CONNECTOR.charge_steps
    return _read(step, CHARGE, response)


def moved(call: RefusedCall, response: HttpResponse) -> Any:
    request = OperationRequest(
        kind=OperationKind(call.value),
        provider_key=OPERATION_KEY,
        amount=500,
        currency="USD",
        charge_key=KEY,
        charge_reference=PI,
        charge_amount=1999,
    )
    (step,) = CONNECTOR.operation_steps(request)
    return _read(step, request, response)  # type: ignore[arg-type]  # an operation's step


def answered(call: RefusedCall, response: HttpResponse) -> Any:
    return charged(response) if call is RefusedCall.CHARGE else moved(call, response)


class TestEveryCodeOfTheirSdk:
    """`tests/data/stripe/error_codes.txt` says for each code what it is; these tests hold the connector to it."""

    def test_there_are_all_of_them(self) -> None:
        counts = {group: list(GROUP_OF.values()).count(group) for group in set(GROUP_OF.values())}
        assert counts == {"refused": 54, "payer": 27, "state": 14, "unclear": 8, "elsewhere": 106}
        assert len(GROUP_OF) == 209
        assert {row.code for row in REFUSALS.rows} - set(GROUP_OF) == {
            *(PARAMETER_REFUSED, PAYMENT_METHOD_CONSUMED, INSUFFICIENT_BALANCE)
        }

    @pytest.mark.parametrize("code", GROUP_OF)
    def test_a_refusal_that_names_nothing_is_believed_where_it_is_documented(self, code: str) -> None:
        for call in RefusedCall:
            found = answered(call, answer(400, code=code))
            expected = Rejected if call in CALLS_OF.get(code, set()) else Unknown
            assert (type(found), found.code, found.message) == (expected, code[:64], SENTENCE)

    @pytest.mark.parametrize("code", GROUP_OF)
    def test_one_that_names_an_object_is_never_believed(self, code: str) -> None:
        thing = {"id": "x_1", "status": "processing", "metadata": {"payflowx_key": KEY}}
        for call in RefusedCall:
            for named in ("payment_intent", "charge", "refund", "setup_intent"):
                for status in (400, 401, 403, 404, 429):
                    assert type(answered(call, answer(status, code=code, **{named: thing}))) is Unknown

    @pytest.mark.parametrize("code", GROUP_OF)
    def test_one_that_names_our_unpaid_intent_counts_once_that_is_cancelled(self, code: str) -> None:
        found = charged(answer(400, code=code, payment_intent=OURS))
        assert isinstance(found, Declined)
        assert (found.code, found.reference, found.cancel_required, found.message) == (code[:64], PI, True, SENTENCE)

    @pytest.mark.parametrize("code", GROUP_OF)
    def test_an_intent_in_any_other_state_is_inquired(self, code: str) -> None:
        for status in ("processing", "requires_capture", "succeeded", "requires_action", "new", None):
            assert type(charged(answer(400, code=code, payment_intent={**OURS, "status": status}))) is Unknown
        other_key = {**OURS, "metadata": {"payflowx_key": "pfx-zzzzzzzzzzzzzzzz-1"}}
        assert type(charged(answer(400, code=code, payment_intent=other_key))) is Unknown

    @pytest.mark.parametrize("code", GROUP_OF)
    def test_a_decline_counts_once_the_intent_is_cancelled_whether_it_is_named_or_not(self, code: str) -> None:
        for named in (OURS, None):
            found = charged(answer(402, type="card_error", code=code, payment_intent=named))
            assert isinstance(found, Declined)
            assert (found.code, found.cancel_required) == (code[:64], True)

    @pytest.mark.parametrize("code", GROUP_OF)
    def test_402_says_that_the_parameters_of_a_charge_were_valid(self, code: str) -> None:
        found = charged(answer(402, code=code))
        assert (type(found), found.code) == (Unknown, code[:64])

    @pytest.mark.parametrize("code", GROUP_OF)
    def test_no_code_is_believed_in_an_answer_that_says_nothing(self, code: str) -> None:
        for call in RefusedCall:
            for status in (409, 422, 424, 500, 502, 503):
                assert type(answered(call, answer(status, code=code))) is Unknown
            for kind in ("idempotency_error", "api_error", "new_error"):
                assert type(answered(call, answer(400, code=code, type=kind))) is Unknown


NEVER_FINAL = [
    answer(409, code="idempotency_key_in_use", type="idempotency_error"),
    answer(400, type="idempotency_error"),
    answer(429, code="lock_timeout"),
    answer(400, code="payment_intent_unexpected_state"),
    answer(400, code="token_already_used"),
    answer(400, code="resource_already_exists"),
    answer(400, code="a_request_in_progress"),
    answer(400, code="payment_method_provider_timeout"),
    answer(400, code="payment_pending"),
    answer(400, code="charge_already_captured"),
]


@pytest.mark.parametrize("response", NEVER_FINAL)
def test_what_an_earlier_request_of_ours_may_have_caused_is_never_final_for_a_charge(response: HttpResponse) -> None:
    assert type(charged(response)) is Unknown


@pytest.mark.parametrize(
    ("row", "call"), [(row, call) for row in REFUSALS.rows for call in sorted(row.calls)], ids=lambda it: str(it)[:60]
)
def test_every_row_through_the_parser(row: Any, call: RefusedCall) -> None:
    body: dict[str, Any] = {
        PARAMETER_REFUSED: {"param": "amount"},
        PAYMENT_METHOD_CONSUMED: {"message": "It may not be used again."},
        INSUFFICIENT_BALANCE: {"message_code": INSUFFICIENT_BALANCE},
    }.get(row.code, {"code": row.code})
    found = answered(call, answer(400, **body))
    assert isinstance(found, Rejected)
    assert (found.code, found.misconfigured, found.claims_done) == (row.code, row.misconfigured, row.claims_done)
    assert row.source.startswith("https://docs.stripe.com/")


class TestErrorsWithoutACode:
    @pytest.mark.parametrize(
        "message",
        [
            "The provided PaymentMethod was previously used. It may not be used again. Attach it first.",
            "This PaymentMethod was previously used without being attached to a Customer, and may not be used again.",
            "The provided PaymentMethod is attached to another object. You cannot reuse PaymentMethods without it.",
        ],
    )
    def test_a_consumed_payment_method_is_refused(self, message: str) -> None:
        found = charged(answer(400, message=message))
        assert (type(found), found.code, found.message) == (Rejected, PAYMENT_METHOD_CONSUMED, message)

    def test_the_regulations_of_india_name_an_intent_and_so_count_once_it_is_cancelled(self) -> None:
        message = "As per Indian regulations, export transactions require a description."
        found = charged(answer(400, message=message, payment_intent=OURS))
        assert isinstance(found, Declined)
        assert (found.code, found.message, found.cancel_required) == ("invalid_request_error", message, True)

    def test_a_decline_without_a_reason_is_left_to_the_intent(self) -> None:
        assert charged(answer(402, type="card_error")) == Unknown(code="decline_without_reason", message=SENTENCE)

    @pytest.mark.parametrize(
        "message",
        [
            "A payment with this reference is already being made.",
            "Another request for this PaymentMethod is in progress.",
            "The last payment of this customer is pending.",
            "This looks like a duplicate of an earlier request.",
            "The request timed out while it was executed.",
        ],
    )
    def test_a_sentence_about_an_earlier_request_is_no_refusal_of_the_parameter_that_it_names(
        self, message: str
    ) -> None:
        for call in RefusedCall:
            found = answered(call, answer(400, param="payment_method", message=message))
            assert (type(found), found.code) == (Unknown, "http_400")

    def test_nothing_but_a_sentence_says_nothing(self) -> None:
        assert charged(answer(400)) == Unknown(code="http_400", message=SENTENCE)
        assert charged(answer(402)) == Unknown(code="http_402", message=SENTENCE)

    def test_more_than_is_left_of_the_charge_is_refused(self) -> None:
        found = moved(
            RefusedCall.REFUND, answer(400, param="amount", message="Refund amount is greater than the rest.")
        )
        assert (type(found), found.code, found.claims_done) == (Rejected, PARAMETER_REFUSED, False)


class TestStoredAnswers:
    @pytest.mark.parametrize("call", RefusedCall)
    @pytest.mark.parametrize(
        ("status", "headers", "stored"),
        [
            (500, {}, False),
            (500, {"stripe-should-retry": "true"}, False),
            (500, {"stripe-should-retry": "false"}, True),
            (500, {"idempotent-replayed": "true"}, True),
            (503, {"idempotent-replayed": "true"}, True),
            (400, {"idempotent-replayed": "true"}, True),
            (400, {"stripe-should-retry": "false"}, False),
            (500, {"idempotent-replayed": "false"}, False),
        ],
    )
    def test_an_answer_that_every_re_send_gets(
        self, call: RefusedCall, status: int, headers: dict[str, str], stored: bool
    ) -> None:
        found = answered(call, answer(status, headers=headers, code="not_possible"))
        assert isinstance(found, Unknown)
        assert found.stored is stored
