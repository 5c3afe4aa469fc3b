"""The payment's state machine: changes, their audit events and the next inquiry. Pure.

Every function returns a `Change` that is written in one transaction, or not at all.
"""

from dataclasses import replace
from typing import Final

from payflowx.domain.payments import closed_attempts
from payflowx.domain.payments.attempt import AUTHORIZED_LATE_AT, Attempt
from payflowx.domain.payments.attempt_records import attempt_facts, record_on_attempt
from payflowx.domain.payments.balances import correct_captured
from payflowx.domain.payments.capabilities import DEFAULT_AUTHORIZATION_LIFETIME_MS
from payflowx.domain.payments.change import Change, Context, change_of, off_balance
from payflowx.domain.payments.checkout import Checkout
from payflowx.domain.payments.dispute import (
    DisputeLeftOut,
    DisputeReport,
    dispute_event_type,
    dispute_facts,
    has_room,
    with_report,
)
from payflowx.domain.payments.erasure import erase_payment
from payflowx.domain.payments.event_types import CHARGED_TWICE
from payflowx.domain.payments.events import Fact
from payflowx.domain.payments.hosted import MAX_EXTRA_CHARGES, ExtraCharge
from payflowx.domain.payments.inquiry_times import (
    first_inquiry_at_ms,
    has_next_step,
    inquired,
    next_attempt_at_ms,
    next_inquiry_at_ms,
    still_due,
    unwatched,
    wake_at,
)
from payflowx.domain.payments.last_errors import last_error, review_error
from payflowx.domain.payments.not_sent import not_sent_since
from payflowx.domain.payments.outcome import Authorized, Outcome, Succeeded
from payflowx.domain.payments.payment import LastError, Payment
from payflowx.domain.payments.recovery_plan import is_to_close
from payflowx.domain.payments.retry import (
    CHECKOUT_ATTEMPTS_USED,
    CHECKOUT_EXPIRED,
    PATIENCE_OVER,
    FailureReason,
    choose_candidate,
)
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.transitions import check_attempt_transition
from payflowx.domain.payments.verification import changes_state, is_late_authorization, reported_facts
from payflowx.domain.shared.backoff import REVIEW_INTERVAL_MS, inquiry_delay_ms
from payflowx.domain.shared.limits import (
    DUE_AFTER_ACCEPT_MS,
    MAX_ATTEMPTS,
    MAX_EVENTS_BEFORE_UNSIGNED_REPORT,
    REPORT_AHEAD_MS,
    SECOND_MS,
)
from payflowx.domain.shared.statuses import NO_CHARGE_STATES, AttemptState, DeclineKind, PaymentStatus


def apply_outcome(payment: Payment, attempt: Attempt, outcome: Outcome, context: Context) -> Change | None:
    """Apply a verified outcome.

    Returns None when the outcome changes no state: then only the next inquiry is scheduled.
    """
    if isinstance(outcome, Authorized) and is_late_authorization(outcome, payment, attempt):
        return _authorized_late(payment, attempt, outcome, context)
    if not changes_state(outcome, payment, attempt):
        return _charged_twice(payment, attempt, outcome, context)
    recorded = record_on_attempt(attempt, outcome, context)
    check_attempt_transition(attempt.state, recorded.state)
    attempts = tuple(recorded if a.number == attempt.number else a for a in payment.attempts)
    since_ms = not_sent_since(payment.not_sent_since_ms, recorded, context.now_ms)
    known = replace(payment, attempts=attempts, not_sent_since_ms=since_ms)
    advanced, wake_in_seconds = _advance(known, attempt, recorded, context)
    advanced, wake_in_seconds = still_due(advanced, wake_in_seconds, context)
    advanced = _with_captured(advanced, payment, outcome)
    if isinstance(outcome, Succeeded) and recorded.hosted is not None:
        advanced = closed_attempts.with_final_read(_with_extra_charges(advanced, recorded, outcome, context), recorded)
    facts = attempt_facts(recorded) | _next_facts(advanced, wake_in_seconds) | reported_facts(outcome)
    change = change_of(payment, advanced, f"attempt.{recorded.state.lower()}", facts, context)
    return replace(change, attempt_number=attempt.number, reference=recorded.reference, wake_in_seconds=wake_in_seconds)


