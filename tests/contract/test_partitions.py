"""More partitions than one for a merchant's day, and more shards than sixteen: what is written is read, in order."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.partitions import FIRST, Partitions
from payflowx.adapters.dynamodb.core.values import from_attributes, to_attributes
from payflowx.adapters.dynamodb.payments.payment_items import to_item
from payflowx.application.operators.diagnose import Health
from payflowx.domain.outbound_webhooks.catch_up import catch_up_of
from payflowx.domain.outbound_webhooks.ports import MerchantEventQuery
from payflowx.domain.payments.payment import Layout, Payment
from payflowx.domain.payments.ports import PaymentQuery
from payflowx.domain.payments.work_item import id_of
from payflowx.domain.shared.limits import (
    DAY_MS,
    DUE_SHARDS,
    EVER_DUE_MS,
    HOUR_MS,
    MAX_DUE_SHARDS,
    MAX_LIST_PARTITIONS,
    MAX_LIST_ROWS_PER_PAGE,
    MINUTE_MS,
)
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import PaymentStatus
from payflowx.wiring.api import ApiWiring
from payflowx.wiring.operators import OperatorsWiring
from payflowx.wiring.recovery import SweeperWiring
from testing.dynamodb.read_units import ReadMeter
from tests.data.items import write
from tests.data.items.write import endpoints
from tests.support.memory import NOW_MS
from tests.support.model_tables import model_database
from tests.support.tables import TRANSACTIONS
from tests.support.world import MERCHANT, World

SPREAD = Partitions(lists=4, due_shards=32, are_written=True)
ONLY_READ = replace(SPREAD, are_written=False)
DAY_START_MS = NOW_MS // DAY_MS * DAY_MS


@pytest.fixture
def spread(database: Any) -> World:
    return World(database=database, partitions=SPREAD)


def deployed(world: World, partitions: Partitions) -> None:
    """All functions with another configuration."""
    world.partitions = partitions
    world.deploy()


def in_lists(world: World, first: str, sort: str) -> dict[str, list[str]]:
    """The ids of items of this kind in each of the eight partitions that a day may have; none that is empty."""
    return _rows(world, "byMerchant", "merchantDay", Partitions(lists=MAX_LIST_PARTITIONS).of_day(first), sort)


def in_shards(world: World, sort: str) -> dict[str, list[str]]:
    """The ids of items of this kind in each of the 64 shards that there may be; none that is empty."""
    return _rows(world, "due", "dueShard", [keys.due_shard_name(number) for number in range(MAX_DUE_SHARDS)], sort)


def _rows(world: World, index: str, attribute: str, names: Sequence[str], sort: str) -> dict[str, list[str]]:
    found = {}
    for name in names:
        answer = world.dynamodb.query(
            TableName=TRANSACTIONS,
            IndexName=index,
            KeyConditionExpression=f"{attribute} = :name",
            ExpressionAttributeValues={":name": {"S": name}},
        )
        rows = [from_attributes(item) for item in answer["Items"]]
        found[name] = [f"{row['pk']} {row['sk']}" for row in rows if row["sk"].startswith(sort)]
    return {name: rows for name, rows in found.items() if rows}


def listed(world: World, partitions: Partitions, times: Sequence[int], prefix: str = "pay_") -> list[Payment]:
    """Payments of these times, written under these partitions; newest first."""
    made = world.accept("model", metadata={})
    world.dynamodb.delete_item(
        TableName=TRANSACTIONS, Key=to_attributes(keys.payment_key(MERCHANT, made.transaction_id))
    )
    copies = [
        replace(made, transaction_id=f"{prefix}{number:016d}", created_at_ms=at_ms)
        for number, at_ms in enumerate(times)
    ]
    for copy in copies:
        world.dynamodb.put_item(TableName=TRANSACTIONS, Item=to_attributes(to_item(copy, partitions)))
    return sorted(copies, key=lambda payment: (payment.created_at_ms, payment.transaction_id), reverse=True)


def query(limit: int = 100, **changes: Any) -> PaymentQuery:
    values: dict[str, Any] = {
        "merchant_id": MERCHANT,
        "from_ms": DAY_START_MS - 3 * DAY_MS,
        "until_ms": DAY_START_MS + 2 * DAY_MS,
        "status": None,
        "limit": limit,
        "position": None,
    }
    return PaymentQuery(**values | changes)


def walked(world: World, asked: PaymentQuery) -> list[str]:
    """The ids of all pages."""
    found: list[str] = []
    for _ in range(500):
        page = world.payments.page(asked)
        assert len(page.items) <= asked.limit
        found += [payment.transaction_id for payment in page.items]
        if page.next_position is None:
            return found
        asked = replace(asked, position=page.next_position)
    raise AssertionError("the pages do not end")


def ids(payments: Sequence[Payment]) -> list[str]:
    return [payment.transaction_id for payment in payments]


# -- lists


SPREADS: Mapping[str, Sequence[int]] = {
    "one day": range(NOW_MS, NOW_MS + 23),
    "one moment": [NOW_MS] * 23,
    "two moments": [NOW_MS, NOW_MS + 1] * 12,
    "the ends of days": [DAY_START_MS + day * DAY_MS + end for day in (-1, 0, 1) for end in (-1, 0)] * 3,
    "three days": [NOW_MS - number * DAY_MS // 5 for number in range(15)],
}


@pytest.mark.parametrize("limit", [1, 2, 7, 100])
@pytest.mark.parametrize("times", SPREADS.values(), ids=SPREADS)
def test_all_payments_are_listed_once_newest_first(spread: World, times: Sequence[int], limit: int) -> None:
    made = listed(spread, SPREAD, times)
    assert walked(spread, query(limit)) == ids(made)


@pytest.mark.parametrize("limit", [1, 3])
def test_a_filter_passes_over_the_rows_of_every_partition(spread: World, limit: int) -> None:
    made = listed(spread, SPREAD, range(NOW_MS, NOW_MS + 40))
    charged = made[::7]
    for payment in charged:
        done = replace(payment, status=PaymentStatus.SUCCESS, due_at_ms=None)
        spread.dynamodb.put_item(TableName=TRANSACTIONS, Item=to_attributes(to_item(done, SPREAD)))
    assert walked(spread, query(limit, status=PaymentStatus.SUCCESS)) == ids(charged)


def test_times_are_from_inclusive_and_until_exclusive(spread: World) -> None:
    made = listed(spread, SPREAD, range(NOW_MS, NOW_MS + 20))
    assert walked(spread, query(5, from_ms=NOW_MS + 3, until_ms=NOW_MS + 11)) == ids(made[9:17])


def test_a_position_holds_when_a_payment_arrives_meanwhile(spread: World) -> None:
    made = listed(spread, SPREAD, range(NOW_MS, NOW_MS + 12))
    page = spread.payments.page(query(5))
    listed(spread, SPREAD, range(NOW_MS + 100, NOW_MS + 112), prefix="pay_b")
    assert walked(spread, query(5, position=page.next_position)) == ids(made[5:])


def test_a_position_of_one_partition_is_one_of_four(world: World) -> None:
    """A client's cursor that was given out before the deployment goes on behind it."""
    before = listed(world, FIRST, range(NOW_MS, NOW_MS + 9))
    position = world.payments.page(query(4)).next_position
    deployed(world, SPREAD)
    assert walked(world, query(4, position=position)) == ids(before[4:])


