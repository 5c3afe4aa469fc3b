"""The Cashfree connector: exact requests, readings of every answer, and no secret or personal data in outcomes."""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflowx.domain.payments.dispute import DisputeReport, DisputeState
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Authorized,
    ConfirmedCancelled,
    Declined,
    Mismatch,
    NextAction,
    NotFound,
    NotSent,
    Progress,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Customer
from payflowx.domain.payments.refund_list import ProviderRefund, RefundState
from payflowx.domain.providers.events import InvalidSignatureError, ProviderEvent, Webhook
from payflowx.domain.providers.ports import Account, ChargeRequest
from payflowx.domain.reconciliation.reports import EntryKind, ReportEntry, ReportPage
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode, DeclineKind
from payflowx.domain.shared.transport import Credentials, HttpRequest, HttpResponse, HttpResult, NoAnswer, NoConnection
from payflowx.providers.cashfree import requests, signature
from payflowx.providers.cashfree.connector import CONNECTOR
from payflowx.providers.http_provider import HttpProvider, _read
from payflowx.providers.sanitize import sanitize

PAGE = ReportPage(from_ms=1_700_000_000_000, until_ms=1_700_003_600_000)

KEY = "pfx-abcdefghijklmnop-1"
MOVE_KEY = "pfx-qrstuvwxyz234567-1"
ACCOUNT = Account(provider="cashfree", account_id="main", endpoint="https://cashfree.test/pg", secret_arn="arn:s")
CREDENTIALS = Credentials(key_id="id-canary", key_secret="secret-canary")
CUSTOMER = Customer(id="cust_canary", name="Ada Canary", email="canary@example.com", phone="+919876543210")
SESSION = "session_Ab-c_1.2"
PROGRESS = {"order": "created", "payment_session_id": SESSION}


def charge(**changes: Any) -> ChargeRequest:
    values: dict[str, Any] = {
        "provider_key": KEY,
        "amount": 1999,
        "currency": "INR",
        "token": "tok_canary_7312",
        "payment_method_type": "card",
        "capture": CaptureMode.AUTOMATIC,
        "customer": CUSTOMER,
        "description": "canary description",
        "return_url": "https://shop.example/back",
        "progress": PROGRESS,
        **changes,
    }
    return ChargeRequest(**values)


def operation_request(kind: OperationKind = OperationKind.REFUND, **changes: Any) -> OperationRequest:
    values: dict[str, Any] = {
        "kind": kind,
        "provider_key": MOVE_KEY,
        "amount": 1000,
        "currency": "INR",
        "charge_key": KEY,
        "charge_reference": "77",
        "charge_amount": 1999,
        **changes,
    }
    return OperationRequest(**values)


def body_of(value: Any) -> bytes:
    """JSON with decimals as they are written: a text that starts with # stands for a bare number."""
    if isinstance(value, bytes):
        return value
    text = json.dumps(value)
    while '"#' in text:
        head, _, tail = text.partition('"#')
        number, _, rest = tail.partition('"')
        text = head + number + rest
    return text.encode()


def answer(status: int, body: Any, **headers: str) -> HttpResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status=status, headers=named, body=body_of(body))


@dataclass
class FakeHttp:
    answers: list[HttpResult]
    sent: list[HttpRequest] = field(default_factory=list)

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        self.sent.append(request)
        return self.answers.pop(0)


class FakeSecrets:
    def credentials(self, secret_arn: str) -> Credentials:
        return CREDENTIALS


def http_provider(*answers: HttpResult) -> HttpProvider:
    return HttpProvider(
        connector=CONNECTOR,
        http=FakeHttp(list(answers)),
        secrets=FakeSecrets(),
        clock_ms=lambda: 0,
        observe=lambda *_args: None,
    )


ORDER = {
    "order_id": KEY,
    "order_amount": "#19.99",
    "order_currency": "INR",
    "order_status": "ACTIVE",
    "order_expiry_time": "2026-03-01T12:00:00+05:30",
    "payment_session_id": SESSION,
}
PAYMENT = {
    "cf_payment_id": "77",
    "order_id": KEY,
    "payment_status": "SUCCESS",
    "payment_amount": "#19.99",
    "payment_currency": "INR",
    "is_captured": True,
    "authorization": None,
    "error_details": None,
}
PAY = {"cf_payment_id": 77, "payment_amount": "#19.99", "payment_method": "card", "channel": "link"}
LINK = {**PAY, "action": "link", "data": {"url": "https://bank.example/3ds", "payload": None}}
UPI = {**PAY, "action": "custom", "data": {"url": None, "payload": {"default": "upi://pay?tr=1", "gpay": "tez://x"}}}
FORM = {
    **PAY,
    "action": "form",
    "data": {"url": "https://bank.example/acs", "method": "post", "payload": {"MD": 898, "PaReq": "abc="}},
}


def error(code: str = "request_failed", kind: str = "invalid_request_error", message: str = "m") -> dict[str, Any]:
    return {"code": code, "type": kind, "message": message}


def failed(reason: str | None, **details: Any) -> dict[str, Any]:
    details = {"error_code": "TRANSACTION_DECLINED", "error_reason": reason, "error_description": "no", **details}
    return {**PAYMENT, "payment_status": "FAILED", "error_details": details}


