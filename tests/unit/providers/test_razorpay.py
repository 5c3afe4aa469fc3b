"""The Razorpay connector: exact requests, every word of its tables, and only read states are believed."""

import base64
import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflowx.domain.payments.capabilities import Capabilities
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
from payflowx.domain.providers.events import InvalidSignatureError, ProviderEvent, Webhook
from payflowx.domain.providers.ports import Account, ChargeRequest
from payflowx.domain.reconciliation.reports import EntryKind, ReportEntry, ReportPage
from payflowx.domain.shared.limits import DAY_MS
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode, DeclineKind
from payflowx.domain.shared.transport import Credentials, HttpRequest, HttpResponse, HttpResult, NoAnswer, NoConnection
from payflowx.providers.http_provider import HttpProvider, _read
from payflowx.providers.razorpay.connector import CONNECTOR
from payflowx.providers.razorpay.declines import DECLINES, UNDECIDED, UNTIL_READ
from payflowx.providers.razorpay.refusals import REFUSALS
from payflowx.providers.razorpay.signature import is_payment_signed, is_signed, sign
from payflowx.providers.refusals import RefusedCall

KEY = "pfx-abcdefghijklmnop-1"
REFUND_KEY = "pfx-qrstuvwxyz234567-1"
ACCOUNT = Account(provider="razorpay", account_id="main", endpoint="https://provider.test", secret_arn="arn:s")
CUSTOMER = Customer(id="canary-7", name="Ada Canary", email="canary@example.com", phone="+919876543210")
SIX_DAYS_SECONDS = 6 * 24 * 3600
OLD = {"order_id": "order_1"}
"""What release 0.2.0 stored about an order: Razorpay captures by itself."""
OURS = {"order_id": "order_1", "capture_within_minutes": "7200"}
"""The order waits for our capture."""
REASONS = [(reason, group.kind) for group in DECLINES for reason in sorted(group.reasons) if reason not in UNTIL_READ]


def charge(**changes: Any) -> ChargeRequest:
    values: dict[str, Any] = {
        "provider_key": KEY,
        "amount": 1999,
        "currency": "INR",
        "token": "cust_canary1:token_canary2",
        "payment_method_type": "card",
        "capture": CaptureMode.AUTOMATIC,
        "customer": CUSTOMER,
        "description": "canary description",
        "progress": OURS,
        **changes,
    }
    return ChargeRequest(**values)


def operation_request(kind: OperationKind = OperationKind.REFUND, **changes: Any) -> OperationRequest:
    values: dict[str, Any] = {
        "kind": kind,
        "provider_key": REFUND_KEY,
        "amount": 500 if kind is OperationKind.REFUND else 1999,
        "currency": "INR",
        "charge_key": KEY,
        "charge_reference": "pay_1",
        "charge_amount": 1999,
        "charge_progress": {"order_id": "order_1"},
        **changes,
    }
    return OperationRequest(**values)


def answer(status: int, body: Any, **headers: str) -> HttpResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status=status, headers=headers, body=data)


def error(status: int = 400, **members: Any) -> HttpResponse:
    return answer(status, {"error": {"code": "BAD_REQUEST_ERROR", "description": "No.", "metadata": {}, **members}})


def payment(status: str = "captured", **changes: Any) -> dict[str, Any]:
    return {
        "id": "pay_1",
        "entity": "payment",
        "order_id": "order_1",
        "amount": 1999,
        "currency": "INR",
        "status": status,
        "captured": status == "captured",
        "amount_refunded": 0,
        "refund_status": None,
        "notes": {"payflowx_key": KEY},
        "created_at": 1_700_000_000,
        **changes,
    }


def lapsed(**changes: Any) -> dict[str, Any]:
    return payment("refunded", **{"captured": False, "amount_refunded": 1999, "refund_status": "full", **changes})


def refund(status: str = "processed", **changes: Any) -> dict[str, Any]:
    return {
        "id": "rfnd_1",
        "entity": "refund",
        "payment_id": "pay_1",
        "amount": 500,
        "currency": "INR",
        "status": status,
        "receipt": REFUND_KEY,
        "notes": [],
        "created_at": 1_700_000_100,
        **changes,
    }


def collection(*items: Any) -> dict[str, Any]:
    return {"entity": "collection", "count": len(items), "items": list(items)}


def order(**changes: Any) -> dict[str, Any]:
    return {
        "id": "order_1",
        "entity": "order",
        "amount": 1999,
        "currency": "INR",
        "receipt": KEY,
        "status": "created",
        **changes,
    }


@dataclass
class FakeHttp:
    answers: list[HttpResult]
    sent: list[HttpRequest] = field(default_factory=list)

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        self.sent.append(request)
        return self.answers.pop(0)


class FakeSecrets:
    def credentials(self, secret_arn: str) -> Credentials:
        return Credentials(key_id="id-canary", key_secret="secret-canary")


def http_provider(*answers: HttpResult) -> HttpProvider:
    return HttpProvider(
        connector=CONNECTOR,
        http=FakeHttp(list(answers)),
        secrets=FakeSecrets(),
        clock_ms=lambda: 0,
        observe=lambda *_args: None,
    )


def pay(response: HttpResult, **changes: Any) -> Any:
    return http_provider(response).charge(charge(**changes), ACCOUNT)


def inquire(*payments: Any, **changes: Any) -> Any:
    return http_provider(answer(200, collection(*payments))).inquire(charge(**changes), ACCOUNT)


def move(response: HttpResponse, asked: OperationRequest) -> Any:
    return CONNECTOR.operation_steps(asked)[0].read(asked, response)


def look(response: HttpResponse, asked: OperationRequest) -> Any:
    return CONNECTOR.operation_inquiry_steps(asked)[0].read(asked, response)


OPERATIONS = (
    operation_request(),
    operation_request(reference="rfnd_1"),
    operation_request(OperationKind.CAPTURE),
)


