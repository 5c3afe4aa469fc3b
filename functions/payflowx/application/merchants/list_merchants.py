"""The merchants of this deployment, a page at a time."""

from dataclasses import dataclass

from payflowx.domain.merchants.directory import Administration, MerchantPage


@dataclass(frozen=True, slots=True, kw_only=True)
class ListMerchants:
    """By id."""

    administration: Administration

    def __call__(self, *, after: str | None, limit: int) -> MerchantPage:
        """Those whose ids come after `after`."""
        return self.administration.merchants(after=after, limit=limit)
