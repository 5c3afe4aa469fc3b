"""The payment's state machine: changes, their audit events and the next inquiry. Pure.

Every function returns a `Change` that is written in one transaction, or not at all.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Final

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.balances import check_balance, correct_captured, is_off_balance
from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.erasure import erase_operation, erase_payment
from payflowx.domain.payments.event_types import external_event_type, merchant_event_type
from payflowx.domain.payments.events import Event, Fact
from payflowx.domain.payments.not_sent import SendTimes, next_send_at_ms, not_sent_since
from payflowx.domain.payments.operation import Operation, Origin
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Authorized,
    ConfirmedCancelled,
    Declined,
    Mismatch,
    NotFound,
    NotSent,
    Outcome,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import BalanceSource, Candidate, LastError, Payment
from payflowx.domain.payments.recovery_plan import inquiries_end_at_ms
from payflowx.domain.payments.retry import PATIENCE_OVER, FailureReason, RetryPolicy, choose_candidate
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.review_since import review_since_ms
from payflowx.domain.payments.transitions import check_attempt_transition, check_payment_transition
from payflowx.domain.payments.verification import changes_state, reported_facts, state_of
from payflowx.domain.shared.backoff import REVIEW_INTERVAL_MS, inquiry_delay_ms, pending_delay_ms
from payflowx.domain.shared.limits import DUE_AFTER_ACCEPT_MS, MAX_DRIVES, MAX_QUEUE_DELAY_SECONDS, SECOND_MS
from payflowx.domain.shared.statuses import AttemptState, DeclineKind, PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The inputs of a state change besides the payment. `jitter` lies in [0, 1)."""

    now_ms: int
    actor: str
    policy: RetryPolicy
    holds_lease: bool = False
    """Whether the change is made under the lease of what it changes, which it then ends."""
    able: Capabilities | None = None
    disabled: Set[str] = frozenset()
    jitter: float = 0.0
    evidence: Mapping[str, Fact] = field(default_factory=dict)
    """Further facts for the audit log: the webhook that proved it, or the operator and the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenEvent:
    """A provider event that this write applies; it is marked as seen in the same transaction."""

    provider: str
    account_id: str
    event_id: str
    expires_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a payment, or of an operation on it.

    `reference`: the provider's id that attempt `attempt_number` (of the operation, where there is one) will own.
    `wake_in_seconds`: the delay of the wake-up message; None: send none.
    `merchant_event_type`: the type of the event for merchants; None: merchants are not notified.
    """

    before: Payment
    after: Payment
    event: Event
    attempt_number: int | None = None
    reference: str | None = None
    wake_in_seconds: int | None = None
    operation_before: Operation | None = None
    operation_after: Operation | None = None
    seen: SeenEvent | None = None
    merchant_event_type: str | None = None


def apply_outcome(payment: Payment, attempt: Attempt, outcome: Outcome, context: Context) -> Change | None:
    """Apply a verified outcome.

    Returns None when the outcome changes no state: then only the next inquiry is scheduled.
    """
    if not changes_state(outcome, payment, attempt):
        return None
    recorded = _record_on_attempt(attempt, outcome, context)
    check_attempt_transition(attempt.state, recorded.state)
    attempts = tuple(recorded if a.number == attempt.number else a for a in payment.attempts)
    since_ms = not_sent_since(payment.not_sent_since_ms, recorded, context.now_ms)
    known = replace(payment, attempts=attempts, not_sent_since_ms=since_ms)
    advanced, wake_in_seconds = _advance(known, attempt, recorded, context)
    advanced = _with_captured(advanced, payment, outcome)
    facts = _attempt_facts(recorded) | _next_facts(advanced, wake_in_seconds) | reported_facts(outcome)
    change = change_of(payment, advanced, f"attempt.{recorded.state.lower()}", facts, context)
    return replace(change, attempt_number=attempt.number, reference=recorded.reference, wake_in_seconds=wake_in_seconds)


def fail_payment(payment: Payment, stop: FailureReason, context: Context) -> Change:
    """End a payment on which nothing was charged and no attempt is allowed any more."""
    ended = _ended(payment, stop)
    facts: dict[str, Fact] = {"reason": stop.code, "attempts": len(payment.attempts)}
    return change_of(payment, ended, f"payment.{ended.status.lower()}", facts, context)


