"""The PayU connector: exact bytes and hashes, readings of every answer, and no personal data in outcomes."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflowx.domain.payments.outcome import (
    Accepted,
    Authorized,
    ConfirmedCancelled,
    Declined,
    Mismatch,
    NotFound,
    NotSent,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Address, Customer
from payflowx.domain.payments.refund_list import RefundList, RefundListUnavailable, RefundState
from payflowx.domain.providers.events import InvalidSignatureError, Webhook
from payflowx.domain.providers.ports import Account, ChargeRequest
from payflowx.domain.reconciliation.reports import EntryKind, ReportPage
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode, DeclineKind
from payflowx.domain.shared.transport import Credentials, HttpRequest, HttpResponse, HttpResult, NoAnswer, NoConnection
from payflowx.providers.contract import OperationStep, Step
from payflowx.providers.http_provider import HttpProvider, _read
from payflowx.providers.payu import requests
from payflowx.providers.payu.connector import CONNECTOR
from payflowx.providers.payu.fields import payer_of, product_of, udfs_of
from payflowx.providers.payu.signature import command_hash, form_hash, is_signed, reverse_hash

PAGE = ReportPage(from_ms=1_700_000_000_000, until_ms=1_700_003_600_000)

KEY = "pfx-abcdefghijklmnop-1"
REFUND_KEY = "pfx-qrstuvwxyz234567-1"
TOKEN = "403993715512345678"
PAYU_ID = "403993715521889530"
SALT = "salt-canary"
CREDENTIALS = Credentials(key_id="merchant-key", key_secret=SALT)
ACCOUNT = Account(provider="payu", account_id="main", endpoint="https://info.payu.in", secret_arn="arn:s")


def charge(**changes: Any) -> ChargeRequest:
    values: dict[str, Any] = {
        "provider_key": KEY,
        "amount": 1050,
        "currency": "INR",
        "token": TOKEN,
        "payment_method_type": "card",
        "capture": CaptureMode.AUTOMATIC,
        "customer": Customer(name="Ada Canary", email="canary@example.com", phone="+919876543210"),
        "description": "canary | description",
        "return_url": "https://shop.example/back",
        **changes,
    }
    return ChargeRequest(**values)


def operation_request(kind: OperationKind = OperationKind.REFUND, **changes: Any) -> OperationRequest:
    values: dict[str, Any] = {
        "kind": kind,
        "provider_key": REFUND_KEY,
        "amount": 500,
        "currency": "INR",
        "charge_key": KEY,
        "charge_reference": PAYU_ID,
        "charge_amount": 1050,
        **changes,
    }
    return OperationRequest(**values)


class FakeHttp:
    def __init__(self, *answers: HttpResult) -> None:
        self.answers = list(answers)
        self.sent: list[HttpRequest] = []
        self.endpoints: list[str] = []

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        self.sent.append(request)
        self.endpoints.append(endpoint)
        return self.answers.pop(0)


class FakeSecrets:
    def credentials(self, secret_arn: str) -> Credentials:
        return CREDENTIALS


def http_provider(*answers: HttpResult) -> HttpProvider:
    return HttpProvider(
        connector=CONNECTOR,
        http=FakeHttp(*answers),
        secrets=FakeSecrets(),
        clock_ms=lambda: 0,
        observe=lambda *_args: None,
    )


def answer(body: Any, status: int = 200, **headers: str) -> HttpResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status=status, headers={"content-type": "text/html", **headers}, body=data)


def form(request: HttpRequest) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True))


def sha512(message: str) -> str:
    return hashlib.sha512(message.encode()).hexdigest()


DEBITED = {
    "authpayuid": TOKEN,
    "transactionid": KEY,
    "amount": "10.50",
    "payuid": PAYU_ID,
    "status": "captured",
    "field9": "Transaction Completed Successfully",
    "phone": "9876543210",
    "email": "canary@example.com",
}
VERIFIED = {
    "mihpayid": PAYU_ID,
    "request_id": "",
    "amt": "10.50",
    "transaction_amount": "10.50",
    "txnid": KEY,
    "productinfo": "x",
    "firstname": "Ada Canary",
    "error_code": "E000",
    "error_Message": "NO ERROR",
    "status": "success",
    "unmappedstatus": "captured",
    "card_no": "XXXXXXXXXXXX2346",
}


def debit_answer(**changes: Any) -> HttpResponse:
    details = {KEY: {**DEBITED, **changes}}
    return answer({"status": 1, "message": "Transaction Processed successfully", "details": details})


def verify_answer(**changes: Any) -> HttpResponse:
    details = {KEY: {**VERIFIED, **changes}}
    return answer({"status": 1, "msg": "1 out of 1 Transactions Fetched Successfully", "transaction_details": details})


def failed(unmapped: str, code: Any = "E307", message: Any = "Do not honor") -> HttpResponse:
    return verify_answer(status="failure", unmappedstatus=unmapped, error_code=code, error_Message=message)


class TestSignatures:
    def test_the_forms_hash_has_six_bars_before_the_salt(self) -> None:
        fields = {"key": "k", "txnid": "t", "amount": "10.00", "productinfo": "p", "firstname": "f", "email": "e"}
        assert form_hash(fields, "s") == sha512("k|t|10.00|p|f|e|||||||||||s")
        assert form_hash({**fields, "udf1": "a", "udf5": "b"}, "s") == sha512("k|t|10.00|p|f|e|a||||b||||||s")

    def test_the_posts_hash_is_backwards(self) -> None:
        fields = {
            "key": "k",
            "txnid": "t",
            "amount": "10.00",
            "productinfo": "p",
            "firstname": "f",
            "email": "e",
            "status": "success",
            "udf1": "a",
            "udf5": "b",
        }
        assert reverse_hash(fields, "s") == sha512("s|success||||||b||||a|e|f|p|10.00|t|k")
        extra = {**fields, "additionalCharges": "0.20"}
        assert reverse_hash(extra, "s") == sha512("0.20|s|success||||||b||||a|e|f|p|10.00|t|k")

    def test_a_commands_hash_covers_its_first_variable(self) -> None:
        assert command_hash("k", "verify_payment", "abc", "s") == sha512("k|verify_payment|abc|s")

    def test_known_answers(self) -> None:
        """Computed with openssl, because a mistake in both directions would not show."""
        fields = {
            "key": "K",
            "txnid": "T1",
            "amount": "10.00",
            "productinfo": "P",
            "firstname": "N",
            "email": "e@x.in",
            "udf1": "u1",
            "status": "success",
        }
        assert form_hash(fields, "S") == (
            "a8cf09533c0ac4278e60ba7e9a9e9bfd03dfffede2954751b7ebed9fe632b08b"
            "97b4ef4a1265cceddac4909e1723244604056d0afec02617e4d8b754937c253c"
        )
        assert reverse_hash(fields, "S") == (
            "b3b3dd27895d7fd81654735dd645f21e6d222960f2e9080c4e09f5a1c33af1bb"
            "5b7e50dd84b0d7d86bee871f97360bd37752614ed557a730335bad51f48cf7fd"
        )
        assert command_hash("gateway", "ping", "pfx", "pepper") == (
            "c7a88757a162c97882ad3db6a88234394d2b7678d5b00f0defbfb270120ae309"
            "16829949d6db54f375e993f6fd3d47717075d7d862bb5e79644343d65b71a8c8"
        )

    def test_any_salt_may_have_signed_and_none_means_no(self) -> None:
        fields = {"txnid": KEY, "status": "success"}
        signed = {**fields, "hash": reverse_hash(fields, "new")}
        assert is_signed(signed, ("old", "new"))
        assert not is_signed(signed, ("old",))
        assert not is_signed(signed, ())
        assert not is_signed(fields, ("new",))
        assert not is_signed({**fields, "hash": reverse_hash(fields, "")}, ("",))

    def test_a_bar_in_a_field_cannot_shift_the_others(self) -> None:
        fields = {"txnid": KEY, "firstname": "a|b", "status": "success"}
        assert not is_signed({**fields, "hash": reverse_hash(fields, "s")}, ("s",))


class TestRequests:
    def test_debit(self) -> None:
        request = CONNECTOR.charge_steps[0].build(charge(customer=None, description=None))
        assert (request.method, request.path) == ("POST", "/merchant/postservice.php?form=2")
        assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert form(request) == {
            "command": "si_transaction",
            "var1": f'{{"authpayuid":"{TOKEN}","invoiceDisplayNumber":"{KEY}","amount":"10.50","txnid":"{KEY}"}}',
        }

    def test_debit_with_what_the_merchant_wants_to_see_at_payu(self) -> None:
        metadata = {"payu_invoice_number": "INV-77", "udf1": "ref|1", "udf5": "x" * 300, "order": "not sent"}
        request = CONNECTOR.charge_steps[0].build(charge(metadata=metadata))
        assert json.loads(form(request)["var1"]) == {
            "authpayuid": TOKEN,
            "invoiceDisplayNumber": "INV-77",
            "amount": "10.50",
            "txnid": KEY,
            "email": "canary@example.com",
            "phone": "9876543210",
            "firstname": "Ada",
            "udf1": "ref 1",
            "udf2": "canary description",
            "udf5": "x" * 255,
        }

    @pytest.mark.parametrize(
        ("amount", "literal"), [(1, "0.01"), (100, "1.00"), (1050, "10.50"), (999_999_999_999, "9999999999.99")]
    )
    def test_amounts_have_one_spelling(self, amount: int, literal: str) -> None:
        assert requests.amount_text(amount, "INR") == literal

    @pytest.mark.parametrize("amount", [0, 1, 99, 12345, 999_999_999_999])
    def test_amounts_come_back(self, amount: int) -> None:
        from payflowx.providers.payu.responses import minor_amount

        assert minor_amount(requests.amount_text(amount, "INR")) == amount

    def test_verify(self) -> None:
        assert form(CONNECTOR.inquiry_steps(charge())[0].build(charge())) == {"command": "verify_payment", "var1": KEY}

    def test_key_and_hash_are_added_last_and_nothing_else_changes(self) -> None:
        plain = CONNECTOR.charge_steps[0].build(charge())
        sent = CONNECTOR.authenticate(plain, CREDENTIALS)
        var1 = form(plain)["var1"]
        expected = sha512(f"merchant-key|si_transaction|{var1}|{SALT}")
        assert form(sent) == {"key": "merchant-key", **form(plain), "hash": expected}
        assert (sent.method, sent.path, sent.headers) == (plain.method, plain.path, plain.headers)
        assert SALT.encode() not in sent.body
        assert b"merchant-key" not in plain.body

    @given(st.text(max_size=40))
    def test_whatever_the_token_holds_what_is_hashed_is_what_is_sent(self, token: str) -> None:
        sent = form(CONNECTOR.authenticate(CONNECTOR.charge_steps[0].build(charge(token=token)), CREDENTIALS))
        assert json.loads(sent["var1"])["authpayuid"] == token
        assert sent["hash"] == command_hash("merchant-key", "si_transaction", sent["var1"], SALT)

    def test_equal_charges_give_equal_hashes(self) -> None:
        same = http_provider().request_hash
        assert same(charge()) == same(charge(return_url=None)) == same(charge(reference="x"))
        for change in ({"amount": 1051}, {"token": "1"}, {"provider_key": "pfx-x-2"}, {"description": "other"}):
            assert same(charge()) != same(charge(**change))

    def test_the_only_charge_step_charges(self) -> None:
        assert [step.charges for step in CONNECTOR.charge_steps] == [True]
        assert http_provider().may_have_charged({})
        assert CONNECTOR.cancel_steps(charge()) == ()

    @pytest.mark.parametrize(
        ("kind", "command"),
        [
            (OperationKind.CAPTURE, "capture_transaction"),
            (OperationKind.VOID, "cancel_refund_transaction"),
            (OperationKind.REFUND, "cancel_refund_transaction"),
        ],
    )
    def test_operations_have_the_token_second_and_the_amount_third(self, kind: OperationKind, command: str) -> None:
        (step,) = CONNECTOR.operation_steps(operation_request(kind))
        assert step.moves
        wanted = {"command": command, "var1": PAYU_ID, "var2": REFUND_KEY, "var3": "5.00"}
        assert form(step.build(operation_request(kind))) == wanted
        assert len(REFUND_KEY) <= 23

    def test_actions(self) -> None:
        (step,) = CONNECTOR.operation_inquiry_steps(operation_request())
        assert not step.moves
        assert form(step.build(operation_request())) == {
            "command": "check_action_status",
            "var1": PAYU_ID,
            "var2": "payuid",
        }

    def test_statements_are_asked_for_in_indias_time(self) -> None:
        page = ReportPage(from_ms=1_700_000_000_000, until_ms=1_700_003_600_000)
        assert form(CONNECTOR.reports.request(page)) == {
            "command": "get_transaction_info",
            "var1": "2023-11-15 03:43:20",
            "var2": "2023-11-15 04:43:19",
        }

    def test_the_payment_page(self) -> None:
        """At the account's second host, with the payer's own name, address and phone."""
        asked = charge(metadata={"udf1": "u1"})
        action = requests.payment_page(
            asked, CREDENTIALS, endpoint=ACCOUNT.endpoint, return_url="https://shop.example/"
        )
        fields = dict(action.fields)
        assert (action.kind, action.url) == ("form_post", "https://secure.payu.in/_payment")
        payer = "Ada|canary@example.com"
        assert fields["hash"] == sha512(
            f"merchant-key|{KEY}|10.50|canary description|{payer}|u1|canary description|||||||||{SALT}"
        )
        assert (fields["surl"], fields["furl"]) == ("https://shop.example/",) * 2
        assert SALT not in json.dumps(fields)

    @pytest.mark.parametrize("missing", ["name", "email", "phone"])
    def test_no_page_with_a_made_up_payer(self, missing: str) -> None:
        known = {"name": "Ada", "email": "ada@example.com", "phone": "+919876543210"}
        customer = Customer(**{name: value for name, value in known.items() if name != missing})
        with pytest.raises(ValueError, match="requires"):
            requests.payment_page(charge(customer=customer), CREDENTIALS, endpoint="https://x", return_url="https://y")


class TestHosts:
    @pytest.mark.parametrize("stored", ["https://info.payu.in", "https://secure.payu.in", "https://info.payu.in/"])
    def test_an_account_stores_one_of_two_and_both_follow(self, stored: str) -> None:
        command = CONNECTOR.charge_steps[0].build(charge())
        page = HttpRequest(method="POST", path="/_payment", headers={}, body=b"")
        assert CONNECTOR.endpoint_of(stored, command) == "https://info.payu.in"
        assert CONNECTOR.endpoint_of(stored, page) == "https://secure.payu.in"

    @pytest.mark.parametrize("stored", ["https://test.payu.in", "http://127.0.0.1:9004"])
    def test_one_host_elsewhere(self, stored: str) -> None:
        command = CONNECTOR.charge_steps[0].build(charge())
        page = HttpRequest(method="POST", path="/_payment", headers={}, body=b"")
        assert CONNECTOR.endpoint_of(stored, command) == CONNECTOR.endpoint_of(stored, page) == stored

    def test_every_exchange_goes_there(self) -> None:
        """An account that was stored with the page's host gets its commands answered nevertheless."""
        provider = http_provider(*[NoAnswer(code="x")] * 6)
        account = replace(ACCOUNT, endpoint="https://secure.payu.in")
        provider.charge(charge(), account)
        provider.inquire(charge(), account)
        provider.move(operation_request(), account)
        provider.inquire_operation(operation_request(), account)
        provider.refunds_of(charge(reference=PAYU_ID), account)
        provider.report_page(PAGE, account)
        assert isinstance(provider.http, FakeHttp)
        assert provider.http.endpoints == ["https://info.payu.in"] * 6


