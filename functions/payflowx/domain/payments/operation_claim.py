"""The next action of a worker on a capture, void or refund, decided from the stored item alone."""

from payflowx.domain.payments.claim import (
    ClaimDecision,
    FailPayment,
    InquireClosedAttempt,
    NoWork,
    ReopenAttempt,
    ResolveOpenAttempt,
    StartAttempt,
)
from payflowx.domain.payments.closed_attempts import due_inquiry, is_waiting
from payflowx.domain.payments.not_sent import answered
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Candidate, Payment
from payflowx.domain.payments.retry import FailureReason, may_try_again
from payflowx.domain.shared.limits import EARLY_GRACE_MS, MAX_ATTEMPTS, MAX_OPERATION_RETRIES
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, OperationStatus


def decide_operation_claim(payment: Payment, operation: Operation, now_ms: int) -> ClaimDecision:
    """Return exactly one decision for every stored state.

    `StartAttempt` and `ReopenAttempt` are the last cases, reached only if no attempt is open. Only the provider and
    account that hold the charge can execute the operation.
    """
    if operation.lease.is_live(now_ms):
        return NoWork(reason="another worker holds the lease")
    if operation.due_at_ms is None:
        return NoWork(reason="no work is left")
    hinted = due_inquiry(operation, now_ms)
    if hinted is not None:
        return InquireClosedAttempt(attempt=hinted)
    if now_ms + EARLY_GRACE_MS < operation.ready_at_ms:
        return NoWork(reason="the next step is not due yet")
    last = operation.last_attempt
    if last is not None and (last.is_open or operation.status is not OperationStatus.PENDING):
        return ResolveOpenAttempt(attempt=last)
    if operation.status is not OperationStatus.PENDING:
        return NoWork(reason="waiting for manual review")
    reason = why_stop(operation, now_ms) or _why_not_captured(payment, operation)
    if reason is not None:
        return FailPayment(stop=FailureReason(code=reason, message=""))
    if is_waiting(operation):
        return NoWork(reason="an inquiry about a closed attempt comes first")
    charge = payment.attempt(operation.charge_attempt)
    candidate = Candidate(provider=charge.provider, account_id=charge.account_id)
    if last is not None and last.state is AttemptState.NOT_SENT:
        return ReopenAttempt(attempt=last, candidate=candidate)
    return StartAttempt(number=len(operation.attempts) + 1, candidate=candidate)


def _why_not_captured(payment: Payment, operation: Operation) -> str | None:
    """Return the reason why no capture begins any more; None if it may.

    Another payment of the order was charged after the capture was accepted. No request of it can have moved money.
    """
    is_stopped = operation.kind is OperationKind.CAPTURE and payment.cancel_requested
    return "payment_stopped" if is_stopped else None


def why_stop(operation: Operation, now_ms: int) -> str | None:
    """Return the reason why no further attempt is allowed; None if one is."""
    if not all(may_try_again(attempt) for attempt in operation.attempts):
        return "refused"
    last = operation.last_attempt
    may_append = len(operation.attempts) < MAX_ATTEMPTS or (last is not None and last.state is AttemptState.NOT_SENT)
    if answered(operation.attempts) > MAX_OPERATION_RETRIES or not may_append:
        return "retries_exhausted"
    return "send_deadline_passed" if now_ms >= operation.send_deadline_ms else None
