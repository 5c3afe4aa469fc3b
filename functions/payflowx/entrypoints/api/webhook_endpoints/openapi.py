"""Webhooks to merchants in the OpenAPI document: their endpoints, the events, and the message itself."""

from collections.abc import Callable
from typing import Any, Final

from payflowx.entrypoints.api.webhook_endpoints import types

Operation = Callable[..., dict[str, Any]]

TYPES: Final = (
    types.CreateEndpointRequest,
    types.EndpointAnswer,
    types.EndpointSecretAnswer,
    types.EndpointListAnswer,
    types.MerchantEventAnswer,
    types.MerchantEventListAnswer,
    types.WebhookMessage,
)

_ENDPOINT_ID: Final = {
    "name": "endpointId",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^we_[a-z2-7]{16}$"},
}
_EVENT_ID: Final = {
    "name": "eventId",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^evt_[a-z2-7]{16}_[1-9][0-9]{0,5}$"},
}
_READ: Final = (400, 401, 403, 422, 429, 503)
_WRITE: Final = (400, 401, 403, 404, 409, 413, 415, 422, 429, 503)


def paths(operation: Operation, *, listing: list[dict[str, Any]]) -> dict[str, Any]:
    """`operation` builds one, `listing` are the parameters that all lists of a merchant take."""
    return {
        "/webhook-endpoints": {"post": _create(operation), "get": _list(operation)},
        "/webhook-endpoints/{endpointId}": {"delete": _delete(operation)},
        "/webhook-endpoints/{endpointId}/rotate-secret": {
            "post": operation(
                "rotateEndpointSecret",
                "Give an endpoint a new secret, shown this once; for a day the one before signs as well",
                "EndpointSecretAnswer",
                [_ENDPOINT_ID],
                errors=(400, 401, 403, 404, 413, 415, 422, 429, 503),
            )
        },
        "/events": {
            "get": operation(
                "listEvents", "List what was announced, newest first", "MerchantEventListAnswer", listing, errors=_READ
            )
        },
        "/events/{eventId}/redeliver": {
            "post": operation(
                "redeliverEvent",
                "Send an event once more to every endpoint that is subscribed now",
                "MerchantEventAnswer",
                [_EVENT_ID],
                success=202,
                errors=_WRITE,
            )
        },
    }


def webhooks() -> dict[str, Any]:
    """What is posted to an endpoint."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    schema = {"$ref": "#/components/schemas/WebhookMessage"}
    return {
        "event": {
            "post": {
                "operationId": "receiveEvent",
                "summary": "By Standard Webhooks, at least once and in any order; answer 2xx within 15 seconds",
                "parameters": [
                    {"name": name, "in": "header", "required": True, "schema": {"type": "string"}} for name in names
                ],
                "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
                "responses": {
                    "2XX": {"description": "Taken"},
                    "410": {"description": "Gone: the endpoint is disabled"},
                    "default": {"description": "Tried again, for three days; Retry-After is honoured"},
                },
            }
        }
    }


def _create(operation: Operation) -> dict[str, Any]:
    created = operation(
        "createEndpoint",
        "Register a webhook endpoint; its secret is shown this once",
        "EndpointSecretAnswer",
        [],
        success=201,
        errors=(400, 401, 403, 409, 413, 415, 422, 429, 503),
    )
    schema = {"$ref": "#/components/schemas/CreateEndpointRequest"}
    created["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return created


def _list(operation: Operation) -> dict[str, Any]:
    return operation("listEndpoints", "List webhook endpoints, without secrets", "EndpointListAnswer", [], errors=_READ)


def _delete(operation: Operation) -> dict[str, Any]:
    deleted = operation(
        "deleteEndpoint",
        "Delete a webhook endpoint; what is on its way there is dropped",
        "EndpointAnswer",
        [_ENDPOINT_ID],
        success=204,
        errors=(400, 401, 403, 404, 422, 429, 503),
    )
    deleted["responses"]["204"] = {"description": "Deleted"}
    return deleted
