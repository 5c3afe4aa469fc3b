"""The objective: a payment ends with the payer's or the merchant's own answer, not with our failure or a gateway's."""

from typing import Final

from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.statuses import FINAL_STATUSES, PaymentStatus

_ANSWERS: Final = frozenset({"soft_decline", "hard_decline", "insufficient_funds", "action_expired"})
"""`lastError` codes that are an answer of the issuer or the payer: nobody failed."""


def missed_objective(before: Payment, after: Payment) -> bool | None:
    """Whether this change is the one that decides, and then whether it is a miss; None: it decides nothing.

    Each payment counts once: what leaves review, or changes after it was final, has been counted.
    """
    if before.status in FINAL_STATUSES or before.status is PaymentStatus.IN_REVIEW:
        return None
    match after.status:
        case PaymentStatus.SUCCESS | PaymentStatus.CANCELLED:
            return False
        case PaymentStatus.FAILED:
            return after.last_error is None or after.last_error.code not in _ANSWERS
        case PaymentStatus.IN_REVIEW:
            return True
        case _:
            return None
