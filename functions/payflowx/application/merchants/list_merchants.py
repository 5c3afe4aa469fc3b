"""The merchants of this deployment, a page at a time."""

from dataclasses import dataclass

from payflowx.domain.merchants.directory import MerchantDirectory, MerchantPage


@dataclass(frozen=True, slots=True, kw_only=True)
class ListMerchants:
    """Lists merchants by id."""

    merchant_directory: MerchantDirectory

    def __call__(self, *, after: str | None, limit: int) -> MerchantPage:
        return self.merchant_directory.merchants(after=after, limit=limit)
