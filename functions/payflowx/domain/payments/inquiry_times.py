"""The times of the next step on a payment or operation: one set of rules for both. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from payflowx.domain.payments import closed_attempts
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.checkout import next_read_at_ms
from payflowx.domain.payments.not_sent import SendTimes, next_send_at_ms
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.recovery_plan import inquiries_end_at_ms, is_to_close
from payflowx.domain.payments.review_since import is_in_review
from payflowx.domain.payments.work_item import Owner
from payflowx.domain.shared.backoff import REVIEW_INTERVAL_MS, inquiry_delay_ms, pending_delay_ms
from payflowx.domain.shared.limits import DUE_AFTER_ACCEPT_MS, MAX_QUEUE_DELAY_SECONDS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.statuses import AttemptState, OperationStatus, PaymentStatus

_MIN_CAPTURE_WAIT_MS: Final = MINUTE_MS


def wake_at(owner: Owner, at_ms: int, now_ms: int) -> tuple[Owner, int | None]:
    """Set the ready and due times; return the delay of the wake-up message in seconds.

    Returns None for a delay that exceeds the queue's limit: then the sweeper wakes the worker.
    """
    wait_seconds = max(0, -(-(at_ms - now_ms) // SECOND_MS))
    if wait_seconds > MAX_QUEUE_DELAY_SECONDS:
        return replace(owner, ready_at_ms=at_ms, due_at_ms=at_ms), None
    return replace(owner, ready_at_ms=at_ms, due_at_ms=at_ms + DUE_AFTER_ACCEPT_MS), wait_seconds


def still_due(owner: Owner, wake_in_seconds: int | None, context: Context) -> tuple[Owner, int | None]:
    """Keep an item due as long as an attempt may still become a charge, whatever the item's status."""
    if owner.due_at_ms is not None or not _is_unresolved(owner):
        return owner, wake_in_seconds
    wait_ms = REVIEW_INTERVAL_MS if is_in_review(owner) else inquiry_delay_ms(0)
    return wake_at(owner, context.now_ms + wait_ms, context.now_ms)


def due_beside_operation(payment: Payment, context: Context) -> Payment:
    """Return the payment after a result of an operation: due for its other attempts, unless a capture or void is open.

    The result of a capture or void is also that of its charge, and nothing is due for that any more. Another attempt
    may still be held or charged at its provider.
    """
    return payment if payment.open_capture_or_void is not None else still_due(payment, None, context)[0]


def inquired(owner: Owner, attempt: Attempt, context: Context) -> tuple[Owner, Attempt]:
    """Return owner and attempt after an inquiry without a new state: one inquiry more, and the lease released."""
    waited = replace(attempt, inquiries=attempt.inquiries + 1)
    kept = replace(
        owner,
        attempts=tuple(waited if a.number == attempt.number else a for a in owner.attempts),
        version=owner.version + 1,
        lease=owner.lease.released(),
        drives=0,
        updated_at_ms=context.now_ms,
    )
    return kept, waited


def first_inquiry_at_ms(owner: Payment | Operation, attempt: Attempt, context: Context) -> int:
    """Return the time of the first inquiry about an attempt that has just got its state."""
    if _is_open_object(attempt):
        return _next_read_at_ms(attempt, context)
    return context.now_ms + inquiry_delay_ms(0, _webhook_wait_ms(owner, attempt, context))


def inquired_closed(owner: Owner, attempt: Attempt, context: Context, *, is_answered: bool) -> tuple[Owner, int | None]:
    """Return the owner after an inquiry about a closed attempt that proved nothing, and the delay of the next wake-up.

    The lease is released, and the owner's own next step keeps its time. The caller makes the owner due for an inquiry
    that still waits.
    """
    kept, _ = inquired(owner, attempt, context)
    kept = replace(kept, attempts=owner.attempts)
    kept = closed_attempts.inquired(kept, attempt.number, context.now_ms, is_answered=is_answered)
    next_inquiry_at_ms = closed_attempts.ready_at_ms(kept)
    if next_inquiry_at_ms is not None and not _is_unresolved(kept):
        _, delay = wake_at(kept, next_inquiry_at_ms, context.now_ms)
        return replace(kept, due_at_ms=None), delay  # no further attempt begins before the inquiry that still waits
    if not has_next_step(kept):
        return replace(kept, due_at_ms=_last_read_at_ms(kept, context.now_ms)), None
    return wake_at(kept, max(kept.ready_at_ms, context.now_ms), context.now_ms)


def _last_read_at_ms(owner: Payment | Operation, now_ms: int) -> int | None:
    """Return the time at which a refund that succeeded is read once more; None for everything else."""
    is_refunded = isinstance(owner, Operation) and owner.status is OperationStatus.SUCCEEDED
    return owner.ready_at_ms if is_refunded and owner.ready_at_ms > now_ms else None


def has_next_step(owner: Payment | Operation) -> bool:
    """Return whether a worker has something to do about the owner, besides what provider events ask for."""
    if isinstance(owner, Operation):
        return owner.status is OperationStatus.PENDING or _is_unresolved(owner)
    settled_elsewhere = owner.open_capture_or_void is not None
    is_to_go_on = owner.status is PaymentStatus.PENDING or owner.is_checkout_to_go_on
    return is_to_go_on or (_is_unresolved(owner) and not settled_elsewhere)


