"""Verification of answers against the request and its time, for charges and operations alike.

The most cautious reading applies.
"""

from typing import Final

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.events import Fact
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Authorized,
    ConfirmedCancelled,
    Declined,
    Mismatch,
    NotFound,
    NotSent,
    Outcome,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.transitions import ATTEMPT_TRANSITIONS
from payflowx.domain.shared.statuses import AttemptState, CaptureMode, OperationStatus
from payflowx.domain.shared.text import provider_code

_KNOWN: Final = frozenset({AttemptState.ACCEPTED, AttemptState.REQUIRES_ACTION})


def verify_outcome(outcome: Outcome, owner: Payment | Operation, attempt: Attempt, *, first_send: bool) -> Outcome:
    """Return the outcome that may be recorded.

    `first_send`: this answers the very first request of the attempt that could move money. A refusal of a later send
    says nothing about the earlier one, which may have taken effect: it leaves the attempt unknown.
    """
    if attempt.capture_sent_at_ms is not None:
        return _after_capture(outcome, owner, attempt)
    match outcome:
        case Succeeded() | Authorized():
            return verify_charge(outcome, owner, attempt)
        case NotSent() if not first_send:
            return Unknown(code=outcome.code)
        case Rejected() if not first_send:
            return Unknown(code=outcome.code, message=outcome.message)
        case Declined(cancel_required=True) if not attempt.may_prove_late:
            return Unknown(code="decline_not_fenced", message=outcome.message)
        case NotFound() if attempt.state is AttemptState.STARTED:
            return Unknown(code="not_found")
        case _:
            return outcome


def _after_capture(outcome: Outcome, owner: Payment | Operation, attempt: Attempt) -> Outcome:
    """Return what an answer means once our own capture may have left: it may still take effect, whatever else is said.

    Only a capture, money that was given back uncaptured, and a contradiction decide.
    """
    match outcome:
        case Succeeded():
            return verify_charge(outcome, owner, attempt)
        case ConfirmedCancelled() | Mismatch() | NotFound():
            return outcome
        case Unknown() | Rejected() | Declined():
            return Unknown(code=outcome.code, message=outcome.message)
        case NotSent():
            return Unknown(code=outcome.code)
        case Authorized() | Accepted() | ActionRequired():
            return Unknown(code="capture_sent")


def verify_charge(
    outcome: Succeeded | Authorized, owner: Payment | Operation, attempt: Attempt
) -> Succeeded | Authorized | Mismatch:
    """Return the outcome if it is about our attempt and its amount and currency, else a mismatch."""
    if outcome.merchant_reference != attempt.provider_key:
        return _mismatch("reference_differs", outcome)
    if outcome.currency != owner.currency:
        return _mismatch("currency_differs", outcome)
    if outcome.amount != owner.amount and not _is_partly_captured(outcome, owner, attempt):
        return _mismatch("amount_differs", outcome)
    return outcome


def _mismatch(code: str, outcome: Succeeded | Authorized) -> Mismatch:
    return Mismatch(code=code, reference=outcome.reference, amount=outcome.amount, currency=outcome.currency)


def _is_partly_captured(outcome: Succeeded | Authorized, owner: Payment | Operation, attempt: Attempt) -> bool:
    """Return whether a part of an authorization was captured elsewhere, such as in the provider's dashboard.

    The provider releases the rest.
    """
    held = isinstance(owner, Payment) and owner.capture is CaptureMode.MANUAL
    known = held and attempt.state is AttemptState.AUTHORIZED
    return known and isinstance(outcome, Succeeded) and 1 <= outcome.amount < owner.amount


def reported_facts(outcome: Outcome) -> dict[str, Fact]:
    """Return the amount and currency that the provider reports and that differ from the request."""
    if not isinstance(outcome, Mismatch):
        return {}
    currency = provider_code(outcome.currency) if outcome.currency else None
    reported = {"reportedAmount": outcome.amount, "reportedCurrency": currency}
    return {name: value for name, value in reported.items() if value is not None}


def state_of(outcome: Outcome) -> AttemptState | None:
    """Return the attempt state of an outcome.

    Returns None for `NotFound`, which proves nothing.
    """
    match outcome:
        case Succeeded():
            return AttemptState.SUCCEEDED
        case Authorized():
            return AttemptState.AUTHORIZED
        case NotSent():
            return AttemptState.NOT_SENT
        case Rejected():
            return AttemptState.REJECTED
        case Declined():
            return AttemptState.DECLINED
        case ActionRequired():
            return AttemptState.REQUIRES_ACTION
        case Accepted():
            return AttemptState.ACCEPTED
        case Mismatch():
            return AttemptState.MISMATCH
        case ConfirmedCancelled():
            return AttemptState.FENCED
        case Unknown():
            return AttemptState.UNKNOWN
        case NotFound():
            return None


def changes_state(outcome: Outcome, owner: Payment | Operation, attempt: Attempt) -> bool:
    """Return whether the outcome changes the stored state.

    It does if the transition table allows the attempt's new state, or if a success was reversed. `Unknown` replaces a
    known state only once our own capture may have left, and a closed attempt accepts only a verified success.
    """
    if isinstance(outcome, Unknown) and attempt.state in _KNOWN and attempt.capture_sent_at_ms is None:
        return False
    return is_reversal(outcome, owner, attempt) or state_of(outcome) in ATTEMPT_TRANSITIONS[attempt.state]


def is_late_authorization(outcome: Outcome, owner: Payment | Operation, attempt: Attempt) -> bool:
    """The provider holds the money for an attempt that was closed without a charge, which was not known yet."""
    is_news = isinstance(outcome, Authorized) and attempt.authorized_late_at_ms is None
    return is_news and isinstance(owner, Payment) and attempt.may_prove_late


def is_reversal(outcome: Outcome, owner: Payment | Operation, attempt: Attempt) -> bool:
    """The payer's bank returned a refund that had succeeded. An earlier attempt that was refused is no reversal."""
    succeeded = isinstance(owner, Operation) and owner.status is OperationStatus.SUCCEEDED
    return succeeded and attempt.state is AttemptState.SUCCEEDED and isinstance(outcome, Declined)
