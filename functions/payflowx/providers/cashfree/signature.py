"""Cashfree's webhook signature: base64 of HMAC-SHA256 over the text of the timestamp and the raw body.

No separator stands between the two, and every byte of the body counts: 10.10 parsed and written again is 10.1.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from payflowx.domain.shared.limits import HOUR_MS, MINUTE_MS, SECOND_MS

MAX_AGE_MS: Final = 2 * HOUR_MS
"""Cashfree repeats deliveries for half an hour and does not document whether the timestamp is renewed."""
MAX_AHEAD_MS: Final = 5 * MINUTE_MS
_MAX_SECONDS: Final = 100_000_000_000
"""Smaller timestamps are seconds, larger ones milliseconds: this value is the year 5138 or 1973."""
_MAX_DIGITS: Final = 16
_MAX_SIGNATURE_CHARS: Final = 200


def signature_of(timestamp: str, body: bytes, secret: str) -> str:
    """The value of the header `x-webhook-signature`."""
    digest = hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def is_signed(timestamp: str, body: bytes, given: str, secrets: Sequence[str]) -> bool:
    """Whether any of the secrets signed it. All are compared, so that the time taken reveals nothing."""
    if not given or len(given) > _MAX_SIGNATURE_CHARS or not given.isascii():
        return False
    found = False
    for secret in filter(None, secrets):
        found |= hmac.compare_digest(signature_of(timestamp, body, secret).encode(), given.encode())
    return found


def is_timely(timestamp: str, received_at_ms: int) -> bool:
    """Whether the signature is recent; an old one could be a replay."""
    if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > _MAX_DIGITS:
        return False
    at = int(timestamp)
    age_ms = received_at_ms - (at * SECOND_MS if at < _MAX_SECONDS else at)
    return -MAX_AHEAD_MS <= age_ms <= MAX_AGE_MS
