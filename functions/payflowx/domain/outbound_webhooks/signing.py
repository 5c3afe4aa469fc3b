"""Standard Webhooks: who may have sent a message, and when. https://www.standardwebhooks.com"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - how all secrets begin
SECRET_CHARS: Final = 44
"""Base62 is part of base64's alphabet: these are the base64 of 33 bytes, of 262 random bits."""


def signed_headers(event_id: str, at_seconds: int, body: bytes, secrets: Sequence[str]) -> Mapping[str, str]:
    """One signature a secret, so that a receiver may change over whenever it likes."""
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at_seconds),
        "webhook-signature": " ".join(_signature(event_id, at_seconds, body, secret) for secret in secrets),
    }


def _signature(event_id: str, at_seconds: int, body: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    content = f"{event_id}.{at_seconds}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()}"
