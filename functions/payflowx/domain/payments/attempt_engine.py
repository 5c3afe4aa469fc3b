"""The attempt engine: the same steps for payments and operations. Pure.

A worker decides, verifies, applies, reviews and schedules through these functions. The rules that differ are those of
`state_machine` for payments and of `operation_state_machine` for captures, voids and refunds.
"""

from collections.abc import Set
from dataclasses import replace

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Change, Context
from payflowx.domain.payments.claim import ClaimDecision, decide_claim
from payflowx.domain.payments.closed_attempts import is_waiting, kept_due
from payflowx.domain.payments.erasure import erase_operation
from payflowx.domain.payments.inquiry_times import inquired_closed
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_claim import decide_operation_claim
from payflowx.domain.payments.operation_state_machine import (
    apply_operation_outcome,
    expedite_operation,
    fail_operation,
    schedule_operation_inquiry,
    send_operation_to_review,
)
from payflowx.domain.payments.outcome import Accepted, ActionRequired, Outcome, Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.retry import FailureReason, RetryPolicy
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.state_machine import (
    apply_outcome,
    expedite,
    fail_payment,
    schedule_inquiry,
    send_to_review,
)
from payflowx.domain.payments.work_item import WorkItem


def decide(item: WorkItem, policy: RetryPolicy, disabled: Set[str], now_ms: int) -> ClaimDecision:
    """Return exactly one decision for every stored state."""
    if item.operation is None:
        return decide_claim(item.payment, policy, disabled, now_ms)
    return decide_operation_claim(item.payment, item.operation, now_ms)


def apply(item: WorkItem, attempt: Attempt, outcome: Outcome, context: Context) -> Change | None:
    """Apply a verified outcome.

    Returns None when the outcome changes no state: then only the next inquiry is scheduled.
    """
    if item.operation is None:
        return apply_outcome(item.payment, attempt, outcome, context)
    return apply_operation_outcome(item.payment, item.operation, attempt, outcome, context)


def fail(item: WorkItem, reason: FailureReason, context: Context) -> Change:
    """End an item for which no money moved and no attempt is allowed any more."""
    if item.operation is None:
        return fail_payment(item.payment, reason, context)
    return fail_operation(item.payment, item.operation, reason.code, context)


def review(item: WorkItem, reason: ReviewReason, context: Context) -> Change:
    """Send an item to manual review. Daily inquiries continue, and a verified outcome closes the review."""
    if item.operation is None:
        return send_to_review(item.payment, reason, context)
    return send_operation_to_review(item.payment, item.operation, reason, context)


def schedule(
    item: WorkItem, attempt: Attempt, outcome: Outcome, context: Context
) -> tuple[Payment | Operation, int | None]:
    """Schedule the next inquiry after an outcome that changed no state.

    Returns the owner and the delay in seconds of the message that wakes a worker; None: the sweeper wakes it, or no
    work is left. "In progress" is no answer about a closed attempt: it may still become a charge.
    """
    is_answered = not isinstance(outcome, Unknown | Accepted | ActionRequired)
    if item.operation is None:
        if is_waiting(item.payment, attempt.number):
            payment, delay = inquired_closed(item.payment, attempt, context, is_answered=is_answered)
        else:
            payment, delay = schedule_inquiry(item.payment, attempt, context)
        return kept_due(payment), delay
    if is_waiting(item.operation, attempt.number):
        operation, delay = inquired_closed(item.operation, attempt, context, is_answered=is_answered)
    else:
        operation, delay = schedule_operation_inquiry(item.operation, attempt, outcome, context)
    if item.payment.erased:  # the answer may name the payer: this write has no event, so `change_of` does not see it
        operation = erase_operation(operation)
    return kept_due(operation), delay


def expedited(owner: Payment | Operation, now_ms: int) -> Payment | Operation:
    """Bring the next inquiry forward after an unverified webhook. Writes no event."""
    return expedite(owner, now_ms) if isinstance(owner, Payment) else expedite_operation(owner, now_ms)


def woken_less(owner: Payment | Operation, now_ms: int) -> Payment | Operation:
    """Take the last wake-up back. Writes no event."""
    lease = owner.lease.after_change_by_another(now_ms)
    return replace(owner, version=owner.version + 1, lease=lease, drives=owner.drives - 1)
