"""Creation of API keys: composition, hash and key id."""

from dataclasses import dataclass, field
from typing import Final

from payflowx.domain.merchants.api_keys import SECRET_CHARS, compose_api_key, hash_api_key
from payflowx.domain.merchants.directory import ApiKeyRecord
from payflowx.domain.shared.ambient import Randomness

_ID_CHARS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key, known only to its owner, and its stored record."""

    api_key: str = field(repr=False)
    stored: ApiKeyRecord


def issue_key(
    mode: str, merchant_id: str, randomness: Randomness, *, now_ms: int, expires_at_ms: int | None = None
) -> IssuedKey:
    """Issue a key. Its id is the beginning of its hash, which reveals nothing about the key."""
    key = compose_api_key(mode, randomness.secret_text(SECRET_CHARS))
    key_hash = hash_api_key(key)
    stored = ApiKeyRecord(
        key_id=f"key_{key_hash[:_ID_CHARS]}",
        merchant_id=merchant_id,
        key_hash=key_hash,
        created_at_ms=now_ms,
        expires_at_ms=expires_at_ms,
    )
    return IssuedKey(api_key=key, stored=stored)
