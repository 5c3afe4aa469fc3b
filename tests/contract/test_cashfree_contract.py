"""Cashfree's adapter against Cashfree's published contract: every request we can build, every word and example of it.

The contract lies beside the repository and is not ours to copy: where it is absent these tests are left out.
"""

import json
import re
from functools import cache
from typing import Any

import jsonschema
import pytest

from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Authorized,
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
from payflowx.domain.payments.refund_list import RefundState
from payflowx.domain.providers.events import Webhook
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.reconciliation.reports import ReportPage
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode, DeclineKind
from payflowx.domain.shared.transport import Credentials, HttpRequest, HttpResponse
from payflowx.providers.cashfree import requests, signature
from payflowx.providers.cashfree.connector import CONNECTOR
from payflowx.providers.http_provider import _read
from tests.support.left_out import CONTRACTS

PAGE = ReportPage(from_ms=1_700_000_000_000, until_ms=1_700_003_600_000)

SPECIFICATION = CONTRACTS / "cashfree-pg-2025-01-01.full.json"

pytestmark = pytest.mark.needs("contracts")

KEY = "pfx-abcdefghijklmnop-1"
MOVE_KEY = "pfx-qrstuvwxyz234567-1"
SESSION = "session_a1VXIPJo8kh7IBigVXX8LgTMupQW"


@cache
def specification() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SPECIFICATION.read_text())
    return found


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """What a reference stands for."""
    while "$ref" in part:
        found: Any = specification()
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name.replace("~1", "/")]
        part = found
    return part


def schema(name: str) -> dict[str, Any]:
    return resolved({"$ref": f"#/components/schemas/{name}"})


def example(name: str) -> Any:
    return resolved({"$ref": f"#/components/examples/{name}"})["value"]


def operation(request: HttpRequest) -> dict[str, Any]:
    """The operation whose path the request has; a literal path wins over one with parameters."""
    paths: dict[str, Any] = specification()["paths"]
    for path in sorted(paths, key=lambda path: path.count("{")):
        pattern = re.sub(r"\\{\w+\\}", r"[^/]+", re.escape(path))
        if re.fullmatch(pattern, request.path) and request.method.lower() in paths[path]:
            found: dict[str, Any] = paths[path][request.method.lower()]
            return found
    raise AssertionError(f"the vendor has no {request.method} {request.path}")


