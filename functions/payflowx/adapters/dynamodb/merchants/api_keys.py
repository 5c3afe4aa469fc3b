"""API keys as the authorizer looks them up: by their hash, which is all that is stored."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from payflowx.adapters.dynamodb.core.failures import storage_errors
from payflowx.adapters.dynamodb.core.values import from_attributes, to_attributes
from payflowx.domain.merchants.api_keys import ApiKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY: Final = "KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBApiKeys:
    """Implements `ApiKeys`. A consistent read: a key that was just created works."""

    client: "DynamoDBClient"
    table: str

    def find(self, key_hash: str) -> ApiKey | None:
        """By SHA-256; None if there is no such key."""
        key = to_attributes({"pk": f"K#{key_hash}", "sk": KEY})
        with storage_errors():
            answer = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        if "Item" not in answer:
            return None
        item = from_attributes(answer["Item"])
        return ApiKey(
            merchant_id=item["merchantId"], revoked="revokedAt" in item, expires_at_ms=item.get("expiresAtMs")
        )
