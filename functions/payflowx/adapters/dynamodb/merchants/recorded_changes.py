"""Changes of operators: each in one transaction with its entry of the operators' audit log."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.expressions import UNKNOWN, Expression
from payflowx.adapters.dynamodb.core.failures import cancellation, storage_errors
from payflowx.adapters.dynamodb.core.values import Item, to_attributes
from payflowx.domain.merchants.directory import AuditEntry
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import SECOND_MS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_HASH_CHARS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedChanges:
    """The parts of such transactions, over the table of the configuration."""

    client: "DynamoDBClient"
    table: str

    def write(self, *parts: Any) -> bool:
        """All or nothing; False if a condition did not hold."""
        try:
            with storage_errors():
                self.client.transact_write_items(TransactItems=list(parts))
        except ClientError as error:
            cancelled = cancellation(error)
            if cancelled is None:
                raise
            if not cancelled.failed:
                raise StorageUnavailableError("the change met another one; nothing was written") from error
            return False
        return True

    def new(self, item: Item) -> dict[str, Any]:
        """Where nothing is yet."""
        return {
            "Put": {
                "TableName": self.table,
                "Item": to_attributes({**item, "schemaVersion": keys.SCHEMA_VERSION}),
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }

    def changed(
        self,
        key: Mapping[str, str],
        values: Item,
        *,
        absent: str | None = None,
        lowered: str | None = None,
        raised: str | None = None,
        before: Item | None = None,
    ) -> dict[str, Any]:
        """Of an item that exists and does not have `absent`. A value None removes its attribute.

        `lowered`, `raised`: the one of the values that may only become less, or more. `before`: attributes that must be
        as they were read, None for one that was not there.
        """
        expression = Expression()
        update = expression.update(dict.fromkeys(values, UNKNOWN), values)
        conditions = f"attribute_exists({expression.name('pk')})"
        if absent is not None:
            conditions += f" AND {expression.absent(absent)}"
        if lowered is not None:
            conditions += f" AND ({expression.absent(lowered)} OR {expression.at_least(lowered, values[lowered])})"
        if raised is not None:
            conditions += f" AND ({expression.absent(raised)} OR {expression.less(raised, values[raised])})"
        for name, value in (before or {}).items():
            conditions += f" AND {expression.absent(name) if value is None else expression.equals(name, value)}"
        return {
            "Update": {
                "TableName": self.table,
                "Key": to_attributes(key),
                "UpdateExpression": update,
                "ConditionExpression": conditions,
                **expression.arguments(),
            }
        }


def record_item(record: AuditEntry) -> Item:
    """An entry of the audit log. The same entry has the same key."""
    content = {
        "action": record.action,
        "operator": record.operator_action.who,
        "reason": record.operator_action.why,
        "merchantId": record.merchant_id,
        "facts": dict(record.facts),
        "identity": record.operator_action.identity.value,
        "proposedBy": record.operator_action.proposed_by,
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    month = datetime.fromtimestamp(record.at_ms / SECOND_MS, UTC).strftime("%Y-%m")
    return {"pk": f"AUDIT#{month}", "sk": f"{record.at_ms:013d}#{digest[:_HASH_CHARS]}", **content}