def send_to_review(payment: Payment, reason: ReviewReason, context: Context) -> Change:
    """Send a payment to manual review.

    Daily inquiries continue, and a verified outcome closes the review.
    """
    due_at_ms = context.now_ms + REVIEW_INTERVAL_MS
    last = payment.last_attempt
    error = LastError(
        code=reason.value,
        message=_REVIEW_TEXTS[reason],
        provider=last.provider if last else None,
        provider_code=last.code if last else None,
        attempt=last.number if last else None,
    )
    after = replace(
        payment,
        status=PaymentStatus.IN_REVIEW,
        last_error=error,
        ready_at_ms=due_at_ms,
        due_at_ms=due_at_ms,
    )
    return change_of(payment, after, "payment.in_review", {"reason": reason.value}, context)


def send_off_balance_to_review(payment: Payment, context: Context) -> Change:
    """Send a payment to manual review whose amounts contradict each other. Nothing about it is inquired."""
    return change_of(
        payment, _off_balance(payment), "payment.in_review", {"reason": ReviewReason.BALANCE.value}, context
    )


def request_cancel(payment: Payment, context: Context) -> Change:
    """Record the merchant's cancellation; a worker then cancels and confirms the open attempt."""
    after = replace(
        payment,
        cancel_requested=True,
        ready_at_ms=context.now_ms,
        due_at_ms=context.now_ms + DUE_AFTER_ACCEPT_MS,
    )
    return replace(change_of(payment, after, "payment.cancel_requested", {}, context), wake_in_seconds=0)


def expedite(payment: Payment, now_ms: int) -> Payment:
    """Bring the next inquiry forward after an unverified webhook, or after a repeated cancellation.

    It writes no event, because nothing is proven yet. A further attempt keeps its time.
    """
    later = replace(payment, version=payment.version + 1, lease=payment.lease.after_change_by_another(now_ms))
    if not any(attempt.is_open or attempt.is_watched for attempt in payment.attempts):
        return later
    return replace(later, ready_at_ms=now_ms, due_at_ms=now_ms + DUE_AFTER_ACCEPT_MS)


def erase(payment: Payment, context: Context) -> Change:
    """Erase personal data, payment tokens and what else can pay; the audit log never held any."""
    after = erase_payment(payment)
    return change_of(payment, after, "payment.erased", {}, context)


def schedule_inquiry(payment: Payment, attempt: Attempt, context: Context) -> tuple[Payment, int | None]:
    """Schedule the next inquiry; the state stays the same.

    Returns the payment and the delay in seconds of the message that wakes a worker.
    """
    waited = replace(attempt, inquiries=attempt.inquiries + 1)
    attempts = tuple(waited if a.number == attempt.number else a for a in payment.attempts)
    kept = replace(payment, attempts=attempts, version=payment.version + 1, lease=payment.lease.released(), drives=0)
    if attempt.is_watched and not attempt.may_reopen(context.now_ms):
        closed = replace(waited, reopens_until_ms=None)
        attempts = tuple(closed if a.number == attempt.number else a for a in attempts)
        return replace(kept, attempts=attempts, due_at_ms=None, updated_at_ms=context.now_ms), None
    if not attempt.is_open and not attempt.is_watched:
        return replace(kept, updated_at_ms=context.now_ms), None  # another writer closed the attempt meanwhile
    at_ms = _next_inquiry_at_ms(payment, waited, context)
    return _wake_at(replace(kept, updated_at_ms=context.now_ms), at_ms, context.now_ms)


