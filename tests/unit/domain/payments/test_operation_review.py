"""Closing the review of a capture, void or refund: the amounts follow the evidence."""

from dataclasses import replace
from typing import Any

import pytest

from payflowx.domain.payments.attempt import AUTHORIZED_LATE_AT
from payflowx.domain.payments.capabilities import DEFAULT_REFUND_REVERSAL_MS
from payflowx.domain.payments.hosted import (
    FINAL_READ_AFTER_MS,
    HOSTED_EXPIRES_AT,
    HOSTED_METHOD,
    HOSTED_OBJECT,
    HOSTED_RETURN_URL,
)
from payflowx.domain.payments.operation import Held, Operation
from payflowx.domain.payments.operation_review import close_operation_review
from payflowx.domain.payments.operation_state_machine import apply_operation_outcome
from payflowx.domain.payments.outcome import Declined, Succeeded, Unknown
from payflowx.domain.payments.payment import LastError, Lease, Payment
from payflowx.domain.payments.review import ReviewDecision, ReviewVerdict
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.review_since import check_seen, seen_review
from payflowx.domain.shared.backoff import inquiry_delay_ms
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import DAY_MS, DUE_AFTER_ACCEPT_MS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, CaptureMode, OperationStatus, PaymentStatus
from tests.support.memory import NOW_MS
from tests.support.world import World
from tests.unit.domain.payments.test_review import CONTEXT


def test_a_review_that_was_seen_is_the_same_until_it_asks_something_else() -> None:
    _, operation = unknown(World(), OperationKind.REFUND)
    seen = seen_review(operation)
    inquired = replace(operation.attempts[0], inquiries=9)
    assert seen_review(replace(operation, version=99, due_at_ms=7, attempts=(inquired,))) == seen
    check_seen(seen_review(operation), seen)
    check_seen(seen_review(operation), None)
    later = (
        replace(operation, review_since_ms=NOW_MS + 1),
        replace(operation, last_error=LastError(code="reversed", message="x")),
        replace(operation, attempts=(replace(operation.attempts[0], state=AttemptState.SUCCEEDED),)),
        replace(operation, booked_amount=1),
    )
    for other in later:
        with pytest.raises(Refusal, match="has changed"):
            check_seen(seen_review(other), seen)


def paid(world: World, **changes: Any) -> Payment:
    payment = world.accept(**changes)
    world.work_until_idle()
    return world.now(payment)


def unknown(world: World, kind: OperationKind, amount: int | None = None) -> tuple[Payment, Operation]:
    """In review because nobody knows whether it happened: its amount is reserved."""
    payment = paid(world, capture=CaptureMode.MANUAL if kind is not OperationKind.REFUND else CaptureMode.AUTOMATIC)
    world.providers.get("alpha").moves = [Unknown(code="read_timeout")]
    operation = world.request(kind, payment, amount).operation
    world.work()
    stored = replace(
        world.operation_now(operation),
        status=OperationStatus.IN_REVIEW,
        last_error=LastError(code="outcome_unknown", message="x"),
    )
    return world.now(payment), stored


def in_review(operation: Operation, code: str) -> Operation:
    return replace(operation, status=OperationStatus.IN_REVIEW, last_error=LastError(code=code, message="x"))


def close(payment: Payment, operation: Operation, verdict: ReviewVerdict, reference: str | None = None) -> Any:
    return close_operation_review(payment, operation, ReviewDecision(verdict=verdict, reference=reference), CONTEXT)


def test_a_refund_that_happened_is_booked() -> None:
    payment, operation = unknown(World(), OperationKind.REFUND, 500)
    change = close(payment, operation, ReviewVerdict.CHARGED, "re_1")
    assert (change.after.refunded, change.after.refundable) == (500, payment.amount - 500)
    assert change.operation_after.status is OperationStatus.SUCCEEDED
    assert change.operation_after.last_attempt.state is AttemptState.SUCCEEDED
    assert (change.attempt_number, change.reference) == (1, "re_1")
    assert (change.event.type, change.event.facts["movedAmount"]) == ("refund.review_moved", 500)


@pytest.mark.parametrize("kind", OperationKind)
def test_what_was_made_by_a_request_that_is_not_stored_is_booked_by_its_reference(kind: OperationKind) -> None:
    """After a restore, the request that moved the money may be forgotten."""
    payment, operation = unknown(World(), kind, None if kind is OperationKind.VOID else 500)
    forgotten = replace(operation, attempts=())
    with pytest.raises(Refusal, match="give its reference"):
        close(payment, forgotten, ReviewVerdict.CHARGED)
    done = close(payment, forgotten, ReviewVerdict.CHARGED, "re_1").operation_after
    charge, made = payment.attempt(operation.charge_attempt), done.attempts[0]
    assert (made.provider, made.account_id, made.reference) == (charge.provider, charge.account_id, "re_1")
    assert (made.provider_key, made.state) == (operation.attempts[0].provider_key, AttemptState.SUCCEEDED)
    assert (done.status, done.held) == (OperationStatus.SUCCEEDED, Held.BOOKED)


