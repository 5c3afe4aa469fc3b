"""Differences that once stopped a run, or sent a payment to a person too early."""

from dataclasses import replace

import pytest

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.values import to_attributes
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_state_machine import fail_operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.reconciliation.matching import (
    LedgerEntry,
    MatchResult,
    ResolutionAction,
    review_discrepancy,
)
from payflowx.domain.reconciliation.reports import EntryKind
from payflowx.domain.reconciliation.run import Discrepancy, Phase
from payflowx.domain.shared.errors import UnreadableItemError
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, CaptureMode, PaymentStatus
from tests.support.reconciliation import DECISION, OnePage, ReconciliationWorld
from tests.support.tables import TRANSACTIONS


@pytest.fixture
def world() -> ReconciliationWorld:
    return ReconciliationWorld()


def make_unreadable(world: ReconciliationWorld, key: dict[str, str]) -> None:
    """As if a newer release had written a word that this one does not know."""
    world.dynamodb.update_item(
        TableName=TRANSACTIONS,
        Key=to_attributes(key),
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues=to_attributes({":s": "DISPUTED"}),
    )


def hide(world: ReconciliationWorld, payment: Payment) -> None:
    make_unreadable(world, dict(keys.payment_key(payment.merchant_id, payment.transaction_id)))


class TestAPaymentThatThisReleaseCannotRead:
    def test_stops_nobody_and_is_reported(self, world: ReconciliationWorld) -> None:
        hidden, missing = world.pay("order-1"), world.pay("order-2")
        world.forget_there(missing)
        hide(world, hidden)
        world.a_day_later()
        run = world.run()
        assert run.phase is Phase.DONE
        found = world.report(run)
        assert ("unreadable", "none", hidden.transaction_id) in found
        assert {transaction_id for result, _, transaction_id in found if result == "missing_there"} == {
            missing.transaction_id
        }
        assert run.differences == len(found)
        assert world.telemetry.total("ReconciliationDifferences") == len(found)

    def test_is_reported_where_only_our_ledger_has_it(self, world: ReconciliationWorld) -> None:
        hidden = world.pay("order-1")
        world.forget_there(hidden)
        hide(world, hidden)
        world.a_day_later()
        assert world.report(world.run()) == [("unreadable", "none", hidden.transaction_id)]

    def test_is_reported_for_a_file(self, world: ReconciliationWorld) -> None:
        hidden = world.pay("order-1")
        world.file.entries = [world.entry(hidden)]
        hide(world, hidden)
        world.a_day_later()
        run = world.run(file="settled.csv")
        assert ("unreadable", "none", hidden.transaction_id) in world.report(run)

    def test_is_counted_once_however_often_the_function_dies(self, world: ReconciliationWorld) -> None:
        hidden = world.pay("order-1")
        hide(world, hidden)
        world.a_day_later()
        world.dies_at = {1, 2, 3}
        run = world.run()
        assert run.counts["unreadable"] == len(world.report(run))

    def test_is_compared_by_the_run_of_a_release_that_reads_it(self, world: ReconciliationWorld) -> None:
        hidden = world.pay("order-1")
        before = world.now(hidden)
        hide(world, hidden)
        world.a_day_later()
        world.run()
        world.store(before)
        assert world.report(world.run(again=1)) == []

    def test_so_it_is_with_a_refund(self, world: ReconciliationWorld) -> None:
        payment = world.pay("order-1")
        refund = world.refund(payment, 100)
        make_unreadable(world, dict(keys.operation_key(refund.merchant_id, refund.transaction_id, refund.operation_id)))
        world.a_day_later()
        assert world.report(world.run()) == [("unreadable", "none", payment.transaction_id)]

    def test_so_it_is_with_a_capture_that_a_resolution_needs(self, world: ReconciliationWorld) -> None:
        payment, capture = capturing(world)
        make_unreadable(
            world, dict(keys.operation_key(capture.merchant_id, capture.transaction_id, capture.operation_id))
        )
        world.a_day_later()
        run = world.run()
        assert world.report(run) == [("unreadable", "none", payment.transaction_id)]
        assert run.counts == {"unreadable": 1}


def capturing(world: ReconciliationWorld, amount: int | None = None) -> tuple[Payment, Operation]:
    """A payment whose capture the provider carried out, which nobody here knows yet."""
    payment = world.pay("order-1", capture=CaptureMode.MANUAL)
    world.simulator.next_operation("tok_timeout_after_charge")  # type: ignore[attr-defined]
    capture = world.request(OperationKind.CAPTURE, payment, amount).operation
    world.work()
    world.jobs.sent.clear()
    return payment, capture


class TestAPartialCaptureOnItsWay:
    def test_that_is_young_is_no_difference(self, world: ReconciliationWorld) -> None:
        payment, _ = capturing(world, 40_000)
        world.clock.advance(120)
        assert world.report(world.run(until_ms=world.clock.now_ms())) == []
        assert world.now(payment).status is PaymentStatus.AUTHORIZED

    def test_wakes_the_capture(self, world: ReconciliationWorld) -> None:
        payment, capture = capturing(world, 40_000)
        world.a_day_later()
        assert world.report(world.run()) == [("status", "wake", payment.transaction_id)]
        assert [job.operation_id for job, _ in world.jobs.sent] == [capture.operation_id]
        world.work_until_idle()
        now = world.now(payment)
        assert (now.status, now.captured) == (PaymentStatus.SUCCESS, 40_000)

    def test_that_was_made_at_the_provider_wakes_the_payment(self, world: ReconciliationWorld) -> None:
        """The inquiry books what was captured, and the rest is released."""
        payment, capture = capturing(world, 40_000)
        world.forget_operation(capture)
        world.store(replace(world.now(payment), open_capture_or_void=None, capturable=payment.amount))
        world.a_day_later()
        assert world.report(world.run()) == [("status", "wake", payment.transaction_id)]
        world.work_until_idle()
        assert (world.now(payment).captured, world.now(payment).capturable) == (40_000, 0)

    @pytest.mark.parametrize("in_review", [False, True])
    def test_that_fails_leaves_its_payment_due(self, world: ReconciliationWorld, in_review: bool) -> None:

        payment, capture = capturing(world, 40_000)
        context = Context(now_ms=world.clock.now_ms(), actor="test", policy=world.policy)
        if in_review:
            change = review_discrepancy(world.now(payment), MatchResult.AMOUNT, context)
            assert change is not None
            assert world.outcome_writer.commit(change)
        assert world.now(payment).due_at_ms is None
        failed = fail_operation(world.now(payment), world.operation_now(capture), "refused", context)
        assert world.outcome_writer.commit(failed)
        now = world.now(payment)
        assert (now.due_at_ms or 0) > world.clock.now_ms()
        assert now.attempts[0].state is AttemptState.AUTHORIZED