class TestRequests:
    def test_an_order(self) -> None:
        request = CONNECTOR.charge_steps[0].build(charge())
        assert (request.method, request.path) == ("POST", "/orders")
        assert request.body == (
            b'{"order_amount":19.99,"order_id":"pfx-abcdefghijklmnop-1","order_currency":"INR",'
            b'"customer_details":{"customer_id":"cust_canary","customer_phone":"9876543210",'
            b'"customer_name":"Ada Canary","customer_email":"canary@example.com"},'
            b'"order_tags":{"payflowx_key":"pfx-abcdefghijklmnop-1"},'
            b'"order_meta":{"return_url":"https://shop.example/back"},"order_note":"canary description"}'
        )
        assert request.headers["x-request-id"] == KEY

    def test_a_card_and_a_upi_link(self) -> None:
        pay = CONNECTOR.charge_steps[2]
        card = json.loads(pay.build(charge()).body)
        assert card == {
            "payment_session_id": SESSION,
            "payment_method": {"card": {"channel": "link", "instrument_id": "tok_canary_7312"}},
        }
        upi = json.loads(pay.build(charge(payment_method_type="upi")).body)
        assert upi["payment_method"] == {"upi": {"channel": "link"}}

    @pytest.mark.parametrize(
        ("amount", "currency", "literal"),
        [
            (1999, "INR", b"19.99"),
            (100, "INR", b"1.00"),
            (1050, "INR", b"10.50"),
            (5, "USD", b"0.05"),
            (1999, "JPY", b"1999"),
            (1999, "KWD", b"1.999"),
            (999_999_999_999, "INR", b"9999999999.99"),
        ],
    )
    def test_decimals_are_spelled_exactly(self, amount: int, currency: str, literal: bytes) -> None:
        order = requests.create_order(charge(amount=amount, currency=currency)).body
        assert order.startswith(b'{"order_amount":' + literal + b",")
        moved = operation_request(amount=amount, currency=currency)
        assert requests.refund(moved).body.startswith(b'{"refund_amount":' + literal + b",")
        captured = operation_request(OperationKind.CAPTURE, amount=amount, currency=currency)
        assert requests.authorize(captured).body == b'{"amount":' + literal + b',"action":"CAPTURE"}'

    @pytest.mark.parametrize(
        ("phone", "sent"),
        [
            ("+919876543210", "9876543210"),
            ("09876543210", "9876543210"),
            ("9876543210", "9876543210"),
            ("+14155550100", "+14155550100"),
            ("+911123456789", "+911123456789"),
            ("+971501234567", "+971501234567"),
            ("+2901234", "+2901234"),
            ("+123456789012345", "+123456789012345"),
            ("1234567890", None),
            ("+0123456789", None),
            ("+1", None),
            (None, None),
        ],
    )
    def test_the_payers_own_phone_and_never_a_made_up_one(self, phone: str | None, sent: str | None) -> None:
        body = json.loads(requests.create_order(charge(customer=Customer(phone=phone))).body)
        assert body["customer_details"].get("customer_phone") == sent
        assert b"9999999999" not in requests.create_order(charge(customer=Customer(phone=phone))).body

    def test_a_payment_without_further_fields_builds_the_same_bytes_as_ever(self) -> None:
        """Golden: the request of a stored attempt, which is sent again only if its bytes are the same."""
        bare = charge(customer=Customer(phone="+919876543210"), description=None, return_url=None)
        assert requests.create_order(bare).body == (
            b'{"order_amount":19.99,"order_id":"pfx-abcdefghijklmnop-1","order_currency":"INR",'
            b'"customer_details":{"customer_id":"pfxabcdefghijklmnop1","customer_phone":"9876543210"},'
            b'"order_tags":{"payflowx_key":"pfx-abcdefghijklmnop-1"}}'
        )

    def test_an_order_lapses_three_days_after_the_last_attempt_can_begin(self) -> None:
        body = json.loads(requests.create_order(charge(charge_deadline_ms=1_700_000_000_999)).body)
        assert body["order_expiry_time"] == "2023-11-17T22:13:20Z"

    def test_what_the_merchant_wants_to_see(self) -> None:
        metadata = {"b": "two\nlines", "a": "x" * 300, "payflowx_key": "another", "empty": "\u202e"}
        metadata |= {f"z{n:02}": str(n) for n in range(20)}
        request = charge(description="  Two\tseats, " + "\U0001f3ab" * 300, metadata=metadata)
        body = json.loads(requests.create_order(request).body)
        assert len(body["order_note"]) == 200
        assert body["order_note"].startswith("Two seats, \U0001f3ab")
        tags = body["order_tags"]
        assert list(tags)[:3] == ["payflowx_key", "a", "b"]
        assert (tags["payflowx_key"], tags["a"], tags["b"]) == (KEY, "x" * 255, "two lines")
        assert len(tags) == 10
        assert "empty" not in tags
        assert requests.create_order(charge(metadata=dict(reversed(metadata.items())))).body == (
            requests.create_order(charge(metadata=metadata)).body
        )

    @pytest.mark.parametrize("short", ["", " ", "ab", "\u202ea\u202e"])
    def test_a_text_that_is_too_short_is_left_out(self, short: str) -> None:
        body = json.loads(requests.create_order(charge(description=short, customer=Customer(name=short))).body)
        assert "order_note" not in body
        assert "customer_name" not in body["customer_details"]

    def test_the_receipts_address_is_the_payers(self) -> None:
        for address, sent in (("r@example.com", "r@example.com"), (None, "canary@example.com"), ("x" * 101, None)):
            body = json.loads(requests.create_order(charge(receipt_email=address)).body)
            assert body["customer_details"].get("customer_email") == sent

    @pytest.mark.parametrize("customer", [None, Customer(id="ab"), Customer(id="a b c"), Customer(id="x" * 51)])
    def test_a_customer_that_the_provider_would_not_take_is_ours(self, customer: Customer | None) -> None:
        body = json.loads(requests.create_order(charge(customer=customer)).body)
        assert body["customer_details"]["customer_id"] == "pfxabcdefghijklmnop1"

    def test_upi_names_no_customer(self) -> None:
        assert b"cust_canary" not in requests.create_order(charge(payment_method_type="upi")).body

    def test_a_return_url_that_is_too_long_is_left_out(self) -> None:
        long = "https://shop.example/" + "x" * 230
        assert "order_meta" not in json.loads(requests.create_order(charge(return_url=long)).body)
        assert "order_meta" not in json.loads(requests.create_order(charge(return_url=None)).body)

    def test_only_a_capture_and_a_void_have_an_idempotency_key(self) -> None:
        """Any other request must be executed again: with a key, Cashfree answers from a stored copy, also a 500."""
        namespace = uuid.UUID("9ae874c2-686b-54d2-990f-7d1544e1fe1b")
        for kind in (OperationKind.CAPTURE, OperationKind.VOID):
            sent = requests.authorize(operation_request(kind)).headers["x-idempotency-key"]
            assert sent == str(uuid.uuid5(namespace, f"{kind}:{MOVE_KEY}"))
        charges = [step.build(charge()) for step in CONNECTOR.charge_steps]
        for request in [*charges, requests.refund(operation_request())]:
            assert "x-idempotency-key" not in request.headers

    def test_a_confirmed_cancellation_can_be_tried_again(self) -> None:
        for step in CONNECTOR.cancel_steps(charge(capture=CaptureMode.MANUAL)):
            assert "x-idempotency-key" not in step.build(charge()).headers

    def test_operations_go_to_the_order_of_their_charge(self) -> None:
        refund = requests.refund(operation_request())
        assert refund.path == f"/orders/{KEY}/refunds"
        assert json.loads(refund.body)["refund_id"] == MOVE_KEY
        assert requests.refunds_of_charge(operation_request()).path == f"/orders/{KEY}/refunds"
        void = requests.authorize(operation_request(OperationKind.VOID))
        assert (void.path, void.body) == (f"/orders/{KEY}/authorization", b'{"action":"VOID"}')
        assert void.headers["x-idempotency-key"] == requests.idempotency_key("void", MOVE_KEY)
        assert requests.payments_of_charge(operation_request()).path == f"/orders/{KEY}/payments"

    def test_a_statement(self) -> None:
        request = CONNECTOR.reports.request(ReportPage(from_ms=0, until_ms=86_400_000))
        assert request.body == (
            b'{"pagination":{"limit":100},'
            b'"filters":{"start_date":"1970-01-01T00:00:00Z","end_date":"1970-01-01T23:59:59Z"}}'
        )
        more = CONNECTOR.reports.request(ReportPage(from_ms=0, until_ms=1000, cursor="next=="))
        assert json.loads(more.body)["pagination"] == {"limit": 100, "cursor": "next=="}

    def test_credentials_are_in_headers_only_and_not_where_they_are_not_asked_for(self) -> None:
        order, read, pay = (
            CONNECTOR.authenticate(step.build(charge()), CREDENTIALS) for step in CONNECTOR.charge_steps
        )
        assert order.headers["x-client-id"] == "id-canary"
        assert read.headers["x-client-secret"] == "secret-canary"
        assert order.body == requests.create_order(charge()).body
        assert pay.headers["x-api-version"] == order.headers["x-api-version"] == "2025-01-01"
        assert "canary" not in " ".join(pay.headers.values())

    def test_only_the_last_step_charges_and_needs_facts_before(self) -> None:
        assert [step.charges for step in CONNECTOR.charge_steps] == [False, False, True]
        assert http_provider().may_have_charged({}) is False
        assert http_provider().may_have_charged({"order": "existed"}) is False
        assert http_provider().may_have_charged(PROGRESS) is True

    def test_equal_charges_give_equal_hashes_and_any_difference_another(self) -> None:
        same = http_provider().request_hash
        assert same(charge()) == same(charge(progress={}, reference="x"))
        for change in ({"amount": 2000}, {"currency": "EUR"}, {"token": "other"}, {"provider_key": "pfx-x-2"}):
            assert same(charge()) != same(charge(**change))

    def test_only_the_last_operation_step_moves(self) -> None:
        for kind in OperationKind:
            assert [step.moves for step in CONNECTOR.operation_steps(operation_request(kind))] == [True]
            assert not any(step.moves for step in CONNECTOR.operation_inquiry_steps(operation_request(kind)))


ORDERS: list[tuple[HttpResult, Any]] = [
    (answer(200, ORDER), Progress(facts=PROGRESS)),
    (answer(409, error("order_already_exists")), Progress(facts={"order": "existed"})),
    (answer(200, {**ORDER, "order_id": "another"}), Unknown(code="another_order")),
    (answer(200, {**ORDER, "order_amount": "#20.00"}), Unknown(code="order_differs")),
    (answer(200, {**ORDER, "order_currency": "USD"}), Unknown(code="order_differs")),
    (answer(200, {**ORDER, "order_status": "PAID"}), Mismatch(code="order_paid_unasked")),
    (answer(200, {**ORDER, "order_status": "TERMINATED"}), Unknown(code="order_not_active")),
    (answer(200, {**ORDER, "payment_session_id": ""}), Unknown(code="answer_not_understood")),
    (answer(200, {**ORDER, "payment_session_id": "x" * 513}), Unknown(code="answer_not_understood")),
    (answer(200, {**ORDER, "order_amount": "19.99"}), Unknown(code="answer_not_understood")),
    (answer(200, b"[]"), Unknown(code="answer_not_understood")),
    (answer(400, error("order_amount_invalid")), Rejected(code="order_amount_invalid", message="m")),
    (answer(400, error("request_failed")), Unknown(code="request_failed", message="m")),
    (answer(400, error("order_already_exists")), Progress(facts={"order": "existed"})),
    (answer(409, error("order_id_already_exists")), Progress(facts={"order": "existed"})),
    (answer(500, error("order_already_exists")), Unknown(code="order_already_exists", message="m")),
    (answer(409, error("orderpay_already_exists")), Unknown(code="orderpay_already_exists", message="m")),
    (answer(400, error("idempotency_key_mismatch")), Unknown(code="idempotency_key_mismatch", message="m")),
    (
        answer(400, error("currency_unsupported", "feature_not_enabled")),
        Rejected(code="feature_not_enabled", message="m", misconfigured=True),
    ),
    (answer(400, b"<html>"), Unknown(code="http_400")),
    (answer(404, error("order_not_found")), Unknown(code="order_not_found", message="m")),
    (answer(409, error("other")), Unknown(code="other", message="m")),
    (NoConnection(code="connection_refused"), NotSent(code="connection_refused")),
    (NoAnswer(code="read_timeout"), Unknown(code="read_timeout")),
]


@pytest.mark.parametrize(("given_answer", "expected"), ORDERS)
def test_what_an_answer_to_an_order_means(given_answer: HttpResult, expected: Any) -> None:
    assert http_provider(given_answer).charge(charge(progress={}), ACCOUNT) == expected