class TestDeclaration:
    def test_it_is_a_declaration_of_one_provider(self) -> None:
        assert CONNECTOR.capabilities.provider == "razorpay"
        assert CONNECTOR.operation_steps(operation_request())

    def test_it_promises_nothing_that_the_provider_does_not(self) -> None:
        able: Capabilities = CONNECTOR.capabilities
        assert (able.idempotency_window_ms, able.can_cancel_and_confirm, able.simulated) == (0, False, False)
        assert able.currencies == frozenset({"INR"})
        assert able.capture_modes == frozenset(CaptureMode)
        assert able.inquiry_horizon_ms > 5 * DAY_MS
        assert CONNECTOR.cancel_steps(charge(progress=OLD)) == ()
        assert CONNECTOR.cancel_steps(charge(capture=CaptureMode.MANUAL)) == ()

    def test_nothing_can_have_charged_before_the_order_is_stored(self) -> None:
        assert http_provider().may_have_charged({}) is False
        assert http_provider().may_have_charged({"order_id": "order_1"}) is True
        assert CONNECTOR.inquiry_steps(charge(progress={})) == ()

    def test_only_the_last_step_charges(self) -> None:
        assert [(step.charges, step.yields) for step in CONNECTOR.charge_steps] == [
            (False, ("order_id",)),
            (True, ()),
        ]


class TestRequests:
    def test_the_order(self) -> None:
        request = CONNECTOR.charge_steps[0].build(charge(progress={}))
        assert (request.method, request.path) == ("POST", "/v1/orders")
        assert request.body == (
            b'{"amount":1999,"currency":"INR","receipt":"pfx-abcdefghijklmnop-1",'
            b'"notes":{"payflowx_key":"pfx-abcdefghijklmnop-1"},"partial_payment":false,'
            b'"payment":{"capture":"manual","capture_options":{"manual_expiry_period":7200,"refund_speed":"normal"}}}'
        )

    def test_the_order_of_stored_metadata_changes_no_byte(self) -> None:
        given = {f"name{n:02}": str(n) for n in range(20)}
        turned = dict(reversed(given.items()))
        for step in CONNECTOR.charge_steps:
            assert step.build(charge(metadata=given)).body == step.build(charge(metadata=turned)).body

    @pytest.mark.parametrize(
        ("kind", "capture", "minutes"),
        [
            ("upi", CaptureMode.AUTOMATIC, 20),
            ("upi", CaptureMode.MANUAL, 7200),
            ("card", CaptureMode.AUTOMATIC, 7200),
            ("card", CaptureMode.MANUAL, 7200),
        ],
    )
    def test_no_order_captures_by_itself_and_a_payers_money_is_returned_soon(
        self, kind: str, capture: CaptureMode, minutes: int
    ) -> None:
        """A debit of a mandate is authorized 36 hours after its notification, and is captured by us after that."""
        asked = charge(capture=capture, payment_method_type=kind, progress={})
        body = json.loads(CONNECTOR.charge_steps[0].build(asked).body)
        assert body["payment"] == {
            "capture": "manual",
            "capture_options": {"manual_expiry_period": minutes, "refund_speed": "normal"},
        }
        learned = CONNECTOR.charge_steps[0].read(asked, answer(200, order()))
        assert learned == Progress(facts={"order_id": "order_1", "capture_within_minutes": str(minutes)})

    def test_a_saved_card(self) -> None:
        request = CONNECTOR.charge_steps[1].build(charge())
        assert request.path == "/v1/payments/create/recurring"
        assert json.loads(request.body) == {
            "amount": 1999,
            "currency": "INR",
            "order_id": "order_1",
            "notes": {"payflowx_key": KEY},
            "description": "canary description",
            "email": "canary@example.com",
            "contact": "+919876543210",
            "token": "token_canary2",
            "recurring": True,
            "customer_id": "cust_canary1",
        }

    def test_whose_token_it_is(self) -> None:
        def sent(token: str, customer_id: str | None) -> tuple[str | None, str]:
            asked = charge(token=token, customer=Customer(id=customer_id))
            body = json.loads(CONNECTOR.charge_steps[1].build(asked).body)
            return body.get("customer_id"), body["token"]

        assert sent("token_1", "cust_1") == ("cust_1", "token_1")
        assert sent("cust_2:token_1", "cust_1") == ("cust_2", "token_1")
        assert sent("token_1", "shop-7") == (None, "token_1")
        assert sent("token_1", None) == (None, "token_1")

    def test_upi(self) -> None:
        request = CONNECTOR.charge_steps[1].build(charge(payment_method_type="upi"))
        assert request.path == "/v1/payments/create/upi"
        body = json.loads(request.body)
        assert (body["method"], body["upi"]) == ("upi", {"flow": "intent"})
        assert "token" not in body

    @pytest.mark.parametrize("customer", [None, Customer(), Customer(name="Ada")])
    @pytest.mark.parametrize("token", ["", "token_1", "a:b:c"])
    @pytest.mark.parametrize("kind", ["card", "upi"])
    def test_nothing_that_is_missing_stops_a_builder(self, customer: Customer | None, token: str, kind: str) -> None:
        for step in CONNECTOR.charge_steps:
            body = json.loads(step.build(charge(customer=customer, token=token, payment_method_type=kind)).body)
            assert "email" not in body
            assert body.get("customer_id") != ""

    def test_the_same_charge_gives_the_same_bytes_and_any_difference_others(self) -> None:
        same = http_provider().request_hash
        assert same(charge()) == same(charge(progress={}, reference="x"))
        for change in (
            {"amount": 2000},
            {"currency": "USD"},
            {"token": "cust_1:token_1"},
            {"provider_key": "pfx-abcdefghijklmnop-2"},
            {"payment_method_type": "upi"},
        ):
            assert same(charge()) != same(charge(**change))
        upi = charge(payment_method_type="upi")
        assert same(upi) != same(replace(upi, capture=CaptureMode.MANUAL))

    def test_a_refund_has_its_own_key(self) -> None:
        (step,) = CONNECTOR.operation_steps(operation_request())
        request = step.build(operation_request())
        assert (request.method, request.path, step.moves) == ("POST", "/v1/payments/pay_1/refund", True)
        assert request.headers["X-Refund-Idempotency"] == REFUND_KEY
        assert json.loads(request.body) == {
            "amount": 500,
            "speed": "normal",
            "receipt": REFUND_KEY,
            "notes": {"payflowx_key": REFUND_KEY},
        }

    def test_a_capture_takes_everything_or_does_not_exist(self) -> None:
        (step,) = CONNECTOR.operation_steps(operation_request(OperationKind.CAPTURE))
        request = step.build(operation_request(OperationKind.CAPTURE))
        assert (request.path, request.body) == ("/v1/payments/pay_1/capture", b'{"amount":1999,"currency":"INR"}')
        assert CONNECTOR.operation_steps(operation_request(OperationKind.CAPTURE, amount=1000)) == ()

    def test_a_void_does_not_exist(self) -> None:
        asked = operation_request(OperationKind.VOID)
        assert (CONNECTOR.operation_steps(asked), CONNECTOR.operation_inquiry_steps(asked)) == ((), ())

    def test_reads_change_nothing_and_escape_what_they_name(self) -> None:
        steps = [CONNECTOR.inquiry_steps(charge())[0].build(charge(progress={"order_id": "a/b?c"}))]
        steps += [CONNECTOR.operation_inquiry_steps(asked)[0].build(asked) for asked in OPERATIONS]
        assert {(request.method, request.body) for request in steps} == {("GET", b"")}
        assert [request.path for request in steps] == [
            "/v1/orders/a%2Fb%3Fc/payments",
            "/v1/payments/pay_1/refunds?count=100",
            "/v1/refunds/rfnd_1",
            "/v1/payments/pay_1",
        ]

    def test_credentials_are_in_one_header_only(self) -> None:
        plain = CONNECTOR.charge_steps[0].build(charge())
        sent = CONNECTOR.authenticate(plain, Credentials(key_id="id-canary", key_secret="secret-canary"))
        assert sent.headers["Authorization"] == "Basic " + base64.b64encode(b"id-canary:secret-canary").decode()
        assert (sent.body, sent.path) == (plain.body, plain.path)

    def test_no_repr_shows_a_token_or_a_person(self) -> None:
        for step in CONNECTOR.charge_steps:
            assert "canary" not in repr(step.build(charge()))


