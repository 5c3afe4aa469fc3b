"""The list of what is in manual review."""

from collections.abc import Sequence
from dataclasses import dataclass

from payflowx.domain.merchants.directory import MerchantDirectory
from payflowx.domain.payments.review_ports import Review, ReviewIndex
from payflowx.domain.shared.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewList:
    """A page, the longest open review first; `next_position` None ends the list.

    `complete` False: reviews that release 0.2.0 opened may be missing until `ReindexReviews` has walked the merchant.
    """

    items: Sequence[Review]
    next_position: str | None
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListReviews:
    """Lists every payment and operation in review through the index, whatever its amounts or its age.

    Raises `Refusal` (`not_found`).
    """

    index: ReviewIndex
    merchant_directory: MerchantDirectory

    def __call__(self, merchant_id: str, *, limit: int, position: str | None) -> ReviewList:
        complete = self.merchant_directory.reviews_indexed(merchant_id)
        if complete is None:
            raise Refusal("not_found", "There is no merchant with this id.")
        page = self.index.page(merchant_id, limit=limit, position=position)
        return ReviewList(items=page.items, next_position=page.next_position, complete=complete)
