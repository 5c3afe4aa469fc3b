"""The state machine of captures, voids and refunds, and of their payment's amounts. Pure.

Like `state_machine`: every function returns a `Change` that is written in one transaction, or not at all.
"""

from dataclasses import replace
from typing import Final

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.attempt_records import attempt_facts, record_on_attempt
from payflowx.domain.payments.balances import (
    Move,
    apply_second_success,
    apply_success,
    book_external,
    give_back,
    reserve,
    reserve_again,
)
from payflowx.domain.payments.capabilities import DEFAULT_REFUND_REVERSAL_MS
from payflowx.domain.payments.change import Change, Context, operation_change
from payflowx.domain.payments.events import Fact
from payflowx.domain.payments.inquiry_times import (
    due_beside_operation,
    first_inquiry_at_ms,
    inquired,
    next_attempt_at_ms,
    next_inquiry_at_ms,
    unwatched,
    wake_at,
)
from payflowx.domain.payments.last_errors import last_error, review_error
from payflowx.domain.payments.not_sent import not_sent_since
from payflowx.domain.payments.operation import Held, Operation
from payflowx.domain.payments.operation_claim import why_stop
from payflowx.domain.payments.outcome import (
    Declined,
    Outcome,
    Succeeded,
)
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.transitions import check_attempt_transition
from payflowx.domain.payments.verification import (
    changes_state,
    is_reversal,
    reported_facts,
)
from payflowx.domain.shared.backoff import REVIEW_INTERVAL_MS
from payflowx.domain.shared.limits import DUE_AFTER_ACCEPT_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import NO_CHARGE_STATES, AttemptState, OperationStatus

MAX_RECHECKS: Final = 24
"""Number of inquiries about a success that a provider may have reversed, before it stands: for most of a day."""


def request_operation(payment: Payment, operation: Operation, context: Context) -> Change:
    """Accept an operation; its amount is reserved in the same write."""
    moved = reserve(payment, operation)
    facts = operation_facts(operation)
    return operation_change(payment, moved.payment, None, moved.operation, context, name="requested", facts=facts)


def record_provider_refund(payment: Payment, operation: Operation, context: Context) -> Change:
    """Record a refund that was made at the provider. One beyond what is refundable requires manual review."""
    moved = book_external(payment, operation)
    attempt = operation.attempts[0]
    recorded = rechecked_later(moved.operation, attempt, context)
    if moved.payment.excess:
        recorded = _in_review(recorded, ReviewReason.LATE_SUCCESS, attempt, context)
    wake_in_seconds = None
    if attempt.is_open:
        at_ms = first_inquiry_at_ms(recorded, attempt, context)
        recorded, wake_in_seconds = wake_at(recorded, at_ms, context.now_ms)
    facts = operation_facts(recorded) | attempt_facts(attempt)
    change = operation_change(payment, moved.payment, None, recorded, context, name="made_at_provider", facts=facts)
    return replace(change, attempt_number=attempt.number, reference=attempt.reference, wake_in_seconds=wake_in_seconds)


def apply_operation_outcome(
    payment: Payment, operation: Operation, attempt: Attempt, outcome: Outcome, context: Context
) -> Change | None:
    """Apply a verified outcome.

    Returns None when the outcome changes no state: then only the next inquiry is scheduled.
    """
    if not changes_state(outcome, operation, attempt):
        return None
    if is_reversal(outcome, operation, attempt):
        return _reverse(payment, operation, attempt, outcome, context)
    recorded = record_on_attempt(attempt, outcome, context)
    check_attempt_transition(attempt.state, recorded.state)
    attempts = tuple(recorded if a.number == attempt.number else a for a in operation.attempts)
    late = operation.status is not OperationStatus.PENDING and not attempt.is_open
    since_ms = not_sent_since(operation.not_sent_since_ms, recorded, context.now_ms)
    known = replace(operation, attempts=attempts, not_sent_since_ms=since_ms)
    advanced, paid, wake_in_seconds = _advance(known, payment, recorded, context, late=late)
    paid = due_beside_operation(paid, context)
    facts = operation_facts(advanced) | attempt_facts(recorded) | reported_facts(outcome)
    name = advanced.status.lower() if advanced.status is not operation.status else f"attempt_{recorded.state.lower()}"
    change = operation_change(payment, paid, operation, advanced, context, name=name, facts=facts)
    return replace(
        change,
        attempt_number=attempt.number,
        reference=_own_reference(payment, advanced, recorded),
        wake_in_seconds=wake_in_seconds,
    )


def fail_operation(payment: Payment, operation: Operation, code: str, context: Context) -> Change:
    """End an operation for which no money moved and nothing may be sent; release its amount."""
    moved = give_back(payment, operation, context.now_ms)
    ended = _failed(moved.operation, code)
    facts = operation_facts(ended) | {"reason": code}
    return operation_change(payment, moved.payment, operation, ended, context, name="failed", facts=facts)