class TestOrder:
    @pytest.mark.parametrize(
        "change",
        [
            {"amount": 1998},
            {"currency": "USD"},
            {"receipt": "other"},
            {"receipt": None},
            {"status": "attempted"},
            {"status": "paid"},
            {"id": ""},
            {"id": None},
            {"amount": "1999"},
            {"amount": 1999.0},
        ],
    )
    def test_another_order_is_not_paid(self, change: dict[str, Any]) -> None:
        assert isinstance(pay(answer(200, order(**change)), progress={}), Unknown)

    def test_refusals(self) -> None:
        small = error(description="The amount is invalid", field="amount")
        assert pay(small, progress={}) == Rejected(code="field_refused", message="The amount is invalid")
        other = error(description="Something else", field="offer_id")
        assert pay(other, progress={}) == Rejected(code="BAD_REQUEST_ERROR", message="Something else")
        named = error(reason="amount_less_than_minimum_amount")
        assert pay(named, progress={}) == Rejected(code="amount_less_than_minimum_amount", message="No.")
        assert isinstance(pay(error(description="Receipt has already been taken"), progress={}), Unknown)
        assert isinstance(pay(answer(400, b"<html>"), progress={}), Unknown)


class TestPay:
    def test_a_started_payment_is_accepted_and_never_charged(self) -> None:
        assert pay(answer(200, {"razorpay_payment_id": "pay_1"})) == Accepted(reference="pay_1")
        signed = {"razorpay_payment_id": "pay_1", "razorpay_order_id": "order_1", "razorpay_signature": "x"}
        assert pay(answer(200, signed)) == Accepted(reference="pay_1")

    def test_the_payer_gets_the_link_unchanged(self) -> None:
        link = "upi://pay?pa=shop@bank&pn=Shop&tr=x&am=19.99&cu=INR"
        outcome = pay(answer(200, {"razorpay_payment_id": "pay_1", "link": link}), payment_method_type="upi")
        assert outcome == ActionRequired(reference="pay_1", action=NextAction(kind="upi_intent", url=link))

    @pytest.mark.parametrize(
        "link", [None, "", 7, "https://evil.test", "upi:/x", "upi://" + "x" * 3000, "upi://a\u202eb", "upi://a\nb"]
    )
    def test_no_link_no_action(self, link: Any) -> None:
        body = {"razorpay_payment_id": "pay_1", "link": link}
        assert pay(answer(200, body), payment_method_type="upi") == Unknown(code="action_without_address")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            [],
            {"razorpay_payment_id": None},
            {"razorpay_payment_id": "a b"},
            {"razorpay_payment_id": "pay_1", "razorpay_order_id": "order_2"},
            b"",
            b"<html>ok</html>",
            b"[" * 100_000,
        ],
    )
    def test_garbage_is_unknown(self, body: Any) -> None:
        assert isinstance(pay(answer(200, body)), Unknown)

    @pytest.mark.parametrize("status", [201, 202, 204, 301, 302, 404, 405, 408, 409, 422, 500, 502, 503, 504, 599])
    def test_other_statuses_are_unknown(self, status: int) -> None:
        assert isinstance(pay(error(status, reason="card_declined")), Unknown)
        assert isinstance(pay(answer(status, b"<html>")), Unknown)

    def test_what_was_refused_before_processing(self) -> None:
        limited = replace(error(429), headers={"retry-after": "7"})
        assert pay(limited) == Rejected(code="rate_limited", message="No.", retry_after_seconds=7)
        for status in (401, 403):
            outcome = pay(error(status))
            assert isinstance(outcome, Rejected)
            assert outcome.misconfigured

    @pytest.mark.parametrize(
        "members",
        [
            {},
            {"field": "order_id"},
            {"field": None},
            {"field": ["amount"]},
            {"field": "amount", "code": "GATEWAY_ERROR"},
            {"field": "amount", "description": "Payment already done for this order."},
            {"reason": "input_validation_failed", "description": "the order is already paid"},
            {"reason": "input_validation_failed", "metadata": {"payment_id": {"a": 1}}},
            {"reason": "input_validation_failed", "metadata": {"order_id": "order_2"}},
            {"reason": "card_declined", "metadata": {"order_id": "order_2"}},
            {"reason": "a_new_reason"},
            {"reason": "a_new_reason", "metadata": {"payment_id": "pay_1"}},
            {"reason": ["card_declined"]},
            {"reason": {"a": 1}},
            {"reason": "Some text."},
        ],
    )
    def test_a_unknown_outcome_stays_unknown(self, members: dict[str, Any]) -> None:
        assert isinstance(pay(error(**members)), Unknown)

    @pytest.mark.parametrize("reason", sorted(UNDECIDED | UNTIL_READ))
    @pytest.mark.parametrize("metadata", [{}, {"payment_id": "pay_1"}])
    def test_undecided_reasons(self, reason: str, metadata: dict[str, str]) -> None:
        assert pay(error(reason=reason, metadata=metadata)) == Unknown(code=reason, message="No.")

    @pytest.mark.parametrize(("reason", "kind"), REASONS)
    def test_no_decline_takes_money_later_unless_razorpay_captures_by_itself(
        self, reason: str, kind: DeclineKind
    ) -> None:
        declined = error(reason=reason, metadata={"payment_id": "pay_1", "order_id": "order_1"})
        known = {"kind": kind, "code": reason, "message": "No.", "reference": "pay_1"}
        assert pay(declined) == Declined(**known)
        assert pay(declined, capture=CaptureMode.MANUAL) == Declined(**known)
        assert pay(declined, progress=OLD) == Declined(**known, reopens_for_seconds=SIX_DAYS_SECONDS)

    def test_the_classes_do_not_overlap(self) -> None:
        refused = frozenset(row.code for row in REFUSALS.rows if RefusedCall.CHARGE in row.calls)
        classes = [UNDECIDED, refused, *(group.reasons for group in DECLINES)]
        assert len(frozenset().union(*classes)) == sum(len(words) for words in classes)

    def test_every_kind_of_decline_has_a_page_of_razorpay(self) -> None:
        assert all(group.source.startswith("https://razorpay.com/docs/") for group in DECLINES)
        assert {group.kind for group in DECLINES} == set(DeclineKind)

    def test_no_answer_and_no_connection(self) -> None:
        assert pay(NoAnswer(code="read_timeout")) == Unknown(code="read_timeout")
        assert http_provider(NoConnection(code="refused")).inquire(charge(), ACCOUNT) == Unknown(code="refused")


