"""A merchant's API keys: names, creation, expiry and revocation; never secrets."""

from collections.abc import Sequence
from dataclasses import dataclass

from payflowx.domain.merchants.directory import ApiKeyRecord, MerchantDirectory
from payflowx.domain.shared.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKeys:
    """Raises `Refusal` (`not_found`)."""

    merchant_directory: MerchantDirectory

    def __call__(self, merchant_id: str) -> Sequence[ApiKeyRecord]:
        """Return the keys, oldest first."""
        if self.merchant_directory.merchant(merchant_id) is None:
            raise Refusal("not_found", "There is no merchant with this id.")
        return sorted(self.merchant_directory.keys(merchant_id), key=lambda key: (key.created_at_ms, key.key_id))