def test_an_order_that_exists_is_read_before_it_is_paid() -> None:
    found = http_provider(answer(200, ORDER))
    outcome = found.charge(charge(progress={"order": "existed"}), ACCOUNT)
    assert outcome == Progress(facts={"payment_session_id": SESSION})
    assert (found.http.sent[0].method, found.http.sent[0].path) == ("GET", f"/orders/{KEY}")
    for status in (400, 404, 500):
        gone = http_provider(answer(status, error()))
        assert gone.charge(charge(progress={"order": "existed"}), ACCOUNT) == Unknown(code=f"http_{status}")


PAID: list[tuple[HttpResult, Any]] = [
    (
        answer(200, LINK),
        ActionRequired(reference="77", action=NextAction(kind="redirect", url="https://bank.example/3ds")),
    ),
    (answer(200, UPI), ActionRequired(reference="77", action=NextAction(kind="upi_intent", url="upi://pay?tr=1"))),
    (
        answer(200, FORM),
        ActionRequired(
            reference="77",
            action=NextAction(kind="form_post", url="https://bank.example/acs", fields={"MD": "898", "PaReq": "abc="}),
        ),
    ),
    (answer(200, {**LINK, "payment_amount": "#20.39"}), Unknown(code="amount_differs")),
    (answer(200, {**LINK, "action": "post"}), Unknown(code="action_not_known")),
    (answer(200, {**LINK, "action": "collect"}), Unknown(code="action_not_known")),
    (answer(200, {**LINK, "data": None}), Unknown(code="action_without_address")),
    (answer(200, {**LINK, "data": {"url": "http://bank.example"}}), Unknown(code="action_without_address")),
    (answer(200, {**LINK, "data": {"url": "https://b/" + "x" * 2048}}), Unknown(code="action_without_address")),
    (answer(200, {**LINK, "data": {"url": "https://b/\u202e"}}), Unknown(code="action_without_address")),
    (answer(200, {**LINK, "data": {"url": "https://b/a b"}}), Unknown(code="action_without_address")),
    (answer(200, {**UPI, "data": {"payload": {"gpay": "tez://x"}}}), Unknown(code="action_without_address")),
    (answer(200, {**UPI, "data": {"payload": {"default": "javascript:x"}}}), Unknown(code="action_without_address")),
    (answer(200, {**FORM, "data": {**FORM["data"], "method": "get"}}), Unknown(code="action_without_address")),
    (answer(200, {**FORM, "data": {**FORM["data"], "payload": {"a": None}}}), Unknown(code="action_without_address")),
    (answer(200, {**FORM, "data": {**FORM["data"], "payload": {"a": True}}}), Unknown(code="action_without_address")),
    (
        answer(200, {**FORM, "data": {**FORM["data"], "payload": {str(i): "x" for i in range(31)}}}),
        Unknown(code="action_without_address"),
    ),
    (
        answer(200, {**FORM, "data": {**FORM["data"], "payload": {"a": "x" * 4097}}}),
        Unknown(code="action_without_address"),
    ),
    (
        answer(200, {**FORM, "data": {**FORM["data"], "payload": {str(i): "x" * 4000 for i in range(5)}}}),
        Unknown(code="action_without_address"),
    ),
    (answer(200, {**LINK, "cf_payment_id": None}), Unknown(code="answer_not_understood")),
    (answer(200, b"null"), Unknown(code="answer_not_understood")),
    (answer(200, b"[" * 100_000), Unknown(code="answer_not_understood")),
    (answer(404, error("instrument_not_found")), Rejected(code="instrument_not_found", message="m")),
    (answer(400, error("card_cvv_missing")), Rejected(code="card_cvv_missing", message="m")),
    (answer(400, error("card_unsupported")), Rejected(code="card_unsupported", message="m")),
    (answer(400, error("request_failed")), Unknown(code="request_failed", message="m")),
    (answer(400, error("order_inactive")), Unknown(code="order_inactive", message="m")),
    (answer(400, error("idempotency_key_mismatch")), Unknown(code="idempotency_key_mismatch", message="m")),
    (answer(404, error("orderpay_not_found")), Unknown(code="orderpay_not_found", message="m")),
    (answer(400, error("order_already_paid")), Unknown(code="order_already_paid", message="m")),
    (answer(400, error("payment_session_id_invalid")), Unknown(code="payment_session_id_invalid", message="m")),
    (answer(400, error("card_unsupported", "api_error")), Unknown(code="card_unsupported", message="m")),
    (
        answer(401, error("request_failed", "authentication_error")),
        Rejected(code="unauthorized", message="m", misconfigured=True),
    ),
    (answer(403, b""), Rejected(code="unauthorized", misconfigured=True)),
    (answer(404, error("order_not_found")), NotSent(code="order_not_visible")),
    (
        answer(404, error("order_not_found"), x_idempotency_replayed="true"),
        Unknown(code="order_not_found", message="m"),
    ),
    (answer(404, b"<html>"), Unknown(code="http_404")),
    (answer(404, {**error("order_not_found"), "type": "api_error"}), Unknown(code="order_not_found", message="m")),
    (answer(409, error("order_already_exists")), Unknown(code="order_already_exists", message="m")),
    (answer(422, error("request_invalid", "idempotency_error")), Unknown(code="idempotency_key_reused", message="m")),
    (answer(422, error("amount_invalid")), Unknown(code="amount_invalid", message="m")),
    (
        answer(429, error(kind="rate_limit_error"), x_ratelimit_retry="7"),
        Rejected(code="rate_limited", message="m", retry_after_seconds=7),
    ),
    (answer(429, b"", x_ratelimit_retry="soon"), Rejected(code="rate_limited")),
    (answer(429, b"", x_ratelimit_retry="99999"), Rejected(code="rate_limited", retry_after_seconds=3600)),
    (answer(500, error("internal_error", "api_error")), Unknown(code="internal_error", message="m")),
    (answer(502, error("bank_processing_failure", "api_error")), Unknown(code="bank_processing_failure", message="m")),
    (answer(504, b"<html>"), Unknown(code="http_504")),
    (answer(302, b""), Unknown(code="http_302")),
    (NoAnswer(code="read_timeout"), Unknown(code="read_timeout")),
]


@pytest.mark.parametrize(("given_answer", "expected"), PAID)
def test_what_an_answer_to_a_payment_means(given_answer: HttpResult, expected: Any) -> None:
    assert http_provider(given_answer).charge(charge(), ACCOUNT) == expected


def charged(**changes: Any) -> Succeeded:
    values: dict[str, Any] = {"reference": "77", "amount": 1999, "currency": "INR", "merchant_reference": KEY}
    return Succeeded(**{**values, **changes})


HELD = {**PAYMENT, "is_captured": False}
CAPTURED = {
    **PAYMENT,
    "authorization": {"action": "CAPTURE", "status": "SUCCESS", "captured_amount": "#10.00", "action_reference": "9"},
}
VOIDED = {**PAYMENT, "is_captured": False, "authorization": {"action": "VOID", "status": "SUCCESS"}}
PENDING = {**PAYMENT, "payment_status": "PENDING"}
NOT_UNDERSTOOD = Unknown(code="answer_not_understood")

FOUND: list[tuple[Any, Any]] = [
    ([], NotFound()),
    ([PAYMENT], charged()),
    ([{**PAYMENT, "is_captured": None}], charged()),
    ([{**PAYMENT, "cf_payment_id": 77}], charged()),
    ([{**PAYMENT, "payment_amount": 20}], charged(amount=2000)),
    ([{**PAYMENT, "payment_currency": "USD"}], charged(currency="USD")),
    ([{**PAYMENT, "payment_currency": "JPY", "payment_amount": 1999}], charged(currency="JPY")),
    ([{**PAYMENT, "payment_currency": "KWD", "payment_amount": "#1.999"}], charged(currency="KWD")),
    ([{**PAYMENT, "payment_amount": "#19.990"}], charged()),
    ([{**PAYMENT, "payment_amount": "#19.999"}], Mismatch(code="amount_differs", reference="77")),
    ([{**PAYMENT, "payment_currency": "JPY"}], Mismatch(code="amount_differs", reference="77")),
    ([{**PAYMENT, "payment_currency": "???"}], Mismatch(code="amount_differs", reference="77")),
    ([{**PAYMENT, "payment_amount": "19.99"}], NOT_UNDERSTOOD),
    ([{**PAYMENT, "payment_amount": True}], NOT_UNDERSTOOD),
    ([{**PAYMENT, "payment_amount": None}], NOT_UNDERSTOOD),
    ([{**PAYMENT, "payment_amount": -1}], NOT_UNDERSTOOD),
    ([{**PAYMENT, "payment_currency": None}], NOT_UNDERSTOOD),
    ([{**PAYMENT, "cf_payment_id": None}], NOT_UNDERSTOOD),
    ([{**PAYMENT, "order_id": "another"}], NOT_UNDERSTOOD),
    ([{**PAYMENT, "is_captured": 1}], Unknown(code="capture_not_understood")),
    ([{**PAYMENT, "is_captured": None, "authorization": {"a": 1}}], Unknown(code="capture_not_understood")),
    ([HELD], Authorized(reference="77", amount=1999, currency="INR", merchant_reference=KEY)),
    ([VOIDED], Unknown(code="authorization_voided")),
    ([{**PAYMENT, "payment_status": "VOID"}], Unknown(code="authorization_voided")),
    ([PENDING], Unknown(code="awaiting_payer")),
    ([{**PAYMENT, "payment_status": "NOT_ATTEMPTED"}], Unknown(code="awaiting_payer")),
    ([{**PAYMENT, "payment_status": "FLAGGED"}], Unknown(code="status_not_known")),
    ([{**PAYMENT, "payment_status": "success"}], Unknown(code="status_not_known")),
    ([{**PAYMENT, "payment_status": None}], Unknown(code="status_not_known")),
    ([failed("auth_declined"), PAYMENT, PENDING], charged()),
    ([PENDING, failed("auth_declined")], Unknown(code="awaiting_payer")),
    ([{**PAYMENT, "payment_status": "NEW"}, failed("auth_declined")], Unknown(code="status_not_known")),
    ([PAYMENT, {**PAYMENT, "cf_payment_id": "78"}], Mismatch(code="duplicate_charge")),
    ([PAYMENT, {**HELD, "cf_payment_id": "78"}], Mismatch(code="duplicate_charge")),
    ([PAYMENT] * 101, NOT_UNDERSTOOD),
    (["x"], NOT_UNDERSTOOD),
    ({}, NOT_UNDERSTOOD),
    (b"[{", NOT_UNDERSTOOD),
    (b"[NaN]", NOT_UNDERSTOOD),
]


