"""Every operation of the API: the table, and one function each.

Generated from `docs/openapi.json` by `python -m clients.generator`. Do not edit.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict

from payflowx_client import _json, models
from payflowx_client.calls import Call, Operation, Repeat, Send

CREATE_PAYMENT = Operation(
    id="createPayment",
    method="POST",
    path="/payments",
    repeat=Repeat.WITH_KEY,
    authenticated=True,
)
LIST_PAYMENTS = Operation(
    id="listPayments",
    method="GET",
    path="/payments",
    repeat=Repeat.SAFE,
    authenticated=True,
)
GET_PAYMENT = Operation(
    id="getPayment",
    method="GET",
    path="/payments/{transactionId}",
    repeat=Repeat.SAFE,
    authenticated=True,
)
LIST_PAYMENT_EVENTS = Operation(
    id="listPaymentEvents",
    method="GET",
    path="/payments/{transactionId}/events",
    repeat=Repeat.SAFE,
    authenticated=True,
)
CANCEL_PAYMENT = Operation(
    id="cancelPayment",
    method="POST",
    path="/payments/{transactionId}/cancel",
    repeat=Repeat.WITH_KEY,
    authenticated=True,
)
CAPTURE_PAYMENT = Operation(
    id="capturePayment",
    method="POST",
    path="/payments/{transactionId}/capture",
    repeat=Repeat.WITH_KEY,
    authenticated=True,
)
REFUND_PAYMENT = Operation(
    id="refundPayment",
    method="POST",
    path="/payments/{transactionId}/refunds",
    repeat=Repeat.WITH_KEY,
    authenticated=True,
)
LIST_OPERATIONS = Operation(
    id="listOperations",
    method="GET",
    path="/payments/{transactionId}/operations",
    repeat=Repeat.SAFE,
    authenticated=True,
)
GET_OPERATION = Operation(
    id="getOperation",
    method="GET",
    path="/payments/{transactionId}/operations/{operationId}",
    repeat=Repeat.SAFE,
    authenticated=True,
)
RECEIVE_WEBHOOK = Operation(
    id="receiveWebhook",
    method="POST",
    path="/webhooks/{provider}/{accountToken}",
    repeat=Repeat.NEVER,
    authenticated=False,
)
CREATE_ENDPOINT = Operation(
    id="createEndpoint",
    method="POST",
    path="/webhook-endpoints",
    repeat=Repeat.NEVER,
    authenticated=True,
)
LIST_ENDPOINTS = Operation(
    id="listEndpoints",
    method="GET",
    path="/webhook-endpoints",
    repeat=Repeat.SAFE,
    authenticated=True,
)
DELETE_ENDPOINT = Operation(
    id="deleteEndpoint",
    method="DELETE",
    path="/webhook-endpoints/{endpointId}",
    repeat=Repeat.SAFE,
    authenticated=True,
)
ROTATE_ENDPOINT_SECRET = Operation(
    id="rotateEndpointSecret",
    method="POST",
    path="/webhook-endpoints/{endpointId}/rotate-secret",
    repeat=Repeat.NEVER,
    authenticated=True,
)
LIST_EVENTS = Operation(
    id="listEvents",
    method="GET",
    path="/events",
    repeat=Repeat.SAFE,
    authenticated=True,
)
REDELIVER_EVENT = Operation(
    id="redeliverEvent",
    method="POST",
    path="/events/{eventId}/redeliver",
    repeat=Repeat.NEVER,
    authenticated=True,
)
GET_HEALTH = Operation(
    id="getHealth",
    method="GET",
    path="/health",
    repeat=Repeat.SAFE,
    authenticated=False,
)
GET_OPEN_API = Operation(
    id="getOpenApi",
    method="GET",
    path="/openapi.json",
    repeat=Repeat.SAFE,
    authenticated=False,
)

OPERATIONS = (
    CREATE_PAYMENT,
    LIST_PAYMENTS,
    GET_PAYMENT,
    LIST_PAYMENT_EVENTS,
    CANCEL_PAYMENT,
    CAPTURE_PAYMENT,
    REFUND_PAYMENT,
    LIST_OPERATIONS,
    GET_OPERATION,
    RECEIVE_WEBHOOK,
    CREATE_ENDPOINT,
    LIST_ENDPOINTS,
    DELETE_ENDPOINT,
    ROTATE_ENDPOINT_SECRET,
    LIST_EVENTS,
    REDELIVER_EVENT,
    GET_HEALTH,
    GET_OPEN_API,
)


def create_payment(
    send: Send,
    body: models.CreatePaymentRequest,
    *,
    idempotency_key: str | None = None,
) -> models.Payment:
    """`POST /payments`."""
    answer = send(
        Call(
            CREATE_PAYMENT,
            body=body.to_json(),
            idempotency_key=idempotency_key,
        )
    )
    return models.Payment.from_json(answer)


class ListPaymentsFilters(TypedDict, total=False):
    """Filters of `GET /payments`."""

    status: models.PaymentStatus | None
    from_: datetime | None
    to: datetime | None
    order_id: str | None
    provider_ref: str | None
    provider: str | None


def list_payments(
    send: Send,
    *,
    limit: int | None = None,
    cursor: str | None = None,
    status: models.PaymentStatus | None = None,
    from_: datetime | None = None,
    to: datetime | None = None,
    order_id: str | None = None,
    provider_ref: str | None = None,
    provider: str | None = None,
) -> models.PaymentPage:
    """`GET /payments`."""
    answer = send(
        Call(
            LIST_PAYMENTS,
            query={
                "limit": limit,
                "cursor": cursor,
                "status": status,
                "from": from_,
                "to": to,
                "orderId": order_id,
                "providerRef": provider_ref,
                "provider": provider,
            },
        )
    )
    return models.PaymentPage.from_json(answer)


def get_payment(
    send: Send,
    transaction_id: str,
) -> models.Payment:
    """`GET /payments/{transactionId}`."""
    answer = send(
        Call(
            GET_PAYMENT,
            path={"transactionId": transaction_id},
        )
    )
    return models.Payment.from_json(answer)


def list_payment_events(
    send: Send,
    transaction_id: str,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> models.AuditEventPage:
    """`GET /payments/{transactionId}/events`."""
    answer = send(
        Call(
            LIST_PAYMENT_EVENTS,
            path={"transactionId": transaction_id},
            query={"limit": limit, "cursor": cursor},
        )
    )
    return models.AuditEventPage.from_json(answer)


def cancel_payment(
    send: Send,
    transaction_id: str,
    body: models.CancelPaymentRequest | None = None,
    *,
    idempotency_key: str | None = None,
) -> models.Payment:
    """`POST /payments/{transactionId}/cancel`."""
    answer = send(
        Call(
            CANCEL_PAYMENT,
            path={"transactionId": transaction_id},
            body=None if body is None else body.to_json(),
            idempotency_key=idempotency_key,
        )
    )
    return models.Payment.from_json(answer)


def capture_payment(
    send: Send,
    transaction_id: str,
    body: models.MoveMoneyRequest | None = None,
    *,
    idempotency_key: str | None = None,
) -> models.Operation:
    """`POST /payments/{transactionId}/capture`."""
    answer = send(
        Call(
            CAPTURE_PAYMENT,
            path={"transactionId": transaction_id},
            body=None if body is None else body.to_json(),
            idempotency_key=idempotency_key,
        )
    )
    return models.Operation.from_json(answer)


def refund_payment(
    send: Send,
    transaction_id: str,
    body: models.MoveMoneyRequest | None = None,
    *,
    idempotency_key: str | None = None,
) -> models.Operation:
    """`POST /payments/{transactionId}/refunds`."""
    answer = send(
        Call(
            REFUND_PAYMENT,
            path={"transactionId": transaction_id},
            body=None if body is None else body.to_json(),
            idempotency_key=idempotency_key,
        )
    )
    return models.Operation.from_json(answer)


def list_operations(
    send: Send,
    transaction_id: str,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> models.OperationPage:
    """`GET /payments/{transactionId}/operations`."""
    answer = send(
        Call(
            LIST_OPERATIONS,
            path={"transactionId": transaction_id},
            query={"limit": limit, "cursor": cursor},
        )
    )
    return models.OperationPage.from_json(answer)


def get_operation(
    send: Send,
    transaction_id: str,
    operation_id: str,
) -> models.Operation:
    """`GET /payments/{transactionId}/operations/{operationId}`."""
    answer = send(
        Call(
            GET_OPERATION,
            path={"transactionId": transaction_id, "operationId": operation_id},
        )
    )
    return models.Operation.from_json(answer)


def receive_webhook(
    send: Send,
    provider: str,
    account_token: str,
    body: bytes,
) -> models.WebhookReceived:
    """`POST /webhooks/{provider}/{accountToken}`."""
    answer = send(
        Call(
            RECEIVE_WEBHOOK,
            path={"provider": provider, "accountToken": account_token},
            body=body,
        )
    )
    return models.WebhookReceived.from_json(answer)


def create_endpoint(
    send: Send,
    body: models.CreateEndpointRequest,
) -> models.EndpointSecret:
    """`POST /webhook-endpoints`."""
    answer = send(
        Call(
            CREATE_ENDPOINT,
            body=body.to_json(),
        )
    )
    return models.EndpointSecret.from_json(answer)


def list_endpoints(
    send: Send,
) -> models.EndpointPage:
    """`GET /webhook-endpoints`."""
    answer = send(
        Call(
            LIST_ENDPOINTS,
        )
    )
    return models.EndpointPage.from_json(answer)


def delete_endpoint(
    send: Send,
    endpoint_id: str,
) -> None:
    """`DELETE /webhook-endpoints/{endpointId}`."""
    send(
        Call(
            DELETE_ENDPOINT,
            path={"endpointId": endpoint_id},
        )
    )


def rotate_endpoint_secret(
    send: Send,
    endpoint_id: str,
) -> models.EndpointSecret:
    """`POST /webhook-endpoints/{endpointId}/rotate-secret`."""
    answer = send(
        Call(
            ROTATE_ENDPOINT_SECRET,
            path={"endpointId": endpoint_id},
        )
    )
    return models.EndpointSecret.from_json(answer)


class ListEventsFilters(TypedDict, total=False):
    """Filters of `GET /events`."""

    from_: datetime | None
    to: datetime | None


def list_events(
    send: Send,
    *,
    limit: int | None = None,
    cursor: str | None = None,
    from_: datetime | None = None,
    to: datetime | None = None,
) -> models.MerchantEventPage:
    """`GET /events`."""
    answer = send(
        Call(
            LIST_EVENTS,
            query={"limit": limit, "cursor": cursor, "from": from_, "to": to},
        )
    )
    return models.MerchantEventPage.from_json(answer)


def redeliver_event(
    send: Send,
    event_id: str,
) -> models.MerchantEvent:
    """`POST /events/{eventId}/redeliver`."""
    answer = send(
        Call(
            REDELIVER_EVENT,
            path={"eventId": event_id},
        )
    )
    return models.MerchantEvent.from_json(answer)


def get_health(
    send: Send,
) -> models.Health:
    """`GET /health`."""
    answer = send(
        Call(
            GET_HEALTH,
        )
    )
    return models.Health.from_json(answer)


def get_open_api(
    send: Send,
) -> Mapping[str, object]:
    """`GET /openapi.json`."""
    answer = send(
        Call(
            GET_OPEN_API,
        )
    )
    return _json.members(answer, "getOpenApi")
