"""The API does what its OpenAPI document says, and refuses what the document does not allow: schemathesis asks.

Two of its phases run for every operation: `coverage`, which walks along every keyword of every schema, and `fuzzing`.
Nothing is random: hypothesis is derandomized, nothing is kept between runs, and each operation has its own tables.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.core.transport import Response

from payflowx.application.payments.read_payments import ReadPayments
from payflowx.domain.payments.outcome import ActionRequired, Declined, NextAction, Unknown
from payflowx.domain.shared.card_data import contains_card_number
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.money import is_currency
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.entrypoints.api.openapi import document
from tests.support.handlers import Functions, payment_body
from tests.support.wsgi import ApiGateway

Case = schemathesis.Case[Any]

CONNECTOR: Final = ApiGateway()
CONFIG: Final = schemathesis.Config.from_dict(
    {
        "generation": {"deterministic": True, "database": "none"},
        # Literals of the source would be tried too, and any edit anywhere would change what is asked.
        "analysis": {"constants": {"enabled": False}},
        "checks": {
            # Too large is refused with 413, which schemathesis does not expect by itself.
            "negative_data_rejection": {"expected-statuses": [400, 401, 404, 413, 415, 422]},
            # JSON Schema cannot say that one of two keys is needed, that a cursor must be signed or that a currency
            # must exist. `_refused_for_a_reason` says which refusals of well-formed data are right, by code.
            "positive_data_acceptance": {"enabled": False},
            # It wants 405 with Allow. API Gateway knows no 405: it answers 404 to an unknown method itself, as
            # docs/api.md says, and so does the handler. `_unknown_method_is_not_found` checks that.
            "unsupported_method": {"enabled": False},
        },
    }
)
# 403 (the firewall's), 429 (the throttle's) and 503 (the provider's or a database's that is down) are documented and
# cannot occur here: the first two never reach the functions. tests/infra and test_api.py have them.

# Generated webhooks are all forged; test_webhooks.py signs them as the providers do.
SCHEMA: Final = schemathesis.openapi.from_dict(document(), config=CONFIG).exclude(operation_id="receiveWebhook")
SCHEMA.app = CONNECTOR

_COMPONENTS: Final = document()["components"]
_AS_CLIENTS_READ_IT: Final = jsonschema_rs.validator_for(
    {"$ref": "#/components/schemas/CreatePaymentRequest", "components": _COMPONENTS}
)
"""Its regular expressions are those of ECMA-262, as OpenAPI has it; Python's are not."""

CARD: Final = "4111111111111111"
_KEY_REFUSALS: Final = {
    "idempotency_key_required",
    "idempotency_key_conflict",
    "idempotency_key_invalid",  # a quoted header is unquoted first, and may then be empty
    "idempotency_key_reused",
    "card_data_refused",
}
RIGHT_REFUSALS: Final = {
    "createPayment": {
        *_KEY_REFUSALS,
        "currency_invalid",
        "payment_method_invalid",
        "url_not_allowed",
        "text_invalid",
        "text_too_large",
        "no_provider_available",
        "field_invalid",  # a member that only goes with another one, such as oncePerOrder with orderId
        "order_not_free",
        "checkout_unavailable",
    },
    "listPayments": {"cursor_invalid", "parameter_invalid"},
    "getPayment": {"not_found"},
    "listPaymentEvents": {"not_found", "cursor_invalid"},
    "cancelPayment": {"not_found", "invalid_state", "outcome_unknown", *_KEY_REFUSALS},
    "capturePayment": {"not_found", "invalid_state", "outcome_unknown", "amount_exceeded", *_KEY_REFUSALS},
    "refundPayment": {"not_found", "invalid_state", "outcome_unknown", "amount_exceeded", *_KEY_REFUSALS},
    "listOperations": {"not_found", "cursor_invalid"},
    "getOperation": {"not_found"},
    "createEndpoint": {"endpoint_exists", "endpoint_limit", "url_not_allowed", "field_invalid", "card_data_refused"},
    "listEndpoints": set(),
    "deleteEndpoint": {"not_found"},
    "rotateEndpointSecret": {"not_found"},
    "listEvents": {"cursor_invalid", "parameter_invalid"},
    "redeliverEvent": {"not_found", "invalid_state"},
    "getHealth": set(),
    "getOpenApi": set(),
}
REACHED: Final = {
    "createPayment": {202, 400, 401, 415, 422},
    "listPayments": {200, 400, 401},
    "getPayment": {200, 400, 401, 404},
    "listPaymentEvents": {200, 400, 401, 404},
    "cancelPayment": {200, 202, 400, 401, 404, 409},
    "capturePayment": {202, 400, 401, 404, 409, 415, 422},
    "refundPayment": {202, 400, 401, 404, 409, 415, 422},
    "listOperations": {200, 400, 401, 404},
    "getOperation": {200, 400, 401, 404},
    "createEndpoint": {201, 400, 401, 415, 422},
    "listEndpoints": {200, 401},
    "deleteEndpoint": {204, 400, 401, 404},
    "rotateEndpointSecret": {200, 400, 401, 404},
    "listEvents": {200, 400, 401},
    "redeliverEvent": {202, 400, 401, 404},
    "getHealth": {200},
    "getOpenApi": {200},
}
"""What the generated requests of an operation must have been answered with, or this test has lost its teeth."""