def _next_inquiry_at_ms(payment: Payment, attempt: Attempt, context: Context) -> int:
    """Return the time of the next inquiry about an open or watched attempt.

    An authorization is inquired about when it lapses; but a requested cancellation is tried again by the inquiry
    back-off, whatever the attempt's state.
    """
    if payment.status is PaymentStatus.IN_REVIEW:
        return context.now_ms + REVIEW_INTERVAL_MS
    lapses_at_ms = attempt.deadline_ms or 0
    held = attempt.state is AttemptState.AUTHORIZED and not payment.cancel_requested
    if held and lapses_at_ms > context.now_ms:
        return lapses_at_ms
    pending = attempt.state is AttemptState.ACCEPTED and not payment.cancel_requested
    delay_ms = pending_delay_ms(attempt.inquiries) if pending else inquiry_delay_ms(attempt.inquiries)
    turns_at_ms = [at_ms for at_ms in _turning_points(attempt, context) if at_ms > context.now_ms]
    return min([context.now_ms + delay_ms, *turns_at_ms])


def _turning_points(attempt: Attempt, context: Context) -> list[int]:
    """Return the times at which the allowed recovery steps change.

    The payer's action lapses at the provider, or the inquiry horizon ends.
    """
    if attempt.deadline_ms is not None:
        return [attempt.deadline_ms]
    if context.able is not None and attempt.is_open:
        return [inquiries_end_at_ms(attempt, context.able)]
    return []


def _record_on_attempt(attempt: Attempt, outcome: Outcome, context: Context) -> Attempt:
    """Return the attempt with the outcome recorded."""
    state = state_of(outcome)
    if state is None:
        raise ValueError("NotFound has no attempt state")
    known = replace(
        attempt,
        state=state,
        decline_kind=None,
        code=None,
        message=None,
        next_action=None,
        deadline_ms=None,
        reopens_until_ms=None,
        inquiries=0,
    )
    if state is not AttemptState.UNKNOWN:
        known = replace(known, settled_at_ms=context.now_ms)
    able = context.able
    match outcome:
        case Succeeded() | Mismatch() | ConfirmedCancelled() | Accepted():
            code = outcome.code if isinstance(outcome, Mismatch) else None
            return replace(known, reference=outcome.reference or attempt.reference, code=code)
        case Authorized():
            lifetime_ms = able.authorization_lifetime_ms if able else 0
            return replace(known, reference=outcome.reference, deadline_ms=context.now_ms + lifetime_ms)
        case ActionRequired():
            lifetime_ms = able.action_lifetime_ms if able else 0
            return replace(
                known,
                reference=outcome.reference or attempt.reference,
                next_action=outcome.action,
                deadline_ms=context.now_ms + lifetime_ms,
            )
        case Declined():
            reopens_ms = outcome.reopens_for_seconds * SECOND_MS
            return replace(
                known,
                reference=outcome.reference or attempt.reference,
                decline_kind=outcome.kind,
                code=outcome.code,
                message=outcome.message,
                reopens_until_ms=context.now_ms + reopens_ms if reopens_ms else None,
            )
        case Rejected():
            return replace(
                known,
                code=outcome.code,
                message=outcome.message,
                retry_after_seconds=outcome.retry_after_seconds,
            )
        case Unknown():
            return replace(known, code=outcome.code, message=outcome.message)
        case NotSent():
            return replace(known, code=outcome.code)
        case NotFound():
            raise ValueError("NotFound has no attempt state")


def _advance(payment: Payment, before: Attempt, recorded: Attempt, context: Context) -> tuple[Payment, int | None]:
    """Return the payment after an attempt's result, and the delay of the next wake-up."""
    if payment.charged_attempt is not None and recorded.state not in {AttemptState.SUCCEEDED, AttemptState.MISMATCH}:
        return _beside_a_charge(payment, recorded, context)
    match recorded.state:
        case AttemptState.SUCCEEDED:
            return _succeeded(payment, recorded), None
        case AttemptState.MISMATCH:
            error = _error(ReviewReason.MISMATCH.value, recorded)
            return replace(payment, status=PaymentStatus.IN_REVIEW, last_error=error, due_at_ms=None), None
        case AttemptState.AUTHORIZED:
            held = replace(payment, capturable=payment.amount, last_error=None)
            lapses_at_ms = None if payment.cancel_requested else recorded.deadline_ms
            return _waiting(held, PaymentStatus.AUTHORIZED, lapses_at_ms, context)
        case AttemptState.REQUIRES_ACTION:
            return _waiting(payment, PaymentStatus.REQUIRES_ACTION, None, context)
        case AttemptState.ACCEPTED:
            return _waiting(payment, PaymentStatus.PENDING, None, context)
        case AttemptState.UNKNOWN:
            unsure = replace(payment, last_error=_error("outcome_unknown", recorded))
            return _waiting(unsure, payment.status, None, context)
        case _:
            return _uncharged(payment, before, recorded, context)