def test_payments_of_before_and_behind_the_change_are_one_list(world: World) -> None:
    before = listed(world, FIRST, range(NOW_MS, NOW_MS + 20, 2))
    deployed(world, ONLY_READ)
    while_read = listed(world, ONLY_READ, range(NOW_MS + 20, NOW_MS + 30), prefix="pay_b")
    behind = listed(world, SPREAD, range(NOW_MS + 1, NOW_MS + 21, 2), prefix="pay_c")
    expected = sorted([*before, *while_read, *behind], key=lambda payment: payment.created_at_ms, reverse=True)
    assert walked(world, query(3)) == ids(expected)
    deployed(world, SPREAD)
    assert walked(world, query(3)) == ids(expected)


def test_a_page_of_no_hits_reads_a_bounded_number_of_rows() -> None:
    meter = ReadMeter(model_database())
    world = World(database=meter, partitions=SPREAD)
    listed(world, SPREAD, range(NOW_MS, NOW_MS + 400))
    meter.take()
    page = world.payments.page(query(20, status=PaymentStatus.FAILED))
    calls, units = meter.take()
    assert (list(page.items), page.next_position is not None) == ([], True)
    assert calls.count("batch_get_item") <= 6
    assert calls.count("query") <= SPREAD.lists * (6 + 2)
    assert units <= MAX_LIST_ROWS_PER_PAGE / 2 + SPREAD.lists * 10


