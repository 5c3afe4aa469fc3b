"""Verifies webhook signatures: HMAC-SHA256 over time and raw bytes, in constant time, with a maximum age."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

from payflowx.domain.providers.events import InvalidSignatureError
from payflowx.domain.shared.limits import MINUTE_MS, SECOND_MS

TOLERANCE_MS: Final = 5 * MINUTE_MS
_MAX_HEADER_CHARS: Final = 2_048
_MAX_SIGNATURES: Final = 8
_MAX_SECRETS: Final = 4
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
_HEX_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The `v1` signature. The key is the endpoint's whole secret, with its prefix."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def verify(header: str, body: bytes, secrets: Sequence[str], received_at_ms: int) -> None:
    """Raise `InvalidSignatureError` unless one of the secrets signed these bytes within the last five minutes."""
    timestamp, signatures = _parse(header)
    genuine = False
    for secret in [secret for secret in secrets if secret][:_MAX_SECRETS]:
        expected = sign(secret, timestamp, body)
        for signature in signatures:
            genuine |= hmac.compare_digest(expected, signature)
    recent = abs(received_at_ms - int(timestamp) * SECOND_MS) <= TOLERANCE_MS
    if not (genuine and recent):
        raise InvalidSignatureError


def _parse(header: str) -> tuple[str, list[str]]:
    """The time and the `v1` signatures. `v0` signatures are for Stripe's own tests and are ignored."""
    pairs = [pair.strip().partition("=") for pair in header[: _MAX_HEADER_CHARS + 1].split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    signatures = [value for name, _, value in pairs if name == "v1" and _HEX_SHA256.fullmatch(value)]
    if len(header) > _MAX_HEADER_CHARS or len(times) != 1 or not _TIMESTAMP.fullmatch(times[0]):
        raise InvalidSignatureError
    if not 1 <= len(signatures) <= _MAX_SIGNATURES:
        raise InvalidSignatureError
    return times[0], signatures
