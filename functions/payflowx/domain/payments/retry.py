"""The decision whether a further attempt is allowed, and at which provider.

It requires that every attempt is proven uncharged.
"""

from collections.abc import Set
from dataclasses import dataclass

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.not_sent import answered
from payflowx.domain.payments.outcome import RETRYABLE_REJECTIONS
from payflowx.domain.payments.payment import Candidate, Payment
from payflowx.domain.shared.limits import HOUR_MS, MAX_ATTEMPTS, MAX_RETRIES_CEILING
from payflowx.domain.shared.statuses import AttemptState, DeclineKind


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """The number of retries, and the times within which a payment may be charged and an operation sent.

    `max_retries` counts attempts that a provider answered. `charge_deadline_ms` counts from acceptance.
    `not_sent_patience_ms`: how long a request that cannot be sent is tried again.
    """

    max_retries: int
    charge_deadline_ms: int
    not_sent_patience_ms: int = HOUR_MS

    def __post_init__(self) -> None:
        if not 0 <= self.max_retries <= MAX_RETRIES_CEILING:
            raise ValueError(f"max_retries must be 0 to {MAX_RETRIES_CEILING}, not {self.max_retries}")
        if self.not_sent_patience_ms < 0:
            raise ValueError(f"not_sent_patience_ms must not be negative, as {self.not_sent_patience_ms} is")


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureReason:
    """The reason why no further attempt is allowed."""

    code: str
    message: str


RETRIES_EXHAUSTED = FailureReason(code="retries_exhausted", message="All allowed attempts were made without success.")
PATIENCE_OVER = FailureReason(code="not_sent_in_time", message="No provider could be reached within the time for it.")
CHECKOUT_EXPIRED = FailureReason(code="checkout_expired", message="The payer did not pay in time.")
CHECKOUT_ATTEMPTS_USED = FailureReason(
    code="checkout_attempts_used", message="The payer has made all allowed attempts of this checkout."
)


def choose_candidate(
    payment: Payment, policy: RetryPolicy, disabled: Set[str], now_ms: int
) -> Candidate | FailureReason:
    """Return the next candidate of the route, or the reason why there is none.

    An untried candidate comes first. Then the one that was tried longest ago, if the same request may pass there later:
    so a provider that cannot be reached does not keep a payment from one that can. A provider that declined, or refused
    the request itself, is not tried again; a disabled one is skipped.
    """
    reason = _why_no_attempt(payment, policy, now_ms)
    if reason is not None:
        return reason
    usable = [
        (_last_claim_of(payment, candidate), place, candidate)
        for place, candidate in enumerate(payment.route.candidates)
        if candidate.provider not in disabled
        and all(may_try_again(attempt) for attempt in _attempts_at(payment, candidate))
    ]
    if not usable:
        return FailureReason(code="route_exhausted", message="No provider of the route is left to try.")
    if len(payment.attempts) < MAX_ATTEMPTS:
        return min(usable)[-1]
    kept = [found for found in usable if attempt_to_reopen(payment, found[-1]) is not None]
    return min(kept)[-1] if kept else RETRIES_EXHAUSTED


def attempt_to_reopen(payment: Payment, candidate: Candidate) -> Attempt | None:
    """Return the candidate's newest attempt if nothing was sent for it; None if a new attempt is required."""
    newest = next(reversed(_attempts_at(payment, candidate)), None)
    return newest if newest is not None and newest.state is AttemptState.NOT_SENT else None


def may_try_again(attempt: Attempt) -> bool:
    """Return whether the same provider may be asked again after this attempt of a payment or operation.

    Nothing was sent, or the provider rejected it for its time or the account's credentials. A provider that refused
    the request itself refuses it again.
    """
    if attempt.state is AttemptState.REJECTED:
        return attempt.code in RETRYABLE_REJECTIONS
    return attempt.state is AttemptState.NOT_SENT


def _attempts_at(payment: Payment, candidate: Candidate) -> list[Attempt]:
    return [attempt for attempt in payment.attempts if attempt.provider == candidate.provider]


def _last_claim_of(payment: Payment, candidate: Candidate) -> int:
    return max((attempt.epoch for attempt in _attempts_at(payment, candidate)), default=0)


def _why_no_attempt(payment: Payment, policy: RetryPolicy, now_ms: int) -> FailureReason | None:
    kinds = {attempt.decline_kind for attempt in payment.attempts if attempt.state is AttemptState.DECLINED}
    if DeclineKind.HARD in kinds:
        return FailureReason(
            code="hard_decline", message="The issuer declined finally; do not retry this payment method."
        )
    if DeclineKind.FUNDS in kinds:
        return FailureReason(
            code="insufficient_funds", message="The payer has insufficient funds or has reached a limit."
        )
    if any(attempt.is_watched for attempt in payment.attempts):
        return FailureReason(
            code="soft_decline",
            message="The provider declined but may still reverse that, so no other provider is tried.",
        )
    if answered(payment.attempts) > policy.max_retries:
        return RETRIES_EXHAUSTED
    if now_ms >= payment.charge_deadline_ms:
        return FailureReason(
            code="charge_deadline_passed", message="The time limit for charging this payment has passed."
        )
    return None
