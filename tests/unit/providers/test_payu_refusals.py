"""PayU's documented refusals and declines: every row through the real parser, and what is never final."""

from typing import Any

import pytest

from payflowx.domain.payments.outcome import RATE_LIMITED, UNAUTHORIZED, Declined, Rejected, Unknown
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.payu import declines
from payflowx.providers.payu.connector import CONNECTOR
from payflowx.providers.payu.refusals import REFUSALS
from payflowx.providers.refusals import RefusedCall
from tests.unit.providers.test_payu import ACCOUNT, PAYU_ID, answer, charge, debit_answer, failed, http_provider
from tests.unit.providers.test_payu import operation_request as asked_for

SENTENCES = {
    "mandate_is_not_active": "Mandate is not active",
    "pre_debit_notification_not_sent": "Pre-debit notification not sent.",
    "missing_mandatory_field": "Missing mandatory field: firstname/lastname/address1/city/state/country/zipcode",
    "invalid_country": "Invalid country. Only 'IN' or 'India' is allowed.",
}
CHARGE_ROWS = [row for row in REFUSALS.rows if RefusedCall.CHARGE in row.calls]
OPERATION_ROWS = [
    pytest.param(row, OperationKind(call.value), id=f"{call}-{row.code}")
    for row in REFUSALS.rows
    for call in sorted(row.calls - {RefusedCall.CHARGE})
]
NEVER_FINAL = {
    104: "Confirmation Required",
    106: "Token already exists",
    107: "Upgraded to refund",
    108: "",
    109: "The request is already logged",
    111: "Invalid transaction status",
    116: "Transaction not found",
    120: "Transaction lock could not be obtained",
    123: "The request set as pending - requires manual follow-up",
    214: "Same amount same transaction within 5 minutes",
    227: "Transactions with the same amount and same token are not allowed",
    266: "Chargeback is pending against this transaction",
    302: "Please try after some time",
    424: "Transaction upgraded to capture/refund.",
    500: "Some Exception Occurred",
}
DOCUMENTED_FAILURES = {103, 110, 113, 115, 119, *range(230, 240), 250, 251}
NUMBERED = {int(row.code): row for row in REFUSALS.rows if row.code.isdecimal()}


def debit(message: str, **more: Any) -> Any:
    return http_provider(answer({"status": 0, "message": message, **more})).charge(charge(), ACCOUNT)


def moved(kind: OperationKind, code: Any, message: str = "text", **more: Any) -> Any:
    body = {"status": 0, "msg": message, "error_code": code, "mihpayid": PAYU_ID, **more}
    return http_provider(answer(body)).move(asked_for(kind), ACCOUNT)


class TestDebits:
    @pytest.mark.parametrize("row", CHARGE_ROWS, ids=lambda row: row.code)
    def test_a_documented_sentence_is_a_refusal_with_payus_words(self, row: Any) -> None:
        outcome = debit(SENTENCES[row.code])
        assert isinstance(outcome, Rejected)
        assert (outcome.code, outcome.message) == (row.code, SENTENCES[row.code])
        assert not outcome.may_pass_later

    @pytest.mark.parametrize("row", CHARGE_ROWS, ids=lambda row: row.code)
    @pytest.mark.parametrize("named", [{"details": {"x": {}}}, {"payuid": PAYU_ID}])
    def test_the_same_sentence_with_a_transaction_is_not_final(self, row: Any, named: dict[str, Any]) -> None:
        assert debit(SENTENCES[row.code], **named) == Unknown(code=row.code, message=SENTENCES[row.code])

    @pytest.mark.parametrize("said", ["Invalid Hash.", "Requests limit reached", "Too many requests"])
    def test_a_limit_or_a_bad_key_is_one_only_without_a_transaction(self, said: str) -> None:
        assert isinstance(debit(said), Rejected)
        assert isinstance(debit(said, payuid=PAYU_ID), Unknown)

    @pytest.mark.parametrize(
        "message",
        [
            "Duplicate transaction id",
            "Duplicate txnid",
            "txnid already exists",
            "Transaction is in progress",
            "Mandate is not active, transaction is in progress",
            "The mandate may be refused",
            "Request timed out",
            "",
        ],
    )
    def test_any_other_sentence_is_unknown(self, message: str) -> None:
        outcome = debit(message)
        assert isinstance(outcome, Unknown)
        assert outcome.message == message

    def test_credentials_and_limits_may_pass_later(self) -> None:
        assert debit("Invalid Hash.") == Rejected(code=UNAUTHORIZED, message="Invalid Hash.", misconfigured=True)
        assert debit("Requests limit reached").code == RATE_LIMITED