class TestFields:
    @pytest.mark.parametrize(
        ("given_phone", "sent"),
        [("+919876543210", "9876543210"), ("9876543210", "9876543210"), ("+14155550100", "14155550100"), ("", None)],
    )
    def test_phones_are_digits(self, given_phone: str, sent: str | None) -> None:
        assert payer_of(charge(customer=Customer(phone=given_phone))).get("phone") == sent

    @pytest.mark.parametrize("email", ["a" * 45 + "@x.com", "no address", "a@b|c"])
    def test_an_email_that_does_not_fit_is_left_out(self, email: str) -> None:
        assert "email" not in payer_of(charge(customer=Customer(email=email)))

    def test_the_receipts_address_comes_first(self) -> None:
        assert payer_of(charge(receipt_email="r@example.com"))["email"] == "r@example.com"

    def test_a_complete_address_in_india_for_cross_border_accounts(self) -> None:
        address = Address(line1="12, Main|Road", city="Mumbai", state="MH", postal_code="400 001", country="IN")
        payer = payer_of(charge(customer=Customer(name="Ada  Maria Canary", address=address)))
        assert payer == {
            "firstname": "Ada",
            "lastname": "Maria Canary",
            "address1": "12, Main Road",
            "city": "Mumbai",
            "state": "MH",
            "country": "IN",
            "zipcode": "400001",
        }

    @pytest.mark.parametrize("change", [{"line1": None}, {"country": "GB"}, {"postal_code": "SW1A"}, {"city": "|"}])
    def test_no_part_of_an_address(self, change: dict[str, Any]) -> None:
        whole = {"line1": "12", "city": "Mumbai", "state": "MH", "postal_code": "400001", "country": "IN"}
        payer = payer_of(charge(customer=Customer(name="Ada Canary", address=Address(**{**whole, **change}))))
        assert payer == {"firstname": "Ada"}

    @given(st.text(max_size=300))
    def test_no_text_can_shift_a_hash_or_exceed_its_field(self, text: str) -> None:
        asked = charge(description=text, customer=Customer(name=text, email=text, phone=text), metadata={"udf3": text})
        sent = {**payer_of(asked), **udfs_of(asked), "product": product_of(asked)}
        assert not [value for value in sent.values() if "|" in value or not value.isascii() or value != value.strip()]
        assert len(sent["product"]) <= 100
        assert all(len(value) <= 255 for value in sent.values() if value != sent.get("phone"))