@dataclass
class Stage:
    """The API with payments in it, and how each operation was answered so far."""

    functions: Functions
    ids: list[str]
    refunds: dict[str, str]
    """An operation of each payment that has one."""
    endpoint: str
    event: str
    reached: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    aimed: int = 0
    """Well-formed requests so far. They take turns at being made real: no digest or seed decides what is reached."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.functions.api_key}"}

    def cursor(self, path: str) -> str:
        return self.functions.call("GET", path, query={"limit": "1"})[1].get("nextCursor") or "none"


@pytest.fixture
def stage(functions: Functions) -> Iterator[Stage]:
    ids = _seed(functions)
    endpoint = functions.call("POST", "/webhook-endpoints", {"url": "https://hooks.example.com/all"})[1]["id"]
    event = functions.call("GET", "/events", query={"limit": "1"})[1]["items"][0]["id"]
    running = Stage(functions, ids, {ids[0]: _refund(functions, ids[0])}, endpoint, event)
    _refund(functions, ids[0], key="second")  # so that the list of operations has a second page
    CONNECTOR.functions = functions
    yield running
    CONNECTOR.functions = None


def _seed(functions: Functions) -> list[str]:
    """Successful, authorized, declined, waiting for the payer, unknown with and without a way to cancel,
    not begun.
    """
    alpha, beta = functions.providers.get("alpha"), functions.providers.get("beta")
    hard = Declined(kind=DeclineKind.HARD, code="stolen_card")
    soft = Declined(kind=DeclineKind.SOFT, code="try_elsewhere")
    action = ActionRequired(reference="r1", action=NextAction(kind="redirect", url="https://bank.test/1"))
    lost = Unknown(code="read_timeout")
    ids = []
    scripts: list[tuple[list[Any], list[Any]]] = [
        ([], []),
        ([hard], []),
        ([action], []),
        ([lost], []),
        ([soft], [lost]),
    ]
    for number, (alpha.charges, beta.charges) in enumerate(scripts):
        ids.append(functions.pay(f"seed-{number}", metadata={"order": str(number)})[1]["transactionId"])
        functions.work()
        functions.work()
    held = functions.pay("seed-held", capture="manual")[1]["transactionId"]
    functions.work()
    return [ids[0], held, *ids[1:], functions.pay("seed-last")[1]["transactionId"]]


def _refund(functions: Functions, of: str, key: str = "seed") -> str:
    answer = functions.call("POST", f"/payments/{of}/refunds", {"amount": 100}, headers={"Idempotency-Key": key})
    return str(answer[1]["operationId"])


@SCHEMA.parametrize()
@settings(
    max_examples=50,
    derandomize=True,
    database=None,
    deadline=None,
    # The tables fill up from example to example, as they do in life; each operation begins with fresh ones.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_operation(case: Case, stage: Stage) -> None:
    _aim(case, stage)
    response = case.call(headers=stage.headers)
    case.validate_response(
        response, headers=stage.headers, additional_checks=[_refused_for_a_reason, _unknown_method_is_not_found]
    )
    stage.reached[_name(case)].add(response.status_code)


LARGE: Final = {"X-Large": "x" * 9_000}
UNLIKELY: Final[dict[str, tuple[str, str, int, dict[str, Any]]]] = {
    "a card number as a cursor": ("/payments", "GET", 422, {"query": {"cursor": CARD}}),
    "a card number as a name": ("/payments/{transactionId}", "GET", 422, {"query": {CARD: "1"}}),
    "a card number as an id": ("/payments/{transactionId}", "GET", 422, {"path_parameters": {"transactionId": CARD}}),
    "a card number in a trail": ("/payments/{transactionId}/events", "GET", 422, {"query": {"cursor": CARD}}),
    "a card number as a key": ("/payments/{transactionId}/cancel", "POST", 422, {"headers": {"Idempotency-Key": CARD}}),
    "large headers of a cancellation": ("/payments/{transactionId}/cancel", "POST", 413, {"headers": LARGE}),
    "large headers of a payment": ("/payments", "POST", 413, {"headers": LARGE, "body": payment_body()}),
    "a large body": ("/payments", "POST", 413, {"body": payment_body(description="x" * 70_000)}),
    "a body that is no text": ("/payments", "POST", 400, {"body": payment_body()}),
}


@pytest.mark.parametrize("name", UNLIKELY)
def test_answers_that_chance_does_not_reach(stage: Stage, name: str) -> None:
    path, method, status, parts = UNLIKELY[name]
    known = {"path_parameters": {"transactionId": stage.ids[0]}} if "{" in path else {}
    media_type = "application/json" if "body" in parts else None
    case = SCHEMA[path][method].Case(**{**known, **parts}, media_type=media_type)
    raw = {"data": b"\xff\xfe\x00"} if name == "a body that is no text" else {}
    response = case.call(headers=stage.headers, **raw)
    assert response.status_code == status
    case.validate_response(response, headers=stage.headers)


def test_a_database_that_is_down_answers_as_documented(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(_self: ReadPayments, *_args: str) -> None:
        raise StorageUnavailableError("the database did not answer")

    monkeypatch.setattr(ReadPayments, "get", down)
    case = SCHEMA["/payments/{transactionId}"]["GET"].Case(path_parameters={"transactionId": stage.ids[0]})
    response = case.call(headers=stage.headers)
    assert response.status_code == 503
    case.operation.validate_response(response)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"paymentMethod": {"type": "card\n", "token": "tok_success"}}, "payment_method_invalid"),
        ({"paymentMethod": {"type": "card", "token": "tok_success\n"}}, "payment_method_invalid"),
        ({"paymentMethod": {"type": "card", "tokens": {"alpha": "tok_success\n"}}}, "payment_method_invalid"),
        ({"paymentMethod": {"type": "card", "tokens": {"alpha\n": "t", "alpha": "t"}}}, "payment_method_invalid"),
        ({"currency": "USD\n"}, "currency_invalid"),
        ({"customer": {"country": "IN\n"}}, "text_invalid"),
        ({"customer": {"phone": "+441234567890\n"}}, "text_invalid"),
        ({"customer": {"email": "ada@example.com\n"}}, "text_invalid"),
        ({"customer": {"email": "ada@exa\u0085mple.com"}}, "field_invalid"),
        ({"idempotencyKey": "a\n"}, "idempotency_key_invalid"),
        ({"idempotencyKey": "a b"}, "idempotency_key_invalid"),
    ],
)
def test_what_the_documents_patterns_forbid_is_refused(stage: Stage, changes: dict[str, Any], code: str) -> None:
    """`$` and `\\s` do not mean the same in Python as in the clients' validators."""
    body = payment_body(**changes)
    assert not _AS_CLIENTS_READ_IT.is_valid(body)
    headers = {} if "idempotencyKey" in changes else {"Idempotency-Key": "k"}
    assert stage.functions.call("POST", "/payments", body, headers=headers)[1]["code"] == code


