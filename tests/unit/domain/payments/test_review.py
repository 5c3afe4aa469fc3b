"""Closing a review: what a person's evidence may settle, and what the record forbids."""

from dataclasses import replace
from typing import Any

import pytest

from payflowx.domain.merchants.operator_action import checked_words, operator_action_of
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Change, Context
from payflowx.domain.payments.checkout import Checkout
from payflowx.domain.payments.hosted import (
    FINAL_READ_AFTER_MS,
    HOSTED_EXPIRES_AT,
    HOSTED_METHOD,
    HOSTED_OBJECT,
    HOSTED_RETURN_URL,
    HostedCapability,
)
from payflowx.domain.payments.named_charge import NamedCharge
from payflowx.domain.payments.outcome import Authorized, Succeeded
from payflowx.domain.payments.payment import LastError, Lease, Payment
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.review import (
    ReviewDecision,
    ReviewVerdict,
    attempt_in_question,
    close_review,
    request_inquiry,
)
from payflowx.domain.payments.state_machine import apply_outcome
from payflowx.domain.payments.transitions import REVIEW_TRANSITIONS, check_review_transition
from payflowx.domain.shared.backoff import inquiry_delay_ms
from payflowx.domain.shared.errors import Refusal, TransitionError
from payflowx.domain.shared.identifiers import derive_provider_key
from payflowx.domain.shared.limits import DAY_MS, DUE_AFTER_ACCEPT_MS, HOUR_MS, SECOND_MS
from payflowx.domain.shared.statuses import NO_CHARGE_STATES, OPEN_STATES, AttemptState, CaptureMode, PaymentStatus
from tests.support.balance import assert_balanced
from tests.support.memory import NOW_MS
from tests.support.world import World

CONTEXT = Context(
    now_ms=NOW_MS,
    actor="operator",
    policy=RetryPolicy(max_retries=3, charge_deadline_ms=HOUR_MS),
    evidence={"operator": "ada", "reason": "T-1", "evidence": "line 7"},
)


def payment_with(*states: AttemptState, **changes: Any) -> Payment:
    attempts = tuple(
        Attempt(
            number=number,
            provider="alpha",
            account_id="main",
            provider_key=f"pfx-{number}",
            request_hash="h",
            epoch=number,
            started_at_ms=NOW_MS - 1,
            state=state,
        )
        for number, state in enumerate(states, 1)
    )
    accepted = World().accept()
    return replace(accepted, status=PaymentStatus.IN_REVIEW, attempts=attempts, due_at_ms=NOW_MS + 1, **changes)


def close(payment: Payment, verdict: ReviewVerdict, reference: str | None = None, amount: int | None = None) -> Change:
    return close_review(payment, ReviewDecision(verdict=verdict, reference=reference, amount=amount), CONTEXT)


@pytest.mark.parametrize("state", sorted(OPEN_STATES))
def test_charged_ends_in_success_with_the_whole_amount_captured(state: AttemptState) -> None:
    change = close(payment_with(AttemptState.DECLINED, state), ReviewVerdict.CHARGED, "ch_1")
    after = change.after
    assert (after.status, after.charged_attempt, after.due_at_ms) == (PaymentStatus.SUCCESS, 2, None)
    assert (after.captured, after.refundable, after.capturable) == (after.amount, after.amount, 0)
    assert after.attempt(2).state is AttemptState.SUCCEEDED
    assert after.attempt(1).state is AttemptState.DECLINED
    assert (change.attempt_number, change.reference) == (2, "ch_1")


@pytest.mark.parametrize("state", sorted(OPEN_STATES))
def test_not_charged_ends_in_failed_and_nothing_stays_open(state: AttemptState) -> None:
    after = close(payment_with(state), ReviewVerdict.NOT_CHARGED).after
    assert (after.status, after.charged_attempt, after.due_at_ms) == (PaymentStatus.FAILED, None, None)
    assert after.attempt(1).state is AttemptState.FENCED
    assert not any(attempt.is_open for attempt in after.attempts)
    assert after.last_error.code == "not_charged"


