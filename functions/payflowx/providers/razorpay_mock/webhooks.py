"""Webhooks: what they are about, and the two that prove something. Pure.

A payment does not carry our receipt; its order does, and comes along with `order.paid`.
"""

from collections.abc import Sequence
from typing import Any

from payflowx.domain.payments.outcome import Charged, Moved
from payflowx.domain.providers.events import Notice, Webhook
from payflowx.domain.shared.text import provider_code, provider_reference
from payflowx.providers.json_fields import member, reference, text, whole
from payflowx.providers.mock_signatures import authentic_event, proof
from payflowx.providers.razorpay_mock.operations import refund_outcome


def read_webhook(webhook: Webhook, secrets: Sequence[str]) -> Notice:
    """Raises `ForgedWebhookError`. What is authentic and not understood is a notice of nothing."""
    event_id, event = authentic_event(webhook, secrets)
    kind, payload = provider_code(event.get("event")), member(event.get("payload"))
    order, payment, refund = (member(payload.get(name)) for name in ("order", "payment", "refund"))
    return Notice(
        event_id=event_id,
        type=kind,
        charge_reference=provider_reference(payment.get("id")) or provider_reference(refund.get("payment_id")),
        charge_key=provider_reference(order.get("receipt")),
        movement_reference=provider_reference(refund.get("id")),
        movement_key=provider_reference(refund.get("receipt")),
        outcome=proof(Charged, lambda: _paid(order, payment)) if kind == "order.paid" else None,
        movement_outcome=proof(Moved, lambda: refund_outcome(refund)) if kind == "refund.processed" else None,
    )


def _paid(order: dict[str, Any], payment: dict[str, Any]) -> Charged | None:
    if payment.get("status") != "captured" or text(order.get("id")) != payment.get("order_id"):
        return None
    return Charged(
        reference=reference(payment.get("id")),
        amount=whole(payment.get("amount")),
        currency=text(payment.get("currency")),
        merchant_reference=text(order.get("receipt")),
    )
