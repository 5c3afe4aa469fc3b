"""Reads Stripe's events. Pure.

Events are signed, but neither ordered nor unique, and contain an object as it was. Only the success of an intent is
proof by itself, because nothing reverses it. Every other event causes an inquiry.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from payflowx.domain.payments.outcome import Outcome, Succeeded
from payflowx.domain.providers.events import InvalidSignatureError, ProviderEvent, Webhook
from payflowx.domain.shared.text import provider_code, provider_reference
from payflowx.providers.json_fields import as_int, as_object, parse, reference
from payflowx.providers.stripe import signature
from payflowx.providers.stripe.disputes import dispute_report
from payflowx.providers.stripe.objects import currency_of, our_key

HEADER: Final = "stripe-signature"
_MAX_BODY_BYTES: Final = 256 * 1024


def read(webhook: Webhook, secrets: Sequence[str]) -> ProviderEvent:
    """Verify first, then read. An authentic event that is not understood is an empty event."""
    if len(webhook.body) > _MAX_BODY_BYTES:
        raise InvalidSignatureError
    signature.verify(webhook.headers.get(HEADER, ""), webhook.body, secrets, webhook.received_at_ms)
    try:
        event = parse(webhook.body)
    except (ValueError, RecursionError):
        event = None
    event = as_object(event)
    event_id = provider_reference(event.get("id")) or hashlib.sha256(webhook.body).hexdigest()
    thing = as_object(as_object(event.get("data")).get("object"))
    if thing.get("object") == "dispute":
        return ProviderEvent(
            event_id=event_id,
            type=provider_code(event.get("type")),
            charge_reference=_intent_of(thing),
            dispute=dispute_report(thing, event.get("created")),
        )
    return _provider_event(event_id, provider_code(event.get("type")), thing)


def _provider_event(event_id: str, event_type: str, thing: dict[str, Any]) -> ProviderEvent:
    match thing.get("object"):
        case "payment_intent":
            return ProviderEvent(
                event_id=event_id,
                type=event_type,
                charge_reference=provider_reference(thing.get("id")),
                charge_key=our_key(thing),
                outcome=_success(thing) if event_type == "payment_intent.succeeded" else None,
            )
        case "checkout.session":
            return ProviderEvent(
                event_id=event_id,
                type=event_type,
                charge_reference=_intent_of(thing) or provider_reference(thing.get("id")),
                charge_key=_reference_of(thing),
            )
        case "refund":
            return ProviderEvent(
                event_id=event_id,
                type=event_type,
                charge_reference=_intent_of(thing),
                operation_reference=provider_reference(thing.get("id")),
                operation_key=our_key(thing),
            )
        case "charge":
            intent, key = _intent_of(thing), our_key(thing)
            return ProviderEvent(event_id=event_id, type=event_type, charge_reference=intent, charge_key=key)
        case _:
            return ProviderEvent(event_id=event_id, type=event_type)


def _intent_of(thing: dict[str, Any]) -> str | None:
    return provider_reference(thing.get("payment_intent"))


def _reference_of(session: dict[str, Any]) -> str | None:
    """The key that we gave a session. It is no proof: only its intent says what was paid."""
    key = session.get("client_reference_id")
    return key if isinstance(key, str) else None


def _success(intent: dict[str, Any]) -> Outcome | None:
    """The success in full, or None when the object does not confirm the event's type."""
    key = our_key(intent)
    if intent.get("status") != "succeeded" or key is None:
        return None
    try:
        return Succeeded(
            reference=reference(intent.get("id")),
            amount=as_int(intent.get("amount_received")),
            currency=currency_of(intent),
            merchant_reference=key,
        )
    except ValueError:
        return None
