"""The sweeper's view: what is due, shard by shard."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import condition_failed, storage_errors
from payflowx.adapters.dynamodb.core.values import from_attributes, to_attributes
from payflowx.domain.payments.ports import AnyDue

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PAGE: Final = 100
_MAX_PAGES: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBDueItems:
    """Implements `DueItems` over the sparse `due` index."""

    client: "DynamoDBClient"
    table: str

    def pages(self, shard: int, until_ms: int) -> Iterator[Sequence[AnyDue]]:
        """Oldest first. The index follows the table with a delay, so each item is to be read before it is acted on."""
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

    def postpone(self, due: AnyDue, *, due_at_ms: int, drives: int | None) -> bool:
        """Only if the due time is still the one that was seen. No change of the payment: its version stays."""
        expression = Expression()
        update = expression.update({}, {"dueAt": due_at_ms, "drives": drives})
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
