"""An open review: the time since which an item waits for a person, and what it asks. Pure."""

from typing import Final

from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.identifiers import derive_id
from payflowx.domain.shared.statuses import OperationStatus, PaymentStatus

_PREFIX: Final = "rev_"


def is_in_review(item: Payment | Operation) -> bool:
    """Return whether only a person can decide."""
    return item.status in (PaymentStatus.IN_REVIEW, OperationStatus.IN_REVIEW)


def review_since_ms(before: Payment | Operation | None, after: Payment | Operation, now_ms: int) -> int | None:
    """Return the time at which the review that `after` is in began; None if it is in none.

    Release 0.2.0 did not store it: the item's last change before this one stands in for it.
    """
    if not is_in_review(after):
        return None
    if before is None or not is_in_review(before):
        return now_ms
    return before.review_since_ms or before.updated_at_ms


def seen_review(item: Payment | Operation) -> str:
    """Return a text for the review that a person sees: the same as long as it asks the same.

    What they decide is about this one, and about no later one of the same item.
    """
    why = item.last_error.code if item.last_error else ""
    attempts = [f"{a.number} {a.state} {a.code or ''} {a.reference or ''}" for a in item.attempts]
    return derive_id(_PREFIX, str(item.review_since_ms), why, _amounts(item), *attempts)


def check_seen(found: str, seen: str | None) -> None:
    """Raise `Refusal` (`invalid_state`) where the review is not the one that was seen. None: it is seen right now."""
    if seen not in {None, found}:
        raise Refusal(
            "invalid_state", "The review has changed since its closing was proposed. Read it, and propose it again."
        )


def _amounts(item: Payment | Operation) -> str:
    if isinstance(item, Operation):
        return f"{item.held} {item.booked}"
    return f"{item.captured} {item.refunded} {item.reserved} {item.excess}"
