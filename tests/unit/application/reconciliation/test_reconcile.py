"""Every class of difference, planted in a provider's book and reported; and runs that die at every write."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from payflowx.application.reviews.close_review import ReviewEntry
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.outcome import Mismatch, Unknown
from payflowx.domain.payments.payment import Lease, Payment
from payflowx.domain.payments.review import ReviewVerdict
from payflowx.domain.reconciliation.matching import LedgerEntry, MatchResult, ResolutionAction, review_discrepancy
from payflowx.domain.reconciliation.reports import EntryKind, ReportUnavailable
from payflowx.domain.reconciliation.run import MAX_FRUITLESS_TRIES, RETRY_SECONDS, Discrepancy, Phase, Source
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.identifiers import derive_provider_key
from payflowx.domain.shared.limits import DAY_MS, MINUTE_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, CaptureMode, OperationStatus, PaymentStatus
from payflowx.domain.shared.transport import HttpRequest, HttpResponse, HttpResult, NoAnswer
from payflowx.wiring.operators import OperatorsWiring
from tests.support.providers import SimulatedHttp
from tests.support.reconciliation import DECISION, REAL_PROVIDERS, OnePage, ReconciliationWorld


@pytest.fixture(params=REAL_PROVIDERS)
def world(request: pytest.FixtureRequest) -> ReconciliationWorld:
    return ReconciliationWorld(provider=request.param)


@dataclass
class LongAnswersRefused:
    """A line that takes no answer with more rows than that."""

    http: SimulatedHttp
    rows: int
    refused: int = 0

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        result = self.http.send(request, endpoint)
        if b"get_transaction_info" in request.body and getattr(result, "body", b"").count(b'"txnid"') > self.rows:
            self.refused += 1
            return NoAnswer(code="answer_too_large")
        return result


@dataclass
class OnlyLists:
    """A line on which nothing but lists is answered."""

    http: SimulatedHttp
    refused: int = 0

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        if "balance_transactions" in request.path:
            return self.http.send(request, endpoint)
        self.refused += 1
        return NoAnswer(code="read_timeout")


@dataclass
class RefundFailed:
    """A line on which Stripe's list shows each refund twice: when it was made, and when it failed."""

    http: SimulatedHttp

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        result = self.http.send(request, endpoint)
        if "balance_transactions" not in request.path or not isinstance(result, HttpResponse):
            return result
        listed = json.loads(result.body)
        for made in [item for item in listed["data"] if item["type"] == "refund"]:
            made["source"]["status"] = "failed"
            listed["data"].insert(0, {**made, "id": "txn_returned", "type": "refund_failure"})
        return replace(result, body=json.dumps(listed).encode())


@dataclass
class ShortTimes:
    """Implements `Deadline`: time for one question, in the next invocation for two, and so on."""

    most: int = 1
    asked: int = -1  # whether there is time for a page at all

    def remaining_ms(self) -> int:
        self.asked += 1
        if self.asked <= self.most:
            return 60_000
        self.most, self.asked = self.most + 1, -1
        return 0


def reviewed(world: ReconciliationWorld, payment: Payment) -> bool:
    now = world.now(payment)
    error = now.last_error
    return now.status is PaymentStatus.IN_REVIEW and error is not None and error.code == "reconciliation"


