"""The generated files are current, and cover every operation of the API."""

import dataclasses
import inspect
import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema
import pytest

import payflowx_client
from clients.generator import double, python, typescript
from clients.generator.document import Reader, UnknownShapeError, load
from payflowx_client import Client, models, operations
from payflowx_client.calls import Repeat
from tests.unit.clients.samples import DOCUMENT, SCHEMAS, TIME, named, sample
from tests.unit.clients.server import Came, Say, Server

DESCRIBED = {
    described["operationId"]: (method.upper(), path, described)
    for path, item in DOCUMENT["paths"].items()
    for method, described in item.items()
}


def test_generated_files_are_current() -> None:
    api = load()
    for path, text in {**python.written(api), **typescript.written(api), **double.written(api)}.items():
        assert path.read_text() == text, "run `python -m clients.generator`"


def test_the_table_has_every_operation() -> None:
    assert {each.id: (each.method, each.path) for each in operations.OPERATIONS} == {
        name: (method, path) for name, (method, path, _) in DESCRIBED.items()
    }


def test_the_table_speaks_the_names_of_the_document_and_no_language() -> None:
    """The TypeScript library is written from the same table."""
    api = load()
    schemas = {name for schema in SCHEMAS.values() for name in schema["properties"]}
    assert {each.name for one in api.types for each in one.fields} == schemas
    assert {each.id for each in api.operations} == set(DESCRIBED)
    names = {each.name for each in api.types}
    assert len(names) == len(SCHEMAS)
    assert {each.answer for each in api.operations} | {each.body for each in api.operations} <= names | {""}


def test_the_package_names_every_type_that_an_application_gets_or_gives() -> None:
    """Bodies are made by the client from arguments, and pages are iterated."""
    made = {name for name, each in vars(models).items() if inspect.isclass(each) and each.__module__ == models.__name__}
    inner = {name for name in made if name.endswith(("Request", "Page", "Arguments"))} | {"WebhookReceived"}
    assert made - inner - set(payflowx_client.__all__) == set()


def test_no_enumeration_is_guessed() -> None:
    changed = json.loads(json.dumps(DOCUMENT))
    changed["components"]["schemas"]["OperationAnswer"]["properties"]["provider"] = {"enum": ["a", "b"]}
    with pytest.raises(UnknownShapeError, match=r"OperationAnswer\.provider"):
        Reader(changed).api()


def body_of(name: str) -> Any:
    method = models.PaymentMethod(type="card", token="tok_1")
    return {
        "createPayment": models.CreatePaymentRequest(
            amount=1999, currency="USD", payment_method=method, customer=models.Customer(email="a@b.example")
        ),
        "createEndpoint": models.CreateEndpointRequest(url="https://shop.example.com/hook"),
        "capturePayment": models.MoveMoneyRequest(amount=5),
        "refundPayment": models.MoveMoneyRequest(),
        "cancelPayment": models.CancelPaymentRequest(),
        "receiveWebhook": b"\x00raw",
    }[name]


def arguments_of(function: Any, name: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        "limit": 3,
        "cursor": "c_1",
        "status": models.PaymentStatus.PENDING,
        "from_": datetime(2026, 1, 2, tzinfo=UTC),
        "to": datetime(2026, 1, 3, tzinfo=UTC),
        "idempotency_key": "k-1",
    }
    names = list(inspect.signature(function).parameters)[1:]
    return {each: body_of(name) if each == "body" else values.get(each, f"{each}/1") for each in names}


@pytest.mark.parametrize("operation", operations.OPERATIONS, ids=lambda each: each.id)
def test_every_operation_is_sent_as_it_is_described_and_its_answer_decoded(
    operation: Any, client: Client, server: Server
) -> None:
    _, path, described = DESCRIBED[operation.id]
    status = min(each for each in described["responses"] if each.startswith("2"))
    content = described["responses"][status].get("content", {}).get("application/json", {})
    answered = sample(content["schema"]) if content else None
    server.answer = lambda _: Say(int(status), b"" if answered is None else answered)
    function = getattr(operations, python.snake(operation.id))

    result = function(client._send, **arguments_of(function, operation.id))

    (came,) = server.came
    sent = urlsplit(came.target)
    assert came.method == operation.method
    assert re.fullmatch(re.sub(r"\{\w+\}", r"[\\w%]+", path), sent.path)
    parameters = described.get("parameters", [])
    assert set(parse_qs(sent.query)) == {each["name"] for each in parameters if each["in"] == "query"}
    assert ("authorization" in came.headers) is (described.get("security") != [])
    takes_key = any(each["name"] == "Idempotency-Key" for each in parameters)
    assert came.headers.get("idempotency-key") == ("k-1" if takes_key else None)
    assert operation.repeat == (
        Repeat.WITH_KEY if takes_key else Repeat.SAFE if operation.method in {"GET", "DELETE"} else Repeat.NEVER
    )
    assert_body(came, described)
    if answered is not None:
        assert_same(result, answered)


def assert_body(came: Came, described: dict[str, Any]) -> None:
    schema = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        return
    body = json.loads(came.body)
    jsonschema.validate(body, {**schema, "components": DOCUMENT["components"]})
    assert None not in body.values()


def assert_same(decoded: Any, answered: Any) -> None:
    """Every member of the answer arrives, under its name in Python."""
    if dataclasses.is_dataclass(decoded):
        assert {python.snake(name) for name in answered} == {each.name for each in dataclasses.fields(decoded)}
        for name, value in answered.items():
            assert_same(getattr(decoded, python.snake(name)), value)
    elif isinstance(decoded, tuple):
        for one, other in zip(decoded, answered, strict=True):
            assert_same(one, other)
    elif isinstance(decoded, datetime):
        assert decoded == datetime.fromisoformat(TIME)
    else:
        assert decoded == answered


def test_a_value_of_a_newer_api_is_kept() -> None:
    found = models.Payment.from_json(named("PaymentAnswer", status="HELD", newMember=1))
    assert found.status == "HELD"
    assert isinstance(found.status, models.PaymentStatus)
    assert not found.status.is_known
    assert models.PaymentStatus.SUCCESS.is_known
    assert [each.value for each in models.PaymentStatus if each == "HELD"] == []


@pytest.mark.parametrize("wrong", [1.5, True, "7", None])
def test_an_amount_that_is_no_integer_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="amount"):
        models.Payment.from_json(named("PaymentAnswer", amount=wrong))