def test_a_refund_that_a_person_found_made_is_read_once_more_when_it_can_no_longer_come_back() -> None:
    payment, operation = unknown(World(), OperationKind.REFUND, 500)
    found = close(payment, operation, ReviewVerdict.CHARGED, "re_1").operation_after
    assert found.due_at_ms == found.ready_at_ms == CONTEXT.now_ms + DEFAULT_REFUND_REVERSAL_MS
    again = in_review(found, ReviewReason.REVERSED)
    assert close(payment, again, ReviewVerdict.CHARGED).operation_after.due_at_ms is None


def test_with_the_review_its_daily_inquiries_about_another_attempt_end() -> None:
    payment, operation = unknown(World(), OperationKind.REFUND, 500)
    second = replace(operation.attempts[0], number=2, provider_key="pfx-2")
    in_a_day = replace(
        operation, attempts=(*operation.attempts, second), ready_at_ms=NOW_MS + DAY_MS, due_at_ms=NOW_MS + DAY_MS
    )
    change = close(payment, in_a_day, ReviewVerdict.CHARGED, "re_1")
    assert change.operation_after.status is OperationStatus.SUCCEEDED
    assert change.operation_after.ready_at_ms == CONTEXT.now_ms + inquiry_delay_ms(0)
    assert change.wake_in_seconds == inquiry_delay_ms(0) // SECOND_MS


@pytest.mark.parametrize(
    ("kind", "amount"),
    [
        (OperationKind.REFUND, 0),
        (OperationKind.REFUND, -1),
        (OperationKind.REFUND, 2000),
        (OperationKind.CAPTURE, 2000),
        (OperationKind.VOID, 1),
    ],
)
def test_no_more_than_the_charge_can_have_moved(kind: OperationKind, amount: int) -> None:
    payment, operation = unknown(World(), kind)
    assert payment.amount == 1999
    with pytest.raises(Refusal, match=r"must be between 1 and 1999|A void has no amount") as refusal:
        close_operation_review(
            payment, operation, ReviewDecision(verdict=ReviewVerdict.CHARGED, amount=amount), CONTEXT
        )
    assert (refusal.value.code, refusal.value.field) == ("amount_invalid", "amount")


@pytest.mark.parametrize("kind", OperationKind)
def test_that_nothing_moved_closes_every_open_attempt(kind: OperationKind) -> None:
    """After a restore, an attempt that was stored as not sent is open beside a later one."""
    payment, operation = unknown(World(), kind)
    later = replace(operation.attempts[0], number=2, provider_key="pfx-2", state=AttemptState.REJECTED)
    two = replace(operation, attempts=(*operation.attempts, later))
    after = close(payment, two, ReviewVerdict.NOT_CHARGED).operation_after
    assert [attempt.state for attempt in after.attempts] == [AttemptState.FENCED, AttemptState.REJECTED]


def test_the_attempt_that_succeeded_is_the_one_that_moved_the_money() -> None:
    """What else is open stays open: a second execution must be found."""
    payment, operation = unknown(World(), OperationKind.REFUND, 500)
    first = replace(operation.attempts[0], state=AttemptState.SUCCEEDED, reference="re_1")
    second = replace(operation.attempts[0], number=2, provider_key="pfx-2")
    two = in_review(replace(operation, attempts=(first, second)), ReviewReason.LATE_SUCCESS)
    change = close(payment, two, ReviewVerdict.CHARGED)
    assert (change.attempt_number, change.operation_after.attempts[1].state) == (1, AttemptState.UNKNOWN)
    assert change.operation_after.due_at_ms is not None


@pytest.mark.parametrize("reason", [ReviewReason.OUTCOME_UNKNOWN, ReviewReason.DRIVES_EXHAUSTED])
def test_the_review_of_an_open_attempt_beside_the_one_that_moved_closes_it(reason: ReviewReason) -> None:
    """Else the next inquiry, which finds nothing as before, opens the same review again, for ever."""
    payment, operation = unknown(World(), OperationKind.CAPTURE)
    first = replace(operation.attempts[0], state=AttemptState.SUCCEEDED, reference="ch_1")
    second = replace(operation.attempts[0], number=2, provider_key="pfx-2")
    two = in_review(replace(operation, attempts=(first, second)), reason)
    after = close(payment, two, ReviewVerdict.CHARGED).operation_after
    assert [attempt.state for attempt in after.attempts] == [AttemptState.SUCCEEDED, AttemptState.FENCED]
    assert after.due_at_ms is None