class TestConversation:
    def test_a_charge_from_order_to_capture(self) -> None:
        talk = http_provider(
            answer(200, order()),
            answer(200, {"razorpay_payment_id": "pay_1"}),
            answer(200, collection(payment("created"))),
            answer(200, collection(payment())),
        )
        learned = talk.charge(charge(progress={}), ACCOUNT)
        asked = charge(progress=learned.facts)
        assert talk.charge(asked, ACCOUNT) == Accepted(reference="pay_1")
        assert talk.inquire(asked, ACCOUNT) == Accepted(reference="pay_1")
        assert isinstance(talk.inquire(asked, ACCOUNT), Succeeded)
        assert [request.method for request in talk.http.sent] == ["POST", "POST", "GET", "GET"]

    def test_a_late_authorization_is_seen_after_a_decline(self) -> None:
        refused = error(reason="payment_failed", metadata={"payment_id": "pay_1", "order_id": "order_1"})
        assert pay(refused, progress=OLD).reopens_for_seconds > 5 * 24 * 3600
        assert isinstance(inquire(payment("authorized"), reference="pay_1", progress=OLD), Accepted)
        assert isinstance(inquire(payment(), reference="pay_1", progress=OLD), Succeeded)


class TestInquiry:
    def test_captured(self) -> None:
        charged = Succeeded(reference="pay_1", amount=1999, currency="INR", merchant_reference=KEY)
        assert inquire(payment()) == charged
        assert inquire(payment(notes=[])) == charged
        assert inquire(payment(amount_refunded=100, refund_status="partial")) == charged
        assert inquire(payment("failed", id="pay_0"), payment()) == charged

    def test_what_was_read_is_passed_on_for_verification(self) -> None:
        assert inquire(payment(amount=2000)).amount == 2000
        assert inquire(payment(currency="USD")).currency == "USD"
        assert inquire(payment(order_id="order_2")).merchant_reference == "order_2"
        assert inquire(payment(notes={"payflowx_key": "pfx-other-1"})).merchant_reference == "pfx-other-1"

    @pytest.mark.parametrize(
        "change",
        [
            {"amount": None},
            {"amount": True},
            {"amount": "1999"},
            {"amount": 1999.0},
            {"currency": None},
            {"order_id": None},
            {"id": None},
            {"captured": False},
            {"captured": "yes"},
            {"status": "CAPTURED"},
            {"status": "settled"},
            {"status": None},
            {"status": ["captured"]},
        ],
    )
    def test_a_capture_that_is_not_whole_is_unknown(self, change: dict[str, Any]) -> None:
        assert isinstance(inquire(payment(**change)), Unknown)

    @pytest.mark.parametrize("status", ["created", "authorized", "failed"])
    def test_one_that_is_captured_whatever_its_status_says_is_unknown(self, status: str) -> None:
        """Neither declined nor left, beside money that may have been taken."""
        contradiction = payment(status, captured=True)
        assert inquire(contradiction) == Unknown(code="captured_contradicted")
        cancelled = http_provider(answer(200, collection(contradiction))).cancel_and_confirm(charge(), ACCOUNT)
        assert cancelled == Unknown(code="captured_contradicted")
        asked = operation_request(kind=OperationKind.CAPTURE, amount=1999)
        assert isinstance(look(answer(200, contradiction), asked), Unknown)

    @pytest.mark.parametrize("status", ["created", "authorized", "failed"])
    @pytest.mark.parametrize("newest", ["created", "authorized", "failed"])
    def test_so_is_one_beside_a_newer_payment_of_the_order(self, status: str, newest: str) -> None:
        """One payment of an order that contradicts itself may have taken the money, whatever the others say."""
        contradiction = payment(status, captured=True, created_at=1)
        assert inquire(contradiction, payment(newest, id="pay_2")) == Unknown(code="captured_contradicted")

    def test_a_captured_payment_decides_beside_one_that_contradicts_itself(self) -> None:
        assert isinstance(inquire(payment("failed", id="pay_2", captured=True), payment()), Succeeded)

    def test_two_captures_are_a_mismatch(self) -> None:
        assert inquire(payment(), payment(id="pay_2")) == Mismatch(code="duplicate_charge")

    def test_authorized(self) -> None:
        held = Authorized(reference="pay_1", amount=1999, currency="INR", merchant_reference=KEY)
        assert inquire(payment("authorized")) == held
        assert inquire(payment("authorized"), capture=CaptureMode.MANUAL) == held
        assert inquire(payment("authorized"), capture=CaptureMode.MANUAL, progress=OLD) == held
        assert inquire(payment("authorized"), progress=OLD) == Accepted(reference="pay_1")
        assert isinstance(inquire(payment("authorized", order_id="order_2")), Mismatch)

    def test_created(self) -> None:
        assert inquire(payment("created")) == Accepted(reference="pay_1")
        assert inquire(payment("created"), payment("failed", id="pay_0")) == Accepted(reference="pay_1")

    def test_a_payer_who_has_the_link_keeps_it(self) -> None:
        waiting = inquire(payment("created"), payment_method_type="upi", reference="pay_1")
        assert waiting == Unknown(code="awaiting_payer")
        assert inquire(payment("created"), payment_method_type="upi") == Accepted(reference="pay_1")

    @pytest.mark.parametrize(
        ("reason", "kind"),
        [
            ("payment_timed_out", DeclineKind.SOFT),
            ("server_error", DeclineKind.SOFT),
            ("bank_technical_error", DeclineKind.SOFT),
            ("insufficient_funds", DeclineKind.FUNDS),
            ("card_expired", DeclineKind.HARD),
            ("a_new_reason", DeclineKind.HARD),
        ],
    )
    def test_failed_is_a_decline(self, reason: str, kind: DeclineKind) -> None:
        failed = payment("failed", error_reason=reason, error_description="No.")
        known = {"kind": kind, "code": reason, "message": "No.", "reference": "pay_1"}
        assert inquire(failed) == Declined(**known)
        assert inquire(failed, progress=OLD) == Declined(**known, reopens_for_seconds=SIX_DAYS_SECONDS)

    def test_failed_without_a_reason_is_hard(self) -> None:
        outcome = inquire(payment("failed", error_reason=None))
        assert (outcome.kind, outcome.code) == (DeclineKind.HARD, "unrecognized")

    @pytest.mark.parametrize("reason", sorted(UNDECIDED))
    def test_failed_for_a_reason_that_contradicts_it_is_unknown(self, reason: str) -> None:
        failed = payment("failed", error_reason=reason, error_description="Pending.")
        assert inquire(failed) == Unknown(code=reason, message="Pending.")

    def test_never_captured_and_given_back_in_full_is_the_only_confirmed_cancellation(self) -> None:
        assert inquire(lapsed()) == ConfirmedCancelled(reference="pay_1")
        for change in ({"captured": None}, {"refund_status": "partial"}, {"amount_refunded": 1998}):
            assert isinstance(inquire(lapsed(**change)), Unknown)
        assert isinstance(inquire(lapsed(order_id="order_2")), Mismatch)
        assert isinstance(inquire(lapsed(), payment("failed", id="pay_2", error_reason="card_expired")), Declined)
        assert isinstance(inquire(lapsed(), payment("created", id="pay_2")), Accepted)

    def test_captured_and_refunded_elsewhere(self) -> None:
        """A charge was made; the list of refunds says what became of it."""
        taken = Succeeded(reference="pay_1", amount=1999, currency="INR", merchant_reference=KEY)
        assert inquire(lapsed(captured=True)) == taken

    def test_nothing_is_not_found(self) -> None:
        assert inquire() == NotFound()

    @pytest.mark.parametrize(
        "body",
        [
            {"items": []},
            {"count": 1, "items": []},
            {"count": 2, "items": [payment()]},
            {"count": 1, "items": ["x"]},
            {"count": 0, "items": None},
            {"count": True, "items": [payment()]},
            collection(*[payment("failed", id=f"pay_{n}") for n in range(101)]),
            collection(payment(), payment("new_word", id="pay_2")),
            [],
            b"[" * 100_000,
            b'{"count":NaN,"items":[]}',
        ],
    )
    def test_a_list_with_holes_is_unknown(self, body: Any) -> None:
        assert isinstance(http_provider(answer(200, body)).inquire(charge(), ACCOUNT), Unknown)

    @pytest.mark.parametrize("status", [204, 302, 400, 401, 403, 404, 409, 429, 500, 503])
    def test_a_read_that_fails_is_no_news(self, status: int) -> None:
        outcome = http_provider(answer(status, collection(payment()))).inquire(charge(), ACCOUNT)
        assert outcome == Unknown(code=f"http_{status}")