class TestDifferences:
    def test_two_equal_books_match(self, world: ReconciliationWorld) -> None:
        payments = [world.pay(f"order-{n}") for n in range(3)]
        world.pay("declined", "tok_hard_decline")
        world.a_day_later()
        run = world.run()
        assert world.report(run) == []
        assert run.counts["matched"] >= 3
        assert set(run.counts) == {"matched"}
        assert {world.now(p).status for p in payments} == {PaymentStatus.SUCCESS}
        assert world.telemetry.total("ReconciliationDifferences") == 0

    def test_a_charge_that_nobody_here_knows(self, world: ReconciliationWorld) -> None:
        world.forget_here(world.pay("order-1"))
        world.a_day_later()
        run = world.run()
        assert world.report(run) == [("missing_here", "none", "")]
        assert world.telemetry.total("ReconciliationDifferences") == 1

    def test_a_charge_that_the_provider_does_not_list(self, world: ReconciliationWorld) -> None:
        payment = world.pay("order-1")
        world.forget_there(payment)
        world.a_day_later()
        run = world.run()
        ((result, action, transaction_id),) = world.report(run)
        assert (result, transaction_id) == ("missing_there", payment.transaction_id)
        assert (action == "review") is reviewed(world, payment)

    def test_another_amount(self, world: ReconciliationWorld) -> None:
        payment = world.pay("order-1")
        world.alter(payment, taken=49_899, captured=49_899)
        world.a_day_later()
        assert world.report(world.run()) == [("amount", "review", payment.transaction_id)]
        assert reviewed(world, payment)

    def test_a_second_charge_for_one_attempt(self, world: ReconciliationWorld) -> None:
        payment = world.pay("order-1")
        world.charge_again(payment)
        world.a_day_later()
        run = world.run()
        assert world.report(run) == [("duplicate", "review", payment.transaction_id)]
        # One provider gives the surplus back by itself: a refund nobody here asked for, of a charge unknown here.
        assert {**run.counts, "foreign": 0} == {"matched": 1, "duplicate": 1, "foreign": 0}
        assert reviewed(world, payment)

    def test_a_late_success_after_a_final_no(self, world: ReconciliationWorld) -> None:
        payment = world.pay("order-1", "tok_hard_decline")
        assert payment.status is PaymentStatus.FAILED
        closed = [a for a in payment.attempts if a.reopens_until_ms is None]
        world.charge_there(payment)
        world.jobs.sent.clear()
        world.a_day_later()
        run = world.run()
        assert world.report(run) == [("status", "ask" if closed else "wake", payment.transaction_id)]
        world.work_until_idle()
        now = world.now(payment)
        assert (now.status, now.attempts[0].state) == (PaymentStatus.SUCCESS, AttemptState.SUCCEEDED)
        assert now.charged_attempt == 1

    def test_an_unknown_outcome_that_nobody_cleared_up(self, world: ReconciliationWorld) -> None:
        payment = world.pay("order-1", "tok_timeout_after_charge", work=False)
        world.work(turns=1)
        for _ in range(4):  # the steps before the one that charges or authorizes
            if world.http.ledger() or not world.jobs.sent:
                break
            world.work()
        world.jobs.sent.clear()
        assert world.now(payment).status is PaymentStatus.PENDING
        # Where we capture ourselves, the money is only held so far, and reports list captured payments.
        is_charged = bool(world.http.charged())
        world.a_day_later()
        wanted = [("status", "wake", payment.transaction_id)] if is_charged else []
        assert world.report(world.run()) == wanted
        world.sweep(world.deadline)
        world.work_until_idle()
        assert world.now(payment).status is PaymentStatus.SUCCESS

    def test_what_is_too_young_is_no_difference(self, world: ReconciliationWorld) -> None:
        there = world.pay("order-1")
        world.forget_here(there)
        here = world.pay("order-2")
        world.forget_there(here)
        world.clock.advance(60)
        run = world.run(until_ms=world.clock.now_ms())
        assert world.report(run) == []
        assert run.counts == {"timing": 2}

    def test_a_charge_under_no_key_of_ours_is_somebody_elses(self, world: ReconciliationWorld) -> None:
        payment = world.pay("order-1")
        world.forget_here(payment)
        world.disown(payment)
        world.a_day_later()
        run = world.run()
        assert (run.counts, world.report(run)) == ({"foreign": 1}, [])

    def test_a_refund_that_nobody_here_asked_for(self, world: ReconciliationWorld) -> None:
        payment = world.pay("order-1")
        operation = world.refund(payment, 100)
        world.forget_operation(operation)
        world.a_day_later()
        if world.provider == "payu":
            assert world.report(world.run()) == [], "its report has no refunds"
            return
        assert world.report(world.run()) == [("missing_here", "review", payment.transaction_id)]
        assert reviewed(world, payment)

    def test_a_charge_that_a_restore_forgot_goes_to_review(self, world: ReconciliationWorld) -> None:
        """A search that misses what the report lists could send the payment to another account."""
        accepted = world.pay("order-1", work=False)
        copy = world.copy_of(accepted)
        world.work_until_idle()
        paid = world.now(accepted)
        world.restore(paid, copy, forgetting=paid)
        world.a_day_later()
        assert world.report(world.run()) == [("missing_here", "review", paid.transaction_id)]
        assert reviewed(world, paid)

    def test_a_person_closes_the_review_of_a_charge_that_a_restore_forgot(self, world: ReconciliationWorld) -> None:
        """The charge is named with all its facts; a refund then finds it at its provider."""
        accepted = world.pay("order-1", work=False)
        copy = world.copy_of(accepted)
        world.work_until_idle()
        paid = world.now(accepted)
        world.restore(paid, copy, forgetting=paid)
        world.a_day_later()
        world.run()
        charge = paid.attempts[0]
        operators = world.wired(OperatorsWiring)
        (opened,) = [e for e in world.events_of(paid) if e.type == "payment.in_review"]
        assert opened.facts["listedReference"] == charge.reference
        assert opened.facts["listedProvider"] == charge.provider
        assert opened.facts["listedAccountId"] == charge.account_id
        finding = ReviewEntry(
            verdict=ReviewVerdict.CHARGED,
            evidence="its dashboard",
            reference=charge.reference,
            amount=paid.amount,
            provider=world.provider,
            provider_key=charge.provider_key,
        )
        for unproven in (
            replace(finding, provider=None, provider_key=None),
            replace(finding, reference=None),
            replace(finding, amount=None),
            replace(finding, provider="gamma"),
            replace(finding, account_id="other"),
            replace(finding, provider_key="pfx-aaaaaaaaaaaaaaaa-1"),
        ):
            with pytest.raises(Refusal) as refused:
                operators.close_review(paid.merchant_id, paid.transaction_id, unproven, DECISION)
            assert refused.value.code == "evidence_contradicts", unproven
        closed = operators.close_review(paid.merchant_id, paid.transaction_id, finding, DECISION)
        assert (closed.status, closed.captured, closed.charged_attempt) == (PaymentStatus.SUCCESS, paid.amount, 1)
        assert world.refund(closed, 100).status is OperationStatus.SUCCEEDED
        assert world.report(world.run(again=1)) == []

    def test_a_refund_that_a_restore_forgot_waits_for_the_search(self, world: ReconciliationWorld) -> None:
        payment = world.pay("order-1")
        operation = world.request(OperationKind.REFUND, payment, 100).operation
        copy = world.copy_of(payment)
        refunded = world.carry_out(operation)
        world.restore(payment, copy, forgetting=refunded)
        world.a_day_later()
        world.run()
        assert world.operation_now(operation).status is OperationStatus.PENDING
        world.carry_out(operation)
        assert world.operation_now(operation).status is OperationStatus.SUCCEEDED

    @pytest.mark.parametrize(("number", "waits"), [(1, True), (2, False)])
    def test_only_a_listed_key_that_the_next_request_repeats_waits_for_the_search(
        self, world: ReconciliationWorld, number: int, waits: bool
    ) -> None:
        payment = world.pay("order-1")
        operation = world.request(OperationKind.REFUND, payment, 100).operation
        copy = world.copy_of(payment)
        world.restore(payment, copy, forgetting=operation)
        listed = Discrepancy(
            result=MatchResult.MISSING_HERE,
            action=ResolutionAction.REVIEW,
            kind=EntryKind.REFUND,
            reference="re_1",
            provider_key=derive_provider_key(operation.operation_id, number),
            transaction_id=payment.transaction_id,
            operation_id=operation.operation_id,
            their_amount=100,
            our_amount=100,
            currency=payment.currency,
            at_ms=world.clock.now_ms(),
        )
        held = LedgerEntry(payment=world.now(payment), attempt=None, operation=world.operation_now(operation))
        world.wiring.reconcile.action(world.asked_run(), listed, held)
        status = world.operation_now(operation).status
        assert status is (OperationStatus.PENDING if waits else OperationStatus.IN_REVIEW)

    def test_a_refund_that_both_books_have(self, world: ReconciliationWorld) -> None:
        payment = world.pay("order-1")
        world.refund(payment, 100)
        world.a_day_later()
        run = world.run()
        assert world.report(run) == []
        assert run.counts == {"matched": 1 if world.provider == "payu" else 2}

    def test_a_refund_that_was_made_and_failed_stands_twice_on_one_page(self) -> None:
        world = ReconciliationWorld()
        payment = world.pay("order-1")
        world.refund(payment, 100)
        world.a_day_later()
        line = RefundFailed(world.http)
        world.providers.http = lambda: line  # type: ignore[attr-defined]
        world.providers._connectors.clear()  # type: ignore[attr-defined]
        run = world.run()
        assert world.report(run) == [("status", "wake", payment.transaction_id)]
        assert run.counts == {"matched": 1, "status": 1}
        assert run.actions == 1

    def test_a_difference_that_is_in_review_already_is_not_put_there_twice(self, world: ReconciliationWorld) -> None:
        payment = world.pay("order-1")
        world.alter(payment, taken=49_899, captured=49_899)
        world.a_day_later()
        world.run()
        events = len(world.events_of(payment))
        world.run(again=1)
        assert len(world.events_of(payment)) == events

    def test_the_audit_log_says_who_found_what_and_no_more(self, world: ReconciliationWorld) -> None:
        payment = world.pay("order-1")
        world.alter(payment, taken=49_899, captured=49_899)
        world.a_day_later()
        run = world.run()
        event = world.events_of(payment)[-1]
        assert (event.type, event.actor) == ("payment.in_review", "reconciliation")
        assert event.facts["run"] == run.run_id
        assert (event.facts["verdict"], event.facts["listedAmount"]) == ("amount", 49_899)

    def test_nothing_is_charged_or_moved_by_reconciling(self, world: ReconciliationWorld) -> None:
        world.pay("order-1")
        world.pay("order-2", "tok_hard_decline")
        world.a_day_later()
        books, asked = world.http.ledger(), len(world.http.requests)
        world.run()
        assert world.http.ledger() == books
        for _, request in world.http.requests[asked:]:
            assert request.method == "GET" or request.path in {"/recon", "/merchant/postservice.php?form=2"}
            assert b"si_transaction" not in request.body


