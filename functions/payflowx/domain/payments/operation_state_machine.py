"""The state machine of captures, voids and refunds, and of their payment's amounts. Pure.

Like `state_machine`: every function returns a `Change` that is written in one transaction, or not at all.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.balances import (
    Move,
    apply_second_success,
    apply_success,
    book_external,
    give_back,
    reserve,
    reserve_again,
)
from payflowx.domain.payments.events import Fact
from payflowx.domain.payments.not_sent import SendTimes, next_send_at_ms, not_sent_since
from payflowx.domain.payments.operation import Held, Operation
from payflowx.domain.payments.operation_claim import why_stop
from payflowx.domain.payments.outcome import (
    Accepted,
    Declined,
    Mismatch,
    NotSent,
    Outcome,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import LastError, Payment
from payflowx.domain.payments.recovery_plan import inquiries_end_at_ms
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.review_since import review_since_ms
from payflowx.domain.payments.state_machine import Change, Context, change_of
from payflowx.domain.payments.transitions import check_attempt_transition, check_operation_transition
from payflowx.domain.payments.verification import (
    changes_state,
    is_reversal,
    reported_facts,
    state_of,
)
from payflowx.domain.shared.backoff import REVIEW_INTERVAL_MS, inquiry_delay_ms, pending_delay_ms
from payflowx.domain.shared.limits import DUE_AFTER_ACCEPT_MS, MAX_QUEUE_DELAY_SECONDS, SECOND_MS
from payflowx.domain.shared.statuses import NO_CHARGE_STATES, AttemptState, OperationStatus

MAX_RECHECKS: Final = 6
"""Number of inquiries about a success that a provider may have reversed, before it stands."""


def request_operation(payment: Payment, operation: Operation, context: Context) -> Change:
    """Accept an operation; its amount is reserved in the same write."""
    moved = reserve(payment, operation)
    facts = operation_facts(operation)
    return operation_change(payment, moved.payment, None, moved.operation, context, name="requested", facts=facts)


def record_provider_refund(payment: Payment, operation: Operation, context: Context) -> Change:
    """Record a refund that was made at the provider. One beyond what is refundable requires manual review."""
    moved = book_external(payment, operation)
    attempt = operation.attempts[0]
    recorded = moved.operation
    if moved.payment.excess:
        recorded = _in_review(recorded, ReviewReason.LATE_SUCCESS, attempt, context)
    wake_in_seconds = None
    if attempt.is_open:
        recorded, wake_in_seconds = _wake_at(recorded, context.now_ms + inquiry_delay_ms(0), context.now_ms)
    facts = operation_facts(recorded) | _attempt_facts(attempt)
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
    if is_reversal(outcome, operation):
        return _reverse(payment, operation, attempt, outcome, context)
    recorded = _record_on_attempt(attempt, outcome, context)
    check_attempt_transition(attempt.state, recorded.state)
    attempts = tuple(recorded if a.number == attempt.number else a for a in operation.attempts)
    late = operation.status is not OperationStatus.PENDING and not attempt.is_open
    since_ms = not_sent_since(operation.not_sent_since_ms, recorded, context.now_ms)
    known = replace(operation, attempts=attempts, not_sent_since_ms=since_ms)
    advanced, paid, wake_in_seconds = _advance(known, payment, recorded, context, late=late)
    facts = operation_facts(advanced) | _attempt_facts(recorded) | reported_facts(outcome)
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
    """Send an operation to manual review; daily inquiries continue.

    Its amount stays reserved or booked. A refund's amount that was given back is reserved again, because money may have
    moved after all.
    """
    at_ms = context.now_ms + REVIEW_INTERVAL_MS
    moved = reserve_again(payment, operation)
    review = replace(
        moved.operation,
        status=OperationStatus.IN_REVIEW,
        last_error=_error(reason.value, operation.last_attempt),
        ready_at_ms=at_ms,
        due_at_ms=at_ms,
    )
    facts = operation_facts(review) | {"reason": reason.value}
    return operation_change(payment, moved.payment, operation, review, context, name="in_review", facts=facts)


def schedule_operation_inquiry(
    operation: Operation, attempt: Attempt, outcome: Outcome, context: Context
) -> tuple[Operation, int | None]:
    """Schedule the next inquiry; the state stays the same. A confirmed success needs none.

    Returns the operation and the delay in seconds of the message that wakes a worker.
    """
    waited = replace(attempt, inquiries=attempt.inquiries + 1)
    kept = replace(
        operation,
        attempts=tuple(waited if a.number == attempt.number else a for a in operation.attempts),
        version=operation.version + 1,
        lease=operation.lease.released(),
        drives=0,
        updated_at_ms=context.now_ms,
    )
    confirmed = operation.status is OperationStatus.SUCCEEDED and isinstance(outcome, Succeeded)
    if confirmed:
        return replace(kept, attempts=operation.attempts, due_at_ms=None), None
    if not attempt.is_open and (operation.status is not OperationStatus.SUCCEEDED or attempt.inquiries >= MAX_RECHECKS):
        return replace(kept, due_at_ms=None), None
    if operation.status is OperationStatus.IN_REVIEW:
        return _wake_at(kept, context.now_ms + REVIEW_INTERVAL_MS, context.now_ms)
    delay_of = pending_delay_ms if attempt.state is AttemptState.ACCEPTED else inquiry_delay_ms
    at_ms = context.now_ms + delay_of(waited.inquiries)
    if context.able is not None and attempt.is_open:
        ends_at_ms = inquiries_end_at_ms(attempt, context.able)
        at_ms = min(at_ms, ends_at_ms) if ends_at_ms > context.now_ms else at_ms
    return _wake_at(kept, at_ms, context.now_ms)


def expedite_operation(operation: Operation, now_ms: int) -> Operation:
    """Bring the next inquiry forward after an unverified webhook. Writes no event.

    An operation that waits for its next attempt keeps its time: there is nothing to inquire about.
    """
    later = replace(operation, version=operation.version + 1, lease=operation.lease.after_change_by_another(now_ms))
    last = operation.last_attempt
    if operation.status is OperationStatus.PENDING and (last is None or not last.is_open):
        return later
    return replace(later, ready_at_ms=now_ms, due_at_ms=now_ms + DUE_AFTER_ACCEPT_MS)


def _record_on_attempt(attempt: Attempt, outcome: Outcome, context: Context) -> Attempt:
    """Return the attempt with the outcome recorded."""
    state = state_of(outcome)
    if state is None:
        raise ValueError("NotFound has no attempt state")
    known = replace(attempt, state=state, code=None, message=None, inquiries=0)
    if state is not AttemptState.UNKNOWN:
        known = replace(known, settled_at_ms=context.now_ms)
    match outcome:
        case Succeeded() | Accepted():
            return replace(known, reference=outcome.reference or attempt.reference)
        case Mismatch():
            return replace(known, reference=outcome.reference or attempt.reference, code=outcome.code)
        case Declined():
            reference = outcome.reference or attempt.reference
            return replace(known, reference=reference, code=outcome.code, message=outcome.message)
        case Rejected():
            wait = outcome.retry_after_seconds
            return replace(known, code=outcome.code, message=outcome.message, retry_after_seconds=wait)
        case Unknown():
            return replace(known, code=outcome.code, message=outcome.message)
        case NotSent():
            return replace(known, code=outcome.code)
        case _:
            raise ValueError("NotFound has no attempt state")


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
            open_ = replace(operation, last_error=_error("outcome_unknown", recorded) if unsure else error)
            wait_ms = REVIEW_INTERVAL_MS if in_review else inquiry_delay_ms(0)
            return _placed(*_wake_at(open_, context.now_ms + wait_ms, context.now_ms), payment)
        case _:
            return _without_effect(operation, payment, recorded, context)


def _succeeded(
    operation: Operation, payment: Payment, recorded: Attempt, context: Context, *, late: bool
) -> tuple[Operation, Payment, int | None]:
    """Book a success. It ends the operation, unless it is the second one, unexpected, or beside an open attempt."""
    others = [a for a in operation.attempts if a.number != recorded.number]
    second = any(a.state is AttemptState.SUCCEEDED for a in others)
    moved = apply_second_success(payment, operation) if second else apply_success(payment, operation)
    if moved.move is Move.CONTRADICTION:
        return _in_review(moved.operation, _contradicted(operation, late=late), recorded, context), moved.payment, None
    if late or moved.move is Move.BOOK_LATE or any(a.is_open for a in others):
        return _in_review(moved.operation, ReviewReason.LATE_SUCCESS, recorded, context), moved.payment, None
    done = replace(moved.operation, status=OperationStatus.SUCCEEDED, last_error=None, due_at_ms=None)
    return done, moved.payment, None


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
    stop = why_stop(operation, context.now_ms)
    at_ms = _next_attempt_at_ms(operation, context)
    if stop is None and at_ms is not None and operation.status is OperationStatus.PENDING:
        later = replace(operation, last_error=_error(recorded.state.lower(), recorded))
        return _placed(*_wake_at(later, at_ms, context.now_ms), payment)
    code = stop or ("send_deadline_passed" if at_ms is None else "refused")
    moved = give_back(payment, operation, context.now_ms)
    return _failed(moved.operation, code), moved.payment, None


def _still_in_review(operation: Operation, recorded: Attempt, context: Context) -> Operation:
    """Return the operation in review, for the reason that it is in review already."""
    review = _in_review(operation, ReviewReason.LATE_SUCCESS, recorded, context)
    in_review = operation.status is OperationStatus.IN_REVIEW
    return replace(review, last_error=operation.last_error) if in_review else review


def _next_attempt_at_ms(operation: Operation, context: Context) -> int | None:
    """Return the time of the next attempt; None if nothing could be sent for too long."""
    times = SendTimes(
        now_ms=context.now_ms,
        since_ms=operation.not_sent_since_ms,
        patience_ms=context.policy.not_sent_patience_ms,
        deadline_ms=operation.send_deadline_ms,
        jitter=context.jitter,
    )
    return next_send_at_ms(operation.attempts, operation.attempts, times)


def _failed(operation: Operation, code: str) -> Operation:
    return replace(
        operation,
        status=OperationStatus.FAILED,
        last_error=_error(code, operation.last_attempt),
        due_at_ms=None,
    )


def _in_review(operation: Operation, reason: ReviewReason, recorded: Attempt, context: Context) -> Operation:
    """Return the operation in manual review. It stays due as long as an attempt is open."""
    at_ms = context.now_ms + REVIEW_INTERVAL_MS if any(a.is_open for a in operation.attempts) else None
    return replace(
        operation,
        status=OperationStatus.IN_REVIEW,
        last_error=_error(reason.value, recorded),
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


def _wake_at(operation: Operation, at_ms: int, now_ms: int) -> tuple[Operation, int | None]:
    """Set the ready and due times; return the delay of the wake-up message in seconds.

    Returns None for a delay that exceeds the queue's limit: then the sweeper wakes the worker.
    """
    wait_seconds = max(0, -(-(at_ms - now_ms) // SECOND_MS))
    if wait_seconds > MAX_QUEUE_DELAY_SECONDS:
        return replace(operation, ready_at_ms=at_ms, due_at_ms=at_ms), None
    return replace(operation, ready_at_ms=at_ms, due_at_ms=at_ms + DUE_AFTER_ACCEPT_MS), wait_seconds


def operation_change(
    payment: Payment,
    paid: Payment,
    before: Operation | None,
    after: Operation,
    context: Context,
    *,
    name: str,
    facts: Mapping[str, Fact],
) -> Change:
    """Build one change of payment and operation with one event."""
    if before is not None:
        check_operation_transition(before.status, after.status)
        after = replace(
            after,
            version=before.version + 1,
            lease=before.lease.released()
            if context.holds_lease
            else before.lease.after_change_by_another(context.now_ms),
            updated_at_ms=context.now_ms,
            drives=0,
        )
    after = replace(after, review_since_ms=review_since_ms(before, after, context.now_ms))
    return change_of(payment, paid, f"{after.kind}.{name}", facts, context, operation=(before, after))


_TEXTS: Final[Mapping[str, str]] = {
    "not_sent": "The provider could not be reached; nothing was sent.",
    "rejected": "The provider rejected the request before processing it.",
    "refused": "The provider refused the operation finally; no money moved.",
    "retries_exhausted": "All allowed attempts were made; no request was sent or accepted.",
    "send_deadline_passed": "The time limit for sending this operation has passed; no money moved.",
    "account_removed": "The provider account that holds the charge was removed.",
    ReviewReason.OUTCOME_UNKNOWN.value: "No answer of the provider was received; the outcome is being resolved.",
    ReviewReason.MISMATCH.value: "The provider reports another amount or reference. Requires manual review.",
    ReviewReason.LATE_SUCCESS.value: "The provider executed it after reporting a failure. Requires manual review.",
    ReviewReason.REVERSED.value: "The provider reversed a reported success. Requires manual review.",
    ReviewReason.RECONCILIATION.value: "The provider's report and this operation disagree. Requires manual review.",
    ReviewReason.DRIVES_EXHAUSTED.value: "All recovery attempts made no progress. Requires manual review.",
}


def _error(code: str, attempt: Attempt | None) -> LastError:
    return LastError(
        code=code,
        message=_TEXTS[code],
        provider=attempt.provider if attempt else None,
        provider_code=attempt.code if attempt else None,
        attempt=attempt.number if attempt else None,
    )


def operation_facts(operation: Operation) -> dict[str, Fact]:
    """Return the facts that every event about an operation holds."""
    return {
        "operationId": operation.operation_id,
        "amount": operation.amount,
        "operationStatus": operation.status.value,
    }


def _attempt_facts(recorded: Attempt) -> dict[str, Fact]:
    """Return an event's facts about an attempt.

    No free text: a provider's message may hold data that must not be in an audit log.
    """
    facts: dict[str, Fact] = {
        "attempt": recorded.number,
        "provider": recorded.provider,
        "accountId": recorded.account_id,
        "providerKey": recorded.provider_key,
        "startedAtMs": recorded.started_at_ms,
        "epoch": recorded.epoch,
    }
    optional = {"reference": recorded.reference, "code": recorded.code}
    return facts | {name: str(value) for name, value in optional.items() if value is not None}