def _succeeded(payment: Payment, recorded: Attempt) -> Payment:
    """Record the charge.

    A second charge, or a charge after a cancellation, requires manual review.
    """
    if payment.charged_attempt is not None or payment.status is PaymentStatus.CANCELLED:
        error = _error(ReviewReason.LATE_SUCCESS.value, recorded)
        charged = payment.charged_attempt or recorded.number
        status = PaymentStatus.IN_REVIEW
        return replace(payment, status=status, charged_attempt=charged, last_error=error, due_at_ms=None)
    other_open = any(a.is_open for a in payment.attempts)
    return replace(
        payment,
        status=PaymentStatus.SUCCESS,
        charged_attempt=recorded.number,
        capturable=0,
        captured=payment.amount,
        refundable=payment.amount,
        last_error=None,
        due_at_ms=payment.due_at_ms if other_open else None,
    )


def _with_captured(advanced: Payment, before: Payment, outcome: Outcome) -> Payment:
    """Return the payment with the amount that was really taken, which may be a part of an authorization."""
    first = before.charged_attempt is None and advanced.captured > 0
    return correct_captured(advanced, outcome.amount) if first and isinstance(outcome, Succeeded) else advanced


def _beside_a_charge(payment: Payment, recorded: Attempt, context: Context) -> tuple[Payment, int | None]:
    """Handle an attempt beside the one that charged.

    Whatever its result, the payment neither fails nor waits for it.
    """
    if not recorded.is_open:
        return replace(payment, due_at_ms=None), None
    in_review = payment.status is PaymentStatus.IN_REVIEW
    wait_ms = REVIEW_INTERVAL_MS if in_review else inquiry_delay_ms(0)
    return _wake_at(payment, context.now_ms + wait_ms, context.now_ms)


def _waiting(
    payment: Payment, status: PaymentStatus, at_ms: int | None, context: Context
) -> tuple[Payment, int | None]:
    """Schedule an inquiry about an open attempt. A payment in review stays there."""
    if payment.status is PaymentStatus.IN_REVIEW and status is not PaymentStatus.AUTHORIZED:
        at_ms = context.now_ms + REVIEW_INTERVAL_MS
        status = PaymentStatus.IN_REVIEW
    if at_ms is None:
        at_ms = context.now_ms + inquiry_delay_ms(0)
    return _wake_at(replace(payment, status=status), at_ms, context.now_ms)


def _uncharged(payment: Payment, before: Attempt, recorded: Attempt, context: Context) -> tuple[Payment, int | None]:
    """Schedule another attempt or end the payment, in the write that proves no charge.

    The next attempt goes to another provider or to the same one.
    """
    payment = replace(payment, last_error=_error(_failure_class(recorded), recorded), capturable=0)
    if payment.cancel_requested or before.state is AttemptState.AUTHORIZED:
        return _ended(payment, _CANCELLED), None
    if payment.status is PaymentStatus.IN_REVIEW:
        return replace(payment, status=PaymentStatus.FAILED, due_at_ms=None), None
    if before.state is AttemptState.REQUIRES_ACTION and recorded.state is AttemptState.FENCED:
        return _ended(payment, _ACTION_EXPIRED), None
    choice = choose_candidate(payment, context.policy, context.disabled, context.now_ms)
    if isinstance(choice, FailureReason):
        return _failed_after(payment, recorded, choice, context)
    at_ms = _next_attempt_at_ms(payment, choice, context)
    if at_ms is None:
        return _failed_after(payment, recorded, PATIENCE_OVER, context)
    return _wake_at(replace(payment, status=PaymentStatus.PENDING), at_ms, context.now_ms)