DEBIT_ANSWERS: list[tuple[HttpResult, type, dict[str, Any]]] = [
    (
        debit_answer(),
        Succeeded,
        {"reference": PAYU_ID, "amount": 1050, "currency": "INR", "merchant_reference": KEY},
    ),
    (debit_answer(payuid=int(PAYU_ID), amount=10), Succeeded, {"reference": PAYU_ID, "amount": 1000}),
    (debit_answer(amount=10.5), Succeeded, {"amount": 1050}),
    (debit_answer(transactionid="another"), Succeeded, {"merchant_reference": "another"}),
    (debit_answer(transactionid=None), Unknown, {}),
    (debit_answer(payuid=""), Unknown, {}),
    (debit_answer(amount=""), Unknown, {"code": "amount_not_understood"}),
    (debit_answer(amount="10.505"), Mismatch, {"reference": PAYU_ID}),
    (debit_answer(amount="-10.50"), Mismatch, {}),
    (debit_answer(amount="1e3"), Mismatch, {}),
    (debit_answer(amount=True), Mismatch, {}),
    (debit_answer(status="auth"), Authorized, {"amount": 1050, "merchant_reference": KEY}),
    (debit_answer(status="pending"), Accepted, {"reference": PAYU_ID}),
    (debit_answer(status="in-progress"), Accepted, {"reference": PAYU_ID}),
    (debit_answer(status="in progress", payuid=None), Accepted, {"reference": None}),
    (debit_answer(status="initiated"), Accepted, {}),
    (debit_answer(status="dropped"), Accepted, {}),
    (debit_answer(status=""), Unknown, {"code": "status_not_known"}),
    (debit_answer(status=None), Unknown, {}),
    (debit_answer(status="brand_new"), Unknown, {}),
    (debit_answer(status="autoRefund"), Declined, {"reopens_for_seconds": 432_000}),
    (debit_answer(status="failed"), Declined, {"kind": DeclineKind.HARD, "code": "failed"}),
    (
        debit_answer(status="failed", error_code="E307", error_Message="Do not honor"),
        Declined,
        {"kind": DeclineKind.SOFT, "code": "E307", "message": "Do not honor", "reopens_for_seconds": 432_000},
    ),
    (debit_answer(status="failed", transactionid="another"), Unknown, {"code": "another_transaction"}),
    (answer({"status": 1, "details": {"another": DEBITED}}), Unknown, {"code": "transaction_not_in_answer"}),
    (answer({"status": 1, "details": []}), Unknown, {}),
    (answer({"status": 1}), Unknown, {}),
    (answer({"status": "1", "details": {KEY: DEBITED}}), Succeeded, {}),
    (answer({"status": True, "details": {KEY: DEBITED}}), Unknown, {}),
    (answer({"status": 0, "details": {KEY: DEBITED}}), Unknown, {}),
    (answer({"status": 0, "msg": "Invalid Hash."}), Rejected, {"code": "unauthorized", "misconfigured": True}),
    (answer({"status": 0, "msg": "Requests limit reached"}), Rejected, {"retry_after_seconds": 60}),
    (answer({"status": 0, "message": "Too many Requests. Please try"}), Rejected, {"code": "rate_limited"}),
    (answer({"status": 0, "message": "Invalid Parameter: amount is too long."}), Unknown, {}),
    (answer({"status": 0, "message": "Invalid Parameter: txnid exists"}), Unknown, {"code": "duplicate_transaction"}),
    (answer({"status": 0}), Unknown, {}),
    (answer([]), Unknown, {}),
    (answer(b"<html>busy</html>"), Unknown, {"code": "answer_not_understood"}),
    (answer(b""), Unknown, {}),
    (answer(b"[" * 100_000), Unknown, {}),
    (answer(b'{"status": NaN}'), Unknown, {}),
    (answer({}, 301), Unknown, {"code": "http_301"}),
    (answer({}, 400), Unknown, {"code": "http_400"}),
    (answer({}, 404), Unknown, {}),
    (answer({}, 409), Unknown, {}),
    (answer({"status": 1, "details": {KEY: DEBITED}}, 500), Unknown, {"code": "http_500"}),
    (answer(b"<html>", 502), Unknown, {}),
    (answer(b"", 401), Rejected, {"misconfigured": True}),
    (answer(b"", 403), Rejected, {"misconfigured": True}),
    (answer(b"", 429), Rejected, {"retry_after_seconds": 60}),
    (answer(b"", 429, **{"retry-after": "7"}), Rejected, {"retry_after_seconds": 7}),
    (answer(b"", 429, **{"retry-after": "9999999"}), Rejected, {"retry_after_seconds": 3_600}),
    (answer(b"", 429, **{"retry-after": "soon"}), Rejected, {"retry_after_seconds": 60}),
    (NoConnection(code="connection_refused"), NotSent, {}),
    (NoAnswer(code="read_timeout"), Unknown, {"code": "read_timeout"}),
]


