"""The OpenAPI 3.1 document, made from the route table and from the types that decode requests and encode answers."""

from functools import cache
from inspect import cleandoc
from typing import Any, Final

import msgspec

from payflowx.entrypoints.api import problems
from payflowx.entrypoints.api.payments import types as payments
from payflowx.entrypoints.api.routes import RECEIVE_WEBHOOK, ROUTES, Route, Success
from payflowx.entrypoints.api.webhook_endpoints import types as webhooks

API_VERSION: Final = "1.0.0"

_TYPES: Final = (
    payments.CreatePaymentRequest,
    payments.MoveMoneyRequest,
    payments.CancelPaymentRequest,
    payments.PaymentAnswer,
    payments.PaymentListAnswer,
    payments.OperationAnswer,
    payments.OperationListAnswer,
    payments.EventListAnswer,
    payments.WebhookAnswer,
    payments.HealthAnswer,
    payments.ProblemAnswer,
    webhooks.CreateEndpointRequest,
    webhooks.EndpointAnswer,
    webhooks.EndpointSecretAnswer,
    webhooks.EndpointListAnswer,
    webhooks.MerchantEventAnswer,
    webhooks.MerchantEventListAnswer,
    webhooks.WebhookMessage,
)
_ANY_OBJECT: Final = {"application/json": {"schema": {"type": "object"}}}
_ANY_BODY: Final = {"required": True, "content": {"*/*": {"schema": {}}}}


@cache
def document() -> dict[str, Any]:
    """The document as JSON values."""
    _, schemas = msgspec.json.schema_components(_TYPES, ref_template="#/components/schemas/{name}")
    for schema in schemas.values():  # before Python 3.13, a docstring's further lines keep their indentation
        if "description" in schema:
            schema["description"] = cleandoc(schema["description"])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "PayFlowX",
            "version": API_VERSION,
            "description": "One payments API over several providers. Amounts are integers in the minor unit.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"apiKey": []}],
        "paths": _paths(),
        "webhooks": {"event": {"post": _event()}},
        "components": {
            "schemas": schemas,
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer", "bearerFormat": "pfx_test_sk_..."}},
        },
    }


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return paths


def _operation(route: Route) -> dict[str, Any]:
    named = {"operationId": route.operation_id, "summary": route.summary}
    parameters = {"parameters": list(route.parameters)}
    public: dict[str, Any] = {"security": []} if route.is_public else {}
    if route is RECEIVE_WEBHOOK:
        return {**named, **public, **parameters, "requestBody": _ANY_BODY, "responses": _responses(route)}
    if route.operation_id == "getOpenApi":
        return {**named, **public, "responses": _responses(route)}
    return {**named, **parameters, "responses": _responses(route), **_request(route), **public}


def _request(route: Route) -> dict[str, Any]:
    if route.request is None:
        return {}
    return {"requestBody": {"required": route.is_request_required, "content": _json(route.request)}}


_OF_API_GATEWAY: Final = (500, 504)
"""What API Gateway answers by itself, on every route: a function that crashed, and one that took too long."""


def _responses(route: Route) -> dict[str, Any]:
    successes = {str(success.status): _success(success) for success in route.otherwise}
    return {
        str(route.success.status): _success(route.success),
        **{str(status): _problem(status) for status in sorted({*route.errors, *_OF_API_GATEWAY})},
        **successes,
    }


def _success(success: Success) -> dict[str, Any]:
    described: dict[str, Any] = {"description": success.description}
    if success.answer is not None:
        described["content"] = _json(success.answer)
    elif success.status == 200:
        described["content"] = _ANY_OBJECT
    return {**described, "headers": success.headers} if success.headers else described


def _problem(status: int) -> dict[str, Any]:
    codes = sorted(code for code, kind in problems.KINDS.items() if kind.status == status)
    return {
        "description": f"Problem: {', '.join(codes)}",
        "content": {problems.CONTENT_TYPE: {"schema": _reference(payments.ProblemAnswer)}},
    }


def _event() -> dict[str, Any]:
    """The webhook that is posted to a merchant's endpoint."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    return {
        "operationId": "receiveEvent",
        "summary": "By Standard Webhooks, at least once and in any order; answer 2xx within 15 seconds",
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}} for name in names
        ],
        "requestBody": {"required": True, "content": _json(webhooks.WebhookMessage)},
        "responses": {
            "2XX": {"description": "Taken"},
            "410": {"description": "Gone: the endpoint is disabled"},
            "default": {"description": "Tried again, for three days; Retry-After is honoured"},
        },
    }


def _json(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {"application/json": {"schema": _reference(kind)}}


def _reference(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}
