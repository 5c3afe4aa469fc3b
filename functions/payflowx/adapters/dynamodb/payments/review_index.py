"""A merchant's reviews, which wait for a person, through the sparse index `reviews`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.batches import get_items
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import condition_failed, storage_errors
from payflowx.adapters.dynamodb.core.values import Item, from_attributes, to_attributes
from payflowx.adapters.dynamodb.payments.operation_items import operation_from_item
from payflowx.adapters.dynamodb.payments.payment_items import from_item
from payflowx.adapters.dynamodb.payments.review_items import (
    INDEX,
    PARTITION,
    SORT,
    is_stored_in_review,
    review_keys,
    since_of,
)
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.review_ports import Review, ReviewPage
from payflowx.domain.shared.errors import UnreadableItemError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBReviewIndex:
    """Implements `ReviewIndex`. The index holds keys only; each item is read before it is listed."""

    client: "DynamoDBClient"
    table: str

    def page(self, merchant_id: str, *, limit: int, position: str | None) -> ReviewPage:
        """`position` is the sort key of the last row read. Rows whose item is in no review (any more) are left out."""
        rows, more = rows_of(self.client, self.table, keys.reviews_of(merchant_id), limit=limit, position=position)
        wanted = [{"pk": row["pk"], "sk": row["sk"]} for row in rows]
        items = {(item["pk"], item["sk"]): item for item in get_items(self.client, self.table, wanted)}
        found = [(row, items.get((row["pk"], row["sk"]))) for row in rows]
        reviews = [_review(row, item) for row, item in found if item is not None and is_stored_in_review(item)]
        return ReviewPage(items=reviews, next_position=rows[-1][SORT] if more else None)

    def add(self, item: Payment | Operation) -> bool:
        """No change of the item itself: its version stays, and a worker's write beside it is not refused.

        That write sets or removes the keys by the status that it stores, whatever it read (`writes.seen`).
        """
        expression = Expression()
        update = "SET " + expression.assignments(review_keys(item))
        conditions = [expression.equals("status", item.status.value), expression.absent(SORT)]
        try:
            with storage_errors():
                self.client.update_item(
                    TableName=self.table,
                    Key=to_attributes(_key(item)),
                    UpdateExpression=update,
                    ConditionExpression=" AND ".join(conditions),
                    **expression.arguments(),
                )
        except ClientError as error:
            if not condition_failed(error):
                raise
            return False
        return True


def rows_of(
    client: "DynamoDBClient", table: str, partition: str, *, limit: int, position: str | None
) -> tuple[Sequence[Item], bool]:
    """Return the rows of a partition behind a sort key, and whether there are more."""
    expression = Expression()
    condition = expression.equals(PARTITION, partition)
    if position is not None:
        condition += f" AND {expression.name(SORT)} > {expression.value(position)}"
    with storage_errors():
        answer = client.query(
            TableName=table, IndexName=INDEX, KeyConditionExpression=condition, Limit=limit, **expression.arguments()
        )
    rows = [from_attributes(item) for item in answer["Items"]]
    return rows, bool(rows) and "LastEvaluatedKey" in answer


def _key(item: Payment | Operation) -> Mapping[str, str]:
    if isinstance(item, Operation):
        return keys.operation_key(item.merchant_id, item.transaction_id, item.operation_id)
    return keys.payment_key(item.merchant_id, item.transaction_id)


def _review(row: Item, stored: Item) -> Review:
    merchant_id, transaction_id = keys.parse_payment_partition(row["pk"])
    operation_id = row["sk"].removeprefix(keys.OPERATION_PREFIX) if row["sk"] != keys.PAYMENT else None
    decode: Callable[[Item], Payment | Operation] = from_item if operation_id is None else operation_from_item
    return Review(
        merchant_id=merchant_id,
        transaction_id=transaction_id,
        operation_id=operation_id,
        since_ms=since_of(row[SORT]),
        item=_decoded(decode, stored),
    )


def _decoded(decode: Callable[[Item], Payment | Operation], stored: Item) -> Payment | Operation | None:
    """One item that this version cannot read must not hide the others."""
    try:
        return decode(stored)
    except UnreadableItemError:
        return None
