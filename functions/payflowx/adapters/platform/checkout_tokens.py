"""Tokens of checkout addresses: signed by HMAC-SHA-256, never stored by us but on the encrypted payment."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from payflowx.domain.checkout.tokens import Bearer, Purpose
from payflowx.domain.shared.limits import SECOND_MS

MAX_TOKEN_CHARS: Final = 160
_MAC_BYTES: Final = 16
_TIME_BYTES: Final = 5
_SCOPE: Final = b"payflowx checkout token 1:"
"""Another use of the same secret would sign something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckoutTokens:
    """Implements `CheckoutTokens`. `keys` returns the current secret, and during a rotation the one of before."""

    keys: Callable[[], Sequence[str]]

    def sign(self, bearer: Bearer, expires_at_ms: int) -> str:
        merchant, transaction = bearer.merchant_id.encode("ascii"), bearer.transaction_id.encode("ascii")
        expires_at = -(-expires_at_ms // SECOND_MS)
        content = b"".join(
            (
                bearer.purpose.value.encode("ascii"),
                expires_at.to_bytes(_TIME_BYTES, "big"),
                len(merchant).to_bytes(1, "big"),
                merchant,
                transaction,
            )
        )
        signed = _mac(self.keys()[0], content) + content
        return base64.urlsafe_b64encode(signed).decode("ascii").rstrip("=")

    def open(self, token: str, now_ms: int) -> Bearer | None:
        content = self._authentic(token)
        if content is None:
            return None
        expires_at = int.from_bytes(content[1 : 1 + _TIME_BYTES], "big")
        if now_ms >= expires_at * SECOND_MS:
            return None
        rest = content[1 + _TIME_BYTES :]
        length = rest[0]
        return Bearer(
            purpose=Purpose(content[:1].decode("ascii")),
            merchant_id=rest[1 : 1 + length].decode("ascii"),
            transaction_id=rest[1 + length :].decode("ascii"),
        )

    def _authentic(self, token: str) -> bytes | None:
        """Return the signed content. A token has exactly one spelling."""
        if not 0 < len(token) <= MAX_TOKEN_CHARS:
            return None
        try:
            signed = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return None
        if base64.urlsafe_b64encode(signed).decode("ascii").rstrip("=") != token:
            return None
        mac, content = signed[:_MAC_BYTES], signed[_MAC_BYTES:]
        # Each key is compared, whatever the first one says: the time tells nothing about which one fits.
        fits = [hmac.compare_digest(mac, _mac(key, content)) for key in self.keys()]
        return content if any(fits) else None


def _mac(key: str, content: bytes) -> bytes:
    return hmac.digest(key.encode(), _SCOPE + content, hashlib.sha256)[:_MAC_BYTES]
