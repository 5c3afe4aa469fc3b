"""The index of reviews lists exactly what is in review, over the model and over the engine."""

import random
from dataclasses import dataclass, replace
from typing import Any

import pytest

from payflowx.adapters.dynamodb.core.values import from_attributes, to_attributes
from payflowx.adapters.dynamodb.payments.operations import DynamoDBOperations
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.adapters.dynamodb.payments.review_index import DynamoDBReviewIndex
from payflowx.adapters.dynamodb.payments.review_items import KEYS
from payflowx.application.payments.current_ledger import current_payment
from payflowx.application.reviews.reindex_reviews import may_have_operations
from payflowx.domain.payments.change import Change, Context, change_of, operation_change
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_state_machine import (
    fail_operation,
    operation_facts,
    request_operation,
    send_operation_to_review,
)
from payflowx.domain.payments.payment import FREE_LEASE, Lease, Payment
from payflowx.domain.payments.ports import Created, Stored
from payflowx.domain.payments.review_ports import Review
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.state_machine import send_to_review
from payflowx.domain.payments.transitions import OPERATION_TRANSITIONS, PAYMENT_TRANSITIONS
from payflowx.domain.payments.work_item import id_of
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, LEASE_MS
from payflowx.domain.shared.statuses import OperationStatus, PaymentStatus
from tests.contract.test_operations_port import new_refund
from tests.support.memory import NOW_MS
from tests.support.model_tables import model_database
from tests.support.tables import IDEMPOTENCY, TRANSACTIONS
from tests.support.world import MERCHANT, World

Item = Payment | Operation
CAPTURED = 1_000_000
"""Enough for all refunds of a test."""


@dataclass(kw_only=True)
class Shop:
    """Real adapters over one client, and a clock that the test sets."""

    client: Any
    now_ms: int = NOW_MS

    def __post_init__(self) -> None:
        tables = {"client": self.client, "transactions_table": TRANSACTIONS, "idempotency_table": IDEMPOTENCY}
        self.payments = DynamoDBPayments(**tables, pause=lambda _seconds: None, jitter=lambda: 0.0)
        self.operations = DynamoDBOperations(**tables)
        self.index = DynamoDBReviewIndex(client=self.client, table=TRANSACTIONS)
        self.world = World(database=self.client)
        self.accepted: list[str] = []

    def context(self) -> Context:
        return Context(now_ms=self.now_ms, actor="operator", policy=self.world.policy)

    def accept(self, key: str, merchant_id: str = MERCHANT) -> Payment:
        made = World().accept(key)
        payment = replace(
            made,
            merchant_id=merchant_id,
            created_at_ms=self.now_ms,
            amount=CAPTURED,
            captured=CAPTURED,
            refundable=CAPTURED,
        )
        event = change_of(payment, payment, "payment.accepted", {}, self.context()).event
        self.payments.create(payment, replace(event, seq=1), key)
        self.accepted.append(payment.transaction_id)
        return payment

    def commit(self, change: Change) -> None:
        assert isinstance(self.payments.commit(change), Stored)

    def refund(self, payment: Payment, key: str) -> Operation:
        operation = new_refund(payment, key, 1)
        change = request_operation(payment, operation, self.context())
        accepted = self.operations.accept(change, key)
        assert isinstance(accepted, Created)
        return accepted.item

    def payment(self, transaction_id: str, merchant_id: str = MERCHANT) -> Payment:
        found = self.payments.get(merchant_id, transaction_id)
        assert found is not None
        return current_payment(found, self.operations)

    def items(self) -> list[Item]:
        payments = [self.payment(name) for name in self.accepted]
        operations = [o for p in payments for o in self.operations.of_payment(MERCHANT, p.transaction_id)]
        return [*payments, *operations]

    def listed(self, limit: int = 100, merchant_id: str = MERCHANT) -> list[Review]:
        found: list[Review] = []
        position = None
        while True:
            page = self.index.page(merchant_id, limit=limit, position=position)
            assert len(page.items) <= limit
            found += page.items
            position = page.next_position
            if position is None:
                return found

    def forget_keys(self, item: Item) -> None:
        """Leave the item as release 0.2.0 puts it in review."""
        sk = f"OP#{item.operation_id}" if isinstance(item, Operation) else "PAYMENT"
        self.client.update_item(
            TableName=TRANSACTIONS,
            Key=to_attributes({"pk": f"M#{item.merchant_id}#P#{item.transaction_id}", "sk": sk}),
            UpdateExpression=f"REMOVE {', '.join(KEYS)}",
        )


@pytest.fixture(params=["model", "dynamodb"])
def shop(request: pytest.FixtureRequest) -> Shop:
    return Shop(client=model_database() if request.param == "model" else request.getfixturevalue("dynamodb"))


def identity(item: Item) -> str:
    return item.operation_id if isinstance(item, Operation) else item.transaction_id


def in_review(items: list[Item]) -> set[str]:
    return {identity(item) for item in items if item.status.value == "IN_REVIEW"}