class TestOperations:
    def test_refund(self) -> None:
        moved = Succeeded(reference="rfnd_1", amount=500, currency="INR", merchant_reference=REFUND_KEY)
        assert move(answer(200, refund()), operation_request()) == moved
        assert move(answer(200, refund("pending")), operation_request()) == Accepted(reference="rfnd_1")
        assert move(answer(200, refund("created")), operation_request()) == Accepted(reference="rfnd_1")
        assert move(answer(200, refund("failed")), operation_request()) == Declined(
            code="refund_failed", reference="rfnd_1"
        )
        assert isinstance(move(answer(200, refund("reversed")), operation_request()), Unknown)
        assert look(answer(200, refund()), operation_request(reference="rfnd_1")) == moved
        noted = refund(receipt=None, notes={"payflowx_key": REFUND_KEY})
        assert look(answer(200, noted), operation_request(reference="rfnd_1")) == moved

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"amount": 499}, "amount_differs"),
            ({"currency": "USD"}, "currency_differs"),
            ({"payment_id": "pay_2"}, "reference_differs"),
            ({"receipt": "pfx-other-1"}, "reference_differs"),
            ({"receipt": None}, "reference_differs"),
        ],
    )
    def test_another_refund_is_a_mismatch(self, change: dict[str, Any], code: str) -> None:
        assert move(answer(200, refund(**change)), operation_request()) == Mismatch(code=code, reference="rfnd_1")

    def test_a_refund_is_found_by_our_key_and_never_by_its_amount(self) -> None:
        other = refund(id="rfnd_0", receipt="pfx-other-1")
        assert look(answer(200, collection(other)), operation_request()) == NotFound(complete=True)
        assert look(answer(200, collection()), operation_request()) == NotFound(complete=True)
        full = collection(*[refund(id=f"rfnd_{n}", receipt=None) for n in range(100)])
        assert look(answer(200, full), operation_request()) == Unknown(code="list_incomplete")
        found = look(answer(200, collection(other, refund())), operation_request())
        assert isinstance(found, Succeeded)
        twice = collection(refund(), refund(id="rfnd_2"))
        assert look(answer(200, twice), operation_request()) == Mismatch(code="duplicate_refund")

    def test_capture(self) -> None:
        asked = operation_request(OperationKind.CAPTURE)
        moved = Succeeded(reference="pay_1", amount=1999, currency="INR", merchant_reference=REFUND_KEY)
        assert move(answer(200, payment()), asked) == moved
        assert look(answer(200, payment()), asked) == moved
        assert isinstance(move(answer(200, payment("authorized")), asked), Unknown)
        assert look(answer(200, payment("authorized")), asked) == NotFound(complete=True)
        assert look(answer(200, lapsed()), asked) == Declined(code="authorization_released", reference="pay_1")
        assert look(answer(200, lapsed(captured=True)), asked) == moved
        assert isinstance(look(answer(200, payment("failed")), asked), Unknown)
        assert isinstance(look(answer(200, payment(captured=False)), asked), Unknown)

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"amount": 1998}, "amount_differs"),
            ({"currency": "USD"}, "currency_differs"),
            ({"id": "pay_2"}, "reference_differs"),
            ({"order_id": "order_2"}, "reference_differs"),
        ],
    )
    def test_another_capture_is_a_mismatch(self, change: dict[str, Any], code: str) -> None:
        outcome = move(answer(200, payment(**change)), operation_request(OperationKind.CAPTURE))
        assert isinstance(outcome, Mismatch)
        assert outcome.code == code

    @pytest.mark.parametrize("asked", [operation_request(), operation_request(OperationKind.CAPTURE)])
    @pytest.mark.parametrize("status", [400, 404, 409, 422, 500, 502])
    def test_an_error_says_nothing_about_money_that_moves(self, asked: OperationRequest, status: int) -> None:
        same_key = error(status, description="Different request with the same idempotency key.", reason="NA")
        for response in (same_key, error(status, reason="input_validation_failed", field="amount")):
            assert isinstance(move(response, asked), Unknown)
        assert isinstance(look(error(status), asked), Unknown)

    @pytest.mark.parametrize("status", [401, 403, 429])
    def test_refused_at_the_edge(self, status: int) -> None:
        assert isinstance(move(error(status), operation_request()), Rejected)