@pytest.mark.parametrize(("payments", "expected"), FOUND)
def test_an_inquiry(payments: Any, expected: Any) -> None:
    assert http_provider(answer(200, payments)).inquire(charge(), ACCOUNT) == expected


@pytest.mark.parametrize("status", [302, 400, 401, 404, 409, 422, 429, 500, 502])
def test_an_inquiry_that_fails_is_no_news(status: int) -> None:
    assert http_provider(answer(status, error())).inquire(charge(), ACCOUNT) == Unknown(code=f"http_{status}")


DECLINES: list[tuple[dict[str, Any], DeclineKind, str]] = [
    (failed("gateway_error"), DeclineKind.SOFT, "gateway_error"),
    (failed("insufficient_funds"), DeclineKind.FUNDS, "insufficient_funds"),
    (failed("auth_declined"), DeclineKind.SOFT, "auth_declined"),
    (failed("bank_rejected"), DeclineKind.SOFT, "bank_rejected"),
    (failed("brand_new"), DeclineKind.HARD, "brand_new"),
    (failed(None), DeclineKind.HARD, "TRANSACTION_DECLINED"),
    (failed("a b c"), DeclineKind.HARD, "unrecognized"),
    ({**PAYMENT, "payment_status": "FAILED"}, DeclineKind.HARD, "unrecognized"),
    ({**PAYMENT, "payment_status": "USER_DROPPED"}, DeclineKind.HARD, "user_dropped"),
    ({**PAYMENT, "payment_status": "CANCELLED"}, DeclineKind.HARD, "cancelled"),
    ({**failed("gateway_error"), "payment_status": "CANCELLED"}, DeclineKind.HARD, "cancelled"),
]


@pytest.mark.parametrize(("payment", "kind", "code"), DECLINES)
def test_a_decline_counts_once_its_order_is_closed(payment: dict[str, Any], kind: DeclineKind, code: str) -> None:
    outcome = http_provider(answer(200, [payment])).inquire(charge(), ACCOUNT)
    assert isinstance(outcome, Declined)
    assert (outcome.kind, outcome.code, outcome.reference) == (kind, code, "77")
    assert outcome.cancel_required
    assert outcome.reopens_for_seconds == 0


def test_of_several_declines_the_gravest_counts() -> None:
    several = [failed("gateway_error"), failed("card_stolen"), failed("insufficient_funds")]
    assert http_provider(answer(200, several)).inquire(charge(), ACCOUNT).kind is DeclineKind.HARD
    assert http_provider(answer(200, [several[0], several[2]])).inquire(charge(), ACCOUNT).kind is DeclineKind.FUNDS


MANUAL: list[tuple[dict[str, Any], Any]] = [
    (HELD, Authorized(reference="77", amount=1999, currency="INR", merchant_reference=KEY)),
    (CAPTURED, charged(amount=1000)),
    (PAYMENT, Unknown(code="capture_not_understood")),
    ({**CAPTURED, "authorization": {"action": "CAPTURE", "status": "PENDING"}}, Unknown(code="capture_not_understood")),
]


@pytest.mark.parametrize(("payment", "expected"), MANUAL)
def test_an_inquiry_of_a_manual_capture(payment: dict[str, Any], expected: Any) -> None:
    asked = charge(capture=CaptureMode.MANUAL)
    assert http_provider(answer(200, [payment])).inquire(asked, ACCOUNT) == expected


TERMINATED = answer(200, {**ORDER, "order_status": "TERMINATED"})
EXPIRED = {**ORDER, "order_status": "EXPIRED"}
PAID_ORDER = answer(200, {**ORDER, "order_status": "PAID"})
OK = answer(200, {})
DROPPED = {**PAYMENT, "payment_status": "USER_DROPPED"}
RELEASED = {**PAYMENT, "payment_status": "VOID"}
CANCELLATIONS: list[tuple[list[HttpResult], Any]] = [
    ([OK, TERMINATED, answer(200, [])], ConfirmedCancelled()),
    ([answer(400, error()), TERMINATED, answer(200, [])], ConfirmedCancelled()),
    ([NoAnswer(code="read_timeout"), TERMINATED], Unknown(code="read_timeout")),
    ([OK, TERMINATED, answer(200, [failed("x"), DROPPED])], ConfirmedCancelled(reference="77")),
    ([OK, TERMINATED, answer(200, [RELEASED])], ConfirmedCancelled(reference="77")),
    ([OK, TERMINATED, answer(200, [PAYMENT])], charged()),
    ([OK, TERMINATED, answer(200, [PAYMENT, PAYMENT])], Mismatch(code="duplicate_charge")),
    ([OK, TERMINATED, answer(200, [PENDING])], Unknown(code="payment_still_open")),
    (
        [OK, TERMINATED, answer(200, [{**PAYMENT, "payment_status": "NOT_ATTEMPTED"}])],
        Unknown(code="payment_still_open"),
    ),
    ([OK, TERMINATED, answer(200, [{**PAYMENT, "payment_status": "NEW"}])], Unknown(code="payment_still_open")),
    ([OK, TERMINATED, answer(200, [{**PAYMENT, "order_id": "x"}])], NOT_UNDERSTOOD),
    ([OK, TERMINATED, answer(404, error())], Unknown(code="http_404")),
    ([OK, PAID_ORDER, answer(200, [PAYMENT])], charged()),
    ([OK, PAID_ORDER, answer(200, [])], Unknown(code="order_paid_without_payment")),
    ([OK, PAID_ORDER, answer(200, [DROPPED])], Unknown(code="order_paid_without_payment")),
    ([OK, PAID_ORDER, answer(200, [RELEASED])], ConfirmedCancelled(reference="77")),
    ([OK, answer(200, {**ORDER, "order_status": "TERMINATION_REQUESTED"})], Unknown(code="order_not_closed")),
    ([OK, answer(200, ORDER)], Unknown(code="order_not_closed")),
    ([OK, answer(200, {**ORDER, "order_status": "NEW"})], Unknown(code="order_not_closed")),
    ([OK, answer(200, {**ORDER, "order_id": "x", "order_status": "TERMINATED"})], Unknown(code="another_order")),
    ([OK, answer(404, error("order_not_found"))], Unknown(code="http_404")),
    ([OK, answer(200, b"x")], NOT_UNDERSTOOD),
    ([OK, answer(200, EXPIRED, date="Tue, 03 Mar 2026 06:31:00 GMT"), answer(200, [])], ConfirmedCancelled()),
    ([OK, answer(200, EXPIRED, date="Tue, 03 Mar 2026 06:30:00 GMT")], Unknown(code="order_not_closed")),
    ([OK, answer(200, EXPIRED, date="yesterday")], NOT_UNDERSTOOD),
    ([OK, answer(200, EXPIRED)], NOT_UNDERSTOOD),
    (
        [
            OK,
            answer(200, {**EXPIRED, "order_expiry_time": "2026-03-01T12:00:00"}, date="Tue, 03 Mar 2026 06:31:00 GMT"),
        ],
        NOT_UNDERSTOOD,
    ),
]


@pytest.mark.parametrize(("answers", "expected"), CANCELLATIONS)
def test_only_a_read_of_a_closed_order_without_money_is_a_confirmed_cancellation(
    answers: list[HttpResult], expected: Any
) -> None:
    assert http_provider(*answers).cancel_and_confirm(charge(), ACCOUNT) == expected


