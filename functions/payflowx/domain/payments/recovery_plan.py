"""Recovery of an open attempt, in order of least risk: inquire, re-send, cancel and confirm.

No number of `NotFound` answers proves that nothing was charged, and no elapsed time does.
"""

from dataclasses import dataclass

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.hosted import MAX_FAILED_TRIES
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.limits import HOUR_MS, MINUTE_MS
from payflowx.domain.shared.statuses import AttemptState, OperationStatus, PaymentStatus

_WINDOW_MARGIN_MS = 30 * MINUTE_MS
"""A re-send must arrive well inside the provider's window, whatever the clocks' difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryStep:
    """The recovery steps that are allowed for an attempt now."""

    continue_charge: bool = False
    """No request that charges was sent, and no older worker can send one: take the next step."""
    resend: bool = False
    cancel_and_confirm: bool = False
    exhausted: bool = False
    """No automatic step can resolve the attempt: it requires manual review."""
    absent_is_exhausted: bool = False
    """It does as soon as an inquiry finds nothing: a restore has forgotten what was sent, and nothing is sent again."""


def recovery_step_for(
    payment: Payment,
    attempt: Attempt,
    capabilities: Capabilities,
    *,
    may_have_charged: bool,
    same_request: bool,
    can_cancel: bool,
    now_ms: int,
) -> RecoveryStep:
    """Return the steps allowed besides an inquiry.

    `same_request`: the request built today equals the stored one. Once our own capture may have left, only inquiries
    are allowed; the capture itself is repeated while a read shows an authorization.
    """
    if payment.status is PaymentStatus.IN_REVIEW or not attempt.is_open:
        return RecoveryStep()
    if attempt.capture_sent_at_ms is not None:
        return RecoveryStep(exhausted=_is_exhausted(attempt, capabilities, in_window=False, now_ms=now_ms))
    undecided = attempt.state in {AttemptState.STARTED, AttemptState.UNKNOWN}
    if undecided and attempt.is_sent_before_restore:
        exhausted = _is_exhausted(attempt, capabilities, in_window=False, now_ms=now_ms)
        return RecoveryStep(exhausted=exhausted, absent_is_exhausted=True)
    if undecided and not may_have_charged:
        return RecoveryStep(continue_charge=not payment.cancel_requested, cancel_and_confirm=can_cancel)
    age_ms = now_ms - attempt.started_at_ms
    in_window = age_ms < capabilities.idempotency_window_ms - _WINDOW_MARGIN_MS and now_ms < payment.charge_deadline_ms
    lapsed = attempt.deadline_ms is not None and now_ms >= attempt.deadline_ms
    is_visible = undecided and age_ms >= capabilities.visibility_lag_ms
    patience_over = payment.cancel_requested or lapsed or is_visible or is_to_close(payment, attempt)
    return RecoveryStep(
        resend=undecided and same_request and in_window and not payment.cancel_requested and not attempt.answer_stored,
        cancel_and_confirm=can_cancel and patience_over,
        exhausted=_is_exhausted(attempt, capabilities, in_window=in_window and same_request, now_ms=now_ms),
    )


def is_to_close(owner: Payment | Operation, attempt: Attempt) -> bool:
    """Return whether the open hosted object is closed: at the payer's request, or after too many failed tries."""
    checkout = owner.checkout if isinstance(owner, Payment) else None
    asked = checkout is not None and checkout.closing == attempt.number
    return asked or attempt.failed_tries >= MAX_FAILED_TRIES


def _is_exhausted(attempt: Attempt, capabilities: Capabilities, *, in_window: bool, now_ms: int) -> bool:
    if attempt.deadline_ms is not None:
        return now_ms >= attempt.deadline_ms + capabilities.inquiry_horizon_ms
    if attempt.state in {AttemptState.STARTED, AttemptState.UNKNOWN} and in_window and not attempt.answer_stored:
        return False
    return now_ms >= inquiries_end_at_ms(attempt, capabilities)


def inquiries_end_at_ms(attempt: Attempt, capabilities: Capabilities) -> int:
    """Return the time at which inquiries about an open attempt of a charge or operation have gone on for long enough.

    Without an answer they count from the send. "Pending" is an answer: it has a horizon of its own, from that answer.
    Where no re-send can learn more, they end once a charge must be visible.
    """
    if attempt.state is AttemptState.ACCEPTED:
        return (attempt.settled_at_ms or attempt.started_at_ms) + capabilities.pending_horizon_ms
    if attempt.answer_stored:
        return attempt.started_at_ms + max(capabilities.visibility_lag_ms, HOUR_MS)
    return attempt.started_at_ms + capabilities.inquiry_horizon_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRecoveryStep:
    """The recovery steps that are allowed for an operation besides an inquiry."""

    resend: bool = False
    exhausted: bool = False
    """No automatic step can resolve the attempt: it requires manual review."""
    absent_is_exhausted: bool = False
    """As of a payment: an inquiry that finds nothing ends the automatic steps."""


def operation_recovery_step_for(
    operation: Operation, attempt: Attempt, capabilities: Capabilities, *, same_request: bool, now_ms: int
) -> OperationRecoveryStep:
    """Return the steps allowed besides an inquiry; in review, only inquiries are allowed.

    `same_request`: the request built today equals the stored one.
    """
    if operation.status is not OperationStatus.PENDING or not attempt.is_open:
        return OperationRecoveryStep()
    window_ms = capabilities.operation_window_ms.get(operation.kind, 0)
    age_ms = now_ms - attempt.started_at_ms
    in_window = age_ms < window_ms - _WINDOW_MARGIN_MS and now_ms < operation.send_deadline_ms
    undecided = attempt.state in {AttemptState.STARTED, AttemptState.UNKNOWN}
    if undecided and attempt.is_sent_before_restore:
        exhausted = now_ms >= inquiries_end_at_ms(attempt, capabilities)
        return OperationRecoveryStep(exhausted=exhausted, absent_is_exhausted=True)
    resend = undecided and same_request and in_window and not attempt.answer_stored
    return OperationRecoveryStep(
        resend=resend, exhausted=not resend and now_ms >= inquiries_end_at_ms(attempt, capabilities)
    )
