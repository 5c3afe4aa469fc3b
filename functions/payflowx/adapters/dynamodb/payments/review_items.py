"""The keys of an item in the sparse index `reviews`: there while it is in review, and no longer.

A payment in no review that owes an extra charge to its payer is in a partition of its own there.

An item that release 0.2.0 put in review has neither key; the next write of this release that keeps it in review adds
them. An item that release 0.2.0 took out of review may still have both.
"""

from typing import Final

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.values import Item
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.review_since import is_in_review
from payflowx.domain.shared.statuses import PaymentStatus

INDEX: Final = "reviews"
PARTITION: Final = "reviewsOf"
SORT: Final = "reviewSort"
KEYS: Final = (PARTITION, SORT)
_IN_REVIEW: Final = PaymentStatus.IN_REVIEW.value
"""The same word for a payment and an operation."""


def review_keys(item: Payment | Operation) -> Item:
    """Both keys, None where the item waits for nobody."""
    if not is_in_review(item):
        return _owed_keys(item)
    item_id = item.operation_id if isinstance(item, Operation) else item.transaction_id
    since_ms = item.updated_at_ms if item.review_since_ms is None else item.review_since_ms
    return {PARTITION: keys.reviews_of(item.merchant_id), SORT: keys.review_sort(since_ms, item_id)}


def _owed_keys(item: Payment | Operation) -> Item:
    owed = item.owed_charges if isinstance(item, Payment) else ()
    if not owed or not isinstance(item, Payment):
        return {PARTITION: None, SORT: None}
    sort = keys.review_sort(owed[0].found_at_ms, item.transaction_id)
    return {PARTITION: keys.owed_charges_of(item.merchant_id), SORT: sort}


def review_since_from(item: Item) -> int | None:
    """The time at which an item's open review began."""
    return since_of(item[SORT]) if is_stored_in_review(item) and SORT in item else None


def since_of(sort: str) -> int:
    """The time in a sort key."""
    return int(sort.split("#", maxsplit=1)[0])


def is_stored_in_review(item: Item) -> bool:
    """Return whether the stored status, not the index, says so."""
    return bool(item["status"] == _IN_REVIEW)