@pytest.mark.parametrize("status", [PaymentStatus.CANCELLED, PaymentStatus.FAILED])
def test_a_capture_of_a_payment_that_had_ended_sends_the_payment_to_review(status: PaymentStatus) -> None:
    payment, operation = unknown(World(), OperationKind.CAPTURE)
    charge = replace(payment.attempts[0], state=AttemptState.FENCED)
    ended = replace(payment, status=status, attempts=(charge,), capturable=0, open_capture_or_void=None)
    change = close(ended, replace(operation, held=Held.GIVEN_BACK), ReviewVerdict.CHARGED)
    assert (change.after.status, change.after.captured) == (PaymentStatus.IN_REVIEW, 0)
    assert change.operation_after.status is OperationStatus.SUCCEEDED


def test_a_refund_that_did_not_happen_gives_its_amount_back() -> None:
    payment, operation = unknown(World(), OperationKind.REFUND, 500)
    change = close(payment, operation, ReviewVerdict.NOT_CHARGED)
    assert (change.after.refunded, change.after.refundable) == (0, payment.amount)
    assert change.operation_after.status is OperationStatus.FAILED
    assert not change.operation_after.last_attempt.is_open
    assert change.operation_after.due_at_ms is None


def test_a_capture_that_happened_ends_the_payment() -> None:
    payment, operation = unknown(World(), OperationKind.CAPTURE)
    after = close(payment, operation, ReviewVerdict.CHARGED).after
    assert (after.status, after.captured, after.open_capture_or_void) == (PaymentStatus.SUCCESS, payment.amount, None)


@pytest.mark.parametrize("is_found_by_a_person", [True, False])
def test_a_hosted_object_whose_amount_was_captured_is_read_once_more(is_found_by_a_person: bool) -> None:
    """Its payer may have approved another amount there, which support captures at the provider."""
    payment, operation = unknown(World(), OperationKind.CAPTURE)
    expires_ms = NOW_MS + DAY_MS
    facts = {HOSTED_METHOD: "card", HOSTED_EXPIRES_AT: str(expires_ms), HOSTED_RETURN_URL: "https://pay.example"}
    facts |= {HOSTED_OBJECT: "link_1"}
    payment = replace(payment, attempts=(replace(payment.attempt(1), reference="ch_1", progress=facts),))
    if is_found_by_a_person:
        after = close(payment, operation, ReviewVerdict.CHARGED, "ch_1").after
    else:
        pending = replace(operation, status=OperationStatus.PENDING, last_error=None)
        moved = Succeeded(
            reference="ch_1",
            amount=payment.amount,
            currency=payment.currency,
            merchant_reference=pending.attempts[0].provider_key,
        )
        change = apply_operation_outcome(payment, pending, pending.attempts[0], moved, CONTEXT)
        assert change is not None
        after = change.after
    last_read_ms = expires_ms + FINAL_READ_AFTER_MS
    assert (after.status, after.captured) == (PaymentStatus.SUCCESS, payment.amount)
    assert after.event_inquiries is not None
    assert (after.event_inquiries.waiting, after.event_inquiries.ready_at_ms) == ((1,), last_read_ms)
    assert after.due_at_ms == last_read_ms + DUE_AFTER_ACCEPT_MS


@pytest.mark.parametrize("kind", [OperationKind.CAPTURE, OperationKind.VOID])
@pytest.mark.parametrize("is_found_by_a_person", [True, False])
def test_an_attempt_that_was_authorized_late_stays_watched_beside_a_capture_or_void(
    is_found_by_a_person: bool, kind: OperationKind
) -> None:
    payment, operation = unknown(World(), kind)
    charge = replace(payment.attempt(1), number=2)
    late = replace(
        charge,
        number=1,
        state=AttemptState.DECLINED,
        reopens_until_ms=CONTEXT.now_ms + DAY_MS,
        progress={AUTHORIZED_LATE_AT: str(CONTEXT.now_ms)},
    )
    payment = replace(payment, attempts=(late, charge))
    operation = replace(operation, charge_attempt=2)
    if is_found_by_a_person:
        after = close(payment, operation, ReviewVerdict.CHARGED).after
    else:
        pending = replace(operation, status=OperationStatus.PENDING, last_error=None)
        moved = Succeeded(
            reference="op_1",
            amount=payment.amount,
            currency=payment.currency,
            merchant_reference=pending.attempts[0].provider_key,
        )
        change = apply_operation_outcome(payment, pending, pending.attempts[0], moved, CONTEXT)
        assert change is not None
        after = change.after
    assert after.status is (PaymentStatus.SUCCESS if kind is OperationKind.CAPTURE else PaymentStatus.CANCELLED)
    assert after.ready_at_ms == CONTEXT.now_ms + inquiry_delay_ms(0)
    assert after.due_at_ms == after.ready_at_ms + DUE_AFTER_ACCEPT_MS


