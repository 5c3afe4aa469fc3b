"""Look-up of a usable key for a command."""

from collections.abc import Sequence

from payflowx.domain.merchants.directory import ApiKeyRecord
from payflowx.domain.shared.errors import Refusal


def find_usable_key(keys: Sequence[ApiKeyRecord], key_id: str, now_ms: int) -> ApiKeyRecord:
    """Raises `Refusal` (`not_found`, `key_ended`)."""
    found = next((key for key in keys if key.key_id == key_id), None)
    if found is None:
        raise Refusal("not_found", "The merchant has no API key with this id.")
    if found.revoked_at_ms is not None:
        raise Refusal("key_ended", "The API key is revoked already.")
    if found.expires_at_ms is not None and found.expires_at_ms <= now_ms:
        raise Refusal("key_ended", "The API key has expired already.")
    return found
