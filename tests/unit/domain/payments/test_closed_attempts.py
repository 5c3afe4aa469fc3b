"""Inquiries about two closed attempts of one payment: the read of a paid object takes no time from the other one."""

from dataclasses import dataclass, replace
from typing import Any

from payflowx.domain.payments import closed_attempts
from payflowx.domain.payments.event_inquiries import EventInquiries
from payflowx.domain.shared.limits import DAY_MS, EVENT_INQUIRY_RETRY_DELAYS_SECONDS, HOUR_MS

DECLINED, PAID = 1, 2


@dataclass(frozen=True)
class ClosedAttempt:
    may_prove_late: bool
    final_read_at_ms: int | None = None


@dataclass(frozen=True)
class UnusedLease:
    def after_change_by_another(self, _now_ms: int) -> "UnusedLease":
        return self


@dataclass(frozen=True)
class TwoAttempts:
    """As much of a payment as these rules read: a declined attempt, and a paid object after its last read."""

    event_inquiries: EventInquiries
    version: int = 1
    due_at_ms: int | None = None
    lease: UnusedLease = UnusedLease()
    attempts: tuple[ClosedAttempt, ...] = (ClosedAttempt(may_prove_late=True), ClosedAttempt(False, 0))

    def attempt(self, number: int) -> ClosedAttempt:
        return self.attempts[number - 1]


def unanswered_for_days(days: int) -> tuple[Any, int]:
    """The paid object was read, and nobody has answered for so long; and the time of the next read."""
    owner: Any = TwoAttempts(EventInquiries(since_ms=0, waiting=(PAID,)))
    while owner.event_inquiries.ready_at_ms < days * DAY_MS:
        now_ms = owner.event_inquiries.ready_at_ms
        owner = closed_attempts.inquired(owner, PAID, now_ms, is_answered=False)
    return owner, owner.event_inquiries.ready_at_ms


def inquired_once(owner: Any) -> tuple[Any, int]:
    """The next inquiry that is due, which nobody answers; and its attempt."""
    numbers = {id(attempt): number for number, attempt in enumerate(owner.attempts, start=1)}
    now_ms = owner.event_inquiries.ready_at_ms
    due = closed_attempts.due_inquiry(owner, now_ms)
    number = numbers[id(due)]
    return closed_attempts.inquired(owner, number, now_ms, is_answered=False), number


def test_an_inquiry_is_made_at_once_beside_a_read_that_waits_for_tomorrow() -> None:
    owner, next_read_ms = unanswered_for_days(5)
    now_ms = next_read_ms - DAY_MS + HOUR_MS
    asked: Any = closed_attempts.ask(owner, DECLINED, now_ms)
    assert asked.event_inquiries.ready_at_ms == now_ms
    assert inquired_once(asked)[1] == DECLINED


def test_it_has_all_of_its_tries_and_none_is_more_than_an_hour_away() -> None:
    owner, now_ms = unanswered_for_days(5)
    owner = closed_attempts.ask(owner, DECLINED, now_ms)
    tried = []
    while DECLINED in owner.event_inquiries.waiting:
        before_ms = owner.event_inquiries.ready_at_ms
        owner, number = inquired_once(owner)
        tried.append(number)
        if DECLINED in owner.event_inquiries.waiting:
            assert owner.event_inquiries.ready_at_ms - before_ms <= HOUR_MS
    assert tried.count(DECLINED) > len(EVENT_INQUIRY_RETRY_DELAYS_SECONDS) // 2
    assert owner.event_inquiries.waiting == (PAID,), "the paid object is still read"


def test_a_repeated_event_about_the_paid_object_keeps_its_count() -> None:
    owner, _ = unanswered_for_days(5)
    tries = owner.event_inquiries.tries
    now_ms = owner.event_inquiries.ready_at_ms - 20 * HOUR_MS
    asked: Any = closed_attempts.ask(replace(owner), PAID, now_ms)
    assert (asked.event_inquiries.tries, asked.event_inquiries.ready_at_ms) == (tries, now_ms)
