"""The keys of an index's partitions: the first ones are those of every release, and the others follow them."""

import hashlib
from collections import Counter

import pytest

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.partitions import FIRST, Partitions
from payflowx.domain.shared.identifiers import derive_transaction_id
from payflowx.domain.shared.limits import DUE_SHARDS, MAX_DUE_SHARDS, MAX_LIST_PARTITIONS

DAY = keys.merchant_day("acme", "2026-11-23")
IDS = [derive_transaction_id("acme", f"order-{number}") for number in range(4_000)]
ALL = Partitions(lists=MAX_LIST_PARTITIONS, due_shards=MAX_DUE_SHARDS, are_written=True)


@pytest.mark.parametrize("partitions", [FIRST, Partitions(lists=8, due_shards=64)], ids=["one", "only read"])
def test_writers_use_the_keys_of_the_releases_before(partitions: Partitions) -> None:
    for entity_id in IDS[:100]:
        shard = hashlib.sha256(entity_id.encode()).digest()[0] % 16
        assert partitions.due_shard(entity_id) == f"due#{shard:02d}"
        assert partitions.of_listed(DAY, entity_id) == "M#acme#P#2026-11-23"


def test_readers_ask_for_what_the_setting_names_whether_writers_use_it_or_not() -> None:
    assert list(FIRST.of_day(DAY)) == [DAY]
    for are_written in (False, True):
        assert list(Partitions(lists=3, are_written=are_written).of_day(DAY)) == [DAY, f"{DAY}#1", f"{DAY}#2"]


@pytest.mark.parametrize("lists", range(1, MAX_LIST_PARTITIONS + 1))
def test_a_list_is_spread_evenly_over_partitions_that_are_read(lists: int) -> None:
    partitions = Partitions(lists=lists, are_written=True)
    found = Counter(partitions.of_listed(DAY, item_id) for item_id in IDS)
    assert found.keys() == set(partitions.of_day(DAY))
    assert max(found.values()) < 1.3 * len(IDS) / lists


@pytest.mark.parametrize("shards", [DUE_SHARDS, 32, MAX_DUE_SHARDS])
def test_what_is_due_is_spread_evenly_over_shards_that_are_read(shards: int) -> None:
    found = Counter(Partitions(due_shards=shards, are_written=True).due_shard(item_id) for item_id in IDS)
    assert found.keys() == {keys.due_shard_name(number) for number in range(shards)}
    assert max(found.values()) < 1.6 * len(IDS) / shards


def test_no_partition_of_a_day_is_one_of_another_list() -> None:
    days = [keys.merchant_day("acme", day) for day in ("2026-11-23", "2026-11-24")]
    lists = [*days, keys.merchant_events_day("acme", "2026-11-23"), keys.merchant_day("acme2", "2026-11-23")]
    names = [name for first in lists for name in ALL.of_day(first)]
    assert len(names) == len(set(names))
