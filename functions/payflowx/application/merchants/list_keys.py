"""A merchant's API keys: their names and fates, never the keys."""

from collections.abc import Sequence
from dataclasses import dataclass

from payflowx.domain.merchants.directory import Administration, StoredKey
from payflowx.domain.shared.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKeys:
    """Raises `Refusal` (`not_found`)."""

    administration: Administration

    def __call__(self, merchant_id: str) -> Sequence[StoredKey]:
        """Oldest first."""
        if self.administration.merchant(merchant_id) is None:
            raise Refusal("not_found", "There is no merchant with this id.")
        return sorted(self.administration.keys(merchant_id), key=lambda key: (key.created_at_ms, key.key_id))
