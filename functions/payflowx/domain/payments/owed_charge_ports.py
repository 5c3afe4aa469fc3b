"""Storage port of the list of extra charges that are owed to payers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from payflowx.domain.payments.payment import Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedPage:
    """A page of payments, the longest owed charge first. `next_position` continues the list; None ends it.

    `unreadable`: the ids of payments that this version cannot read.
    """

    items: Sequence[Payment]
    unreadable: Sequence[str]
    next_position: str | None


class OwedCharges(Protocol):
    """The payments that owe an extra charge to their payer, without those in review: they are in the list of reviews.

    The list follows the stored payments with a delay of about a second.
    """

    def page(self, merchant_id: str, *, limit: int, position: str | None) -> OwedPage: ...