@pytest.fixture(autouse=True)
def nothing_is_idle(request: pytest.FixtureRequest) -> Iterator[None]:
    """The kinds of answers that an operation's generated requests must have met."""
    stage = request.getfixturevalue("stage")
    yield
    for name, statuses in stage.reached.items():
        assert statuses >= REACHED[name], name


def _aim(case: Case, stage: Stage) -> None:
    """Valid by the schema is rarely valid in fact: most well-formed requests are turned into real ones, in turn."""
    if not case.meta.generation.mode.is_positive:
        return
    turn = stage.aimed
    stage.aimed += 1
    if "transactionId" in case.path_parameters and turn % 8:
        known = stage.ids[turn % 8 - 1]
        case.path_parameters = {**case.path_parameters, "transactionId": known}
        if "operationId" in case.path_parameters and known in stage.refunds:
            case.path_parameters["operationId"] = stage.refunds[known]
    for parameter, known in (("endpointId", stage.endpoint), ("eventId", stage.event)):
        if parameter in case.path_parameters and turn % 2:
            case.path_parameters = {**case.path_parameters, parameter: known}
    if _name(case) == "createEndpoint" and isinstance(case.body, dict) and turn % 4:
        case.body = {**case.body, "url": f"https://hooks.example.com/{turn % 3}"}
    if _name(case) in {"capturePayment", "refundPayment"} and turn % 3:
        case.headers = {**case.headers, "Idempotency-Key": f"key-{turn}"}
        case.body = {"amount": 1 + turn % 5}
    if "cursor" in case.query and turn % 2:
        path = case.operation.path.format_map(case.path_parameters)
        case.query = {"limit": case.query.get("limit", 2), "cursor": stage.cursor(path)}
    if _name(case) == "createPayment" and isinstance(case.body, dict) and turn % 4:
        case.headers = {**case.headers, "Idempotency-Key": f"key-{turn}"}
        case.body = _payable(case.body)


