"""A payment's captures, voids and refunds, oldest first.

Their sort keys are hashes, so an order by time takes all keys of the payment: a page reads the keys and times of all
operations, and the items of its own rows. That is consistent, and needs no index that each operation would pay for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.batches import get_items
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import storage_errors
from payflowx.adapters.dynamodb.core.reading import or_unreadable, readable
from payflowx.adapters.dynamodb.core.values import Item, from_attributes
from payflowx.adapters.dynamodb.payments.operation_items import operation_from_item
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import OperationPage
from payflowx.domain.shared.errors import StorageUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ROWS_PER_QUERY: Final = 1_000
_MAX_QUERIES: Final = 200
"""DynamoDB ends a query after 1 MB: some 500 operations. The limit of a payment's audit log ends long before."""
_KEYS_AND_TIME: Final = ("sk", "operationId", "createdAt")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationList:
    """Reads all operations of a payment, or a page of them."""

    client: "DynamoDBClient"
    table: str

    def all(self, merchant_id: str, transaction_id: str) -> Sequence[Operation]:
        """Return every operation, by the time of its acceptance."""
        items = sorted(self._items(merchant_id, transaction_id), key=_position)
        return [operation_from_item(item) for item in items]

    def page(self, merchant_id: str, transaction_id: str, *, limit: int, position: str | None) -> OperationPage:
        """Return those after `position`, which is the time and id of the last one of the page before."""
        rows = self._items(merchant_id, transaction_id, attributes=_KEYS_AND_TIME)
        rest = sorted(row for row in map(_position, rows) if position is None or row > position)
        wanted = [keys.operation_key(merchant_id, transaction_id, row.split("#")[1]) for row in rest[:limit]]
        found = sorted(get_items(self.client, self.table, wanted), key=_position)
        items, unreadable = readable(map(or_unreadable(operation_from_item), found))
        return OperationPage(
            items=items,
            next_position=rest[limit - 1] if len(rest) > limit else None,
            unreadable=[row.item["operationId"] for row in unreadable],
        )

    def _items(self, merchant_id: str, transaction_id: str, *, attributes: Sequence[str] = ()) -> Iterator[Item]:
        """Every item, or these attributes of it, in the order of the hashes."""
        start: dict[str, Any] = {}
        for _ in range(_MAX_QUERIES):
            expression = Expression()
            partition = expression.equals("pk", keys.payment_partition(merchant_id, transaction_id))
            prefix = f"begins_with({expression.name('sk')}, {expression.value(keys.OPERATION_PREFIX)})"
            wanted = ", ".join(expression.name(name) for name in attributes)
            projection: dict[str, Any] = {"ProjectionExpression": wanted} if wanted else {}
            with storage_errors():
                answer = self.client.query(
                    TableName=self.table,
                    KeyConditionExpression=f"{partition} AND {prefix}",
                    ConsistentRead=True,
                    Limit=_ROWS_PER_QUERY,
                    **projection,
                    **expression.arguments(),
                    **start,
                )
            yield from (from_attributes(item) for item in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        raise StorageUnavailableError("the payment has more operations than can be read")


def _position(item: Item) -> str:
    return f"{item['createdAt']:013d}#{item['operationId']}"
