"""Cashfree's documented refusals and declines: every row through the real parser, and what is never final."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from payflowx.domain.payments.outcome import Declined, NotSent, Outcome, Progress, Rejected, StepResult, Unknown
from payflowx.domain.payments.payment import Customer
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode, DeclineKind
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.cashfree.connector import CONNECTOR
from payflowx.providers.cashfree.declines import REASONS, UPI_CODES, DeclineReason
from payflowx.providers.cashfree.refusals import FEATURE_NOT_ENABLED, REFUSALS
from payflowx.providers.refusals import Refusal, RefusedCall

KEY, REFUND_KEY = "pfx-abcdefghijklmnop-1", "pfx-qrstuvwxyz234567-1"
CHARGE = ChargeRequest(
    provider_key=KEY,
    amount=1999,
    currency="INR",
    token="instrument_1",
    payment_method_type="card",
    capture=CaptureMode.AUTOMATIC,
    progress={"order": "created", "payment_session_id": "session_1"},
)
ROWS = [(row, call) for row in REFUSALS.rows for call in sorted(row.calls)]


def body(code: str, kind: str = "invalid_request_error", **more: Any) -> dict[str, Any]:
    """An error as on Cashfree's page about errors, with its help text."""
    help_text = "Check latest errors and resolution from Merchant Dashboard API logs: https://bit.ly/4glEd0W"
    return {"message": f"{code} : the reason", "code": code, "type": kind, "help": help_text, **more}


def read(call: RefusedCall, said: Any, status: int = 400, headers: Mapping[str, str] | None = None) -> StepResult:
    """The answer to the request that pays, captures, voids or refunds."""
    data = said if isinstance(said, bytes) else json.dumps(said).encode()
    answer = HttpResponse(status=status, headers=headers or {}, body=data)
    if call is RefusedCall.CHARGE:
        return CONNECTOR.charge_steps[2].read(CHARGE, answer)
    request = OperationRequest(
        kind=OperationKind(call.value),
        provider_key=REFUND_KEY,
        amount=500,
        currency="INR",
        charge_key=KEY,
        charge_reference="77",
        charge_amount=1999,
    )
    return CONNECTOR.operation_steps(request)[0].read(request, answer)


def order(said: Any, status: int = 400) -> StepResult:
    answer = HttpResponse(status=status, headers={}, body=json.dumps(said).encode())
    return CONNECTOR.charge_steps[0].read(CHARGE, answer)


def documented(row: Refusal) -> dict[str, Any]:
    if row.code == FEATURE_NOT_ENABLED:
        return body("PaymentLink_link_creation_api_failed", FEATURE_NOT_ENABLED)
    return body(row.code)


@pytest.mark.parametrize(("row", "call"), ROWS, ids=lambda part: getattr(part, "code", str(part)))
class TestEveryRow:
    def test_is_final_and_says_the_providers_sentence(self, row: Refusal, call: RefusedCall) -> None:
        said = documented(row)
        outcome = read(call, said)
        assert isinstance(outcome, Rejected)
        assert (outcome.code, outcome.message) == (row.code, said["message"])
        assert (outcome.misconfigured, outcome.claims_done) == (row.misconfigured, row.claims_done)
        assert not outcome.may_pass_later

    def test_is_not_final_where_the_answer_names_a_payment_or_refund(self, row: Refusal, call: RefusedCall) -> None:
        unreadable = {"cf_payment_id": {"not": "an id"}}
        too_large: dict[str, Any] = {"details": [[] for _ in range(1_200)]}
        named = ({"cf_payment_id": 77}, {"details": [{"refund": {"cf_refund_id": "901"}}]})
        for more in (*named, unreadable, too_large):
            outcome = read(call, {**documented(row), **more})
            assert isinstance(outcome, Unknown | Declined)
            assert not isinstance(outcome, Declined) or outcome.cancel_required

    @pytest.mark.parametrize("status", [401, 403, 429])
    def test_is_no_limit_or_bad_key_where_it_names_a_payment(
        self, row: Refusal, call: RefusedCall, status: int
    ) -> None:
        assert isinstance(read(call, documented(row), status), Rejected)
        assert not isinstance(read(call, {**documented(row), "cf_payment_id": 77}, status), Rejected)

    def test_is_not_final_as_a_stored_copy_or_of_another_type(self, row: Refusal, call: RefusedCall) -> None:
        said = documented(row)
        assert not isinstance(read(call, said, headers={"x-idempotency-replayed": "true"}), Rejected)
        assert isinstance(read(call, said, headers={"x-idempotency-replayed": "false"}), Rejected)
        for kind in ("api_error", "api_connection_error", "bad_gateway_error", "new_type", None, 1):
            assert not isinstance(read(call, {**said, "type": kind}), Rejected)
        for status in (422, 500, 502, 504):
            assert isinstance(read(call, said, status), Unknown)

    def test_is_not_final_where_the_sentence_is_about_an_earlier_request(self, row: Refusal, call: RefusedCall) -> None:
        for sentence in ("Duplicate Merchant Refund Id", "it was ALREADY done"):
            outcome = read(call, {**documented(row), "message": sentence})
            assert isinstance(outcome, Rejected) is row.claims_done

    def test_has_a_page_of_the_provider(self, row: Refusal, call: RefusedCall) -> None:
        assert row.source.startswith(("https://www.cashfree.com/docs/", "https://github.com/cashfree/"))
        assert row.meaning


