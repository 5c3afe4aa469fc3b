"""What the use cases rely on of the `Orders` store, over the model and over the local engine."""

from dataclasses import replace
from typing import Any

import pytest

from payflowx.adapters.dynamodb.orders.payment_lookup import DynamoDBPaymentLookup
from payflowx.domain.orders.order import Order, OrderState
from payflowx.domain.orders.order_not_free import OrderNotFree
from payflowx.domain.orders.ordered_change import OrderedChange
from payflowx.domain.orders.ports import OrderMoved, Released, Taking
from payflowx.domain.payments.change import Context, change_of
from payflowx.domain.payments.events import Event
from payflowx.domain.payments.order_link import OrderLink, OrderStanding
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Created, Existing, Stored, VersionConflict
from payflowx.wiring.api import ApiWiring
from tests.support.orders import ORDER, order_of
from tests.support.tables import TRANSACTIONS
from tests.support.world import MERCHANT, World

Store = Any


@pytest.fixture
def store(world: World) -> Store:
    return world.wired(ApiWiring).orders


def another(world: World, key: str) -> tuple[Payment, Event]:
    """A payment of the same order that is not stored, with its first event."""
    made = world.accept(f"other-order-{key}", order_id=f"other-{key}")
    event = world.events_of(made)[0]
    transaction_id = f"pay_{key:a<16}"
    link = OrderLink(order_hash=order_of(world).order_hash, order_id=ORDER)
    payment = replace(made, transaction_id=transaction_id, order=link)
    return payment, replace(event, transaction_id=transaction_id)


def context(world: World) -> Context:
    return Context(now_ms=world.clock.now_ms(), actor="worker", policy=world.policy)


def test_an_order_is_read_as_it_was_written(world: World, store: Store) -> None:
    payment = world.accept("key-1", order_id=ORDER)
    order = order_of(world)
    assert order == Order(
        merchant_id=MERCHANT,
        order_hash=order.order_hash,
        state=OrderState.HELD,
        holder=payment.transaction_id,
        version=1,
        payments=(payment.transaction_id,),
    )
    assert store.get(MERCHANT, "unknown") is None
    assert store.get("other", order.order_hash) is None


def test_what_a_newer_release_stored_beside_stays(world: World, store: Store) -> None:
    payment = world.accept("key-1", order_id=ORDER)
    order = order_of(world)
    world.dynamodb.update_item(
        TableName=TRANSACTIONS,
        Key={"pk": {"S": f"M#{MERCHANT}#ORDER#{order.order_hash}"}, "sk": {"S": "ORDER"}},
        UpdateExpression="SET later = :x",
        ExpressionAttributeValues={":x": {"S": "kept"}},
    )
    world.cancel(MERCHANT, payment.transaction_id)
    assert order_of(world).state is OrderState.FREE
    found = world.dynamodb.get_item(
        TableName=TRANSACTIONS, Key={"pk": {"S": f"M#{MERCHANT}#ORDER#{order.order_hash}"}, "sk": {"S": "ORDER"}}
    )
    assert found["Item"]["later"] == {"S": "kept"}


def test_a_taken_order_refuses_the_payment_and_returns_its_item(world: World, store: Store) -> None:
    world.accept("key-1", order_id=ORDER)
    payment, event = another(world, "b")
    taking = Taking(before=None, after=replace(order_of(world), holder=payment.transaction_id))
    assert store.create(payment, event, "key-b", taking) == OrderMoved(order=order_of(world))
    assert world.payments.get(MERCHANT, payment.transaction_id) is None
    assert world.payments.find_key(MERCHANT, "key-b") is None


def test_an_order_of_another_version_refuses_the_payment(world: World, store: Store) -> None:
    world.accept("key-1", order_id=ORDER)
    payment, event = another(world, "b")
    now = order_of(world)
    older = replace(now, version=now.version - 1)
    moved = store.create(payment, event, "key-b", Taking(before=older, after=now.held_by(payment.transaction_id)))
    assert moved == OrderMoved(order=now)
    created = store.create(payment, event, "key-b", Taking(before=now, after=now.held_by(payment.transaction_id)))
    assert isinstance(created, Created)
    assert (order_of(world).holder, order_of(world).version) == (payment.transaction_id, now.version + 1)