class TestBounds:
    def test_what_lies_outside_of_the_span_is_another_days(self, world: ReconciliationWorld) -> None:
        world.forget_here(world.pay("before"))
        seen = world.pay("seen")
        world.clock.advance(600)
        world.began_ms = world.clock.now_ms() + 60_000
        world.clock.advance(120)
        world.pay("within")
        world.a_day_later()
        run = world.run()
        assert (run.counts, world.report(run)) == ({"matched": 1}, [])
        # Listed before the span, as an earlier run may not have been made.
        reference = seen.attempts[0].reference or ""
        assert reference in world.lookups.listed(seen.merchant_id, Source.LIST, world.provider, "main", [reference])

    def test_another_merchants_reference_does_not_hide_our_key(self, world: ReconciliationWorld) -> None:
        payment = world.pay("order-1")
        world.own_reference(payment, merchantId="other", transactionId="pay_other", attempt=1)
        world.a_day_later()
        assert world.run().counts == {"matched": 1}

    def test_the_id_of_a_capture_names_no_charge(self, world: ReconciliationWorld) -> None:
        payment = world.pay("order-1")
        world.own_reference(payment, operationId="cap_1", attempt=7)
        world.a_day_later()
        assert world.run().counts == {"matched": 1}

    def test_whoever_is_at_it_is_not_disturbed(self) -> None:
        world = ReconciliationWorld()
        payment = world.pay("order-1", "tok_timeout_after_charge", work=False)
        world.work()
        world.jobs.sent.clear()
        world.a_day_later()
        lease = Lease(owner="worker", epoch=9, expires_at_ms=world.clock.now_ms() + 1)
        before = replace(world.now(payment), lease=lease)
        world.store(before)
        assert world.report(world.run()) == [("status", "wake", payment.transaction_id)]
        assert (world.now(payment), world.jobs.sent) == (before, [])

    def test_a_capture_that_is_on_its_way_is_woken_instead_of_its_payment(self) -> None:
        world = ReconciliationWorld()
        payment = world.pay("order-1", capture=CaptureMode.MANUAL)
        assert payment.status is PaymentStatus.AUTHORIZED
        world.simulator.next_operation("tok_timeout_after_charge")  # type: ignore[attr-defined]
        capture = world.request(OperationKind.CAPTURE, payment).operation
        world.work()
        world.jobs.sent.clear()
        world.a_day_later()
        assert world.report(world.run()) == [("status", "wake", payment.transaction_id)]
        assert [job.operation_id for job, _ in world.jobs.sent] == [capture.operation_id]
        world.work_until_idle()
        assert world.now(payment).status is PaymentStatus.SUCCESS

    def test_a_refund_of_another_amount_goes_to_a_person_once(self) -> None:
        world = ReconciliationWorld()
        payment = world.pay("order-1")
        operation = world.refund(payment, 100)
        (record,) = world.simulator.store.all("operation")
        world.simulator.store.put("operation", record["id"], {**record, "amount": 101})
        world.a_day_later()
        assert world.report(world.run()) == [("amount", "review", payment.transaction_id)]
        reviewed_ = world.operation_now(operation)
        assert (reviewed_.status, reviewed_.last_error and reviewed_.last_error.code) == (
            OperationStatus.IN_REVIEW,
            "reconciliation",
        )
        world.run(again=1)
        assert world.operation_now(operation) == reviewed_

    def test_a_listed_charge_that_nobody_confirms_goes_to_a_person_after_one_question(self) -> None:
        world = ReconciliationWorld()
        payment = world.pay("order-1", "tok_hard_decline")
        world.charge_there(payment)
        world.a_day_later()
        line = OnlyLists(world.http)
        world.providers.http = lambda: line  # type: ignore[attr-defined]
        world.providers._connectors.clear()  # type: ignore[attr-defined]
        world.dies_at = {1, 2}
        assert world.report(world.run()) == [("status", "ask", payment.transaction_id)]
        assert reviewed(world, payment)
        assert line.refused == 1

    def test_an_answer_of_another_amount_is_no_late_success(self) -> None:
        world = ReconciliationWorld()
        payment = world.pay("order-1", "tok_hard_decline")
        world.charge_there(payment)
        action = world.reconcile.action
        world.alter(payment, captured=5, taken=5, amount=5)
        assert isinstance(action.ask(payment, payment.attempts[0]), Mismatch | Unknown)

    def test_questions_end_when_the_time_is_up_and_go_on_with_the_next_message(self) -> None:
        world = ReconciliationWorld()
        payments = [world.pay(f"order-{n}", "tok_hard_decline") for n in range(3)]
        for payment in payments:
            world.charge_there(payment)
        world.a_day_later()
        run = world.run(deadline=ShortTimes())
        assert run.counts == {"status": 3}
        assert {world.now(payment).status for payment in payments} == {PaymentStatus.SUCCESS}

    def test_what_is_planned_for_a_payment_in_review_is_not_done(self) -> None:
        world = ReconciliationWorld()
        declined = world.pay("order-1", "tok_hard_decline")
        planned = replace(declined, status=PaymentStatus.PENDING, due_at_ms=1)
        context = Context(now_ms=world.clock.now_ms(), actor="reconciliation", policy=world.policy)
        change = review_discrepancy(planned, MatchResult.AMOUNT, context)
        assert change is not None
        assert change.after.due_at_ms is None
        unresolved = replace(planned, attempts=(replace(planned.attempts[0], state=AttemptState.UNKNOWN),))
        change = review_discrepancy(unresolved, MatchResult.AMOUNT, context)
        assert change is not None
        assert change.after.due_at_ms == 1