PAID_EVENT = {
    "entity": "event",
    "event": "order.paid",
    "payload": {"payment": {"entity": payment()}, "order": {"entity": order(status="paid")}},
}
REFUND_EVENT = {
    "entity": "event",
    "event": "refund.processed",
    "payload": {"payment": {"entity": payment()}, "refund": {"entity": refund()}},
}


def provider_event(
    event: Any, secret: str = "whsec", secrets: tuple[str, ...] = ("whsec",), **headers: str
) -> ProviderEvent:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    signed = {"x-razorpay-signature": sign(body, secret), "x-razorpay-event-id": "evt_1", **headers}
    return CONNECTOR.read_webhook(Webhook(headers=signed, body=body, received_at_ms=0), secrets)


def changed(event: dict[str, Any], name: str, **changes: Any) -> dict[str, Any]:
    copy = json.loads(json.dumps(event))
    copy["payload"][name]["entity"].update(changes)
    return copy


class TestWebhooks:
    def test_signature_vectors_of_our_own(self) -> None:
        # openssl dgst -sha256 -hmac secret
        assert sign(b'{"a":1}', "secret") == "aa9e2e3575f5d7098b6caccd790888c36d5fdb63342a73bada2d6a51747a8494"
        known = "88aab3ede8d3adf94d26ab90d3bafd4a2083070c3bcce9c014ee04a443847c0b"
        assert is_signed(b"hello", known, ("", "other", "secret"))
        assert not is_signed(b"hello", known, ())
        assert not is_signed(b"hello", known.upper(), ("secret",))
        assert not is_signed(b"hello", "\u0661\udc80", ("secret",))
        assert is_payment_signed("order_1", "pay_1", sign(b"order_1|pay_1", "k"), "k")
        assert not is_payment_signed("order_2", "pay_1", sign(b"order_1|pay_1", "k"), "k")

    def test_a_paid_order_is_proof(self) -> None:
        assert provider_event(PAID_EVENT) == ProviderEvent(
            event_id="evt_1",
            type="order.paid",
            charge_reference="pay_1",
            charge_key=KEY,
            outcome=Succeeded(reference="pay_1", amount=1999, currency="INR", merchant_reference=KEY),
        )

    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("order", {"receipt": "shop-7"}),
            ("order", {"receipt": None}),
            ("order", {"status": "attempted"}),
            ("order", {"amount": 5000}),
            ("order", {"id": "order_2"}),
            ("payment", {"status": "authorized"}),
            ("payment", {"captured": False}),
            ("payment", {"amount_refunded": 1}),
            ("payment", {"amount_refunded": [1]}),
            ("payment", {"currency": None}),
            ("payment", {"id": "a b"}),
        ],
    )
    def test_a_paid_order_that_is_not_whole_is_a_reason_to_inquire(self, name: str, change: dict[str, Any]) -> None:
        assert provider_event(changed(PAID_EVENT, name, **change)).outcome is None

    @pytest.mark.parametrize("event", ["payment.captured", "payment.authorized", "payment.failed", "new.event"])
    def test_other_events_are_reasons_to_inquire(self, event: str) -> None:
        found = provider_event({**PAID_EVENT, "event": event, "payload": {"payment": {"entity": payment()}}})
        assert (found.type, found.charge_reference, found.charge_key) == (event, "pay_1", KEY)
        assert (found.outcome, found.operation_outcome) == (None, None)

    def test_a_processed_refund_is_proof(self) -> None:
        found = provider_event(REFUND_EVENT)
        assert (found.operation_reference, found.operation_key) == ("rfnd_1", REFUND_KEY)
        assert found.operation_outcome == Succeeded(
            reference="rfnd_1", amount=500, currency="INR", merchant_reference=REFUND_KEY
        )
        assert found.outcome is None
        for change in ({"status": "pending"}, {"receipt": None}, {"amount": None}):
            assert provider_event(changed(REFUND_EVENT, "refund", **change)).operation_outcome is None
        for event in ("refund.created", "refund.failed", "refund.speed_changed"):
            assert provider_event({**REFUND_EVENT, "event": event}).operation_outcome is None

    def test_two_secrets_are_valid_during_a_rotation(self) -> None:
        for secret in ("old", "new"):
            assert provider_event(PAID_EVENT, secret=secret, secrets=("new", "old")).event_id == "evt_1"

    @pytest.mark.parametrize(
        "headers",
        [
            {"x-razorpay-signature": ""},
            {"x-razorpay-signature": "0" * 64},
            {"x-razorpay-signature": "\u00e9"},
        ],
    )
    def test_forgeries(self, headers: dict[str, str]) -> None:
        with pytest.raises(InvalidSignatureError) as raised:
            provider_event(PAID_EVENT, **headers)
        assert str(raised.value) == ""

    def test_no_secret_no_header_too_long(self) -> None:
        for secrets in ((), ("",), ("other",)):
            with pytest.raises(InvalidSignatureError):
                provider_event(PAID_EVENT, secrets=secrets)
        with pytest.raises(InvalidSignatureError):
            CONNECTOR.read_webhook(Webhook(headers={}, body=b"{}", received_at_ms=0), ("whsec",))
        with pytest.raises(InvalidSignatureError):
            provider_event(b" " * 300_000)

    def test_without_an_id_the_bytes_are_the_id(self) -> None:
        found = provider_event(b"{}", **{"x-razorpay-event-id": "not an id"})
        assert found.event_id == hashlib.sha256(b"{}").hexdigest()

    @pytest.mark.parametrize(
        "body", [b"", b"[]", b"nonsense", b"[" * 100_000, b"\xff", b'{"payload":7}', b'{"payload":{"order":[]}}']
    )
    def test_authentic_garbage_says_nothing(self, body: bytes) -> None:
        assert provider_event(body) == ProviderEvent(event_id="evt_1", type="unrecognized")


