"""Reads webhooks: the event, and the successes that are proof by themselves. Pure."""

from collections.abc import Sequence

from payflowx.domain.payments.outcome import Succeeded
from payflowx.domain.providers.events import ProviderEvent, Webhook
from payflowx.domain.shared.text import provider_code, provider_reference
from payflowx.providers.json_fields import as_object
from payflowx.providers.mock.operations import operation
from payflowx.providers.mock.responses import charge
from payflowx.providers.mock_sessions import session_event
from payflowx.providers.mock_signatures import authentic_event, proof


def read_webhook(webhook: Webhook, secrets: Sequence[str]) -> ProviderEvent:
    """Raises `InvalidSignatureError`. An authentic webhook that is not understood is an empty event."""
    event_id, event = authentic_event(webhook, secrets)
    if (about_a_session := session_event(event_id, event)) is not None:
        return about_a_session
    kind, thing = provider_code(event.get("type")), as_object(event.get("data"))
    name, key = provider_reference(thing.get("id")), provider_reference(thing.get("reference"))
    if thing.get("object") == "charge":
        outcome = proof(Succeeded, lambda: charge(thing)) if kind == "charge.succeeded" else None
        return ProviderEvent(event_id=event_id, type=kind, charge_reference=name, charge_key=key, outcome=outcome)
    if thing.get("object") not in ("capture", "void", "refund"):  # a set would want to hash it
        return ProviderEvent(event_id=event_id, type=kind)
    return ProviderEvent(
        event_id=event_id,
        type=kind,
        charge_reference=provider_reference(thing.get("charge")),
        operation_reference=name,
        operation_key=key,
        operation_outcome=proof(Succeeded, lambda: operation(thing)) if kind.endswith(".succeeded") else None,
    )
