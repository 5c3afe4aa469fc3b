"""Stripe's adapter against Stripe's published contract: every request we can build, every status word it lists.

The contract lies beside the repository and is not ours to copy: where it is absent these tests are left out.
"""

import json
import re
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import pytest

from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Authorized,
    ConfirmedCancelled,
    Declined,
    NotFound,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Address, Customer
from payflowx.domain.providers.events import InvalidSignatureError, ProviderEvent, Webhook
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.reconciliation.reports import EntryKind, ReportPage
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode, DeclineKind, Initiator
from payflowx.domain.shared.transport import HttpRequest, HttpResponse
from payflowx.providers.stripe import signature
from payflowx.providers.stripe.connector import CONNECTOR
from tests.support.left_out import CONTRACTS

PAGE = ReportPage(from_ms=1_700_000_000_000, until_ms=1_700_003_600_000)

SPECIFICATION = CONTRACTS / "stripe-core-2023-10-16.json"
VECTORS = CONTRACTS / "vectors.json"

pytestmark = pytest.mark.needs("contracts")

PAYER = Customer(
    name="Asha Rao", address=Address(line1="1 MG Road", city="Bengaluru", postal_code="560001", country="IN")
)
KEY = "pfx-abcdefghijklmnop-1"
MOVE_KEY = "pfx-qrstuvwxyz234567-1"
PI = "pi_3MtwBwLkdIwHu7ix28a3tqPa"


@cache
def specification() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SPECIFICATION.read_text())
    return found


def charge(**changes: Any) -> ChargeRequest:
    values: dict[str, Any] = {
        "provider_key": KEY,
        "amount": 1999,
        "currency": "USD",
        "token": "pm_card_visa",
        "payment_method_type": "card",
        "capture": CaptureMode.AUTOMATIC,
        **changes,
    }
    return ChargeRequest(**values)


def operation_request(kind: OperationKind, **changes: Any) -> OperationRequest:
    values: dict[str, Any] = {
        "kind": kind,
        "provider_key": MOVE_KEY,
        "amount": 500,
        "currency": "USD",
        "charge_key": KEY,
        "charge_reference": PI,
        "charge_amount": 1999,
        **changes,
    }
    return OperationRequest(**values)


# --- requests ------------------------------------------------------------------------------------------------


def every_request() -> list[HttpRequest]:
    built = []
    for capture in CaptureMode:
        for return_url in (None, "https://shop.example.com/back"):
            for token in ("pm_card_visa", "cus_1/pm_card_visa"):
                for currency in ("USD", "JPY"):
                    order = charge(capture=capture, return_url=return_url, token=token, currency=currency)
                    built += [step.build(order) for step in CONNECTOR.charge_steps]
    words = {
        "description": "Two tickets",
        "metadata": {"order": "17"},
        "statement_descriptor_suffix": "TICKETS",
        "receipt_email": "asha@example.com",
        "customer": PAYER,
    }
    presence: tuple[dict[str, Any], ...] = ({}, {"initiator": Initiator.MERCHANT}, {"save_payment_method": True})
    built += [step.build(charge(**words, **who)) for who in presence for step in CONNECTOR.charge_steps]
    orders = (charge(), charge(reference=PI), charge(customer=Customer(id="cus_1")), charge(capture=CaptureMode.MANUAL))
    for order in orders:
        steps = (*CONNECTOR.inquiry_steps(order), *CONNECTOR.cancel_steps(order))
        for progress in ({"payment_intent": PI}, {"payment_intent": PI, "cancel_sent": "true"}):
            known = replace(order, progress=progress, sent_at_ms=1_700_000_000_000)
            built += [step.build(known) for step in steps]
        searching = replace(order, progress={"intents_after": PI}, sent_at_ms=1_700_000_000_000)
        built += [step.build(searching) for step in steps if step.name in {"sent", "recent", "search"}]
    for kind in OperationKind:
        for reference in (None, "re_1"):
            moved = operation_request(kind, reference=reference)
            built += [
                s.build(moved) for s in (*CONNECTOR.operation_steps(moved), *CONNECTOR.operation_inquiry_steps(moved))
            ]
    pages = (ReportPage(from_ms=1, until_ms=2), ReportPage(from_ms=1, until_ms=2_000, cursor="txn_1"))
    return built + [CONNECTOR.reports.request(page) for page in pages]