def _payable(generated: dict[str, Any]) -> dict[str, Any]:
    """What the providers of this test take; texts, amounts and the customer stay as they were generated."""
    currency = generated["currency"] if is_currency(generated["currency"]) else "EUR"
    method = {"type": "card", "token": generated["paymentMethod"].get("token") or "tok_success"}
    kept = {name: value for name, value in generated.items() if name not in {"idempotencyKey", "returnUrl", "capture"}}
    return {**kept, "currency": currency, "paymentMethod": method, "returnUrl": "https://shop.example.com/back"}


def _name(case: Case) -> str:
    return case.operation.definition.raw["operationId"]


def _refused_for_a_reason(_ctx: schemathesis.CheckContext, response: Response, case: Case) -> None:
    """Well-formed requests are refused for what a schema cannot say only."""
    if case.meta.generation.mode.is_positive and response.status_code >= 400:
        # JSON Schema counts 5.0 as an integer; this API takes no amount with a fraction, not even an empty one.
        is_float = isinstance(case.body, dict) and isinstance(case.body.get("amount"), float)
        allowed = RIGHT_REFUSALS[_name(case)] | ({"amount_invalid"} if is_float else set())
        # Generated digits may happen to be a card number: "evt_2222222227222222_1" is one.
        if contains_card_number(repr((case.path_parameters, case.query, dict(case.headers), case.body))):
            allowed |= {"card_data_refused"}
        assert response.json()["code"] in allowed


def _unknown_method_is_not_found(_ctx: schemathesis.CheckContext, response: Response, case: Case) -> None:
    if case.method.upper() != case.operation.method.upper():
        assert response.status_code in {401, 404}
        assert response.headers["content-type"] == ["application/problem+json"]
        assert response.json()["code"] in {"unauthenticated", "not_found"}
