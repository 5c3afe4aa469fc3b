"""The body of a webhook to a merchant: what GET shows, and nothing that it does not."""

import msgspec

from payflowx.domain.outbound_webhooks.merchant_events import Announcement
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.entrypoints.api.payments.presenting import present_operation, present_payment, timestamp
from payflowx.entrypoints.api.webhook_endpoints.types import MessageChange, MessageData, WebhookMessage


def compose_message(announcement: Announcement, payment: Payment, operation: Operation | None) -> bytes:
    """Implements `Compose`. Made anew for each try: what was erased since is not sent any more."""
    return msgspec.json.encode(
        WebhookMessage(
            id=announcement.event_id,
            type=announcement.topic,
            timestamp=timestamp(announcement.at_ms),
            sequence=announcement.number,
            data=MessageData(
                change=MessageChange(from_=announcement.status_from.value, to=announcement.status_to.value),
                payment=present_payment(payment),
                operation=present_operation(operation) if operation else None,
            ),
        )
    )
