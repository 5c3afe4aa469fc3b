"""Providers' ids of charges, captures, voids and refunds, each with its one owner."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.failures import storage_errors
from payflowx.adapters.dynamodb.core.values import from_attributes, to_attributes
from payflowx.domain.inbound_webhooks.ports import ReferenceOwner

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBReferences:
    """Implements `References`. The rows are written with the outcomes that taught us the ids."""

    client: "DynamoDBClient"
    table: str

    def find(self, provider: str, account_id: str, reference: str) -> ReferenceOwner | None:
        """A consistent read: a webhook may follow the outcome closely."""
        key = to_attributes(keys.reference_key(provider, account_id, reference))
        with storage_errors():
            answer = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        if "Item" not in answer:
            return None
        item = from_attributes(answer["Item"])
        return ReferenceOwner(
            merchant_id=item["merchantId"],
            transaction_id=item["transactionId"],
            attempt=item["attempt"],
            operation_id=item.get("operationId"),
        )
