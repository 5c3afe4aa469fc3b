"""`DueItems.take`: of all who see an item as due, one takes it, and nobody takes one that is not due any more."""

from dataclasses import replace

import pytest

from payflowx.adapters.dynamodb.payments.due_items import DynamoDBDueItems
from payflowx.application.recovery.waking import Taken, WakeResult, take
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Due
from payflowx.domain.shared.limits import DUE_SHARDS, MINUTE_MS
from tests.support.memory import NOW_MS
from tests.support.tables import TRANSACTIONS
from tests.support.world import World

DUE_MS = NOW_MS + 2 * MINUTE_MS
"""Later than an accepted payment is due."""


@pytest.fixture(params=[True, False], ids=["compact", "full"])
def world(request: pytest.FixtureRequest) -> World:
    return World(compact=request.param)


@pytest.fixture
def due_items(world: World) -> DynamoDBDueItems:
    return DynamoDBDueItems(client=world.dynamodb, table=TRANSACTIONS)


def due_of(due_items: DynamoDBDueItems) -> Due:
    """The only item that is due."""
    pages = (page for shard in range(DUE_SHARDS) for page in due_items.pages(shard, DUE_MS))
    (due,) = (due for page in pages for due in page)
    assert isinstance(due, Due)
    return due


def moved(world: World, payment: Payment, to_ms: int) -> None:
    """A worker gives the item another time, between a sweeper's read of the index and its write."""
    now = world.now(payment)
    world.payments.reschedule(now, replace(now, ready_at_ms=to_ms, due_at_ms=to_ms, version=now.version + 1))


def test_one_of_two_takes_it(world: World, due_items: DynamoDBDueItems) -> None:
    payment = world.accept()
    due = due_of(due_items)
    first, second = (take(due, DUE_MS, due_items=due_items) for _ in range(2))
    assert isinstance(first, Taken)
    assert second is WakeResult.STALE
    assert (world.now(payment).drives, world.now(payment).due_at_ms) == (1, first.due.due_at_ms)


@pytest.mark.parametrize("minutes", [-1, 10])
def test_what_has_another_time_meanwhile_is_left_alone(world: World, due_items: DynamoDBDueItems, minutes: int) -> None:
    payment = world.accept()
    due = due_of(due_items)
    moved(world, payment, DUE_MS + minutes * MINUTE_MS)
    before = world.now(payment)
    assert take(due, DUE_MS, due_items=due_items) is WakeResult.STALE
    assert world.now(payment) == before


def test_an_item_that_was_woken_before_is_taken_by_its_count(world: World, due_items: DynamoDBDueItems) -> None:
    payment = world.accept()
    assert isinstance(take(due_of(due_items), DUE_MS, due_items=due_items), Taken)
    moved(world, payment, DUE_MS)
    again = take(due_of(due_items), DUE_MS, due_items=due_items)
    assert isinstance(again, Taken)
    assert (again.drives, world.now(payment).drives) == (1, 2)


def test_an_item_in_work_is_left_to_its_worker(world: World, due_items: DynamoDBDueItems) -> None:
    payment = world.accept()
    due = due_of(due_items)
    world.store(replace(world.now(payment), lease=replace(payment.lease, owner="w", epoch=1, expires_at_ms=DUE_MS + 1)))
    before = world.now(payment)
    assert take(due, DUE_MS, due_items=due_items) is WakeResult.LEFT
    assert world.now(payment) == before
