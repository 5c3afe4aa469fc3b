"""Verification of answers to a capture, void or refund. The most cautious reading applies."""

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import (
    Accepted,
    Mismatch,
    NotFound,
    NotSent,
    OperationOutcome,
    Refused,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.transitions import ATTEMPT_TRANSITIONS
from payflowx.domain.shared.statuses import AttemptState, OperationStatus


def verify_operation_outcome(
    outcome: OperationOutcome, operation: Operation, attempt: Attempt, *, first_send: bool
) -> OperationOutcome:
    """Return the outcome that may be recorded.

    `first_send`: this answers the very first request of the attempt.
    """
    match outcome:
        case Succeeded():
            return _verified(outcome, operation, attempt)
        case NotSent() if not first_send:
            return Unknown(code=outcome.code)
        case Rejected() if not first_send:
            return Unknown(code=outcome.code, message=outcome.message)
        case NotFound() if attempt.state is AttemptState.STARTED:
            return Unknown(code="not_found")
        case _:
            return outcome


def _verified(outcome: Succeeded, operation: Operation, attempt: Attempt) -> OperationOutcome:
    if outcome.merchant_reference != attempt.provider_key:
        return Mismatch(code="reference_differs", reference=outcome.reference)
    if outcome.amount != operation.amount:
        return Mismatch(code="amount_differs", reference=outcome.reference)
    if outcome.currency != operation.currency:
        return Mismatch(code="currency_differs", reference=outcome.reference)
    return outcome


def operation_attempt_state_of(outcome: OperationOutcome) -> AttemptState | None:
    """Return the attempt state of an outcome.

    Returns None for `NotFound`, which proves nothing.
    """
    match outcome:
        case Succeeded():
            return AttemptState.SUCCEEDED
        case Refused():
            return AttemptState.DECLINED
        case Accepted():
            return AttemptState.ACCEPTED
        case NotSent():
            return AttemptState.NOT_SENT
        case Rejected():
            return AttemptState.REJECTED
        case Mismatch():
            return AttemptState.MISMATCH
        case Unknown():
            return AttemptState.UNKNOWN
        case NotFound():
            return None


def changes_operation_state(outcome: OperationOutcome, operation: Operation, attempt: Attempt) -> bool:
    """Return whether the outcome changes the stored state.

    It does if the transition table allows the attempt's new state, or if a success was reversed.
    """
    return is_reversal(outcome, operation) or operation_attempt_state_of(outcome) in ATTEMPT_TRANSITIONS[attempt.state]


def is_reversal(outcome: OperationOutcome, operation: Operation) -> bool:
    """The payer's bank returned a refund that had succeeded."""
    return operation.status is OperationStatus.SUCCEEDED and isinstance(outcome, Refused)
