"""Signatures of outbound webhooks (Standard Webhooks, https://www.standardwebhooks.com).

They authenticate the sender and the time of a message.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - how all secrets begin
SECRET_CHARS: Final = 44
"""Base62 is part of base64's alphabet: 44 characters decode to 33 bytes with 262 random bits."""


def signed_headers(event_id: str, at_seconds: int, body: bytes, secrets: Sequence[str]) -> Mapping[str, str]:
    """Return one signature for each secret, so that a receiver may change over at any time."""
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at_seconds),
        "webhook-signature": " ".join(_signature(event_id, at_seconds, body, secret) for secret in secrets),
    }


def _signature(event_id: str, at_seconds: int, body: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    content = f"{event_id}.{at_seconds}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()}"