def fail_payment(payment: Payment, stop: FailureReason, context: Context) -> Change:
    """End a payment on which nothing was charged and no attempt is allowed any more."""
    ended, wake_in_seconds = still_due(_ended(payment, stop), None, context)
    facts: dict[str, Fact] = {"reason": stop.code, "attempts": len(payment.attempts)}
    change = change_of(payment, ended, f"payment.{ended.status.lower()}", facts, context)
    return replace(change, wake_in_seconds=wake_in_seconds)


def choose(payment: Payment, checkout: Checkout, context: Context) -> Change:
    """Record the payer's choice, or the wish to close the open object. A worker takes the next step at once."""
    after = replace(
        payment, checkout=checkout, ready_at_ms=context.now_ms, due_at_ms=context.now_ms + DUE_AFTER_ACCEPT_MS
    )
    choice = checkout.choice_for(len(payment.attempts) + 1)
    facts: dict[str, Fact] = {"attempt": checkout.closing or 0}
    if choice is not None:
        facts = {"attempt": choice.number, "method": choice.method, "providers": ",".join(choice.ways)}
    name = "checkout.closing_requested" if choice is None else "checkout.method_chosen"
    return replace(change_of(payment, after, name, facts, context), wake_in_seconds=0)


def pass_over(payment: Payment, checkout: Checkout, context: Context) -> Change:
    """Go on with the next way of the payer's choice; without one, wait for the next choice. Nothing was sent."""
    at_ms = context.now_ms if checkout.choice else checkout.expires_at_ms
    after, wake_in_seconds = wake_at(replace(payment, checkout=checkout), at_ms, context.now_ms)
    before = payment.checkout.choice if payment.checkout else None
    left = checkout.choice.ways if checkout.choice else ()
    passed = [way for way in (before.ways if before else ()) if way not in left]
    facts: dict[str, Fact] = {"attempt": len(payment.attempts) + 1, "providers": ",".join(passed)}
    change = change_of(payment, after, "checkout.way_passed_over", facts, context)
    return replace(change, wake_in_seconds=wake_in_seconds)


def send_to_review(payment: Payment, reason: ReviewReason, context: Context) -> Change:
    """Send a payment to manual review.

    Daily inquiries continue, and a verified outcome closes the review. Without an attempt that may still become a
    charge there is nothing to inquire about, and the payment waits for a person alone.
    """
    due_at_ms = context.now_ms + REVIEW_INTERVAL_MS
    error = review_error(payment, reason, payment.last_attempt)
    after = replace(
        payment,
        status=PaymentStatus.IN_REVIEW,
        last_error=error,
        ready_at_ms=due_at_ms,
        due_at_ms=due_at_ms if payment.unresolved_attempt is not None else None,
    )
    return change_of(payment, after, "payment.in_review", {"reason": reason.value}, context)


