"""The verdicts as a table: a line of their book, what we hold, and what is to be said."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.hosted import ExtraCharge
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import ConfirmedCancelled, Declined, Mismatch, NotFound, Succeeded, Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.domain.reconciliation.matching import (
    DISCREPANCIES,
    Assessment,
    LedgerEntry,
    MatchResult,
    ResolutionAction,
    TimeRange,
    assess_unlisted,
    charge_to_find,
    match_entry,
    verify_answer,
)
from payflowx.domain.reconciliation.reports import EntryKind, ReportEntry
from payflowx.domain.reconciliation.run import (
    MAX_FRUITLESS_TRIES,
    MIN_SLICE_MS,
    NewRun,
    Phase,
    Run,
    after_ledger_page,
    after_problem,
    after_report_page,
    begin,
    narrower,
)
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MINUTE_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, DeclineKind, OperationStatus, PaymentStatus
from tests.support.memory import NOW_MS
from tests.support.world import World

A, V, R = AttemptState, MatchResult, ResolutionAction
KEY = "pfx-aaaaaaaaaaaaaaaa-1"


def attempt(state: AttemptState = A.SUCCEEDED, **changes: Any) -> Attempt:
    values: dict[str, Any] = {
        "number": 1,
        "provider": "alpha",
        "account_id": "main",
        "provider_key": KEY,
        "request_hash": "h",
        "epoch": 1,
        "started_at_ms": NOW_MS,
        "settled_at_ms": NOW_MS,
        "state": state,
        "reference": "ch_1",
        **changes,
    }
    return Attempt(**values)


def payment(one: Attempt, **changes: Any) -> Payment:
    charged = one.state is A.SUCCEEDED
    values = {"charged_attempt": 1, "captured": 1999, "status": PaymentStatus.SUCCESS} if charged else {}
    return replace(World().accept(), attempts=(one,), **{**values, **changes})  # type: ignore[arg-type]


def ledger_entry(one: Attempt, **changes: Any) -> LedgerEntry:
    return LedgerEntry(payment=payment(one, **changes), attempt=one)


def refund(state: AttemptState, status: OperationStatus = OperationStatus.SUCCEEDED) -> LedgerEntry:
    charge = attempt()
    operation = Operation(
        merchant_id="acme",
        transaction_id="pay_1",
        operation_id="ref_1",
        kind=OperationKind.REFUND,
        fingerprint="f",
        amount=100,
        currency="USD",
        charge_attempt=1,
        created_at_ms=NOW_MS,
        updated_at_ms=NOW_MS,
        send_deadline_ms=NOW_MS,
        status=status,
        attempts=(attempt(state, reference="re_1"),),
    )
    return LedgerEntry(payment=payment(charge), attempt=operation.attempts[0], operation=operation)


def line(**changes: Any) -> ReportEntry:
    values: dict[str, Any] = {
        "kind": EntryKind.CHARGE,
        "reference": "ch_1",
        "provider_key": KEY,
        "amount": 1999,
        "currency": "USD",
        "succeeded": True,
        "at_ms": NOW_MS,
        **changes,
    }
    return ReportEntry(**values)


REFUND = {"kind": EntryKind.REFUND, "reference": "re_1", "amount": 100, "charge_reference": "ch_1"}
NO_MONEY = {"succeeded": False}
EXTRA = ExtraCharge(reference="ch_2", amount=1999, currency="USD", attempt=1)
NOTHING = LedgerEntry(payment=payment(attempt()), attempt=None)


@pytest.mark.parametrize(
    ("entry", "ours", "result", "action"),
    [
        (line(), ledger_entry(attempt()), V.MATCHED, R.NONE),
        (line(amount=1998), ledger_entry(attempt()), V.AMOUNT, R.REVIEW),
        (line(currency="EUR"), ledger_entry(attempt()), V.AMOUNT, R.REVIEW),
        (line(amount=500), ledger_entry(attempt(), captured=500), V.MATCHED, R.NONE),
        (line(), ledger_entry(attempt(), captured=500), V.AMOUNT, R.REVIEW),
        (line(reference="ch_2"), ledger_entry(attempt()), V.DUPLICATE, R.REVIEW),
        (line(reference="ch_2", **NO_MONEY), ledger_entry(attempt()), V.MATCHED, R.NONE),
        (line(reference="ch_2"), ledger_entry(attempt(), extra_charges=(EXTRA,)), V.MATCHED, R.NONE),
        (line(reference="ch_3"), ledger_entry(attempt(), extra_charges=(EXTRA,)), V.DUPLICATE, R.REVIEW),
        (line(reference="ch_2", amount=1998), ledger_entry(attempt(), extra_charges=(EXTRA,)), V.AMOUNT, R.REVIEW),
        (line(reference="ch_2", currency="EUR"), ledger_entry(attempt(), extra_charges=(EXTRA,)), V.AMOUNT, R.REVIEW),
        (line(**NO_MONEY), ledger_entry(attempt()), V.STATUS, R.REVIEW),
        *((line(), ledger_entry(attempt(state)), V.STATUS, R.WAKE) for state in (A.STARTED, A.UNKNOWN, A.ACCEPTED)),
        *((line(), ledger_entry(attempt(state)), V.STATUS, R.WAKE) for state in (A.REQUIRES_ACTION, A.AUTHORIZED)),
        *((line(), ledger_entry(attempt(state)), V.STATUS, R.ASK) for state in (A.NOT_SENT, A.REJECTED, A.FENCED)),
        (line(), ledger_entry(attempt(A.DECLINED)), V.STATUS, R.ASK),
        (line(), ledger_entry(attempt(A.DECLINED, reopens_until_ms=NOW_MS)), V.STATUS, R.WAKE),
        (line(reference="ch_2"), ledger_entry(attempt(A.DECLINED)), V.STATUS, R.ASK),
        (line(amount=1), ledger_entry(attempt(A.DECLINED)), V.AMOUNT, R.REVIEW),
        (line(**NO_MONEY), ledger_entry(attempt(A.UNKNOWN)), V.MATCHED, R.NONE),
        (line(amount=1), ledger_entry(attempt(A.MISMATCH)), V.AMOUNT, R.NONE),
        (line(), ledger_entry(attempt(A.MISMATCH)), V.STATUS, R.NONE),
        (line(), ledger_entry(attempt(provider="beta")), V.MISSING_HERE, R.REVIEW),
        (line(), ledger_entry(attempt(account_id="other")), V.MISSING_HERE, R.REVIEW),
        (line(), None, V.MISSING_HERE, R.NONE),
        (line(**NO_MONEY), None, V.MATCHED, R.NONE),
        (line(provider_key=None), None, V.FOREIGN, R.NONE),
        (line(provider_key=None, **NO_MONEY), None, V.FOREIGN, R.NONE),
        (line(**REFUND), refund(A.SUCCEEDED), V.MATCHED, R.NONE),
        (line(**{**REFUND, "amount": 99}), refund(A.SUCCEEDED), V.AMOUNT, R.REVIEW),
        (line(**REFUND), refund(A.UNKNOWN), V.STATUS, R.WAKE),
        (line(**REFUND), refund(A.DECLINED, OperationStatus.FAILED), V.STATUS, R.WAKE),
        (line(**REFUND, **NO_MONEY), refund(A.SUCCEEDED), V.STATUS, R.WAKE),
        (line(**REFUND, **NO_MONEY), refund(A.UNKNOWN), V.MATCHED, R.NONE),
        (line(**{**REFUND, "reference": "re_2"}), refund(A.SUCCEEDED), V.MATCHED, R.NONE),
        # Without a key of ours it may have been made at the provider; with one it never was.
        (line(**{**REFUND, "provider_key": None}), NOTHING, V.MISSING_HERE, R.ASK),
        (line(**REFUND), NOTHING, V.MISSING_HERE, R.REVIEW),
    ],
)
def test_a_line_and_what_is_held(
    entry: ReportEntry, ours: LedgerEntry | None, result: MatchResult, action: ResolutionAction
) -> None:
    assert judge(entry, ours) == Assessment(result=result, action=action)


def judge(entry: ReportEntry, ours: LedgerEntry | None, *, young: bool = False) -> Assessment:
    is_ours = entry.provider_key is not None
    return match_entry(entry, ours, has_own_key=is_ours, provider="alpha", account_id="main", young=young)


def test_a_refund_that_a_person_closed_with_another_amount_is_listed_with_that_one() -> None:
    ours = refund(A.SUCCEEDED)
    assert ours.operation is not None
    closed = replace(ours, operation=replace(ours.operation, booked_amount=60))
    one = line(kind=EntryKind.REFUND, reference="re_1", provider_key=None)
    assert judge(replace(one, amount=60), closed) == Assessment(result=V.MATCHED)
    assert judge(replace(one, amount=ours.operation.amount), closed) == Assessment(result=V.MATCHED)
    assert judge(replace(one, amount=61), closed) == Assessment(result=V.AMOUNT, action=R.REVIEW)


def test_a_hold_that_was_given_free_is_no_refund() -> None:
    released = replace(NOTHING, payment=payment(attempt(A.FENCED)))
    assert judge(line(**REFUND), released).result is V.MATCHED


@given(
    succeeded=st.booleans(),
    amount=st.sampled_from([1999, 1]),
    reference=st.sampled_from(["ch_1", "ch_2"]),
    state=st.sampled_from(list(AttemptState)),
)
def test_youth_forgives_what_time_may_mend_and_nothing_else(
    succeeded: bool, amount: int, reference: str, state: AttemptState
) -> None:
    entry = line(succeeded=succeeded, amount=amount, reference=reference)
    old, young = judge(entry, ledger_entry(attempt(state))), judge(entry, ledger_entry(attempt(state)), young=True)
    assert young == old or (old.result is V.STATUS and young == Assessment(result=V.TIMING))
    assert judge(entry, None, young=True).result not in DISCREPANCIES


SPAN = TimeRange(
    from_ms=NOW_MS,
    until_ms=NOW_MS + DAY_MS,
    listed_from_ms=NOW_MS - HOUR_MS,
    listed_until_ms=NOW_MS + DAY_MS + HOUR_MS,
    lag_ms=HOUR_MS,
)


class TestOurCharges:
    def test_only_charges_of_the_account_that_became_known_in_the_span(self) -> None:
        def wanted(one: Attempt, **changes: Any) -> bool:
            return charge_to_find(payment(one, **changes), "alpha", "main", SPAN) is not None

        assert wanted(attempt())
        assert wanted(attempt(settled_at_ms=SPAN.until_ms - 1))
        assert not wanted(attempt(settled_at_ms=SPAN.until_ms))
        assert not wanted(attempt(settled_at_ms=SPAN.from_ms - 1))
        assert not wanted(attempt(provider="beta"))
        assert not wanted(attempt(account_id="other"))
        assert not wanted(attempt(reference=None))
        assert not wanted(attempt(A.UNKNOWN))
        assert not wanted(attempt(A.MISMATCH), charged_attempt=1)

    @pytest.mark.parametrize(
        ("one", "now_ms", "result", "action"),
        [
            (attempt(), SPAN.listed_until_ms, V.MISSING_THERE, R.ASK),
            (attempt(settled_at_ms=SPAN.until_ms - 1), SPAN.listed_until_ms, V.MISSING_THERE, R.ASK),
            (attempt(), NOW_MS + 59 * MINUTE_MS, V.TIMING, R.NONE),
            (attempt(started_at_ms=NOW_MS - 2 * HOUR_MS), SPAN.listed_until_ms, V.TIMING, R.ASK),
        ],
    )
    def test_a_charge_that_they_do_not_list(
        self, one: Attempt, now_ms: int, result: MatchResult, action: ResolutionAction
    ) -> None:
        assert assess_unlisted(one, SPAN, now_ms) == Assessment(result=result, action=action)

    @pytest.mark.parametrize("assessments", [V.MISSING_THERE, V.TIMING])
    def test_only_a_denial_sends_it_to_a_person(self, assessments: MatchResult) -> None:
        assessment = Assessment(result=assessments, action=R.ASK)
        one = payment(attempt())
        charged = Succeeded(reference="ch_1", amount=1999, currency="USD", merchant_reference=KEY)
        for quiet in (charged, Unknown(code="x")):
            assert verify_answer(assessment, one, quiet) == Assessment(result=assessments)
        declined = Declined(kind=DeclineKind.HARD, code="x")
        denial = Assessment(result=V.MISSING_THERE, action=R.REVIEW)
        for outcome in (NotFound(), ConfirmedCancelled(), declined, Mismatch(code="x")):
            assert verify_answer(assessment, one, outcome) == denial
            assert verify_answer(assessment, replace(one, refunded=1), outcome) == Assessment(result=assessments)


def run(**changes: Any) -> Run:
    new = NewRun(merchant_id="acme", provider="alpha", account_id="main", from_ms=NOW_MS, until_ms=NOW_MS + DAY_MS)
    return begin(replace(new, **changes), lag_ms=HOUR_MS, max_slice_ms=6 * HOUR_MS, now_ms=NOW_MS + 2 * DAY_MS)


class TestRun:
    def test_slices_cover_the_list_without_a_gap_or_an_overlap(self) -> None:
        at, spans = run(), []
        for _ in range(100):
            if at.phase is not Phase.THEIRS:
                break
            spans.append((at.page.from_ms, at.page.until_ms))
            at = after_report_page(at, None, Counter(), 0, NOW_MS)
        assert spans[0][0] == NOW_MS - HOUR_MS
        assert spans[-1][1] == NOW_MS + DAY_MS + HOUR_MS
        assert [end for _, end in spans[:-1]] == [begin_ for begin_, _ in spans[1:]]

    @given(st.lists(st.booleans(), min_size=60, max_size=400))
    def test_however_often_it_must_be_shorter_nothing_is_left_out(self, too_long: list[bool]) -> None:
        at, covered = run(), NOW_MS - HOUR_MS
        for is_too_long in [*too_long, *[False] * 50]:
            if at.phase is not Phase.THEIRS:
                break
            shorter = narrower(at, NOW_MS) if is_too_long else None
            if shorter is not None:
                assert MIN_SLICE_MS <= shorter.slice_ms < at.slice_ms
                at = shorter
                continue
            assert at.page.from_ms == covered
            covered = at.page.until_ms
            at = after_report_page(at, None, Counter(), 0, NOW_MS)
        if at.phase is Phase.OURS:
            assert covered == at.listed_until_ms

    def test_a_page_in_the_middle_of_a_list_cannot_be_made_shorter(self) -> None:
        assert narrower(after_report_page(run(), "next", Counter(), 0, NOW_MS), NOW_MS) is None
        assert narrower(run(file="a.csv"), NOW_MS) is None
        assert narrower(replace(run(), slice_ms=MIN_SLICE_MS), NOW_MS) is None

    def test_a_file_is_one_list_of_any_time(self) -> None:
        at = after_report_page(run(file="a.csv"), None, Counter(matched=1), 0, NOW_MS)
        assert at.phase is Phase.OURS
        assert after_ledger_page(at, None, Counter(), 0, NOW_MS).phase is Phase.DONE

    def test_every_change_counts_and_success_forgives_failures(self) -> None:
        at = after_problem(run(), "x", NOW_MS)
        assert (at.tries, at.problem, at.version) == (1, "x", 2)
        at = after_report_page(at, "next", Counter(matched=2, amount=1), 1, NOW_MS)
        assert (at.tries, at.problem, at.version, at.actions, at.differences) == (0, None, 3, 1, 1)
        for _ in range(MAX_FRUITLESS_TRIES):
            at = after_problem(at, "x", NOW_MS)
        assert at.phase is Phase.FAILED

    def test_a_file_that_is_not_there_ends_the_run_at_once(self) -> None:
        at = after_problem(run(file="mistyped.csv"), "file_not_found", NOW_MS)
        assert (at.phase, at.tries, at.problem) == (Phase.FAILED, 1, "file_not_found")
        assert after_problem(run(file="a.csv"), "file_unavailable", NOW_MS).phase is not Phase.FAILED

    def test_an_id_says_what_is_reconciled_and_nothing_else(self) -> None:
        ids = [
            run().run_id,
            run(again=1).run_id,
            run(file="a").run_id,
            run(merchant_id="b").run_id,
            run(provider="b").run_id,
            run(account_id="b").run_id,
            run(from_ms=NOW_MS + 1).run_id,
            run(until_ms=NOW_MS + DAY_MS - 1).run_id,
        ]
        assert len(set(ids)) == len(ids)
        assert run().run_id == run().run_id
