"""What an outcome does to a capture, void or refund, and to the amounts of its payment. Pure.

Like `conclusion`: every function returns a `Change` that is written in one transaction, or not at all.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.balances import apply_success, give_back, reserve, take_late
from payflowx.domain.payments.events import Fact
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_claim import why_stop
from payflowx.domain.payments.operation_verification import (
    changes_operation_state,
    is_reversal,
    operation_attempt_state_of,
)
from payflowx.domain.payments.outcome import (
    Accepted,
    Mismatch,
    NotSent,
    OperationOutcome,
    Refused,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import LastError, Payment
from payflowx.domain.payments.state_machine import Change, Context, change_of
from payflowx.domain.payments.transitions import check_attempt_transition, check_operation_transition
from payflowx.domain.shared.backoff import REVIEW_INTERVAL_MS, inquiry_delay_ms, retry_delay_ms
from payflowx.domain.shared.limits import DUE_AFTER_ACCEPT_MS, MAX_QUEUE_DELAY_SECONDS, SECOND_MS
from payflowx.domain.shared.statuses import AttemptState, OperationStatus

MAX_RECHECKS: Final = 6
"""How often a provider that hints at a change of a success is asked before the success stands."""


def request_operation(payment: Payment, operation: Operation, context: Context) -> Change:
    """Accept: the amount is reserved in the write that stores the operation."""
    facts = operation_facts(operation)
    return operation_change(
        payment, reserve(payment, operation), None, operation, context, name="requested", facts=facts
    )


def apply_operation_outcome(
    payment: Payment, operation: Operation, attempt: Attempt, outcome: OperationOutcome, context: Context
) -> Change | None:
    """Apply a weighed outcome. None: it is no news, and the operation is only to be looked at again later."""
    if not changes_operation_state(outcome, operation, attempt):
        return None
    if is_reversal(outcome, operation):
        return _reverse(payment, operation, attempt, outcome, context)
    recorded = _record_on_attempt(attempt, outcome, context)
    check_attempt_transition(attempt.state, recorded.state)
    attempts = tuple(recorded if a.number == attempt.number else a for a in operation.attempts)
    advanced, paid, wake_in_seconds = _advance(replace(operation, attempts=attempts), payment, recorded, context)
    facts = operation_facts(advanced) | _attempt_facts(recorded)
    name = advanced.status.lower() if advanced.status is not operation.status else f"attempt_{recorded.state.lower()}"
    change = operation_change(payment, paid, operation, advanced, context, name=name, facts=facts)
    return replace(
        change,
        attempt_number=attempt.number,
        reference=_own_reference(payment, advanced, recorded),
        wake_in_seconds=wake_in_seconds,
    )


def fail_operation(payment: Payment, operation: Operation, code: str, context: Context) -> Change:
    """Nothing moved, and nothing may be sent any more: the amount is given back."""
    ended = _failed(operation, code)
    paid = give_back(payment, operation, context.now_ms)
    return operation_change(
        payment, paid, operation, ended, context, name="failed", facts=operation_facts(ended) | {"reason": code}
    )


def send_operation_to_review(payment: Payment, operation: Operation, code: str, context: Context) -> Change:
    """A person has to look; the amount stays reserved, and the provider is still asked daily."""
    at_ms = context.now_ms + REVIEW_INTERVAL_MS
    review = replace(
        operation,
        status=OperationStatus.IN_REVIEW,
        last_error=_error(code, operation.last_attempt),
        ready_at_ms=at_ms,
        due_at_ms=at_ms,
    )
    return operation_change(
        payment, payment, operation, review, context, name="in_review", facts=operation_facts(review) | {"reason": code}
    )


def schedule_operation_inquiry(
    operation: Operation, attempt: Attempt, context: Context
) -> tuple[Operation, int | None]:
    """No news: the same operation with its next inquiry planned, and the delay of the message that wakes it."""
    waited = replace(attempt, inquiries=attempt.inquiries + 1)
    kept = replace(
        operation,
        attempts=tuple(waited if a.number == attempt.number else a for a in operation.attempts),
        version=operation.version + 1,
        lease=operation.lease.released(),
        drives=0,
        updated_at_ms=context.now_ms,
    )
    if not attempt.is_open and (operation.status is not OperationStatus.SUCCEEDED or attempt.inquiries >= MAX_RECHECKS):
        return replace(kept, due_at_ms=None), None
    if operation.status is OperationStatus.IN_REVIEW:
        return _wake_at(kept, context.now_ms + REVIEW_INTERVAL_MS, context.now_ms)
    at_ms = context.now_ms + inquiry_delay_ms(waited.inquiries)
    if context.able is not None and attempt.is_open:
        horizon_ms = attempt.started_at_ms + context.able.inquiry_horizon_ms
        at_ms = min(at_ms, horizon_ms) if horizon_ms > context.now_ms else at_ms
    return _wake_at(kept, at_ms, context.now_ms)


def already_final(operation: Operation, context: Context) -> Operation:
    """A success that was confirmed: nothing is left to do with it."""
    return replace(
        operation,
        version=operation.version + 1,
        lease=operation.lease.released(),
        due_at_ms=None,
        drives=0,
        updated_at_ms=context.now_ms,
    )


def expedite_operation(operation: Operation, now_ms: int) -> Operation:
    """Somebody hints at news: look now."""
    return replace(operation, version=operation.version + 1, ready_at_ms=now_ms, due_at_ms=now_ms + DUE_AFTER_ACCEPT_MS)


def _record_on_attempt(attempt: Attempt, outcome: OperationOutcome, context: Context) -> Attempt:
    """The attempt with what is now known of it."""
    state = operation_attempt_state_of(outcome)
    if state is None:
        raise ValueError("an outcome without a state is no news")
    known = replace(attempt, state=state, code=None, message=None, inquiries=0)
    if state is not AttemptState.UNKNOWN:
        known = replace(known, settled_at_ms=context.now_ms)
    match outcome:
        case Succeeded() | Accepted():
            return replace(known, reference=outcome.reference or attempt.reference)
        case Mismatch():
            return replace(known, reference=outcome.reference or attempt.reference, code=outcome.code)
        case Refused():
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
            raise ValueError("an inquiry that found nothing settles nothing")


def _advance(
    operation: Operation, payment: Payment, recorded: Attempt, context: Context
) -> tuple[Operation, Payment, int | None]:
    """Operation and payment after the attempt was settled, and the delay of the next wake-up."""
    match recorded.state:
        case AttemptState.SUCCEEDED if operation.status is OperationStatus.FAILED:
            return _in_review(operation, "late_success", recorded), take_late(payment, operation), None
        case AttemptState.SUCCEEDED:
            done = replace(operation, status=OperationStatus.SUCCEEDED, last_error=None, due_at_ms=None)
            return done, apply_success(payment, operation), None
        case AttemptState.MISMATCH:
            return _in_review(operation, "mismatch", recorded), payment, None
        case AttemptState.ACCEPTED | AttemptState.UNKNOWN:
            unsure = recorded.state is AttemptState.UNKNOWN
            open_ = replace(operation, last_error=_error("outcome_unknown", recorded) if unsure else None)
            in_review = operation.status is OperationStatus.IN_REVIEW
            wait_ms = REVIEW_INTERVAL_MS if in_review else inquiry_delay_ms(0)
            return _placed(*_wake_at(open_, context.now_ms + wait_ms, context.now_ms), payment)
        case _:
            return _without_effect(operation, payment, recorded, context)


def _placed(operation: Operation, wake: int | None, payment: Payment) -> tuple[Operation, Payment, int | None]:
    return operation, payment, wake


def _without_effect(
    operation: Operation, payment: Payment, recorded: Attempt, context: Context
) -> tuple[Operation, Payment, int | None]:
    """Refused for good, or proven not to have happened: try again, or give the amount back in this same write."""
    stop = why_stop(operation, context.now_ms)
    if stop is None and operation.status is OperationStatus.PENDING:
        error = _error("not_sent" if recorded.state is AttemptState.NOT_SENT else "rejected", recorded)
        delay_ms = retry_delay_ms(len(operation.attempts) - 1, context.jitter, recorded.retry_after_seconds)
        later = replace(operation, last_error=error)
        return _placed(*_wake_at(later, context.now_ms + delay_ms, context.now_ms), payment)
    return _failed(operation, stop or "refused"), give_back(payment, operation, context.now_ms), None


def _failed(operation: Operation, code: str) -> Operation:
    return replace(
        operation,
        status=OperationStatus.FAILED,
        last_error=_error(code, operation.last_attempt),
        due_at_ms=None,
    )


def _in_review(operation: Operation, code: str, recorded: Attempt) -> Operation:
    return replace(operation, status=OperationStatus.IN_REVIEW, last_error=_error(code, recorded), due_at_ms=None)


def _reverse(
    payment: Payment, operation: Operation, attempt: Attempt, outcome: OperationOutcome, context: Context
) -> Change:
    """The provider takes its success back. Whether the payer has the money is a person's business now."""
    known = replace(attempt, code=outcome.code if isinstance(outcome, Refused) else None)
    attempts = tuple(known if a.number == attempt.number else a for a in operation.attempts)
    review = _in_review(replace(operation, attempts=attempts), "reversed", known)
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
    """A capture or void often bears the charge's own reference, which has its owner already."""
    charge = payment.attempt(operation.charge_attempt)
    return recorded.reference if recorded.reference != charge.reference else None