def test_the_audit_log_says_who_why_and_on_what_evidence() -> None:
    event = close(payment_with(AttemptState.UNKNOWN), ReviewVerdict.CHARGED).event
    assert event.actor == "operator"
    assert {"operator": "ada", "reason": "T-1", "evidence": "line 7"}.items() <= dict(event.facts).items()
    assert event.hash == event.compute_hash()


def test_a_charge_that_comes_after_not_charged_is_a_late_success() -> None:
    closed = close(payment_with(AttemptState.UNKNOWN), ReviewVerdict.NOT_CHARGED).after
    charged = Succeeded(
        reference="ch_1",
        amount=closed.amount,
        currency=closed.currency,
        merchant_reference=closed.attempt(1).provider_key,
    )
    late = apply_outcome(closed, closed.attempt(1), charged, CONTEXT)
    assert late is not None
    assert late.after.status is PaymentStatus.SUCCESS


@pytest.mark.parametrize("status", [s for s in PaymentStatus if s is not PaymentStatus.IN_REVIEW])
@pytest.mark.parametrize("verdict", list(ReviewVerdict))
def test_only_a_payment_in_review_can_be_closed(status: PaymentStatus, verdict: ReviewVerdict) -> None:
    payment = replace(payment_with(AttemptState.UNKNOWN), status=status)
    with pytest.raises(Refusal) as refusal:
        close(payment, verdict)
    assert refusal.value.code == "invalid_state"


@pytest.mark.parametrize("verdict", list(ReviewVerdict))
def test_nothing_is_closed_under_a_worker(verdict: ReviewVerdict) -> None:
    payment = payment_with(AttemptState.UNKNOWN, lease=Lease(owner="w", epoch=1, expires_at_ms=NOW_MS + 1))
    with pytest.raises(Refusal) as refusal:
        close(payment, verdict)
    assert refusal.value.code == "busy"


def test_what_was_never_sent_cannot_have_charged() -> None:
    with pytest.raises(Refusal, match="nothing can have been charged"):
        close(payment_with(), ReviewVerdict.CHARGED)
    assert close(payment_with(), ReviewVerdict.NOT_CHARGED).after.status is PaymentStatus.FAILED


def mismatched(code: str) -> Payment:
    payment = payment_with(AttemptState.MISMATCH)
    return replace(payment, attempts=(replace(payment.attempt(1), code=code),))


def test_another_currency_is_not_this_payment() -> None:
    payment = mismatched("currency_differs")
    with pytest.raises(Refusal, match="different currency"):
        close(payment, ReviewVerdict.CHARGED)
    after = close(payment, ReviewVerdict.NOT_CHARGED).after
    assert (after.status, after.attempt(1).state) == (PaymentStatus.FAILED, AttemptState.MISMATCH)


@pytest.mark.parametrize("code", ["reference_differs", "duplicate_charge"])
def test_what_was_put_right_at_the_provider_may_be_this_payments_charge(code: str) -> None:
    assert close(mismatched(code), ReviewVerdict.CHARGED).after.status is PaymentStatus.SUCCESS


def test_another_amount_is_closed_with_the_amount_that_was_taken() -> None:
    payment = replace(mismatched("amount_differs"), capturable=5)
    with pytest.raises(Refusal, match="Give the amount") as refusal:
        close(payment, ReviewVerdict.CHARGED)
    assert (refusal.value.code, refusal.value.field) == ("amount_invalid", "amount")
    for amount in (1, 60, payment.amount):
        change = close(payment, ReviewVerdict.CHARGED, amount=amount)
        after = change.after
        assert (after.status, after.captured, after.refundable, after.capturable) == ("SUCCESS", amount, amount, 0)
        assert change.event.facts["capturedAmount"] == amount


@pytest.mark.parametrize("amount", [0, -1, 2000])
def test_no_more_than_was_authorized_was_taken(amount: int) -> None:
    with pytest.raises(Refusal, match="must be between 1 and 1999"):
        close(payment_with(AttemptState.UNKNOWN), ReviewVerdict.CHARGED, amount=amount)


