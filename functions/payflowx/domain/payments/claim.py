"""The next action of a worker on a payment, decided from the stored item alone."""

from collections.abc import Set
from dataclasses import dataclass

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.payment import Candidate, Payment
from payflowx.domain.payments.retry import FailureReason, RetryPolicy, choose_candidate
from payflowx.domain.shared.limits import EARLY_GRACE_MS
from payflowx.domain.shared.statuses import FINAL_STATUSES, PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class NoWork:
    """No action now, or none ever; `reason` is for the log."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAttempt:
    """Every attempt is proven uncharged: start a new one at this candidate."""

    number: int
    candidate: Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveOpenAttempt:
    """Resolve the open attempt; never start another charge."""

    attempt: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class FailPayment:
    """Nothing was charged and no attempt is allowed any more: end as FAILED or CANCELLED."""

    stop: FailureReason


ClaimDecision = NoWork | StartAttempt | ResolveOpenAttempt | FailPayment


def decide_claim(payment: Payment, policy: RetryPolicy, disabled: Set[str], now_ms: int) -> ClaimDecision:
    """Return exactly one decision for every stored state.

    `StartAttempt` is the last case, reached only if no attempt is open.
    """
    if payment.lease.is_live(now_ms):
        return NoWork(reason="another worker holds the lease")
    if payment.due_at_ms is None:
        return NoWork(reason="no work is left")
    if now_ms + EARLY_GRACE_MS < payment.ready_at_ms:
        return NoWork(reason="the next step is not due yet")
    if payment.open_capture_or_void is not None:
        return NoWork(reason="an open capture or void decides the charge's state")
    unresolved = next((a for a in payment.attempts if a.is_open or a.reopens_until_ms is not None), None)
    if unresolved is not None:
        return ResolveOpenAttempt(attempt=unresolved)
    if payment.charged_attempt is not None:
        return NoWork(reason="the payment is charged")
    if payment.status in FINAL_STATUSES:
        return NoWork(reason="the payment is final")
    if payment.status is PaymentStatus.IN_REVIEW:
        return NoWork(reason="waiting for manual review")
    if not all(attempt.is_proven_uncharged for attempt in payment.attempts):
        return NoWork(reason="an earlier attempt is not proven uncharged")
    if payment.cancel_requested:
        return FailPayment(stop=FailureReason(code="cancelled", message="The merchant cancelled the payment."))
    candidate = choose_candidate(payment, policy, disabled, now_ms)
    if isinstance(candidate, FailureReason):
        return FailPayment(stop=candidate)
    return StartAttempt(number=len(payment.attempts) + 1, candidate=candidate)