def _wake_at(operation: Operation, at_ms: int, now_ms: int) -> tuple[Operation, int | None]:
    """Ready then; a message wakes the worker when the queue can wait that long, the sweeper does in any case."""
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
    """One change of both items with one event."""
    if before is not None:
        check_operation_transition(before.status, after.status)
        after = replace(
            after,
            version=before.version + 1,
            lease=before.lease.released() if context.holds_lease else before.lease,
            updated_at_ms=context.now_ms,
            drives=0,
        )
    return change_of(payment, paid, f"{after.kind}.{name}", facts, context, operation=(before, after))


_TEXTS: Final[Mapping[str, str]] = {
    "not_sent": "The provider could not be reached; nothing was sent.",
    "rejected": "The provider refused the request before processing it.",
    "refused": "The provider refused for good; no money moved.",
    "retries_exhausted": "Every allowed attempt was made; nothing was sent or taken.",
    "send_deadline_passed": "The time in which this may be sent is over; no money moved.",
    "account_removed": "The provider account that holds the charge was removed.",
    "outcome_unknown": "The provider's answer was not received; its outcome is being resolved.",
    "mismatch": "The provider reports another amount or reference than was asked for; a person has to look.",
    "late_success": "The provider carried out what it had refused before; a person has to look.",
    "reversed": "The provider took its success back; a person has to look.",
    "reconciliation": "The provider's list and this operation disagree; a person has to look.",
    "drives_exhausted": "It was woken many times without progress; a person has to look.",
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
    """What every event about an operation says of it."""
    return {
        "operationId": operation.operation_id,
        "amount": operation.amount,
        "operationStatus": operation.status.value,
    }


def _attempt_facts(recorded: Attempt) -> dict[str, Fact]:
    """No free text: a provider's message may hold what must not be in a trail."""
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
