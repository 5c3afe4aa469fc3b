"""The Stripe connector: every word of its tables, garbage, amounts, signatures, and no private data in outcomes."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.dispute import DisputeReport, DisputeState
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Authorized,
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
from payflowx.domain.providers.events import InvalidSignatureError, ProviderEvent, Webhook
from payflowx.domain.providers.ports import Account, ChargeRequest
from payflowx.domain.reconciliation.reports import EntryKind, ReportPage
from payflowx.domain.shared.limits import HOUR_MS, MAX_STEPS_PER_INQUIRY
from payflowx.domain.shared.money import CURRENCY_EXPONENTS
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode, DeclineKind
from payflowx.domain.shared.transport import Credentials, HttpRequest, HttpResponse, HttpResult, NoAnswer, NoConnection
from payflowx.providers.http_provider import HttpProvider, _read
from payflowx.providers.stripe import signature
from payflowx.providers.stripe.connector import CONNECTOR

PAGE = ReportPage(from_ms=1_700_000_000_000, until_ms=1_700_003_600_000)

KEY = "pfx-abcdefghijklmnop-1"
REFUND_KEY = "pfx-qrstuvwxyz234567-1"
PI = "pi_3MtwBwLkdIwHu7ix28a3tqPa"
RETURN_URL = "https://shop.example.com/back"
ACCOUNT = Account(provider="stripe", account_id="main", endpoint="https://stripe.test", secret_arn="arn:s")
SECRET = "sk_live_canarysecretcanary"


def charge(**changes: Any) -> ChargeRequest:
    values: dict[str, Any] = {
        "provider_key": KEY,
        "amount": 1999,
        "currency": "USD",
        "token": "pm_tokencanary",
        "payment_method_type": "card",
        "capture": CaptureMode.AUTOMATIC,
        "customer": Customer(id="acme-77", name="Ada Canary", email="canary@example.com", phone="+441234567890"),
        **changes,
    }
    return ChargeRequest(**values)


def intent(status: str = "succeeded", **changes: Any) -> dict[str, Any]:
    return {
        "id": PI,
        "object": "payment_intent",
        "amount": 1999,
        "amount_received": 1999 if status == "succeeded" else 0,
        "amount_capturable": 1999 if status == "requires_capture" else 0,
        "currency": "usd",
        "status": status,
        "metadata": {"payflowx_key": KEY},
        "client_secret": f"{PI}_secret_canary",
        "receipt_email": "canary@example.com",
        "last_payment_error": None,
        "next_action": None,
        **changes,
    }


def redirect(url: Any = "https://hooks.stripe.com/3d/1") -> dict[str, Any]:
    return {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": RETURN_URL}}


def error(**changes: Any) -> dict[str, Any]:
    return {"error": {"type": "invalid_request_error", "message": "m", **changes}}


def card_error(decline_code: str | None, **changes: Any) -> dict[str, Any]:
    unpaid = intent("requires_payment_method")
    values = {
        "type": "card_error",
        "code": "card_declined",
        "decline_code": decline_code,
        "payment_intent": unpaid,
        **changes,
    }
    return error(**values)


def answer(status: int, body: Any, **headers: str) -> HttpResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status=status, headers=headers, body=data)


def listed(*items: Any, **changes: Any) -> HttpResponse:
    return answer(200, {"object": "list", "data": list(items), "has_more": False, **changes})


@dataclass
class FakeHttp:
    answers: list[HttpResult]
    sent: list[HttpRequest] = field(default_factory=list)

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        self.sent.append(request)
        return self.answers.pop(0)


class FakeSecrets:
    def credentials(self, secret_arn: str) -> Credentials:
        return Credentials(key_id="", key_secret=SECRET)


def http_provider(*answers: HttpResult) -> HttpProvider:
    return HttpProvider(
        connector=CONNECTOR,
        http=FakeHttp(list(answers)),
        secrets=FakeSecrets(),
        clock_ms=lambda: 0,
        observe=lambda *_args: None,
    )


def form(request: HttpRequest) -> dict[str, str]:
    pairs = parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=bool(request.body))
    assert len(pairs) == len(dict(pairs))
    return dict(pairs)


def query(request: HttpRequest) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.path).query))


def test_it_is_a_declaration_of_one_provider() -> None:
    assert CONNECTOR.capabilities.provider == "stripe"
    assert CONNECTOR.reports.request(ReportPage(from_ms=0, until_ms=1)).method in {"GET", "POST"}


class TestCapabilities:
    able: Capabilities = CONNECTOR.capabilities
    currencies = CONNECTOR.capabilities.currencies or frozenset()

    def test_it_is_real_and_careful(self) -> None:
        assert not self.able.simulated
        assert self.able.idempotency_window_ms <= 24 * HOUR_MS
        assert self.able.inquiry_horizon_ms > self.able.idempotency_window_ms
        assert self.able.capture_modes == frozenset(CaptureMode)
        assert self.able.payment_method_types == {"card"}

    def test_it_takes_only_currencies_whose_unit_is_that_of_iso_4217(self) -> None:
        assert self.currencies <= set(CURRENCY_EXPONENTS)
        assert not {c for c in self.currencies if CURRENCY_EXPONENTS[c] == 3}
        assert not self.currencies & {"ISK", "UGX", "MGA"}
        assert {"USD", "EUR", "JPY", "KRW", "INR", "HUF", "TWD"} <= self.currencies
        zero = "BIF CLP DJF GNF JPY KMF KRW PYG RWF VND VUV XAF XOF XPF"
        assert {c for c in self.currencies if CURRENCY_EXPONENTS[c] == 0} == set(zero.split())


class TestRequests:
    def test_a_charge_byte_for_byte(self) -> None:
        request = CONNECTOR.charge_steps[0].build(charge())
        assert (request.method, request.path) == ("POST", "/v1/payment_intents")
        assert request.headers == {
            "Content-Type": "application/x-www-form-urlencoded",
            "Stripe-Version": "2023-10-16",
            "Idempotency-Key": KEY,
        }
        assert request.body == (
            b"amount=1999&currency=usd&confirm=true&payment_method=pm_tokencanary&payment_method_types%5B%5D=card"
            b"&capture_method=automatic&metadata%5Bpayflowx_key%5D=pfx-abcdefghijklmnop-1"
            b"&error_on_requires_action=true"
        )

    @pytest.mark.parametrize(("amount", "currency"), [(1, "USD"), (1999, "JPY"), (99_999_999, "EUR"), (100, "INR")])
    def test_amounts_are_minor_units(self, amount: int, currency: str) -> None:
        sent = form(CONNECTOR.charge_steps[0].build(charge(amount=amount, currency=currency)))
        assert (sent["amount"], sent["currency"]) == (str(amount), currency.lower())

    def test_with_a_return_address_the_payer_may_be_asked(self) -> None:
        sent = form(CONNECTOR.charge_steps[0].build(charge(return_url=RETURN_URL)))
        assert sent["return_url"] == RETURN_URL
        assert "error_on_requires_action" not in sent

    def test_manual_capture(self) -> None:
        sent = form(CONNECTOR.charge_steps[0].build(charge(capture=CaptureMode.MANUAL)))
        assert sent["capture_method"] == "manual"

    @pytest.mark.parametrize(
        ("token", "customer_id", "customer", "payment_method"),
        [
            ("pm_1", None, None, "pm_1"),
            ("pm_1", "acme-77", None, "pm_1"),
            ("pm_1", "cus_9", "cus_9", "pm_1"),
            ("cus_8/pm_1", None, "cus_8", "pm_1"),
            ("cus_8/pm_1", "cus_9", "cus_8", "pm_1"),
            ("other/pm_1", None, None, "other/pm_1"),
        ],
    )
    def test_whose_payment_method(
        self, token: str, customer_id: str | None, customer: str | None, payment_method: str
    ) -> None:
        order = charge(token=token, customer=Customer(id=customer_id))
        sent = form(CONNECTOR.charge_steps[0].build(order))
        assert sent.get("customer") == customer
        assert sent["payment_method"] == payment_method
        assert query(CONNECTOR.inquiry_steps(order)[0].build(order)).get("customer") == customer

    def test_the_same_charge_gives_the_same_hash_and_another_another(self) -> None:
        same = http_provider().request_hash
        assert same(charge()) == same(charge(progress={"x": "y"}, reference="pi_1"))
        for change in ({"amount": 2000}, {"currency": "EUR"}, {"token": "pm_2"}, {"provider_key": "pfx-x-2"}):
            assert same(charge()) != same(charge(**change))

    def test_one_request_may_have_charged_from_the_start(self) -> None:
        assert http_provider().may_have_charged({})

    def test_a_search_is_by_our_key(self) -> None:
        (step,) = [step for step in CONNECTOR.inquiry_steps(charge()) if step.name == "search"]
        request = step.build(charge())
        assert urlsplit(request.path).path == "/v1/payment_intents/search"
        assert query(request)["query"] == f"metadata['payflowx_key']:'{KEY}'"

    def test_a_cancel_has_no_idempotency_key(self) -> None:
        """Stripe would repeat a stored refusal for a day and so prevent the confirmed cancellation."""
        cancel = CONNECTOR.cancel_steps(charge(reference=PI))[0].build(charge(reference=PI))
        assert (cancel.method, cancel.path) == ("POST", f"/v1/payment_intents/{PI}/cancel")
        assert "Idempotency-Key" not in cancel.headers

    def test_no_conversation_is_longer_than_allowed(self) -> None:
        for order in (charge(), charge(reference=PI)):
            assert len(CONNECTOR.inquiry_steps(order)) <= MAX_STEPS_PER_INQUIRY
            assert len(CONNECTOR.cancel_steps(order)) <= MAX_STEPS_PER_INQUIRY

    def test_a_reference_cannot_leave_its_path(self) -> None:
        order = charge(reference="pi_1/../../v1/refunds?x=")
        for step in (*CONNECTOR.inquiry_steps(order), *CONNECTOR.cancel_steps(order)):
            assert step.build(order).path.startswith("/v1/payment_intents/pi_1%2F..%2F")


class TestSecrets:
    orders = (charge(), charge(reference=PI), charge(customer=Customer(id="cus_9", name="Ada Canary")))

    def requests(self) -> list[HttpRequest]:
        steps = [
            (step, order)
            for order in self.orders
            for step in (*CONNECTOR.charge_steps, *CONNECTOR.inquiry_steps(order), *CONNECTOR.cancel_steps(order))
        ]
        return [step.build(replace(order, progress={"payment_intent": PI})) for step, order in steps]

    def test_without_an_address_no_request_holds_personal_data_and_none_shows_its_body(self) -> None:
        for request in self.requests():
            wire = request.body + json.dumps([request.path, dict(request.headers)]).encode()
            assert b"Ada" not in wire
            assert b"canary@" not in wire
            assert "canary" not in repr(request)

    def test_credentials_are_in_a_header_only(self) -> None:
        for plain in self.requests():
            sent = CONNECTOR.authenticate(plain, Credentials(key_id="", key_secret=SECRET))
            assert sent.headers == {**plain.headers, "Authorization": f"Bearer {SECRET}"}
            assert (sent.method, sent.path, sent.body) == (plain.method, plain.path, plain.body)
            assert SECRET.encode() not in sent.body

    PRIVATE = (
        "No such PaymentMethod: 'pm_tokencanary'; No such customer: 'cus_canary1'; key sk_live_canarysecretcanary"
        " whsec_canary9 mail canary@example.com tel +44 1234 567890 card 4111 1111 1111 1111 url https://x.test/canary"
        " quoted 'canaryword' my_sk_test_canary card_1NbJ7kCanaryCanary\r\n" + "x" * 9_999
    )

    @pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 404, 409, 429, 500])
    @pytest.mark.parametrize("kind", ["card_error", "invalid_request_error", "idempotency_error", "api_error"])
    def test_an_error_keeps_no_private_data(self, status: int, kind: str) -> None:
        bad = {"message": self.PRIVATE, "code": "sk_live_canarysecretcanary", "decline_code": "pm_tokencanary"}
        unpaid = intent("requires_payment_method", last_payment_error=bad)
        for inside in ({}, {"payment_intent": unpaid}):
            body = {**error(type=kind, **bad, **inside), **unpaid}
            outcome = repr(http_provider(answer(status, body)).charge(charge(), ACCOUNT)).lower()
            assert "canary" not in outcome
            assert "4111" not in outcome
            assert "567890" not in outcome
            assert "\\r" not in outcome
            assert len(outcome) < 600

    def test_codes_of_cards_are_no_ids(self) -> None:
        for code in ("card_velocity_exceeded", "card_not_supported", "reenter_transaction"):
            assert http_provider(answer(402, card_error(code))).charge(charge(), ACCOUNT).code == code


SUCCESS = Succeeded(reference=PI, amount=1999, currency="USD", merchant_reference=KEY)
OTHER_KEY = {"payflowx_key": "pfx-zzzzzzzzzzzzzzzz-1"}

INTENTS: list[tuple[dict[str, Any], type, dict[str, Any]]] = [
    (intent(), Succeeded, {"amount": 1999, "currency": "USD", "merchant_reference": KEY, "reference": PI}),
    (intent(amount_received=1000), Succeeded, {"amount": 1000}),
    (intent(currency="eur"), Succeeded, {"currency": "EUR"}),
    (intent(metadata={}), Succeeded, {"merchant_reference": "none"}),
    (intent(metadata=None), Succeeded, {"merchant_reference": "none"}),
    (intent(metadata=OTHER_KEY), Succeeded, {"merchant_reference": "pfx-zzzzzzzzzzzzzzzz-1"}),
    (intent("requires_capture"), Authorized, {"amount": 1999, "merchant_reference": KEY}),
    (intent("processing"), Accepted, {"reference": PI}),
    (intent("requires_action", next_action=redirect()), ActionRequired, {"reference": PI}),
    (intent("requires_action", next_action=redirect("javascript:alert(1)")), Unknown, {}),
    (intent("requires_action", next_action=redirect(None)), Unknown, {}),
    (intent("requires_action", next_action=redirect("https://" + "x" * 3000)), Unknown, {}),
    (intent("requires_action", next_action={"type": "use_stripe_sdk", "use_stripe_sdk": {}}), Unknown, {}),
    (intent("requires_action", next_action={"type": "card_await_notification"}), Accepted, {}),
    (intent("requires_action"), Unknown, {}),
    (intent("requires_confirmation"), Declined, {"code": "not_confirmed", "cancel_required": True}),
    (intent("requires_payment_method"), Declined, {"code": "not_confirmed", "cancel_required": True}),
    (
        intent("requires_payment_method", last_payment_error={"code": "card_declined", "decline_code": "stolen_card"}),
        Declined,
        {"kind": DeclineKind.HARD, "code": "stolen_card", "cancel_required": True, "reference": PI},
    ),
    (
        intent("requires_payment_method", last_payment_error={"code": "payment_intent_authentication_failure"}),
        Declined,
        {"kind": DeclineKind.HARD, "cancel_required": True},
    ),
    (intent("canceled", amount_received=1), Unknown, {"code": "canceled_with_money"}),
    (intent("canceled", amount_received=None), Unknown, {"code": "canceled_with_money"}),
    (intent("partially_funded"), Unknown, {"code": "status_not_known"}),
    (intent("SUCCEEDED"), Unknown, {}),
    (intent(status=None), Unknown, {}),
    (intent(status=["succeeded"]), Unknown, {}),
    (intent("processing", metadata={}), Unknown, {"code": "another_intent"}),
    (intent("canceled", metadata=OTHER_KEY), Unknown, {"code": "another_intent"}),
    (intent("requires_payment_method", metadata=OTHER_KEY), Unknown, {"code": "another_intent"}),
    (intent(object="charge"), Unknown, {"code": "not_an_intent"}),
    (intent(id=None), Unknown, {}),
    (intent(id="x" * 200), Unknown, {}),
    (intent(amount_received="1999"), Unknown, {}),
    (intent(amount_received=True), Unknown, {}),
    (intent(amount_received=1999.0), Unknown, {}),
    (intent(amount_received=None), Unknown, {}),
    (intent(currency="USD"), Unknown, {}),
    (intent(currency=None), Unknown, {}),
]


def check(outcome: Any, kind: type, attributes: dict[str, Any]) -> None:
    assert type(outcome) is kind, outcome
    for attribute, value in attributes.items():
        assert getattr(outcome, attribute) == value


class TestIntents:
    @pytest.mark.parametrize(("body", "kind", "attributes"), INTENTS)
    def test_in_the_answer_to_a_charge(self, body: Any, kind: type, attributes: dict[str, Any]) -> None:
        check(http_provider(answer(200, body)).charge(charge(), ACCOUNT), kind, attributes)

    @pytest.mark.parametrize(("body", "kind", "attributes"), INTENTS)
    def test_in_a_read(self, body: Any, kind: type, attributes: dict[str, Any]) -> None:
        check(http_provider(answer(200, body)).inquire(charge(reference=PI), ACCOUNT), kind, attributes)

    def test_only_a_read_may_say_cancelled_and_confirmed(self) -> None:
        canceled = answer(200, intent("canceled"))
        assert http_provider(canceled).charge(charge(), ACCOUNT) == Unknown(code="canceled_at_once")
        assert http_provider(canceled).inquire(charge(reference=PI), ACCOUNT) == ConfirmedCancelled(reference=PI)


ERRORS: list[tuple[HttpResult, type, dict[str, Any]]] = [
    (answer(400, error(code="amount_too_small", param="amount")), Rejected, {"code": "amount_too_small"}),
    (answer(400, error(code="resource_missing", param="payment_method")), Rejected, {"code": "resource_missing"}),
    (answer(400, error(code="parameter_unknown")), Rejected, {"misconfigured": False}),
    (answer(400, error(param="currency")), Rejected, {}),
    (answer(400, error()), Unknown, {}),
    (answer(400, error(code="brand_new_code", param="amount")), Unknown, {"code": "brand_new_code"}),
    (answer(400, error(code="payment_intent_unexpected_state")), Unknown, {}),
    (answer(400, error(code="parameter_missing", payment_intent=intent())), Unknown, {}),
    (answer(400, error(code="parameter_missing", charge="ch_1")), Unknown, {}),
    (answer(400, error(code="parameter_missing", type="api_error")), Unknown, {}),
    (answer(400, error(type="idempotency_error")), Unknown, {"code": "idempotency_key_reused"}),
    (answer(400, b"<html>"), Unknown, {}),
    (answer(401, error()), Rejected, {"misconfigured": True}),
    (answer(403, b""), Rejected, {"misconfigured": True}),
    (answer(404, error(code="resource_missing")), Rejected, {"code": "resource_missing"}),
    (answer(409, error(code="idempotency_key_in_use")), Unknown, {}),
    (answer(422, error(code="parameter_missing")), Unknown, {}),
    (answer(424, error()), Unknown, {"code": "http_424"}),
    (answer(429, error(code="rate_limit"), **{"retry-after": "7"}), Rejected, {"retry_after_seconds": 7}),
    (answer(429, b"", **{"retry-after": "soon"}), Rejected, {"retry_after_seconds": 0}),
    (answer(429, error(code="lock_timeout")), Unknown, {"code": "lock_timeout"}),
    (answer(402, error(type="api_error")), Unknown, {}),
    (
        answer(402, card_error("stolen_card", payment_intent=None)),
        Declined,
        {"reference": None, "cancel_required": True},
    ),
    (answer(402, error(type="card_error")), Unknown, {"code": "decline_without_reason"}),
    (answer(402, card_error("stolen_card", payment_intent=intent())), Unknown, {"code": "decline_of_an_open_intent"}),
    (
        answer(402, card_error("stolen_card", payment_intent=intent("requires_payment_method", metadata={}))),
        Unknown,
        {"code": "decline_of_another_intent"},
    ),
    (answer(402, b"nothing"), Unknown, {}),
    (answer(201, intent()), Unknown, {}),
    (answer(302, b""), Unknown, {}),
    (answer(500, error(type="api_error")), Unknown, {"code": "http_500"}),
    (answer(500, intent(), **{"idempotent-replayed": "true"}), Unknown, {}),
    (answer(502, b"<html>"), Unknown, {}),
    (answer(200, [intent()]), Unknown, {}),
    (answer(200, b""), Unknown, {}),
    (answer(200, b"[" * 100_000), Unknown, {}),
    (answer(200, b'{"amount_received": NaN}'), Unknown, {}),
    (NoConnection(code="connection_refused"), NotSent, {}),
    (NoAnswer(code="read_timeout"), Unknown, {}),
]


@pytest.mark.parametrize(("given_answer", "kind", "attributes"), ERRORS)
def test_errors(given_answer: HttpResult, kind: type, attributes: dict[str, Any]) -> None:
    check(http_provider(given_answer).charge(charge(), ACCOUNT), kind, attributes)


DECLINES = {
    DeclineKind.SOFT: (
        "processing_error issuer_not_available try_again_later reenter_transaction approve_with_id do_not_honor"
        " generic_decline call_issuer no_action_taken service_not_allowed transaction_not_allowed not_permitted"
        " currency_not_supported card_not_supported authentication_required authentication_not_handled"
    ),
    DeclineKind.FUNDS: "insufficient_funds card_velocity_exceeded withdrawal_count_limit_exceeded",
    DeclineKind.HARD: (
        "lost_card stolen_card pickup_card restricted_card fraudulent merchant_blacklist do_not_try_again"
        " revocation_of_authorization revocation_of_all_authorizations stop_payment_order invalid_account"
        " new_account_information_available security_violation duplicate_transaction testmode_decline incorrect_cvc"
        " invalid_cvc expired_card incorrect_number invalid_number incorrect_zip incorrect_pin invalid_expiry_month"
        " invalid_expiry_year brand_new_code"
    ),
}


class TestDeclines:
    @pytest.mark.parametrize(
        ("kind", "code"), [(kind, code) for kind, codes in DECLINES.items() for code in codes.split()]
    )
    def test_every_code(self, kind: DeclineKind, code: str) -> None:
        declined = http_provider(answer(402, card_error(code))).charge(charge(), ACCOUNT)
        wanted = {"kind": kind, "code": code, "reference": PI, "cancel_required": True, "reopens_for_seconds": 0}
        check(declined, Declined, wanted)

    def test_without_an_issuers_reason_the_code_counts(self) -> None:
        declined = http_provider(answer(402, card_error(None, code="processing_error"))).charge(charge(), ACCOUNT)
        assert (declined.kind, declined.code) == (DeclineKind.SOFT, "processing_error")

    @pytest.mark.parametrize(
        ("advice", "kind"),
        [
            ("do_not_try_again", DeclineKind.HARD),
            ("confirm_card_data", DeclineKind.HARD),
            ("try_again_later", DeclineKind.SOFT),
            ("new_advice", DeclineKind.SOFT),
        ],
    )
    def test_advice_makes_a_decline_harder_and_never_softer(self, advice: str, kind: DeclineKind) -> None:
        soft = http_provider(answer(402, card_error("do_not_honor", advice_code=advice))).charge(charge(), ACCOUNT)
        hard = http_provider(answer(402, card_error("lost_card", advice_code=advice))).charge(charge(), ACCOUNT)
        assert (soft.kind, hard.kind) == (kind, DeclineKind.HARD)


class TestInquiry:
    def ask(self, *answers: HttpResult) -> Any:
        return http_provider(*answers).inquire(charge(), ACCOUNT)

    def test_found_in_the_list_is_read(self) -> None:
        newest = listed(intent(metadata={}), intent(), intent(metadata=OTHER_KEY))
        assert self.ask(newest, answer(200, intent())) == SUCCESS

    def test_the_index_gives_the_id_and_never_the_status(self) -> None:
        stale = intent("processing")
        assert self.ask(listed(), listed(stale), answer(200, intent())) == SUCCESS
        http = FakeHttp([listed(), listed(intent()), answer(200, intent("processing"))])
        asked = replace(http_provider(), http=http)
        assert asked.inquire(charge(), ACCOUNT) == Accepted(reference=PI)
        assert http.sent[2].path == f"/v1/payment_intents/{PI}"

    def test_a_list_that_fails_leaves_the_search(self) -> None:
        assert self.ask(answer(500, b""), listed(intent()), answer(200, intent())) == SUCCESS

    @pytest.mark.parametrize(
        ("answers", "kind"),
        [
            ([listed(), listed()], NotFound),
            ([listed(), listed(intent(metadata=OTHER_KEY))], NotFound),
            ([listed(intent(), intent(id="pi_2"))], Mismatch),
            ([listed(), listed(intent(), intent(id="pi_2"))], Mismatch),
            ([listed(), answer(400, error())], Unknown),
            ([listed(), answer(429, error())], Unknown),
            ([listed(), listed(intent()), answer(404, error())], Unknown),
            ([answer(200, {"data": "x"})], Unknown),
            ([answer(200, {"data": [1]})], Unknown),
            ([listed(*[intent(metadata={})] * 101)], Unknown),
            ([NoAnswer(code="read_timeout")], Unknown),
            ([NoConnection(code="x")], Unknown),
        ],
    )
    def test_otherwise(self, answers: list[HttpResult], kind: type) -> None:
        assert type(self.ask(*answers)) is kind

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500])
    def test_a_read_that_fails_says_nothing(self, status: int) -> None:
        outcome = http_provider(answer(status, error())).inquire(charge(reference=PI), ACCOUNT)
        assert outcome == Unknown(code=f"http_{status}")


class TestCancelAndConfirm:
    waiting = intent("requires_action", next_action=redirect())

    def cancel_and_confirm(self, *answers: HttpResult, **changes: Any) -> Any:
        return http_provider(*answers).cancel_and_confirm(charge(**changes), ACCOUNT)

    @pytest.mark.parametrize("status", [200, 400, 404, 500])
    def test_whatever_the_cancel_says_the_read_decides(self, status: int) -> None:
        cancel = answer(status, intent("canceled"))
        read = answer(200, intent("canceled"))
        assert self.cancel_and_confirm(cancel, read, reference=PI) == ConfirmedCancelled(reference=PI)
        assert self.cancel_and_confirm(cancel, answer(200, intent()), reference=PI) == SUCCESS
        assert type(self.cancel_and_confirm(cancel, answer(200, self.waiting), reference=PI)) is ActionRequired
        assert type(self.cancel_and_confirm(cancel, answer(404, error()), reference=PI)) is Unknown

    def test_without_an_id_it_is_found_first(self) -> None:
        canceled = answer(200, intent("canceled"))
        proven = ConfirmedCancelled(reference=PI)
        assert self.cancel_and_confirm(listed(intent()), canceled, canceled) == proven
        assert self.cancel_and_confirm(listed(), listed(intent()), canceled, canceled) == proven
        assert self.cancel_and_confirm(answer(500, b""), listed(intent()), canceled, canceled) == proven

    def test_nothing_to_cancel_proves_nothing(self) -> None:
        assert self.cancel_and_confirm(listed(), listed()) == Unknown(code="nothing_to_cancel")
        assert self.cancel_and_confirm(listed(), answer(400, error())) == Unknown(code="http_400")

    def test_two_of_them_are_a_persons_business(self) -> None:
        assert type(self.cancel_and_confirm(listed(intent(), intent(id="pi_2")))) is Mismatch
        assert type(self.cancel_and_confirm(listed(), listed(intent(), intent(id="pi_2")))) is Mismatch

    def test_another_intent_is_no_proof(self) -> None:
        other = answer(200, intent("canceled", metadata=OTHER_KEY))
        assert type(self.cancel_and_confirm(other, other, reference=PI)) is Unknown


def operation_request(kind: OperationKind = OperationKind.REFUND, **changes: Any) -> OperationRequest:
    values: dict[str, Any] = {
        "kind": kind,
        "provider_key": REFUND_KEY,
        "amount": 500,
        "currency": "USD",
        "charge_key": KEY,
        "charge_reference": PI,
        "charge_amount": 1999,
        **changes,
    }
    return OperationRequest(**values)


def refund(status: Any = "succeeded", **changes: Any) -> dict[str, Any]:
    return {
        "id": "re_1",
        "object": "refund",
        "amount": 500,
        "currency": "usd",
        "payment_intent": PI,
        "status": status,
        "metadata": {"payflowx_key": REFUND_KEY},
        **changes,
    }


def captured(**changes: Any) -> dict[str, Any]:
    keys = {"payflowx_key": KEY, "payflowx_capture": REFUND_KEY}
    return intent(amount_received=500, metadata=keys, **changes)


def move(moved: OperationRequest, response: HttpResponse) -> Any:
    (step,) = CONNECTOR.operation_steps(moved)
    assert step.moves
    return _read(step, moved, response)  # type: ignore[arg-type]


def ask(moved: OperationRequest, response: HttpResponse) -> Any:
    (step,) = CONNECTOR.operation_inquiry_steps(moved)
    assert not step.moves
    assert step.build(moved).method == "GET"
    return _read(step, moved, response)  # type: ignore[arg-type]


REFUNDS: list[tuple[dict[str, Any], type, dict[str, Any]]] = [
    (
        refund(),
        Succeeded,
        {"reference": "re_1", "amount": 500, "currency": "USD", "merchant_reference": REFUND_KEY},
    ),
    (refund("pending"), Accepted, {"reference": "re_1"}),
    (refund("requires_action"), Accepted, {"reference": "re_1"}),
    (refund("failed", failure_reason="lost_or_stolen_card"), Declined, {"code": "lost_or_stolen_card"}),
    (refund("failed"), Declined, {"code": "failed"}),
    (refund("canceled"), Declined, {"code": "canceled"}),
    (refund("new_word"), Unknown, {}),
    (refund(None), Unknown, {}),
    (refund(payment_intent="pi_other"), Mismatch, {"reference": "re_1"}),
    (refund(amount="500"), Unknown, {}),
    (refund(object="charge"), Unknown, {}),
    (refund(id=None), Unknown, {}),
]


class TestOperations:
    def test_what_is_sent(self) -> None:
        sent = {
            kind: CONNECTOR.operation_steps(operation_request(kind))[0].build(operation_request(kind))
            for kind in OperationKind
        }
        assert {request.headers["Idempotency-Key"] for request in sent.values()} == {REFUND_KEY}
        assert sent[OperationKind.CAPTURE].path == f"/v1/payment_intents/{PI}/capture"
        assert form(sent[OperationKind.CAPTURE]) == {
            "amount_to_capture": "500",
            "metadata[payflowx_capture]": REFUND_KEY,
        }
        assert sent[OperationKind.VOID].path == f"/v1/payment_intents/{PI}/cancel"
        assert form(sent[OperationKind.VOID]) == {"cancellation_reason": "requested_by_customer"}
        assert sent[OperationKind.REFUND].path == "/v1/refunds"
        assert form(sent[OperationKind.REFUND]) == {
            "payment_intent": PI,
            "amount": "500",
            "metadata[payflowx_key]": REFUND_KEY,
        }

    @pytest.mark.parametrize(("body", "kind", "attributes"), REFUNDS)
    def test_refunds(self, body: Any, kind: type, attributes: dict[str, Any]) -> None:
        check(move(operation_request(), answer(200, body)), kind, attributes)
        check(ask(operation_request(), listed(refund(metadata={}), body)), kind, attributes)
        check(ask(operation_request(reference="re_1"), answer(200, body)), kind, attributes)

    def test_a_refund_with_anothers_key_is_not_ours(self) -> None:
        assert type(move(operation_request(), answer(200, refund(metadata={})))) is Mismatch
        assert type(ask(operation_request(reference="re_1"), answer(200, refund(metadata={})))) is Mismatch
        assert type(ask(operation_request(), listed(refund(metadata={})))) is NotFound

    def test_lists_of_refunds(self) -> None:
        assert type(ask(operation_request(), listed())) is NotFound
        assert type(ask(operation_request(), listed(has_more=True))) is Unknown
        assert type(ask(operation_request(), listed(refund(), has_more=True))) is Succeeded
        assert type(ask(operation_request(), listed(refund(), refund(id="re_2")))) is Mismatch

    @pytest.mark.parametrize(
        ("body", "asked", "answered"),
        [
            (captured(), Succeeded, Succeeded),
            (captured(object="charge"), Unknown, Unknown),
            (intent(amount_received=500), Succeeded, Succeeded),
            (intent("requires_capture"), NotFound, Unknown),
            (intent("canceled"), Declined, Unknown),
            (intent("processing"), Accepted, Accepted),
            (intent("requires_action"), Unknown, Unknown),
            (intent(id="pi_other"), Unknown, Unknown),
            (intent(metadata={"payflowx_capture": REFUND_KEY}), Unknown, Unknown),
        ],
    )
    def test_captures(self, body: Any, asked: type, answered: type) -> None:
        assert type(ask(operation_request(OperationKind.CAPTURE), answer(200, body))) is asked
        assert type(move(operation_request(OperationKind.CAPTURE), answer(200, body))) is answered

    def test_a_capture_says_whose_it_was(self) -> None:
        ours = ask(operation_request(OperationKind.CAPTURE), answer(200, captured()))
        assert ours == Succeeded(reference=PI, amount=500, currency="USD", merchant_reference=REFUND_KEY)
        theirs = ask(operation_request(OperationKind.CAPTURE), answer(200, intent(amount_received=500)))
        assert theirs.merchant_reference == "none"

    @pytest.mark.parametrize(
        ("body", "asked", "answered"),
        [
            (intent("canceled"), Succeeded, Succeeded),
            (intent("canceled", amount_received=5), Unknown, Unknown),
            (intent(), Declined, Unknown),
            (intent("requires_capture"), NotFound, Unknown),
            (intent("processing"), Unknown, Unknown),
            (intent("canceled", metadata=OTHER_KEY), Unknown, Unknown),
        ],
    )
    def test_voids(self, body: Any, asked: type, answered: type) -> None:
        assert type(ask(operation_request(OperationKind.VOID), answer(200, body))) is asked
        assert type(move(operation_request(OperationKind.VOID), answer(200, body))) is answered

    @pytest.mark.parametrize("kind", OperationKind)
    @pytest.mark.parametrize(
        ("response", "outcome"),
        [
            (answer(400, error(code="payment_intent_unexpected_state")), Unknown),
            (answer(400, error(code="parameter_missing", param="amount")), Rejected),
            (answer(400, error(type="idempotency_error")), Unknown),
            (answer(401, error()), Rejected),
            (answer(402, card_error("stolen_card")), Unknown),
            (answer(404, error(code="resource_missing")), Unknown),
            (answer(409, error()), Unknown),
            (answer(429, error()), Rejected),
            (answer(500, error()), Unknown),
            (answer(200, b"<html>"), Unknown),
        ],
    )
    def test_errors(self, kind: OperationKind, response: HttpResponse, outcome: type) -> None:
        assert type(move(operation_request(kind), response)) is outcome
        if response.status != 200:
            assert type(ask(operation_request(kind), response)) is Unknown


NOW_S = 1_800_000_000


def webhook(body: bytes, header: str | None = None, *, secret: str = "whsec_a", age_s: int = 0) -> Webhook:
    time = str(NOW_S - age_s)
    signed = f"t={time},v1={signature.sign(secret, time, body)}" if header is None else header
    return Webhook(headers={"stripe-signature": signed}, body=body, received_at_ms=NOW_S * 1000)


def event(kind: str, thing: Any, **changes: Any) -> bytes:
    values = {"id": "evt_1", "object": "event", "type": kind, "created": NOW_S, "data": {"object": thing}, **changes}
    return json.dumps(values).encode()


class TestSignatures:
    body = b'{"id":"evt_1"}'

    def read(self, hook: Webhook, *secrets: str) -> ProviderEvent:
        return CONNECTOR.read_webhook(hook, secrets or ("whsec_a",))

    def test_a_known_answer(self) -> None:
        """Computed with openssl dgst -sha256 -hmac."""
        known = "a55079840ea2399121b7cc9ddcc2d7f3eadb4e93e38ab7d315482aa8d4846852"
        assert signature.sign("whsec_a", "1800000000", self.body) == known

    def test_genuine(self) -> None:
        assert self.read(webhook(self.body)).event_id == "evt_1"
        assert self.read(webhook(self.body, age_s=300)).event_id == "evt_1"
        assert self.read(webhook(self.body, age_s=-300)).event_id == "evt_1"

    def test_any_secret_and_any_signature_during_a_rotation(self) -> None:
        assert self.read(webhook(self.body, secret="new"), "old", "new").event_id == "evt_1"
        good = signature.sign("whsec_a", str(NOW_S), self.body)
        header = f"t={NOW_S},v1={'0' * 64},v1={good},v0={'1' * 64}"
        assert self.read(webhook(self.body, header)).event_id == "evt_1"
        assert self.read(webhook(self.body, f" t={NOW_S} , v1={good} ")).event_id == "evt_1"

    good = signature.sign("whsec_a", str(NOW_S), body)

    @pytest.mark.parametrize(
        "header",
        [
            "",
            "nonsense",
            f"t={NOW_S}",
            f"v1={good}",
            f"t={NOW_S},v0={good}",
            f"t={NOW_S},v1={good.upper()}",
            f"t={NOW_S},v1={good[:-1]}",
            f"t={NOW_S},v1={'0' * 64}",
            f"t={NOW_S},v1=é{good}",
            f"t={NOW_S + 1},v1={good}",
            f"t={NOW_S},t={NOW_S},v1={good}",
            f"t=-{NOW_S},v1={good}",
            f"t=٣,v1={good}",
            f"t={'9' * 30},v1={good}",
            f"t={NOW_S}," + ",".join([f"v1={good}"] * 9),
            f"t={NOW_S},v1={good}" + "," * 3_000,
        ],
    )
    def test_forged(self, header: str) -> None:
        with pytest.raises(InvalidSignatureError) as raised:
            self.read(webhook(self.body, header))
        assert not str(raised.value)

    def test_forged_otherwise(self) -> None:
        for hook in (
            webhook(self.body, age_s=301),
            webhook(self.body, age_s=-301),
            webhook(self.body, secret="other"),
            replace(webhook(self.body), body=self.body + b" "),
            replace(webhook(self.body), headers={}),
            webhook(b"x" * 300_000),
        ):
            with pytest.raises(InvalidSignatureError):
                self.read(hook)

    def test_an_empty_secret_opens_nothing(self) -> None:
        for secrets in ((), ("",)):
            with pytest.raises(InvalidSignatureError):
                CONNECTOR.read_webhook(webhook(self.body, secret=""), secrets)


DISPUTE: dict[str, Any] = {
    "id": "du_1MtJUT2eZvKYlo2CNaw2HvEv",
    "object": "dispute",
    "amount": 1000,
    "charge": "ch_1AZtxr2eZvKYlo2CJDX8whov",
    "created": 1_680_651_737,
    "currency": "usd",
    "evidence_details": {"due_by": 1_682_294_399, "has_evidence": False, "past_due": False, "submission_count": 0},
    "payment_intent": PI,
    "reason": "general",
    "status": "needs_response",
}


class TestWebhooks:
    def read(self, body: bytes) -> ProviderEvent:
        return CONNECTOR.read_webhook(webhook(body), ["whsec_a"])

    def test_a_success_is_proof(self) -> None:
        provider_event = self.read(event("payment_intent.succeeded", intent()))
        assert provider_event == ProviderEvent(
            event_id="evt_1",
            type="payment_intent.succeeded",
            charge_reference=PI,
            charge_key=KEY,
            outcome=SUCCESS,
        )

    @pytest.mark.parametrize(
        ("kind", "thing"),
        [
            ("payment_intent.succeeded", intent("processing")),
            ("payment_intent.succeeded", intent(amount_received="x")),
            ("payment_intent.succeeded", intent(currency=1)),
            ("payment_intent.succeeded", intent(metadata={})),
            ("payment_intent.payment_failed", intent("requires_payment_method", last_payment_error={"code": "x"})),
            ("payment_intent.canceled", intent("canceled")),
            ("payment_intent.processing", intent("processing")),
            ("payment_intent.requires_action", intent("requires_action")),
            ("payment_intent.amount_capturable_updated", intent("requires_capture")),
            ("payment_intent.created", intent()),
        ],
    )
    def test_anything_else_is_a_reason_to_inquire(self, kind: str, thing: Any) -> None:
        provider_event = self.read(event(kind, thing))
        assert provider_event.outcome is None
        assert provider_event.operation_outcome is None
        assert (provider_event.type, provider_event.charge_reference) == (kind, PI)

    @pytest.mark.parametrize("status", ["succeeded", "failed", "pending"])
    @pytest.mark.parametrize("kind", ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"])
    def test_refunds_are_read_again(self, kind: str, status: str) -> None:
        provider_event = self.read(event(kind, refund(status)))
        assert provider_event == ProviderEvent(
            event_id="evt_1", type=kind, charge_reference=PI, operation_reference="re_1", operation_key=REFUND_KEY
        )

    def test_charges_and_disputes_name_their_intent(self) -> None:
        thing = {"object": "charge", "id": "ch_1", "payment_intent": PI, "metadata": {"payflowx_key": KEY}}
        assert self.read(event("charge.refunded", thing)).charge_key == KEY
        dispute = {"object": "dispute", "id": "dp_1", "payment_intent": PI}
        assert self.read(event("charge.dispute.created", dispute)).charge_reference == PI

    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("warning_needs_response", DisputeState.OPEN),
            ("needs_response", DisputeState.OPEN),
            ("warning_under_review", DisputeState.UNDER_REVIEW),
            ("under_review", DisputeState.UNDER_REVIEW),
            ("won", DisputeState.WON),
            ("lost", DisputeState.LOST),
            ("warning_closed", DisputeState.CLOSED),
        ],
    )
    def test_a_dispute_is_reported(self, status: str, state: DisputeState) -> None:
        reported = self.read(event("charge.dispute.updated", {**DISPUTE, "status": status}))
        assert reported.charge_reference == PI
        assert reported.dispute == DisputeReport(
            reference="du_1MtJUT2eZvKYlo2CNaw2HvEv",
            state=state,
            amount=1000,
            currency="USD",
            reason="general",
            reported_at_ms=NOW_S * 1000,
            evidence_due_at_ms=1_682_294_399_000,
        )

    @pytest.mark.parametrize(
        "change",
        [
            {"status": "a word of tomorrow"},
            {"amount": "1000"},
            {"currency": None},
            {"reason": None},
            {"id": None},
            {"evidence_details": {"due_by": "soon"}},
        ],
    )
    def test_a_dispute_that_is_not_understood_is_none(self, change: dict[str, Any]) -> None:
        reported = self.read(event("charge.dispute.updated", {**DISPUTE, **change}))
        assert (reported.dispute, reported.charge_reference) == (None, PI)

    def test_a_dispute_may_have_no_deadline(self) -> None:
        reported = self.read(event("charge.dispute.closed", {**DISPUTE, "evidence_details": {"due_by": None}}))
        assert reported.dispute is not None
        assert reported.dispute.evidence_due_at_ms is None

    @pytest.mark.parametrize(
        "body", [b"", b"<html>", b"[]", b"[" * 100_000, b"{}", b'{"data":{"object":[1]}}', b"\xff"]
    )
    def test_what_is_authentic_and_not_understood_becomes_an_empty_provider_event(self, body: bytes) -> None:
        provider_event = self.read(body)
        assert provider_event == ProviderEvent(event_id=hashlib.sha256(body).hexdigest(), type="unrecognized")


def line(kind: str, source: Any, **changes: Any) -> dict[str, Any]:
    return {"id": "txn_1", "object": "balance_transaction", "type": kind, "created": 7, "source": source, **changes}


CHARGE_SOURCE = {
    "id": "ch_1",
    "object": "charge",
    "payment_intent": PI,
    "amount": 1999,
    "amount_captured": 1999,
    "currency": "jpy",
    "status": "succeeded",
    "metadata": {"payflowx_key": KEY},
}


class TestReports:
    def test_the_request(self) -> None:
        request = CONNECTOR.reports.request(ReportPage(from_ms=1_001, until_ms=5_000, cursor="txn_9"))
        assert urlsplit(request.path).path == "/v1/balance_transactions"
        assert query(request) == {
            "created[gte]": "2",
            "created[lt]": "5",
            "limit": "25",
            "expand[]": "data.source",
            "starting_after": "txn_9",
        }

    def test_charges_and_refunds(self) -> None:
        answered = CONNECTOR.reports.read(
            PAGE,
            listed(line("charge", CHARGE_SOURCE), line("stripe_fee", None), line("refund", refund()), line("new", "x")),
        )
        first, second = answered.entries
        assert (first.kind, first.reference, first.provider_key) == (EntryKind.CHARGE, PI, KEY)
        assert (first.amount, first.currency, first.succeeded, first.at_ms) == (1999, "JPY", True, 7_000)
        assert (second.kind, second.reference, second.provider_key) == (EntryKind.REFUND, "re_1", REFUND_KEY)
        assert second.succeeded
        assert answered.next_cursor is None

    def test_what_failed_afterwards(self) -> None:
        lines = [line("refund_failure", refund("failed")), line("payment_failure_refund", CHARGE_SOURCE)]
        answered = CONNECTOR.reports.read(PAGE, listed(*lines, line("refund", refund("failed"))))
        assert [entry.succeeded for entry in answered.entries] == [False, False, False]

    def test_foreign_charges_carry_no_key_of_ours(self) -> None:
        foreign = {**CHARGE_SOURCE, "payment_intent": None, "metadata": {"payflowx_key": "what ever"}}
        (entry,) = CONNECTOR.reports.read(PAGE, listed(line("payment", foreign))).entries
        assert (entry.reference, entry.provider_key) == ("ch_1", None)

    def test_pages(self) -> None:
        assert CONNECTOR.reports.read(PAGE, listed(line("payout", None), has_more=True)).next_cursor == "txn_1"

    @pytest.mark.parametrize(
        "response",
        [
            answer(500, b""),
            answer(200, b"<html>"),
            answer(200, {"data": []}),
            listed(has_more=True),
            listed(line("charge", "ch_1")),
            listed(line("charge", None)),
            listed(line("charge", refund())),
            listed(line("charge", {**CHARGE_SOURCE, "amount_captured": "1"})),
            listed(line("refund", refund(currency="X"))),
            listed(line("charge", CHARGE_SOURCE, object="x")),
            listed(line("charge", CHARGE_SOURCE, created=None)),
            listed(line(None, CHARGE_SOURCE)),  # type: ignore[arg-type]
            listed(*[line("payout", None)] * 101),
            listed(1),
        ],
    )
    def test_a_list_with_holes_is_refused(self, response: HttpResponse) -> None:
        with pytest.raises(ValueError, match=r"."):
            CONNECTOR.reports.read(PAGE, response)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_NAMES = "id object status metadata amount_received currency error next_action last_payment_error data has_more"
_FIELDS = st.sampled_from(_NAMES.split())
_SHAPED = st.dictionaries(_FIELDS, _JSON | st.sampled_from(["payment_intent", "succeeded", "canceled", "refund", PI]))
_BODIES = (
    st.binary(max_size=200)
    | _JSON.map(lambda v: json.dumps(v).encode())
    | _SHAPED.map(lambda v: json.dumps(v).encode())
)
STEPS = [
    (step, order)
    for order in (charge(), charge(reference=PI), charge(progress={"payment_intent": PI}))
    for step in (*CONNECTOR.charge_steps, *CONNECTOR.inquiry_steps(order), *CONNECTOR.cancel_steps(order))
]
MOVES = [
    (step, moved)
    for kind in OperationKind
    for moved in (operation_request(kind), operation_request(kind, reference="re_1"))
    for step in (*CONNECTOR.operation_steps(moved), *CONNECTOR.operation_inquiry_steps(moved))
]


class TestGarbage:
    @given(status=st.integers(100, 599), body=_BODIES)
    @settings(max_examples=150, deadline=None)
    def test_never_raises_and_never_makes_money_of_it(self, status: int, body: bytes) -> None:
        response = HttpResponse(status=status, headers={}, body=body)
        for step, order in STEPS:
            outcome = _read(step, order, response)
            assert not isinstance(outcome, NotSent | Authorized | ConfirmedCancelled | Declined)
            if isinstance(outcome, Succeeded):
                assert outcome.merchant_reference == "none"
            if isinstance(outcome, Rejected):
                assert status in {400, 401, 403, 429}
        for step, moved in MOVES:
            outcome = _read(step, moved, response)  # type: ignore[misc]  # steps of several kinds
            assert isinstance(outcome, Unknown | Rejected | NotFound | Mismatch | Progress)

    @given(body=_BODIES, header=st.text(max_size=100))
    @settings(max_examples=100, deadline=None)
    def test_webhooks(self, body: bytes, header: str) -> None:
        with pytest.raises(InvalidSignatureError):
            CONNECTOR.read_webhook(webhook(body, header), ["whsec_a"])
        provider_event = CONNECTOR.read_webhook(webhook(body), ["whsec_a"])
        assert provider_event.outcome is None
        assert provider_event.operation_outcome is None