def _failed_after(
    payment: Payment, recorded: Attempt, stop: FailureReason, context: Context
) -> tuple[Payment, int | None]:
    """End as FAILED with the attempt's own error, which is more specific than "no retries left"."""
    failed = replace(payment, status=PaymentStatus.FAILED, due_at_ms=None)
    if failed.last_error is not None and recorded.decline_kind is None:
        failed = replace(
            failed,
            last_error=replace(failed.last_error, message=f"{failed.last_error.message} {stop.message}"),
        )
    if not recorded.is_watched:
        return failed, None
    return _wake_at(failed, context.now_ms + inquiry_delay_ms(0), context.now_ms)


def _next_attempt_at_ms(payment: Payment, choice: Candidate, context: Context) -> int | None:
    """Return the time of the next attempt at this candidate; None if nothing could be sent for too long."""
    times = SendTimes(
        now_ms=context.now_ms,
        since_ms=payment.not_sent_since_ms,
        patience_ms=context.policy.not_sent_patience_ms,
        deadline_ms=payment.charge_deadline_ms,
        jitter=context.jitter,
    )
    at_provider = [attempt for attempt in payment.attempts if attempt.provider == choice.provider]
    return next_send_at_ms(payment.attempts, at_provider, times)


def _ended(payment: Payment, stop: FailureReason) -> Payment:
    """End as CANCELLED if the merchant requested it or an authorization was voided, else FAILED."""
    if stop.code == "cancelled" or payment.cancel_requested:
        return replace(payment, status=PaymentStatus.CANCELLED, capturable=0, due_at_ms=None)
    error = payment.last_error or LastError(code=stop.code, message=stop.message)
    if stop is _ACTION_EXPIRED:
        error = replace(error, code=stop.code, message=stop.message)
    return replace(payment, status=PaymentStatus.FAILED, last_error=error, due_at_ms=None)


_CANCELLED: Final = FailureReason(code="cancelled", message="The payment was cancelled before anything was charged.")
_ACTION_EXPIRED: Final = FailureReason(
    code="action_expired", message="The payer did not approve in time; the request was cancelled at the provider."
)


