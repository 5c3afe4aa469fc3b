"""Webhooks: signed over the raw bytes. Successes are proof, anything else is a reason to inquire. Pure."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from payflowx.domain.notices import ForgedWebhookError, Notice, Webhook
from payflowx.domain.outcome import Charged, Moved
from payflowx.domain.text import provider_code, provider_reference
from payflowx.providers.mock.movements import operation_outcome
from payflowx.providers.mock.responses import charge_outcome
from payflowx.providers.reading import member

_NOT_UNDERSTOOD = (ValueError, TypeError, RecursionError)


def read(webhook: Webhook, secrets: Sequence[str]) -> Notice:
    """Check first, read afterwards."""
    given = webhook.headers.get("x-mock-signature", "").encode(errors="replace")
    valid = [hmac.compare_digest(_sign(webhook.body, secret), given) for secret in secrets if secret]
    if not any(valid):
        raise ForgedWebhookError
    try:
        event = member(json.loads(webhook.body))
    except _NOT_UNDERSTOOD:
        event = {}
    event_id = provider_reference(event.get("id")) or hashlib.sha256(webhook.body).hexdigest()
    return _notice(event_id, provider_code(event.get("type")), member(event.get("data")))


def _sign(body: bytes, secret: str) -> bytes:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()


def _notice(event_id: str, kind: str, thing: dict[str, Any]) -> Notice:
    name, key = provider_reference(thing.get("id")), provider_reference(thing.get("reference"))
    if thing.get("object") == "charge":
        charged = _understood(charge_outcome, thing)
        proof = charged if isinstance(charged, Charged) else None
        return Notice(event_id=event_id, type=kind, charge_reference=name, charge_key=key, outcome=proof)
    if thing.get("object") == "operation":
        moved = _understood(operation_outcome, thing)
        return Notice(
            event_id=event_id,
            type=kind,
            charge_reference=provider_reference(thing.get("charge")),
            movement_reference=name,
            movement_key=key,
            movement_outcome=moved if isinstance(moved, Moved) else None,
        )
    return Notice(event_id=event_id, type=kind)


def _understood(read_as: Any, thing: dict[str, Any]) -> Any:
    try:
        return read_as(thing)
    except _NOT_UNDERSTOOD:
        return None
