"""Closing the manual review of a capture, void or refund with evidence. Pure.

The counterpart of `review`.
"""

from dataclasses import replace

from payflowx.domain.payments.attempt import CLOSED_BY_OPERATOR, Attempt
from payflowx.domain.payments.balances import Move, Moved, apply_success, correct_captured, give_back
from payflowx.domain.payments.change import Change, Context, operation_change
from payflowx.domain.payments.inquiry_times import due_beside_operation, still_due
from payflowx.domain.payments.named_charge import NamedCharge, recorded_attempt
from payflowx.domain.payments.operation import Held, Operation
from payflowx.domain.payments.operation_state_machine import operation_facts, rechecked_later
from payflowx.domain.payments.payment import LastError, Payment
from payflowx.domain.payments.review import ReviewDecision, ReviewVerdict, evidence_obstacle, is_about_another
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.transitions import check_review_transition
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, OperationStatus, PaymentStatus


def close_operation_review(
    payment: Payment, operation: Operation, decision: ReviewDecision, context: Context
) -> Change:
    """Close the review. CHARGED means that the money moved.

    Raises `Refusal` (`invalid_state`, `busy`, `evidence_contradicts`, `held_unknown`, `amount_invalid`,
    `not_supported`).
    """
    if operation.status is not OperationStatus.IN_REVIEW:
        raise Refusal(
            "invalid_state", f"The operation is {operation.status}; only one that is IN_REVIEW can be closed."
        )
    if operation.lease.is_live(context.now_ms):
        raise Refusal("busy", "A worker is inquiring about this operation right now. Try again in a minute.")
    known = replace(operation, held=_held(payment, operation, decision))
    if decision.verdict is ReviewVerdict.CHARGED:
        return _close_succeeded(payment, operation, known, decision, context)
    if decision.reference is not None or decision.amount is not None:
        raise Refusal(
            "evidence_contradicts",
            "A provider reference or an amount proves that money moved. Omit it to close the review as not charged.",
        )
    return _close_failed(payment, operation, known, context)


def _held(payment: Payment, operation: Operation, decision: ReviewDecision) -> Held:
    """Return the place of the operation's amount. The person's word counts only where the ledger has none."""
    if operation.held is not None:
        return operation.held
    if decision.held is None:
        raise Refusal(
            "held_unknown",
            "An older release put this operation into review, and the payment's amounts leave more than one answer. "
            "Read the audit log, then say whether its amount is reserved (never booked or given back), booked (it had "
            "succeeded) or given_back (it had failed).",
            field="held",
        )
    there = {Held.RESERVED: payment.reserved, Held.BOOKED: payment.refunded}
    if operation.kind is OperationKind.REFUND and there.get(decision.held, operation.booked) < operation.booked:
        raise Refusal(
            "held_unknown",
            f"The refund's amount is not {decision.held}: only {there[decision.held]} of this payment is. Read the "
            "audit log once more.",
            field="held",
        )
    return decision.held


def _close_succeeded(
    payment: Payment, before: Operation, operation: Operation, decision: ReviewDecision, context: Context
) -> Change:
    attempt = _moving_attempt(payment, operation, decision)
    obstacle = evidence_obstacle(attempt, decision.reference)
    if obstacle is not None:
        raise Refusal("evidence_contradicts", obstacle)
    check_review_transition(attempt.state, AttemptState.SUCCEEDED)
    closed = replace(
        attempt,
        state=AttemptState.SUCCEEDED,
        settled_at_ms=attempt.settled_at_ms or context.now_ms,
        reference=decision.reference or attempt.reference,
    )
    moved = _with_excess_reviewed(_moved(payment, operation, attempt, decision))
    done = replace(
        moved.operation,
        status=OperationStatus.SUCCEEDED,
        attempts=_with(operation, closed, context),
        last_error=None,
        due_at_ms=None,
    )
    done, wake_in_seconds = still_due(done, None, context)
    if done.due_at_ms is None and not _came_back(before):
        done = rechecked_later(done, closed, context)
    facts = operation_facts(done) | {"movedAmount": done.booked}
    paid = due_beside_operation(moved.payment, context)
    change = operation_change(payment, paid, before, done, context, name="review_moved", facts=facts)
    return replace(change, attempt_number=attempt.number, reference=decision.reference, wake_in_seconds=wake_in_seconds)


def _moving_attempt(payment: Payment, operation: Operation, decision: ReviewDecision) -> Attempt:
    """Return the attempt that moved the money; after a restore, its request may not be stored."""
    attempt = next((a for a in operation.attempts if a.state is AttemptState.SUCCEEDED), operation.last_attempt)
    if attempt is not None:
        return attempt
    if decision.reference is None:
        raise Refusal(
            "evidence_contradicts",
            "No request of it is stored, so no money can have moved, unless a restore forgot it. If the provider shows "
            "it, give its reference there.",
        )
    charge = payment.attempt(operation.charge_attempt)
    at = NamedCharge(provider=charge.provider, account_id=charge.account_id)
    return recorded_attempt(operation, operation.operation_id, at)


