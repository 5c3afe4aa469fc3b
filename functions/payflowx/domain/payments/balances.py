"""The effect of a capture, void or refund on its payment's amounts. Pure.

An amount is reserved, then applied or given back.
"""

from dataclasses import replace

from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.transitions import check_attempt_transition
from payflowx.domain.shared.limits import DUE_AFTER_ACCEPT_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, PaymentStatus


def reserve(payment: Payment, operation: Operation) -> Payment:
    """Reserve the amount, so that no other operation can use it.

    A capture or void also suspends inquiries about the charge itself.
    """
    if operation.kind is OperationKind.REFUND:
        return replace(payment, refundable=payment.refundable - operation.amount)
    return replace(
        payment,
        capturable=payment.capturable - operation.amount,
        open_capture_or_void=operation.operation_id,
        due_at_ms=None,
    )


def apply_success(payment: Payment, operation: Operation) -> Payment:
    """Apply a success: a refund adds up, a capture ends in SUCCESS, a void in CANCELLED."""
    match operation.kind:
        case OperationKind.REFUND:
            return replace(payment, refunded=payment.refunded + operation.amount)
        case OperationKind.CAPTURE:
            return replace(
                _with_charge(payment, operation, AttemptState.SUCCEEDED),
                status=PaymentStatus.SUCCESS,
                charged_attempt=operation.charge_attempt,
                captured=operation.amount,
                capturable=0,
                refundable=operation.amount,
                open_capture_or_void=None,
                last_error=None,
                due_at_ms=None,
            )
        case OperationKind.VOID:
            return replace(
                _with_charge(payment, operation, AttemptState.FENCED),
                status=PaymentStatus.CANCELLED,
                capturable=0,
                open_capture_or_void=None,
                last_error=None,
                due_at_ms=None,
            )


def give_back(payment: Payment, operation: Operation, now_ms: int) -> Payment:
    """Give back an amount whose operation is proven without effect.

    An authorization becomes due again, at the latest when it lapses.
    """
    if operation.kind is OperationKind.REFUND:
        return replace(payment, refundable=payment.refundable + operation.amount)
    freed = replace(payment, open_capture_or_void=None)
    if payment.status is not PaymentStatus.AUTHORIZED:
        return freed
    # A refusal may mean that the authorization is gone: the charge itself is inquired at once.
    return replace(
        freed,
        capturable=payment.capturable + operation.amount,
        ready_at_ms=now_ms,
        due_at_ms=now_ms + DUE_AFTER_ACCEPT_MS,
    )


def take_late(payment: Payment, operation: Operation) -> Payment:
    """Apply a success that arrived after the operation had failed; it requires manual review.

    For a refund, the ledger follows the provider. A capture or void shows in the charge itself, which was made due when
    its amount was given back.
    """
    if operation.kind is not OperationKind.REFUND:
        return payment
    return replace(
        payment,
        refunded=payment.refunded + operation.amount,
        refundable=max(0, payment.refundable - operation.amount),
    )


def _with_charge(payment: Payment, operation: Operation, state: AttemptState) -> Payment:
    charge = payment.attempt(operation.charge_attempt)
    check_attempt_transition(charge.state, state)
    closed = replace(charge, state=state, deadline_ms=None)
    return replace(payment, attempts=tuple(closed if a.number == charge.number else a for a in payment.attempts))
