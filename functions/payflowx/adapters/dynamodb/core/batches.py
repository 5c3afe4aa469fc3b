"""Many items at once, by their keys. What DynamoDB puts back is asked for again, a bounded number of times."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from payflowx.adapters.dynamodb.core.failures import storage_errors
from payflowx.adapters.dynamodb.core.values import Item, from_attributes, to_attributes
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MOST_READ: Final = 100
_MOST_WRITTEN: Final = 25


def get_items(
    client: "DynamoDBClient", table: str, item_keys: Sequence[Mapping[str, str]], *, consistent: bool = True
) -> Iterator[Item]:
    """In any order; by consistent reads where a line may be about what was written a moment ago."""
    for start in range(0, len(item_keys), _MOST_READ):
        yield from get_of_tables(client, {table: item_keys[start : start + _MOST_READ]}, consistent=consistent)


def get_of_tables(
    client: "DynamoDBClient", item_keys: Mapping[str, Sequence[Mapping[str, str]]], *, consistent: bool = True
) -> Iterator[Item]:
    """At most 100 items of several tables, in any order."""
    wanted: Any = {
        table: {"Keys": [to_attributes(key) for key in of_table], "ConsistentRead": consistent}
        for table, of_table in item_keys.items()
    }
    for _ in range(MAX_COMMIT_TRIES):
        with storage_errors():
            answer = client.batch_get_item(RequestItems=wanted)
        yield from (from_attributes(item) for found in answer["Responses"].values() for item in found)
        wanted = answer.get("UnprocessedKeys", {})
        if not wanted:
            return
    raise StorageUnavailableError("the database did not return all items")


def put_items(client: "DynamoDBClient", table: str, items: Sequence[Item]) -> None:
    """Over whatever is there: for items whose repetition says the same."""
    for start in range(0, len(items), _MOST_WRITTEN):
        wanted: Sequence[Any] = [
            {"PutRequest": {"Item": to_attributes(item)}} for item in items[start : start + _MOST_WRITTEN]
        ]
        for _ in range(MAX_COMMIT_TRIES):
            with storage_errors():
                answer = client.batch_write_item(RequestItems={table: wanted})
            wanted = answer.get("UnprocessedItems", {}).get(table, [])
            if not wanted:
                break
        else:
            raise StorageUnavailableError("the database did not take all items")
