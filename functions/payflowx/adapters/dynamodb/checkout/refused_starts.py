"""One item an hour and merchant: `pk = M#{merchant}#STARTS`, `sk = {hour since 1970}`. It expires after a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import storage_errors
from payflowx.adapters.dynamodb.core.values import from_attributes, to_attributes
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, SECOND_MS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_COUNT: Final = "refusedStarts"


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBRefusedStarts:
    """Implements `RefusedStarts`. A lost answer may count a start twice: the limit is no exact number."""

    client: "DynamoDBClient"
    table: str

    def add(self, merchant_id: str, now_ms: int) -> None:
        expression = Expression()
        count, none, one = expression.name(_COUNT), expression.value(0), expression.value(1)
        rest = expression.assignments(
            {"expiresAt": (now_ms + DAY_MS) // SECOND_MS, "schemaVersion": keys.SCHEMA_VERSION}
        )
        with storage_errors():
            self.client.update_item(
                TableName=self.table,
                Key=to_attributes(_key(merchant_id, now_ms)),
                UpdateExpression=f"SET {count} = if_not_exists({count}, {none}) + {one}, {rest}",
                **expression.arguments(),
            )

    def of_this_hour(self, merchant_id: str, now_ms: int) -> int:
        with storage_errors():
            answer = self.client.get_item(TableName=self.table, Key=to_attributes(_key(merchant_id, now_ms)))
        return int(from_attributes(answer["Item"])[_COUNT]) if "Item" in answer else 0


def _key(merchant_id: str, now_ms: int) -> Mapping[str, str]:
    return {"pk": f"M#{merchant_id}#STARTS", "sk": str(now_ms // HOUR_MS)}
