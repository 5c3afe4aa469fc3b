"""Providers' ids of charges, captures, voids and refunds, each with its one owner."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.failures import storage_errors
from payflowx.adapters.dynamodb.core.values import Item, from_attributes, to_attributes
from payflowx.domain.inbound_webhooks.ports import ReferenceOwner

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBReferences:
    """Implements `References`. The rows are written with the outcomes that taught us the ids."""

    client: "DynamoDBClient"
    table: str

    def find(self, merchant_id: str, provider: str, account_id: str, reference: str) -> ReferenceOwner | None:
        """A consistent read: a webhook may follow the outcome closely.

        Where another merchant has the id under the common key, the merchant's own key is read too.
        """
        owner = self._owner(keys.reference_key(provider, account_id, reference))
        if owner is None or owner.merchant_id == merchant_id:
            return owner
        return self._owner(keys.own_reference_key(merchant_id, provider, account_id, reference)) or owner

    def _owner(self, key: Mapping[str, str]) -> ReferenceOwner | None:
        with storage_errors():
            answer = self.client.get_item(TableName=self.table, Key=to_attributes(key), ConsistentRead=True)
        return owner_from_item(from_attributes(answer["Item"])) if "Item" in answer else None


def owner_from_item(item: Item) -> ReferenceOwner:
    """The owner that an item of a reference names."""
    return ReferenceOwner(
        merchant_id=item["merchantId"],
        transaction_id=item["transactionId"],
        attempt=item["attempt"],
        operation_id=item.get("operationId"),
    )
