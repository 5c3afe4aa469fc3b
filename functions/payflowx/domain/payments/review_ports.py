"""Storage port of the list of reviews."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One open review. `operation_id` None: it is about the charge itself.

    `item`: the payment or operation as stored now; None when this version cannot read it.
    """

    merchant_id: str
    transaction_id: str
    operation_id: str | None
    since_ms: int
    item: Payment | Operation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPage:
    """A page, the longest open review first. `next_position` continues the list; None ends it.

    A page may be shorter than its limit, or empty, and still have a next one.
    """

    items: Sequence[Review]
    next_position: str | None


class ReviewIndex(Protocol):
    """The index of what is in review. It follows the stored items with a delay of about a second."""

    def page(self, merchant_id: str, *, limit: int, position: str | None) -> ReviewPage: ...

    def add(self, item: Payment | Operation) -> bool:
        """Add an item in review that has no entry; False if it has one, or is in review no more."""
        ...