@pytest.mark.parametrize(("given_answer", "kind", "attributes"), DEBIT_ANSWERS)
def test_what_an_answer_to_a_debit_means(given_answer: HttpResult, kind: type, attributes: dict[str, Any]) -> None:
    outcome = http_provider(given_answer).charge(charge(), ACCOUNT)
    assert type(outcome) is kind
    for attribute, value in attributes.items():
        assert getattr(outcome, attribute) == value


NOT_FOUND = {"mihpayid": "Not Found", "status": "Not Found"}
VERIFY_ANSWERS: list[tuple[HttpResult, type, dict[str, Any]]] = [
    (verify_answer(), Succeeded, {"reference": PAYU_ID, "amount": 1050, "currency": "INR", "merchant_reference": KEY}),
    (verify_answer(unmappedstatus="success"), Succeeded, {}),
    (verify_answer(mihpayid=int(PAYU_ID)), Succeeded, {"reference": PAYU_ID}),
    (verify_answer(transaction_amount=None), Succeeded, {"amount": 1050}),
    (verify_answer(amt="20.00", transaction_amount="20.00"), Succeeded, {"amount": 2000}),
    (verify_answer(amt="11.00"), Mismatch, {"code": "amount_differs"}),
    (verify_answer(txnid="another"), Succeeded, {"merchant_reference": "another"}),
    (verify_answer(txnid=None), Unknown, {}),
    (verify_answer(unmappedstatus="auth"), Authorized, {"amount": 1050}),
    (verify_answer(status="failure"), Unknown, {"code": "status_contradicts_itself"}),
    (verify_answer(status="pending"), Unknown, {}),
    (verify_answer(status="success", unmappedstatus="failed"), Unknown, {"code": "status_contradicts_itself"}),
    (verify_answer(status=None), Unknown, {"code": "status_contradicts_itself"}),
    (verify_answer(status="", unmappedstatus="failed"), Unknown, {}),
    (verify_answer(unmappedstatus=None), Unknown, {}),
    (verify_answer(unmappedstatus="brand new"), Unknown, {"code": "status_not_known"}),
    (verify_answer(status="pending", unmappedstatus="pending"), Accepted, {"reference": PAYU_ID}),
    (verify_answer(status="pending", unmappedstatus="in progress"), Accepted, {}),
    (verify_answer(status="pending", unmappedstatus="initiated"), Accepted, {}),
    (failed("dropped"), Accepted, {"reference": PAYU_ID}),
    (failed("failed"), Declined, {"kind": DeclineKind.SOFT, "code": "E307", "reopens_for_seconds": 432_000}),
    (failed("failed", "E345"), Declined, {"kind": DeclineKind.SOFT}),
    (failed("failed", "E348"), Declined, {"kind": DeclineKind.SOFT}),
    (failed("failed", "E310"), Declined, {"kind": DeclineKind.HARD, "code": "E310", "cancel_required": False}),
    (failed("failed", "E000"), Declined, {"kind": DeclineKind.HARD, "code": "failed"}),
    (failed("failed", 5), Declined, {"code": "unrecognized"}),
    (failed("failed", "9876543210"), Declined, {"code": "unrecognized"}),
    (
        failed("bounced", "E000"),
        Declined,
        {"kind": DeclineKind.HARD, "code": "bounced", "reopens_for_seconds": 432_000},
    ),
    (failed("userCancelled", "E000"), Declined, {"kind": DeclineKind.HARD, "code": "userCancelled"}),
    (verify_answer(unmappedstatus="refunded"), Unknown, {"code": "status_refunded"}),
    (verify_answer(unmappedstatus="autoRefund"), Unknown, {"code": "status_contradicts_itself"}),
    (failed("autoRefund", "E000"), Declined, {"code": "autoRefund", "reopens_for_seconds": 432_000}),
    (verify_answer(unmappedstatus="cancelled"), Unknown, {"code": "status_cancelled"}),
    (answer({"status": 0, "msg": "0 out of 1", "transaction_details": {KEY: NOT_FOUND}}), NotFound, {}),
    (answer({"status": 1, "transaction_details": {KEY: NOT_FOUND}}), NotFound, {}),
    (verify_answer(mihpayid="Not Found"), NotFound, {}),
    (answer({"status": 0, "transaction_details": {KEY: VERIFIED}}), Unknown, {"code": "inquiry_failed"}),
    (answer({"status": 1, "transaction_details": {"another": VERIFIED}}), Unknown, {}),
    (answer({"status": 1, "transaction_details": []}), Unknown, {}),
    (answer({"status": 0, "msg": "Invalid Hash."}), Unknown, {}),
    (answer({"status": 0, "msg": "Requests limit reached"}), Unknown, {}),
    (answer(b"<html>"), Unknown, {}),
    (answer(b"", 429), Unknown, {}),
    (answer(b"", 401), Unknown, {}),
    (answer(b"", 503), Unknown, {}),
    (NoConnection(code="connection_refused"), Unknown, {}),
    (NoAnswer(code="read_timeout"), Unknown, {}),
]