def test_a_manual_charge_is_voided_before_its_order_is_terminated() -> None:
    found = http_provider(answer(400, error()), OK, PAID_ORDER, answer(200, [RELEASED]))
    assert found.cancel_and_confirm(charge(capture=CaptureMode.MANUAL), ACCOUNT) == ConfirmedCancelled(reference="77")
    assert [request.path.rsplit("/", 1)[1] for request in found.http.sent] == ["authorization", KEY, KEY, "payments"]
    still_held = http_provider(answer(200, {}), OK, PAID_ORDER, answer(200, [HELD]))
    assert isinstance(still_held.cancel_and_confirm(charge(capture=CaptureMode.MANUAL), ACCOUNT), Authorized)


REFUND = {
    "cf_refund_id": 901,
    "cf_payment_id": "77",
    "refund_id": MOVE_KEY,
    "order_id": KEY,
    "refund_amount": "#10.00",
    "refund_currency": "INR",
    "refund_status": "SUCCESS",
    "refund_type": "MERCHANT_INITIATED",
}


def moved(**changes: Any) -> Succeeded:
    values: dict[str, Any] = {"reference": "901", "amount": 1000, "currency": "INR", "merchant_reference": MOVE_KEY}
    return Succeeded(**{**values, **changes})


REFUNDS: list[tuple[int, Any, Any]] = [
    (200, REFUND, moved()),
    (200, {**REFUND, "refund_amount": 10}, moved()),
    (200, {**REFUND, "refund_amount": 11}, moved(amount=1100)),
    (200, {**REFUND, "refund_status": "PENDING"}, Accepted(reference="901")),
    (200, {**REFUND, "refund_status": "ONHOLD"}, Accepted(reference="901")),
    (200, {**REFUND, "refund_status": "CANCELLED"}, Declined(code="refund_cancelled", reference="901")),
    (
        200,
        {**REFUND, "refund_status": "FAILED", "status_description": "ask a@b.example"},
        Declined(code="refund_failed", message="ask [removed]", reference="901"),
    ),
    (200, {**REFUND, "refund_status": "NEW"}, Unknown(code="status_not_known")),
    (200, {**REFUND, "refund_id": "another"}, Unknown(code="another_refund")),
    (200, {**REFUND, "order_id": "another"}, Unknown(code="another_refund")),
    (200, {**REFUND, "cf_payment_id": "78"}, Mismatch(code="another_payment", reference="901")),
    (200, {**REFUND, "refund_amount": "#10.001"}, Mismatch(code="amount_differs", reference="901")),
    (200, {**REFUND, "refund_amount": "10"}, NOT_UNDERSTOOD),
    (200, [REFUND], NOT_UNDERSTOOD),
    (500, error("internal_error", "api_error"), Unknown(code="internal_error", message="m")),
]


def move(step: Any, moving: OperationRequest, response: HttpResponse) -> Any:
    """Run as `HttpProvider` does: an answer that makes the parser fail is not understood."""
    return _read(step, moving, response)  # type: ignore[arg-type]


@pytest.mark.parametrize(("status", "body", "expected"), REFUNDS)
def test_what_an_answer_to_a_refund_means(status: int, body: Any, expected: Any) -> None:
    step = CONNECTOR.operation_steps(operation_request())[0]
    assert move(step, operation_request(), answer(status, body)) == expected
    if isinstance(expected, Unknown) or status != 200:
        return
    asked = CONNECTOR.operation_inquiry_steps(operation_request())[0]
    others = [{**REFUND, "refund_id": "dashboard-1"}, {**REFUND, "refund_id": None, "refund_type": "AUTO_INITIATED"}]
    assert move(asked, operation_request(), answer(status, [*others, body])) == expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, error("request_failed"), Unknown(code="request_failed", message="m")),
        (400, error("refund_id_already_exists"), Unknown(code="refund_id_already_exists", message="m")),
        (400, error("refund_already_exists"), Unknown(code="refund_already_exists", message="m")),
        (400, error("refund_id_invalid"), Unknown(code="refund_id_invalid", message="m")),
        (409, error("refund_already_exists"), Unknown(code="refund_already_exists", message="m")),
        (500, error("refund_amount_invalid"), Unknown(code="refund_amount_invalid", message="m")),
        (429, error(), Rejected(code="rate_limited", message="m")),
        (401, error(), Rejected(code="unauthorized", message="m", misconfigured=True)),
    ],
)
def test_a_refusal_of_any_operation(status: int, body: Any, expected: Any) -> None:
    for kind in OperationKind:
        step = CONNECTOR.operation_steps(operation_request(kind))[0]
        assert move(step, operation_request(kind), answer(status, body)) == expected


def test_only_the_whole_list_without_our_refund_says_that_there_is_none() -> None:
    step = CONNECTOR.operation_inquiry_steps(operation_request())[0]
    others = [{**REFUND, "refund_id": "dashboard-1"}]
    assert move(step, operation_request(), answer(200, [])) == NotFound(complete=True)
    assert move(step, operation_request(), answer(200, others)) == NotFound(complete=True)
    assert move(step, operation_request(), answer(200, [REFUND, REFUND])) == Mismatch(code="duplicate_refund")
    not_lists: list[Any] = [REFUND, {"data": []}, [1], [{**REFUND, "order_id": "another"}], b"<html>"]
    for not_a_list in not_lists:
        assert move(step, operation_request(), answer(200, not_a_list)) == NOT_UNDERSTOOD
    assert move(step, operation_request(), answer(404, error("refund_not_found"))) == NotFound()
    assert move(step, operation_request(), answer(404, b"<html>")) == Unknown(code="http_404")
    assert move(step, operation_request(), answer(400, error())) == Unknown(code="http_400")


class TestAllRefunds:
    """The list of a charge's refunds, whoever requested them."""

    def listed(self, *refunds: Any) -> list[ProviderRefund]:
        assert CONNECTOR.refunds is not None
        return list(CONNECTOR.refunds.read(charge(reference="77"), answer(200, list(refunds))))

    def test_ours_those_of_the_dashboard_and_automatic_ones(self) -> None:
        assert CONNECTOR.refunds is not None
        asked = CONNECTOR.refunds.request(charge(reference="77"))
        assert (asked.method, asked.path) == ("GET", f"/orders/{KEY}/refunds")
        theirs = {**REFUND, "cf_refund_id": "902", "refund_id": "made in the dashboard", "refund_amount": "#0.50"}
        automatic = {**REFUND, "cf_refund_id": "903", "refund_id": None, "refund_type": "PAYMENT_AUTO_REFUND"}
        of_another_payment = {**automatic, "cf_refund_id": "904", "cf_payment_id": 78}
        found = self.listed(REFUND, theirs, automatic, of_another_payment)
        assert [(r.reference, r.provider_key, r.amount) for r in found] == [
            ("901", MOVE_KEY, 1000),
            ("902", None, 50),
            ("903", None, 1000),
        ]

    @pytest.mark.parametrize(
        ("time", "made_at_ms"),
        [("2023-11-15T03:43:20+05:30", 1_700_000_000_000), ("2023-11-15T03:43:20", None), (None, None), (7, None)],
    )
    def test_the_time_of_its_making_is_taken_where_it_is_understood(self, time: Any, made_at_ms: int | None) -> None:
        (found,) = self.listed({**REFUND, "created_at": time})
        assert found.made_at_ms == made_at_ms

    def test_ours_is_listed_whatever_payment_it_was_made_of(self) -> None:
        (found,) = self.listed({**REFUND, "cf_payment_id": 78})
        assert found.provider_key == MOVE_KEY

    @pytest.mark.parametrize(
        ("word", "state"),
        [
            ("SUCCESS", RefundState.SUCCEEDED),
            ("PENDING", RefundState.PENDING),
            ("ONHOLD", RefundState.PENDING),
            ("CANCELLED", RefundState.FAILED),
            ("FAILED", RefundState.FAILED),
        ],
    )
    def test_every_state(self, word: str, state: RefundState) -> None:
        (found,) = self.listed({**REFUND, "refund_status": word})
        assert (found.state, found.code) == (state, f"refund_{word.lower()}")

    @pytest.mark.parametrize(
        "wrong",
        [
            *({"refund_status": "NEW"}, {"refund_status": None}, {"refund_amount": "10"}, {"refund_amount": "#10.001"}),
            *({"refund_currency": None}, {"cf_refund_id": None}, {"order_id": "another"}, {"cf_payment_id": None}),
        ],
    )
    def test_a_part_of_it_is_no_list(self, wrong: dict[str, Any]) -> None:
        with pytest.raises((ValueError, KeyError)):
            self.listed(REFUND, {**REFUND, **wrong})

    def test_without_the_payment_or_an_answer_there_is_none(self) -> None:
        assert CONNECTOR.refunds is not None
        with pytest.raises(ValueError, match="no reference"):
            CONNECTOR.refunds.request(charge())
        for status in (404, 429, 500):
            with pytest.raises(ValueError, match="not a list"):
                CONNECTOR.refunds.read(charge(reference="77"), answer(status, []))


