"""A merchant as stored now."""

from dataclasses import dataclass

from payflowx.domain.merchants.directory import MerchantDirectory
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.shared.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowMerchant:
    """Raises `Refusal` (`not_found`)."""

    merchant_directory: MerchantDirectory

    def __call__(self, merchant_id: str) -> Merchant:
        """Return the merchant with its accounts and provider statuses."""
        merchant = self.merchant_directory.merchant(merchant_id)
        if merchant is None:
            raise Refusal("not_found", "There is no merchant with this id.")
        return merchant