def operation_of(request: HttpRequest) -> dict[str, Any]:
    """A literal path goes before one with a parameter."""
    path = urlsplit(request.path).path
    for template in sorted(specification()["paths"], key=lambda template: template.count("{")):
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            found: dict[str, Any] = specification()["paths"][template][request.method.lower()]
            return found
    raise AssertionError(f"no operation {request.method} {path}")


def fields_of(encoded: str) -> dict[str, Any]:
    """`a[b]=1`, `a[b][c]=1` and `a[]=1` as objects and lists, everything a text."""
    fields: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True, strict_parsing=bool(encoded)):
        if name.endswith("[]"):
            fields.setdefault(name[:-2], []).append(value)
        elif match := re.fullmatch(r"(\w+)((?:\[\w+\])+)", name):
            *outer, last = [match[1], *re.findall(r"\w+", match[2])]
            place = fields
            for part in outer:
                place = place.setdefault(part, {})
            place[last] = value
        else:
            assert name not in fields
            fields[name] = value
    return fields


def typed(value: Any, schema: dict[str, Any]) -> Any:
    """A text as the type that the schema wants; one that cannot be stays a text, and fails."""
    options = schema.get("anyOf", [schema])
    if isinstance(value, dict):
        properties = {k: v for option in options for k, v in option.get("properties", {}).items()}
        return {k: typed(v, properties.get(k, {})) for k, v in value.items()}
    if isinstance(value, list):
        return [typed(v, schema.get("items", {})) for v in value]
    types = {option.get("type") for option in options}
    if "integer" in types and re.fullmatch(r"-?\d+", value):
        return int(value)
    return {"true": True, "false": False}.get(value, value) if "boolean" in types else value


def form_schema(operation: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    return found


def validate_request(request: HttpRequest) -> None:
    operation = operation_of(request)
    if request.method == "POST":
        schema = form_schema(operation)
        encoded = request.body.decode()
        assert not urlsplit(request.path).query
    else:
        parameters = {p["name"]: p for p in operation.get("parameters", []) if p["in"] == "query"}
        schema = {
            "type": "object",
            "properties": {name: parameter["schema"] for name, parameter in parameters.items()},
            "required": [name for name, parameter in parameters.items() if parameter.get("required")],
            "additionalProperties": False,
        }
        encoded = urlsplit(request.path).query
        assert request.body == b""
    fields = fields_of(encoded)
    value = {name: typed(found, schema["properties"].get(name, {})) for name, found in fields.items()}
    jsonschema.Draft202012Validator(schema).validate(value)


class TestRequests:
    def test_each_is_one_of_the_contract(self) -> None:
        built = every_request()
        assert len(built) > 30
        for request in built:
            validate_request(request)
            assert request.headers["Stripe-Version"] == specification()["info"]["version"]

    def test_the_check_would_find_mistakes(self) -> None:
        for body in (b"amount=x&currency=usd", b"amount=1", b"amount=1&currency=usd&capture_method=never&x=1"):
            wrong = HttpRequest(method="POST", path="/v1/payment_intents", headers={}, body=body)
            with pytest.raises(jsonschema.ValidationError):
                validate_request(wrong)
        with pytest.raises(jsonschema.ValidationError):
            validate_request(HttpRequest(method="GET", path="/v1/payment_intents?page=1"))

    def test_only_posts_carry_keys_and_they_fit(self) -> None:
        for request in every_request():
            key = request.headers.get("Idempotency-Key", "")
            assert len(key) <= 255
            assert not key or request.method == "POST"


# --- answers -------------------------------------------------------------------------------------------------


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """With `$ref` followed; OpenAPI 3.0's `nullable` as JSON Schema spells it."""
    if "$ref" in schema:
        return {**resolved(specification()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])}
    return schema


def schema_of(name: str) -> dict[str, Any]:
    return {**modern({"$ref": f"#/components/schemas/{name}"}), "components": modern(specification()["components"])}


