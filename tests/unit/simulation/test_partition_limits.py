"""DynamoDB throttles a partition by its key: of the table, and of an index whose entries a write changes."""

from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core.partitions import Partitions
from payflowx.domain.shared.errors import StorageUnavailableError
from simulation.check import check_plan, evidence_of
from simulation.world import TRANSACTIONS, Plan, tables
from testing.dynamodb.database import Database
from testing.dynamodb.throughput import Throughput
from tests.support.world import World

_LIST = (f"{TRANSACTIONS}/byMerchant", "M#acme#D#2026-11-30")


class _Clock:
    now_ms = 0


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def database(clock: _Clock) -> Database:
    def now_ms() -> int:
        return clock.now_ms

    return Database(tables(), now_ms=now_ms, throughput=Throughput(now_ms=now_ms, writes=4, reads=2))


def item(partition: str, *, day: str | None = None, number: int = 0) -> dict[str, Any]:
    listed = {"merchantDay": {"S": day}, "merchantDaySort": {"S": f"{number:03}"}} if day else {}
    return {"pk": {"S": partition}, "sk": {"S": "PAYMENT"}, **listed}


def put(database: Database, partition: str, **listed: Any) -> None:
    database.put_item(TableName=TRANSACTIONS, Item=item(partition, **listed))


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


def test_a_partition_takes_its_units_a_second_and_others_go_on(database: Database, clock: _Clock) -> None:
    for _ in range(4):
        put(database, "M#acme#P#1")
    with pytest.raises(ClientError) as refused:
        put(database, "M#acme#P#1")
    assert code_of(refused) == "ProvisionedThroughputExceededException"
    put(database, "M#acme#P#2")
    clock.now_ms += 1_000
    put(database, "M#acme#P#1")


def test_an_index_throttles_its_table_and_nothing_is_written(database: Database) -> None:
    for number in range(4):
        put(database, f"M#acme#P#{number}", day=_LIST[1], number=number)
    with pytest.raises(ClientError):
        put(database, "M#acme#P#5", day=_LIST[1], number=5)
    assert "Item" not in database.get_item(
        TableName=TRANSACTIONS, Key={"pk": {"S": "M#acme#P#5"}, "sk": {"S": "PAYMENT"}}
    )
    assert database.throughput is not None
    assert database.throughput.throttled == {_LIST: 1}
    put(database, "M#acme#P#6")


def test_a_throttled_transaction_is_cancelled_as_a_whole_with_the_part_that_has_no_room(database: Database) -> None:
    for _ in range(3):
        put(database, "M#acme#P#1")
    writes = [{"Put": {"TableName": TRANSACTIONS, "Item": item(f"M#acme#P#{number}")}} for number in (1, 2)]
    with pytest.raises(ClientError) as refused:
        database.transact_write_items(TransactItems=writes)
    assert code_of(refused) == "TransactionCanceledException"
    reasons: Any = refused.value.response.get("CancellationReasons")
    assert [reason["Code"] for reason in reasons] == ["ThrottlingError", "None"]
    for _ in range(4):
        put(database, "M#acme#P#2")


def test_a_write_that_is_larger_than_the_limit_is_taken_by_an_idle_partition(database: Database) -> None:
    large = {**item("M#acme#P#1"), "text": {"S": "x" * 9_000}}
    database.put_item(TableName=TRANSACTIONS, Item=large)
    with pytest.raises(ClientError):
        put(database, "M#acme#P#1")


def test_reads_are_limited_by_themselves(database: Database) -> None:
    key = {"pk": {"S": "M#acme#P#1"}, "sk": {"S": "PAYMENT"}}
    for _ in range(4):
        database.get_item(TableName=TRANSACTIONS, Key=key)
    with pytest.raises(ClientError):
        database.get_item(TableName=TRANSACTIONS, Key=key)
    put(database, "M#acme#P#1")


@pytest.mark.parametrize("lists", [1, 2, 4, 8])
def test_each_partition_of_a_day_takes_as_many_payments_of_a_merchant_a_second(lists: int) -> None:
    """By the real store, up to the limit of each: what is beyond is refused, and nothing is stored of it."""
    shop = World(partitions=Partitions(lists=lists, due_shards=64, are_written=True))
    limited = Throughput(now_ms=shop.clock.now_ms, writes=10)
    shop.dynamodb.client.throughput = limited
    accepted = 0
    for number in range(400):
        with suppress(StorageUnavailableError):
            shop.accept(f"order-{number}")
            accepted += 1
    assert accepted == 10 * lists
    assert {index for index, _ in limited.throttled} == {"transactions/byMerchant"}
    shop.clock.advance(1)
    shop.accept("the next second")


def test_the_scenario_throttles_lists_transactions_and_single_writes_and_all_comes_right() -> None:
    evidence = evidence_of(Plan(0, scenario="hot_partitions"))
    assert check_plan(Plan(0, scenario="hot_partitions")).violations == ()
    assert evidence.result.faults.counts["db_hot_partition"] > 50


def test_without_the_scenario_nothing_is_throttled() -> None:
    assert evidence_of(Plan(3)).result.faults.counts["db_hot_partition"] == 0