@pytest.mark.parametrize(("given_answer", "kind", "attributes"), VERIFY_ANSWERS)
def test_what_an_inquiry_tells(given_answer: HttpResult, kind: type, attributes: dict[str, Any]) -> None:
    outcome = http_provider(given_answer).inquire(charge(), ACCOUNT)
    assert type(outcome) is kind
    for attribute, value in attributes.items():
        assert getattr(outcome, attribute) == value


def test_there_is_no_confirmed_cancellation() -> None:
    assert isinstance(http_provider().cancel_and_confirm(charge(), ACCOUNT), Unknown)


def queued(**changes: Any) -> HttpResponse:
    return answer(
        {"status": 1, "msg": "Refund Request Queued", "request_id": "131278422", "error_code": 102, **changes}
    )


def refused(code: Any, msg: str = "no") -> HttpResponse:
    return answer({"status": 0, "msg": msg, "error_code": code, "mihpayid": PAYU_ID})


QUEUE_ANSWERS: list[tuple[HttpResponse, type, dict[str, Any]]] = [
    (queued(), Accepted, {"reference": "131278422"}),
    (queued(error_code=100), Accepted, {}),
    (queued(error_code=None), Accepted, {}),
    (queued(request_id=None), Accepted, {"reference": None}),
    *((queued(error_code=code), Accepted, {}) for code in ("101", "122", "126", "127", "225", "226")),
    (queued(error_code=999), Unknown, {"code": "code_not_known"}),
    (queued(error_code=106), Unknown, {}),
    (queued(error_code=[]), Unknown, {}),
    (queued(status=0), Unknown, {"code": "status_contradicts_itself"}),
    (refused(106), Unknown, {"code": "token_used"}),
    (refused(227), Unknown, {"code": "token_used"}),
    (refused(109), Unknown, {"code": "failed_or_logged_already"}),
    (refused(111), Unknown, {"code": "payment_in_another_state"}),
    (refused(116), Unknown, {"code": "payment_not_found"}),
    (refused(120), Unknown, {"code": "payment_locked"}),
    (refused(214), Unknown, {"code": "same_amount_within_five_minutes"}),
    (refused([]), Unknown, {"code": "code_not_known"}),
    (queued(request_id=None, txn_update_id="131278423"), Accepted, {"reference": "131278423"}),
    (refused(None, "Invalid Hash."), Rejected, {"misconfigured": True}),
    (refused(None, "Requests limit reached"), Rejected, {"code": "rate_limited"}),
    (refused(None, "something else"), Unknown, {}),
    (answer(b"<html>"), Unknown, {}),
    (answer(b"", 429), Rejected, {}),
    (answer(b"", 403), Rejected, {"misconfigured": True}),
    (answer(b"", 500), Unknown, {}),
]


@pytest.mark.parametrize(("given_answer", "kind", "attributes"), QUEUE_ANSWERS)
def test_what_an_answer_to_a_operation_means(
    given_answer: HttpResponse, kind: type, attributes: dict[str, Any]
) -> None:
    (step,) = CONNECTOR.operation_steps(operation_request())
    outcome = step.read(operation_request(), given_answer)
    assert type(outcome) is kind
    for attribute, value in attributes.items():
        assert getattr(outcome, attribute) == value


ACTION = {"request_id": "131278422", "amt": "5.00", "action": "refund", "token": REFUND_KEY, "status": "SUCCESS"}


def actions(*rows: Any, key: str = PAYU_ID) -> HttpResponse:
    return answer({"status": 1, "transaction_details": {key: {str(n): row for n, row in enumerate(rows)}}})


OTHER = {**ACTION, "token": "another", "amt": "5.00"}
FAILED = {**ACTION, "status": "FAILURE"}
QUEUED = {**ACTION, "status": "QUEUED"}
ACTION_ANSWERS: list[tuple[HttpResponse, type, dict[str, Any]]] = [
    (actions(OTHER, ACTION), Succeeded, {"reference": "131278422", "amount": 500, "merchant_reference": REFUND_KEY}),
    (actions({**ACTION, "amt": "4.00"}), Succeeded, {"amount": 400}),
    (actions({**ACTION, "status": "success"}), Succeeded, {"currency": "INR"}),
    (actions(OTHER), NotFound, {"complete": True}),
    (actions(), Unknown, {"code": "list_incomplete"}),
    *(
        (actions({**ACTION, "status": status}), Accepted, {"reference": "131278422"})
        for status in ("QUEUED", "REQUESTED", "IN PROGRESS", "in_progress", "OD_HIT", "od_hit")
    ),
    (actions(FAILED), Declined, {"code": "FAILURE", "reference": "131278422"}),
    (actions(FAILED, QUEUED), Accepted, {}),
    (actions(FAILED, ACTION), Succeeded, {}),
    (actions(ACTION, ACTION), Mismatch, {"code": "moved_twice"}),
    (actions({**ACTION, "status": "NEW"}, FAILED), Unknown, {"code": "status_not_known"}),
    (actions({**ACTION, "action": "cancel"}), Mismatch, {"code": "action_differs"}),
    (actions({**ACTION, "amt": "five"}), Unknown, {"code": "amount_not_understood"}),
    (actions(ACTION, key="another"), Unknown, {"code": "payment_not_in_answer"}),
    (actions(*[OTHER] * 501), Unknown, {"code": "list_incomplete"}),
    (actions("text", None, 5), Unknown, {"code": "list_incomplete"}),
    (actions(OTHER, "text"), Unknown, {"code": "list_incomplete"}),
    (actions("text", ACTION), Succeeded, {}),
    (answer({"status": 1, "transaction_details": []}), Unknown, {}),
    (answer({"status": 0, "msg": "Invalid Hash."}), Unknown, {}),
    (answer(b"", 429), Unknown, {}),
    (answer(b"<html>"), Unknown, {}),
]


