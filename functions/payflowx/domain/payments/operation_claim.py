"""What a worker may do with a capture, void or refund, decided from the stored item alone."""

from dataclasses import dataclass

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.claim import NoWork
from payflowx.domain.payments.operation import Operation
from payflowx.domain.shared.limits import EARLY_GRACE_MS, MAX_OPERATION_RETRIES
from payflowx.domain.shared.statuses import AttemptState, OperationStatus

_NOTHING_HAPPENED = frozenset({AttemptState.NOT_SENT, AttemptState.REJECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOperationAttempt:
    """Every attempt is proven without effect: begin a new one, at the same provider."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveOpenOperation:
    """Find out what became of this attempt; move nothing new."""

    attempt: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class FailOperation:
    """Nothing was moved, and it may not be tried any more."""

    code: str


OperationDecision = NoWork | StartOperationAttempt | ResolveOpenOperation | FailOperation


def decide_operation_claim(operation: Operation, now_ms: int) -> OperationDecision:
    """Exactly one answer for every stored state. Appending is the last case, reached only if nothing is open."""
    if operation.lease.is_live(now_ms):
        return NoWork(reason="another worker holds the lease")
    if operation.due_at_ms is None:
        return NoWork(reason="nothing is left to do")
    if now_ms + EARLY_GRACE_MS < operation.ready_at_ms:
        return NoWork(reason="it is not time yet")
    last = operation.last_attempt
    if last is not None and (last.is_open or operation.status is not OperationStatus.PENDING):
        return ResolveOpenOperation(attempt=last)
    if operation.status is not OperationStatus.PENDING:
        return NoWork(reason="a person has to look")
    stop = why_stop(operation, now_ms)
    return FailOperation(code=stop) if stop else StartOperationAttempt(number=len(operation.attempts) + 1)


def why_stop(operation: Operation, now_ms: int) -> str | None:
    """Why no further attempt may be made; None if one may."""
    if not all(attempt.state in _NOTHING_HAPPENED for attempt in operation.attempts):
        return "refused"
    if len(operation.attempts) > MAX_OPERATION_RETRIES:
        return "retries_exhausted"
    return "send_deadline_passed" if now_ms >= operation.send_deadline_ms else None
