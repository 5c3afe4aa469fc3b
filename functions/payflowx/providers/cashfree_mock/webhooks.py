"""Reads webhooks: the state of a payment or a refund, and the successes that are proof by themselves. Pure."""

from collections.abc import Sequence

from payflowx.domain.payments.outcome import Succeeded
from payflowx.domain.providers.events import ProviderEvent, Webhook
from payflowx.domain.shared.text import provider_code, provider_reference
from payflowx.providers.cashfree_mock.operations import refund_outcome
from payflowx.providers.cashfree_mock.responses import payment
from payflowx.providers.json_fields import as_object
from payflowx.providers.mock_sessions import session_event
from payflowx.providers.mock_signatures import authentic_event, proof


def read_webhook(webhook: Webhook, secrets: Sequence[str]) -> ProviderEvent:
    """Raises `InvalidSignatureError`. An authentic webhook that is not understood is an empty event."""
    event_id, event = authentic_event(webhook, secrets)
    if (about_a_session := session_event(event_id, event)) is not None:
        return about_a_session
    data = as_object(event.get("data"))
    paid, refund = as_object(data.get("payment")), as_object(data.get("refund"))
    return ProviderEvent(
        event_id=event_id,
        type=provider_code(event.get("type")),
        charge_reference=provider_reference(paid.get("cf_payment_id")),
        charge_key=provider_reference((paid or refund).get("order_id")),
        operation_reference=provider_reference(refund.get("cf_refund_id")),
        operation_key=provider_reference(refund.get("refund_id")),
        outcome=proof(Succeeded, lambda: payment(paid)) if paid else None,
        operation_outcome=proof(Succeeded, lambda: refund_outcome(refund)) if refund else None,
    )