CAPTURE, VOID = OperationKind.CAPTURE, OperationKind.VOID
AUTHORIZATIONS: list[tuple[OperationKind, dict[str, Any], Any]] = [
    (CAPTURE, CAPTURED, moved(reference="9")),
    (CAPTURE, {**CAPTURED, "is_captured": None}, Unknown(code="status_not_known")),
    (CAPTURE, {**CAPTURED, "payment_status": "FAILED"}, Unknown(code="status_not_known")),
    (CAPTURE, {**CAPTURED, "authorization": {"action": "CAPTURE", "status": "PENDING"}}, Accepted(reference="77")),
    (CAPTURE, {**CAPTURED, "authorization": {"action": "VOID", "status": "PENDING"}}, Unknown(code="other_action")),
    (CAPTURE, {**CAPTURED, "authorization": {"action": "CAPTURE", "status": "NEW"}}, Unknown(code="status_not_known")),
    (CAPTURE, {**CAPTURED, "authorization": {"action": "NEW", "status": "SUCCESS"}}, Unknown(code="status_not_known")),
    (CAPTURE, {**CAPTURED, "authorization": {"action": "CAPTURE", "status": "SUCCESS"}}, NOT_UNDERSTOOD),
    (CAPTURE, VOIDED, Declined(code="authorization_voided", reference="77")),
    (CAPTURE, {**HELD, "payment_status": "VOID"}, Declined(code="authorization_voided", reference="77")),
    (CAPTURE, {**CAPTURED, "cf_payment_id": "78"}, Unknown(code="another_payment")),
    (CAPTURE, {**CAPTURED, "order_id": "x"}, Unknown(code="another_payment")),
    (VOID, VOIDED, moved(reference="77", amount=1999)),
    (VOID, {**HELD, "payment_status": "VOID"}, moved(reference="77", amount=1999)),
    (VOID, CAPTURED, Declined(code="authorization_captured", reference="77")),
    (VOID, {**VOIDED, "authorization": {"action": "VOID", "status": "PENDING"}}, Accepted(reference="77")),
    (VOID, {**VOIDED, "is_captured": True}, Unknown(code="status_not_known")),
    (VOID, {**VOIDED, "payment_amount": "#1.001"}, Mismatch(code="amount_differs", reference="77")),
]


@pytest.mark.parametrize(("kind", "payment", "expected"), AUTHORIZATIONS)
def test_what_a_payment_says_of_a_capture_or_void(kind: OperationKind, payment: dict[str, Any], expected: Any) -> None:
    assert (
        move(CONNECTOR.operation_steps(operation_request(kind))[0], operation_request(kind), answer(200, payment))
        == expected
    )


def test_a_capture_or_void_is_found_in_the_payment_that_it_changed() -> None:
    for kind in (CAPTURE, VOID):
        step = CONNECTOR.operation_inquiry_steps(operation_request(kind))[0]
        assert move(step, operation_request(kind), answer(200, [HELD])) == NotFound(complete=True)
        assert move(step, operation_request(kind), answer(200, [])) == Unknown(code="payment_not_in_answer")
        assert move(step, operation_request(kind), answer(404, error())) == Unknown(code="http_404")
        direct = CONNECTOR.operation_steps(operation_request(kind))[0]
        assert move(direct, operation_request(kind), answer(200, HELD)) == Unknown(code="action_not_recorded")
    found = CONNECTOR.operation_inquiry_steps(operation_request(CAPTURE))[0]
    others = [{**CAPTURED, "cf_payment_id": 76}, {**CAPTURED, "cf_payment_id": 77}]
    assert move(found, operation_request(CAPTURE), answer(200, others)) == moved(reference="9")


NOW_MS = 1_700_000_000_000
SECRET = "cfsk_test_secret"


