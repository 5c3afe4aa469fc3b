"""What a client can do, by resource. Each method is one operation of the API, or an iterator over one."""

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Unpack

from payflowx_client import models, operations
from payflowx_client.keys import Key, KeyStore, resolved
from payflowx_client.models import EventType, OperationStatus, PaymentStatus
from payflowx_client.money import check_minor
from payflowx_client.pages import Listing
from payflowx_client.sender import Sender
from payflowx_client.waiting import wait

PAYMENT_ENDS: Final = frozenset({PaymentStatus.SUCCESS, PaymentStatus.FAILED, PaymentStatus.CANCELLED})
PAYMENT_ANSWERS: Final = PAYMENT_ENDS | {
    PaymentStatus.AUTHORIZED,
    PaymentStatus.REQUIRES_ACTION,
    PaymentStatus.IN_REVIEW,
}
OPERATION_ENDS: Final = frozenset({OperationStatus.SUCCEEDED, OperationStatus.FAILED})
OPERATION_ANSWERS: Final = OPERATION_ENDS | {OperationStatus.IN_REVIEW}


class _Remaining(enum.Enum):
    REMAINING = "remaining"


REMAINING: Final = _Remaining.REMAINING
"""All that is left to capture or refund. None is refused: an amount missing by mistake would move everything."""
Amount = int | Literal[_Remaining.REMAINING]


@dataclass(frozen=True, slots=True)
class _Context:
    send: Sender
    keys: KeyStore | None


class _Resource:
    def __init__(self, context: _Context) -> None:
        self._context = context
        self._send = context.send

    def _key(self, key: Key, operation: str) -> str:
        return resolved(key, self._context.keys, operation)


class Payments(_Resource):
    """`/payments`."""

    def create(self, *, key: Key, **given: Unpack[models.CreatePaymentArguments]) -> models.Payment:
        """Accept a payment; its status is usually `PENDING` at first, see `wait_for`.

        The same key with the same arguments returns the same payment, however often and from whichever process.
        """
        request = models.CreatePaymentRequest(**given)
        check_minor(request.amount)
        return operations.create_payment(self._send, request, idempotency_key=self._key(key, "payment"))

    def get(self, transaction_id: str) -> models.Payment:
        """The payment as it is now."""
        return operations.get_payment(self._send, transaction_id)

    def list(
        self, *, page_size: int | None = None, **filters: Unpack[operations.ListPaymentsFilters]
    ) -> Listing[models.Payment]:
        """Newest first; of the last 31 days, unless times say otherwise (`from_` inclusive, `to` exclusive)."""
        return Listing(lambda cursor: operations.list_payments(self._send, limit=page_size, cursor=cursor, **filters))

    def audit_events(self, transaction_id: str, *, page_size: int | None = None) -> Listing[models.AuditEvent]:
        """The audit log of a payment, oldest first."""
        return Listing(
            lambda cursor: operations.list_payment_events(self._send, transaction_id, limit=page_size, cursor=cursor)
        )

    def cancel(self, transaction_id: str) -> models.Payment:
        """Idempotent without a key. A payment with `cancel_requested` is not cancelled yet: wait for it."""
        return operations.cancel_payment(self._send, transaction_id)

    def capture(self, transaction_id: str, *, amount: Amount, key: Key) -> models.Operation:
        """Capture what an authorized payment holds, or a part of it."""
        body = models.MoveMoneyRequest(amount=_amount(amount))
        return operations.capture_payment(self._send, transaction_id, body, idempotency_key=self._key(key, "capture"))

    def wait_for(
        self,
        payment: models.Payment | str,
        *,
        until: Collection[PaymentStatus] = PAYMENT_ANSWERS,
        timeout_seconds: float = 60.0,
    ) -> models.Payment:
        """Ask until the payment has a status of `until`; by default any other than `PENDING`.

        Raises `StillWaitingError`, `OtherEndError` for an end that was not waited for.
        """
        transaction_id = payment if isinstance(payment, str) else payment.transaction_id
        return wait(
            lambda left_seconds: operations.get_payment(self._send.once(left_seconds), transaction_id),
            until=until,
            ends=PAYMENT_ENDS,
            timeout_seconds=timeout_seconds,
            clock=self._send.clock,
        )


class Refunds(_Resource):
    """`/payments/{transactionId}/refunds`; a refund is an operation."""

    def create(self, transaction_id: str, *, amount: Amount, key: Key) -> models.Operation:
        """Refund a part of what was captured, or `REMAINING`."""
        body = models.MoveMoneyRequest(amount=_amount(amount))
        return operations.refund_payment(self._send, transaction_id, body, idempotency_key=self._key(key, "refund"))


class Operations(_Resource):
    """`/payments/{transactionId}/operations`: captures, voids and refunds."""

    def get(self, transaction_id: str, operation_id: str) -> models.Operation:
        """The operation as it is now."""
        return operations.get_operation(self._send, transaction_id, operation_id)

    def list(self, transaction_id: str, *, page_size: int | None = None) -> Listing[models.Operation]:
        """Oldest first."""
        return Listing(
            lambda cursor: operations.list_operations(self._send, transaction_id, limit=page_size, cursor=cursor)
        )

    def wait_for(
        self,
        operation: models.Operation,
        *,
        until: Collection[OperationStatus] = OPERATION_ANSWERS,
        timeout_seconds: float = 60.0,
    ) -> models.Operation:
        """As `Payments.wait_for`."""
        return wait(
            lambda left_seconds: operations.get_operation(
                self._send.once(left_seconds), operation.transaction_id, operation.operation_id
            ),
            until=until,
            ends=OPERATION_ENDS,
            timeout_seconds=timeout_seconds,
            clock=self._send.clock,
        )


class WebhookEndpoints(_Resource):
    """`/webhook-endpoints`. A lost answer of `create` or `rotate_secret` is not repeated: the secret is shown once."""

    def create(self, *, url: str, event_types: Sequence[EventType] = ()) -> models.EndpointSecret:
        """Without event types, the endpoint receives every type. Store `secret`: it is shown only now."""
        request = models.CreateEndpointRequest(url=url, event_types=tuple(event_types))
        return operations.create_endpoint(self._send, request)

    def list(self) -> tuple[models.Endpoint, ...]:
        """All endpoints, the oldest first, without secrets."""
        return operations.list_endpoints(self._send).items

    def delete(self, endpoint_id: str) -> None:
        """Stop deliveries to it."""
        operations.delete_endpoint(self._send, endpoint_id)

    def rotate_secret(self, endpoint_id: str) -> models.EndpointSecret:
        """For a day, the old secret signs as well. A second rotation ends that."""
        return operations.rotate_endpoint_secret(self._send, endpoint_id)


class Events(_Resource):
    """`/events`: what was sent to webhook endpoints."""

    def list(
        self, *, page_size: int | None = None, **filters: Unpack[operations.ListEventsFilters]
    ) -> Listing[models.MerchantEvent]:
        """Newest first, with the state of each delivery."""
        return Listing(lambda cursor: operations.list_events(self._send, limit=page_size, cursor=cursor, **filters))

    def redeliver(self, event_id: str) -> models.MerchantEvent:
        """Deliver the event again to every endpoint that is enabled and subscribed now."""
        return operations.redeliver_event(self._send, event_id)


def _amount(amount: Amount) -> int | None:
    return None if amount is REMAINING else check_minor(amount)
