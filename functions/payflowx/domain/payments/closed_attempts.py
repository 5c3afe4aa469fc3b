"""The inquiries about closed attempts that provider events ask for. Pure.

One set of rules for payments and operations. An item with such an inquiry is due for it, as for any other step: no lost
message loses one. No further attempt begins before it: the event may say that a refusal was none.
"""

from dataclasses import replace

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.event_inquiries import EventInquiries, one_more
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.work_item import Owner
from payflowx.domain.shared.limits import (
    DUE_AFTER_ACCEPT_MS,
    EARLY_GRACE_MS,
    EVENT_INQUIRY_RETRY_DELAYS_SECONDS,
    HOUR_MS,
    MAX_EVENT_INQUIRIES_A_DAY,
    PAID_OBJECT_READ_RETRY_DELAYS_SECONDS,
    SECOND_MS,
)
from payflowx.domain.shared.statuses import PaymentStatus


def ask(owner: Owner, number: int, now_ms: int) -> Owner | None:
    """Return the item with a waiting inquiry about this attempt; None if one waits already, which serves both events.

    Beyond the day's bound it waits for the next day. The last read of a paid object is far away and serves no event.
    The inquiry comes before those that wait already, with tries of its own.
    """
    inquiries: EventInquiries = owner.event_inquiries or EventInquiries(since_ms=now_ms)
    soonest_ms = inquiries.next_at_ms(now_ms)
    if number in inquiries.waiting and inquiries.ready_at_ms <= soonest_ms + HOUR_MS:
        return None
    ready_at_ms = min(inquiries.ready_at_ms, soonest_ms) if inquiries.waiting else soonest_ms
    others: tuple[int, ...] = tuple(other for other in inquiries.waiting if other != number)
    tries = inquiries.tries if number in inquiries.waiting else 0
    asked = replace(inquiries, waiting=(number, *others), tries=tries, ready_at_ms=ready_at_ms)
    later = replace(
        owner,
        event_inquiries=asked,
        version=owner.version + 1,
        lease=owner.lease.after_change_by_another(now_ms),
    )
    return kept_due(later)


def due_inquiry(owner: Owner, now_ms: int) -> Attempt | None:
    """Return the closed attempt that is to be inquired about now."""
    inquiries = owner.event_inquiries
    if inquiries is None or now_ms + EARLY_GRACE_MS < inquiries.ready_at_ms:
        return None
    return next((owner.attempt(number) for number in _waiting(owner)), None)


def is_waiting(owner: Owner, number: int | None = None) -> bool:
    """Return whether an inquiry about this closed attempt, or about any, waits."""
    found = _waiting(owner)
    return bool(found) if number is None else number in found


def ready_at_ms(owner: Owner) -> int | None:
    """Return the time of the next inquiry about a closed attempt; None if none waits."""
    return owner.event_inquiries.ready_at_ms if owner.event_inquiries and _waiting(owner) else None


def inquired(owner: Owner, number: int, now_ms: int, *, is_answered: bool) -> Owner:
    """Return the item after an inquiry about a closed attempt, which is done or waits for its next try.

    An inquiry that nobody answers, or whose answer is "in progress", is given up after about a day; the read of a paid
    object, after a month. It delays no other inquiry by more than an hour.
    """
    inquiries = owner.event_inquiries
    if inquiries is None or number not in inquiries.waiting:
        return owner
    others: tuple[int, ...] = tuple(other for other in inquiries.waiting if other != number)
    is_paid_object = owner.attempt(number).final_read_at_ms is not None
    delays_seconds = PAID_OBJECT_READ_RETRY_DELAYS_SECONDS if is_paid_object else EVENT_INQUIRY_RETRY_DELAYS_SECONDS
    if not is_answered and inquiries.tries < len(delays_seconds):
        longest_seconds = EVENT_INQUIRY_RETRY_DELAYS_SECONDS[-1] if others else delays_seconds[-1]
        delay_ms = min(delays_seconds[inquiries.tries], longest_seconds) * SECOND_MS
        later = replace(inquiries, waiting=(*others, number), tries=inquiries.tries + 1, ready_at_ms=now_ms + delay_ms)
    else:
        counted = one_more(inquiries, now_ms, most=MAX_EVENT_INQUIRIES_A_DAY) or inquiries
        later = replace(counted, waiting=others, tries=0, ready_at_ms=counted.next_at_ms(now_ms))
        final_ms = owner.attempt(number).final_read_at_ms
        if final_ms is not None and final_ms > now_ms:
            ready_at_ms = min(later.ready_at_ms, final_ms) if others else final_ms
            later = replace(later, waiting=(*others, number), ready_at_ms=ready_at_ms)
    return replace(owner, event_inquiries=later)


def with_final_read(owner: Owner, attempt: Attempt) -> Owner:
    """Return the item with the last read of a hosted object that has just been paid."""
    at_ms, known = attempt.final_read_at_ms, owner.event_inquiries
    if at_ms is None:
        return owner
    inquiries: EventInquiries = known or EventInquiries(since_ms=attempt.started_at_ms)
    waiting: tuple[int, ...] = tuple(number for number in inquiries.waiting if number != attempt.number)
    ready_at_ms = min(inquiries.ready_at_ms, at_ms) if waiting else at_ms
    asked = replace(inquiries, waiting=(*waiting, attempt.number), ready_at_ms=ready_at_ms)
    return replace(owner, event_inquiries=asked)


def kept_due(owner: Owner) -> Owner:
    """Return the item due for what every change must leave it due for: a waiting inquiry, and a checkout's end."""
    return _due_for_inquiry(_due_for_its_end(owner))


def _due_for_its_end(owner: Owner) -> Owner:
    """Return a checkout due when it expires, where nothing else is due before.

    One that waits for its payer has nothing to do until then; any other keeps the time of its next step, which only an
    inquiry about a closed attempt may delay.
    """
    if not isinstance(owner, Payment) or owner.checkout is None or owner.due_at_ms is not None:
        return owner
    if owner.status is not PaymentStatus.REQUIRES_ACTION:
        return owner
    expires_at_ms = owner.checkout.expires_at_ms
    if not owner.is_checkout_to_go_on:
        return replace(owner, ready_at_ms=expires_at_ms, due_at_ms=expires_at_ms)
    next_step_ms = expires_at_ms if is_waiting(owner) else owner.ready_at_ms + DUE_AFTER_ACCEPT_MS
    return replace(owner, due_at_ms=next_step_ms)


def _due_for_inquiry(owner: Owner) -> Owner:
    """Return the item due at the latest for the inquiry that waits. One about an attempt with a proof waits no more."""
    inquiries = owner.event_inquiries
    if inquiries is None or not inquiries.waiting:
        return owner
    waiting = _waiting(owner)
    if waiting != inquiries.waiting:
        owner = replace(owner, event_inquiries=replace(inquiries, waiting=waiting))
    if not waiting:
        return owner
    due_at_ms = inquiries.ready_at_ms + DUE_AFTER_ACCEPT_MS
    return replace(owner, due_at_ms=min(owner.due_at_ms or due_at_ms, due_at_ms))


def _waiting(owner: Owner) -> tuple[int, ...]:
    numbers = owner.event_inquiries.waiting if owner.event_inquiries else ()
    return tuple(n for n in numbers if 1 <= n <= len(owner.attempts) and _may_be_asked_about(owner.attempt(n)))


def _may_be_asked_about(attempt: Attempt) -> bool:
    """Return whether an inquiry can find anything new: a charge, or a further charge inside a hosted object."""
    return attempt.may_prove_late or attempt.final_read_at_ms is not None