def webhook(message: Any, *, at: str = str(NOW_MS), secret: str = SECRET, **headers: str) -> Webhook:
    body = body_of(message)
    signed = {
        "x-webhook-timestamp": at,
        "x-webhook-signature": signature.signature_of(at, body, secret),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return Webhook(headers=signed, body=body, received_at_ms=NOW_MS)


def message(payment: dict[str, Any], kind: str = "PAYMENT_SUCCESS_WEBHOOK", **changes: Any) -> dict[str, Any]:
    inside = {name: value for name, value in payment.items() if name != "order_id"}
    data = {"order": {"order_id": KEY, "order_amount": "#19.99"}, "payment": {**inside, "cf_payment_id": 77}}
    return {"type": kind, "event_time": "2026-01-01T00:00:00+05:30", "data": {**data, **changes}}


def disputed(**changes: Any) -> dict[str, Any]:
    """The sample of Cashfree's page about webhooks of disputes."""
    dispute = {
        "dispute_id": "433475258",
        "dispute_type": "DISPUTE",
        "reason_code": "1402",
        "reason_description": "Duplicate Processing",
        "dispute_amount": 3,
        "created_at": "2023-06-15T21:49:48+05:30",
        "updated_at": "2023-06-15T21:49:48+05:30",
        "respond_by": "2023-06-18T23:59:59+05:30",
        "cf_dispute_remarks": "Dispute is created, please take action",
        "dispute_action_on": "MERCHANT",
        "dispute_status": "DISPUTE_CREATED",
        **changes,
    }
    order = {
        "order_id": KEY,
        "order_amount": 4,
        "order_currency": "INR",
        "cf_payment_id": 77,
        "payment_currency": "INR",
    }
    payer = {"customer_name": "Ada Canary", "customer_phone": 9876543210}
    data = {"dispute": dispute, "order_details": order, "customer_details": payer}
    return {"type": "DISPUTE_CREATED", "event_time": "2023-06-15T21:51:10+05:30", "data": data}


class TestSignature:
    BODY = b'{"type":"PAYMENT_SUCCESS_WEBHOOK","data":{"payment":{"payment_amount":10.10}}}'

    def test_known_answer_of_openssl(self) -> None:
        """printf '%s%s' TIMESTAMP BODY | openssl dgst -sha256 -hmac SECRET -binary | base64."""
        known = "Quc35UxNLH2mnfhMOSCUIoyj0MH6N4gVoegHWGS2A10="
        assert signature.signature_of("1700000000000", self.BODY, SECRET) == known
        assert signature.is_signed("1700000000000", self.BODY, known, ["old", SECRET])
        assert not signature.is_signed("1700000000000", self.BODY.replace(b"10.10", b"10.1"), known, [SECRET])
        assert not signature.is_signed("1700000000001", self.BODY, known, [SECRET])
        for given_signature in ("", known.lower(), "x" * 300, "\udcff", "é"):
            assert not signature.is_signed("1700000000000", self.BODY, given_signature, [SECRET])

    def test_no_secret_signs_nothing(self) -> None:
        empty = signature.signature_of("1", b"", "")
        assert not signature.is_signed("1", b"", empty, [])
        assert not signature.is_signed("1", b"", empty, [""])

    @pytest.mark.parametrize(
        ("timestamp", "timely"),
        [
            (str(NOW_MS), True),
            (str(NOW_MS // 1000), True),
            (str(NOW_MS - 2 * 3_600_000), True),
            (str(NOW_MS - 2 * 3_600_000 - 1), False),
            (str(NOW_MS + 300_000), True),
            (str(NOW_MS + 300_001), False),
            ("", False),
            ("-1", False),
            ("now", False),
            ("١٧٠٠", False),
            ("1" * 17, False),
        ],
    )
    def test_a_time_is_needed_and_must_be_near(self, timestamp: str, timely: bool) -> None:
        assert signature.is_timely(timestamp, NOW_MS) is timely


class TestWebhooks:
    def test_a_success_is_proof(self) -> None:
        provider_event = CONNECTOR.read_webhook(webhook(message(PAYMENT)), [SECRET])
        assert provider_event.outcome == charged()
        assert (provider_event.charge_key, provider_event.charge_reference) == (KEY, "77")
        assert provider_event.type == "PAYMENT_SUCCESS_WEBHOOK"

    @pytest.mark.parametrize(
        "said",
        [
            message({**PAYMENT, "is_captured": None}),
            message(HELD),
            message(CAPTURED),
            message(PENDING),
            message({**PAYMENT, "payment_amount": "#19.999"}),
            message({**PAYMENT, "payment_amount": "19.99"}),
            message({**PAYMENT, "payment_currency": 7}),
            message(PAYMENT, kind="PAYMENT_FAILED_WEBHOOK"),
            message(failed("auth_declined"), kind="PAYMENT_FAILED_WEBHOOK"),
            message(DROPPED, kind="PAYMENT_USER_DROPPED_WEBHOOK"),
        ],
    )
    def test_anything_less_is_a_reason_to_inquire(self, said: Any) -> None:
        provider_event = CONNECTOR.read_webhook(webhook(said), [SECRET])
        assert provider_event.outcome is None
        assert (provider_event.charge_key, provider_event.charge_reference) == (KEY, "77")

    def test_contradicting_order_ids_identify_no_charge(self) -> None:
        said = message(PAYMENT)
        said["data"]["payment"]["order_id"] = "another"
        provider_event = CONNECTOR.read_webhook(webhook(said), [SECRET])
        assert (provider_event.outcome, provider_event.charge_key) == (None, None)

    def test_a_refund(self) -> None:
        said = {"type": "REFUND_STATUS_WEBHOOK", "data": {"refund": REFUND}}
        provider_event = CONNECTOR.read_webhook(webhook(said), [SECRET])
        assert provider_event.operation_outcome == moved()
        assert (provider_event.operation_key, provider_event.operation_reference, provider_event.charge_key) == (
            MOVE_KEY,
            "901",
            KEY,
        )
        for change in (
            {"refund_status": "CANCELLED"},
            {"refund_status": "PENDING"},
            {"refund_type": "PAYMENT_AUTO_REFUND"},
            {"refund_amount": "10"},
            {"cf_payment_id": None},
            {"cf_payment_id": ""},
            {"order_id": None},
        ):
            other = {"type": "REFUND_STATUS_WEBHOOK", "data": {"refund": {**REFUND, **change}}}
            assert CONNECTOR.read_webhook(webhook(other), [SECRET]).operation_outcome is None

    @pytest.mark.parametrize(
        ("said", "kind", "reference"),
        [
            ({"type": "SETTLEMENT_SUCCESS", "data": {}}, "SETTLEMENT_SUCCESS", None),
            (
                {"type": "AUTO_REFUND_STATUS_WEBHOOK", "data": {"auto_refund": {"cf_payment_id": 5}}},
                "AUTO_REFUND_STATUS_WEBHOOK",
                "5",
            ),
            ({"data": None}, "unrecognized", None),
            (b"[]", "unrecognized", None),
            (b"\xff", "unrecognized", None),
        ],
    )
    def test_an_authentic_message_of_another_kind_says_nothing(
        self, said: Any, kind: str, reference: str | None
    ) -> None:
        provider_event = CONNECTOR.read_webhook(webhook(said), [SECRET])
        assert provider_event == ProviderEvent(event_id=provider_event.event_id, type=kind, charge_reference=reference)

    def test_a_payment_by_upi_needs_no_word_about_its_capture(self) -> None:
        """As in Cashfree's samples of 2023-08-01 and 2025-01-01."""
        plain = {name: value for name, value in PAYMENT.items() if name not in {"is_captured", "authorization"}}
        for group, proven in (("upi", True), ("upi_credit_card", True), ("credit_card", False), (None, False)):
            said = message({**plain, "payment_group": group})
            outcome = CONNECTOR.read_webhook(webhook(said), [SECRET]).outcome
            assert outcome == (charged() if proven else None)
        for wrong in ({"is_captured": False}, {"authorization": {"action": "CAPTURE"}}, {"is_captured": "true"}):
            said = message({**plain, "payment_group": "upi", **wrong})
            assert CONNECTOR.read_webhook(webhook(said), [SECRET]).outcome is None

    def test_a_refund_made_in_the_dashboard_names_its_charge(self) -> None:
        theirs = {**REFUND, "refund_id": "dashboard-7"}
        for name in ("refund", "auto_refund"):
            event = CONNECTOR.read_webhook(webhook({"type": "REFUND_STATUS_WEBHOOK", "data": {name: theirs}}), [SECRET])
            assert (event.charge_reference, event.operation_reference) == ("77", "901")
            assert event.operation_key == "dashboard-7"

    def test_a_dispute_names_its_charge(self) -> None:
        event = CONNECTOR.read_webhook(webhook(disputed()), [SECRET])
        assert (event.charge_reference, event.charge_key, event.outcome) == ("77", KEY, None)
        assert event.dispute == DisputeReport(
            reference="433475258",
            state=DisputeState.OPEN,
            amount=300,
            currency="INR",
            reason="1402",
            reported_at_ms=1_686_845_988_000,
            evidence_due_at_ms=1_687_112_999_000,
        )

    def test_the_dispute_of_the_contract(self) -> None:
        """Numbers for texts, times without an offset, and an amount with a currency of its own."""
        changes = {"dispute_id": 433447817, "dispute_amount": "#1.50", "dispute_amount_currency": "USD"}
        times = {"created_at": "2023-01-18T11:26:58", "updated_at": None, "respond_by": "2023-01-19T00:00:00"}
        report = CONNECTOR.read_webhook(webhook(disputed(**changes, **times, reason_code=1401)), [SECRET]).dispute
        assert report is not None
        assert (report.reference, report.amount, report.currency, report.reason) == ("433447817", 150, "USD", "1401")
        assert (report.reported_at_ms, report.evidence_due_at_ms) == (1_674_021_418_000, 1_674_066_600_000)

    @pytest.mark.parametrize(
        "wrong",
        [
            *(
                {"dispute_amount": None},
                {"dispute_amount": "3"},
                {"dispute_amount": "#3.001"},
                {"dispute_status": None},
            ),
            *({"dispute_id": None}, {"updated_at": "yesterday"}, {"updated_at": None, "created_at": None}),
            *({"respond_by": "soon"}, {"dispute_id": "x" * 300}, {"dispute_status": "NEW"}, {"dispute_status": None}),
        ],
    )
    def test_a_dispute_that_is_not_understood_is_not_recorded(self, wrong: dict[str, Any]) -> None:
        assert CONNECTOR.read_webhook(webhook(disputed(**wrong)), [SECRET]).dispute is None

    def test_a_forged_one_tells_nothing(self) -> None:
        good = webhook(message(PAYMENT))
        forged = [
            webhook(message(PAYMENT), secret="another"),
            webhook(message(PAYMENT), x_webhook_signature=""),
            webhook(message(PAYMENT), at=str(NOW_MS - 8_000_000)),
            Webhook(headers={}, body=good.body, received_at_ms=NOW_MS),
            Webhook(headers=good.headers, body=good.body + b" ", received_at_ms=NOW_MS),
            webhook(b'"' + b"x" * 70_000 + b'"'),
        ]
        for each in forged:
            with pytest.raises(InvalidSignatureError) as raised:
                CONNECTOR.read_webhook(each, [SECRET])
            assert str(raised.value) == ""
        with pytest.raises(InvalidSignatureError):
            CONNECTOR.read_webhook(good, [])

    def test_either_secret_of_a_rotation_will_do(self) -> None:
        for secret in ("old", SECRET):
            assert CONNECTOR.read_webhook(webhook(message(PAYMENT), secret=secret), ["old", SECRET]).outcome

    def test_a_repetition_has_the_same_id_whatever_its_unsigned_headers_say(self) -> None:
        first = CONNECTOR.read_webhook(webhook(message(PAYMENT), x_idempotency_key="a"), [SECRET])
        again = CONNECTOR.read_webhook(
            webhook(message(PAYMENT, extra=1), at=str(NOW_MS - 5), x_idempotency_key="b"), [SECRET]
        )
        other = CONNECTOR.read_webhook(webhook(message(PENDING)), [SECRET])
        assert first.event_id == again.event_id != other.event_id


ROW = {
    "event_id": "55",
    "event_type": "PAYMENT",
    "event_status": "SUCCESS",
    "event_amount": "#19.99",
    "event_currency": "INR",
    "event_time": "2026-01-01T05:30:00+05:30",
    "cf_payment_id": "77",
    "order_id": KEY,
}
ROW_REFUND = {**ROW, "event_type": "REFUND", "event_id": "901", "refund_id": MOVE_KEY, "event_amount": 10}
MIDNIGHT_MS = 1_767_225_600_000


def nested(row: dict[str, Any]) -> dict[str, Any]:
    """The row as API version 2026-01-01 gives it: the groups are those of the SDK's `ReconEntityDataInner`."""
    event = {name: value for name, value in row.items() if name.startswith("event_")}
    return {
        "event_details": {**event, "sale_type": "CREDIT", "entity": "recon"},
        "order_details": {"order_id": row.get("order_id"), "order_amount": 20},
        "customer_details": None,
        "payment_details": {"cf_payment_id": row.get("cf_payment_id"), "payment_group": "upi"},
        "refund_details": {"refund_id": row["refund_id"]} if "refund_id" in row else None,
        "dispute_details": None,
    }


class TestReports:
    def test_payments_and_refunds(self) -> None:
        rows = [ROW, ROW_REFUND, {"event_type": "SETTLEMENT"}, {**ROW_REFUND, "event_type": "REFUND_REVERSAL"}]
        page = CONNECTOR.reports.read(PAGE, answer(200, {"cursor": "next", "limit": 100, "data": rows}))
        paid = ReportEntry(
            kind=EntryKind.CHARGE,
            reference="77",
            provider_key=KEY,
            amount=1999,
            currency="INR",
            succeeded=True,
            at_ms=MIDNIGHT_MS,
        )
        assert page.entries[0] == paid
        kinds = [(entry.kind, entry.reference, entry.provider_key, entry.succeeded) for entry in page.entries[1:]]
        assert kinds == [(EntryKind.REFUND, "901", MOVE_KEY, True), (EntryKind.REFUND, "901", MOVE_KEY, False)]
        assert page.next_cursor == "next"

    def test_rows_of_both_versions_say_the_same(self) -> None:
        reversal = {**ROW_REFUND, "event_type": "REFUND_REVERSAL"}
        rows = [
            ROW,
            ROW_REFUND,
            {"event_type": "DISPUTE", "event_id": "1"},
            reversal,
            {**ROW, "event_status": "FAILED"},
        ]
        old = CONNECTOR.reports.read(PAGE, answer(200, {"data": rows}))
        new = CONNECTOR.reports.read(PAGE, answer(200, {"data": [nested(row) for row in rows]}))
        assert len(new.entries) == 4
        assert new == old

    @pytest.mark.parametrize("word", ["FAILED", "PENDING", "CANCELLED"])
    def test_what_did_not_move(self, word: str) -> None:
        page = CONNECTOR.reports.read(PAGE, answer(200, {"cursor": None, "data": [{**ROW, "event_status": word}]}))
        assert not page.entries[0].succeeded
        assert page.next_cursor is None

    def test_the_end(self) -> None:
        assert CONNECTOR.reports.read(PAGE, answer(200, {"cursor": "more", "data": []})).next_cursor is None
        assert CONNECTOR.reports.read(PAGE, answer(200, {"cursor": "", "data": [ROW]})).next_cursor is None

    @pytest.mark.parametrize(
        "body",
        [
            {},
            [],
            b"[" * 100_000,
            {"data": {}},
            {"data": [ROW] * 101},
            {"data": ["x"]},
            {"data": [ROW], "cursor": 7},
            {"data": [ROW], "cursor": "x" * 2049},
            {"data": [{**ROW, "event_type": "NEW"}]},
            {"data": [{**ROW, "event_type": []}]},
            {"data": [{**ROW, "event_status": "NEW"}]},
            {"data": [{**ROW, "event_status": []}]},
            {"data": [{**ROW, "event_amount": "19.99"}]},
            {"data": [{**ROW, "event_amount": "#19.999"}]},
            {"data": [{**ROW, "event_currency": "???"}]},
            {"data": [{**ROW, "event_time": "2026-01-01T05:30:00"}]},
            {"data": [{**ROW, "event_time": "yesterday"}]},
            {"data": [{**ROW, "cf_payment_id": None}]},
            {"data": [{**ROW_REFUND, "event_id": ""}]},
            {"data": [{**nested(ROW), "event_details": None}]},
            {"data": [{**nested(ROW), "event_details": "PAYMENT"}]},
            {"data": [{**nested(ROW), "payment_details": None}]},
            {"data": [{**nested(ROW), "payment_details": ["77"]}]},
            {"data": [{**nested(ROW), "order_details": "x"}]},
            {"data": [{**nested(ROW), "order_id": KEY}]},
            {"data": [nested({**ROW, "event_amount": "19.99"})]},
        ],
    )
    def test_anything_odd_is_an_error(self, body: Any) -> None:
        with pytest.raises(ValueError):  # noqa: PT011 - parsers raise it with many texts, none of which matters here
            CONNECTOR.reports.read(PAGE, answer(200, body))

    def test_a_list_that_was_not_given_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="not given"):
            CONNECTOR.reports.read(PAGE, answer(429, {}))


CANARIES = ("canary", "9876543210", "secret", "7312")
LEAKY = "tok_canary_7312 of canary@example.com, +91 98765 43210, 4111 1111 1111 1111 is not valid"


class TestSecrets:
    @pytest.mark.parametrize("status", [200, 400, 401, 409, 422, 429, 500])
    def test_no_outcome_repeats_a_token_a_person_or_a_card(self, status: int) -> None:
        bodies = [
            error("tok_canary_7312", message=LEAKY),
            error("phone_9876543210", message=LEAKY),
            {**LINK, "message": LEAKY, "code": LEAKY},
            [failed("tok_canary_7312", error_description=LEAKY)],
            [failed("9876543210", error_code=LEAKY, error_description=LEAKY)],
            {**REFUND, "refund_status": "FAILED", "status_description": LEAKY.replace("tok_canary_7312", "")},
        ]
        steps = [*CONNECTOR.charge_steps, *CONNECTOR.inquiry_steps(charge()), *CONNECTOR.cancel_steps(charge())]
        for body in bodies:
            for step in steps:
                shown = repr(_read(step, charge(), answer(status, body)))
                assert not [canary for canary in (*CANARIES, "4111", "98765") if canary in shown], shown
        refunds = [
            *CONNECTOR.operation_steps(operation_request()),
            *CONNECTOR.operation_inquiry_steps(operation_request()),
        ]
        for step in refunds:
            for body in (error(message="canary@example.com 9876543210"), bodies[-1]):
                shown = repr(move(step, operation_request(), answer(status, body)))
                assert not [canary for canary in (*CANARIES, "4111", "98765") if canary in shown], shown

    def test_no_request_shows_its_body(self) -> None:
        for step in [*CONNECTOR.charge_steps, *CONNECTOR.inquiry_steps(charge()), *CONNECTOR.cancel_steps(charge())]:
            request = step.build(charge())
            assert not [canary for canary in CANARIES if canary in repr(request)]
            shown = json.dumps([request.path, dict(request.headers)]).encode()
            shown += request.body if step.name != "order" else b""
            assert b"Ada" not in shown
            assert b"canary@" not in shown
            assert b"canary description" not in shown

    def test_messages_are_cut_and_cleaned(self) -> None:
        assert len(sanitize("x" * 1000)) == 200
        assert sanitize("a\x00b\u202ec") == "a b c"
        assert sanitize(None) == ""


class TestCapabilities:
    def test_what_is_declared(self) -> None:
        able = CONNECTOR.capabilities
        assert able.provider == "cashfree"
        assert not able.simulated
        assert able.can_cancel_and_confirm
        assert able.idempotency_window_ms == 0
        assert able.capture_modes == {CaptureMode.AUTOMATIC}

    @pytest.mark.parametrize("currency", ["KWD", "BHD", "OMR", "CLF"])
    def test_what_the_provider_is_not_sure_about_is_not_taken(self, currency: str) -> None:
        able = CONNECTOR.capabilities
        assert able.why_not(currency=currency, capture=CaptureMode.AUTOMATIC, payment_method_type="card")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["SUCCESS", "CAPTURE", "VOID", "TERMINATED", "PAID", "INR", "PAYMENT", "1", KEY, MOVE_KEY]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("order_id", "order_status", "payment_status", "payment_amount", "payment_currency"),
                    *("cf_payment_id", "is_captured", "authorization", "action", "status", "captured_amount"),
                    *("refund_id", "refund_status", "refund_amount", "data", "type", "event_type", "code"),
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)
STATUS = st.integers(min_value=100, max_value=599)
BODY = st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode())
HEADERS = st.dictionaries(st.sampled_from(["date", "x-ratelimit-retry"]), st.text(max_size=12))
MODES = st.sampled_from(list(CaptureMode))