def test_a_page_asks_each_partition_once_for_what_it_lacks() -> None:
    meter = ReadMeter(model_database())
    world = World(database=meter, partitions=SPREAD)
    listed(world, SPREAD, range(NOW_MS, NOW_MS + 400))
    asked = world.requests_of("query")
    meter.take()
    page = world.payments.page(query(20, until_ms=NOW_MS + 400))
    calls, _ = meter.take()
    assert len(page.items) == 20
    assert calls == ["query"] * SPREAD.lists + ["batch_get_item"]
    assert [request["Limit"] for request in asked] == [21] * SPREAD.lists


@pytest.mark.parametrize("kind", ["payment", "event"])
def test_items_of_the_last_release_are_listed_beside_new_ones(spread: World, kind: str) -> None:
    """Their keys have no number: it is the first partition."""
    stored = write.read((write.HERE / "0.2.0" / f"{kind}.json").read_text())
    older = [item for item in stored if "merchantDay" in item]
    assert older
    for item in older:
        spread.dynamodb.put_item(TableName=TRANSACTIONS, Item=item)
    owner = older[0]["merchantDay"]["S"].split("#")[1]
    at_ms = [int(item["merchantDaySort"]["S"].partition("#")[0]) for item in older]
    store: Any = spread.payments if kind == "payment" else spread.wired(ApiWiring).merchant_events
    asked: Any = query if kind == "payment" else _events_of
    page = store.page(asked(merchant_id=owner, from_ms=min(at_ms), until_ms=max(at_ms) + 1))
    assert len(page.items) + len(page.unreadable) == len(older)


def _events_of(**changes: Any) -> MerchantEventQuery:
    return MerchantEventQuery(limit=100, position=None, **changes)


# -- writers

TODAY = keys.day_of(NOW_MS)
PAYMENTS, EVENTS = keys.merchant_day(MERCHANT, TODAY), keys.merchant_events_day(MERCHANT, TODAY)
FIRST_SHARDS = {keys.due_shard_name(number) for number in range(DUE_SHARDS)}
ALL_SHARDS = {keys.due_shard_name(number) for number in range(SPREAD.due_shards)}


def test_what_is_accepted_keeps_its_place_in_the_list(world: World) -> None:
    """A later write under other partitions moves nothing: the list shows the payment once."""
    payments = [world.accept(f"order-{number}") for number in range(20)]
    deployed(world, SPREAD)
    world.work_until_idle(most=100)
    assert in_lists(world, PAYMENTS, keys.PAYMENT).keys() == {PAYMENTS}
    assert sorted(walked(world, query(7))) == sorted(ids(payments))
    assert {world.now(payment).status for payment in payments} == {PaymentStatus.SUCCESS}


@pytest.mark.parametrize("compact", [True, False], ids=["compact", "full"])
def test_every_writer_uses_them_all(database: Any, *, compact: bool) -> None:
    world = World(database=database, partitions=SPREAD, compact=compact)
    payments = [world.accept(f"order-{number}") for number in range(60)]
    assert {payment.layout for payment in payments} == {Layout.COMPACT if compact else Layout.FULL}
    assert in_lists(world, PAYMENTS, keys.PAYMENT).keys() == set(SPREAD.of_day(PAYMENTS))
    assert_in_further_shards(world, keys.PAYMENT)
    register(world)
    world.work_until_idle(most=100)
    assert in_lists(world, EVENTS, "EVENT#").keys() == set(SPREAD.of_day(EVENTS))
    assert_in_further_shards(world, "EVENT#")
    for payment in payments:
        world.request(OperationKind.REFUND, payment, 1, key=f"refund-{payment.transaction_id}")
    assert_in_further_shards(world, keys.OPERATION_PREFIX)


def test_nothing_is_written_to_partitions_that_are_only_read(database: Any) -> None:
    world = World(database=database, partitions=ONLY_READ)
    payments = [world.accept(f"order-{number}") for number in range(30)]
    register(world)
    world.work_until_idle(most=100)
    for payment in payments:
        world.request(OperationKind.REFUND, payment, 1, key=f"refund-{payment.transaction_id}")
    assert in_lists(world, PAYMENTS, "").keys() == {PAYMENTS}
    assert in_lists(world, EVENTS, "").keys() == {EVENTS}
    assert in_shards(world, "").keys() <= FIRST_SHARDS


