"""The OpenAPI 3.1 document, made from the types that decode requests and encode answers."""

from functools import cache
from typing import Any, Final

import msgspec

from payflowx.domain.shared.limits import MAX_IDEMPOTENCY_KEY_CHARS, MAX_PAGE_ITEMS
from payflowx.domain.shared.statuses import PaymentStatus
from payflowx.entrypoints.api import problems
from payflowx.entrypoints.api.payments import types
from payflowx.entrypoints.api.webhook_endpoints import openapi as openapi_webhooks

API_VERSION: Final = "1.0.0"

_TYPES: Final = (
    types.CreatePaymentRequest,
    types.MoveMoneyRequest,
    types.CancelPaymentRequest,
    types.PaymentAnswer,
    types.PaymentListAnswer,
    types.OperationAnswer,
    types.OperationListAnswer,
    types.EventListAnswer,
    types.WebhookAnswer,
    types.HealthAnswer,
    types.ProblemAnswer,
    *openapi_webhooks.TYPES,
)

_SUCCESS: Final = {200: "OK", 201: "Created", 202: "Accepted", 204: "Done"}
_ALWAYS: Final = (403, 429, 503)
"""The firewall's, the throttle's and the gateway's own answers, whatever is asked."""

_KEY_PARAMETER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Your name for this request; a repeat repeats the answer. Required here or in the body.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_IDEMPOTENCY_KEY_CHARS,
        "pattern": "^[!-~]+$",
    },
}
_ID_PARAMETER: Final = {
    "name": "transactionId",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^pay_[a-z2-7]{16}$"},
}
_OPERATION_PARAMETER: Final = {
    "name": "operationId",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^(cap|void|ref)_[a-z2-7]{16}$"},
}
_LIMIT: Final = {
    "name": "limit",
    "in": "query",
    "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_ITEMS, "default": 20},
}
_CURSOR: Final = {
    "name": "cursor",
    "in": "query",
    "description": "nextCursor of the page before, unchanged, with the same filters.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 400, "pattern": "^[A-Za-z0-9_-]+$"},
}
_ACCEPTED_HEADERS: Final = {
    "Location": {"schema": {"type": "string"}, "description": "Where to poll."},
    "Idempotency-Replayed": {
        "schema": {"type": "string"},
        "description": "true if an earlier request made it.",
    },
}
_FILTERS: Final = [
    {"name": "status", "in": "query", "schema": {"type": "string", "enum": list(PaymentStatus)}},
    {
        "name": "from",
        "in": "query",
        "description": "Created at or after. Default: 31 days before to.",
        "schema": {"type": "string", "format": "date-time"},
    },
    {
        "name": "to",
        "in": "query",
        "description": "Created before. Default: now.",
        "schema": {"type": "string", "format": "date-time"},
    },
]


@cache
def document() -> dict[str, Any]:
    """The document as JSON values."""
    _, schemas = msgspec.json.schema_components(_TYPES, ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "PayFlowX",
            "version": API_VERSION,
            "description": "One payments API over several gateways. Amounts are integers in the currency's minor unit.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"apiKey": []}],
        "paths": _paths(),
        "webhooks": openapi_webhooks.webhooks(),
        "components": {
            "schemas": schemas,
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer", "bearerFormat": "pfx_test_sk_..."}},
        },
    }


def _paths() -> dict[str, Any]:
    return {
        "/payments": {"post": _create(), "get": _list()},
        "/payments/{transactionId}": {
            "get": _operation(
                "getPayment",
                "Read a payment",
                "PaymentAnswer",
                [_ID_PARAMETER],
                errors=(400, 401, 403, 404, 422, 429, 503),
            )
        },
        "/payments/{transactionId}/events": {
            "get": _operation(
                "listPaymentEvents",
                "Read a payment's audit trail, oldest first",
                "EventListAnswer",
                [_ID_PARAMETER, _LIMIT, _CURSOR],
                errors=(400, 401, 403, 404, 422, 429, 503),
            )
        },
        "/payments/{transactionId}/cancel": {"post": _cancel()},
        "/payments/{transactionId}/capture": {
            "post": _move("capturePayment", "Capture what an authorized payment holds, or a part of it")
        },
        "/payments/{transactionId}/refunds": {
            "post": _move("refundPayment", "Refund what was captured, or a part of it")
        },
        "/payments/{transactionId}/operations": {
            "get": _operation(
                "listOperations",
                "List a payment's captures, voids and refunds, oldest first",
                "OperationListAnswer",
                [_ID_PARAMETER],
                errors=(400, 401, 403, 404, 422, 429, 503),
            )
        },
        "/payments/{transactionId}/operations/{operationId}": {
            "get": _operation(
                "getOperation",
                "Read a capture, void or refund",
                "OperationAnswer",
                [_ID_PARAMETER, _OPERATION_PARAMETER],
                errors=(400, 401, 403, 404, 422, 429, 503),
            )
        },
        "/webhooks/{provider}/{accountToken}": {"post": _webhook()},
        **openapi_webhooks.paths(_operation, listing=[_LIMIT, _CURSOR, *_FILTERS[1:]]),
        "/health": {
            "get": _operation("getHealth", "Is the API up?", "HealthAnswer", [], errors=_ALWAYS) | {"security": []}
        },
        "/openapi.json": {"get": _self()},
    }