def send_off_balance_to_review(payment: Payment, context: Context) -> Change:
    """Send a payment to manual review whose amounts contradict each other. Nothing about it is inquired."""
    return change_of(
        payment, off_balance(payment), "payment.in_review", {"reason": ReviewReason.BALANCE.value}, context
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


def record_dispute(
    payment: Payment, provider: str, report: DisputeReport, context: Context
) -> Change | DisputeLeftOut | None:
    """Record the provider's report of a dispute; None if it says nothing new. Status, amounts and due time stay.

    A report with a time to come counts as one of now, so that it hides no later one, but for a minute by which clocks
    may differ: the order of reports is the provider's. Unsigned reports stop long before they fill the audit log, which
    would end the refunds.
    """
    if report.reported_at_ms > context.now_ms + REPORT_AHEAD_MS:
        report = replace(report, reported_at_ms=context.now_ms)
    known = next((d for d in payment.disputes if (d.provider, d.reference) == (provider, report.reference)), None)
    if known is None and not has_room(payment.disputes, report):
        return DisputeLeftOut.TOO_MANY
    found = with_report(payment.disputes, provider, report)
    if found is None:
        return None
    if not report.is_signed and payment.event_seq >= MAX_EVENTS_BEFORE_UNSIGNED_REPORT:
        return DisputeLeftOut.LONG_LOG
    disputes, dispute = found
    event_type = dispute_event_type(known, dispute)
    after = replace(payment, disputes=disputes)
    change = change_of(payment, after, event_type, dispute_facts(dispute), context, announced_as=event_type)
    return replace(change, dispute=dispute)


def erase(payment: Payment, context: Context) -> Change:
    """Erase personal data, payment tokens and what else can pay; the audit log never held any."""
    after = erase_payment(payment)
    return change_of(payment, after, "payment.erased", {}, context)


def schedule_inquiry(payment: Payment, attempt: Attempt, context: Context) -> tuple[Payment, int | None]:
    """Schedule the next inquiry; the state stays the same.

    Returns the payment and the delay in seconds of the message that wakes a worker.
    """
    kept, waited = inquired(payment, attempt, context)
    if attempt.failed_tries > payment.attempt(attempt.number).failed_tries:
        kept = replace(kept, last_error=last_error(kept, "try_failed", waited))
    if attempt.is_watched and not attempt.may_reopen(context.now_ms):
        return still_due(unwatched(kept, waited), None, context)
    if not attempt.is_open and not attempt.is_watched:
        return kept, None  # another writer closed the attempt meanwhile
    at_ms = next_inquiry_at_ms(payment, waited, context)
    if payment.checkout is not None and payment.status is PaymentStatus.REQUIRES_ACTION and not attempt.is_open:
        at_ms = min(at_ms, max(payment.checkout.expires_at_ms, context.now_ms))
    return wake_at(kept, at_ms, context.now_ms)


def _authorized_late(payment: Payment, attempt: Attempt, outcome: Authorized, context: Context) -> Change:
    """Record that the provider holds the money for an attempt that was left. It is never captured.

    The attempt stays closed and is watched until the authorization lapses: a capture made elsewhere would be a late
    success. Until then no other provider is tried, so a payment that still waited for one ends as FAILED.
    """
    lifetime_ms = context.able.authorization_lifetime_ms if context.able else DEFAULT_AUTHORIZATION_LIFETIME_MS
    noted = replace(
        attempt,
        reference=outcome.reference,
        progress={**attempt.progress, AUTHORIZED_LATE_AT: str(context.now_ms)},
        reopens_until_ms=context.now_ms + lifetime_ms,
        inquiries=0,
    )
    attempts = tuple(noted if a.number == attempt.number else a for a in payment.attempts)
    known = closed_attempts.inquired(
        replace(payment, attempts=attempts), attempt.number, context.now_ms, is_answered=True
    )
    left, wake_in_seconds = payment.status is PaymentStatus.PENDING and not any(a.is_open for a in attempts), None
    if left:
        error = last_error(payment, _failure_class(noted), noted)
        known = _ended(replace(known, last_error=error), _AUTHORIZED_LATE)
    elif payment.checkout is not None or not has_next_step(payment):
        known = replace(known, due_at_ms=None)
    else:
        # It was due for this inquiry, and its own next step may be days away.
        known, wake_in_seconds = wake_at(known, max(known.ready_at_ms, context.now_ms), context.now_ms)
    advanced, wake_in_seconds = still_due(known, wake_in_seconds, context)
    change = change_of(payment, advanced, "attempt.authorized_late", attempt_facts(noted), context)
    return replace(change, attempt_number=attempt.number, reference=noted.reference, wake_in_seconds=wake_in_seconds)


def _advance(payment: Payment, before: Attempt, recorded: Attempt, context: Context) -> tuple[Payment, int | None]:
    """Return the payment after an attempt's result, and the delay of the next wake-up."""
    if payment.charged_attempt is not None and recorded.state not in {AttemptState.SUCCEEDED, AttemptState.MISMATCH}:
        return _beside_a_charge(payment, recorded, context)
    if recorded.state is not AttemptState.MISMATCH and _is_for_a_person(payment, recorded):
        return _still_in_review(payment, recorded, context)
    match recorded.state:
        case AttemptState.SUCCEEDED:
            return _succeeded(payment, recorded), None
        case AttemptState.MISMATCH:
            error = last_error(payment, ReviewReason.MISMATCH.value, recorded)
            return replace(payment, status=PaymentStatus.IN_REVIEW, last_error=error, due_at_ms=None), None
        case AttemptState.AUTHORIZED:
            # A payment that was in review when its order was charged by another one was only marked.
            is_stopped = payment.order is not None and payment.order.stop_requested
            is_released = payment.cancel_requested or is_stopped
            held = replace(payment, capturable=payment.amount, last_error=None, cancel_requested=is_released)
            lapses_at_ms = None if is_released else recorded.deadline_ms
            return _waiting(held, PaymentStatus.AUTHORIZED, lapses_at_ms, context)
        case AttemptState.REQUIRES_ACTION:
            at_ms = first_inquiry_at_ms(payment, recorded, context)
            return _waiting(payment, PaymentStatus.REQUIRES_ACTION, at_ms, context)
        case AttemptState.ACCEPTED:
            return _waiting(payment, PaymentStatus.PENDING, first_inquiry_at_ms(payment, recorded, context), context)
        case AttemptState.UNKNOWN:
            if recorded.is_hosted_unopened:
                # Nobody can have paid: the request is repeated before the payer notices.
                return wake_at(payment, context.now_ms + SECOND_MS, context.now_ms)
            unsure = replace(payment, last_error=last_error(payment, "outcome_unknown", recorded))
            # A payer who has approved has nothing to do any more: the provider's answer to our capture was lost.
            waits = payment.status is PaymentStatus.REQUIRES_ACTION
            return _waiting(unsure, PaymentStatus.PENDING if waits else payment.status, None, context)
        case _:
            return _uncharged(payment, before, recorded, context)


def _succeeded(payment: Payment, recorded: Attempt) -> Payment:
    """Record the charge.

    A second charge, or a charge after a cancellation, requires manual review.
    """
    if payment.charged_attempt is not None or payment.status is PaymentStatus.CANCELLED:
        error = last_error(payment, ReviewReason.LATE_SUCCESS.value, recorded)
        charged = payment.charged_attempt or recorded.number
        status = PaymentStatus.IN_REVIEW
        return replace(payment, status=status, charged_attempt=charged, last_error=error, due_at_ms=None)
    # The daily inquiries of a review end with it: what else is open is inquired about at once, then by the back-off.
    keeps_time = payment.status is not PaymentStatus.IN_REVIEW and any(a.is_open for a in payment.attempts)
    return replace(
        payment,
        status=PaymentStatus.SUCCESS,
        charged_attempt=recorded.number,
        capturable=0,
        captured=payment.amount,
        refundable=payment.amount,
        last_error=None,
        due_at_ms=payment.due_at_ms if keeps_time else None,
    )


def _with_captured(advanced: Payment, before: Payment, outcome: Outcome) -> Payment:
    """Return the payment with the amount that was really taken, which may be a part of an authorization."""
    first = before.charged_attempt is None and advanced.captured > 0
    return correct_captured(advanced, outcome.amount) if first and isinstance(outcome, Succeeded) else advanced


def _charged_twice(payment: Payment, attempt: Attempt, outcome: Outcome, context: Context) -> Change | None:
    """Record further charges that a read of the hosted object of an attempt that charged shows; None if there is none.

    They change no amount and no status of the payment: each is owed to the payer.
    """
    if not isinstance(outcome, Succeeded) or attempt.state is not AttemptState.SUCCEEDED or attempt.hosted is None:
        return None
    after = _with_extra_charges(payment, attempt, outcome, context)
    found = after.extra_charges[len(payment.extra_charges) :]
    if not found:
        return None
    after = closed_attempts.inquired(after, attempt.number, context.now_ms, is_answered=True)
    if not has_next_step(payment):
        after = replace(after, due_at_ms=None)
    facts: dict[str, Fact] = {
        "attempt": attempt.number,
        "provider": attempt.provider,
        "references": ",".join(charge.reference for charge in found),
        "amount": sum(charge.amount for charge in found),
    }
    return change_of(payment, after, CHARGED_TWICE, facts, context, announced_as=CHARGED_TWICE)


def _with_extra_charges(payment: Payment, attempt: Attempt, outcome: Succeeded, context: Context) -> Payment:
    """Return the payment with the charges of the outcome that are not known yet, beside the attempt's own.

    A read shows all charges of the object. If the attempt's reference is none of them, a person closed its review under
    another one: then the first charge is the attempt's.
    """
    own = ExtraCharge(reference=outcome.reference, amount=outcome.amount, currency=outcome.currency)
    charges = (own, *outcome.extra_charges)
    if attempt.reference not in {charge.reference for charge in charges}:
        charges = outcome.extra_charges
    known = {attempt.reference, *(charge.reference for charge in payment.extra_charges)}
    found = [charge for charge in charges if charge.reference not in known]
    noted = [replace(charge, attempt=attempt.number, found_at_ms=context.now_ms) for charge in found]
    extra_charges = (*payment.extra_charges, *noted)[:MAX_EXTRA_CHARGES]
    return replace(payment, extra_charges=extra_charges, payer_paid=payment.payer_paid or outcome.payer_paid)


def _beside_a_charge(payment: Payment, recorded: Attempt, context: Context) -> tuple[Payment, int | None]:
    """Handle an attempt beside the one that charged.

    Whatever its result, the payment neither fails nor waits for it.
    """
    if not recorded.is_open:
        return replace(payment, due_at_ms=None), None
    in_review = payment.status is PaymentStatus.IN_REVIEW
    wait_ms = REVIEW_INTERVAL_MS if in_review else inquiry_delay_ms(0)
    return wake_at(payment, context.now_ms + wait_ms, context.now_ms)


def _is_for_a_person(payment: Payment, recorded: Attempt) -> bool:
    """Return whether the payment is in review for money that this attempt's result does not explain.

    Another attempt took something else than was requested, or the provider's report lists money. The report does not
    say of which attempt, so only the success of the sole attempt explains that.
    """
    if payment.awaits_verdict:
        return True
    error, in_review = payment.last_error, payment.status is PaymentStatus.IN_REVIEW
    is_listed = in_review and error is not None and error.code == ReviewReason.RECONCILIATION.value
    explains_nothing = recorded.state in NO_CHARGE_STATES | {AttemptState.UNKNOWN}
    return is_listed and (explains_nothing or len(payment.attempts) > 1)


def _still_in_review(payment: Payment, recorded: Attempt, context: Context) -> tuple[Payment, int | None]:
    """Keep the review and its reason, whatever the attempt became.

    A charge is booked, and an authorization is not offered for capture.
    """
    if recorded.state is AttemptState.SUCCEEDED:
        booked = _succeeded(payment, recorded)
        return replace(booked, status=PaymentStatus.IN_REVIEW, last_error=payment.last_error), None
    if recorded.is_open:
        return wake_at(payment, context.now_ms + REVIEW_INTERVAL_MS, context.now_ms)
    return replace(payment, capturable=0, due_at_ms=None), None


def _waiting(
    payment: Payment, status: PaymentStatus, at_ms: int | None, context: Context
) -> tuple[Payment, int | None]:
    """Schedule an inquiry about an open attempt. A payment in review stays there."""
    if payment.status is PaymentStatus.IN_REVIEW and status is not PaymentStatus.AUTHORIZED:
        at_ms = context.now_ms + REVIEW_INTERVAL_MS
        status = PaymentStatus.IN_REVIEW
    if at_ms is None:
        at_ms = context.now_ms + inquiry_delay_ms(0)
    return wake_at(replace(payment, status=status), at_ms, context.now_ms)


def _uncharged(payment: Payment, before: Attempt, recorded: Attempt, context: Context) -> tuple[Payment, int | None]:
    """Schedule another attempt or end the payment, in the write that proves no charge.

    The next attempt goes to another provider or to the same one.
    """
    was_authorized = before.state is AttemptState.AUTHORIZED  # no attempt can have followed while the money was held
    if recorded.is_followed_by_search and not was_authorized and not _waits_for_choice(payment, context):
        return _searched_next(payment, context)
    release = _release_class(payment, before, recorded, context)
    is_closed_object = payment.checkout is not None and recorded.state is AttemptState.FENCED and release is None
    failure = release or _failure_class(recorded)
    error = payment.last_error if is_closed_object else last_error(payment, failure, recorded)
    payment = replace(payment, last_error=error, capturable=0)
    if payment.cancel_requested or was_authorized:
        return _ended(payment, _CANCELLED), None
    if payment.status is PaymentStatus.IN_REVIEW:
        return replace(payment, status=PaymentStatus.FAILED, due_at_ms=None), None
    if payment.checkout is not None:
        return _door_closed(payment, payment.checkout, recorded, context)
    if before.state is AttemptState.REQUIRES_ACTION and recorded.state is AttemptState.FENCED:
        lapsed = before.deadline_ms is None or context.now_ms >= before.deadline_ms
        # Before its time is over, only the provider's dashboard cancels a payer's approval.
        return _ended(payment, _ACTION_EXPIRED if lapsed else _CANCELLED), None
    choice = choose_candidate(payment, context.policy, context.disabled, context.now_ms)
    if isinstance(choice, FailureReason):
        return _failed_after(payment, recorded, choice), None
    at_provider = [attempt for attempt in payment.attempts if attempt.provider == choice.provider]
    at_ms = next_attempt_at_ms(payment, at_provider, context, deadline_ms=payment.charge_deadline_ms)
    if at_ms is None:
        return _failed_after(payment, recorded, PATIENCE_OVER), None
    return wake_at(replace(payment, status=PaymentStatus.PENDING), at_ms, context.now_ms)


def _waits_for_choice(payment: Payment, context: Context) -> bool:
    """Return whether the payer chooses what is next, so that nothing is sent and nothing ends."""
    checkout = payment.checkout
    if checkout is None or payment.cancel_requested or len(payment.attempts) >= MAX_ATTEMPTS:
        return False
    return context.now_ms < checkout.expires_at_ms and payment.status is not PaymentStatus.IN_REVIEW


def _searched_next(payment: Payment, context: Context) -> tuple[Payment, int | None]:
    """Let a worker ask the providers what a restore has forgotten; a review is a person's, who asks them instead."""
    if payment.status is PaymentStatus.IN_REVIEW:
        return replace(payment, due_at_ms=None), None
    status = PaymentStatus.PENDING if payment.checkout is None else PaymentStatus.REQUIRES_ACTION
    return wake_at(replace(payment, status=status, capturable=0), context.now_ms, context.now_ms)


def _door_closed(
    payment: Payment, checkout: Checkout, recorded: Attempt, context: Context
) -> tuple[Payment, int | None]:
    """Return to the payer's choice once an object is closed, or take the choice's next way if nobody got its address.

    No kind of decline ends a checkout: the payer may have another card. While the provider may still turn the closed
    object into a charge, nothing else opens.
    """
    if context.now_ms >= checkout.expires_at_ms:
        return _ended(payment, CHECKOUT_EXPIRED), None
    if len(payment.attempts) >= MAX_ATTEMPTS:
        return _ended(payment, CHECKOUT_ATTEMPTS_USED), None
    checkout = checkout.after_unused(recorded, context.disabled)
    payment = replace(payment, status=PaymentStatus.REQUIRES_ACTION, checkout=checkout)
    if recorded.is_watched:
        at_ms = min(context.now_ms + inquiry_delay_ms(0), checkout.expires_at_ms)
    else:
        at_ms = context.now_ms if checkout.choice else checkout.expires_at_ms
    return wake_at(payment, at_ms, context.now_ms)


def _failed_after(payment: Payment, recorded: Attempt, stop: FailureReason) -> Payment:
    """End as FAILED with the attempt's own error, which is more specific than "no retries left"."""
    failed = replace(payment, status=PaymentStatus.FAILED, due_at_ms=None)
    if failed.last_error is not None and recorded.decline_kind is None:
        failed = replace(
            failed,
            last_error=replace(failed.last_error, message=f"{failed.last_error.message} {stop.message}"),
        )
    return failed


def _ended(payment: Payment, stop: FailureReason) -> Payment:
    """End as CANCELLED if the merchant requested it or an authorization was voided, else FAILED."""
    if stop.code == "cancelled" or payment.cancel_requested:
        return replace(payment, status=PaymentStatus.CANCELLED, capturable=0, due_at_ms=None)
    error = payment.last_error or LastError(code=stop.code, message=stop.message)
    if stop in {_ACTION_EXPIRED, CHECKOUT_EXPIRED, CHECKOUT_ATTEMPTS_USED}:
        error = replace(error, code=stop.code, message=stop.message)
    return replace(payment, status=PaymentStatus.FAILED, last_error=error, due_at_ms=None)


_CANCELLED: Final = FailureReason(code="cancelled", message="The payment was cancelled before anything was charged.")
_AUTHORIZED_LATE: Final = FailureReason(
    code="authorized_late", message="The provider holds the money for an attempt that had ended; it is not captured."
)
_ACTION_EXPIRED: Final = FailureReason(
    code="action_expired", message="The payer did not approve in time; the request was cancelled at the provider."
)


def _release_class(payment: Payment, before: Attempt, recorded: Attempt, context: Context) -> str | None:
    """Return how an authorization ended that neither the merchant nor the payer cancelled; None for everything else."""
    was_held = before.state is AttemptState.AUTHORIZED and recorded.state is AttemptState.FENCED
    if not was_held or payment.cancel_requested or is_to_close(payment, before):
        return None
    lapsed = before.deadline_ms is not None and context.now_ms >= before.deadline_ms
    return "authorization_expired" if lapsed else "authorization_released"


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


def _next_facts(advanced: Payment, wake_in_seconds: int | None) -> dict[str, Fact]:
    if advanced.due_at_ms is None:
        return {}
    return (
        {"nextStepInSeconds": wake_in_seconds}
        if wake_in_seconds is not None
        else {"nextStepAtMs": advanced.ready_at_ms}
    )