def register(world: World) -> None:
    """An endpoint, and the search for the events that it missed."""
    store = world.wired(ApiWiring).endpoints
    after = endpoints()
    search = catch_up_of(MERCHANT, after.endpoints[0], NOW_MS)
    assert store.save(store.get(MERCHANT), after, catch_up=search)
    (shard,) = in_shards(world, keys.event_sort(0))
    assert shard == world.partitions.due_shard(search.endpoint_id)
    catch_ups = world.wired(SweeperWiring)._catch_up_events.catch_ups
    catch_ups.save(replace(search, due_at_ms=NOW_MS), postponed_to_ms=search.due_at_ms)
    assert in_shards(world, keys.event_sort(0)).keys() == {shard}
    world.deploy()


def assert_in_further_shards(world: World, sort: str) -> None:
    """Items of this kind lie in shards beyond the first sixteen, and in none beyond those that are read."""
    found = in_shards(world, sort).keys()
    assert found - FIRST_SHARDS
    assert found <= ALL_SHARDS


def test_a_claim_moves_what_is_due_to_the_shard_of_its_writer(world: World) -> None:
    payments = [world.accept(f"order-{number}") for number in range(20)]
    assert in_shards(world, keys.PAYMENT).keys() <= FIRST_SHARDS
    deployed(world, SPREAD)
    for payment in payments:
        held = replace(payment.lease, owner="w", epoch=1, expires_at_ms=NOW_MS + MINUTE_MS)
        world.payments.claim(id_of(payment), version=payment.version, lease=held, now_ms=NOW_MS)
    expected = {SPREAD.due_shard(payment.transaction_id) for payment in payments}
    assert in_shards(world, keys.PAYMENT).keys() == expected
    assert expected - FIRST_SHARDS


def test_what_a_delivery_leaves_due_stays_in_its_shard_and_is_found(world: World) -> None:
    """An event that is due before and behind a change of the setting: its shard is a matter of its next due time."""
    world.accept()
    register(world)
    world.work_until_idle()
    before = in_shards(world, keys.event_sort(2))
    assert before.keys() <= FIRST_SHARDS
    assert len(before) == 1
    store = world.wired(ApiWiring).merchant_events
    (event,) = store.page(EVENTS_OF_THE_DAY).items
    deployed(world, SPREAD)
    store = world.wired(ApiWiring).merchant_events
    assert store.save(event, replace(event, due_at_ms=NOW_MS + MINUTE_MS))
    assert in_shards(world, keys.event_sort(2)) == before


EVENTS_OF_THE_DAY = MerchantEventQuery(
    merchant_id=MERCHANT, from_ms=NOW_MS, until_ms=NOW_MS + DAY_MS, limit=4, position=None
)


def test_events_are_listed_once_newest_first(spread: World) -> None:
    for number in range(25):
        spread.accept(f"order-{number}")
    spread.work_until_idle(most=100)
    store = spread.wired(ApiWiring).merchant_events
    asked: MerchantEventQuery | None = EVENTS_OF_THE_DAY
    found = []
    while asked is not None:
        page = store.page(asked)
        found += [(event.at_ms, event.event_id) for event in page.items]
        asked = replace(asked, position=page.next_position) if page.next_position else None
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == len(found) == 25


def test_the_sweeper_wakes_what_is_due_in_all_shards(spread: World) -> None:
    spread.jobs.broken = True
    payments = [spread.accept(f"order-{number}") for number in range(60)]
    spread.jobs.broken = False
    assert len(in_shards(spread, keys.PAYMENT)) > DUE_SHARDS
    spread.clock.advance(91)
    assert spread.sweep(spread.deadline).woken == len(payments)
    spread.work_until_idle(most=100)
    assert {spread.now(payment).status for payment in payments} == {PaymentStatus.SUCCESS}


def left_in_further_shards(world: World) -> int:
    return sum(len(rows) for name, rows in in_shards(world, "").items() if name not in FIRST_SHARDS)


def test_what_lies_in_shards_that_are_written_no_more_is_moved_with_its_time(spread: World) -> None:
    """Writing is turned off, as before a roll-back: an hour later the releases before find all that is due."""
    to_full_hour(spread)
    payments = [spread.accept(f"order-{number}") for number in range(30)]
    register(spread)
    spread.work_until_idle(most=100)
    for payment in payments:
        spread.request(OperationKind.REFUND, payment, 1, key=f"refund-{payment.transaction_id}")
    times = due_times(spread, range(DUE_SHARDS, MAX_DUE_SHARDS))
    assert 0 < len(times) == left_in_further_shards(spread) < sum(map(len, in_shards(spread, "").values()))
    versions = [spread.now(payment).version for payment in payments]
    deployed(spread, ONLY_READ)
    now_ms = spread.clock.now_ms()
    assert spread.sweep(spread.deadline).moved == len(times)
    assert left_in_further_shards(spread) == 0
    later = {key: at_ms for key, at_ms in times.items() if at_ms > now_ms}
    assert len(later) >= len(times) - 1
    assert later.items() <= due_times(spread, range(DUE_SHARDS)).items()
    assert [spread.now(payment).version for payment in payments] == versions
    for name, rows in in_shards(spread, keys.PAYMENT).items():
        assert {FIRST.due_shard(row.split()[0].split("#")[3]) for row in rows} == {name}
    for name, rows in in_shards(spread, keys.OPERATION_PREFIX).items():
        assert {FIRST.due_shard(row.partition(keys.OPERATION_PREFIX)[2]) for row in rows} == {name}