class TestDottedCodes:
    @pytest.mark.parametrize(
        "code",
        [
            "customer_details.customer_phone_invalid",
            "customer_details.customer_email_invalid",
            "order.customer_details.customer_phone_missing",
            "customer_details.Customer_Phone_Invalid",
        ],
    )
    def test_the_last_segment_decides(self, code: str) -> None:
        last = code.rsplit(".", 1)[1].lower()
        assert order(body(code)) == Rejected(code=last, message=f"{code} : the reason")
        assert read(RefusedCall.CHARGE, body(code)) == Rejected(code=last, message=f"{code} : the reason")

    def test_an_earlier_segment_decides_nothing(self) -> None:
        for code in ("customer_phone_invalid.order_inactive", "customer_phone_invalid.", "customer_phone_invalid.x"):
            assert isinstance(order(body(code)), Unknown)
            assert isinstance(read(RefusedCall.CHARGE, body(code)), Unknown)


def test_the_page_about_the_provider_names_every_row() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "providers" / "cashfree.md").read_text()
    for word in (*(row.code for row in REFUSALS.rows), *(row.word for row in (*REASONS, *UPI_CODES))):
        assert f"`{word}`" in page


NEVER = [
    *("order_inactive", "order_already_paid", "order_already_exists", "order_id_already_exists"),
    *("orderpay_already_exists", "refund_id_already_exists", "refund_already_exists", "payment_already_done"),
    *("order_token_invalid", "order_id_invalid", "payment_session_id_invalid", "refund_id_invalid"),
    *("request_failed", "api_request_timeout", "order_pay_failed", "order_create_failed", "api_request_failed"),
    *("bank_processing_failure", "idempotency_key_mismatch", "card_not_taken_today", "new_code", ""),
]


class TestNeverFinal:
    @pytest.mark.parametrize("code", NEVER)
    @pytest.mark.parametrize("call", RefusedCall)
    def test_a_code(self, code: str, call: RefusedCall) -> None:
        for status in (400, 409):
            for kind in ("invalid_request_error", "validation_error"):
                assert isinstance(read(call, body(code, kind), status), Unknown)

    @pytest.mark.parametrize("call", RefusedCall)
    def test_a_used_idempotency_key(self, call: RefusedCall) -> None:
        for status in (400, 409, 422):
            said = body("request_invalid", "idempotency_error")
            assert read(call, said, status) == Unknown(code="idempotency_key_reused", message=said["message"])

    def test_a_page_of_a_proxy(self) -> None:
        for status in (400, 404, 409, 413, 500):
            assert read(RefusedCall.CHARGE, b"<html>card_unsupported</html>", status) == Unknown(code=f"http_{status}")

    def test_an_answer_that_names_an_unpaid_payment_is_closed_and_read_back(self) -> None:
        for code in ("order_inactive", "card_unsupported", "order_already_paid", "new_code"):
            outcome = read(RefusedCall.CHARGE, body(code, cf_payment_id=77))
            assert isinstance(outcome, Declined)
            assert (outcome.reference, outcome.cancel_required) == ("77", True)
        assert isinstance(read(RefusedCall.CHARGE, body("internal_error", "api_error", cf_payment_id=77), 500), Unknown)