@pytest.mark.parametrize("verdict", ReviewVerdict)
def test_beside_an_open_capture_nothing_is_decided(verdict: ReviewVerdict) -> None:
    """The capture may still take the money, or have taken another amount: its own result comes first."""
    payment = payment_with(AttemptState.AUTHORIZED, open_capture_or_void="cap_a")
    with pytest.raises(Refusal) as refusal:
        close(payment, verdict, amount=60 if verdict is ReviewVerdict.CHARGED else None)
    assert refusal.value.code == "evidence_contradicts"


def test_a_payment_that_a_person_found_uncharged_is_not_watched_any_more() -> None:
    payment = payment_with(AttemptState.DECLINED, AttemptState.UNKNOWN)
    watched = replace(payment.attempts[0], reopens_until_ms=NOW_MS + DAY_MS)
    after = close(replace(payment, attempts=(watched, payment.attempts[1])), ReviewVerdict.NOT_CHARGED).after
    assert not any(attempt.is_watched or attempt.is_open for attempt in after.attempts)
    assert after.due_at_ms is None


def test_an_amount_proves_a_charge() -> None:
    with pytest.raises(Refusal, match="proves a charge"):
        close(payment_with(AttemptState.UNKNOWN), ReviewVerdict.NOT_CHARGED, amount=1)


@pytest.mark.parametrize(
    ("captured", "expected"),
    [(1999, (999, 0)), (1500, (500, 0)), (1000, (0, 0)), (900, (0, 100))],
)
def test_a_captured_amount_is_corrected_and_refunds_stay(captured: int, expected: tuple[int, int]) -> None:
    """1,999 are known to be captured, of which 600 were refunded and 400 are reserved."""
    payment = payment_with(
        AttemptState.SUCCEEDED, charged_attempt=1, captured=1999, refundable=999, refunded=600, reserved=400
    )
    after = close(payment, ReviewVerdict.CHARGED, amount=captured).after
    assert (after.captured, after.refunded, after.reserved) == (captured, 600, 400)
    assert (after.refundable, after.excess) == expected
    # Refunds beyond what was captured are never without a review.
    assert after.status is (PaymentStatus.IN_REVIEW if after.excess else PaymentStatus.SUCCESS)
    assert_balanced(after)


def test_the_reference_of_another_attempt_proves_nothing() -> None:
    with pytest.raises(Refusal, match="belongs to another attempt"):
        close(mismatched("reference_taken"), ReviewVerdict.CHARGED)
    assert close(mismatched("reference_taken"), ReviewVerdict.CHARGED, "ch_own").after.status is PaymentStatus.SUCCESS


def paid_in_an_object(state: AttemptState, *, reference: str | None, object_id: str | None) -> Payment:
    facts = {HOSTED_METHOD: "card", HOSTED_EXPIRES_AT: str(NOW_MS + HOUR_MS), HOSTED_RETURN_URL: "https://pay.example"}
    facts |= {HOSTED_OBJECT: object_id} if object_id else {}
    payment = payment_with(state)
    return replace(payment, attempts=(replace(payment.attempt(1), progress=facts, reference=reference),))


@pytest.mark.parametrize("state", sorted(OPEN_STATES | {AttemptState.SUCCEEDED}))
@pytest.mark.parametrize(
    ("stored", "object_id", "named"),
    [
        ("link_1", "link_1", None),
        (None, "link_1", None),
        (None, None, None),
        ("ch_1", "link_1", "link_1"),
    ],
)
def test_the_id_of_a_hosted_object_names_no_charge(
    state: AttemptState, stored: str | None, object_id: str | None, named: str | None
) -> None:
    payment = paid_in_an_object(state, reference=stored, object_id=object_id)
    with pytest.raises(Refusal, match="hosted object") as refused:
        close(payment, ReviewVerdict.CHARGED, named)
    assert refused.value.code == "evidence_contradicts"
    assert close(payment, ReviewVerdict.NOT_CHARGED).after.status is PaymentStatus.FAILED


@pytest.mark.parametrize("state", sorted(OPEN_STATES - {AttemptState.AUTHORIZED}))
def test_after_a_restore_the_stored_id_may_be_that_of_the_object(state: AttemptState) -> None:
    payment = paid_in_an_object(state, reference="link_1", object_id=None)
    with pytest.raises(Refusal, match="hosted object"):
        close(payment, ReviewVerdict.CHARGED)