def to_full_hour(world: World) -> None:
    world.clock.at_ms = (world.clock.now_ms() // HOUR_MS + 1) * HOUR_MS


def due_times(world: World, shards: range) -> dict[str, int]:
    found: dict[str, int] = {}
    for shard in shards:
        for page in world.due_items.pages(shard, NOW_MS + EVER_DUE_MS):
            found |= {str(keys.due_key(due)): due.due_at_ms for due in page}
    return found


def test_an_item_that_changes_while_it_is_moved_stays_as_it_became(spread: World) -> None:
    """A worker ends the payment between the sweeper's read of the index and its write."""
    payments = [spread.accept(f"order-{number}") for number in range(20)]
    moving = next(p for p in payments if SPREAD.due_shard(p.transaction_id) not in FIRST_SHARDS)
    deployed(spread, ONLY_READ)
    to_full_hour(spread)
    at = to_attributes(keys.payment_key(MERCHANT, moving.transaction_id))
    spread.before_next("update_item", lambda: spread.wake(moving), text=repr(at["pk"]))
    spread.sweep(spread.deadline)
    done = spread.now(moving)
    assert (done.status, done.due_at_ms) == (PaymentStatus.SUCCESS, None)
    stored = spread.dynamodb.get_item(TableName=TRANSACTIONS, Key=at)["Item"]
    assert {"dueAt", "dueShard"}.isdisjoint(stored)


def test_a_setting_that_was_lowered_strands_nothing(spread: World) -> None:
    """Once an hour the sweeper empties all shards that any setting allows."""
    spread.jobs.broken = True
    payments = [spread.accept(f"order-{number}") for number in range(60)]
    spread.jobs.broken = False
    deployed(spread, FIRST)
    left = left_in_further_shards(spread)
    spread.clock.at_ms = (NOW_MS // HOUR_MS + 1) * HOUR_MS + MINUTE_MS
    swept = spread.sweep(spread.deadline)
    assert (swept.woken, swept.moved) == (len(payments) - left, 0)
    spread.work_until_idle(most=200)
    spread.clock.at_ms = (NOW_MS // HOUR_MS + 2) * HOUR_MS
    assert spread.sweep(spread.deadline).moved == left
    assert spread.sweep(spread.deadline).woken == left
    spread.work_until_idle(most=200)
    assert {spread.now(payment).status for payment in payments} == {PaymentStatus.SUCCESS}


# -- doctor


def partition_checks(world: World) -> list[tuple[Health, str]]:
    """The one check, without those of services that a world does not have."""
    operators = world.wired(OperatorsWiring)
    operators.__dict__["routing_publisher"] = None
    return [(found.health, found.words) for found in operators.diagnose._partitions()]


FULL = "A merchant's day has 4 partitions, and what is due has 32 shards"


@pytest.mark.parametrize(
    ("partitions", "expected"),
    [
        (FIRST, (Health.OK, "A merchant's day has 1 partition, and what is due has 16 shards.")),
        (SPREAD, (Health.OK, f"{FULL}.")),
        (
            ONLY_READ,
            (Health.WARNING, f"{FULL}; 1 and 16 of them are written."),
        ),
    ],
    ids=["first", "spread", "only read"],
)
def test_doctor_says_how_many_there_are(partitions: Partitions, expected: tuple[Health, str]) -> None:
    assert partition_checks(World(partitions=partitions)) == [expected]


def test_doctor_counts_what_is_still_to_be_moved() -> None:
    world = World(partitions=SPREAD)
    for number in range(20):
        world.accept(f"order-{number}")
    assert [health for health, _ in partition_checks(world)] == [Health.OK]
    deployed(world, FIRST)
    (found, words), (now, _) = partition_checks(world)
    assert (found, now) == (Health.WARNING, Health.OK)
    assert words == f"At least {left_in_further_shards(world)} items lie in shards that nothing is written to."
