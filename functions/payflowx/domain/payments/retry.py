"""The decision whether a further attempt is allowed, and at which provider.

It requires that every attempt is proven uncharged.
"""

from collections.abc import Set
from dataclasses import dataclass

from payflowx.domain.payments.payment import Candidate, Payment
from payflowx.domain.shared.limits import MAX_ATTEMPTS, MAX_RETRIES_CEILING
from payflowx.domain.shared.statuses import AttemptState, DeclineKind

_SAME_PROVIDER_AGAIN = frozenset({AttemptState.NOT_SENT, AttemptState.REJECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """The number of retries, and the time after acceptance within which a payment may be charged."""

    max_retries: int
    charge_deadline_ms: int

    def __post_init__(self) -> None:
        if not 0 <= self.max_retries <= MAX_RETRIES_CEILING:
            raise ValueError(f"max_retries must be 0 to {MAX_RETRIES_CEILING}, not {self.max_retries}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureReason:
    """The reason why no further attempt is allowed."""

    code: str
    message: str


def choose_candidate(
    payment: Payment, policy: RetryPolicy, disabled: Set[str], now_ms: int
) -> Candidate | FailureReason:
    """Return the next candidate of the route, or the reason why there is none.

    An untried candidate comes first, then one whose attempts all proved that nothing happened. A provider that declined
    is not tried again; a disabled one is skipped.
    """
    reason = _why_no_attempt(payment, policy, now_ms)
    if reason is not None:
        return reason
    usable = [candidate for candidate in payment.route.candidates if candidate.provider not in disabled]
    tried = [_states_at(payment, candidate) for candidate in usable]
    untried_first = sorted(
        (len(states), place)
        for place, states in enumerate(tried)
        if all(state in _SAME_PROVIDER_AGAIN for state in states)
    )
    if not untried_first:
        return FailureReason(code="route_exhausted", message="No provider of the route is left to try.")
    return usable[untried_first[0][1]]


def _states_at(payment: Payment, candidate: Candidate) -> list[AttemptState]:
    return [attempt.state for attempt in payment.attempts if attempt.provider == candidate.provider]


def _why_no_attempt(payment: Payment, policy: RetryPolicy, now_ms: int) -> FailureReason | None:
    last = payment.last_attempt
    if last is not None:
        if last.decline_kind is DeclineKind.HARD:
            return FailureReason(
                code="hard_decline", message="The issuer declined finally; do not retry this payment method."
            )
        if last.decline_kind is DeclineKind.FUNDS:
            return FailureReason(
                code="insufficient_funds", message="The payer has insufficient funds or has reached a limit."
            )
        if last.reopens_until_ms is not None:
            return FailureReason(
                code="soft_decline",
                message="The provider declined but may still reverse that, so no other provider is tried.",
            )
    if len(payment.attempts) > policy.max_retries or len(payment.attempts) >= MAX_ATTEMPTS:
        return FailureReason(code="retries_exhausted", message="All allowed attempts were made without success.")
    if now_ms >= payment.charge_deadline_ms:
        return FailureReason(
            code="charge_deadline_passed", message="The time limit for charging this payment has passed."
        )
    return None
