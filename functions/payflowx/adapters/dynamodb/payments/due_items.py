"""The sweeper's view: what is due, shard by shard."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import condition_failed, item_found, storage_errors
from payflowx.adapters.dynamodb.core.partitions import FIRST, Partitions
from payflowx.adapters.dynamodb.core.values import Item, from_attributes, to_attributes
from payflowx.adapters.dynamodb.core.writes import no_live_lease
from payflowx.adapters.dynamodb.payments.operation_items import operation_from_item
from payflowx.adapters.dynamodb.payments.payment_items import from_item
from payflowx.adapters.dynamodb.webhooks.catch_ups import catch_up_from_item
from payflowx.adapters.dynamodb.webhooks.merchant_event_items import merchant_event_from_item
from payflowx.domain.payments.ports import AnyDue, Due, DueKind, DueState
from payflowx.domain.shared.errors import UnreadableItemError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LEASED: Final = frozenset({DueKind.PAYMENT, DueKind.OPERATION})
_PAGE: Final = 100
_MAX_PAGES: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBDueItems:
    """Implements `DueItems` over the sparse `due` index."""

    client: "DynamoDBClient"
    table: str
    partitions: Partitions = FIRST

    def pages(self, shard: int, until_ms: int) -> Iterator[Sequence[AnyDue]]:
        """Oldest first. The index follows the table with a delay, so each item is taken by a condition on the table."""
        start: dict[str, Any] = {}
        for _ in range(_MAX_PAGES):
            expression = Expression()
            condition = (
                f"{expression.equals('dueShard', keys.due_shard_name(shard))} AND "
                f"{expression.at_most('dueAt', until_ms)}"
            )
            with storage_errors():
                answer = self.client.query(
                    TableName=self.table,
                    IndexName="due",
                    KeyConditionExpression=condition,
                    Limit=_PAGE,
                    **expression.arguments(),
                    **start,
                )
            items = map(from_attributes, answer["Items"])
            yield [keys.parse_due_key(item["pk"], item["sk"], item["dueAt"]) for item in items]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def take(self, due: Due, *, now_ms: int, due_at_ms: int, drives: int) -> DueState | None:
        """One update. The item that it returns is decoded, so that one of a newer layout is given back at once."""
        expression = Expression()
        update = f"SET {expression.assignments({'dueAt': due_at_ms, 'drives': drives + 1})}"
        conditions = [expression.equals("dueAt", due.due_at_ms), _was_woken(expression, drives)]
        if due.kind in _LEASED:
            conditions.append(no_live_lease(expression, now_ms))
        try:
            with storage_errors():
                answer = self.client.update_item(
                    TableName=self.table,
                    Key=to_attributes(keys.due_key(due)),
                    UpdateExpression=update,
                    ConditionExpression=" AND ".join(conditions),
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **expression.arguments(),
                )
        except ClientError as error:
            if not condition_failed(error):
                raise
            return _state_of(item_found(error) or {})
        try:
            _DECODERS[due.kind](from_attributes(answer["Attributes"]))
        except UnreadableItemError:
            self.postpone(replace(due, due_at_ms=due_at_ms), due_at_ms=due.due_at_ms, drives=drives)
            raise
        return None

    def postpone(self, due: AnyDue, *, due_at_ms: int, drives: int | None) -> bool:
        """Only if the due time is still the one that was seen. No change of the payment: its version stays."""
        return self._write(due, {"dueAt": due_at_ms, "drives": drives})

    def move(self, due: AnyDue) -> bool:
        """No change of the payment, nor of its time: a write beside it sets or removes both attributes together."""
        return self._write(due, {"dueShard": self.partitions.due_shard(keys.due_id(due))})

    def _write(self, due: AnyDue, values: Item) -> bool:
        expression = Expression()
        update = expression.update({}, values)
        try:
            with storage_errors():
                self.client.update_item(
                    TableName=self.table,
                    Key=to_attributes(keys.due_key(due)),
                    UpdateExpression=update,
                    ConditionExpression=expression.equals("dueAt", due.due_at_ms),
                    **expression.arguments(),
                )
        except ClientError as error:
            if not condition_failed(error):
                raise
            return False
        return True


_DECODERS: Final[Mapping[DueKind, Callable[[Item], object]]] = {
    DueKind.PAYMENT: from_item,
    DueKind.OPERATION: operation_from_item,
    DueKind.EVENT: merchant_event_from_item,
    DueKind.CATCH_UP: catch_up_from_item,
}


def _was_woken(expression: Expression, drives: int) -> str:
    """Condition: the item was woken so often. The compact layout stores no zero."""
    counted = expression.equals("drives", drives)
    return counted if drives else f"({expression.absent('drives')} OR {counted})"


def _state_of(item: Item) -> DueState:
    """The three attributes alone, whether this release can read the rest or not."""
    return DueState(
        due_at_ms=item.get("dueAt"),
        drives=item.get("drives", 0),
        lease_expires_at_ms=item.get("lease", {}).get("expiresAt", 0),
    )