def _wake_at(payment: Payment, at_ms: int, now_ms: int) -> tuple[Payment, int | None]:
    """Set the ready and due times; return the delay of the wake-up message in seconds.

    Returns None for a delay that exceeds the queue's limit: then the sweeper wakes the worker.
    """
    wait_seconds = max(0, -(-(at_ms - now_ms) // SECOND_MS))
    if wait_seconds > MAX_QUEUE_DELAY_SECONDS:
        return replace(payment, ready_at_ms=at_ms, due_at_ms=at_ms), None
    return replace(payment, ready_at_ms=at_ms, due_at_ms=at_ms + DUE_AFTER_ACCEPT_MS), wait_seconds


def change_of(
    before: Payment,
    after: Payment,
    event_type: str,
    facts: Mapping[str, Fact],
    context: Context,
    *,
    operation: tuple[Operation | None, Operation] | None = None,
) -> Change:
    """Build the change with its event, chained to the previous one.

    `operation`: the operation before and after, where the change is one of an operation. A live lease of the payment
    belongs to its own worker then, and stays. Raises `TransitionError` for a status change that the table does not
    allow, and `InvariantError` for a change that breaks the balance.
    """
    check_balance(before, after)
    if is_off_balance(after):
        after = _off_balance(after)
    check_payment_transition(before.status, after.status)
    event = Event(
        merchant_id=before.merchant_id,
        transaction_id=before.transaction_id,
        seq=before.event_seq + 1,
        type=event_type,
        status_from=before.status,
        status_to=after.status,
        actor=context.actor,
        at_ms=context.now_ms,
        facts={**facts, **context.evidence},
        previous_hash=before.event_hash,
    )
    event = replace(event, hash=event.compute_hash())
    known, changed = operation or (None, None)
    statuses = (changed.kind, known.status if known else None, changed.status) if changed else None
    notified = merchant_event_type((before.status, after.status), statuses)
    if notified is None and known is None and changed is not None and changed.origin is Origin.PROVIDER:
        notified = external_event_type(changed.kind, changed.status)
    final = replace(
        after,
        version=before.version + 1,
        balance_source=_source_after(before),
        lease=before.lease.released()
        if context.holds_lease and changed is None
        else before.lease.after_change_by_another(context.now_ms),
        event_seq=event.seq,
        event_hash=event.hash,
        announced=before.announced + (notified is not None),
        updated_at_ms=context.now_ms,
        drives=0 if changed is None else before.drives,
        review_since_ms=review_since_ms(before, after, context.now_ms),
    )
    if before.erased:  # a later answer of a provider may name the payer again
        final, changed = erase_payment(final), erase_operation(changed) if changed else None
    return Change(
        before=before,
        after=final,
        event=event,
        operation_before=known,
        operation_after=changed,
        merchant_event_type=notified,
    )


def _source_after(before: Payment) -> BalanceSource:
    return BalanceSource.STORED if before.balance_source is BalanceSource.DERIVED else before.balance_source


def _off_balance(payment: Payment) -> Payment:
    """Return the payment in manual review, because an older release left its amounts off balance."""
    if payment.status is PaymentStatus.IN_REVIEW:
        return payment
    error = LastError(code=ReviewReason.BALANCE.value, message=_FAILURE_TEXTS[ReviewReason.BALANCE.value])
    return replace(payment, status=PaymentStatus.IN_REVIEW, last_error=error)


_REVIEW_TEXTS: Final[Mapping[ReviewReason, str]] = {
    ReviewReason.OUTCOME_UNKNOWN: "No automatic step could determine the provider's outcome. Requires manual review.",
    ReviewReason.DRIVES_EXHAUSTED: f"No progress after {MAX_DRIVES} recovery attempts. Requires manual review.",
}
_FAILURE_TEXTS: Final[Mapping[str, str]] = {
    "not_sent": "The provider could not be reached; nothing was sent.",
    "rejected": "The provider rejected the request before processing it.",
    "soft_decline": "The provider declined; the payment may succeed at another provider or later.",
    "hard_decline": "The issuer declined finally; do not retry this payment method.",
    "insufficient_funds": "The payer has insufficient funds or has reached a limit.",
    "fenced": "The outcome stayed unknown, so the attempt was cancelled at the provider; nothing was charged.",
    "outcome_unknown": "No answer of the provider was received; the outcome is being resolved.",
    ReviewReason.MISMATCH.value: "The provider reports a charge that differs from the request. Requires manual review.",
    ReviewReason.LATE_SUCCESS.value: "The provider reports an unexpected second charge. Requires manual review.",
    ReviewReason.BALANCE.value: "The payment's amounts contradict each other. Requires manual review.",
}


def _failure_class(recorded: Attempt) -> str:
    match recorded.decline_kind:
        case DeclineKind.HARD:
            return "hard_decline"
        case DeclineKind.FUNDS:
            return "insufficient_funds"
        case DeclineKind.SOFT:
            return "soft_decline"
        case None:
            return recorded.state.lower()


def _error(code: str, attempt: Attempt) -> LastError:
    return LastError(
        code=code,
        message=_FAILURE_TEXTS[code],
        provider=attempt.provider,
        provider_code=attempt.code,
        attempt=attempt.number,
    )


def _attempt_facts(recorded: Attempt) -> dict[str, Fact]:
    """Return an event's facts about an attempt.

    No free text: a provider's message may hold data that must not be in an audit log.
    """
    facts: dict[str, Fact] = {
        "attempt": recorded.number,
        "provider": recorded.provider,
        "accountId": recorded.account_id,
        "providerKey": recorded.provider_key,
        "startedAtMs": recorded.started_at_ms,
        "epoch": recorded.epoch,
    }
    optional = {"reference": recorded.reference, "code": recorded.code, "declineKind": recorded.decline_kind}
    return facts | {name: str(value) for name, value in optional.items() if value is not None}


def _next_facts(advanced: Payment, wake_in_seconds: int | None) -> dict[str, Fact]:
    if advanced.due_at_ms is None:
        return {}
    return (
        {"nextStepInSeconds": wake_in_seconds}
        if wake_in_seconds is not None
        else {"nextStepAtMs": advanced.ready_at_ms}
    )