def modern(schema: Any) -> Any:
    if isinstance(schema, list):
        return [modern(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: modern(value) for key, value in schema.items() if key != "nullable"}
    if schema.get("nullable") is True:
        return {"anyOf": [kept, {"type": "null"}]}
    return kept


def example(schema: dict[str, Any], depth: int = 0) -> Any:
    """The least that the schema demands, its optional fields at the first level besides."""
    schema = resolved(schema)
    if schema.get("nullable"):
        return None
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example(schema["anyOf"][0], depth + 1)
    match schema.get("type"):
        case "object":
            required = set(schema.get("required", ()))
            wanted = schema.get("properties", {})
            return {k: example(v, depth + 1) for k, v in wanted.items() if k in required or (not depth and _plain(v))}
        case "array":
            return []
        case "integer" | "number":
            return 0
        case "boolean":
            return False
        case _:
            return str(schema.get("pattern", "x")).lstrip("^")


def _plain(schema: dict[str, Any]) -> bool:
    return bool(schema.get("nullable")) or schema.get("type") in {"string", "integer", "boolean"}


def made(name: str, **changes: Any) -> dict[str, Any]:
    """An object as the contract describes it, checked against the contract."""
    found: dict[str, Any] = {**example({"$ref": f"#/components/schemas/{name}"}), **changes}
    jsonschema.Draft202012Validator(schema_of(name)).validate(found)
    return found


def intent(status: str, **changes: Any) -> dict[str, Any]:
    values = {
        "id": PI,
        "status": status,
        "amount": 1999,
        "amount_received": 1999 if status == "succeeded" else 0,
        "amount_capturable": 1999 if status == "requires_capture" else 0,
        "currency": "usd",
        "metadata": {"payflowx_key": KEY},
    }
    return made("payment_intent", **{**values, **changes})


def refund(**changes: Any) -> dict[str, Any]:
    values = {"id": "re_1", "amount": 500, "currency": "usd", "payment_intent": PI, "status": "succeeded"}
    return made("refund", **{**values, "metadata": {"payflowx_key": MOVE_KEY}, **changes})


def answer(body: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status=status, headers={}, body=json.dumps(body).encode())


ACTION = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://hooks.stripe.com/3d/1"}}
STATUSES: dict[str, tuple[dict[str, Any], type]] = {
    "succeeded": ({}, Succeeded),
    "requires_capture": ({}, Authorized),
    "processing": ({}, Accepted),
    "requires_action": ({"next_action": ACTION}, ActionRequired),
    "requires_confirmation": ({}, Declined),
    "requires_payment_method": ({"last_payment_error": {"type": "card_error", "code": "card_declined"}}, Declined),
    "canceled": ({}, ConfirmedCancelled),
}


class TestAnswers:
    def read(self, status: str, **changes: Any) -> Any:
        (step,) = CONNECTOR.inquiry_steps(charge(reference=PI))
        return step.read(charge(reference=PI), answer(intent(status, **changes)))

    def test_every_status_of_the_contract_is_known(self) -> None:
        words = specification()["components"]["schemas"]["payment_intent"]["properties"]["status"]["enum"]
        assert set(words) == set(STATUSES)
        for status, (changes, kind) in STATUSES.items():
            assert type(self.read(status, **changes)) is kind, status

    def test_every_kind_of_action_is_passed_on_waited_for_or_unknown(self) -> None:
        kinds = specification()["components"]["schemas"]["payment_intent_next_action"]["properties"]
        for kind in set(kinds) - {"type", "redirect_to_url"}:
            outcome = self.read("requires_action", next_action={"type": kind})
            assert type(outcome) is (Accepted if kind == "card_await_notification" else Unknown)

    def test_a_decline(self) -> None:
        inside = made(
            "api_errors",
            type="card_error",
            code="card_declined",
            decline_code="insufficient_funds",
            payment_intent=intent("requires_payment_method"),
            payment_method=made("payment_method"),
        )
        body = {"error": {key: value for key, value in inside.items() if value != "x"}}
        jsonschema.Draft202012Validator(schema_of("error")).validate(body)
        (step,) = CONNECTOR.charge_steps
        declined = step.read(charge(), answer(body, 402))
        assert isinstance(declined, Declined)
        assert (declined.kind, declined.reference) == (DeclineKind.FUNDS, PI)

    def test_lists(self) -> None:
        listed = made("PaymentFlowsPaymentIntentList", data=[intent("succeeded")], has_more=False)
        steps = {step.name: step for step in CONNECTOR.inquiry_steps(charge())}
        for name in ("sent", "recent"):
            assert steps[name].read(charge(), answer(listed)).facts["payment_intent"] == PI  # type: ignore[union-attr]
        # The contract's own SearchResult is the one of charges: the merged slices share the name.
        found = {"object": "search_result", "url": "/v1/payment_intents/search", "data": [intent("succeeded")]}
        assert steps["search"].read(charge(), answer(found)).facts == {"payment_intent": PI}  # type: ignore[union-attr]

    def test_refunds(self) -> None:
        moved = operation_request(OperationKind.REFUND)
        (step,) = CONNECTOR.operation_steps(moved)
        (find,) = CONNECTOR.operation_inquiry_steps(moved)
        assert type(step.read(moved, answer(refund()))) is Succeeded
        assert type(step.read(moved, answer(refund(status="failed")))) is Declined
        listed = made("APIMethodRefundList", data=[refund()], has_more=False)
        assert type(find.read(moved, answer(listed))) is Succeeded
        assert type(find.read(moved, answer(made("APIMethodRefundList", data=[], has_more=False)))) is NotFound

    def test_captures_and_voids(self) -> None:
        for kind, status, wanted in (
            (OperationKind.CAPTURE, "succeeded", Succeeded),
            (OperationKind.VOID, "canceled", Succeeded),
            (OperationKind.VOID, "succeeded", Declined),
            (OperationKind.CAPTURE, "canceled", Declined),
        ):
            moved = operation_request(kind)
            (step,) = CONNECTOR.operation_inquiry_steps(moved)
            assert type(step.read(moved, answer(intent(status)))) is wanted

    def test_statements(self) -> None:
        """The contract names sources by id only; asked to expand them, Stripe puts the object in the id's place."""
        known = specification()["components"]["schemas"]["balance_transaction"]["properties"]["type"]["enum"]
        source = made(
            "charge",
            payment_intent=PI,
            amount_captured=1999,
            currency="usd",
            status="succeeded",
            metadata={"payflowx_key": KEY},
        )
        sources = {"charge": source, "payment": source, "payment_failure_refund": source}
        sources |= dict.fromkeys(("refund", "payment_refund", "refund_failure"), refund())
        lines = [{**made("balance_transaction", type=kind), "source": sources.get(kind, "x")} for kind in known]
        listed = {"object": "list", "url": "/v1/balance_transactions", "has_more": False, "data": lines}
        entries = CONNECTOR.reports.read(PAGE, answer(listed)).entries
        assert len(entries) == len(set(sources) & set(known))
        assert {entry.reference for entry in entries if entry.kind is EntryKind.CHARGE} == {PI}

    def test_events(self) -> None:
        body = made(
            "event", id="evt_1", type="payment_intent.succeeded", data={"object": intent("succeeded")}, created=1
        )
        raw = json.dumps(body).encode()
        header = f"t=1800000000,v1={signature.sign('whsec_x', '1800000000', raw)}"
        hook = Webhook(headers={"stripe-signature": header}, body=raw, received_at_ms=1_800_000_000_000)
        provider_event = CONNECTOR.read_webhook(hook, ["whsec_x"])
        assert provider_event.outcome == Succeeded(reference=PI, amount=1999, currency="USD", merchant_reference=KEY)


class TestVectors:
    def vectors(self) -> list[dict[str, Any]]:
        rows = [row for row in json.loads(VECTORS.read_text()) if row["provider"] == "stripe"]
        assert rows
        return rows

    def test_signatures(self) -> None:
        for row in self.vectors():
            assert signature.sign(row["secret"], row["timestamp"], row["body"].encode()) == row["expected"]

    def test_webhooks(self) -> None:
        for row in self.vectors():
            hook = Webhook(
                headers={"stripe-signature": f"t={row['timestamp']},v1={row['expected']}"},
                body=row["body"].encode(),
                received_at_ms=int(row["timestamp"]) * 1000,
            )
            assert CONNECTOR.read_webhook(hook, [row["secret"]]) == ProviderEvent(
                event_id="evt_123", type="invoiceitem.created"
            )
            with pytest.raises(InvalidSignatureError):
                CONNECTOR.read_webhook(hook, [row["secret"] + "x"])