PAGE = ReportPage(from_ms=1_700_000_000_000, until_ms=1_700_000_200_500)
REFUNDS = replace(PAGE, cursor="refund:0")


class TestReports:
    def test_requests(self) -> None:
        first = CONNECTOR.reports.request(PAGE)
        assert (first.method, first.path) == (
            "GET",
            "/v1/payments?from=1699999999&to=1700000201&count=50&skip=0",
        )
        later = CONNECTOR.reports.request(replace(PAGE, cursor="refund:100"))
        assert later.path == "/v1/refunds?from=1699999999&to=1700000201&count=50&skip=100"
        assert "from=946684800&" in CONNECTOR.reports.request(replace(PAGE, from_ms=0)).path

    @pytest.mark.parametrize(
        "cursor", ["x", "payment", "payment:", "payment:-1", "payment:\u0661", "order:0", "refund:100001"]
    )
    def test_no_foreign_cursors(self, cursor: str) -> None:
        with pytest.raises(ValueError, match="cursor"):
            CONNECTOR.reports.request(replace(PAGE, cursor=cursor))

    def test_payments_then_refunds(self) -> None:
        items = collection(payment(), payment("failed", id="pay_2", notes=[]))
        found = CONNECTOR.reports.read(PAGE, answer(200, items))
        assert found.next_cursor == "refund:0"
        assert found.entries == (
            ReportEntry(
                kind=EntryKind.CHARGE,
                reference="pay_1",
                provider_key=KEY,
                amount=1999,
                currency="INR",
                succeeded=True,
                at_ms=1_700_000_000_000,
            ),
            ReportEntry(
                kind=EntryKind.CHARGE,
                reference="pay_2",
                provider_key=None,
                amount=1999,
                currency="INR",
                succeeded=False,
                at_ms=1_700_000_000_000,
            ),
        )
        refunds = CONNECTOR.reports.read(REFUNDS, answer(200, collection(refund(), refund("pending", id="rfnd_2"))))
        assert refunds.next_cursor is None
        assert [(e.kind, e.provider_key, e.succeeded) for e in refunds.entries] == [
            (EntryKind.REFUND, REFUND_KEY, True),
            (EntryKind.REFUND, REFUND_KEY, False),
        ]
        assert {entry.charge_reference for entry in refunds.entries} == {"pay_1"}

    def test_the_page_that_was_asked_for_says_where_it_stands(self) -> None:
        full = answer(200, collection(*[payment(id=f"pay_{n}") for n in range(50)]))
        empty = answer(200, collection())
        assert CONNECTOR.reports.read(PAGE, full).next_cursor == "payment:50"
        assert CONNECTOR.reports.read(replace(PAGE, cursor="payment:50"), full).next_cursor == "payment:100"
        assert CONNECTOR.reports.read(PAGE, empty).next_cursor == "refund:0"
        assert CONNECTOR.reports.read(replace(PAGE, cursor="refund:50"), empty).next_cursor is None

    def test_only_what_lies_inside(self) -> None:
        times = (1_699_999_999, 1_700_000_000, 1_700_000_200, 1_700_000_201)
        items = collection(*[payment(id=f"pay_{second}", created_at=second) for second in times])
        found = CONNECTOR.reports.read(PAGE, answer(200, items))
        assert [entry.at_ms // 1000 for entry in found.entries] == list(times[1:3])

    @pytest.mark.parametrize(
        ("thing", "succeeded"),
        [
            (payment("created"), False),
            (payment("authorized"), False),
            (payment("failed"), False),
            (payment(), True),
            (lapsed(), False),
            (lapsed(captured=True), True),
            (refund("failed"), False),
        ],
    )
    def test_whether_money_moved(self, thing: dict[str, Any], succeeded: bool) -> None:
        page = REFUNDS if thing["entity"] == "refund" else PAGE
        assert CONNECTOR.reports.read(page, answer(200, collection(thing))).entries[0].succeeded is succeeded

    @pytest.mark.parametrize(
        "response",
        [
            answer(500, collection(payment())),
            answer(401, collection(payment())),
            answer(200, b"<html>"),
            answer(200, b"[" * 100_000),
            answer(200, {"count": 2, "items": [payment()]}),
            answer(200, collection(payment(), refund())),
            answer(200, collection(payment(entity="order"))),
            answer(200, collection(payment(entity=None))),
            answer(200, collection(payment("new_word"))),
            answer(200, collection(payment(status=[]))),
            answer(200, collection(payment(captured=False))),
            answer(200, collection(payment("failed", captured=True))),
            answer(200, collection(payment(amount=19.99))),
            answer(200, collection(payment(currency="XXX"))),
            answer(200, collection(payment(created_at=None))),
            answer(200, collection(refund("new_word"))),
            answer(200, collection(*[payment(id=f"pay_{n}") for n in range(51)])),
        ],
    )
    def test_what_could_be_a_hole_is_refused(self, response: HttpResponse) -> None:
        for page in (PAGE, REFUNDS):
            with pytest.raises(ValueError, match=r".+"):
                CONNECTOR.reports.read(page, response)


class TestScrubbing:
    """Outcomes keep nothing that the provider repeats from our request."""

    TEXT = (
        "Ada Canary canary@example.com +919876543210 9876543210 shop@okbank cust_canary1 token_canary2 "
        "4111 1111 1111 1111 cust_canary1:token_canary2 secret-canary\r\n" + "x" * 5000
    )

    @pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 409, 429, 500])
    @pytest.mark.parametrize("reason", ["card_declined", "input_validation_failed", "server_error", None, TEXT])
    @pytest.mark.parametrize("progress", [{}, {"order_id": "order_1"}])
    def test_charges(self, status: int, reason: str | None, progress: dict[str, str]) -> None:
        response = error(status, description=self.TEXT, reason=reason, code=self.TEXT, field=self.TEXT)
        shown = repr(http_provider(response).charge(charge(progress=progress), ACCOUNT))
        self.assert_clean(shown)

    def test_inquiries_and_refunds(self) -> None:
        failed = payment("failed", error_reason=self.TEXT, error_description=self.TEXT, email="canary@example.com")
        self.assert_clean(repr(inquire(failed)))
        self.assert_clean(repr(move(error(400, description=self.TEXT.replace("Ada Canary", "")), operation_request())))
        self.assert_clean(repr(provider_event(changed(PAID_EVENT, "payment", email="canary@example.com", vpa="a@b"))))

    def test_plain_words_are_kept(self) -> None:
        failed = payment("failed", error_reason="card_declined", error_description="Your bank declined, 3 of 10 tries.")
        assert inquire(failed).message == "Your bank declined, 3 of 10 tries."

    @staticmethod
    def assert_clean(shown: str) -> None:
        for secret in ("Ada", "canary@", "98765", "okbank", "canary1", "canary2", "4111", "\\r", "@"):
            assert secret not in shown
        assert len(shown) < 600


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.sampled_from(["captured", "refunded", "authorized", "created", "failed", "processed", "Captured", "", None])
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "id": st.just("pay_1") | JSON,
        "entity": st.sampled_from(["payment", "refund"]) | JSON,
        "order_id": st.just("order_1") | JSON,
        "payment_id": st.just("pay_1") | JSON,
        "razorpay_payment_id": st.just("pay_1") | JSON,
        "link": st.just("upi://x") | JSON,
        "amount": st.just(1999) | JSON,
        "currency": st.just("INR") | JSON,
        "receipt": st.just(KEY) | JSON,
        "status": WORDS | JSON,
        "captured": JSON,
        "refund_status": st.just("full") | JSON,
        "amount_refunded": st.just(1999) | JSON,
        "notes": JSON | st.fixed_dictionaries({"payflowx_key": JSON}),
        "error_reason": JSON,
        "created_at": JSON,
        "error": JSON
        | st.fixed_dictionaries({}, optional={"reason": JSON, "code": JSON, "metadata": JSON, "field": JSON}),
    },
)
LISTED = st.lists(NEARLY, max_size=3).map(lambda items: {"count": len(items), "items": items})
BODIES = st.one_of(st.binary(max_size=64), (JSON | NEARLY | LISTED).map(lambda value: json.dumps(value).encode()))
STATUSES = st.sampled_from([200, 400]) | st.integers(100, 599)
ALL_STEPS = [*CONNECTOR.charge_steps, *CONNECTOR.inquiry_steps(charge())]