@pytest.mark.parametrize(("given_answer", "kind", "attributes"), ACTION_ANSWERS)
def test_what_the_list_of_actions_tells(given_answer: HttpResponse, kind: type, attributes: dict[str, Any]) -> None:
    (step,) = CONNECTOR.operation_inquiry_steps(operation_request())
    outcome = step.read(operation_request(), given_answer)
    assert type(outcome) is kind
    for attribute, value in attributes.items():
        assert getattr(outcome, attribute) == value


@pytest.mark.parametrize(("kind", "word"), [(OperationKind.CAPTURE, "capture"), (OperationKind.VOID, "cancel")])
def test_a_capture_is_a_capture_and_a_void_a_cancel(kind: OperationKind, word: str) -> None:
    (step,) = CONNECTOR.operation_inquiry_steps(operation_request(kind))
    assert isinstance(step.read(operation_request(kind), actions({**ACTION, "action": word})), Succeeded)
    assert isinstance(step.read(operation_request(kind), actions(ACTION)), Mismatch)


POSTED = {
    "mihpayid": PAYU_ID,
    "mode": "CC",
    "status": "success",
    "unmappedstatus": "captured",
    "key": "merchant-key",
    "txnid": KEY,
    "amount": "10.50",
    "productinfo": "Ünïcode & more",
    "firstname": "Ada Canary",
    "email": "canary@example.com",
    "udf1": "",
}


REFUND_POST = {
    "action": "refund",
    "status": "success",
    "token": REFUND_KEY,
    "request_id": "131278422",
    "mihpayid": int(PAYU_ID),
    "merchantTxnId": KEY,
    "amt": "5.00",
}
DISPUTE_POST = {
    "type": "payments",
    "event": "dispute",
    "cb_id": 1761758,
    "txn_id": PAYU_ID,
    "cb_amount": "1.0",
    "cb_status": "Bank Comm Sent",
}


def posted(salt: str = SALT, **changes: str) -> bytes:
    fields = {**POSTED, **changes}
    return urlencode({**fields, "hash": reverse_hash(fields, salt)}).encode()


def read_webhook(body: bytes, *salts: str) -> Any:
    return CONNECTOR.read_webhook(Webhook(headers={}, body=body, received_at_ms=0), salts or (SALT,))


class TestWebhooks:
    def test_an_authentic_post_is_a_reason_to_inquire_and_no_proof(self) -> None:
        provider_event = read_webhook(posted())
        assert (provider_event.charge_key, provider_event.type) == (KEY, "payment.success")
        assert provider_event.outcome is None
        assert provider_event.operation_outcome is None
        assert provider_event.charge_reference is None

    def test_repetitions_have_one_id_and_others_another(self) -> None:
        assert read_webhook(posted()).event_id == read_webhook(posted()).event_id
        assert read_webhook(posted()).event_id != read_webhook(posted(status="failure")).event_id

    def test_two_salts_are_valid_during_a_rotation(self) -> None:
        assert read_webhook(posted("old"), SALT, "old").charge_key == KEY

    def test_a_fee_is_part_of_the_hash(self) -> None:
        assert read_webhook(posted(additionalCharges="0.20")).charge_key == KEY

    def test_a_split_is_part_of_the_hash(self) -> None:
        split = '{"splitAmounts":{"child":"5.50"}}'
        form_backwards = f"canary@example.com|Ada Canary|Ünïcode & more|10.50|{KEY}|merchant-key"
        expected = sha512(f"{SALT}|success|{split}|||||||||||{form_backwards}")
        assert reverse_hash({**POSTED, "splitInfo": split}, SALT) == expected
        assert read_webhook(posted(splitInfo=split)).charge_key == KEY
        with pytest.raises(InvalidSignatureError):
            read_webhook(posted(splitInfo="a|b"))
        with pytest.raises(InvalidSignatureError):
            read_webhook(posted() + b"&splitInfo=added")

    def test_a_refunds_post_is_a_hint_that_names_the_refund_and_its_payment(self) -> None:
        event = read_webhook(json.dumps(REFUND_POST).encode())
        assert (event.charge_reference, event.operation_reference) == (PAYU_ID, "131278422")
        assert (event.operation_key, event.type) == (REFUND_KEY, "refund.success")
        assert event.outcome is event.operation_outcome is None
        assert event.charge_key is None

    def test_the_sample_of_a_refund_that_failed_is_read(self) -> None:
        """https://docs.payu.in/reference-link/refund-status-callback: nulls, and blanks around an id."""
        sample = {
            **dict.fromkeys(("additionalValue1", "additionalValue2", "bank_arn", "remark")),
            "refund_mode": "Instant Credit through UPI",
            "bank_ref_num": "100142082006",
            "key": "IahMJL",
            "amt": "72.00",
            "status": "failure",
            "token": "PZT2506150013OR4AN33",
            "mihpayid": " 23907365951 ",
            "request_id": "17265314530",
            "merchantTxnId": "PZT2506150013OR4AN02",
            "action": "refund",
        }
        event = read_webhook(json.dumps(sample).encode())
        assert (event.charge_reference, event.operation_reference) == ("23907365951", "17265314530")
        assert event.type == "refund.failure"

    def test_a_disputes_post_is_a_hint_about_its_payment(self) -> None:
        event = read_webhook(json.dumps(DISPUTE_POST).encode())
        assert (event.type, event.charge_reference, event.outcome) == ("dispute", PAYU_ID, None)

    def test_json_is_read_as_it_is_spelled(self) -> None:
        fields = {**POSTED, "hash": reverse_hash(POSTED, SALT)}
        body = json.dumps(fields).replace('"10.50"', "10.50").encode()
        assert read_webhook(body).charge_key == KEY

    @pytest.mark.parametrize(
        "body",
        [
            posted("wrong"),
            posted("").replace(b"hash=", b"hush="),
            posted().replace(b"10.50", b"10.51"),
            posted().replace(b"success", b"failure"),
            posted() + b"&amount=10.50",
            posted(firstname="a|b"),
            posted(txnid=""),
            posted(txnid="a b"),
            posted() + b"&x=1" * 300,
            posted(productinfo="x" * 70_000),
            b"",
            b"\xff=\xff",
            b"{}",
            b"{",
            b"[]",
            b'{"txnid":"\\ud800","hash":"\\ud800"}',
            b'{"hash":1}',
            b'{"a":' * 50_000,
            json.dumps({"action": "refund", "status": "success", "token": REFUND_KEY, "mihpayid": PAYU_ID}).encode(),
            json.dumps({**REFUND_POST, "request_id": "13 or 1=1"}).encode(),
            json.dumps({**REFUND_POST, "hash": "forged"}).encode(),
            json.dumps({**REFUND_POST, "action": "capture"}).encode(),
            json.dumps({**DISPUTE_POST, "txn_id": ""}).encode(),
            json.dumps({**DISPUTE_POST, "type": "refunds"}).encode(),
        ],
    )
    def test_anything_else_is_forged_without_a_reason(self, body: bytes) -> None:
        with pytest.raises(InvalidSignatureError) as raised:
            read_webhook(body)
        assert raised.value.args == ()
        assert raised.value.__cause__ is None

    def test_no_salt_or_an_empty_one_lets_nothing_through(self) -> None:
        for salts in ((), ("",)):
            with pytest.raises(InvalidSignatureError):
                CONNECTOR.read_webhook(Webhook(headers={}, body=posted(""), received_at_ms=0), salts)

    @given(st.binary(max_size=300))
    def test_no_bytes_raise_anything_else(self, body: bytes) -> None:
        with pytest.raises(InvalidSignatureError):
            read_webhook(body)

    def test_a_provider_event_shows_no_personal_data(self) -> None:
        shown = repr(read_webhook(posted()))
        assert "canary" not in shown
        assert "Ada" not in shown


