"""The last error of a payment or operation: a code, and a sentence that merchants and operators read."""

from collections.abc import Mapping
from typing import Final

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import LastError, Payment
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.shared.limits import MAX_DRIVES

_TEXTS: Final[Mapping[str, str]] = {
    "not_sent": "The provider could not be reached; nothing was sent.",
    "rejected": "The provider rejected the request before processing it.",
    "outcome_unknown": "No answer of the provider was received; the outcome is being resolved.",
}

_OF_PAYMENTS: Final[Mapping[str, str]] = {
    **_TEXTS,
    "soft_decline": "The provider declined; the payment may succeed at another provider or later.",
    "hard_decline": "The issuer declined finally; do not retry this payment method.",
    "insufficient_funds": "The payer has insufficient funds or has reached a limit.",
    "try_failed": "A try on the provider's page failed; the payer may try again there.",
    "fenced": "The outcome stayed unknown, so the attempt was cancelled at the provider; nothing was charged.",
    "authorization_expired": "The authorization expired before it was captured; nothing was charged.",
    "authorization_released": "The authorization was released at the provider before a capture; nothing was charged.",
    ReviewReason.MISMATCH: "The provider reports a charge that differs from the request. Requires manual review.",
    ReviewReason.LATE_SUCCESS: "The provider reports an unexpected second charge. Requires manual review.",
    ReviewReason.BALANCE: "The payment's amounts contradict each other. Requires manual review.",
    ReviewReason.ORDER_CONTENDED: "Charged while another payment holds the order; that payment is stopped and decided.",
    ReviewReason.ORDER_CHARGED_TWICE: "The payment that holds the order was charged as well. Requires manual review.",
}

_OF_OPERATIONS: Final[Mapping[str, str]] = {
    **_TEXTS,
    "refused": "The provider refused the operation finally; no money moved.",
    "retries_exhausted": "All allowed attempts were made; no request was sent or accepted.",
    "send_deadline_passed": "The time limit for sending this operation has passed; no money moved.",
    "payment_stopped": "Another payment of the order was charged, so the amount is released; no money moved.",
    "account_removed": "The provider account that holds the charge was removed.",
    ReviewReason.MISMATCH: "The provider reports another amount or reference. Requires manual review.",
    ReviewReason.LATE_SUCCESS: "The provider executed it after reporting a failure. Requires manual review.",
    ReviewReason.REVERSED: "The provider reversed a reported success. Requires manual review.",
    ReviewReason.RECONCILIATION: "The provider's report and this operation disagree. Requires manual review.",
}

_GIVEN_UP: Final[Mapping[ReviewReason, str]] = {
    ReviewReason.OUTCOME_UNKNOWN: "No automatic step could determine the provider's outcome. Requires manual review.",
    ReviewReason.DRIVES_EXHAUSTED: f"No progress after {MAX_DRIVES} recovery attempts. Requires manual review.",
}
"""Reviews that begin because no automatic step is left."""


def last_error(owner: Payment | Operation, code: str, attempt: Attempt | None) -> LastError:
    """Return the error with its sentence. `attempt`: the attempt that it is about, if there is one."""
    texts = _OF_PAYMENTS if isinstance(owner, Payment) else _OF_OPERATIONS
    return _error(code, texts[code], attempt)


def review_error(owner: Payment | Operation, reason: ReviewReason, attempt: Attempt | None) -> LastError:
    """Return the error of an item that goes to manual review."""
    text = _GIVEN_UP.get(reason)
    return _error(reason.value, text, attempt) if text else last_error(owner, reason.value, attempt)


def _error(code: str, message: str, attempt: Attempt | None) -> LastError:
    return LastError(
        code=code,
        message=message,
        provider=attempt.provider if attempt else None,
        provider_code=attempt.code if attempt else None,
        attempt=attempt.number if attempt else None,
    )