def send_operation_to_review(payment: Payment, operation: Operation, reason: ReviewReason, context: Context) -> Change:
    """Send an operation to manual review; daily inquiries continue, unless no request was ever begun.

    Its amount stays reserved or booked. A refund's amount that was given back is reserved again, because money may have
    moved after all.
    """
    at_ms = context.now_ms + REVIEW_INTERVAL_MS
    moved = reserve_again(payment, operation)
    review = replace(
        moved.operation,
        status=OperationStatus.IN_REVIEW,
        last_error=review_error(operation, reason, operation.last_attempt),
        ready_at_ms=at_ms,
        due_at_ms=at_ms if operation.attempts else None,
    )
    facts = operation_facts(review) | {"reason": reason.value}
    return operation_change(payment, moved.payment, operation, review, context, name="in_review", facts=facts)


def schedule_operation_inquiry(
    operation: Operation, attempt: Attempt, outcome: Outcome, context: Context
) -> tuple[Operation, int | None]:
    """Schedule the next inquiry; the state stays the same.

    A success that is confirmed, or about which a day of inquiries said nothing, is read once more at its own time.
    Returns the operation and the delay in seconds of the message that wakes a worker.
    """
    kept, waited = inquired(operation, attempt, context)
    succeeded = operation.status is OperationStatus.SUCCEEDED
    if succeeded and (isinstance(outcome, Succeeded) or (not attempt.is_open and attempt.inquiries >= MAX_RECHECKS)):
        stands = replace(kept, attempts=tuple(replace(a, inquiries=0) for a in operation.attempts))
        return rechecked_later(stands, attempt, context), None
    if waited.is_watched:
        return _watched(kept, waited, context)
    if not attempt.is_open and not succeeded:
        return replace(kept, due_at_ms=None), None
    return wake_at(kept, next_inquiry_at_ms(operation, waited, context), context.now_ms)


def expedite_operation(operation: Operation, now_ms: int) -> Operation:
    """Bring the next inquiry forward after an unverified webhook. Writes no event.

    An operation that waits for its next attempt keeps its time: there is nothing to inquire about.
    """
    later = replace(operation, version=operation.version + 1, lease=operation.lease.after_change_by_another(now_ms))
    last = operation.last_attempt
    if operation.status is OperationStatus.PENDING and (last is None or not last.is_open):
        return later
    return replace(later, ready_at_ms=now_ms, due_at_ms=now_ms + DUE_AFTER_ACCEPT_MS)


def _advance(
    operation: Operation, payment: Payment, recorded: Attempt, context: Context, *, late: bool
) -> tuple[Operation, Payment, int | None]:
    """Return operation, payment and the delay of the next wake-up after an attempt's result.

    `late`: the attempt had been closed, and the operation had ended or was in review.
    """
    match recorded.state:
        case AttemptState.SUCCEEDED:
            return _succeeded(operation, payment, recorded, context, late=late)
        case AttemptState.MISMATCH:
            moved = reserve_again(payment, operation)
            return _in_review(moved.operation, ReviewReason.MISMATCH, recorded, context), moved.payment, None
        case AttemptState.ACCEPTED | AttemptState.UNKNOWN:
            unsure = recorded.state is AttemptState.UNKNOWN
            in_review = operation.status is OperationStatus.IN_REVIEW
            error = operation.last_error if in_review else None
            open_ = replace(
                operation, last_error=last_error(operation, "outcome_unknown", recorded) if unsure else error
            )
            review_at_ms = context.now_ms + REVIEW_INTERVAL_MS
            at_ms = review_at_ms if in_review else first_inquiry_at_ms(open_, recorded, context)
            return _placed(*wake_at(open_, at_ms, context.now_ms), payment)
        case _:
            return _without_effect(operation, payment, recorded, context)


def _succeeded(
    operation: Operation, payment: Payment, recorded: Attempt, context: Context, *, late: bool
) -> tuple[Operation, Payment, int | None]:
    """Book a success. It ends the operation, unless it is a second one, unexpected, or beside an undecided attempt."""
    others = [a for a in operation.attempts if a.number != recorded.number]
    second = any(a.state is AttemptState.SUCCEEDED for a in others)
    moved = apply_second_success(payment, operation) if second else apply_success(payment, operation)
    if moved.move is Move.CONTRADICTION:
        return _in_review(moved.operation, _contradicted(operation, late=late), recorded, context), moved.payment, None
    # An excess is never without a review: the operation that brought it stays in its own.
    excess = operation.status is OperationStatus.IN_REVIEW and moved.payment.excess > 0
    undecided = any(a.is_open or a.state is AttemptState.MISMATCH for a in others)
    if late or excess or moved.move is Move.BOOK_LATE or undecided:
        return _in_review(moved.operation, ReviewReason.LATE_SUCCESS, recorded, context), moved.payment, None
    done = replace(moved.operation, status=OperationStatus.SUCCEEDED, last_error=None)
    return rechecked_later(done, recorded, context), moved.payment, None


