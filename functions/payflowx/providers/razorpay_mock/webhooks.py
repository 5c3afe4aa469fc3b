"""Reads webhooks: the event, and the two successes that are proof by themselves. Pure.

A payment does not carry our receipt; its order does, and `order.paid` contains the order.
"""

from collections.abc import Sequence
from typing import Any

from payflowx.domain.payments.outcome import Succeeded
from payflowx.domain.providers.events import ProviderEvent, Webhook
from payflowx.domain.shared.text import provider_code, provider_reference
from payflowx.providers.json_fields import as_int, as_object, as_text, reference
from payflowx.providers.mock_sessions import session_event
from payflowx.providers.mock_signatures import authentic_event, proof
from payflowx.providers.razorpay_mock.operations import refund_outcome


def read_webhook(webhook: Webhook, secrets: Sequence[str]) -> ProviderEvent:
    """Raises `InvalidSignatureError`. An authentic webhook that is not understood is an empty event."""
    event_id, event = authentic_event(webhook, secrets)
    if (about_a_session := session_event(event_id, event)) is not None:
        return about_a_session
    kind, payload = provider_code(event.get("event")), as_object(event.get("payload"))
    order, payment, refund = (as_object(payload.get(name)) for name in ("order", "payment", "refund"))
    return ProviderEvent(
        event_id=event_id,
        type=kind,
        charge_reference=provider_reference(payment.get("id")) or provider_reference(refund.get("payment_id")),
        charge_key=provider_reference(order.get("receipt")),
        operation_reference=provider_reference(refund.get("id")),
        operation_key=provider_reference(refund.get("receipt")),
        outcome=proof(Succeeded, lambda: _paid(order, payment)) if kind == "order.paid" else None,
        operation_outcome=proof(Succeeded, lambda: refund_outcome(refund)) if kind == "refund.processed" else None,
    )


def _paid(order: dict[str, Any], payment: dict[str, Any]) -> Succeeded | None:
    if payment.get("status") != "captured" or as_text(order.get("id")) != payment.get("order_id"):
        return None
    return Succeeded(
        reference=reference(payment.get("id")),
        amount=as_int(payment.get("amount")),
        currency=as_text(payment.get("currency")),
        merchant_reference=as_text(order.get("receipt")),
    )