def validate(value: Any, part: dict[str, Any]) -> None:
    whole = {**part, "components": specification()["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


def unknown_members(value: Any, part: dict[str, Any]) -> set[str]:
    """Members that the schema does not name: it allows them, but the provider would not know them."""
    part = resolved(part)
    for piece in part.get("allOf", []):
        part = {**part, **resolved(piece)}
    if "oneOf" in part and isinstance(value, dict):
        return min((unknown_members(value, piece) for piece in part["oneOf"]), key=len)
    if not isinstance(value, dict) or "additionalProperties" in part or "properties" not in part:
        return set()
    known = part["properties"]
    found = set(value) - set(known)
    for name in set(value) & set(known):
        found |= unknown_members(value[name], known[name])
    return found


def charge(**changes: Any) -> ChargeRequest:
    values: dict[str, Any] = {
        "provider_key": KEY,
        "amount": 1999,
        "currency": "INR",
        "token": "54deabb4-ba45-4a60-9e6a-9c016fe7ab10",
        "payment_method_type": "card",
        "capture": CaptureMode.AUTOMATIC,
        "progress": {"order": "created", "payment_session_id": SESSION},
        **changes,
    }
    return ChargeRequest(**values)


def operation_request(kind: OperationKind, **changes: Any) -> OperationRequest:
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


CUSTOMERS = [
    Customer(phone="+919876543210"),
    Customer(id="cust_1", phone="+919876543210", name="A", email="a@b.example"),
    Customer(id="x" * 200, phone="09876543210", name="n" * 300, email="e" * 200),
]
"""Each with an Indian number: routing passes over this provider without one, and the contract has no other form."""
MERCHANTS: list[dict[str, Any]] = [
    {},
    {"description": "x", "metadata": {"": ""}, "receipt_email": "r@b.example", "charge_deadline_ms": 1_700_000_000_000},
    {"description": "\u20b9 " * 300, "metadata": {f"name {n}": "\u20b9" * 500 for n in range(50)}},
]


def every_request() -> list[HttpRequest]:
    charges = [
        charge(customer=customer, payment_method_type=method, return_url=url, amount=amount, currency=currency, **more)
        for customer in CUSTOMERS
        for more in MERCHANTS
        for method in ("card", "upi")
        for url in (None, "https://shop.example/back", "https://shop.example/" + "x" * 2000)
        for amount, currency in ((100, "INR"), (999_999_999_999, "INR"), (1050, "USD"), (1999, "JPY"), (1999, "KWD"))
    ]
    steps = [
        *CONNECTOR.charge_steps,
        *CONNECTOR.inquiry_steps(charge()),
        *CONNECTOR.cancel_steps(charge(capture=CaptureMode.MANUAL)),
    ]
    moving = [
        step.build(operation_request(kind, amount=amount))
        for kind in OperationKind
        for amount in (1, 1000, 999_999_999_999)
        for step in [
            *CONNECTOR.operation_steps(operation_request(kind)),
            *CONNECTOR.operation_inquiry_steps(operation_request(kind)),
        ]
    ]
    pages = [
        CONNECTOR.reports.request(ReportPage(from_ms=0, until_ms=86_400_000, cursor=cursor))
        for cursor in (None, "eyJzZWFyY2hBZnRlciI6eyJsaXN0IjpbMTg4NjcxNDVdfX0=")
    ]
    return [*(step.build(each) for each in charges for step in steps), *moving, *pages]


class TestRequests:
    def test_every_request_is_what_the_contract_asks_for(self) -> None:
        seen = set()
        for request in every_request():
            asked = operation(request)
            seen.add(asked["operationId"])
            if not request.body:
                assert "requestBody" not in asked
                continue
            assert request.headers["Content-Type"] == "application/json"
            part = resolved(asked["requestBody"])["content"]["application/json"]["schema"]
            body = json.loads(request.body)
            validate(body, part)
            assert unknown_members(body, part) == set()
        assert seen == {
            *("PGCreateOrder", "PGFetchOrder", "PGPayOrder", "PGTerminateOrder", "PGOrderFetchPayments"),
            *("PGAuthorizeOrder", "PGOrderCreateRefund", "PGOrderFetchRefunds", "PGFetchRecon"),
        }

    def test_the_validation_finds_what_is_wrong(self) -> None:
        part = schema("CreateOrderRequest")
        body = json.loads(requests.create_order(charge(customer=CUSTOMERS[0])).body)
        for change in ({"order_amount": "19.99"}, {"order_id": "x" * 46}, {"customer_details": {"customer_id": "abc"}}):
            with pytest.raises(jsonschema.ValidationError):
                validate({**body, **change}, part)
        assert unknown_members({**body, "order_meta": {"new": 1}}, part) == {"new"}

    def test_headers_are_those_of_the_operation(self) -> None:
        for request in every_request():
            asked = operation(request)
            parameters = [resolved(part) for part in asked["parameters"]]
            names = {part["name"].lower() for part in parameters if part["in"] == "header"}
            sent = CONNECTOR.authenticate(request, Credentials(key_id="i", key_secret="s"))
            own = {name.lower() for name in sent.headers} - {"content-type", "x-client-id", "x-client-secret"}
            assert own <= names
            assert ("x-client-secret" in sent.headers) is bool(asked["security"])
            version = next(part for part in parameters if part["name"] == "x-api-version")
            assert sent.headers["x-api-version"] == version["schema"]["default"]

    def test_keys_fit_and_are_uuids(self) -> None:
        order, refund = schema("CreateOrderRequest"), schema("OrderCreateRefundRequest")
        limit = order["properties"]["order_id"]["maxLength"], refund["properties"]["refund_id"]["maxLength"]
        assert len(KEY) == len(MOVE_KEY) <= min(limit)
        header = resolved({"$ref": "#/components/parameters/xIdempotencyKeyHeader"})
        assert header["schema"]["format"] == "UUID"
        keyed = [request for request in every_request() if "x-idempotency-key" in request.headers]
        assert all(re.fullmatch(r"[0-9a-f-]{36}", request.headers["x-idempotency-key"]) for request in keyed)


def answer(body: Any, status: int = 200, **headers: str) -> HttpResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status=status, headers=headers, body=data)


def read(step: Any, asked: Any, response: HttpResponse) -> Any:
    """As a connector reads it: what a parser chokes on is not understood."""
    return _read(step, asked, response)


def inquire(payments: list[dict[str, Any]], **changes: Any) -> Any:
    asked = charge(**changes)
    return read(CONNECTOR.inquiry_steps(asked)[0], asked, answer(payments))


class TestAnswers:
    def test_the_example_of_an_order(self) -> None:
        order = example("order_entity_list_example")[0]
        validate({name: value for name, value in order.items() if value is not None}, schema("OrderEntity"))
        asked = charge(provider_key=order["order_id"], amount=2200)
        step = CONNECTOR.charge_steps[0]
        expected = {"order": "created", "payment_session_id": order["payment_session_id"]}
        assert read(step, asked, answer(order)) == Progress(facts=expected)
        assert read(step, charge(amount=2200), answer(order)) == Unknown(code="another_order")

    def test_every_word_of_an_order(self) -> None:
        said = schema("OrderEntity")["properties"]["order_status"]["description"]
        words = set(re.findall(r"`([A-Z_]+)`", said))
        assert words == {"ACTIVE", "PAID", "EXPIRED", "TERMINATED", "TERMINATION_REQUESTED"}
        order = {**example("order_entity_list_example")[0], "order_id": KEY}
        step = CONNECTOR.cancel_steps(charge())[1]
        found = {word: read(step, charge(), answer({**order, "order_status": word})) for word in words}
        closed = {word for word, outcome in found.items() if isinstance(outcome, Progress)}
        assert closed == {"PAID", "TERMINATED"}
        assert all(isinstance(found[word], Unknown) for word in words - closed)

    def test_the_examples_of_payments(self) -> None:
        success, failure, international = example("payments_entity_list_example")
        assert inquire([success], provider_key="order_8123") == Succeeded(
            reference="12376123", amount=1001, currency="INR", merchant_reference="order_8123"
        )
        declined = inquire([failure], provider_key="order_8123")
        assert isinstance(declined, Declined)
        assert (declined.kind, declined.code) == (DeclineKind.SOFT, "auth_declined")
        assert isinstance(inquire([success, failure], provider_key="order_8123"), Succeeded)
        paid_abroad = {**international, "payment_status": "SUCCESS"}
        outcome = inquire([paid_abroad], provider_key="order_8125")
        assert isinstance(outcome, Succeeded)
        assert (outcome.amount, outcome.currency) == (125, "USD")

    def test_every_word_of_a_payment(self) -> None:
        success = {**example("payments_entity_list_example")[0], "order_id": KEY, "authorization": None}
        kinds = {
            "SUCCESS": Succeeded,
            "NOT_ATTEMPTED": Unknown,
            "FAILED": Declined,
            "USER_DROPPED": Declined,
            "VOID": Unknown,
            "CANCELLED": Declined,
            "PENDING": Unknown,
        }
        assert set(schema("PaymentEntity")["properties"]["payment_status"]["enum"]) == set(kinds)
        for word, kind in kinds.items():
            assert type(inquire([{**success, "payment_status": word}])) is kind
        assert type(inquire([{**success, "is_captured": False}])) is Authorized
        assert inquire([]) == NotFound()

    def test_the_examples_of_a_next_action(self) -> None:
        said = schema("PayOrderEntity")["example"]
        validate(said, schema("PayOrderEntity"))
        step = CONNECTOR.charge_steps[2]
        outcome = read(step, charge(amount=2242), answer(said))
        assert isinstance(outcome, ActionRequired)
        assert (outcome.action.kind, outcome.action.url) == ("redirect", said["data"]["url"])
        form = {**said, "action": "form", "data": schema("OrderPayData")["example"]}
        posted = read(step, charge(amount=2242), answer(form))
        assert posted.action.kind == "form_post"
        assert posted.action.fields["MD"] == "89811231231"
        assert isinstance(read(step, charge(), answer(said)), Unknown)

    def test_every_action_word(self) -> None:
        words = set(schema("PayOrderEntity")["properties"]["action"]["enum"])
        assert words == {"link", "custom", "form", "post"}
        data = {"url": "https://bank.example", "method": "post", "payload": {"default": "upi://pay?tr=1"}}
        step = CONNECTOR.charge_steps[2]
        said = {"cf_payment_id": 1, "payment_amount": 19.99, "data": data}
        kinds = {word: read(step, charge(), answer({**said, "action": word})) for word in words}
        assert {word: kinds[word].action.kind for word in words - {"post"}} == {
            "link": "redirect",
            "custom": "upi_intent",
            "form": "form_post",
        }
        assert isinstance(kinds["post"], Unknown)

    def test_the_example_and_every_word_of_a_refund(self) -> None:
        refund = schema("RefundEntity")["example"]
        validate(refund, schema("RefundEntity"))
        asked = operation_request(
            OperationKind.REFUND,
            provider_key="REF-123",
            charge_key="c6G-QMcbm1848",
            charge_reference="918812",
            amount=10081,
        )
        step = CONNECTOR.operation_inquiry_steps(asked)[0]
        assert read(step, asked, answer([refund])) == Succeeded(
            reference="1553338", amount=10081, currency="INR", merchant_reference="REF-123"
        )
        kinds = {
            "SUCCESS": Succeeded,
            "PENDING": Accepted,
            "CANCELLED": Declined,
            "ONHOLD": Accepted,
            "FAILED": Declined,
        }
        status = schema("RefundEntity")["properties"]["refund_status"]
        assert {*status["enum"], "FAILED"} == set(kinds)
        assert "FAILED" in status["description"]
        for word, kind in kinds.items():
            assert type(read(step, asked, answer([{**refund, "refund_status": word}]))) is kind
        charge_of_it = charge(provider_key=refund["order_id"], reference=str(refund["cf_payment_id"]))
        assert CONNECTOR.refunds is not None
        (listed,) = CONNECTOR.refunds.read(charge_of_it, answer([refund]))
        assert (listed.reference, listed.amount, listed.state) == ("1553338", 10081, RefundState.SUCCEEDED)

    def test_the_example_of_a_capture(self) -> None:
        payment = example("payments_entity_list_example")[0]
        asked = operation_request(OperationKind.CAPTURE, charge_key="order_8123", charge_reference="12376123")
        step = CONNECTOR.operation_steps(asked)[0]
        assert read(step, asked, answer(payment)) == Accepted(reference="12376123")
        entity = schema("AuthorizationInPaymentsEntity")
        assert set(entity["properties"]["action"]["enum"]) == {"CAPTURE", "VOID"}
        assert set(entity["properties"]["status"]["enum"]) == {"SUCCESS", "PENDING"}
        done = {**payment, "authorization": {**payment["authorization"], "status": "SUCCESS"}}
        assert read(step, asked, answer(done)) == Succeeded(
            reference="6595231908096894505959", amount=10_000, currency="INR", merchant_reference=MOVE_KEY
        )


ERRORS = {
    400: ("BadRequestError", Unknown),
    401: ("AuthenticationError", Rejected),
    404: ("ApiError404", Unknown),
    409: ("ApiError409", Unknown),
    422: ("IdempotencyError", Unknown),
    429: ("RateLimitError", Rejected),
    500: ("ApiError", Unknown),
    502: ("ApiError502", Unknown),
}


@pytest.mark.parametrize("status", ERRORS)
def test_every_documented_error_of_the_step_that_charges_and_of_operations(status: int) -> None:
    name, kind = ERRORS[status]
    said = schema(name)["example"]
    validate(said, schema(name))
    step = CONNECTOR.charge_steps[2]
    assert str(status) in operation(step.build(charge()))["responses"]
    assert set(operation(step.build(charge()))["responses"]) == {"200", *map(str, ERRORS)}
    of_pay = NotSent if status == 404 else kind  # a new order that Cashfree does not know yet
    assert type(read(step, charge(), answer(said, status))) is of_pay
    for moving in OperationKind:
        one = CONNECTOR.operation_steps(operation_request(moving))[0]
        assert type(read(one, operation_request(moving), answer(said, status))) is kind


def test_an_order_that_exists_is_read_and_a_bad_one_is_refused() -> None:
    step = CONNECTOR.charge_steps[0]
    duplicate = answer(schema("ApiError409")["example"], 409)
    assert read(step, charge(), duplicate) == Progress(facts={"order": "existed"})
    assert type(read(step, charge(), answer(schema("BadRequestError")["example"], 400))) is Unknown
    wrong = {**schema("BadRequestError")["example"], "code": "order_amount_invalid"}
    assert type(read(step, charge(), answer(wrong, 400))) is Rejected


class TestReports:
    def test_the_example(self) -> None:
        entity = schema("ReconEntity")
        page = CONNECTOR.reports.read(PAGE, answer(entity["example"]))
        assert (page.entries, page.next_cursor) == ((), "cursor-uid")

    def test_every_type_of_event_is_known(self) -> None:
        row = schema("ReconEntity")["properties"]["data"]["items"]["properties"]
        words = set(re.findall(r"\b[A-Z_]{6,}\b", row["event_type"]["description"]))
        assert {"PAYMENT", "REFUND", "REFUND_REVERSAL"} < words
        base = {
            "event_id": "1",
            "cf_payment_id": "77",
            "order_id": KEY,
            "event_status": "SUCCESS",
            "event_amount": 10,
            "event_currency": "INR",
            "event_time": "2022-08-16T14:45:24+05:30",
        }
        for name in (*base, "refund_id"):
            assert name in row
        found = {
            word: CONNECTOR.reports.read(PAGE, answer({"cursor": None, "data": [{**base, "event_type": word}]})).entries
            for word in words
        }
        assert {word for word, entries in found.items() if entries} == {"PAYMENT", "REFUND", "REFUND_REVERSAL"}


class TestWebhooks:
    AT_MS = 1_617_695_238_078

    def read(self, message: dict[str, Any]) -> Any:
        body = json.dumps(message).encode()
        at = str(self.AT_MS)
        headers = {
            "x-webhook-timestamp": at,
            "x-webhook-signature": signature.signature_of(at, body, "secret"),
        }
        return CONNECTOR.read_webhook(Webhook(headers=headers, body=body, received_at_ms=self.AT_MS), ["secret"])

    def test_a_payment(self) -> None:
        entity = schema("PaymentWebhook")["properties"]
        payment = {**example("payments_entity_list_example")[0], "authorization": None}
        said = {
            "type": entity["type"]["example"],
            "event_time": entity["event_time"]["example"],
            "data": {"order": {"order_id": "order_8123"}, "payment": payment},
        }
        # The provider's own example of a payment method fits several of the kinds of which it should fit one.
        shape = {name: value for name, value in payment.items() if value is not None and name != "payment_method"}
        validate({**said, "data": {**said["data"], "payment": shape}}, schema("PaymentWebhook"))
        provider_event = self.read(said)
        assert (provider_event.charge_key, provider_event.charge_reference) == ("order_8123", "12376123")
        assert isinstance(provider_event.outcome, Succeeded)

    def test_a_refund(self) -> None:
        refund = schema("RefundEntity")["example"]
        said = {"type": schema("RefundWebhook")["properties"]["type"]["example"], "data": {"refund": refund}}
        validate(said, schema("RefundWebhook"))
        provider_event = self.read(said)
        assert (provider_event.operation_key, provider_event.operation_reference) == ("REF-123", "1553338")
        assert isinstance(provider_event.operation_outcome, Succeeded)
        foreign = {**refund, "refund_amount": 100.815}
        assert self.read({**said, "data": {"refund": foreign}}).operation_outcome is None


def test_a_number_too_fine_for_its_currency_is_a_mismatch() -> None:
    payment = {**example("payments_entity_list_example")[0], "order_id": KEY, "payment_amount": 10.015}
    assert isinstance(inquire([payment]), Mismatch)
