"""API keys: recognizable by secret scanners, checkable offline, stored as a hash only."""

import hashlib
import re
import zlib
from dataclasses import dataclass
from typing import Final, Protocol

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SECRET_CHARS: Final = 32
_CHECK_CHARS: Final = 6
PATTERN: Final = re.compile(rf"pfx_(?:test|live)_sk_[0-9A-Za-z]{{{SECRET_CHARS + _CHECK_CHARS}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is stored of a key: never the key itself."""

    merchant_id: str
    revoked: bool
    expires_at_ms: int | None


class ApiKeys(Protocol):
    """Look-up by the key's SHA-256."""

    def find(self, key_hash: str) -> ApiKey | None: ...


def compose_api_key(mode: str, secret: str) -> str:
    """Return `pfx_{test|live}_sk_`, 32 random base62 characters (190 bits) and a CRC-32 in six."""
    head = f"pfx_{mode}_sk_{secret}"
    return head + _checksum(head)


def is_well_formed(key: str) -> bool:
    """Return whether this can be a key; rejects most typos and guesses before any look-up."""
    return PATTERN.fullmatch(key) is not None and key[-_CHECK_CHARS:] == _checksum(key[:-_CHECK_CHARS])


def hash_api_key(key: str) -> str:
    """Return the plain SHA-256: the key has 190 random bits, so no slow hash is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


def _checksum(text: str) -> str:
    value = zlib.crc32(text.encode())
    digits = []
    for _ in range(_CHECK_CHARS):
        value, digit = divmod(value, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
