"""What the use cases rely on of the `Operations` store, over the model and over the local engine."""

from dataclasses import replace
from typing import Any

import pytest

from payflowx.adapters.dynamodb.payments.due_items import DynamoDBDueItems
from payflowx.adapters.dynamodb.payments.operations import DynamoDBOperations
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.adapters.dynamodb.payments.references import DynamoDBReferences
from payflowx.domain.inbound_webhooks.ports import ReferenceOwner
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Change, Context, SeenEvent
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_state_machine import (
    apply_operation_outcome,
    expedite_operation,
    request_operation,
)
from payflowx.domain.payments.outcome import Succeeded as OperationEffect
from payflowx.domain.payments.payment import Lease, Payment
from payflowx.domain.payments.ports import (
    AlreadySeen,
    Created,
    Due,
    DueKind,
    Existing,
    ReferenceTaken,
    Stored,
    VersionConflict,
)
from payflowx.domain.payments.work_item import id_of
from payflowx.domain.shared.identifiers import derive_operation_id
from payflowx.domain.shared.limits import DAY_MS, DUE_SHARDS, LEASE_MS, MAX_ATTEMPTS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import OperationStatus
from tests.support.memory import NOW_MS
from tests.support.world import MERCHANT, World

REFUND = OperationKind.REFUND
SEEN = SeenEvent(provider="alpha", account_id="main", event_id="evt_1", expires_at_ms=NOW_MS + DAY_MS)


@pytest.fixture
def payments(world: World) -> DynamoDBPayments:
    return world.payments


@pytest.fixture
def operations(world: World) -> DynamoDBOperations:
    return world.operations


@pytest.fixture
def references(world: World) -> DynamoDBReferences:
    return world.references


@pytest.fixture
def due_items(world: World) -> DynamoDBDueItems:
    return world.due_items


@pytest.fixture
def payment(world: World) -> Payment:
    """Charged, with 1999 to refund."""
    accepted = world.accept()
    world.work()
    return world.now(accepted)


def context(actor: str = "api") -> Context:
    return Context(now_ms=NOW_MS, actor=actor, holds_lease=actor == "worker", policy=World().policy)


def new_refund(payment: Payment, key: str = "k1", amount: int = 500) -> Operation:
    path = f"/payments/{payment.transaction_id}/refunds"
    return Operation(
        merchant_id=payment.merchant_id,
        transaction_id=payment.transaction_id,
        operation_id=derive_operation_id(REFUND, MERCHANT, path, key),
        kind=REFUND,
        fingerprint=f"print-{key}-{amount}",
        amount=amount,
        currency=payment.currency,
        charge_attempt=1,
        created_at_ms=NOW_MS,
        updated_at_ms=NOW_MS,
        send_deadline_ms=NOW_MS + DAY_MS,
        ready_at_ms=NOW_MS,
        due_at_ms=NOW_MS,
    )


def accept(payments: Any, operations: Any, payment: Payment, key: str = "k1", amount: int = 500) -> Any:
    now = payments.get(payment.merchant_id, payment.transaction_id)
    return operations.accept(request_operation(now, new_refund(payment, key, amount), context()), key)


def claim(operations: Any, operation: Operation, *, owner: str = "me", append: bool = True, at_ms: int = NOW_MS) -> Any:
    epoch, number = operation.lease.epoch + 1, len(operation.attempts) + 1
    attempt = Attempt(
        number=number,
        provider="alpha",
        account_id="main",
        provider_key=f"pfx-{operation.operation_id[4:]}-{number}",
        request_hash="h" * 64,
        epoch=epoch,
        started_at_ms=at_ms,
    )
    lease = Lease(owner=owner, epoch=epoch, expires_at_ms=at_ms + LEASE_MS)
    return operations.claim(
        id_of(operation), version=operation.version, lease=lease, now_ms=at_ms, append=attempt if append else None
    )


def success(payments: Any, operation: Operation, reference: str = "re_1", seen: SeenEvent | None = None) -> Change:
    attempt = operation.attempts[-1]
    answer = OperationEffect(
        reference=reference,
        amount=operation.amount,
        currency=operation.currency,
        merchant_reference=attempt.provider_key,
    )
    now = payments.get(operation.merchant_id, operation.transaction_id)
    change = apply_operation_outcome(now, operation, attempt, answer, context("worker"))
    assert change is not None
    return replace(change, seen=seen)