ROW = {
    "id": PAYU_ID,
    "status": "captured",
    "txnid": KEY,
    "amount": "10.50",
    "addedon": "2023-11-15 03:43:20",
    "firstname": "Ada Canary",
}


def report_page(*rows: Any, **changes: Any) -> HttpResponse:
    return answer({"status": 1, "msg": "fetched", "Transaction_details": list(rows), **changes})


MADE_THERE = {**ACTION, "request_id": "131278430", "token": "panel-1", "amt": "2.00", "status": "IN PROGRESS"}
CAPTURED = {**ACTION, "request_id": "131278418", "token": "", "action": "capture", "amt": "10.50"}


class TestRefunds:
    def read(self, given_answer: HttpResponse) -> Any:
        return http_provider(given_answer).refunds_of(charge(reference=PAYU_ID), ACCOUNT)

    def test_all_refunds_of_the_payment_whoever_requested_them(self) -> None:
        read = self.read(actions(CAPTURED, ACTION, MADE_THERE, {**ACTION, "request_id": "9", "status": "FAILURE"}))
        assert isinstance(read, RefundList)
        assert [(r.reference, r.provider_key, r.amount, r.state) for r in read.refunds] == [
            ("131278422", REFUND_KEY, 500, RefundState.SUCCEEDED),
            ("131278430", "panel-1", 200, RefundState.PENDING),
            ("9", REFUND_KEY, 500, RefundState.FAILED),
        ]
        assert {refund.currency for refund in read.refunds} == {"INR"}

    def test_a_captured_payment_without_refunds(self) -> None:
        assert self.read(actions(CAPTURED)) == RefundList(refunds=())

    @pytest.mark.parametrize(
        "given_answer",
        [
            actions(),
            actions(CAPTURED, "text"),
            actions(*[CAPTURED] * 501),
            actions(CAPTURED, key="another"),
            actions({**MADE_THERE, "status": "NEW"}),
            actions({**MADE_THERE, "amt": "two"}),
            actions({**MADE_THERE, "request_id": None}),
            answer({"status": 0, "msg": "x", "transaction_details": {PAYU_ID: "No action status found"}}),
            answer({"status": 0, "msg": "Invalid Hash."}),
            answer(b"<html>"),
            answer(b"", 503),
        ],
    )
    def test_what_is_not_the_whole_list_is_none(self, given_answer: HttpResponse) -> None:
        assert isinstance(self.read(given_answer), RefundListUnavailable)

    def test_asks_for_the_payments_history(self) -> None:
        refunds = CONNECTOR.refunds
        assert refunds is not None
        fields = form(refunds.request(charge(reference=PAYU_ID)))
        assert fields == {"command": "check_action_status", "var1": PAYU_ID, "var2": "payuid"}
        with pytest.raises(ValueError, match="no reference"):
            refunds.request(charge())