@pytest.mark.parametrize("state", sorted(OPEN_STATES | {AttemptState.MISMATCH}))
@pytest.mark.parametrize(("stored", "named"), [("link_1", "ch_1"), ("ch_1", None)])
def test_a_hosted_object_that_a_person_found_paid_is_read_once_more(
    state: AttemptState, stored: str, named: str | None
) -> None:
    payment = paid_in_an_object(state, reference=stored, object_id="link_1")
    after = close(payment, ReviewVerdict.CHARGED, named).after
    assert (after.status, after.attempt(1).reference) == (PaymentStatus.SUCCESS, "ch_1")
    last_read_ms = NOW_MS + HOUR_MS + FINAL_READ_AFTER_MS
    assert after.event_inquiries is not None
    assert (after.event_inquiries.waiting, after.event_inquiries.ready_at_ms) == ((1,), last_read_ms)
    assert after.due_at_ms == last_read_ms + DUE_AFTER_ACCEPT_MS


@pytest.mark.parametrize("other", ["open", "watched"])
def test_with_the_review_its_daily_inquiries_about_other_attempts_end(other: str) -> None:
    closed = payment_with(AttemptState.DECLINED, AttemptState.UNKNOWN)
    declined = replace(closed.attempt(1), reopens_until_ms=NOW_MS + HOUR_MS)
    payment = payment_with(AttemptState.UNKNOWN, AttemptState.UNKNOWN)
    if other == "watched":
        payment = replace(closed, attempts=(declined, closed.attempt(2)))
    in_a_day = replace(payment, ready_at_ms=NOW_MS + DAY_MS, due_at_ms=NOW_MS + DAY_MS)
    change = close(in_a_day, ReviewVerdict.CHARGED, "ch_1")
    wait_ms = inquiry_delay_ms(0)
    assert (change.after.status, change.after.ready_at_ms) == (PaymentStatus.SUCCESS, NOW_MS + wait_ms)
    assert (change.after.due_at_ms, change.wake_in_seconds) == (
        NOW_MS + wait_ms + DUE_AFTER_ACCEPT_MS,
        wait_ms // SECOND_MS,
    )


def test_a_success_that_ends_a_review_ends_its_daily_inquiries_about_other_attempts() -> None:
    payment = payment_with(AttemptState.UNKNOWN, AttemptState.UNKNOWN)
    in_a_day = replace(payment, ready_at_ms=NOW_MS + DAY_MS, due_at_ms=NOW_MS + DAY_MS)
    outcome = Succeeded(reference="ch_1", amount=payment.amount, currency=payment.currency, merchant_reference="pfx-1")
    change = apply_outcome(in_a_day, in_a_day.attempt(1), outcome, CONTEXT)
    assert change is not None
    assert (change.after.status, change.after.ready_at_ms) == (PaymentStatus.SUCCESS, NOW_MS + inquiry_delay_ms(0))


def test_a_late_authorization_leaves_the_payment_the_time_of_its_own_next_step() -> None:
    """It was due for the inquiry that found it, and would be woken hour after hour without anything to do."""
    payment = payment_with(AttemptState.DECLINED, AttemptState.AUTHORIZED, capturable=1999)
    lapses_ms = NOW_MS + 5 * DAY_MS
    held = replace(payment, status=PaymentStatus.AUTHORIZED, capture=CaptureMode.MANUAL, ready_at_ms=lapses_ms)
    outcome = Authorized(reference="ch_1", amount=payment.amount, currency=payment.currency, merchant_reference="pfx-1")
    change = apply_outcome(held, held.attempt(1), outcome, CONTEXT)
    assert change is not None
    assert change.after.attempt(1).authorized_late_at_ms == NOW_MS
    assert (change.after.ready_at_ms, change.after.due_at_ms) == (lapses_ms, lapses_ms)


