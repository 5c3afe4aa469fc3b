"""The mock connectors: exact requests, readings of every answer, and no secret or personal data in outcomes."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    ConfirmedCancelled,
    Declined,
    Mismatch,
    NotFound,
    NotSent,
    Progress,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Customer
from payflowx.domain.providers.ports import Account, ChargeRequest
from payflowx.domain.shared.errors import ConfigurationError, StorageUnavailableError
from payflowx.domain.shared.statuses import CaptureMode, DeclineKind
from payflowx.domain.shared.transport import Credentials, HttpRequest, HttpResponse, HttpResult, NoAnswer, NoConnection
from payflowx.providers.http_provider import HttpProvider
from payflowx.providers.registry import capabilities_of, connector

NAMES = ("mock", "razorpay_mock", "cashfree_mock")
KEY = "pfx-abcdefghijklmnop-1"
ACCOUNT = Account(provider="x", account_id="main", endpoint="https://provider.test", secret_arn="arn:s")
PROGRESS = {"order_id": "order_1", "payment_session_id": "session_1", "charge_id": "ch_1"}


def charge(**changes: Any) -> ChargeRequest:
    values: dict[str, Any] = {
        "provider_key": KEY,
        "amount": 1999,
        "currency": "USD",
        "token": "tok_canary",
        "payment_method_type": "card",
        "capture": CaptureMode.AUTOMATIC,
        "customer": Customer(name="Ada Canary", email="canary@example.com"),
        "description": "canary description",
        "progress": PROGRESS,
        **changes,
    }
    return ChargeRequest(**values)


@dataclass
class FakeHttp:
    """Answers in order."""

    answers: list[HttpResult]
    sent: list[HttpRequest] = field(default_factory=list)

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        self.sent.append(request)
        return self.answers.pop(0)


@dataclass
class FakeSecrets:
    broken: bool = False

    def credentials(self, secret_arn: str) -> Credentials:
        if self.broken:
            raise StorageUnavailableError("no")
        return Credentials(key_id="id-canary", key_secret="secret-canary")


def http_provider(name: str, *answers: HttpResult, broken_secrets: bool = False) -> HttpProvider:
    return HttpProvider(
        connector=connector(name),
        http=FakeHttp(list(answers)),
        secrets=FakeSecrets(broken=broken_secrets),
        clock_ms=lambda: 0,
        observe=lambda *_args: None,
    )


def answer(status: int, body: Any, **headers: str) -> HttpResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status=status, headers=headers, body=data)


def steps(name: str) -> list[Any]:
    found = connector(name)
    return [*found.charge_steps, *found.inquiry_steps(charge()), *found.cancel_steps(charge())]


EVERY_STEP = [
    pytest.param(step, id=f"{name}-{place}-{step.name}") for name in NAMES for place, step in enumerate(steps(name))
]


class TestRequests:
    def test_mock(self) -> None:
        request = connector("mock").charge_steps[0].build(charge())
        assert (request.method, request.path) == ("POST", "/v1/charges")
        assert request.headers["Idempotency-Key"] == KEY
        assert request.body == (
            b'{"amount":1999,"currency":"USD","source":"tok_canary","reference":"pfx-abcdefghijklmnop-1","capture":"automatic"}'
        )

    def test_razorpay(self) -> None:
        order, pay = (
            step.build(charge(progress={"order_id": "order_9"})) for step in connector("razorpay_mock").charge_steps
        )
        assert json.loads(order.body) == {"amount": 1999, "currency": "USD", "receipt": KEY, "notes": {}}
        assert json.loads(pay.body)["order_id"] == "order_9"

    @pytest.mark.parametrize(
        ("amount", "currency", "literal"),
        [
            (1999, "USD", b"19.99"),
            (5, "USD", b"0.05"),
            (1999, "JPY", b"1999"),
            (1999, "KWD", b"1.999"),
            (100, "INR", b"1.00"),
        ],
    )
    def test_cashfree_writes_decimals_exactly(self, amount: int, currency: str, literal: bytes) -> None:
        order = connector("cashfree_mock").charge_steps[0].build(charge(amount=amount, currency=currency))
        assert b'"order_amount":' + literal + b"," in order.body
        assert order.headers["x-idempotency-key"] == KEY

    @pytest.mark.parametrize("name", NAMES)
    def test_only_the_last_charge_step_charges_and_needs_facts_before(self, name: str) -> None:
        found = connector(name).charge_steps
        assert [step.charges for step in found] == [False] * (len(found) - 1) + [True]
        assert all(step.yields for step in found[:-1])

    @pytest.mark.parametrize("name", NAMES)
    def test_equal_charges_give_equal_hashes_and_any_difference_another(self, name: str) -> None:
        same = http_provider(name).request_hash
        assert same(charge()) == same(charge(progress={}, reference="x"))
        for change in ({"amount": 2000}, {"currency": "EUR"}, {"token": "tok_other"}, {"provider_key": "pfx-x-2"}):
            assert same(charge()) != same(charge(**change))

    @pytest.mark.parametrize(
        ("name", "needed"), [("mock", None), ("razorpay_mock", "order_id"), ("cashfree_mock", "payment_session_id")]
    )
    def test_nothing_can_have_charged_before_its_facts_are_stored(self, name: str, needed: str | None) -> None:
        assert http_provider(name).may_have_charged({}) is (needed is None)
        if needed:
            assert http_provider(name).may_have_charged({needed: "x"})


class TestSecrets:
    @pytest.mark.parametrize("step", EVERY_STEP)
    def test_no_request_holds_personal_data_or_shows_its_body(self, step: Any) -> None:
        request = step.build(charge())
        wire = request.body + json.dumps([request.path, dict(request.headers)]).encode()
        assert b"Ada" not in wire
        assert b"canary@" not in wire
        assert "canary" not in repr(request)
        assert "canary" not in repr(charge()).replace("canary description", "")

    @pytest.mark.parametrize("name", NAMES)
    def test_credentials_are_in_headers_only_and_in_no_hash(self, name: str) -> None:
        found = connector(name)
        plain = found.charge_steps[0].build(charge())
        sent = found.authenticate(plain, Credentials(key_id="id-canary", key_secret="secret-canary"))
        assert sent.body == plain.body
        values = " ".join(sent.headers.values())
        decoded = base64.b64decode(values.split("Basic ")[1].split()[0]).decode() if "Basic " in values else values
        assert "secret-canary" in decoded
        assert "secret-canary" not in repr(Credentials(key_id="a", key_secret="secret-canary"))

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("status", [200, 400, 402, 500])
    def test_a_providers_text_is_cleaned(self, name: str, status: int) -> None:
        text = "card 4111 1111 1111 1111\r\n" + "x" * 999
        body = {
            "error": {
                "type": "card_error",
                "code": text,
                "message": text,
                "description": text,
                "reason": text,
                "charge": {"id": "ch_1"},
            },
            "message": text,
            "code": text,
            "metadata": {},
        }
        outcome = repr(http_provider(name, answer(status, body)).charge(charge(), ACCOUNT))
        assert "4111" not in outcome
        assert "\\r" not in outcome
        assert len(outcome) < 500


MOCK_CHARGE = {"id": "ch_1", "status": "succeeded", "amount": 1999, "currency": "USD", "reference": KEY}
RAZORPAY_PAYMENT = {"id": "pay_1", "order_id": "order_1", "amount": 1999, "currency": "USD", "status": "captured"}
CASHFREE_PAYMENT = {
    "cf_payment_id": "77",
    "order_id": KEY,
    "payment_amount": 19.99,
    "payment_currency": "USD",
    "payment_status": "SUCCESS",
    "is_captured": True,
}
SUCCESS = Succeeded(reference="ch_1", amount=1999, currency="USD", merchant_reference=KEY)


def mock_error(**error: Any) -> dict[str, Any]:
    return {"error": {"type": "invalid_request_error", "code": "c", "message": "m", **error}}


def razorpay_error(reason: str, **error: Any) -> dict[str, Any]:
    return {"error": {"code": "BAD_REQUEST_ERROR", "description": "d", "reason": reason, **error}}


PAID = {"metadata": {"payment_id": "pay_1", "order_id": "order_1"}}

CHARGE_ANSWERS: list[tuple[str, HttpResult, type, dict[str, Any]]] = [
    ("mock", answer(200, MOCK_CHARGE), Succeeded, {"amount": 1999, "merchant_reference": KEY}),
    ("mock", answer(200, {**MOCK_CHARGE, "status": "processing"}), Accepted, {"reference": "ch_1"}),
    ("mock", answer(200, {**MOCK_CHARGE, "status": "new word"}), Unknown, {}),
    ("mock", answer(200, {**MOCK_CHARGE, "amount": "1999"}), Unknown, {}),
    ("mock", answer(200, {**MOCK_CHARGE, "amount": True}), Unknown, {}),
    ("mock", answer(200, {**MOCK_CHARGE, "amount": 1999.0}), Unknown, {}),
    ("mock", answer(200, {**MOCK_CHARGE, "id": None}), Unknown, {}),
    ("mock", answer(200, {**MOCK_CHARGE, "id": "x" * 200}), Unknown, {}),
    ("mock", answer(200, [MOCK_CHARGE]), Unknown, {}),
    ("mock", answer(200, b"<html>"), Unknown, {}),
    ("mock", answer(200, b""), Unknown, {}),
    ("mock", answer(200, b"[" * 100_000), Unknown, {}),
    ("mock", answer(200, b'{"amount": NaN}'), Unknown, {}),
    (
        "mock",
        answer(200, {**MOCK_CHARGE, "status": "requires_action", "next_action": {"url": "https://b.test"}}),
        ActionRequired,
        {},
    ),
    (
        "mock",
        answer(200, {**MOCK_CHARGE, "status": "requires_action", "next_action": {"url": "javascript:1"}}),
        Unknown,
        {},
    ),
    (
        "mock",
        answer(402, mock_error(type="card_error", code="issuer_unavailable", charge={"id": "ch_1"})),
        Declined,
        {"kind": DeclineKind.SOFT},
    ),
    (
        "mock",
        answer(402, mock_error(type="card_error", code="insufficient_funds", charge={"id": "ch_1"})),
        Declined,
        {"kind": DeclineKind.FUNDS},
    ),
    (
        "mock",
        answer(402, mock_error(type="card_error", code="brand_new", charge={"id": "ch_1"})),
        Declined,
        {"kind": DeclineKind.HARD},
    ),
    ("mock", answer(402, mock_error(type="card_error", code="stolen_card")), Unknown, {}),
    ("mock", answer(402, b"nothing"), Unknown, {}),
    ("mock", answer(400, mock_error(code="parameter_invalid")), Rejected, {"code": "parameter_invalid"}),
    ("mock", answer(400, mock_error(code="not_in_the_table")), Unknown, {"code": "not_in_the_table"}),
    ("mock", answer(400, mock_error(code="invalid_source")), Declined, {"kind": DeclineKind.HARD}),
    ("mock", answer(400, mock_error(type="idempotency_error")), Unknown, {}),
    ("mock", answer(401, mock_error()), Rejected, {"misconfigured": True}),
    ("mock", answer(403, b""), Rejected, {"misconfigured": True}),
    ("mock", answer(404, mock_error()), Unknown, {}),
    ("mock", answer(409, mock_error(code="idempotency_key_in_use")), Unknown, {}),
    ("mock", answer(429, mock_error(), **{"retry-after": "7"}), Rejected, {"retry_after_seconds": 7}),
    ("mock", answer(429, mock_error(), **{"retry-after": "soon"}), Rejected, {"retry_after_seconds": 0}),
    ("mock", answer(429, mock_error(), **{"retry-after": "999999"}), Rejected, {"retry_after_seconds": 3600}),
    ("mock", answer(302, b""), Unknown, {}),
    ("mock", answer(500, mock_error()), Unknown, {}),
    ("mock", answer(503, b"<html>"), Unknown, {}),
    ("mock", NoConnection(code="connection_refused"), NotSent, {"code": "connection_refused"}),
    ("mock", NoAnswer(code="read_timeout"), Unknown, {"code": "read_timeout"}),
    ("razorpay_mock", answer(200, RAZORPAY_PAYMENT), Succeeded, {"merchant_reference": KEY}),
    (
        "razorpay_mock",
        answer(200, {**RAZORPAY_PAYMENT, "order_id": "order_2"}),
        Succeeded,
        {"merchant_reference": "order_2"},
    ),
    ("razorpay_mock", answer(200, {**RAZORPAY_PAYMENT, "status": "created"}), Accepted, {}),
    ("razorpay_mock", answer(200, {**RAZORPAY_PAYMENT, "status": "refunded"}), Unknown, {}),
    (
        "razorpay_mock",
        answer(400, razorpay_error("bank_technical_error", **PAID)),
        Declined,
        {"kind": DeclineKind.SOFT, "reopens_for_seconds": 0},
    ),
    (
        "razorpay_mock",
        answer(400, razorpay_error("payment_failed", **PAID)),
        Declined,
        {"reopens_for_seconds": 432_000},
    ),
    (
        "razorpay_mock",
        answer(400, razorpay_error("payment_risk_check_failed", **PAID)),
        Declined,
        {"kind": DeclineKind.HARD},
    ),
    ("razorpay_mock", answer(400, razorpay_error("insufficient_funds", **PAID)), Declined, {"kind": DeclineKind.FUNDS}),
    ("razorpay_mock", answer(400, razorpay_error("payment_timed_out", **PAID)), Unknown, {}),
    ("razorpay_mock", answer(400, razorpay_error("order_already_paid")), Unknown, {}),
    ("razorpay_mock", answer(400, razorpay_error("input_validation_failed")), Rejected, {}),
    ("razorpay_mock", answer(500, {"error": {"code": "SERVER_ERROR"}}), Unknown, {}),
    (
        "cashfree_mock",
        answer(
            200,
            b'{"cf_payment_id":77,"order_id":"'
            + KEY.encode()
            + b'","payment_amount":19.99,"payment_currency":"USD","payment_status":"SUCCESS","is_captured":true}',
        ),
        Succeeded,
        {"amount": 1999, "reference": "77"},
    ),
    ("cashfree_mock", answer(200, {**CASHFREE_PAYMENT, "payment_amount": 19.999}), Mismatch, {}),
    ("cashfree_mock", answer(200, {**CASHFREE_PAYMENT, "payment_amount": "19.99"}), Unknown, {}),
    ("cashfree_mock", answer(200, {**CASHFREE_PAYMENT, "payment_status": "PENDING"}), Accepted, {}),
    ("cashfree_mock", answer(200, {**CASHFREE_PAYMENT, "payment_status": "FLAGGED"}), Unknown, {}),
    (
        "cashfree_mock",
        answer(200, {**CASHFREE_PAYMENT, "payment_status": "FAILED"}),
        Declined,
        {"cancel_required": True},
    ),
    ("cashfree_mock", answer(422, {"type": "idempotency_error", "code": "request_invalid"}), Unknown, {}),
    ("cashfree_mock", answer(429, {}, **{"x-ratelimit-retry": "3"}), Rejected, {"retry_after_seconds": 3}),
    ("cashfree_mock", answer(502, {"type": "api_error"}), Unknown, {}),
]


@pytest.mark.parametrize(("name", "given_answer", "kind", "attributes"), CHARGE_ANSWERS)
def test_what_an_answer_to_a_charge_means(
    name: str, given_answer: HttpResult, kind: type, attributes: dict[str, Any]
) -> None:
    outcome = http_provider(name, given_answer).charge(charge(), ACCOUNT)
    assert type(outcome) is kind
    for attribute, value in attributes.items():
        assert getattr(outcome, attribute) == value


CASHFREE_ORDER = {"order_id": KEY, "order_status": "TERMINATED"}
CANCELLATIONS: list[tuple[str, list[HttpResult], type]] = [
    (
        "mock",
        [
            answer(200, {"data": [{**MOCK_CHARGE, "status": "requires_action"}]}),
            answer(200, {}),
            answer(200, {**MOCK_CHARGE, "status": "canceled"}),
        ],
        ConfirmedCancelled,
    ),
    ("mock", [answer(200, {"data": [MOCK_CHARGE]}), answer(400, {}), answer(200, MOCK_CHARGE)], Succeeded),
    (
        "mock",
        [
            answer(200, {"data": [MOCK_CHARGE]}),
            answer(200, {}),
            answer(200, {**MOCK_CHARGE, "status": "requires_action", "next_action": {"url": "https://b"}}),
        ],
        ActionRequired,
    ),
    ("mock", [answer(200, {"data": []})], Unknown),
    ("mock", [answer(200, {"data": [MOCK_CHARGE, MOCK_CHARGE]})], Mismatch),
    ("razorpay_mock", [], Unknown),
    ("cashfree_mock", [answer(200, {}), answer(200, CASHFREE_ORDER), answer(200, [])], ConfirmedCancelled),
    (
        "cashfree_mock",
        [answer(200, {}), answer(200, CASHFREE_ORDER), answer(200, [{**CASHFREE_PAYMENT, "payment_status": "FAILED"}])],
        ConfirmedCancelled,
    ),
    (
        "cashfree_mock",
        [
            answer(400, {}),
            answer(200, {**CASHFREE_ORDER, "order_status": "PAID"}),
            answer(
                200,
                b'[{"cf_payment_id":"1","order_id":"k","payment_amount":19.99,"payment_currency":"USD",'
                b'"payment_status":"SUCCESS","is_captured":true}]',
            ),
        ],
        Succeeded,
    ),
    (
        "cashfree_mock",
        [answer(200, {}), answer(200, {**CASHFREE_ORDER, "order_status": "PAID"}), answer(200, [])],
        Unknown,
    ),
    ("cashfree_mock", [answer(200, {}), answer(200, {**CASHFREE_ORDER, "order_status": "ACTIVE"})], Unknown),
    (
        "cashfree_mock",
        [answer(200, {}), answer(200, {**CASHFREE_ORDER, "order_status": "TERMINATION_REQUESTED"})],
        Unknown,
    ),
    ("cashfree_mock", [answer(200, {}), answer(200, {**CASHFREE_ORDER, "order_id": "another"})], Unknown),
    ("cashfree_mock", [answer(200, {}), answer(404, {})], Unknown),
    ("cashfree_mock", [answer(200, {}), answer(200, CASHFREE_ORDER), answer(404, {})], Unknown),
    (
        "cashfree_mock",
        [
            answer(200, {}),
            answer(200, CASHFREE_ORDER),
            answer(200, [{**CASHFREE_PAYMENT, "payment_status": "PENDING"}]),
        ],
        Unknown,
    ),
    ("cashfree_mock", [answer(200, {}), answer(200, CASHFREE_ORDER), NoAnswer(code="read_timeout")], Unknown),
]


@pytest.mark.parametrize(("name", "answers", "kind"), CANCELLATIONS)
def test_only_a_read_of_a_closed_object_is_a_confirmed_cancellation(
    name: str, answers: list[HttpResult], kind: type
) -> None:
    assert type(http_provider(name, *answers).cancel_and_confirm(charge(), ACCOUNT)) is kind


INQUIRIES: list[tuple[str, HttpResult, type]] = [
    ("mock", answer(200, {"data": []}), NotFound),
    ("mock", answer(200, {"data": [MOCK_CHARGE]}), Succeeded),
    ("mock", answer(200, {"data": [MOCK_CHARGE, {**MOCK_CHARGE, "id": "ch_2"}]}), Mismatch),
    ("mock", answer(404, {}), Unknown),
    ("mock", answer(200, {"data": {}}), Unknown),
    ("mock", NoConnection(code="connection_refused"), Unknown),
    ("razorpay_mock", answer(200, {"items": []}), NotFound),
    ("razorpay_mock", answer(200, {"items": [{**RAZORPAY_PAYMENT, "status": "failed"}, RAZORPAY_PAYMENT]}), Succeeded),
    ("razorpay_mock", answer(200, {"items": [RAZORPAY_PAYMENT, RAZORPAY_PAYMENT]}), Mismatch),
    ("razorpay_mock", answer(200, {"items": None}), Unknown),
    ("razorpay_mock", answer(400, {}), Unknown),
    ("cashfree_mock", answer(200, []), NotFound),
    ("cashfree_mock", answer(404, {}), Unknown),
    ("cashfree_mock", answer(200, {}), Unknown),
]


@pytest.mark.parametrize(("name", "given_answer", "kind"), INQUIRIES)
def test_an_inquiry(name: str, given_answer: HttpResult, kind: type) -> None:
    assert type(http_provider(name, given_answer).inquire(charge(), ACCOUNT)) is kind


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["SUCCESS", "succeeded", "captured", KEY]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "data", "items", "status", "amount", "error", "order_id"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("step", EVERY_STEP)
@given(status=st.sampled_from([200, 201, 400, 402, 404, 409, 422, 429, 500]), body=st.binary(max_size=40) | JSON)
def test_no_answer_whatsoever_makes_a_charge_out_of_nothing(step: Any, status: int, body: Any) -> None:
    """`HttpProvider` turns these errors into `Unknown`; a reader may raise no others."""
    try:
        outcome = step.read(charge(), answer(status, body))
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return
    if isinstance(outcome, Succeeded):
        assert outcome.reference
        assert isinstance(outcome.amount, int)
        assert outcome.merchant_reference


class TestConnector:
    def test_without_credentials_nothing_is_sent(self) -> None:
        found = http_provider("mock", broken_secrets=True)
        assert found.charge(charge(), ACCOUNT) == NotSent(code="credentials_unavailable")
        assert found.http.sent == []

    def test_steps_go_on_from_what_is_stored(self) -> None:
        found = http_provider("razorpay_mock", answer(200, {"id": "order_5"}))
        assert found.charge(charge(progress={}), ACCOUNT) == Progress(facts={"order_id": "order_5"})
        assert found.http.sent[0].path == "/v1/orders"

    def test_an_inquiry_that_cannot_be_sent_is_no_proof(self) -> None:
        assert http_provider("mock", NoConnection(code="x")).inquire(charge(), ACCOUNT) == Unknown(code="x")

    def test_a_provider_that_does_not_exist(self) -> None:
        with pytest.raises(ConfigurationError, match="there is no provider named nobody"):
            capabilities_of(("nobody",))