def _is_unresolved(owner: Payment | Operation) -> bool:
    return any(attempt.is_open or attempt.is_watched for attempt in owner.attempts)


def unwatched(owner: Owner, attempt: Attempt) -> Owner:
    """Return the owner when the provider can no longer turn this decline into a success: no work is left."""
    closed = replace(attempt, reopens_until_ms=None)
    attempts = tuple(closed if a.number == attempt.number else a for a in owner.attempts)
    return replace(owner, attempts=attempts, due_at_ms=None)


def next_inquiry_at_ms(owner: Payment | Operation, attempt: Attempt, context: Context) -> int:
    """Return the time of the next inquiry about an attempt.

    An authorization is inquired about when it lapses; but a requested cancellation is tried again by the inquiry
    back-off, whatever the attempt's state. "Pending", and a closed attempt that may still become a charge, are inquired
    about more rarely after a day. Money that waits for our capture is inquired about in time for one.
    """
    if is_in_review(owner):
        return context.now_ms + REVIEW_INTERVAL_MS
    cancel_requested = _is_cancel_requested(owner)
    lapses_at_ms = attempt.deadline_ms or 0
    if attempt.state is AttemptState.AUTHORIZED and not cancel_requested and lapses_at_ms > context.now_ms:
        return lapses_at_ms
    if _is_open_object(attempt) and not cancel_requested and not is_to_close(owner, attempt):
        return _next_read_at_ms(attempt, context)
    pending = attempt.state is AttemptState.ACCEPTED and not cancel_requested
    delay_of_ms = pending_delay_ms if pending or attempt.is_watched else inquiry_delay_ms
    delay_ms = delay_of_ms(attempt.inquiries, _webhook_wait_ms(owner, attempt, context))
    turns_at_ms = [at_ms for at_ms in _turning_points(attempt, context) if at_ms > context.now_ms]
    return min([context.now_ms + delay_ms, *turns_at_ms, *_capture_times(attempt, context.now_ms)])


def _is_open_object(attempt: Attempt) -> bool:
    return attempt.hosted is not None and attempt.state is AttemptState.REQUIRES_ACTION


def _next_read_at_ms(attempt: Attempt, context: Context) -> int:
    """Return the time of the next read of an open hosted object; after its expiry, by the back-off of inquiries."""
    deadline_ms = attempt.deadline_ms or 0
    if context.now_ms >= deadline_ms:
        return context.now_ms + inquiry_delay_ms(attempt.inquiries)
    return min(next_read_at_ms(attempt.settled_at_ms or attempt.started_at_ms, context.now_ms), deadline_ms)


def _webhook_wait_ms(owner: Payment | Operation, attempt: Attempt, context: Context) -> int:
    """Return how long inquiries wait for the provider's webhook; a requested cancellation waits for none."""
    if context.able is None or _is_cancel_requested(owner):
        return 0
    return context.able.first_inquiry_after_ms.get(attempt.state, 0)


def _capture_times(attempt: Attempt, now_ms: int) -> list[int]:
    """Return the time of the next inquiry about money that the provider holds for us: in time for a capture.

    After half of the time that is left: the tries become denser towards its end, and their number stays small. The last
    one finds the money returned.
    """
    until_ms = attempt.held_for_us_until_ms
    if until_ms is None or not attempt.is_open or now_ms > until_ms:
        return []
    if until_ms - now_ms <= _MIN_CAPTURE_WAIT_MS:
        return [until_ms + _MIN_CAPTURE_WAIT_MS]
    return [now_ms + max(_MIN_CAPTURE_WAIT_MS, (until_ms - now_ms) // 2)]


def _is_cancel_requested(owner: Payment | Operation) -> bool:
    return isinstance(owner, Payment) and owner.cancel_requested


def _turning_points(attempt: Attempt, context: Context) -> list[int]:
    """Return the times at which the allowed recovery steps change.

    The payer's action lapses at the provider, the inquiry horizon ends, a refusal can be proven, or the provider can no
    longer turn a closed attempt into a charge: then it is inquired about last.
    """
    if attempt.is_watched and attempt.reopens_until_ms is not None:
        return [attempt.reopens_until_ms]
    if attempt.deadline_ms is not None:
        return [attempt.deadline_ms]
    if context.able is None or not attempt.is_open:
        return []
    refused = attempt.refused_send
    proven_at_ms = [refused.at_ms + context.able.visibility_lag_ms] if refused is not None else []
    return [inquiries_end_at_ms(attempt, context.able), *proven_at_ms]


def next_attempt_at_ms(
    owner: Payment | Operation, at_provider: Sequence[Attempt], context: Context, *, deadline_ms: int
) -> int | None:
    """Return the time of the next attempt at a provider; None if nothing could be sent for too long."""
    times = SendTimes(
        now_ms=context.now_ms,
        since_ms=owner.not_sent_since_ms,
        patience_ms=context.policy.not_sent_patience_ms,
        deadline_ms=deadline_ms,
        jitter=context.jitter,
    )
    return next_send_at_ms(owner.attempts, at_provider, times)