def every_step(mode: CaptureMode) -> list[Any]:
    asked = charge(capture=mode)
    return [*CONNECTOR.charge_steps, *CONNECTOR.inquiry_steps(asked), *CONNECTOR.cancel_steps(asked)]


@given(status=STATUS, body=BODY, headers=HEADERS, mode=MODES)
def test_no_answer_whatsoever_raises_or_makes_a_charge_out_of_nothing(
    status: int, body: bytes, headers: dict[str, str], mode: CaptureMode
) -> None:
    response = HttpResponse(status=status, headers=headers, body=body)
    for step in every_step(mode):
        outcome = _read(step, charge(capture=mode, progress={**PROGRESS, "order_closed": "terminated"}), response)
        assert not isinstance(outcome, NotSent)
        if isinstance(outcome, Succeeded | Authorized):
            assert b"SUCCESS" in body
            assert (status, outcome.merchant_reference) == (200, KEY)
        if isinstance(outcome, ConfirmedCancelled):
            assert (status, body[:1]) == (200, b"[")
    for kind in OperationKind:
        for step in [
            *CONNECTOR.operation_steps(operation_request(kind)),
            *CONNECTOR.operation_inquiry_steps(operation_request(kind)),
        ]:
            outcome = move(step, operation_request(kind), response)
            if isinstance(outcome, Succeeded):
                assert status == 200
                assert KEY.encode() in body


@given(body=BODY)
def test_an_authentic_webhook_never_fails_and_a_list_fails_in_one_way(body: bytes) -> None:
    assert CONNECTOR.read_webhook(webhook(body), [SECRET]).event_id
    try:
        CONNECTOR.reports.read(PAGE, HttpResponse(status=200, headers={}, body=body))
    except ValueError:
        return


@pytest.mark.parametrize(
    "data",
    [
        {"payment": {"cf_payment_id": "1", "payment_status": "\ud83d"}},
        {"refund": {"cf_refund_id": "1", "refund_status": "\udc00"}},
    ],
)
def test_a_webhook_with_half_a_character_in_its_status_is_a_hint(data: dict[str, Any]) -> None:
    event = CONNECTOR.read_webhook(webhook(json.dumps({"type": "X", "data": data}).encode()), [SECRET])
    assert (event.outcome, event.operation_outcome) == (None, None)
    assert len(event.event_id) == 40
