"""The pseudonym of an order: everything but the payment's own item names it so."""

import base64
import hashlib
import unicodedata
from typing import Final

_BYTES: Final = 16


def order_hash(merchant_id: str, order_id: str) -> str:
    """Return 26 lower-case base32 characters: 128 bits of SHA-256 over merchant and order id, each length-prefixed.

    The order id counts in NFC, so that what looks the same is one order. It is a pseudonym and not anonymous: with the
    merchant's list of orders, anybody can compute it.
    """
    digest = hashlib.sha256()
    for part in (merchant_id, unicodedata.normalize("NFC", order_id)):
        data = part.encode()
        digest.update(len(data).to_bytes(4, "big") + data)
    return base64.b32encode(digest.digest()[:_BYTES]).decode().lower().rstrip("=")
