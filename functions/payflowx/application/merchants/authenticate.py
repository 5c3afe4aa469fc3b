"""Authentication of merchants by API key."""

from dataclasses import dataclass

from payflowx.domain.merchants.api_keys import ApiKeys, hash_api_key, is_well_formed
from payflowx.domain.shared.ambient import Clock

_SCHEME = "bearer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate:
    """Returns None for malformed, unknown, revoked and expired keys alike."""

    keys: ApiKeys
    clock: Clock

    def __call__(self, authorization: str) -> str | None:
        """Return the merchant's id for the value of an Authorization header (RFC 6750)."""
        scheme, _, key = authorization.partition(" ")
        key = key.strip()
        if scheme.lower() != _SCHEME or not is_well_formed(key):
            return None
        found = self.keys.find(hash_api_key(key))
        if found is None or found.revoked:
            return None
        if found.expires_at_ms is not None and found.expires_at_ms <= self.clock.now_ms():
            return None
        return found.merchant_id