def test_a_charge_is_in_question_before_an_attempt_that_is_watched() -> None:
    payment = payment_with(AttemptState.DECLINED, AttemptState.SUCCEEDED)
    watched = replace(payment.attempt(1), reopens_until_ms=NOW_MS + DAY_MS)
    payment = replace(payment, attempts=(watched, payment.attempt(2)))
    assert attempt_in_question(payment) == watched
    assert attempt_in_question(replace(payment, charged_attempt=2)) == payment.attempt(2)
    is_open = replace(payment.attempt(2), state=AttemptState.UNKNOWN)
    assert attempt_in_question(replace(payment, attempts=(watched, is_open))) == is_open


def test_an_object_whose_last_read_is_done_is_not_read_again() -> None:
    payment = paid_in_an_object(AttemptState.SUCCEEDED, reference="ch_1", object_id="link_1")
    after = close(replace(payment, charged_attempt=1), ReviewVerdict.CHARGED).after
    assert (after.event_inquiries, after.due_at_ms) == (None, None)


def test_a_second_charge_that_was_given_back_leaves_the_first() -> None:
    payment = payment_with(
        AttemptState.SUCCEEDED, AttemptState.SUCCEEDED, charged_attempt=1, captured=1999, refundable=1000, refunded=999
    )
    after = close(payment, ReviewVerdict.CHARGED).after
    assert (after.status, after.charged_attempt) == (PaymentStatus.SUCCESS, 1)
    assert (after.captured, after.refundable, after.refunded) == (1999, 1000, 999)


def test_charges_that_were_all_given_back_leave_no_charge() -> None:
    payment = payment_with(
        AttemptState.SUCCEEDED, AttemptState.SUCCEEDED, charged_attempt=1, captured=1999, refundable=1999
    )
    after = close(payment, ReviewVerdict.NOT_CHARGED).after
    assert (after.status, after.charged_attempt) == (PaymentStatus.FAILED, None)
    assert (after.captured, after.refundable) == (0, 0)
    assert [attempt.state for attempt in after.attempts] == [AttemptState.SUCCEEDED] * 2


@pytest.mark.parametrize(
    "changes",
    [
        {"captured": 1999, "refundable": 1000, "refunded": 999},
        {"captured": 1999, "refundable": 999},
        {"open_capture_or_void": "cap_aaaaaaaaaaaaaaaa"},
    ],
)
def test_what_was_refunded_here_was_charged(changes: dict[str, Any]) -> None:
    payment = payment_with(AttemptState.SUCCEEDED, charged_attempt=1, **changes)
    with pytest.raises(Refusal, match="a charge exists"):
        close(payment, ReviewVerdict.NOT_CHARGED)


def test_a_reference_names_a_charge_only() -> None:
    with pytest.raises(Refusal, match="proves a charge"):
        close(payment_with(AttemptState.UNKNOWN), ReviewVerdict.NOT_CHARGED, "ch_1")


def test_evidence_brings_an_attempt_to_success_or_to_cancelled_and_confirmed_and_nowhere_else() -> None:
    for before, after in REVIEW_TRANSITIONS.items():
        assert after <= {AttemptState.SUCCEEDED, AttemptState.FENCED}
        assert (AttemptState.FENCED in after) == (before in OPEN_STATES)
    with pytest.raises(TransitionError):
        check_review_transition(AttemptState.SUCCEEDED, AttemptState.FENCED)


# -- looking now


@pytest.mark.parametrize("state", sorted(OPEN_STATES))
def test_what_is_open_is_asked_about_at_once(state: AttemptState) -> None:
    payment = replace(payment_with(state), ready_at_ms=NOW_MS + HOUR_MS, status=PaymentStatus.PENDING)
    change = request_inquiry(payment, CONTEXT)
    assert change.after.ready_at_ms == NOW_MS
    assert change.wake_in_seconds == 0


@pytest.mark.parametrize("state", sorted(NO_CHARGE_STATES))
def test_asking_makes_nobody_charge_earlier(state: AttemptState) -> None:
    payment = replace(payment_with(state), ready_at_ms=NOW_MS + HOUR_MS, status=PaymentStatus.PENDING)
    after = request_inquiry(payment, CONTEXT).after
    assert after.ready_at_ms == NOW_MS + HOUR_MS
    assert after.due_at_ms is not None
    assert after.due_at_ms > after.ready_at_ms


