"""A payment's captures, voids and refunds, oldest first.

Their sort keys are hashes, so an order by time takes all operations of the payment. A query costs the same read units
whether it gives whole items or a few attributes, so a page is made of one query, without a second read of its own rows.
That is consistent, and needs no index that each operation would pay for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING, Any, Final

from payflowx.adapters.dynamodb.core import keys
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
        rest = (
            row for row in self._items(merchant_id, transaction_id) if position is None or _position(row) > position
        )
        found = nsmallest(limit + 1, rest, key=_position)
        items, unreadable = readable(map(or_unreadable(operation_from_item), found[:limit]))
        return OperationPage(
            items=items,
            next_position=_position(found[limit - 1]) if len(found) > limit else None,
            unreadable=[row.item["operationId"] for row in unreadable],
        )

    def _items(self, merchant_id: str, transaction_id: str) -> Iterator[Item]:
        """Every item, in the order of the hashes."""
        start: dict[str, Any] = {}
        for _ in range(_MAX_QUERIES):
            expression = Expression()
            partition = expression.equals("pk", keys.payment_partition(merchant_id, transaction_id))
            prefix = f"begins_with({expression.name('sk')}, {expression.value(keys.OPERATION_PREFIX)})"
            with storage_errors():
                answer = self.client.query(
                    TableName=self.table,
                    KeyConditionExpression=f"{partition} AND {prefix}",
                    ConsistentRead=True,
                    Limit=_ROWS_PER_QUERY,
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
