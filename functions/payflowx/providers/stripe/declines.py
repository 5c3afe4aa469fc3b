"""The kinds of Stripe's declines, by the issuer's decline code or, without one, by the error's code. Pure.

The meanings are those of https://docs.stripe.com/declines/codes; the advice is explained at
https://docs.stripe.com/declines/card#advice-codes.
"""

from collections.abc import Sequence
from typing import Any, Final

from payflowx.domain.payments.outcome import Declined
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.providers.stripe.messages import decline_code, safe_message

_SOFT: Final = frozenset(
    {
        *("processing_error", "issuer_not_available", "try_again_later", "reenter_transaction", "approve_with_id"),
        *("do_not_honor", "generic_decline", "call_issuer", "no_action_taken", "service_not_allowed"),
        *("transaction_not_allowed", "not_permitted", "currency_not_supported", "card_not_supported"),
        *("authentication_required", "authentication_not_handled", "card_declined", "payment_intent_action_required"),
        *("payment_intent_payment_attempt_failed", "payment_intent_payment_attempt_expired"),
        *("payment_method_provider_decline", "payment_method_provider_timeout", "payment_method_not_available"),
    }
)
"""The issuer gives no reason, has a fault of its own, or does not allow this transaction here."""
_FUNDS: Final = frozenset(
    {
        *("insufficient_funds", "card_velocity_exceeded", "withdrawal_count_limit_exceeded"),
        "card_decline_rate_limit_exceeded",
    }
)
_HARD_ADVICE: Final = frozenset({"do_not_try_again", "confirm_card_data"})


def declined(intent_id: str | None, error: dict[str, Any], private: Sequence[str]) -> Declined:
    """Return the decline of an intent. It could be confirmed again with another card, so it counts once cancelled."""
    code = decline_code(error)
    kind = DeclineKind.HARD
    if error.get("advice_code") not in _HARD_ADVICE:
        kind = DeclineKind.SOFT if code in _SOFT else DeclineKind.FUNDS if code in _FUNDS else DeclineKind.HARD
    return Declined(
        kind=kind,
        code=code,
        message=safe_message(error.get("message"), private),
        reference=intent_id,
        cancel_required=True,
    )


def unpaid(intent_id: str, code: str, message: str = "") -> Declined:
    """Return the outcome of an intent that was left unpaid by a refused request: another provider may take it."""
    return Declined(kind=DeclineKind.SOFT, code=code, message=message, reference=intent_id, cancel_required=True)