def test_a_known_key_comes_before_the_order(world: World, store: Store) -> None:
    first = world.accept("key-1", order_id=ORDER)
    event = world.events_of(first)[0]
    found = store.create(
        replace(first, fingerprint="other"), event, "key-1", Taking(before=None, after=order_of(world))
    )
    assert isinstance(found, Existing)
    assert found.transaction_id == first.transaction_id


def test_a_holder_is_released_only_as_it_was_read(world: World, store: Store) -> None:
    holder = world.accept("key-1", order_id=ORDER)
    payment, event = another(world, "b")
    now = order_of(world)
    after = replace(holder, order=replace(holder.order, standing=OrderStanding.RELEASED), version=2)  # type: ignore[type-var]
    taking = Taking(
        before=now, after=now.held_by(payment.transaction_id), released=Released(before=holder, after=after)
    )
    world.store(replace(holder, version=7))
    assert isinstance(store.create(payment, event, "key-b", taking), OrderMoved)
    world.store(holder)
    assert isinstance(store.create(payment, event, "key-b", taking), Created)
    assert world.payments.get(MERCHANT, holder.transaction_id) == after


def test_a_change_is_written_with_its_order_and_its_holder_or_not_at_all(world: World, store: Store) -> None:
    payment = world.accept("key-1", order_id=ORDER)
    holder = world.accept("key-2", order_id="other")
    now = order_of(world)
    change = change_of(payment, payment, "payment.test", {}, context(world))
    stop = change_of(holder, replace(holder, cancel_requested=True), "payment.test", {}, context(world))
    ordered = OrderedChange(change=change, order_before=now, order_after=now.contended_by("pay_x"), holder_change=stop)
    world.store(replace(holder, version=9))
    assert isinstance(store.commit(ordered), OrderMoved)
    assert world.payments.get(MERCHANT, payment.transaction_id) == payment
    assert order_of(world) == now
    world.store(holder)
    assert isinstance(store.commit(ordered), Stored)
    assert order_of(world).contenders == ("pay_x",)
    assert world.now(holder).cancel_requested
    assert isinstance(store.commit(ordered), Stored), "our own write, whose answer was lost"


def test_a_payment_that_moved_is_a_conflict_whatever_the_order_is(world: World, store: Store) -> None:
    payment = world.accept("key-1", order_id=ORDER)
    now = order_of(world)
    change = change_of(payment, payment, "payment.test", {}, context(world))
    world.store(replace(payment, version=5))
    older = replace(now, version=0)
    result = store.commit(OrderedChange(change=change, order_before=older, order_after=now))
    assert isinstance(result, VersionConflict)


def test_payments_are_found_by_ids_and_by_references(world: World) -> None:
    lookup = DynamoDBPaymentLookup(client=world.dynamodb, table=TRANSACTIONS)  # type: ignore[arg-type]
    paid, open_one = world.accept("key-1"), world.accept("key-2")
    world.work()
    reference = world.now(paid).attempt(1).reference or ""
    page = lookup.by_ids(MERCHANT, [open_one.transaction_id, "pay_unknown", paid.transaction_id])
    assert [found.transaction_id for found in page.items] == [open_one.transaction_id, paid.transaction_id]
    assert lookup.by_ids(MERCHANT, []).items == []
    accounts = [("beta", "main"), ("alpha", "main")]
    assert lookup.owners(MERCHANT, accounts, reference) == [paid.transaction_id]
    assert lookup.owners("other", accounts, reference) == []
    assert lookup.owners(MERCHANT, [("beta", "main")], reference) == []


def test_a_payment_that_cannot_be_read_is_named(world: World) -> None:
    lookup = DynamoDBPaymentLookup(client=world.dynamodb, table=TRANSACTIONS)  # type: ignore[arg-type]
    payment = world.accept("key-1", order_id=ORDER)
    world.dynamodb.update_item(
        TableName=TRANSACTIONS,
        Key={"pk": {"S": f"M#{MERCHANT}#P#{payment.transaction_id}"}, "sk": {"S": "PAYMENT"}},
        UpdateExpression="SET orderStanding = :x",
        ExpressionAttributeValues={":x": {"S": "a_word_of_a_newer_release"}},
    )
    assert lookup.by_ids(MERCHANT, [payment.transaction_id]).unreadable == [payment.transaction_id]


def test_the_refusal_is_the_same_over_both(world: World) -> None:
    world.accept("key-1", order_id=ORDER)
    with pytest.raises(OrderNotFree):
        world.accept("key-2", order_id=ORDER)
