"""Attempts of which it is proven that nothing was sent: one set of rules for payments and operations.

They cost no retry, because no provider answered. Instead they have a time of their own, in which the same attempt is
opened again under its key. Nothing had left before, so the request that follows is the first one. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from payflowx.domain.payments.attempt import ANSWER_STORED, Attempt
from payflowx.domain.shared.backoff import resend_delay_ms, retry_delay_ms
from payflowx.domain.shared.errors import TransitionError
from payflowx.domain.shared.limits import HOUR_MS, SECOND_MS
from payflowx.domain.shared.statuses import AttemptState


def answered(attempts: Sequence[Attempt]) -> int:
    """Return the number of attempts that a provider answered, or may have received."""
    return sum(attempt.state is not AttemptState.NOT_SENT for attempt in attempts)


def not_sent_since(since_ms: int | None, recorded: Attempt, now_ms: int) -> int | None:
    """Return the time since which nothing could be sent; None if the recorded attempt left.

    `since_ms`: the time before `recorded` got its state.
    """
    if recorded.state is not AttemptState.NOT_SENT:
        return None
    return now_ms if since_ms is None else since_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTimes:
    """The times that decide when a further request for the same money may be sent."""

    now_ms: int
    since_ms: int | None
    """The time since which nothing could be sent; None if the latest attempt left."""
    patience_ms: int
    """How long a request that cannot be sent is tried again."""
    deadline_ms: int
    """After this time nothing is sent any more."""
    jitter: float


def next_send_at_ms(attempts: Sequence[Attempt], at_provider: Sequence[Attempt], times: SendTimes) -> int | None:
    """Return the time of the next attempt at a provider; None if nothing could be sent for too long.

    A provider without an attempt is tried at once. After an answer the back-off counts answers. Where nothing was sent,
    it grows with the time since then; the last try is made when the patience ends. A Retry-After is respected. At the
    deadline nothing is sent, but the payment or operation ends.
    """
    if not at_provider:
        return times.now_ms
    if times.since_ms is None:
        at_ms = times.now_ms + retry_delay_ms(answered(attempts) - 1, times.jitter)
    else:
        ends_at_ms = times.since_ms + times.patience_ms
        if times.now_ms >= ends_at_ms:
            return None
        at_ms = min(times.now_ms + resend_delay_ms(times.now_ms - times.since_ms, times.jitter), ends_at_ms)
    at_ms = max(at_ms, *(_asked_to_wait_until_ms(attempt) for attempt in at_provider))
    return min(at_ms, times.deadline_ms)


def reopened(attempt: Attempt, *, epoch: int, now_ms: int) -> Attempt:
    """Return the attempt as the claim with this epoch stores it before the request is sent again.

    Key, request hash and completed steps stay. Ages and windows count from now. Raises `TransitionError` for an attempt
    that may have been sent.
    """
    if attempt.state is not AttemptState.NOT_SENT:
        raise TransitionError(f"an attempt that is {attempt.state} may have been sent; it is not opened again")
    return replace(
        attempt,
        state=AttemptState.STARTED,
        epoch=epoch,
        started_at_ms=now_ms,
        settled_at_ms=None,
        code=None,
        message=None,
        refused_send=None,
        progress={name: value for name, value in attempt.progress.items() if name != ANSWER_STORED},
        inquiries=0,
    )


def _asked_to_wait_until_ms(attempt: Attempt) -> int:
    """Return the time until which the provider asked us to wait when it rejected this attempt; 0 if it did not.

    At most an hour after its answer.
    """
    if attempt.retry_after_seconds == 0 or attempt.settled_at_ms is None:
        return 0
    return attempt.settled_at_ms + min(attempt.retry_after_seconds * SECOND_MS, HOUR_MS)
