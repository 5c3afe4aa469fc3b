"""What a worker may do with a payment, decided from the stored item alone."""

from collections.abc import Set
from dataclasses import dataclass

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.payment import Candidate, Payment
from payflowx.domain.payments.retry import FailureReason, RetryPolicy, choose_candidate
from payflowx.domain.shared.limits import EARLY_GRACE_MS
from payflowx.domain.shared.statuses import FINAL_STATUSES, PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class NoWork:
    """Not now, or never again; `reason` is for the log."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAttempt:
    """Every attempt is proven uncharged: begin a new one there."""

    number: int
    candidate: Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveOpenAttempt:
    """Find out what became of this attempt; charge nothing new."""

    attempt: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class FailPayment:
    """Nothing was charged and nothing may be tried any more: the payment ends as failed or cancelled."""

    stop: FailureReason


ClaimDecision = NoWork | StartAttempt | ResolveOpenAttempt | FailPayment


def decide_claim(payment: Payment, policy: RetryPolicy, disabled: Set[str], now_ms: int) -> ClaimDecision:
    """Exactly one answer for every stored state. Appending is the last case, reached only if nothing is open."""
    if payment.lease.is_live(now_ms):
        return NoWork(reason="another worker holds the lease")
    if payment.due_at_ms is None:
        return NoWork(reason="nothing is left to do")
    if now_ms + EARLY_GRACE_MS < payment.ready_at_ms:
        return NoWork(reason="it is not time yet")
    if payment.open_capture_or_void is not None:
        return NoWork(reason="a capture or void decides what becomes of the charge")
    unresolved = next((a for a in payment.attempts if a.is_open or a.reopens_until_ms is not None), None)
    if unresolved is not None:
        return ResolveOpenAttempt(attempt=unresolved)
    if payment.charged_attempt is not None:
        return NoWork(reason="it is charged")
    if payment.status in FINAL_STATUSES:
        return NoWork(reason="it is final")
    if payment.status is PaymentStatus.IN_REVIEW:
        return NoWork(reason="a person has to look")
    if not all(attempt.is_proven_uncharged for attempt in payment.attempts):
        return NoWork(reason="an earlier attempt is not proven uncharged")
    if payment.cancel_requested:
        return FailPayment(stop=FailureReason(code="cancelled", message="The merchant cancelled the payment."))
    candidate = choose_candidate(payment, policy, disabled, now_ms)
    if isinstance(candidate, FailureReason):
        return FailPayment(stop=candidate)
    return StartAttempt(number=len(payment.attempts) + 1, candidate=candidate)
