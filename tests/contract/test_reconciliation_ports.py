"""What reconciliation relies on of its stores: over the model and over the local engine."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from payflowx.adapters.dynamodb.merchants.accounts import DynamoDBAccountDirectory
from payflowx.adapters.dynamodb.merchants.directory import DynamoDBMerchantDirectory
from payflowx.domain.inbound_webhooks.ports import ReferenceOwner
from payflowx.domain.merchants.directory import ApiKeyRecord, AuditEntry
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.providers.ports import Account
from payflowx.domain.reconciliation.matching import MatchResult, ResolutionAction
from payflowx.domain.reconciliation.ports import AccountOwner
from payflowx.domain.reconciliation.reports import EntryKind
from payflowx.domain.reconciliation.run import (
    Discrepancy,
    NewRun,
    Phase,
    Run,
    Source,
    after_problem,
    after_report_page,
    begin,
)
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS
from payflowx.domain.shared.statuses import OperationStatus, PaymentStatus
from tests.support.memory import NOW_MS
from tests.support.reconciliation import ReconciliationWorld
from tests.support.tables import CONFIGURATION
from tests.support.world import MERCHANT

NEW = NewRun(merchant_id=MERCHANT, provider="stripe", account_id="main", from_ms=NOW_MS - DAY_MS, until_ms=NOW_MS)
FINDING = Discrepancy(
    result=MatchResult.AMOUNT,
    action=ResolutionAction.REVIEW,
    kind=EntryKind.CHARGE,
    reference="pi_1",
    provider_key="pfx-aaaaaaaaaaaaaaaa-1",
    transaction_id="pay_aaaaaaaaaaaaaaaa",
    operation_id=None,
    their_amount=1,
    our_amount=2,
    currency="USD",
    at_ms=NOW_MS,
)


@pytest.fixture
def world(database: Any) -> ReconciliationWorld:
    return ReconciliationWorld(database=database)


@pytest.fixture
def runs(world: ReconciliationWorld) -> Any:
    return world.runs


def new_run(**changes: Any) -> Run:
    return begin(replace(NEW, **changes), lag_ms=HOUR_MS, max_slice_ms=DAY_MS, now_ms=NOW_MS + DAY_MS)


class TestRuns:
    def test_a_run_is_started_once(self, runs: Any) -> None:
        run = new_run()
        assert runs.start(run) == run
        moved = after_report_page(run, "next", Counter(matched=2), 0, NOW_MS)
        assert runs.save(run, moved)
        assert runs.start(new_run()) == moved
        assert runs.get(run.run_id) == moved
        assert runs.get("rec_nothing") is None
        assert runs.all_of([run.run_id, "rec_nothing"]) == {run.run_id: moved}
        assert runs.all_of([]) == {}

    def test_every_field_comes_back(self, runs: Any) -> None:
        run = runs.start(new_run(file="a.csv"))
        stuck = replace(after_problem(run, "why", NOW_MS), phase=Phase.OURS, cursor="x", counts={"matched": 1})
        assert runs.save(run, stuck)
        assert runs.get(run.run_id) == stuck
        assert stuck.source is Source.FILE

    def test_of_two_writers_one_is_refused(self, runs: Any) -> None:
        run = runs.start(new_run())
        assert runs.save(run, after_report_page(run, "a", Counter(matched=1), 0, NOW_MS))
        assert not runs.save(run, after_report_page(run, "b", Counter(matched=1), 0, NOW_MS))
        stored = runs.get(run.run_id)
        assert (stored.cursor, stored.counts) == ("a", {"matched": 1})

    def test_findings_are_stored_by_name_and_paged(self, runs: Any) -> None:
        run = runs.start(new_run())
        findings = [replace(FINDING, reference=f"pi_{n:02}") for n in range(30)]
        runs.report(run.run_id, findings)
        runs.report(run.run_id, findings[:3])
        first, after = runs.discrepancies(run.run_id, limit=20, after=None)
        second, end = runs.discrepancies(run.run_id, limit=20, after=after)
        assert [*first, *second] == findings
        assert end is None
        assert runs.known(run.run_id, [findings[4].name, "charge#pi_99#"]) == {findings[4].name: findings[4]}
        assert runs.discrepancies("rec_other", limit=20, after=None) == ([], None)

    def test_nothing_to_report_is_no_write(self, runs: Any) -> None:
        runs.report("rec_1", [])
        assert runs.known("rec_1", []) == {}


class TestLookups:
    def test_what_is_there_is_found_and_nothing_else(self, world: ReconciliationWorld) -> None:
        payments = [world.pay(f"order-{n}") for n in range(3)]
        references = [p.attempts[0].reference or "" for p in payments]
        owners = world.lookups.owners(MERCHANT, "stripe", "main", [*references, "pi_nobody"])
        assert owners == {
            reference: ReferenceOwner(merchant_id=MERCHANT, transaction_id=p.transaction_id, attempt=1)
            for reference, p in zip(references, payments, strict=True)
        }
        assert world.lookups.owners(MERCHANT, "stripe", "other", references) == {}
        names = [p.transaction_id for p in payments]
        assert world.lookups.payments(MERCHANT, [*names, "pay_nobody"]) == {p.transaction_id: p for p in payments}
        assert world.lookups.payments("other", names) == {}

    def test_operations_by_their_ids(self, world: ReconciliationWorld) -> None:
        payment = world.pay("order-1")
        operation = world.refund(payment, 100)
        assert operation.status is OperationStatus.SUCCEEDED
        name = operation.operation_id
        assert world.lookups.located(MERCHANT, [name, "ref_nothing"]) == {name: payment.transaction_id}
        assert world.lookups.located("other", [name]) == {}
        pairs = [(payment.transaction_id, name), (payment.transaction_id, "ref_nothing")]
        assert world.lookups.operations(MERCHANT, pairs) == {name: operation}

    def test_more_than_a_batch(self, world: ReconciliationWorld) -> None:
        lines = {f"pi_{n}": f"rec_1#{n}" for n in range(230)}
        for source in Source:
            assert world.lookups.listed(MERCHANT, source, "stripe", "main", list(lines)) == {}
        world.lookups.note_listed(MERCHANT, Source.LIST, "stripe", "main", lines, expires_at_ms=NOW_MS)
        assert world.lookups.listed(MERCHANT, Source.LIST, "stripe", "main", [*lines, "pi_999"]) == lines
        assert world.lookups.listed(MERCHANT, Source.FILE, "stripe", "main", list(lines)) == {}
        world.lookups.note_listed(MERCHANT, Source.LIST, "stripe", "main", {"pi_1": "rec_2"}, expires_at_ms=NOW_MS)
        assert world.lookups.listed(MERCHANT, Source.LIST, "stripe", "main", ["pi_1"]) == {"pi_1": "rec_2"}

    def test_nothing_is_asked_for_nothing(self, world: ReconciliationWorld) -> None:
        assert world.lookups.owners(MERCHANT, "stripe", "main", []) == {}
        assert world.lookups.operations(MERCHANT, []) == {}


def test_a_whole_run_over_this_store(world: ReconciliationWorld) -> None:
    late = world.pay("late", "tok_hard_decline")
    assert late.status is PaymentStatus.FAILED
    wrong, _good = world.pay("wrong"), world.pay("good")
    world.refund(wrong, 50)
    world.alter(wrong, taken=49_899, captured=49_899)
    world.charge_there(late)
    world.a_day_later()
    run = world.run()
    assert run.counts == {"matched": 2, "amount": 1, "status": 1}
    world.work_until_idle()
    assert world.now(late).status is PaymentStatus.SUCCESS
    assert world.now(wrong).status is PaymentStatus.IN_REVIEW
    assert world.run(again=1).counts == {"matched": 3, "amount": 1}


def test_every_account_is_in_the_directory(dynamodb: Any) -> None:
    merchant_directory = DynamoDBMerchantDirectory(client=dynamodb, table=CONFIGURATION)
    for merchant in ("acme", "other"):
        accounts = tuple(
            Account(provider=name, account_id="main", endpoint="https://x.test", secret_arn="arn:s")
            for name in ("stripe", "payu")
        )
        key = ApiKeyRecord(key_id=f"key-{merchant}", merchant_id=merchant, key_hash=f"hash-{merchant}", created_at_ms=1)
        operator_action = OperatorAction(who="somebody", why="a test")
        record = AuditEntry(action="merchant.created", at_ms=1, operator_action=operator_action, merchant_id=merchant)
        assert merchant_directory.create_merchant(
            Merchant(merchant_id=merchant, name="x", accounts=accounts), key, record
        )
    found = list(DynamoDBAccountDirectory(client=dynamodb, table=CONFIGURATION).accounts())
    assert set(found) == {
        AccountOwner(merchant_id=merchant, provider=provider, account_id="main")
        for merchant in ("acme", "other")
        for provider in ("stripe", "payu")
    }