class TestInterruptions:
    def _plant(self, world: ReconciliationWorld) -> None:
        """More than a page of every list, and one of each difference that can be planted beside the others."""
        for n in range(30):
            world.pay(f"order-{n}")
        world.forget_here(world.pay("here"))
        world.forget_there(world.pay("there"))
        world.alter(world.pay("amount"), taken=49_899, captured=49_899)
        world.charge_again(world.pay("twice"))
        world.charge_there(world.pay("late", "tok_hard_decline"))
        world.a_day_later()

    def test_a_run_that_dies_at_every_write_reports_the_same(self, world: ReconciliationWorld) -> None:
        untouched = ReconciliationWorld(provider=world.provider)
        self._plant(untouched)
        whole = untouched.run()
        self._plant(world)
        # Each write fails once: every page is done at least twice.
        world.dies_at = {2 * n + 1 for n in range(whole.pages + 5)}
        broken = world.run()
        assert broken.pages == whole.pages
        assert broken.counts == whole.counts
        assert world.report(broken) == untouched.report(whole)
        assert {f[0] for f in world.report(broken)} == {
            "missing_here",
            "missing_there",
            "amount",
            "duplicate",
            "status",
        }

    def test_a_run_that_has_no_time_goes_on_by_itself(self, world: ReconciliationWorld) -> None:
        for n in range(30):
            world.pay(f"order-{n}")
        world.a_day_later()
        run = world.run(deadline=world.one_page_at_a_time())
        assert run.counts == {"matched": 30}

    def test_of_two_workers_one_stops(self, world: ReconciliationWorld) -> None:
        world.pay("order-1")
        world.a_day_later()
        (run,) = world.start.asked_for(world.asked(), DECISION)
        world.before_next("update_item", lambda: world.reconcile(run.run_id, world.deadline))
        world.reconcile(run.run_id, world.deadline)
        done = world.runs.get(run.run_id)
        assert done is not None
        assert done.counts == {"matched": 1}
        assert [line for line, _ in world.telemetry.lines].count("reconciled") == 1
        # The slower one cannot know whether the faster one lives: both may have had the same message.
        assert [delay for text, delay in world.run_queue.sent if run.run_id in text] == [0, RETRY_SECONDS]

    def test_a_message_that_comes_twice_finds_it_done(self, world: ReconciliationWorld) -> None:
        world.pay("order-1")
        world.forget_there(world.pay("order-2"))  # so that both halves of the run have something to assess
        world.a_day_later()
        found = world.requests_of("batch_get_item", "FINDING#")
        run = world.run()
        asked = len(world.http.requests)
        world.reconcile(run.run_id, world.deadline)
        assert len(world.http.requests) == asked
        assert len(found) <= 1  # only the first page of an invocation may have been done before

    def test_a_list_that_cannot_be_read_is_tried_again_and_then_given_up(self, world: ReconciliationWorld) -> None:
        world.pay("order-1")
        world.a_day_later()
        world.http.closed.add(world.provider)
        (run,) = world.start.asked_for(world.asked(), DECISION)
        for _ in range(5):
            world.reconcile(run.run_id, world.deadline)
        world.http.closed.clear()
        world.run_queue.sent = [(run.run_id, 0)]
        assert world.run().counts == {"matched": 1}

        world.http.closed.add(world.provider)
        (again,) = world.start.asked_for(world.asked(again=1), DECISION)
        for _ in range(MAX_FRUITLESS_TRIES + 3):
            world.reconcile(again.run_id, world.deadline)
        stuck = world.runs.get(again.run_id)
        assert stuck is not None
        assert (stuck.phase, stuck.problem) == (Phase.FAILED, "connection_refused")
        assert world.telemetry.total("ReconciliationsFailed") == 1