class TestOperations:
    @pytest.mark.parametrize(("row", "kind"), OPERATION_ROWS)
    def test_a_documented_code_is_a_refusal_with_payus_words(self, row: Any, kind: OperationKind) -> None:
        for code in (int(row.code), row.code):
            assert moved(kind, code, "The words") == Rejected(
                code=row.code, message="The words", misconfigured=row.misconfigured, claims_done=row.claims_done
            )

    @pytest.mark.parametrize(("row", "kind"), OPERATION_ROWS)
    @pytest.mark.parametrize("member", ["request_id", "txn_update_id", "refund_id"])
    def test_the_same_code_with_a_request_of_payu_is_not_final(
        self, row: Any, kind: OperationKind, member: str
    ) -> None:
        assert moved(kind, int(row.code), **{member: "131278422"}) == Unknown(code=row.code, message="text")

    @pytest.mark.parametrize("kind", OperationKind)
    @pytest.mark.parametrize(("code", "message"), NEVER_FINAL.items())
    def test_what_may_be_our_own_earlier_request_or_goes_on_is_never_final(
        self, kind: OperationKind, code: int, message: str
    ) -> None:
        outcome = moved(kind, code, message)
        assert isinstance(outcome, Unknown)
        assert outcome.message == message

    def test_every_documented_failure_of_a_refund_is_decided(self) -> None:
        """So that a code is left out on purpose only."""
        assert set(NUMBERED) >= DOCUMENTED_FAILURES
        assert not set(NUMBERED) & set(NEVER_FINAL)

    def test_a_code_of_another_call_is_unknown(self) -> None:
        assert isinstance(moved(OperationKind.REFUND, 303), Unknown)
        assert isinstance(moved(OperationKind.CAPTURE, 232), Unknown)
        assert isinstance(moved(OperationKind.REFUND, 999), Unknown)

    def test_credentials_and_limits_may_pass_later(self) -> None:
        assert moved(OperationKind.REFUND, None, "Invalid Hash.").code == UNAUTHORIZED
        assert moved(OperationKind.REFUND, None, "Requests limit reached").code == RATE_LIMITED


class TestDeclines:
    @pytest.mark.parametrize("row", declines.DECLINES, ids=lambda row: row.code)
    def test_by_code_when_it_is_inquired_about(self, row: declines.DocumentedDecline) -> None:
        outcome = http_provider(failed("failed", row.code, row.sentence)).inquire(charge(), ACCOUNT)
        assert isinstance(outcome, Declined)
        assert (outcome.kind, outcome.code, outcome.message) == (row.kind, row.code, row.sentence)
        assert outcome.reopens_for_seconds == 432_000

    @pytest.mark.parametrize("row", declines.DECLINES, ids=lambda row: row.code)
    def test_by_sentence_in_the_answer_to_the_debit(self, row: declines.DocumentedDecline) -> None:
        response: HttpResponse = debit_answer(status="failed", field9=row.sentence.upper())
        outcome = http_provider(response).charge(charge(), ACCOUNT)
        assert isinstance(outcome, Declined)
        assert (outcome.kind, outcome.code) == (row.kind, row.code)

    def test_funds_and_a_bank_that_denies_are_no_hard_declines(self) -> None:
        kinds = {row.code: row.kind for row in declines.DECLINES}
        assert kinds["E706"] is kinds["E909"] is DeclineKind.FUNDS
        assert kinds["E312"] is kinds["E307"] is DeclineKind.SOFT
        assert kinds["E310"] is kinds["E324"] is kinds["E717"] is DeclineKind.HARD

    def test_a_reason_that_is_not_documented_is_hard_and_keeps_its_words(self) -> None:
        """PayU's sample of a failed debit."""
        response = debit_answer(status="failed", payuid="", field9="Basic authentication check failed")
        outcome = http_provider(response).charge(charge(), ACCOUNT)
        assert isinstance(outcome, Declined)
        assert (outcome.kind, outcome.code) == (DeclineKind.HARD, "failed")
        assert outcome.message == "Basic authentication check failed"

    def test_each_row_is_listed_once(self) -> None:
        codes = [row.code for row in declines.DECLINES]
        sentences = [row.sentence for row in declines.DECLINES]
        assert len(set(codes)) == len(codes) == len(set(sentences))
        assert declines.SOURCE.startswith("https://docs.payu.in/")


def test_the_connector_has_the_table() -> None:
    assert CONNECTOR.refusals is REFUSALS
