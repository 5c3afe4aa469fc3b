"""A review as operators see it: both ledgers, and what is true after each verdict."""

from typing import Any, Final

from payflowx.application.reviews.show_review import ShownReview
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Change
from payflowx.domain.payments.events import Event, Fact
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.review import attempt_in_question
from payflowx.domain.shared.errors import Refusal
from payflowx.entrypoints.api.payments.presenting import timestamp

_AMOUNTS: Final = ("capturable", "captured", "refundable", "refunded", "reserved", "excess")
_REPORTED: Final = (
    "reportedAmount",
    "reportedCurrency",
    "listedKind",
    "listedAmount",
    "listedCurrency",
    "listedProvider",
    "listedAccountId",
    "listedKey",
    "listedReference",
    "verdict",
    "run",
)
"""The facts of an event that say what the provider holds: of its answer, or of its report."""


def present_review(shown: ShownReview) -> dict[str, Any]:
    """Amounts are in the minor unit of `currency`."""
    of = shown.operation or shown.payment
    return {
        "merchantId": shown.payment.merchant_id,
        "transactionId": shown.payment.transaction_id,
        "operationId": shown.operation.operation_id if shown.operation else None,
        "currency": shown.payment.currency,
        "requested": of.amount,
        "reason": of.last_error.code if of.last_error else None,
        "ours": _state(shown.payment, shown.operation),
        "theirs": _theirs(shown),
        "verdicts": {verdict.value: _effect(effect) for verdict, effect in shown.verdicts.items()},
    }


def _state(payment: Payment, operation: Operation | None) -> dict[str, Any]:
    """Every amount of the payment, zeros too: a person compares them."""
    amounts = {name: getattr(payment, name) for name in _AMOUNTS}
    state: dict[str, Any] = {"paymentStatus": payment.status.value, **amounts}
    if operation is None:
        return state
    held = operation.held.value if operation.held else None
    return {"operationStatus": operation.status.value, "held": held, **state}


def _theirs(shown: ShownReview) -> dict[str, Any]:
    """The provider's side, as it was told when the review began; the provider's dashboard may know more."""
    attempt = _attempt(shown)
    reported = _reported(shown.opened_by)
    if attempt is None:
        return reported
    return {
        "provider": attempt.provider,
        "accountId": attempt.account_id,
        "providerKey": attempt.provider_key,
        "reference": attempt.reference,
        "state": attempt.state.value,
        "code": attempt.code,
        **reported,
    }


def _attempt(shown: ShownReview) -> Attempt | None:
    return shown.operation.last_attempt if shown.operation else attempt_in_question(shown.payment)


def _reported(event: Event | None) -> dict[str, Fact]:
    if event is None:
        return {}
    reported = {name: event.facts[name] for name in _REPORTED if name in event.facts}
    return {**reported, "since": timestamp(event.at_ms)}


def _effect(effect: Change | Refusal) -> dict[str, Any]:
    if isinstance(effect, Refusal):
        return {"refused": effect.code, "why": effect.detail}
    return _state(effect.after, effect.operation_after)
