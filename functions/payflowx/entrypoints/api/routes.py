"""The API's routes, once: the handlers are registered from this table, and `docs/openapi.json` is made from it.

The stack reads that document, so that API Gateway has the same routes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from payflowx.domain.shared.identifiers import PROVIDER_NAME_PATTERN
from payflowx.domain.shared.limits import (
    DEFAULT_PAGE_ITEMS,
    MAX_IDEMPOTENCY_KEY_CHARS,
    MAX_ORDER_ID_CHARS,
    MAX_PAGE_ITEMS,
)
from payflowx.domain.shared.statuses import PaymentStatus
from payflowx.entrypoints.api.payments import types as payments
from payflowx.entrypoints.api.webhook_endpoints import types as webhooks

Parameter = Mapping[str, Any]
"""As OpenAPI has it."""
Headers = Mapping[str, Any]
"""Name to OpenAPI's description."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """An answer that is no problem. `answer` None: it has no body."""

    status: int = 200
    description: str = "OK"
    answer: type[msgspec.Struct] | None
    headers: Headers = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A method at an address. `path` has API Gateway's form: `/payments/{transactionId}`.

    `errors` are the statuses of the problems that it answers with. A public route needs no API key.
    """

    method: str
    path: str
    operation_id: str
    summary: str
    success: Success
    errors: tuple[int, ...]
    parameters: tuple[Parameter, ...] = ()
    request: type[msgspec.Struct] | None = None
    is_request_required: bool = False
    otherwise: tuple[Success, ...] = ()
    """Other answers that are no problem."""
    is_public: bool = False


# -- parameters

_KEY: Final[Parameter] = {
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
_NEEDLESS_KEY: Final[Parameter] = {**_KEY, "description": "Not needed: a payment is cancelled once."}


def _limit(default: int) -> Parameter:
    schema = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_ITEMS, "default": default}
    return {"name": "limit", "in": "query", "schema": schema}


_LIMIT: Final = _limit(DEFAULT_PAGE_ITEMS)
_LIMIT_OF_OPERATIONS: Final = _limit(MAX_PAGE_ITEMS)
"""Release 0.2.0 had no cursor and answered with 100: a client of it that takes no cursor gets as many as before."""
_CURSOR: Final[Parameter] = {
    "name": "cursor",
    "in": "query",
    "description": "nextCursor of the page before, unchanged, with the same filters.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 400, "pattern": "^[A-Za-z0-9_-]+$"},
}
_STATUS: Final[Parameter] = {
    "name": "status",
    "in": "query",
    "schema": {"type": "string", "enum": list(PaymentStatus)},
}
_FROM: Final[Parameter] = {
    "name": "from",
    "in": "query",
    "description": "Created at or after. Default: 31 days before to.",
    "schema": {"type": "string", "format": "date-time"},
}
_TO: Final[Parameter] = {
    "name": "to",
    "in": "query",
    "description": "Created before. Default: now.",
    "schema": {"type": "string", "format": "date-time"},
}


_ORDER: Final[Parameter] = {
    "name": "orderId",
    "in": "query",
    "description": "The newest 50 payments of this order, without any other filter.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_ORDER_ID_CHARS},
}
_REFERENCE: Final[Parameter] = {
    "name": "providerRef",
    "in": "query",
    "description": "The payments that own this id of a provider, without any other filter but provider.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,100}$"},
}
_PROVIDER: Final[Parameter] = {
    "name": "provider",
    "in": "query",
    "description": "Beside providerRef: at this provider only. Required of a merchant with more than 20 accounts.",
    "schema": {"type": "string", "pattern": f"^{PROVIDER_NAME_PATTERN.pattern}$"},
}


def _path_parameter(name: str, pattern: str | None = None) -> Parameter:
    schema = {"type": "string"} if pattern is None else {"type": "string", "pattern": pattern}
    return {"name": name, "in": "path", "required": True, "schema": schema}


_PAYMENT: Final = _path_parameter("transactionId", "^pay_[a-z2-7]{16}$")
_OPERATION: Final = _path_parameter("operationId", "^(cap|void|ref)_[a-z2-7]{16}$")
_ENDPOINT: Final = _path_parameter("endpointId", "^we_[a-z2-7]{16}$")
_EVENT: Final = _path_parameter("eventId", "^evt_[a-z2-7]{16}_[1-9][0-9]{0,5}$")

# -- answers

_ALWAYS: Final = (403, 429, 503)
"""Of the firewall, the throttle and API Gateway themselves, whatever is asked."""
_LIST: Final = (400, 401, 403, 422, 429, 503)
_ONE: Final = (400, 401, 403, 404, 422, 429, 503)
_CHANGE: Final = (400, 401, 403, 404, 409, 413, 415, 422, 429, 503)

_POLL_HEADERS: Final[Headers] = {
    "Location": {"schema": {"type": "string"}, "description": "Where to poll."},
    "Idempotency-Replayed": {
        "schema": {"type": "string"},
        "description": "true if an earlier request made it.",
    },
}


def _accepted(answer: type[msgspec.Struct]) -> Success:
    return Success(status=202, description="Accepted", answer=answer, headers=_POLL_HEADERS)


_CANCELLATION_REQUESTED: Final = Success(
    status=202,
    description="Cancellation requested",
    answer=payments.PaymentAnswer,
    headers={
        "Location": {
            "schema": {"type": "string"},
            "description": "The void to poll, where the payment was authorized and its provider has voids.",
        }
    },
)

# -- the table

_PAYMENT_ROUTES: Final = (
    Route(
        method="POST",
        path="/payments",
        operation_id="createPayment",
        summary="Accept a payment; poll it, nobody waits for a provider",
        parameters=(_KEY,),
        request=payments.CreatePaymentRequest,
        is_request_required=True,
        success=_accepted(payments.PaymentAnswer),
        errors=(400, 401, 403, 409, 413, 415, 422, 429, 503),
    ),
    Route(
        method="GET",
        path="/payments",
        operation_id="listPayments",
        summary="List payments, newest first",
        parameters=(_LIMIT, _CURSOR, _STATUS, _FROM, _TO, _ORDER, _REFERENCE, _PROVIDER),
        success=Success(answer=payments.PaymentListAnswer),
        errors=_LIST,
    ),
    Route(
        method="GET",
        path="/payments/{transactionId}",
        operation_id="getPayment",
        summary="Read a payment",
        parameters=(_PAYMENT,),
        success=Success(answer=payments.PaymentAnswer),
        errors=_ONE,
    ),
    Route(
        method="GET",
        path="/payments/{transactionId}/events",
        operation_id="listPaymentEvents",
        summary="Read a payment's audit trail, oldest first",
        parameters=(_PAYMENT, _LIMIT, _CURSOR),
        success=Success(answer=payments.EventListAnswer),
        errors=_ONE,
    ),
    Route(
        method="POST",
        path="/payments/{transactionId}/cancel",
        operation_id="cancelPayment",
        summary="Cancel a payment: 200 when it is cancelled, 202 while a provider has yet to confirm",
        parameters=(_PAYMENT, _NEEDLESS_KEY),
        request=payments.CancelPaymentRequest,
        success=Success(answer=payments.PaymentAnswer),
        otherwise=(_CANCELLATION_REQUESTED,),
        errors=_CHANGE,
    ),
    Route(
        method="POST",
        path="/payments/{transactionId}/capture",
        operation_id="capturePayment",
        summary="Capture what an authorized payment holds, or a part of it; poll the operation",
        parameters=(_PAYMENT, _KEY),
        request=payments.MoveMoneyRequest,
        success=_accepted(payments.OperationAnswer),
        errors=_CHANGE,
    ),
    Route(
        method="POST",
        path="/payments/{transactionId}/refunds",
        operation_id="refundPayment",
        summary="Refund what was captured, or a part of it; poll the operation",
        parameters=(_PAYMENT, _KEY),
        request=payments.MoveMoneyRequest,
        success=_accepted(payments.OperationAnswer),
        errors=_CHANGE,
    ),
    Route(
        method="GET",
        path="/payments/{transactionId}/operations",
        operation_id="listOperations",
        summary="List a payment's captures, voids and refunds, oldest first",
        parameters=(_PAYMENT, _LIMIT_OF_OPERATIONS, _CURSOR),
        success=Success(answer=payments.OperationListAnswer),
        errors=_ONE,
    ),
    Route(
        method="GET",
        path="/payments/{transactionId}/operations/{operationId}",
        operation_id="getOperation",
        summary="Read a capture, void or refund",
        parameters=(_PAYMENT, _OPERATION),
        success=Success(answer=payments.OperationAnswer),
        errors=_ONE,
    ),
)

RECEIVE_WEBHOOK: Final = Route(
    method="POST",
    path="/webhooks/{provider}/{accountToken}",
    operation_id="receiveWebhook",
    summary="A provider's webhook; authentic is what bears the provider's signature",
    parameters=(_path_parameter("provider"), _path_parameter("accountToken")),
    success=Success(description="Accepted; unsupported event types are ignored", answer=payments.WebhookAnswer),
    errors=(401, 403, 413, 429, 503),
    is_public=True,
)
"""For the providers; another function serves it. `create_merchant` gives an account's address."""