class TestAccept:
    def test_all_is_stored_together(self, payments: Any, operations: Any, payment: Payment) -> None:
        result = accept(payments, operations, payment)
        assert isinstance(result, Created)
        stored = operations.get(MERCHANT, payment.transaction_id, result.item.operation_id)
        assert stored == result.item
        assert operations.locate(MERCHANT, stored.operation_id) == payment.transaction_id
        assert operations.find_key(MERCHANT, REFUND, "k1").operation_id == stored.operation_id
        assert operations.find_key(MERCHANT, OperationKind.CAPTURE, "k1") is None
        assert payments.get(MERCHANT, payment.transaction_id).refundable == 1499
        events = payments.events(MERCHANT, payment.transaction_id, after_seq=payment.event_seq, limit=9).items
        assert [event.type for event in events] == ["refund.requested"]

    def test_a_used_key_gives_the_first_operation_and_reserves_nothing(
        self, payments: Any, operations: Any, payment: Payment
    ) -> None:
        first = accept(payments, operations, payment).item
        again = accept(payments, operations, payment, amount=7)
        assert again == Existing(
            transaction_id=payment.transaction_id, operation_id=first.operation_id, fingerprint=first.fingerprint
        )
        assert payments.get(MERCHANT, payment.transaction_id).refundable == 1499

    def test_a_lost_key_row_cannot_make_a_second_operation(
        self, payments: Any, operations: Any, payment: Payment
    ) -> None:
        first = accept(payments, operations, payment).item
        now = payments.get(MERCHANT, payment.transaction_id)
        change = request_operation(now, new_refund(payment), context())
        assert operations.accept(change, "another-key").operation_id == first.operation_id
        assert payments.get(MERCHANT, payment.transaction_id).refundable == 1499

    def test_a_payment_that_moved_takes_no_reservation(self, payments: Any, operations: Any, payment: Payment) -> None:
        stale = request_operation(payment, new_refund(payment, "k2"), context())
        accept(payments, operations, payment)
        assert isinstance(operations.accept(stale, "k2"), VersionConflict)
        assert operations.find_key(MERCHANT, REFUND, "k2") is None
        assert len(operations.of_payment(MERCHANT, payment.transaction_id)) == 1

    def test_all_of_a_payment_oldest_first(self, payments: Any, operations: Any, payment: Payment) -> None:
        now = payments.get(MERCHANT, payment.transaction_id)
        for number in range(4):
            made = replace(new_refund(payment, f"k{number}", 10), created_at_ms=NOW_MS + number)
            operations.accept(request_operation(now, made, context()), f"k{number}")
            now = payments.get(MERCHANT, payment.transaction_id)
        found = operations.of_payment(MERCHANT, payment.transaction_id)
        assert [o.created_at_ms - NOW_MS for o in found] == [0, 1, 2, 3]

    def test_nothing_crosses_merchants(self, payments: Any, operations: Any, payment: Payment) -> None:
        refund = accept(payments, operations, payment).item
        assert operations.get("other", payment.transaction_id, refund.operation_id) is None
        assert operations.locate("other", refund.operation_id) is None
        assert operations.find_key("other", REFUND, "k1") is None
        assert list(operations.of_payment("other", payment.transaction_id)) == []


class TestClaim:
    def test_the_attempt_is_there_before_anybody_calls(self, payments: Any, operations: Any, payment: Payment) -> None:
        refund = accept(payments, operations, payment).item
        result = claim(operations, refund)
        assert isinstance(result, Stored)
        assert operations.get(MERCHANT, payment.transaction_id, refund.operation_id) == result.item
        assert (result.item.version, result.item.lease.epoch) == (2, 1)

    def test_one_of_two_gets_it(self, payments: Any, operations: Any, payment: Payment) -> None:
        refund = accept(payments, operations, payment).item
        first, second = claim(operations, refund), claim(operations, refund, owner="other")
        assert isinstance(first, Stored)
        assert second == VersionConflict(item=first.item)

    def test_a_live_lease_keeps_others_out_and_a_dead_one_does_not(
        self, payments: Any, operations: Any, payment: Payment
    ) -> None:
        held = claim(operations, accept(payments, operations, payment).item).item
        assert isinstance(claim(operations, held, owner="b", append=False, at_ms=NOW_MS + 1), VersionConflict)
        later_ms = NOW_MS + LEASE_MS
        assert isinstance(claim(operations, held, owner="b", append=False, at_ms=later_ms), Stored)

    def test_our_own_claim_whose_answer_was_lost_is_ours(
        self, payments: Any, operations: Any, payment: Payment
    ) -> None:
        refund = accept(payments, operations, payment).item
        first = claim(operations, refund)
        assert claim(operations, refund) == first

    def test_attempts_are_bounded(self, payments: Any, operations: Any, payment: Payment) -> None:
        refund = accept(payments, operations, payment).item
        for number in range(MAX_ATTEMPTS):
            refund = claim(operations, refund, at_ms=NOW_MS + number * (LEASE_MS + 1)).item
        assert isinstance(claim(operations, refund, at_ms=NOW_MS + DAY_MS), VersionConflict)

    def test_a_reschedule_frees_the_lease(self, payments: Any, operations: Any, payment: Payment) -> None:
        held = claim(operations, accept(payments, operations, payment).item).item
        later = replace(held, version=held.version + 1, lease=held.lease.released(), due_at_ms=NOW_MS + 9)
        assert operations.reschedule(held, later) == Stored(item=later)
        assert isinstance(operations.reschedule(held, replace(later, ready_at_ms=1)), VersionConflict)


