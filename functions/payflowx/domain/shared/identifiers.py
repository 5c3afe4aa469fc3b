"""Derived identifiers: the same request gets the same id even if every table were lost."""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Final

from payflowx.domain.shared.operation_request import OperationKind

ID_CHARS: Final = 16
PAYMENT_PREFIX: Final = "pay_"
TRANSACTION_ID_PATTERN: Final = re.compile(rf"{PAYMENT_PREFIX}[a-z2-7]{{{ID_CHARS}}}")
OPERATION_PREFIXES: Final[Mapping[OperationKind, str]] = {
    OperationKind.CAPTURE: "cap_",
    OperationKind.VOID: "void_",
    OperationKind.REFUND: "ref_",
}
OPERATION_ID_PATTERN: Final = re.compile(rf"(?:cap|void|ref)_[a-z2-7]{{{ID_CHARS}}}")
_PROVIDER_KEY: Final = re.compile(rf"pfx-(?P<id>[a-z2-7]{{{ID_CHARS}}})-(?P<number>[1-9][0-9]?)")
MERCHANT_ID_PATTERN: Final = re.compile(r"[a-z0-9][a-z0-9_-]{1,39}")
PROVIDER_NAME_PATTERN: Final = re.compile(r"[a-z][a-z0-9_]{1,39}")


def derive_id(prefix: str, *parts: str) -> str:
    """Return `prefix` and 16 base32 characters (80 bits) of SHA-256 over the parts.

    Each part is length-prefixed, which keeps ("ab", "c") and ("a", "bc") apart.
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(4, "big") + data)
    return prefix + base64.b32encode(digest.digest())[:ID_CHARS].decode().lower()


def derive_transaction_id(merchant_id: str, idempotency_key: str) -> str:
    """Return the payment's id for this merchant and idempotency key."""
    return derive_id(PAYMENT_PREFIX, merchant_id, "POST /payments", idempotency_key)


def derive_operation_id(kind: OperationKind, merchant_id: str, path: str, idempotency_key: str) -> str:
    """Return the operation's id for this merchant, path and idempotency key."""
    return derive_id(OPERATION_PREFIXES[kind], merchant_id, f"POST {path}", idempotency_key)


def parse_provider_key(provider_key: str) -> tuple[str, int] | None:
    """Return the id's characters and the attempt number of our provider key.

    Returns None for any other key.
    """
    found = _PROVIDER_KEY.fullmatch(provider_key)
    return (found["id"], int(found["number"])) if found else None


def derive_provider_key(entity_id: str, attempt_number: int) -> str:
    """Derive the key of an attempt at its provider: stable over re-sends, redeliveries and replays.

    22 characters of [a-z0-9-]: within the strictest limits in use (PayU's txnid of 25).
    """
    return f"pfx-{entity_id[-ID_CHARS:]}-{attempt_number}"


def shard_of(entity_id: str, shards: int) -> int:
    """Assign an item to one of `shards` index partitions, evenly and permanently."""
    return hashlib.sha256(entity_id.encode()).digest()[0] % shards