def review(shop: Shop, payment: Payment) -> Payment:
    shop.commit(send_to_review(payment, ReviewReason.OUTCOME_UNKNOWN, shop.context()))
    return shop.payment(payment.transaction_id, payment.merchant_id)


class TestTheList:
    def test_the_longest_open_first_with_a_cursor(self, shop: Shop) -> None:
        for number in range(7):
            shop.now_ms = NOW_MS - number * HOUR_MS
            review(shop, shop.accept(f"k{number}"))
        found = shop.listed(limit=2)
        assert [r.since_ms for r in found] == [NOW_MS - n * HOUR_MS for n in reversed(range(7))]
        assert found == shop.listed(limit=100)

    def test_the_age_counts_from_the_opening_and_not_from_the_last_inquiry(self, shop: Shop) -> None:
        payment = review(shop, shop.accept("k"))
        later = replace(payment, version=payment.version + 1, updated_at_ms=NOW_MS + DAY_MS)
        shop.payments.reschedule(payment, later)
        assert [r.since_ms for r in shop.listed()] == [NOW_MS]

    def test_a_change_that_keeps_it_in_review_keeps_its_age(self, shop: Shop) -> None:
        payment = review(shop, shop.accept("k"))
        shop.now_ms += DAY_MS
        shop.commit(change_of(payment, payment, "payment.look_requested", {}, shop.context()))
        assert [r.since_ms for r in shop.listed()] == [NOW_MS]
        closed = replace(shop.payment(payment.transaction_id), status=PaymentStatus.FAILED)
        shop.commit(change_of(shop.payment(payment.transaction_id), closed, "x", {}, shop.context()))
        review(shop, shop.payment(payment.transaction_id))
        assert [r.since_ms for r in shop.listed()] == [NOW_MS + DAY_MS]

    def test_an_operation_whose_amount_was_given_back_is_listed(self, shop: Shop) -> None:
        payment = shop.accept("k")
        operation = shop.refund(payment, "r")
        found = shop.payment(payment.transaction_id)
        shop.commit(fail_operation(found, operation, "send_deadline_passed", shop.context()))
        (failed,) = shop.operations.of_payment(MERCHANT, payment.transaction_id)
        found = shop.payment(payment.transaction_id)
        assert found.refundable == found.captured
        shop.commit(send_operation_to_review(found, failed, ReviewReason.RECONCILIATION, shop.context()))
        assert [(r.transaction_id, r.operation_id) for r in shop.listed()] == [
            (payment.transaction_id, operation.operation_id)
        ]

    def test_another_merchants_reviews_are_not_listed(self, shop: Shop) -> None:
        review(shop, shop.accept("k", merchant_id="other"))
        assert shop.listed() == []
        assert len(shop.listed(merchant_id="other")) == 1

    def test_an_item_that_this_version_cannot_read_is_listed_by_its_id(self, shop: Shop) -> None:
        payment, other = review(shop, shop.accept("k1")), review(shop, shop.accept("k2"))
        shop.client.update_item(
            TableName=TRANSACTIONS,
            Key=to_attributes({"pk": f"M#{MERCHANT}#P#{payment.transaction_id}", "sk": "PAYMENT"}),
            UpdateExpression="SET #route = :route",
            ExpressionAttributeNames={"#route": "route"},
            ExpressionAttributeValues={":route": {"S": "a later layout"}},
        )
        found = {r.transaction_id: r.item for r in shop.listed()}
        assert found == {payment.transaction_id: None, other.transaction_id: other}

    def test_an_ordinary_payment_has_no_key_of_the_index(self, shop: Shop) -> None:
        payment = shop.accept("k")
        closed = review(shop, payment)
        shop.commit(change_of(closed, replace(closed, status=PaymentStatus.FAILED), "x", {}, shop.context()))
        key = to_attributes({"pk": f"M#{MERCHANT}#P#{payment.transaction_id}", "sk": "PAYMENT"})
        stored = from_attributes(shop.client.get_item(TableName=TRANSACTIONS, Key=key)["Item"])
        assert not stored.keys() & set(KEYS)


