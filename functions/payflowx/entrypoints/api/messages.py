"""The body of a webhook to a merchant: what GET shows, and nothing that it does not."""

import msgspec

from payflowx.domain.outbound_webhooks.merchant_events import MerchantEvent
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.entrypoints.api.payments.presenting import present_operation, present_payment, timestamp
from payflowx.entrypoints.api.webhook_endpoints.types import MessageChange, MessageData, WebhookMessage


def compose_message(merchant_event: MerchantEvent, payment: Payment, operation: Operation | None) -> bytes:
    """Implements `Compose`. Made anew for each try: what was erased since is not sent any more."""
    return msgspec.json.encode(
        WebhookMessage(
            id=merchant_event.event_id,
            type=merchant_event.event_type,
            timestamp=timestamp(merchant_event.at_ms),
            sequence=merchant_event.number,
            data=MessageData(
                change=MessageChange(from_=merchant_event.status_from.value, to=merchant_event.status_to.value),
                payment=present_payment(payment),
                operation=present_operation(operation) if operation else None,
            ),
        )
    )