class TestAReferenceThatIsTaken:
    def test_makes_a_confirmed_charge_a_mismatch(self, world: ReconciliationWorld) -> None:
        """As a worker would: the run passes the page, and a person decides."""
        payment, other = world.pay("order-1", "tok_hard_decline"), world.pay("order-2")
        world.charge_there(payment)
        world.own_reference(payment, transactionId=other.transaction_id, attempt=1)
        attempt = payment.attempts[0]
        discrepancy = Discrepancy(
            result=MatchResult.STATUS,
            action=ResolutionAction.ASK,
            kind=EntryKind.CHARGE,
            reference=attempt.reference or "",
            provider_key=attempt.provider_key,
            transaction_id=payment.transaction_id,
            operation_id=None,
            their_amount=payment.amount,
            our_amount=payment.amount,
            currency=payment.currency,
            at_ms=world.clock.now_ms(),
        )
        world.reconcile.action(world.asked_run(), discrepancy, LedgerEntry(payment=payment, attempt=attempt))
        now = world.now(payment)
        assert (now.status, now.attempts[0].state, now.attempts[0].code) == (
            PaymentStatus.IN_REVIEW,
            AttemptState.MISMATCH,
            "reference_taken",
        )


def write_word(world: ReconciliationWorld, key: dict[str, str], name: str, word: str = "settled") -> None:
    """As if a newer release had written a word that this one does not know."""
    world.dynamodb.update_item(
        TableName=world.runs.table,
        Key=to_attributes(key),
        UpdateExpression="SET #n = :w",
        ExpressionAttributeNames={"#n": name},
        ExpressionAttributeValues=to_attributes({":w": word}),
    )


class TestARunThatThisReleaseCannotRead:
    def test_stops_no_other_account_and_no_other_day(self, world: ReconciliationWorld) -> None:
        world.a_day_later()
        world.a_day_later()
        unfinished = world.start.of_last_days(world.deadline)
        first = world.run_queue.sent[0][0]
        assert unfinished > 1
        write_word(world, keys.run_key(first), "phase")
        world.run_queue.sent.clear()
        world.clock.advance(2 * 3_600)
        assert world.start.of_last_days(world.deadline) == unfinished
        assert len(world.run_queue.sent) == unfinished - 1
        assert first not in {run_id for run_id, _ in world.run_queue.sent}

    def test_is_refused_to_the_operator_who_asks_for_it_alone(self, world: ReconciliationWorld) -> None:
        world.a_day_later()
        run = world.run()
        write_word(world, keys.run_key(run.run_id), "phase")
        with pytest.raises(UnreadableItemError):
            world.run()

    def test_is_shown_as_what_it_is(self, world: ReconciliationWorld) -> None:
        world.a_day_later()
        world.a_day_later()
        world.start.of_last_days(world.deadline)
        first = world.run_queue.sent[0][0]
        write_word(world, keys.run_key(first), "phase")
        found = world.wiring.list_runs(days=2).items
        assert [day.run_id for day in found if day.is_unreadable] == [first]
        assert any(day.run is not None for day in found)


class TestADiscrepancyThatThisReleaseCannotRead:
    def test_hides_no_other_one(self, world: ReconciliationWorld) -> None:
        first, second = world.pay("order-1"), world.pay("order-2")
        world.forget_there(first)
        world.forget_there(second)
        world.a_day_later()
        run = world.run()
        found, _ = world.runs.discrepancies(run.run_id, limit=10, after=None)
        write_word(world, keys.finding_key(run.run_id, found[0].name), "verdict")
        after: str | None = None
        pages: list[Discrepancy] = []
        for _ in range(3):
            page, after = world.runs.discrepancies(run.run_id, limit=1, after=after)
            pages += page
            if after is None:
                break
        assert [one.result.value for one in pages] == ["unreadable", found[1].result.value]
        assert pages[0].transaction_id == found[0].transaction_id

    def test_does_not_stop_the_page_that_is_repeated(self, world: ReconciliationWorld) -> None:
        """The function died after it had stored them, and another release goes on."""
        payment = world.pay("order-1")
        world.forget_there(payment)
        world.a_day_later()
        (run,) = world.start.asked_for(world.asked(), DECISION)
        key = keys.finding_key(run.run_id, f"charge#{payment.attempts[0].reference}#")
        item = {**key, "kind": "charge", "verdict": "missing_there", "remedy": "settled"}
        world.dynamodb.put_item(TableName=world.runs.table, Item=to_attributes(item))
        done = world.run(deadline=OnePage())
        assert done.counts == {"missing_there": 1}
        assert world.report(done) == [("missing_there", "none", payment.transaction_id)]