def _create() -> dict[str, Any]:
    operation = _operation(
        "createPayment",
        "Accept a payment; poll it, nobody waits for a provider",
        "PaymentAnswer",
        [_KEY_PARAMETER],
        success=202,
        errors=(400, 401, 403, 413, 415, 422, 429, 503),
    )
    operation["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": _ref("CreatePaymentRequest")}},
    }
    operation["responses"]["202"]["headers"] = _ACCEPTED_HEADERS
    return operation


def _move(name: str, summary: str) -> dict[str, Any]:
    operation = _operation(
        name,
        f"{summary}; poll the operation",
        "OperationAnswer",
        [_ID_PARAMETER, _KEY_PARAMETER],
        success=202,
        errors=(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
    )
    operation["requestBody"] = _optional_body("MoveMoneyRequest")
    operation["responses"]["202"]["headers"] = _ACCEPTED_HEADERS
    return operation


def _optional_body(name: str) -> dict[str, Any]:
    return {"required": False, "content": {"application/json": {"schema": _ref(name)}}}


def _list() -> dict[str, Any]:
    return _operation(
        "listPayments",
        "List payments, newest first",
        "PaymentListAnswer",
        [_LIMIT, _CURSOR, *_FILTERS],
        errors=(400, 401, 403, 422, 429, 503),
    )


def _cancel() -> dict[str, Any]:
    operation = _operation(
        "cancelPayment",
        "Cancel a payment: 200 when it is cancelled, 202 while a provider has yet to confirm",
        "PaymentAnswer",
        [_ID_PARAMETER, _KEY_PARAMETER | {"description": "Not needed: a payment is cancelled once."}],
        errors=(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
    )
    operation["requestBody"] = _optional_body("CancelPaymentRequest")
    operation["responses"]["202"] = operation["responses"]["200"] | {
        "description": "Cancellation requested",
        "headers": {
            "Location": {
                "schema": {"type": "string"},
                "description": "The void to poll, where the payment was authorized and its provider has voids.",
            }
        },
    }
    return operation


def _webhook() -> dict[str, Any]:
    """For the providers; `create_merchant` gives an account's address."""
    content = {"application/json": {"schema": _ref("WebhookAnswer")}}
    return {
        "operationId": "receiveWebhook",
        "summary": "A provider's webhook; authentic is what bears the provider's signature",
        "security": [],
        "parameters": [
            {"name": "provider", "in": "path", "required": True, "schema": {"type": "string"}},
            {"name": "accountToken", "in": "path", "required": True, "schema": {"type": "string"}},
        ],
        "requestBody": {"required": True, "content": {"*/*": {"schema": {}}}},
        "responses": {
            "200": {"description": "Taken, or of no interest", "content": content},
            **{str(status): _problem(status) for status in (401, 403, 413, 429, 503)},
        },
    }


def _self() -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    return {
        "operationId": "getOpenApi",
        "summary": "This document",
        "security": [],
        "responses": {
            "200": {"description": "OpenAPI 3.1", "content": content},
            **{str(status): _problem(status) for status in _ALWAYS},
        },
    }


def _operation(
    name: str,
    summary: str,
    answer: str,
    parameters: list[Any],
    *,
    success: int = 200,
    errors: tuple[int, ...],
) -> dict[str, Any]:
    content = {"application/json": {"schema": _ref(answer)}}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "responses": {
            str(success): {"description": _SUCCESS[success], "content": content},
            **{str(status): _problem(status) for status in errors},
        },
    }


def _problem(status: int) -> dict[str, Any]:
    codes = sorted(code for code, kind in problems.KINDS.items() if kind.status == status)
    return {
        "description": f"Problem: {', '.join(codes)}",
        "content": {problems.CONTENT_TYPE: {"schema": _ref("ProblemAnswer")}},
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