def test_a_capture_that_did_not_happen_leaves_the_authorization() -> None:
    payment, operation = unknown(World(), OperationKind.CAPTURE)
    after = close(payment, operation, ReviewVerdict.NOT_CHARGED).after
    assert (after.status, after.capturable, after.open_capture_or_void) == (
        PaymentStatus.AUTHORIZED,
        payment.amount,
        None,
    )
    assert after.due_at_ms is not None


def test_a_refund_that_came_back_can_be_made_again() -> None:
    world = World()
    payment = paid(world)
    operation = world.request(OperationKind.REFUND, payment, 500).operation
    world.work_until_idle()
    payment = world.now(payment)
    assert payment.refunded == 500
    reviewed = in_review(world.operation_now(operation), "reversed")
    back = close(payment, reviewed, ReviewVerdict.NOT_CHARGED).after
    assert (back.refunded, back.refundable) == (0, payment.amount)
    stands = close(payment, reviewed, ReviewVerdict.CHARGED).after
    assert (stands.refunded, stands.refundable) == (500, payment.amount - 500)


def test_a_capture_that_was_booked_cannot_be_taken_back_by_a_command() -> None:
    world = World()
    payment = paid(world, capture=CaptureMode.MANUAL)
    operation = world.request(OperationKind.CAPTURE, payment).operation
    world.work_until_idle()
    reviewed = in_review(world.operation_now(operation), "reversed")
    with pytest.raises(Refusal) as refusal:
        close(world.now(payment), reviewed, ReviewVerdict.NOT_CHARGED)
    assert refusal.value.code == "not_supported"


def test_the_audit_log_holds_the_evidence() -> None:
    payment, operation = unknown(World(), OperationKind.REFUND, 500)
    event = close(payment, operation, ReviewVerdict.NOT_CHARGED).event
    assert event.type == "refund.review_not_moved"
    assert event.facts["evidence"] == "line 7"
    assert event.facts["operationId"] == operation.operation_id


@pytest.mark.parametrize("verdict", list(ReviewVerdict))
def test_only_what_is_in_review_and_in_nobodys_hands_is_closed(verdict: ReviewVerdict) -> None:
    payment, operation = unknown(World(), OperationKind.REFUND, 500)
    for status in set(OperationStatus) - {OperationStatus.IN_REVIEW}:
        with pytest.raises(Refusal, match="only one that is IN_REVIEW"):
            close(payment, replace(operation, status=status), verdict)
    leased = replace(operation, lease=Lease(owner="w", epoch=9, expires_at_ms=CONTEXT.now_ms + 1))
    with pytest.raises(Refusal, match="right now"):
        close(payment, leased, verdict)


def test_what_was_never_sent_cannot_have_moved() -> None:
    payment, operation = unknown(World(), OperationKind.REFUND, 500)
    with pytest.raises(Refusal, match="no money can have moved"):
        close(payment, replace(operation, attempts=()), ReviewVerdict.CHARGED)


def test_a_refund_that_was_closed_as_not_moved_and_happens_all_the_same_is_seen() -> None:
    from payflowx.domain.payments.operation_state_machine import apply_operation_outcome

    payment, operation = unknown(World(), OperationKind.REFUND, 500)
    closed = close(payment, operation, ReviewVerdict.NOT_CHARGED)
    attempt = closed.operation_after.last_attempt
    moved = Succeeded(reference="re_1", amount=500, currency="USD", merchant_reference=attempt.provider_key)
    late = apply_operation_outcome(closed.after, closed.operation_after, attempt, moved, CONTEXT)
    assert late.operation_after.status is OperationStatus.IN_REVIEW
    assert late.after.refunded == 500
    refused = Declined(code="no", message="no")
    assert apply_operation_outcome(closed.after, closed.operation_after, attempt, refused, CONTEXT) is None


def test_a_capture_that_did_not_happen_leaves_a_reviewed_payment_due() -> None:
    """The payment itself is in review, and its authorization is still open: it is inquired about at once."""
    payment, operation = unknown(World(), OperationKind.CAPTURE)
    reviewed = replace(payment, status=PaymentStatus.IN_REVIEW)
    after = close(reviewed, operation, ReviewVerdict.NOT_CHARGED).after
    assert (after.status, after.open_capture_or_void) == (PaymentStatus.IN_REVIEW, None)
    assert after.due_at_ms is not None