def _came_back(operation: Operation) -> bool:
    """Return whether the review was about a refund's return: the provider still says so, and a person has decided."""
    return operation.last_error is not None and operation.last_error.code == ReviewReason.REVERSED


def _moved(payment: Payment, operation: Operation, attempt: Attempt, decision: ReviewDecision) -> Moved:
    amount = _moved_amount(payment, operation, attempt, decision)
    moved = apply_success(payment, operation, amount)
    capture_again = moved.move is Move.NONE and operation.kind is OperationKind.CAPTURE
    if moved.move is Move.CONTRADICTION or capture_again:
        return _on_a_known_charge(payment, operation, amount)
    return moved


def _moved_amount(payment: Payment, operation: Operation, attempt: Attempt, decision: ReviewDecision) -> int:
    """Return the amount that moved in all."""
    if decision.amount is None:
        if attempt.code == "amount_differs" and operation.held is not Held.BOOKED:
            raise Refusal(
                "amount_invalid",
                "The provider reports another amount than was requested. Give the amount that moved.",
                field="amount",
            )
        return operation.booked
    most = payment.amount if operation.kind is not OperationKind.REFUND else max(payment.amount, payment.captured)
    if operation.kind is OperationKind.VOID or not 1 <= decision.amount <= most:
        raise Refusal(
            "amount_invalid",
            "A void has no amount."
            if operation.kind is OperationKind.VOID
            else f"The amount must be between 1 and {most}, in {payment.currency}'s minor unit.",
            field="amount",
        )
    return decision.amount


def _on_a_known_charge(payment: Payment, operation: Operation, amount: int) -> Moved:
    """Close a capture or void whose charge is no longer AUTHORIZED: the charge shows its effect already.

    `captured` becomes what was taken. A capture of a payment that ended without a charge requires a review of the
    payment itself.
    """
    if operation.kind is OperationKind.REFUND:
        raise Refusal("held_unknown", "Say where the refund's amount is.", field="held")
    if operation.kind is OperationKind.VOID and payment.captured:
        raise Refusal(
            "evidence_contradicts", "The payment is captured, so its authorization cannot have been released."
        )
    booked = replace(operation, held=Held.BOOKED, booked_amount=amount if amount != operation.amount else None)
    own = payment.open_capture_or_void == operation.operation_id
    freed = replace(payment, open_capture_or_void=None) if own else payment
    if operation.kind is OperationKind.CAPTURE and payment.captured:
        freed = correct_captured(freed, amount)
    elif operation.kind is OperationKind.CAPTURE and payment.status in {PaymentStatus.CANCELLED, PaymentStatus.FAILED}:
        freed = _reviewed(freed, "The provider captured after the payment had ended. Requires manual review.")
    return Moved(payment=freed, operation=booked, move=Move.BOOK_LATE)


def _with_excess_reviewed(moved: Moved) -> Moved:
    """Keep an excess in manual review when the review of its operation closes."""
    if not moved.payment.excess:
        return moved
    text = "More was refunded or reserved for refunds than was captured. Requires manual review."
    return replace(moved, payment=_reviewed(moved.payment, text))


def _reviewed(payment: Payment, text: str) -> Payment:
    if payment.status is PaymentStatus.IN_REVIEW:
        return payment
    error = LastError(code=ReviewReason.LATE_SUCCESS.value, message=text)
    return replace(payment, status=PaymentStatus.IN_REVIEW, last_error=error)


def _close_failed(payment: Payment, before: Operation, operation: Operation, context: Context) -> Change:
    """End as FAILED and release what the operation holds."""
    moved = give_back(payment, operation, context.now_ms)
    if moved.move is Move.CONTRADICTION:
        raise Refusal(
            "not_supported",
            "A capture or void that was applied cannot be reversed: it ended the payment. "
            "Close the review as charged, and correct the difference with the merchant.",
        )
    last = operation.last_attempt
    ended = replace(
        moved.operation,
        status=OperationStatus.FAILED,
        attempts=tuple(_without_effect(a, context) for a in operation.attempts),
        last_error=LastError(
            code="not_moved",
            message="An operator confirmed that no money moved, or that it was returned.",
            provider=last.provider if last else None,
            attempt=last.number if last else None,
        ),
        due_at_ms=None,
    )
    facts = operation_facts(ended)
    return operation_change(payment, moved.payment, before, ended, context, name="review_not_moved", facts=facts)


def _without_effect(attempt: Attempt, context: Context) -> Attempt:
    if not attempt.is_open:
        return attempt
    check_review_transition(attempt.state, AttemptState.FENCED)
    return replace(
        attempt, state=AttemptState.FENCED, settled_at_ms=context.now_ms, code=CLOSED_BY_OPERATOR, message=None
    )


def _with(operation: Operation, closed: Attempt, context: Context) -> tuple[Attempt, ...]:
    """Return the attempts with the one that moved the money; of another one that is open, as for a payment."""
    is_decided = is_about_another(operation, closed)
    kept = tuple(_without_effect(a, context) if is_decided else a for a in operation.attempts)
    return tuple(closed if a.number == closed.number else a for a in kept) or (closed,)
