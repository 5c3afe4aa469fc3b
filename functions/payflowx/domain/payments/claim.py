"""The next action of a worker on a payment, decided from the stored item alone."""

from collections.abc import Sequence, Set
from dataclasses import dataclass

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.checkout import Checkout
from payflowx.domain.payments.closed_attempts import due_inquiry, is_waiting
from payflowx.domain.payments.payment import Candidate, Payment
from payflowx.domain.payments.retry import (
    CHECKOUT_EXPIRED,
    RETRIES_EXHAUSTED,
    FailureReason,
    RetryPolicy,
    attempt_to_reopen,
    choose_candidate,
)
from payflowx.domain.shared.limits import EARLY_GRACE_MS, MAX_ATTEMPTS
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
class ReopenAttempt:
    """Nothing was sent for this attempt, and every other one is proven uncharged: open it again at its candidate.

    If its request is not the stored one any more, `start_instead` says what takes its place.
    """

    attempt: Attempt
    candidate: Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveOpenAttempt:
    """Resolve the open attempt; never start another charge."""

    attempt: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class InquireClosedAttempt:
    """A provider event was about a closed attempt: inquire, and start nothing before the answer."""

    attempt: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class FailPayment:
    """Nothing was charged and no attempt is allowed any more: end as FAILED or CANCELLED."""

    stop: FailureReason


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOver:
    """The first way of the payer's choice was switched off before its attempt: go on with the next one, if any."""

    checkout: Checkout


ClaimDecision = (
    NoWork | StartAttempt | ReopenAttempt | ResolveOpenAttempt | InquireClosedAttempt | FailPayment | PassOver
)


def target_of(decision: ClaimDecision) -> Attempt | Candidate | None:
    """Return whose account the decision's next request goes to; None if nothing is sent."""
    match decision:
        case StartAttempt(candidate=candidate) | ReopenAttempt(candidate=candidate):
            return candidate
        case ResolveOpenAttempt(attempt=attempt) | InquireClosedAttempt(attempt=attempt):
            return attempt
        case NoWork() | FailPayment() | PassOver():
            return None


def decide_claim(payment: Payment, policy: RetryPolicy, disabled: Set[str], now_ms: int) -> ClaimDecision:
    """Return exactly one decision for every stored state.

    `StartAttempt` and `ReopenAttempt` are the last cases, reached only if no attempt is open.
    """
    if payment.lease.is_live(now_ms):
        return NoWork(reason="another worker holds the lease")
    if payment.due_at_ms is None:
        return NoWork(reason="no work is left")
    hinted = due_inquiry(payment, now_ms)
    if hinted is not None:
        return InquireClosedAttempt(attempt=hinted)
    if now_ms + EARLY_GRACE_MS < payment.ready_at_ms:
        return NoWork(reason="the next step is not due yet")
    if payment.open_capture_or_void is not None:
        return NoWork(reason="an open capture or void decides the charge's state")
    if is_over(payment, now_ms):
        return FailPayment(stop=CHECKOUT_EXPIRED)
    unresolved = payment.unresolved_attempt
    if unresolved is not None:
        return ResolveOpenAttempt(attempt=unresolved)
    reason = _why_no_attempt(payment)
    if reason is not None:
        return NoWork(reason=reason)
    if payment.cancel_requested:
        return FailPayment(stop=FailureReason(code="cancelled", message="The merchant cancelled the payment."))
    if payment.checkout is not None:
        return _chosen_attempt(payment, payment.checkout, disabled, now_ms)
    return _further_attempt(payment, policy, disabled, now_ms)


def _why_no_attempt(payment: Payment) -> str | None:
    """Return why no attempt may begin, whoever asks for one; None if one may."""
    if payment.charged_attempt is not None:
        return "the payment is charged"
    if payment.status in FINAL_STATUSES:
        return "the payment is final"
    if payment.status is PaymentStatus.IN_REVIEW:
        return "waiting for manual review"
    if not all(attempt.is_proven_uncharged for attempt in payment.attempts):
        return "an earlier attempt is not proven uncharged"
    return None


def is_over(payment: Payment, now_ms: int) -> bool:
    """Return whether a checkout has ended: its time is over, and no object is open in which the payer may still pay."""
    if payment.checkout is None or payment.status is not PaymentStatus.REQUIRES_ACTION:
        return False
    return now_ms >= payment.checkout.expires_at_ms and not any(attempt.is_open for attempt in payment.attempts)


def _chosen_attempt(
    payment: Payment, checkout: Checkout, disabled: Set[str], now_ms: int
) -> NoWork | StartAttempt | FailPayment | PassOver:
    """A checkout starts an attempt for the payer's stored choice only, which this claim uses up."""
    if now_ms >= checkout.expires_at_ms:
        return FailPayment(stop=CHECKOUT_EXPIRED)
    if is_waiting(payment):
        return NoWork(reason="an inquiry about a closed attempt comes first")
    choice = checkout.choice_for(len(payment.attempts) + 1)
    if choice is None:
        return NoWork(reason="the payer has not chosen")
    going_on = checkout.passing_over(disabled)
    if going_on is not checkout:
        return PassOver(checkout=going_on)
    candidate = next((c for c in payment.route.candidates if c.provider == choice.ways[0]), None)
    if candidate is None:
        return NoWork(reason="the route has no such provider")
    return StartAttempt(number=choice.number, candidate=candidate)


def _further_attempt(
    payment: Payment, policy: RetryPolicy, disabled: Set[str], now_ms: int
) -> NoWork | StartAttempt | ReopenAttempt | FailPayment:
    candidate = choose_candidate(payment, policy, disabled, now_ms)
    if isinstance(candidate, FailureReason):
        return FailPayment(stop=candidate)
    if is_waiting(payment):
        return NoWork(reason="an inquiry about a closed attempt comes first")
    unsent = attempt_to_reopen(payment, candidate)
    if unsent is not None:
        return ReopenAttempt(attempt=unsent, candidate=candidate)
    return StartAttempt(number=len(payment.attempts) + 1, candidate=candidate)


def start_instead(attempts: Sequence[Attempt], reopening: ReopenAttempt) -> StartAttempt | FailPayment:
    """Return the decision for an attempt whose stored request cannot be sent any more: a new one, under a new key."""
    if len(attempts) >= MAX_ATTEMPTS:
        return FailPayment(stop=RETRIES_EXHAUSTED)
    return StartAttempt(number=len(attempts) + 1, candidate=reopening.candidate)