_WEBHOOK_ROUTES: Final = (
    Route(
        method="POST",
        path="/webhook-endpoints",
        operation_id="createEndpoint",
        summary="Register a webhook endpoint; its secret is shown this once",
        request=webhooks.CreateEndpointRequest,
        is_request_required=True,
        success=Success(status=201, description="Created", answer=webhooks.EndpointSecretAnswer),
        errors=(400, 401, 403, 409, 413, 415, 422, 429, 503),
    ),
    Route(
        method="GET",
        path="/webhook-endpoints",
        operation_id="listEndpoints",
        summary="List webhook endpoints, without secrets",
        success=Success(answer=webhooks.EndpointListAnswer),
        errors=_LIST,
    ),
    Route(
        method="DELETE",
        path="/webhook-endpoints/{endpointId}",
        operation_id="deleteEndpoint",
        summary="Delete a webhook endpoint; what is on its way there is dropped",
        parameters=(_ENDPOINT,),
        success=Success(status=204, description="Deleted", answer=None),
        errors=_ONE,
    ),
    Route(
        method="POST",
        path="/webhook-endpoints/{endpointId}/rotate-secret",
        operation_id="rotateEndpointSecret",
        summary="Give an endpoint a new secret, shown this once; for a day the one before signs as well",
        parameters=(_ENDPOINT,),
        success=Success(answer=webhooks.EndpointSecretAnswer),
        errors=(400, 401, 403, 404, 413, 415, 422, 429, 503),
    ),
    Route(
        method="GET",
        path="/events",
        operation_id="listEvents",
        summary="List what was announced, newest first",
        parameters=(_LIMIT, _CURSOR, _FROM, _TO),
        success=Success(answer=webhooks.MerchantEventListAnswer),
        errors=_LIST,
    ),
    Route(
        method="POST",
        path="/events/{eventId}/redeliver",
        operation_id="redeliverEvent",
        summary="Send an event once more to every endpoint that is subscribed now",
        parameters=(_EVENT,),
        success=Success(status=202, description="Accepted", answer=webhooks.MerchantEventAnswer),
        errors=_CHANGE,
    ),
)

_OWN_ROUTES: Final = (
    Route(
        method="GET",
        path="/health",
        operation_id="getHealth",
        summary="Is the API up?",
        success=Success(answer=payments.HealthAnswer),
        errors=_ALWAYS,
        is_public=True,
    ),
    Route(
        method="GET",
        path="/openapi.json",
        operation_id="getOpenApi",
        summary="This document",
        success=Success(description="OpenAPI 3.1", answer=None),
        errors=_ALWAYS,
        is_public=True,
    ),
)

ROUTES: Final = (*_PAYMENT_ROUTES, RECEIVE_WEBHOOK, *_WEBHOOK_ROUTES, *_OWN_ROUTES)
API_ROUTES: Final = tuple(route for route in ROUTES if route is not RECEIVE_WEBHOOK)
"""The routes that the API's own function serves."""
