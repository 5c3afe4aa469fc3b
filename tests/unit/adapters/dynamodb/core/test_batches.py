"""Batches of DynamoDB: what is put back is asked for again, and not for ever."""

from typing import Any

import pytest

from payflowx.adapters.dynamodb.core.batches import get_items, put_items
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES
from tests.unit.adapters.platform.test_external_dependencies import THROTTLED, FakeClient

KEYS = [{"pk": f"p{n}", "sk": "s"} for n in range(3)]


def attributes(number: int) -> dict[str, Any]:
    return {"pk": {"S": f"p{number}"}, "sk": {"S": "s"}}


def test_what_was_not_read_is_read_again() -> None:
    rest = {"t": {"Keys": [attributes(2)]}}
    client = FakeClient(
        [
            {"Responses": {"t": [attributes(0)]}, "UnprocessedKeys": rest},
            {"Responses": {"t": [attributes(2)]}, "UnprocessedKeys": {}},
        ]
    )
    assert [item["pk"] for item in get_items(client, "t", KEYS)] == ["p0", "p2"]
    assert client.calls[1][1]["RequestItems"]["t"]["Keys"] == [attributes(2)]


def test_what_was_not_written_is_written_again() -> None:
    rest = {"t": [{"PutRequest": {"Item": attributes(1)}}]}
    client = FakeClient([{"UnprocessedItems": rest}, {"UnprocessedItems": {}}])
    put_items(client, "t", KEYS)
    assert client.calls[1][1]["RequestItems"] == rest


def test_a_table_that_is_too_busy_is_not_asked_for_ever() -> None:
    rest = {"t": {"Keys": [attributes(2)]}}
    client = FakeClient([{"Responses": {}, "UnprocessedKeys": rest}] * (MAX_COMMIT_TRIES + 1))
    with pytest.raises(StorageUnavailableError):
        list(get_items(client, "t", KEYS))
    busy = {"t": [{"PutRequest": {"Item": attributes(1)}}]}
    client = FakeClient([{"UnprocessedItems": busy}] * (MAX_COMMIT_TRIES + 1))
    with pytest.raises(StorageUnavailableError):
        put_items(client, "t", KEYS)
    with pytest.raises(StorageUnavailableError):
        put_items(FakeClient([THROTTLED]), "t", KEYS)


def test_nothing_is_no_call() -> None:
    client = FakeClient([])
    put_items(client, "t", [])
    assert list(get_items(client, "t", [])) == []
    assert client.calls == []