class TestWhatRelease020PutInReview:
    def test_an_entry_is_added_without_a_new_version(self, shop: Shop) -> None:
        payment = review(shop, shop.accept("k"))
        shop.forget_keys(payment)
        assert shop.listed() == []
        old = shop.payment(payment.transaction_id)
        assert old.review_since_ms is None
        assert shop.index.add(old)
        assert not shop.index.add(old)
        assert [r.since_ms for r in shop.listed()] == [old.updated_at_ms]
        assert shop.payment(payment.transaction_id).version == old.version

    def test_a_closing_that_read_before_the_entry_was_added_removes_it(self, shop: Shop) -> None:
        payment = review(shop, shop.accept("k"))
        shop.forget_keys(payment)
        read = shop.payment(payment.transaction_id)
        assert shop.index.add(read)
        shop.commit(change_of(read, replace(read, status=PaymentStatus.FAILED), "x", {}, shop.context()))
        rows = shop.client.query(
            TableName=TRANSACTIONS,
            IndexName="reviews",
            KeyConditionExpression="reviewsOf = :m",
            ExpressionAttributeValues={":m": {"S": f"M#{MERCHANT}"}},
        )
        assert rows["Items"] == []

    def test_what_was_closed_meanwhile_gets_no_entry(self, shop: Shop) -> None:
        payment = review(shop, shop.accept("k"))
        shop.forget_keys(payment)
        read = shop.payment(payment.transaction_id)
        shop.commit(change_of(read, replace(read, status=PaymentStatus.FAILED), "x", {}, shop.context()))
        assert not shop.index.add(read)

    def test_the_next_write_that_keeps_it_in_review_adds_the_entry(self, shop: Shop) -> None:
        payment = review(shop, shop.accept("k"))
        shop.forget_keys(payment)
        read = shop.payment(payment.transaction_id)
        shop.payments.reschedule(read, replace(read, version=read.version + 1))
        assert in_review(shop.items()) == {r.transaction_id for r in shop.listed()}

    def test_an_entry_that_release_020_left_behind_is_not_listed(self, shop: Shop) -> None:
        payment = review(shop, shop.accept("k"))
        shop.client.update_item(
            TableName=TRANSACTIONS,
            Key=to_attributes({"pk": f"M#{MERCHANT}#P#{payment.transaction_id}", "sk": "PAYMENT"}),
            UpdateExpression="SET #s = :s",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues={":s": {"S": "FAILED"}},
        )
        assert shop.listed() == []
        assert shop.payment(payment.transaction_id).review_since_ms is None


def test_a_payment_without_operations_is_told_by_its_audit_log() -> None:
    world = World()
    payment = world.accept()
    world.work()
    charged = world.now(payment)
    assert not may_have_operations(charged)
    world.request(new_refund(charged).kind, charged, 5)
    assert may_have_operations(world.now(payment))


@pytest.mark.parametrize("seed", range(20))
def test_the_list_is_the_set_of_what_is_in_review(seed: int) -> None:
    """Random changes of payments and operations by every row of the transition tables, claims and reschedules."""
    random_walk(Shop(client=model_database()), random.Random(seed), steps=120)


def test_the_list_is_the_set_of_what_is_in_review_at_the_engine(dynamodb: Any) -> None:
    random_walk(Shop(client=dynamodb), random.Random(0), steps=40)


def random_walk(shop: Shop, chance: random.Random, *, steps: int) -> None:
    seen: set[str] = set()
    for step in range(steps):
        shop.now_ms += chance.choice((0, 1, HOUR_MS))
        items = shop.items()
        if len(items) < 2 or chance.random() < 0.15:
            shop.accept(f"k{step}")
            continue
        item = chance.choice(items)
        if isinstance(item, Operation):
            _change_operation(shop, item, chance)
        elif chance.random() < 0.2:
            shop.refund(item, f"r{step}")
        else:
            _change_payment(shop, item, chance)
        expected = in_review(shop.items())
        seen |= expected
        found = shop.listed(limit=chance.randint(1, 5))
        assert {r.operation_id or r.transaction_id for r in found} == expected
        assert len(found) == len(expected)
        assert [r.since_ms for r in found] == sorted(r.since_ms for r in found)
    assert any(name.startswith("pay_") for name in seen)
    assert any(name.startswith("ref_") for name in seen)


def _change_payment(shop: Shop, payment: Payment, chance: random.Random) -> None:
    roll = chance.random()
    if roll < 0.1:
        lease = Lease(owner="w", epoch=payment.lease.epoch + 1, expires_at_ms=shop.now_ms + LEASE_MS)
        shop.payments.claim(id_of(payment), version=payment.version, lease=lease, now_ms=shop.now_ms, append=None)
    elif roll < 0.2:
        later = replace(payment, version=payment.version + 1, lease=FREE_LEASE, updated_at_ms=shop.now_ms)
        shop.payments.reschedule(payment, later)
    else:
        status = chance.choice(sorted({*PAYMENT_TRANSITIONS[payment.status], payment.status, PaymentStatus.IN_REVIEW}))
        if status in PAYMENT_TRANSITIONS[payment.status]:
            shop.commit(change_of(payment, replace(payment, status=status), "x", {}, shop.context()))


def _change_operation(shop: Shop, operation: Operation, chance: random.Random) -> None:
    payment = shop.payment(operation.transaction_id)
    if chance.random() < 0.2:
        later = replace(operation, version=operation.version + 1, updated_at_ms=shop.now_ms)
        shop.operations.reschedule(operation, later)
        return
    status = chance.choice([OperationStatus.IN_REVIEW, *sorted(OPERATION_TRANSITIONS[operation.status])])
    if status in OPERATION_TRANSITIONS[operation.status]:
        after = replace(operation, status=status)
        facts = operation_facts(after)
        shop.commit(operation_change(payment, payment, operation, after, shop.context(), name="x", facts=facts))
