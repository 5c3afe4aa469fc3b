"""Verifies signatures: HMAC-SHA256 in hexadecimal, compared in constant time."""

import hashlib
import hmac
from collections.abc import Sequence


def sign(message: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def is_signed(message: bytes, signature: str, secrets: Sequence[str]) -> bool:
    """Whether any of the secrets signed the message. All are compared, so that the time taken reveals nothing."""
    given = signature.encode(errors="replace")
    matches = [hmac.compare_digest(sign(message, secret).encode(), given) for secret in secrets if secret]
    return any(matches)


def is_payment_signed(order_id: str, payment_id: str, signature: str, key_secret: str) -> bool:
    """Verify the signature that Checkout returns through the browser. `order_id` must be the stored one."""
    return is_signed(f"{order_id}|{payment_id}".encode(), signature, (key_secret,))