def rechecked_later(operation: Operation, success: Attempt, context: Context) -> Operation:
    """Return the operation due once more when its refund can no longer come back; with no work left after that.

    A bank may return a refund days after its success, and the provider event about it may be lost. Release 0.2.0 left
    no time on a refund that had succeeded: a provider event or a report is then the only source.
    """
    period_ms = context.able.refund_reversal_ms if context.able else DEFAULT_REFUND_REVERSAL_MS
    at_ms = (success.settled_at_ms or context.now_ms) + period_ms
    if operation.kind is not OperationKind.REFUND or at_ms <= context.now_ms:
        return replace(operation, due_at_ms=None)
    return replace(operation, ready_at_ms=at_ms, due_at_ms=at_ms)


def _contradicted(operation: Operation, *, late: bool) -> ReviewReason:
    return ReviewReason.LATE_SUCCESS if late or operation.held is None else ReviewReason.MISMATCH


def _placed(operation: Operation, wake: int | None, payment: Payment) -> tuple[Operation, Payment, int | None]:
    return operation, payment, wake


def _without_effect(
    operation: Operation, payment: Payment, recorded: Attempt, context: Context
) -> tuple[Operation, Payment, int | None]:
    """Schedule a new attempt, or end as FAILED and release the amount in the same write.

    The attempt was refused, or is proven without effect. The amount is released only if all attempts are.
    """
    if operation.held is not Held.RESERVED or not all(a.state in NO_CHARGE_STATES for a in operation.attempts):
        return _still_in_review(operation, recorded, context), payment, None
    if recorded.is_followed_by_search and operation.status is OperationStatus.PENDING:
        return _placed(*wake_at(operation, context.now_ms, context.now_ms), payment)
    stop = why_stop(operation, context.now_ms)
    at_ms = next_attempt_at_ms(operation, operation.attempts, context, deadline_ms=operation.send_deadline_ms)
    if stop is None and at_ms is not None and operation.status is OperationStatus.PENDING:
        later = replace(operation, last_error=last_error(operation, recorded.state.lower(), recorded))
        return _placed(*wake_at(later, at_ms, context.now_ms), payment)
    code = stop or ("send_deadline_passed" if at_ms is None else "refused")
    moved = give_back(payment, operation, context.now_ms)
    failed = _failed(moved.operation, code)
    if not recorded.is_watched:
        return failed, moved.payment, None
    return _placed(*_watched(failed, recorded, context), moved.payment)


def _watched(operation: Operation, attempt: Attempt, context: Context) -> tuple[Operation, int | None]:
    """Schedule the last inquiry about a refused operation, when the provider must show what it did; then it rests."""
    if attempt.may_reopen(context.now_ms):
        return wake_at(operation, attempt.reopens_until_ms or 0, context.now_ms)
    return unwatched(operation, attempt), None


def _still_in_review(operation: Operation, recorded: Attempt, context: Context) -> Operation:
    """Return the operation in review, for the reason that it is in review already."""
    review = _in_review(operation, ReviewReason.LATE_SUCCESS, recorded, context)
    in_review = operation.status is OperationStatus.IN_REVIEW
    return replace(review, last_error=operation.last_error) if in_review else review


def _failed(operation: Operation, code: str) -> Operation:
    return replace(
        operation,
        status=OperationStatus.FAILED,
        last_error=last_error(operation, code, operation.last_attempt),
        due_at_ms=None,
    )


def _in_review(operation: Operation, reason: ReviewReason, recorded: Attempt, context: Context) -> Operation:
    """Return the operation in manual review. It stays due as long as an attempt is open."""
    at_ms = context.now_ms + REVIEW_INTERVAL_MS if any(a.is_open for a in operation.attempts) else None
    return replace(
        operation,
        status=OperationStatus.IN_REVIEW,
        last_error=last_error(operation, reason.value, recorded),
        ready_at_ms=at_ms or operation.ready_at_ms,
        due_at_ms=at_ms,
    )


def _reverse(payment: Payment, operation: Operation, attempt: Attempt, outcome: Outcome, context: Context) -> Change:
    """Send a success that the provider reversed to manual review.

    It is unknown whether the payer has the money.
    """
    known = replace(attempt, code=outcome.code if isinstance(outcome, Declined) else None)
    attempts = tuple(known if a.number == attempt.number else a for a in operation.attempts)
    review = _in_review(replace(operation, attempts=attempts), ReviewReason.REVERSED, known, context)
    return operation_change(
        payment,
        payment,
        operation,
        review,
        context,
        name="in_review",
        facts=operation_facts(review) | {"reason": "reversed"},
    )


def _own_reference(payment: Payment, operation: Operation, recorded: Attempt) -> str | None:
    """Return the reference that this attempt owns; None if it is the charge's own reference.

    A capture or void often carries the charge's reference, which the charge already owns.
    """
    charge = payment.attempt(operation.charge_attempt)
    return recorded.reference if recorded.reference != charge.reference else None


def operation_facts(operation: Operation) -> dict[str, Fact]:
    """Return the facts that every event about an operation holds."""
    return {
        "operationId": operation.operation_id,
        "amount": operation.amount,
        "operationStatus": operation.status.value,
    }
