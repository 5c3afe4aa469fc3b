"""The searches for events that new endpoints missed, as due items of the table of transactions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.expressions import UNKNOWN, Expression
from payflowx.adapters.dynamodb.core.failures import condition_failed, storage_errors
from payflowx.adapters.dynamodb.core.partitions import FIRST, Partitions
from payflowx.adapters.dynamodb.core.reading import decodes
from payflowx.adapters.dynamodb.core.values import Item, from_attributes, to_attributes
from payflowx.domain.outbound_webhooks.catch_up import CatchUp
from payflowx.domain.shared.limits import DAY_MS, SECOND_MS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT_MS: Final = 7 * DAY_MS
"""Long after its last pass, DynamoDB deletes the item."""
_CHANGING: Final = ("dueAt", "dueShard", "drives", "until", "position")


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBCatchUps:
    """Implements `CatchUps`."""

    client: "DynamoDBClient"
    table: str
    partitions: Partitions = FIRST

    def get(self, merchant_id: str, endpoint_id: str) -> CatchUp | None:
        """A consistent read."""
        key = to_attributes(keys.catch_up_key(merchant_id, endpoint_id))
        with storage_errors():
            answer = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        return catch_up_from_item(from_attributes(answer["Item"])) if "Item" in answer else None

    def save(self, catch_up: CatchUp, *, postponed_to_ms: int) -> None:
        """A failed condition is no error: another registration began the search anew."""
        expression = Expression()
        item = catch_up_item(catch_up, self.partitions)
        update = expression.update(dict.fromkeys(_CHANGING, UNKNOWN), {name: item[name] for name in _CHANGING})
        try:
            with storage_errors():
                self.client.update_item(
                    TableName=self.table,
                    Key=to_attributes(keys.catch_up_key(catch_up.merchant_id, catch_up.endpoint_id)),
                    UpdateExpression=update,
                    ConditionExpression=expression.equals("dueAt", postponed_to_ms),
                    **expression.arguments(),
                )
        except ClientError as error:
            if not condition_failed(error):
                raise


def catch_up_item(catch_up: CatchUp, partitions: Partitions = FIRST) -> Item:
    """The item with its keys; absent values are None."""
    due = catch_up.due_at_ms is not None
    return {
        **keys.catch_up_key(catch_up.merchant_id, catch_up.endpoint_id),
        "schemaVersion": keys.SCHEMA_VERSION,
        "merchantId": catch_up.merchant_id,
        "endpointId": catch_up.endpoint_id,
        "since": catch_up.since_ms,
        "until": catch_up.until_ms,
        "position": catch_up.position,
        "dueAt": catch_up.due_at_ms,
        "dueShard": partitions.due_shard(catch_up.endpoint_id) if due else None,
        "drives": catch_up.drives,
        "expiresAt": (catch_up.since_ms + _KEPT_MS) // SECOND_MS,
    }


@decodes("catch-up")
def catch_up_from_item(item: Item) -> CatchUp:
    """The search that `catch_up_item` was given."""
    return CatchUp(
        merchant_id=item["merchantId"],
        endpoint_id=item["endpointId"],
        since_ms=item["since"],
        due_at_ms=item.get("dueAt"),
        drives=item["drives"],
        until_ms=item.get("until"),
        position=item.get("position"),
    )
