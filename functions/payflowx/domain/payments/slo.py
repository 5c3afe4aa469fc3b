"""The service level objective: share of payments that end with a payer's or merchant's answer.

Failures of PayFlowX or of a provider miss it.
"""

from typing import Final

from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.statuses import FINAL_STATUSES, PaymentStatus

_ANSWERS: Final = frozenset(
    {
        "soft_decline",
        "hard_decline",
        "insufficient_funds",
        "action_expired",
        "checkout_expired",
        "checkout_attempts_used",
    }
)
"""`lastError` codes that are an answer of the issuer or the payer: no system failed."""


def missed_objective(before: Payment, after: Payment) -> bool | None:
    """Return whether this change misses the objective; None if it decides nothing.

    Each payment counts once: a payment that leaves review, or changes after it was final, has been counted.
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
