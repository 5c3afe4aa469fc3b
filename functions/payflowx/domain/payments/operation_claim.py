"""The next action of a worker on a capture, void or refund, decided from the stored item alone."""

from dataclasses import dataclass

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.claim import NoWork
from payflowx.domain.payments.not_sent import answered
from payflowx.domain.payments.operation import Operation
from payflowx.domain.shared.limits import EARLY_GRACE_MS, MAX_ATTEMPTS, MAX_OPERATION_RETRIES
from payflowx.domain.shared.statuses import AttemptState, OperationStatus

_NOTHING_HAPPENED = frozenset({AttemptState.NOT_SENT, AttemptState.REJECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOperationAttempt:
    """Every attempt is proven without effect: start a new one at the same provider."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenOperationAttempt:
    """Nothing was sent for the last attempt, and every other one is proven without effect: open it again.

    If its request is not the stored one any more, `start_operation_instead` says what takes its place.
    """

    attempt: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveOpenOperation:
    """Resolve the open attempt; never send a new request for the money."""

    attempt: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class FailOperation:
    """No money moved and no attempt is allowed any more: end as FAILED."""

    code: str


OperationDecision = NoWork | StartOperationAttempt | ReopenOperationAttempt | ResolveOpenOperation | FailOperation


def decide_operation_claim(operation: Operation, now_ms: int) -> OperationDecision:
    """Return exactly one decision for every stored state.

    `StartOperationAttempt` and `ReopenOperationAttempt` are the last cases, reached only if no attempt is open.
    """
    if operation.lease.is_live(now_ms):
        return NoWork(reason="another worker holds the lease")
    if operation.due_at_ms is None:
        return NoWork(reason="no work is left")
    if now_ms + EARLY_GRACE_MS < operation.ready_at_ms:
        return NoWork(reason="the next step is not due yet")
    last = operation.last_attempt
    if last is not None and (last.is_open or operation.status is not OperationStatus.PENDING):
        return ResolveOpenOperation(attempt=last)
    if operation.status is not OperationStatus.PENDING:
        return NoWork(reason="waiting for manual review")
    reason = why_stop(operation, now_ms)
    if reason is not None:
        return FailOperation(code=reason)
    if last is not None and last.state is AttemptState.NOT_SENT:
        return ReopenOperationAttempt(attempt=last)
    return StartOperationAttempt(number=len(operation.attempts) + 1)


def start_operation_instead(operation: Operation) -> StartOperationAttempt | FailOperation:
    """Return the decision for an attempt whose stored request cannot be sent any more: a new one, under a new key."""
    if len(operation.attempts) >= MAX_ATTEMPTS:
        return FailOperation(code="retries_exhausted")
    return StartOperationAttempt(number=len(operation.attempts) + 1)


def why_stop(operation: Operation, now_ms: int) -> str | None:
    """Return the reason why no further attempt is allowed; None if one is."""
    if not all(attempt.state in _NOTHING_HAPPENED for attempt in operation.attempts):
        return "refused"
    last = operation.last_attempt
    may_append = len(operation.attempts) < MAX_ATTEMPTS or (last is not None and last.state is AttemptState.NOT_SENT)
    if answered(operation.attempts) > MAX_OPERATION_RETRIES or not may_append:
        return "retries_exhausted"
    return "send_deadline_passed" if now_ms >= operation.send_deadline_ms else None