class TestGarbage:
    @given(status=STATUSES, body=BODIES, place=st.integers(0, len(ALL_STEPS) - 1), upi=st.booleans())
    def test_no_answer_gets_out_of_the_connector_or_charges_by_chance(
        self, status: int, body: bytes, place: int, upi: bool
    ) -> None:
        asked = charge(payment_method_type="upi" if upi else "card")
        outcome = _read(ALL_STEPS[place], asked, answer(status, body))
        if isinstance(outcome, Succeeded | Authorized | ConfirmedCancelled):
            (item, *_) = json.loads(body)["items"]
            assert status == 200
            assert item["status"] in {"authorized", "captured", "refunded"}
            assert ALL_STEPS[place].name == "payments"
        if isinstance(outcome, Declined):
            assert outcome.reopens_for_seconds == 0

    @given(status=STATUSES, body=st.binary(max_size=200), place=st.integers(0, len(ALL_STEPS) - 1))
    def test_bytes_are_never_a_charge(self, status: int, body: bytes, place: int) -> None:
        outcome = _read(ALL_STEPS[place], charge(), answer(status, body))
        assert isinstance(outcome, Unknown | Rejected)
        assert isinstance(outcome, Unknown) or status in {401, 403, 429}

    @given(status=STATUSES, body=BODIES, asked=st.sampled_from(OPERATIONS), looking=st.booleans())
    def test_no_answer_moves_money_by_chance(
        self, status: int, body: bytes, asked: OperationRequest, looking: bool
    ) -> None:
        step = (CONNECTOR.operation_inquiry_steps if looking else CONNECTOR.operation_steps)(asked)[0]
        try:
            outcome = step.read(asked, answer(status, body))
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
            return
        if isinstance(outcome, Succeeded):
            assert (status, outcome.amount, outcome.currency) == (200, asked.amount, asked.currency)
        assert not isinstance(outcome, Declined) or status == 200

    @given(body=BODIES)
    def test_no_authentic_webhook_raises(self, body: bytes) -> None:
        assert provider_event(body).outcome is None

    @given(status=STATUSES, body=BODIES)
    def test_a_statement_is_read_or_refused(self, status: int, body: bytes) -> None:
        try:
            CONNECTOR.reports.read(PAGE, answer(status, body))
        except ValueError:
            return
        assert status == 200
