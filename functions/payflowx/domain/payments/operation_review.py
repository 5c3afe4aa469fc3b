"""Closing the manual review of a capture, void or refund with evidence. Pure.

The counterpart of `review`.
"""

from dataclasses import replace
from typing import Final

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.balances import apply_success, give_back
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_state_machine import operation_change, operation_facts
from payflowx.domain.payments.payment import LastError, Payment
from payflowx.domain.payments.review import CLOSED_BY_OPERATOR, ReviewVerdict, evidence_obstacle
from payflowx.domain.payments.state_machine import Change, Context
from payflowx.domain.payments.transitions import check_review_transition
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, OperationStatus

_ALREADY_APPLIED: Final = frozenset({"late_success", "reversed"})
"""Reasons of reviews that began after the amounts were applied: nothing is reserved any more."""


def close_operation_review(
    payment: Payment, operation: Operation, verdict: ReviewVerdict, reference: str | None, context: Context
) -> Change:
    """Close the review. CHARGED means that the money moved.

    Raises `Refusal` (`invalid_state`, `busy`, `evidence_contradicts`).
    """
    if operation.status is not OperationStatus.IN_REVIEW:
        raise Refusal(
            "invalid_state", f"The operation is {operation.status}; only one that is IN_REVIEW can be closed."
        )
    if operation.lease.is_live(context.now_ms):
        raise Refusal("busy", "A worker is inquiring about this operation right now. Try again in a minute.")
    if verdict is ReviewVerdict.CHARGED:
        return _close_succeeded(payment, operation, reference, context)
    if reference is not None:
        raise Refusal(
            "evidence_contradicts",
            "A provider reference proves that money moved. Omit it to close the review as not charged.",
        )
    return _close_failed(payment, operation, context)


def _close_succeeded(payment: Payment, operation: Operation, reference: str | None, context: Context) -> Change:
    attempt = operation.last_attempt
    if attempt is None:
        raise Refusal("evidence_contradicts", "No request was sent to the provider, so no money can have moved.")
    obstacle = evidence_obstacle(attempt, reference)
    if obstacle is not None:
        raise Refusal("evidence_contradicts", obstacle)
    check_review_transition(attempt.state, AttemptState.SUCCEEDED)
    closed = replace(
        attempt,
        state=AttemptState.SUCCEEDED,
        settled_at_ms=attempt.settled_at_ms or context.now_ms,
        reference=reference or attempt.reference,
    )
    done = replace(
        operation,
        status=OperationStatus.SUCCEEDED,
        attempts=_with(operation, closed),
        last_error=None,
        due_at_ms=None,
    )
    paid = payment if _is_already_applied(operation) else apply_success(payment, operation)
    change = operation_change(payment, paid, operation, done, context, name="review_moved", facts=operation_facts(done))
    return replace(change, attempt_number=attempt.number, reference=reference)


def _close_failed(payment: Payment, operation: Operation, context: Context) -> Change:
    """End as FAILED and release the reserved amount."""
    ended = replace(
        operation,
        status=OperationStatus.FAILED,
        attempts=tuple(_without_effect(a, context) for a in operation.attempts),
        last_error=LastError(
            code="not_moved",
            message="An operator confirmed that no money moved, or that it was returned.",
            provider=operation.last_attempt.provider if operation.last_attempt else None,
            attempt=operation.last_attempt.number if operation.last_attempt else None,
        ),
        due_at_ms=None,
    )
    paid = (
        _take_back(payment, operation)
        if _is_already_applied(operation)
        else give_back(payment, operation, context.now_ms)
    )
    return operation_change(
        payment, paid, operation, ended, context, name="review_not_moved", facts=operation_facts(ended)
    )


def _is_already_applied(operation: Operation) -> bool:
    return operation.last_error is not None and operation.last_error.code in _ALREADY_APPLIED


def _take_back(payment: Payment, operation: Operation) -> Payment:
    """Make the amount of a returned refund refundable again."""
    if operation.kind is not OperationKind.REFUND:
        raise Refusal(
            "not_supported",
            "A capture or void that was applied cannot be reversed: it ended the payment. "
            "Close the review as charged, and correct the difference with the merchant.",
        )
    return replace(
        payment,
        refunded=payment.refunded - operation.amount,
        refundable=payment.refundable + operation.amount,
    )


def _without_effect(attempt: Attempt, context: Context) -> Attempt:
    if not attempt.is_open:
        return attempt
    check_review_transition(attempt.state, AttemptState.FENCED)
    return replace(
        attempt, state=AttemptState.FENCED, settled_at_ms=context.now_ms, code=CLOSED_BY_OPERATOR, message=None
    )


def _with(operation: Operation, closed: Attempt) -> tuple[Attempt, ...]:
    return tuple(closed if a.number == closed.number else a for a in operation.attempts)
