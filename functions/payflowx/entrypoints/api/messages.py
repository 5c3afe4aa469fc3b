"""The body of a webhook to a merchant: what GET shows, and nothing that it does not."""

import msgspec

from payflowx.domain.outbound_webhooks.merchant_events import MerchantEvent
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.entrypoints.api.payments.presenting import present_operation, present_payment, timestamp
from payflowx.entrypoints.api.webhook_endpoints.presenting import present_forgotten
from payflowx.entrypoints.api.webhook_endpoints.types import MessageChange, MessageData, WebhookMessage


def compose_message(merchant_event: MerchantEvent, payment: Payment | None, operation: Operation | None) -> bytes:
    """Implements `Compose`. Made anew for each try: what was erased since is not sent any more."""
    return msgspec.json.encode(
        WebhookMessage(
            id=merchant_event.event_id,
            type=merchant_event.event_type,
            timestamp=timestamp(merchant_event.at_ms),
            sequence=merchant_event.number,
            data=MessageData(
                change=_change(merchant_event),
                payment=present_payment(payment) if payment else None,
                operation=present_operation(operation) if operation else None,
                forgotten=present_forgotten(merchant_event),
            ),
        )
    )


def _change(merchant_event: MerchantEvent) -> MessageChange | None:
    before, after = merchant_event.status_from, merchant_event.status_to
    return MessageChange(from_=before.value, to=after.value) if before and after else None
