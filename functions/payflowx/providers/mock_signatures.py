"""Webhooks of the mock providers: their signature, and the outcomes that they prove.

HMAC-SHA256 over the raw bytes, in hexadecimal, compared in constant time. The signature covers no time: a repeated
webhook reports a state that is still true.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from payflowx.domain.providers.events import InvalidSignatureError, Webhook
from payflowx.domain.shared.text import provider_reference
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.json_fields import json_object

HEADER: Final = "x-mock-signature"
MAX_WEBHOOK_BYTES: Final = 256 * 1024

_NOT_UNDERSTOOD: Final = (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError)

Proof = TypeVar("Proof")


def authentic_event(webhook: Webhook, secrets: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """The event's id and its body, empty when the body is no object. Raises `InvalidSignatureError`."""
    signature = webhook.headers.get(HEADER, "")
    if len(webhook.body) > MAX_WEBHOOK_BYTES or not _is_signed(webhook.body, signature, secrets):
        raise InvalidSignatureError
    try:
        event = json_object(HttpResponse(status=200, headers={}, body=webhook.body))
    except (ValueError, RecursionError):
        event = {}
    return provider_reference(event.get("id")) or hashlib.sha256(webhook.body).hexdigest(), event


def proof(kind: type[Proof], read: Callable[[], object]) -> Proof | None:
    """The outcome that `read` returns, if it has the final type `kind`; otherwise None: the event is only a hint."""
    try:
        outcome = read()
    except _NOT_UNDERSTOOD:
        return None
    return outcome if isinstance(outcome, kind) else None


def _is_signed(body: bytes, signature: str, secrets: Sequence[str]) -> bool:
    """Compare with all secrets, so that the time taken does not reveal which one matched."""
    given = signature.encode(errors="replace")
    digests = [hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() for secret in secrets if secret]
    matches = [hmac.compare_digest(digest.encode(), given) for digest in digests]
    return any(matches)
