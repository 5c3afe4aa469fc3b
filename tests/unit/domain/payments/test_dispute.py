"""Reports of a dispute: any order, repeated, unsigned, too many."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflowx.domain.payments.dispute import (
    ENDED_STATES,
    MAX_DISPUTES,
    MAX_UNSIGNED_DISPUTES,
    Dispute,
    DisputeReport,
    DisputeState,
    dispute_event_type,
    with_report,
)

OPENED = DisputeReport(
    reference="dp_1",
    state=DisputeState.OPEN,
    amount=500,
    currency="INR",
    reason="fraudulent",
    reported_at_ms=1_000,
    evidence_due_at_ms=9_000,
)
REVIEWED = replace(OPENED, state=DisputeState.UNDER_REVIEW, reported_at_ms=2_000)
LOST = replace(OPENED, state=DisputeState.LOST, reported_at_ms=3_000, evidence_due_at_ms=None)


def after(*reports: DisputeReport) -> tuple[Dispute, ...]:
    disputes: tuple[Dispute, ...] = ()
    for report in reports:
        found = with_report(disputes, "stripe", report)
        disputes = found[0] if found else disputes
    return disputes


@pytest.mark.parametrize("order", list(permutations([OPENED, REVIEWED, LOST])))
def test_in_every_order_the_last_report_counts(order: tuple[DisputeReport, ...]) -> None:
    (dispute,) = after(*order)
    assert (dispute.state, dispute.reported_at_ms, dispute.amount) == (DisputeState.LOST, 3_000, 500)
    assert not dispute.awaits_evidence


@pytest.mark.parametrize("order", list(permutations([OPENED, REVIEWED, LOST])))
def test_every_order_ends_with_the_same_dispute(order: tuple[DisputeReport, ...]) -> None:
    """Its beginning and its deadline are those of earlier reports, though these come late."""
    assert after(*order) == after(OPENED, REVIEWED, LOST)


REPORTS = st.builds(
    DisputeReport,
    reference=st.just("dp_1"),
    state=st.sampled_from(DisputeState),
    amount=st.integers(1, 3),
    currency=st.sampled_from(["INR", "USD"]),
    reason=st.sampled_from(["duplicate", "fraudulent"]),
    reported_at_ms=st.integers(1, 4),
    evidence_due_at_ms=st.none() | st.integers(10, 13),
    is_signed=st.booleans(),
)


@given(st.lists(REPORTS, min_size=1, max_size=3))
def test_any_reports_end_with_the_same_dispute_in_every_order(reports: list[DisputeReport]) -> None:
    """Some name no deadline, some bear the same time, and some are signed."""
    assert len({after(*order) for order in permutations(reports)}) == 1
    assert with_report(after(*reports), "stripe", reports[0]) is None, "a repeated one says nothing new"


@pytest.mark.parametrize(
    "order",
    list(
        permutations(
            [
                OPENED,
                replace(OPENED, reported_at_ms=1_500, evidence_due_at_ms=8_000),
                replace(OPENED, reported_at_ms=1_600, evidence_due_at_ms=None),
            ]
        )
    ),
)
def test_the_deadline_is_that_of_the_newest_report_that_names_one(order: tuple[DisputeReport, ...]) -> None:
    assert after(*order)[0].evidence_due_at_ms == 8_000


def test_a_dispute_of_before_keeps_its_deadline_until_a_newer_report_names_another() -> None:
    """It does not say which report named it: the last one."""
    (stored,) = after(REVIEWED)
    stored = replace(stored, due_reported_at_ms=None)
    assert with_report((stored,), "stripe", REVIEWED) is None
    older = with_report((stored,), "stripe", replace(OPENED, evidence_due_at_ms=7_000))
    newer = with_report((stored,), "stripe", replace(OPENED, reported_at_ms=2_500, evidence_due_at_ms=7_000))
    assert older
    assert older[1].evidence_due_at_ms == 9_000
    assert newer
    assert newer[1].evidence_due_at_ms == 7_000


def test_a_repeated_report_of_an_erased_dispute_says_nothing_new() -> None:
    (erased,) = (replace(dispute, reason="") for dispute in after(OPENED))
    assert with_report((erased,), "stripe", OPENED) is None


def test_a_late_report_tells_the_deadline_of_what_still_awaits_evidence() -> None:
    again = replace(OPENED, reported_at_ms=1_500, evidence_due_at_ms=None)
    (dispute,) = after(again, OPENED)
    assert (dispute.awaits_evidence, dispute.evidence_due_at_ms, dispute.opened_at_ms) == (True, 9_000, 1_000)
    assert with_report(after(again, OPENED), "stripe", OPENED) is None


def test_a_late_unsigned_report_adds_nothing_to_a_signed_one() -> None:
    assert with_report(after(REVIEWED), "stripe", replace(OPENED, is_signed=False)) is None


def test_a_repeated_report_says_nothing_new() -> None:
    assert with_report(after(OPENED), "stripe", OPENED) is None


def test_at_the_same_time_the_further_state_counts() -> None:
    same = replace(REVIEWED, reported_at_ms=OPENED.reported_at_ms)
    assert after(OPENED, same)[0].state is DisputeState.UNDER_REVIEW
    assert after(same, OPENED)[0].state is DisputeState.UNDER_REVIEW


def test_a_later_report_without_a_deadline_keeps_the_known_one() -> None:
    (dispute,) = after(OPENED, replace(OPENED, reported_at_ms=1_500, evidence_due_at_ms=None))
    assert dispute.evidence_due_at_ms == 9_000
    assert dispute.awaits_evidence


def test_an_unsigned_report_never_changes_a_signed_one() -> None:
    forged = replace(LOST, is_signed=False)
    assert with_report(after(OPENED), "stripe", forged) is None
    assert after(forged, OPENED) == after(OPENED), "nothing of what anyone may have sent is left"
    assert after(replace(OPENED, is_signed=False), REVIEWED) == after(REVIEWED)


def test_the_same_reference_at_another_provider_is_another_dispute() -> None:
    found = with_report(after(OPENED), "razorpay", OPENED)
    assert found is not None
    assert [dispute.provider for dispute in found[0]] == ["stripe", "razorpay"]


def test_a_payment_has_a_bounded_number_of_disputes() -> None:
    full = after(*(replace(OPENED, reference=f"dp_{number}") for number in range(MAX_DISPUTES)))
    assert with_report(full, "stripe", replace(OPENED, reference="dp_next")) is None
    assert with_report(full, "stripe", replace(REVIEWED, reference="dp_0")) is not None


def test_unsigned_reports_leave_room_for_signed_ones() -> None:
    forged = [replace(OPENED, reference=f"dp_{number}", is_signed=False) for number in range(MAX_DISPUTES)]
    disputes = after(*forged)
    assert len(disputes) == MAX_UNSIGNED_DISPUTES
    assert with_report(disputes, "payu", replace(OPENED, reference="dp_forged", is_signed=False)) is None
    assert with_report(disputes, "stripe", replace(OPENED, reference="dp_real")) is not None


@pytest.mark.parametrize("state", DisputeState)
def test_the_first_report_opens_it_unless_it_ended_already(state: DisputeState) -> None:
    (dispute,) = after(replace(OPENED, state=state))
    ended = f"payment.dispute.{state.lower()}"
    assert dispute_event_type(None, dispute) == (ended if state in ENDED_STATES else "payment.dispute.opened")


@pytest.mark.parametrize("state", DisputeState)
def test_an_end_is_told_once_and_what_follows_it_is_an_update(state: DisputeState) -> None:
    """Stripe tells `won` twice: when it closes the dispute, and when it returns the money."""
    (opened,), (dispute,) = after(OPENED), after(replace(OPENED, state=state))
    ended = f"payment.dispute.{state.lower()}"
    assert dispute_event_type(opened, dispute) == (ended if state in ENDED_STATES else "payment.dispute.updated")
    assert dispute_event_type(dispute, dispute) == "payment.dispute.updated"


@pytest.mark.parametrize("state", sorted(set(DisputeState) - ENDED_STATES))
@pytest.mark.parametrize("end", sorted(ENDED_STATES))
def test_a_dispute_that_goes_on_after_its_end_is_opened_again(end: DisputeState, state: DisputeState) -> None:
    """Stripe's inquiry that was closed becomes a chargeback with a new deadline."""
    (ended,), (dispute,) = after(replace(OPENED, state=end)), after(replace(OPENED, state=state))
    assert dispute_event_type(ended, dispute) == "payment.dispute.opened"