def test_with_nothing_to_do_a_look_is_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        request_inquiry(replace(payment_with(AttemptState.MISMATCH), due_at_ms=None), CONTEXT)
    assert "Close the review" in refusal.value.detail


# -- a charge that no stored attempt made, as far as the record says


def named(payment: Payment, *, reference: str | None = "ch_1", amount: int | None = 100, **changes: Any) -> Change:
    charge = NamedCharge(**{"provider": "beta", "account_id": "main", **changes})
    decision = ReviewDecision(verdict=ReviewVerdict.CHARGED, reference=reference, amount=amount, charge=charge)
    return close_review(payment, decision, CONTEXT)


@pytest.mark.parametrize("before", [(), (AttemptState.DECLINED,), (AttemptState.UNKNOWN,), (AttemptState.MISMATCH,)])
def test_a_charge_elsewhere_is_recorded_where_it_is(before: tuple[AttemptState, ...]) -> None:
    payment = payment_with(*before)
    after = named(payment).after
    made = after.attempts[-1]
    assert after.charged_attempt == made.number == len(before) + 1
    assert (made.provider, made.account_id, made.reference, made.state) == (
        "beta",
        "main",
        "ch_1",
        AttemptState.SUCCEEDED,
    )
    assert made.provider_key == derive_provider_key(payment.transaction_id, made.number)
    assert (made.request_hash, made.code) == ("", "closed_by_operator")
    assert (after.status, after.captured, after.refundable) == (PaymentStatus.SUCCESS, 100, 100)
    assert [a.state for a in after.attempts[:-1]] == list(before)
    assert (after.due_at_ms is not None) is any(state in OPEN_STATES for state in before)


def paid_page(*states: AttemptState, lifetime_ms: int = 3 * HOUR_MS) -> Payment:
    return replace(payment_with(*states), checkout=Checkout(expires_at_ms=NOW_MS + lifetime_ms, address=None))


PAGES = HostedCapability(methods=frozenset({"card"}), min_lifetime_ms=1, max_lifetime_ms=HOUR_MS)