class TestReports:
    def test_a_row(self) -> None:
        found = CONNECTOR.reports.read(PAGE, report_page(ROW))
        (entry,) = found.entries
        assert found.next_cursor is None
        assert (entry.kind, entry.reference, entry.provider_key) == (EntryKind.CHARGE, PAYU_ID, KEY)
        assert (entry.amount, entry.currency, entry.succeeded) == (1050, "INR", True)
        assert entry.at_ms == 1_700_000_000_000
        assert datetime.fromtimestamp(entry.at_ms // 1000, UTC).hour == 22
        assert "Ada" not in repr(found)

    @pytest.mark.parametrize(
        ("status", "succeeded"),
        [
            *((word, True) for word in ("captured", "success", "refunded")),
            *((word, False) for word in ("auth", "pending", "in progress", "initiated", "dropped", "failed")),
            *((word, False) for word in ("failure", "bounced", "userCancelled", "cancelled", "autoRefund")),
        ],
    )
    def test_which_words_mean_money(self, status: str, *, succeeded: bool) -> None:
        (entry,) = CONNECTOR.reports.read(PAGE, report_page({**ROW, "status": status})).entries
        assert entry.succeeded is succeeded

    def test_an_empty_list_is_a_list(self) -> None:
        assert CONNECTOR.reports.read(PAGE, report_page()).entries == ()
        assert CONNECTOR.reports.read(PAGE, report_page(status=0)).entries == ()

    @pytest.mark.parametrize(
        "given_answer",
        [
            report_page({**ROW, "status": "new"}),
            report_page({**ROW, "amount": "ten"}),
            report_page({**ROW, "amount": "10.505"}),
            report_page({**ROW, "id": None}),
            report_page({**ROW, "addedon": "yesterday"}),
            report_page({**ROW, "addedon": None}),
            report_page(ROW, status=0),
            report_page("text"),
            report_page(*[ROW] * 5_001),
            answer({"status": 0, "msg": "Invalid Hash."}),
            answer({"status": 1, "Transaction_details": {}}),
            answer(b"<html>"),
            answer([]),
            answer(b"", 503),
        ],
    )
    def test_anything_odd_is_an_error(self, given_answer: HttpResponse) -> None:
        with pytest.raises(ValueError, match=r".*"):
            CONNECTOR.reports.read(PAGE, given_answer)


class TestDeclaration:
    def test_it_promises_little(self) -> None:
        able = CONNECTOR.capabilities
        assert (able.provider, able.simulated, able.currencies) == ("payu", False, frozenset({"INR"}))
        assert able.capture_modes == frozenset({CaptureMode.AUTOMATIC})
        assert (able.idempotency_window_ms, able.can_cancel_and_confirm) == (0, False)
        refusal = able.why_not(currency="USD", capture=CaptureMode.AUTOMATIC, payment_method_type="card")
        assert refusal == "payu does not support the currency USD"

    def test_it_is_a_declaration_of_one_provider(self) -> None:
        assert CONNECTOR.capabilities.provider == "payu"
        assert CONNECTOR.operation_steps(operation_request())


SECRETS = ("canary", "Canary", "Ada", TOKEN, "9876543210", "98765 43210", SALT, "4111")
CONTACTS = f"canary@example.com {TOKEN} 98765 43210 +919876543210 4111 1111 1111 1111 canary@okbank\r\n"
DIRTY = f"ada CANARY for Ada Canary, {CONTACTS}"


class TestNothingPersonalIsShown:
    @pytest.mark.parametrize("code", [TOKEN, "canary@example.com", "9876543210", f"E{TOKEN}", DIRTY])
    @pytest.mark.parametrize("status", ["captured", "auth", "pending", "failed", "", DIRTY])
    def test_in_charges(self, code: str, status: str) -> None:
        changes = {"error_code": code, "error_Message": DIRTY, "field9": DIRTY, "firstname": "Ada"}
        dirty = [
            http_provider(debit_answer(status=status, **changes)).charge(charge(), ACCOUNT),
            http_provider(verify_answer(unmappedstatus=status, status="failure", **changes)).inquire(charge(), ACCOUNT),
            http_provider(answer({"status": 0, "msg": DIRTY})).charge(charge(), ACCOUNT),
            http_provider(answer({"status": 0, "message": f"Invalid Parameter: {DIRTY}"})).charge(charge(), ACCOUNT),
        ]
        for outcome in dirty:
            assert not [secret for secret in SECRETS if secret in repr(outcome)], outcome
            assert "\\r" not in repr(outcome)

    def test_in_operations(self) -> None:
        (send,) = CONNECTOR.operation_steps(operation_request())
        (inquire,) = CONNECTOR.operation_inquiry_steps(operation_request())
        outcomes = [send.read(operation_request(), refused(code, CONTACTS)) for code in (105, 106, 999, None, CONTACTS)]
        outcomes += [inquire.read(operation_request(), actions({**ACTION, "status": CONTACTS, "action": DIRTY}))]
        for outcome in outcomes:
            assert not [secret for secret in SECRETS if secret in repr(outcome)], outcome

    def test_in_requests(self) -> None:
        for step in (*CONNECTOR.charge_steps, *CONNECTOR.inquiry_steps(charge())):
            request = step.build(charge())
            signed = CONNECTOR.authenticate(request, CREDENTIALS)
            assert not [secret for secret in (*SECRETS, "merchant-key") if secret in repr(signed)]
            assert not [secret for secret in (*SECRETS, "merchant-key") if secret in repr(request)]


STEPS: list[Step] = [*CONNECTOR.charge_steps, *CONNECTOR.inquiry_steps(charge())]
OPERATION_STEPS: list[OperationStep] = [
    *CONNECTOR.operation_steps(operation_request()),
    *CONNECTOR.operation_inquiry_steps(operation_request()),
]
STATUSES = st.integers(100, 599)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
WORDS = st.sampled_from(["failed", "pending", "Not Found", "dropped", "auto", "1", "", "in-progress", "brand new"])
VALUES = st.recursive(
    SCALARS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)


class TestGarbage:
    @given(st.sampled_from(STEPS), STATUSES, st.binary(max_size=200))
    def test_bytes_never_raise_and_never_charge(self, step: Step, status: int, body: bytes) -> None:
        outcome = _read(step, charge(), HttpResponse(status=status, headers={}, body=body))
        assert isinstance(outcome, Unknown | Rejected)

    @given(st.sampled_from(OPERATION_STEPS), STATUSES, st.binary(max_size=200))
    def test_bytes_never_move_money(self, step: OperationStep, status: int, body: bytes) -> None:
        outcome = step.read(operation_request(), HttpResponse(status=status, headers={}, body=body))
        assert isinstance(outcome, Unknown | Rejected)

    @given(
        st.sampled_from(STEPS),
        st.dictionaries(st.sampled_from(sorted({*DEBITED, *VERIFIED} - {"txnid", "transactionid"})), VALUES),
    )
    def test_any_member_may_be_anything(self, step: Step, changes: dict[str, Any]) -> None:
        details = {**VERIFIED, **DEBITED, "status": "", "unmappedstatus": "", **changes}
        body = {"status": 1, "details": {KEY: details}, "transaction_details": {KEY: details}}
        outcome = _read(step, charge(), answer(body))
        assert not isinstance(outcome, Succeeded | Authorized | ConfirmedCancelled) or "captured" in json.dumps(changes)

    @given(st.dictionaries(st.sampled_from(sorted({*ACTION} - {"token"})), VALUES))
    def test_any_member_of_an_action_may_be_anything(self, changes: dict[str, Any]) -> None:
        (step,) = CONNECTOR.operation_inquiry_steps(operation_request())
        response = actions({**ACTION, "status": "", **changes})
        outcome = _read_operation(step, response)
        assert not isinstance(outcome, Succeeded)

    @given(st.dictionaries(st.sampled_from(["status", "msg", "error_code", "request_id"]), VALUES))
    def test_any_member_of_a_queue_answer_may_be_anything(self, changes: dict[str, Any]) -> None:
        (step,) = CONNECTOR.operation_steps(operation_request())
        assert isinstance(step.read(operation_request(), queued(**changes)), Accepted | Unknown | Rejected)


def _read_operation(step: OperationStep, response: HttpResponse) -> Any:
    """As `HttpProvider` does: an answer that makes the parser fail is not understood."""
    try:
        return step.read(operation_request(), response)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return Unknown(code="answer_not_understood")


def test_a_charge_of_another_attempt_is_not_ours() -> None:
    other = replace(charge(), provider_key="pfx-abcdefghijklmnop-2")
    assert isinstance(http_provider(debit_answer()).charge(other, ACCOUNT), Unknown)
    assert isinstance(http_provider(verify_answer()).inquire(other, ACCOUNT), Unknown)