class TestLongLists:
    def test_a_list_without_pages_is_asked_for_in_shorter_spans_when_it_is_too_long(self) -> None:
        world = ReconciliationWorld(provider="payu")
        for n in range(8):
            world.pay(f"order-{n}")
            world.clock.advance(7)
        world.a_day_later()
        line = LongAnswersRefused(world.http, rows=2)
        world.providers.http = lambda: line  # type: ignore[attr-defined]
        world.providers._connectors.clear()  # type: ignore[attr-defined]
        run = world.run()
        assert run.counts == {"matched": 8}
        assert line.refused > 0

    def test_more_differences_than_anybody_believes_are_reported_and_not_acted_upon(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("payflowx.domain.reconciliation.run.MAX_ACTIONS", 3)
        world = ReconciliationWorld(provider="stripe")
        payments = [world.pay(f"order-{n}") for n in range(6)]
        for payment in payments:
            world.alter(payment, taken=1, captured=1)
        world.a_day_later()
        report = world.report(world.run())
        assert [action for _, action, _ in report].count("review") == 3
        assert len(report) == 6
        assert sum(reviewed(world, payment) for payment in payments) == 3


class TestFiles:
    def test_a_file_that_names_a_charge_twice(self, world: ReconciliationWorld) -> None:
        payments = [world.pay(f"order-{n}") for n in range(3)]
        world.a_day_later()
        entries = [world.entry(payment) for payment in payments]
        world.file.entries = [*entries, entries[0], entries[2]]
        world.dies_at = {1, 3, 5}
        run = world.run(file="settled.csv")
        assert run.counts == {"matched": 3, "duplicate": 2}

    def test_a_file_that_is_not_understood_stops_the_run_and_the_run_says_where(
        self, world: ReconciliationWorld
    ) -> None:
        world.pay("order-1")
        world.a_day_later()
        where = "line 3, column amount"
        world.file.unavailable = ReportUnavailable(code="file_not_understood", where=where)
        (run,) = world.start.asked_for(world.asked(file="a.csv"), DECISION)
        world.reconcile(run.run_id, world.deadline)
        stopped = world.runs.get(run.run_id)
        assert stopped is not None
        assert (stopped.problem, stopped.counts) == (f"file_not_understood: {where}", {})

    def test_a_charge_may_be_settled_for_days_and_is_then_missing(self, world: ReconciliationWorld) -> None:
        payment = world.pay("order-1")
        world.a_day_later()
        assert world.run(file="a.csv").counts == {"timing": 1}
        world.clock.advance(6 * 24 * 3_600)
        run = world.run(file="b.csv")
        assert world.report(run) == [("missing_there", "none", payment.transaction_id)]
        assert world.now(payment).status is PaymentStatus.SUCCESS
        world.file.entries = [world.entry(payment)]
        assert world.run(file="c.csv").counts == {"matched": 1}
        world.file.entries = []
        # An earlier file had it.
        assert world.run(file="d.csv").counts == {}


class TestStarting:
    def test_every_account_with_a_list_once_a_day_when_the_list_is_complete(self) -> None:
        world = ReconciliationWorld()
        world.clock.at_ms = world.clock.at_ms // DAY_MS * DAY_MS + 10 * MINUTE_MS
        # The two days before yesterday, which an outage may have left out.
        assert world.start.of_last_days(world.deadline) == 2 * 4
        world.clock.advance(3_600)
        # And yesterday, but for the provider whose list takes longer.
        assert world.start.of_last_days(world.deadline) == 2 * 4 + 3
        assert len(world.run_queue.sent) == 2 * 4 + 3
        world.clock.advance(6 * 3_600)
        # The messages are lost by now, and sent again.
        assert world.start.of_last_days(world.deadline) == 3 * 4
        assert len(world.run_queue.sent) == 2 * 4 + 3 + 3 * 4
        assert len({run_id for run_id, _ in world.run_queue.sent}) == 3 * 4
        for run_id, _ in world.run_queue.sent:
            world.reconcile(run_id, world.deadline)
        assert world.start.of_last_days(world.deadline) == 0
        assert [m for m in world.telemetry.counts if m[0] == "ReconciliationAge"][-1][1] == 0

    def test_asking_twice_is_one_run(self, world: ReconciliationWorld) -> None:
        world.a_day_later()
        (first,) = world.start.asked_for(world.asked(), DECISION)
        (second,) = world.start.asked_for(world.asked(), DECISION)
        (third,) = world.start.asked_for(world.asked(again=1), DECISION)
        assert first.run_id == second.run_id != third.run_id

    def test_asking_again_sends_the_message_that_was_not_sent(self, world: ReconciliationWorld) -> None:
        """The first asking ended between storing the run and sending its message."""
        world.a_day_later()
        (first,) = world.start.asked_for(world.asked(), DECISION)
        world.run_queue.sent.clear()
        world.clock.advance(30)
        (second,) = world.start.asked_for(world.asked(), DECISION)
        assert [run_id for run_id, _ in world.run_queue.sent] == [first.run_id] == [second.run_id]

    def test_asking_again_leaves_a_run_alone_that_goes_on(self, world: ReconciliationWorld) -> None:
        world.pay("order-1")
        world.a_day_later()
        (first,) = world.start.asked_for(world.asked(), DECISION)
        world.reconcile(first.run_id, OnePage())
        world.run_queue.sent.clear()
        (second,) = world.start.asked_for(world.asked(), DECISION)
        assert not second.is_over
        assert world.run_queue.sent == []

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"until_ms": 1}, "span_invalid"),
            ({"until_ms": 2**60}, "span_in_future"),
            ({"from_ms": 1}, "span_too_long"),
            ({"provider": "mock"}, "provider_not_reconciled"),
            ({"provider": "nobody"}, "provider_not_reconciled"),
            ({"merchant_id": "nobody"}, "no_account"),
            ({"account_id": "other"}, "no_account"),
        ],
    )
    def test_what_cannot_be_reconciled_is_refused(self, changes: dict[str, Any], code: str) -> None:
        world = ReconciliationWorld()
        world.a_day_later()
        with pytest.raises(Refusal) as refused:
            world.start.asked_for(world.asked(**changes), DECISION)
        assert refused.value.code == code
        assert world.wired(OperatorsWiring).list_audit_entries("2026-09", limit=9) == []