@pytest.mark.parametrize("lifetime_ms", [3 * HOUR_MS, HOUR_MS // 2, -3 * HOUR_MS])
def test_the_object_of_a_checkout_whose_request_is_not_stored_is_read_once_more(lifetime_ms: int) -> None:
    """The payer can pay a second time inside it, until it ends."""
    after = named(paid_page(lifetime_ms=lifetime_ms), hosted=PAGES).after
    (made,) = after.attempts
    ends_at_ms = NOW_MS + min(lifetime_ms, HOUR_MS)
    assert made.hosted is not None
    assert (made.hosted.expires_at_ms, made.state, made.reference) == (ends_at_ms, AttemptState.SUCCEEDED, "ch_1")
    assert after.event_inquiries is not None
    assert after.event_inquiries.waiting == (1,)
    assert after.due_at_ms == ends_at_ms + FINAL_READ_AFTER_MS + DUE_AFTER_ACCEPT_MS


def test_a_charge_that_no_page_took_has_no_last_read() -> None:
    without_pages = named(paid_page()).after
    by_card = named(payment_with(), hosted=PAGES).after
    for after in (without_pages, by_card):
        assert (after.attempts[0].hosted, after.event_inquiries, after.due_at_ms) == (None, None, None)


def test_the_key_that_the_provider_shows_is_kept() -> None:
    payment = payment_with()
    key = derive_provider_key(payment.transaction_id, 3)
    assert named(payment, provider_key=key).after.attempts[0].provider_key == key


def test_a_stored_attempt_at_that_account_is_the_charge() -> None:
    """Of several the one in question, else the newest; a key names one of them."""
    payment = payment_with(AttemptState.REJECTED, AttemptState.DECLINED)
    assert named(payment, provider="alpha", reference=None, amount=None).after.charged_attempt == 2
    keyed = [replace(a, provider_key=derive_provider_key(payment.transaction_id, a.number)) for a in payment.attempts]
    by_key = replace(payment, attempts=tuple(keyed))
    assert named(by_key, provider="alpha", provider_key=keyed[0].provider_key).after.charged_attempt == 1


def test_what_the_record_contradicts_is_no_charge() -> None:
    payment = payment_with()
    other = derive_provider_key(World().accept("another").transaction_id, 1)
    stored = replace(payment, attempts=payment_with(AttemptState.DECLINED).attempts)
    stored = replace(
        stored, attempts=(replace(stored.attempts[0], provider_key=derive_provider_key(stored.transaction_id, 1)),)
    )
    charged = replace(payment_with(AttemptState.SUCCEEDED), charged_attempt=1, captured=100, refundable=100)
    full = payment_with(*[AttemptState.DECLINED] * 8)
    refused: list[tuple[Payment, dict[str, Any]]] = [
        (payment, {"reference": None}),
        (payment, {"amount": None}),
        (payment, {"provider_key": other}),
        (payment, {"provider_key": "pfx-1"}),
        (payment, {"provider_key": derive_provider_key(payment.transaction_id, 9)}),
        (stored, {"provider_key": derive_provider_key(payment.transaction_id, 1)}),
        (charged, {}),
        (full, {}),
    ]
    for there, changes in refused:
        with pytest.raises(Refusal) as refusal:
            named(there, **changes)
        assert refusal.value.code == "evidence_contradicts", changes
    with pytest.raises(Refusal) as refusal:
        named(payment, amount=payment.amount + 1)
    assert refusal.value.code == "amount_invalid"
    with pytest.raises(Refusal, match="name the provider"):
        close(payment, ReviewVerdict.CHARGED)


# -- an attempt that is open beside the charge


@pytest.mark.parametrize(("code", "state"), [("outcome_unknown", "FENCED"), ("drives_exhausted", "FENCED")])
@pytest.mark.parametrize("is_named", [False, True])
def test_the_review_of_an_open_attempt_beside_the_charge_closes_it(code: str, state: str, is_named: bool) -> None:
    """Else the next inquiry, which finds nothing as before, opens the same review again, for ever."""
    charge = {} if is_named else {"charged_attempt": 1, "captured": 100, "refundable": 100}
    states = (AttemptState.UNKNOWN,) if is_named else (AttemptState.SUCCEEDED, AttemptState.UNKNOWN)
    payment = payment_with(*states, **charge, last_error=LastError(code=code, message="x"))
    after = (named(payment) if is_named else close(payment, ReviewVerdict.CHARGED)).after
    beside = after.attempts[0 if is_named else 1]
    assert (after.status, beside.state, beside.code) == (PaymentStatus.SUCCESS, state, "closed_by_operator")
    assert after.due_at_ms is None


def test_a_review_of_something_else_leaves_it_to_its_inquiries() -> None:
    charged = {"charged_attempt": 1, "captured": 100, "refundable": 100}
    last_error = LastError(code="late_success", message="x")
    payment = payment_with(AttemptState.SUCCEEDED, AttemptState.UNKNOWN, **charged, last_error=last_error)
    after = close(payment, ReviewVerdict.CHARGED).after
    assert (after.status, after.attempt(2).state) == (PaymentStatus.SUCCESS, AttemptState.UNKNOWN)
    assert after.due_at_ms is not None


# -- words that are kept for ever


@pytest.mark.parametrize(
    "words",
    [
        "",
        "   ",
        "x" * 501,
        "card 4111 1111 1111 1111",
        "key pfx_test_sk_" + "a" * 38,
        "sk_live_abcdef",
        "whsec_abcdef",
        "ask ada@example.com",
        "two\nlines",
        "tok_success",
    ],
)
def test_what_has_no_place_in_an_audit_log_does_not_get_in(words: str) -> None:
    with pytest.raises(Refusal) as refusal:
        checked_words("evidence", words)
    assert refusal.value.code == "reason_invalid"
    assert not words.strip() or words not in refusal.value.detail


def test_a_decision_is_kept_as_it_was_said() -> None:
    who = "arn:aws:sts::000000000000:assumed-role/Operator/ada@example.com"
    facts = {"operator": who, "reason": "TICKET-1", "identity": "claimed"}
    assert operator_action_of(who, " TICKET-1 ").facts() == facts