class TestCommit:
    def test_operation_payment_reference_and_event_together(
        self, payments: Any, operations: Any, references: Any, payment: Payment
    ) -> None:
        held = claim(operations, accept(payments, operations, payment).item).item
        change = success(payments, held)
        assert isinstance(payments.commit(change), Stored)
        stored = operations.get(MERCHANT, payment.transaction_id, held.operation_id)
        assert (stored, stored.status) == (change.operation_after, OperationStatus.SUCCEEDED)
        now = payments.get(MERCHANT, payment.transaction_id)
        assert (now.refunded, now.refundable) == (500, 1499)
        assert references.find(MERCHANT, "alpha", "main", "re_1") == ReferenceOwner(
            merchant_id=MERCHANT,
            transaction_id=payment.transaction_id,
            attempt=1,
            operation_id=held.operation_id,
        )
        charge = payment.attempts[0]
        owner = references.find(MERCHANT, "alpha", "main", charge.reference)
        assert (owner.transaction_id, owner.attempt, owner.operation_id) == (payment.transaction_id, 1, None)

    def test_a_newer_epoch_keeps_the_older_worker_from_writing(
        self, payments: Any, operations: Any, payment: Payment
    ) -> None:
        old = claim(operations, accept(payments, operations, payment).item).item
        claim(operations, old, owner="newer", append=False, at_ms=NOW_MS + LEASE_MS)
        before = payments.get(MERCHANT, payment.transaction_id)
        assert isinstance(payments.commit(success(payments, old)), VersionConflict)
        assert payments.get(MERCHANT, payment.transaction_id) == before

    def test_a_payment_that_moved_is_read_again(self, payments: Any, operations: Any, payment: Payment) -> None:
        held = claim(operations, accept(payments, operations, payment).item).item
        stale = success(payments, held)
        accept(payments, operations, payment, "k2", 100)
        assert isinstance(payments.commit(stale), VersionConflict)
        assert isinstance(payments.commit(success(payments, held)), Stored)
        assert payments.get(MERCHANT, payment.transaction_id).refundable == 1399

    def test_a_reference_has_one_owner(self, payments: Any, operations: Any, payment: Payment) -> None:
        first = claim(operations, accept(payments, operations, payment).item).item
        payments.commit(success(payments, first))
        second = claim(operations, accept(payments, operations, payment, "k2").item).item
        assert isinstance(payments.commit(success(payments, second)), ReferenceTaken)
        assert operations.get(MERCHANT, payment.transaction_id, second.operation_id) == second

    def test_a_capture_may_bear_the_charges_own_reference(
        self, payments: Any, operations: Any, references: Any, payment: Payment
    ) -> None:
        held = claim(operations, accept(payments, operations, payment).item).item
        charge = str(payment.attempts[0].reference)
        assert isinstance(payments.commit(success(payments, held, charge)), Stored)
        assert references.find(MERCHANT, "alpha", "main", charge).operation_id is None

    def test_an_event_of_a_provider_is_applied_once(self, payments: Any, operations: Any, payment: Payment) -> None:
        first = claim(operations, accept(payments, operations, payment).item).item
        assert isinstance(payments.commit(success(payments, first, seen=SEEN)), Stored)
        second = claim(operations, accept(payments, operations, payment, "k2").item).item
        assert isinstance(payments.commit(success(payments, second, "re_2", seen=SEEN)), AlreadySeen)


class TestHints:
    def test_an_operation_is_expedited_once_an_event(self, payments: Any, operations: Any, payment: Payment) -> None:
        refund = accept(payments, operations, payment).item
        sooner = expedite_operation(refund, NOW_MS)
        assert operations.expedite(refund, sooner, SEEN) == Stored(item=sooner)
        assert operations.get(MERCHANT, payment.transaction_id, refund.operation_id) == sooner
        assert isinstance(operations.expedite(sooner, expedite_operation(sooner, NOW_MS), SEEN), AlreadySeen)
        other = replace(SEEN, event_id="evt_2")
        assert isinstance(operations.expedite(refund, sooner, other), VersionConflict)

    def test_it_is_found_when_it_is_due(self, payments: Any, operations: Any, due_items: Any, payment: Payment) -> None:
        refund = accept(payments, operations, payment).item
        due = Due(
            merchant_id=MERCHANT,
            transaction_id=payment.transaction_id,
            due_at_ms=NOW_MS,
            kind=DueKind.OPERATION,
            item_id=refund.operation_id,
        )
        found = [d for shard in range(DUE_SHARDS) for page in due_items.pages(shard, NOW_MS) for d in page]
        assert found == [due]
        assert due_items.postpone(due, due_at_ms=NOW_MS + 60_000, drives=1) is True
        assert due_items.postpone(due, due_at_ms=NOW_MS + 60_000, drives=1) is False
        assert operations.get(MERCHANT, payment.transaction_id, refund.operation_id).drives == 1