class TestANewOrder:
    """Cashfree's own integration tests ask again for up to 42 seconds until a new order can be paid."""

    @pytest.mark.parametrize("code", ["order_not_found", "order_get_not_found", "somethind_not_found", None])
    def test_one_that_is_not_visible_yet_was_not_paid(self, code: str | None) -> None:
        assert read(RefusedCall.CHARGE, body("x") | {"code": code}, 404) == NotSent(code="order_not_visible")

    @pytest.mark.parametrize("code", ["orderpay_not_found", "orderpay_post_not_found", "x.orderpay_not_found"])
    def test_one_that_may_have_been_processed_is_read(self, code: str) -> None:
        assert isinstance(read(RefusedCall.CHARGE, body(code), 404), Unknown)

    def test_a_saved_card_that_does_not_exist_is_refused(self) -> None:
        assert isinstance(read(RefusedCall.CHARGE, body("instrument_not_found"), 404), Rejected)

    def test_the_answer_about_an_order_is_another_matter(self) -> None:
        assert order(body("order_already_exists"), 409) == Progress(facts={"order": "existed"})
        assert isinstance(order(body("order_not_found"), 404), Unknown)


def failed(**changes: Any) -> Outcome:
    payment = {
        "cf_payment_id": "77",
        "order_id": KEY,
        "payment_status": "FAILED",
        "payment_group": "upi",
        "payment_amount": 1999,
        "payment_currency": "INR",
        **changes,
    }
    answer = HttpResponse(status=200, headers={}, body=json.dumps([payment]).encode())
    outcome = CONNECTOR.inquiry_steps(CHARGE)[0].read(CHARGE, answer)
    assert isinstance(outcome, Declined)
    return outcome


class TestDeclines:
    @pytest.mark.parametrize("row", REASONS, ids=lambda row: row.word)
    def test_every_reason(self, row: DeclineReason) -> None:
        """With the other fields as in the samples of Cashfree's page about errors."""
        details = {
            "error_code": "TRANSACTION_DECLINED",
            "error_description": "said by the bank",
            "error_source": "bank",
        }
        outcome = failed(error_details={**details, "error_reason": row.word})
        assert isinstance(outcome, Declined)
        assert (outcome.kind, outcome.code, outcome.message) == (row.kind, row.word, "said by the bank")
        assert outcome.cancel_required
        assert row.source.startswith("https://")

    @pytest.mark.parametrize("row", UPI_CODES, ids=lambda row: row.word)
    def test_every_code_of_the_network_is_more_exact_than_the_word(self, row: DeclineReason) -> None:
        details = {"error_reason": "auth_declined", "error_code_raw": row.word}
        assert failed(error_details=details).kind is row.kind
        assert failed(error_details=details, payment_group="upi_credit_card").kind is row.kind
        assert failed(error_details=details, payment_group="credit_card").kind is DeclineKind.SOFT

    def test_what_is_not_listed_is_hard(self) -> None:
        for details in ({"error_reason": "card_stolen"}, {"error_reason": None}, {}, None, {"error_code_raw": "ZZ"}):
            assert failed(error_details=details).kind is DeclineKind.HARD

    def test_no_word_stands_twice(self) -> None:
        for rows in (REASONS, UPI_CODES):
            assert len({row.word for row in rows}) == len(rows)


@pytest.mark.parametrize("phone", [None, "+0123456789", "44 20 7946 0000", "+1"])
def test_without_a_phone_that_cashfree_takes_nothing_is_sent(phone: str | None) -> None:
    refused = CONNECTOR.unable(replace(CHARGE, customer=Customer(phone=phone)))
    assert isinstance(refused, Rejected)
    assert refused.code == "customer_phone_invalid"
    assert "country code" in refused.message


@pytest.mark.parametrize("phone", ["+919876543210", "+971501234567", "+442079460000"])
def test_phones_of_every_country_are_sent(phone: str) -> None:
    assert CONNECTOR.unable(replace(CHARGE, customer=Customer(phone=phone))) is None
