"""Webhook endpoints and published events, from the domain to the wire. A secret is only ever given in."""

import msgspec

from payflowx.domain.outbound_webhooks.endpoints import Endpoint
from payflowx.domain.outbound_webhooks.merchant_events import Delivery, DeliveryState, MerchantEvent
from payflowx.entrypoints.api.payments.presenting import timestamp
from payflowx.entrypoints.api.webhook_endpoints.types import (
    DeliveryAnswer,
    EndpointAnswer,
    EndpointSecretAnswer,
    ForgottenTime,
    MerchantEventAnswer,
)


def present_endpoint(endpoint: Endpoint, now_ms: int) -> EndpointAnswer:
    """Without any secret."""
    overlaps = endpoint.previous_encrypted_secret is not None and now_ms < endpoint.previous_until_ms
    return EndpointAnswer(
        id=endpoint.endpoint_id,
        url=endpoint.url,
        event_types=list(endpoint.event_types),
        status=endpoint.status.value,
        disabled_reason=endpoint.disabled_reason.value if endpoint.disabled_reason else None,
        failing_since=timestamp(endpoint.failing_since_ms) if endpoint.failing_since_ms is not None else None,
        previous_secret_until=timestamp(endpoint.previous_until_ms) if overlaps else None,
        created_at=timestamp(endpoint.created_at_ms),
        updated_at=timestamp(endpoint.updated_at_ms),
    )


def present_secret(endpoint: Endpoint, secret: str, now_ms: int) -> EndpointSecretAnswer:
    """With the secret that was made just now."""
    return EndpointSecretAnswer(**msgspec.structs.asdict(present_endpoint(endpoint, now_ms)), secret=secret)


def present_merchant_event(merchant_event: MerchantEvent) -> MerchantEventAnswer:
    """An event and how far its deliveries are."""
    return MerchantEventAnswer(
        id=merchant_event.event_id,
        type=merchant_event.event_type,
        sequence=merchant_event.number,
        transaction_id=None if merchant_event.forgotten else merchant_event.transaction_id,
        operation_id=merchant_event.operation_id,
        from_=merchant_event.status_from.value if merchant_event.status_from else None,
        to=merchant_event.status_to.value if merchant_event.status_to else None,
        forgotten=present_forgotten(merchant_event),
        created_at=timestamp(merchant_event.at_ms),
        deliveries=[_delivery(endpoint_id, known) for endpoint_id, known in sorted(merchant_event.deliveries.items())],
    )


def present_forgotten(merchant_event: MerchantEvent) -> ForgottenTime | None:
    """The time that a restore has forgotten; None for every other event."""
    span = merchant_event.forgotten
    return ForgottenTime(from_=timestamp(span.from_ms), until=timestamp(span.until_ms)) if span else None


def _delivery(endpoint_id: str, delivery: Delivery) -> DeliveryAnswer:
    waits = delivery.state is DeliveryState.PENDING
    return DeliveryAnswer(
        endpoint_id=endpoint_id,
        state=delivery.state.value,
        attempts=delivery.attempts,
        last_status=delivery.status,
        last_error=delivery.code,
        next_attempt_at=timestamp(delivery.next_at_ms) if waits else None,
    )
