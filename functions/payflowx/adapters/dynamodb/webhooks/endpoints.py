"""A merchant's webhook endpoints as one item: read in one call, changed as a whole, on the version that was read."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import condition_failed, storage_errors
from payflowx.adapters.dynamodb.core.reading import decodes
from payflowx.adapters.dynamodb.core.values import Item, from_attributes, to_attributes
from payflowx.domain.outbound_webhooks.endpoints import DisabledReason, Endpoint, EndpointStatus, WebhookEndpoints

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ENDPOINTS: Final = "ENDPOINTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBWebhookEndpoints:
    """Implements `WebhookEndpointStore`."""

    client: "DynamoDBClient"
    table: str

    def get(self, merchant_id: str) -> WebhookEndpoints:
        """A consistent read: an endpoint that was just registered or deleted is, or is not, told."""
        with storage_errors():
            answer = self.client.get_item(
                TableName=self.table, Key=to_attributes(_key(merchant_id)), ConsistentRead=True
            )
        if "Item" not in answer:
            return WebhookEndpoints(merchant_id=merchant_id)
        item = from_attributes(answer["Item"])
        endpoints = tuple(_endpoint(known) for known in item["endpoints"])
        return WebhookEndpoints(merchant_id=merchant_id, version=item["version"], endpoints=endpoints)

    def save(self, before: WebhookEndpoints, after: WebhookEndpoints) -> bool:
        """If nothing has changed since `before` was read."""
        expression = Expression()
        update = expression.update(_changing(before) if before.version else {}, _changing(after))
        condition = expression.equals("version", before.version) if before.version else expression.absent("pk")
        try:
            with storage_errors():
                self.client.update_item(
                    TableName=self.table,
                    Key=to_attributes(_key(before.merchant_id)),
                    UpdateExpression=update,
                    ConditionExpression=condition,
                    **expression.arguments(),
                )
        except ClientError as error:
            if not condition_failed(error):
                raise
            return False
        return True


def _key(merchant_id: str) -> dict[str, str]:
    """Not in the merchant's own partition, which every function reads."""
    return {"pk": f"E#{merchant_id}", "sk": _ENDPOINTS}


def _changing(webhook_endpoints: WebhookEndpoints) -> Item:
    return {
        "schemaVersion": keys.SCHEMA_VERSION,
        "version": webhook_endpoints.version,
        "endpoints": [_endpoint_item(endpoint) for endpoint in webhook_endpoints.endpoints],
    }


def _endpoint_item(endpoint: Endpoint) -> Item:
    return {
        "id": endpoint.endpoint_id,
        "url": endpoint.url,
        "eventTypes": list(endpoint.event_types),
        "sealedSecret": endpoint.encrypted_secret,
        "previousSealedSecret": endpoint.previous_encrypted_secret,
        "previousUntil": endpoint.previous_until_ms,
        "status": endpoint.status.value,
        "disabledReason": endpoint.disabled_reason.value if endpoint.disabled_reason else None,
        "failingSince": endpoint.failing_since_ms,
        "slowSince": endpoint.slow_since_ms,
        "createdAt": endpoint.created_at_ms,
        "updatedAt": endpoint.updated_at_ms,
    }


@decodes("webhook endpoint")
def _endpoint(item: Item) -> Endpoint:
    return Endpoint(
        endpoint_id=item["id"],
        url=item["url"],
        event_types=tuple(item["eventTypes"]),
        encrypted_secret=item["sealedSecret"],
        previous_encrypted_secret=item.get("previousSealedSecret"),
        previous_until_ms=item["previousUntil"],
        status=EndpointStatus(item["status"]),
        disabled_reason=DisabledReason(item["disabledReason"]) if "disabledReason" in item else None,
        failing_since_ms=item.get("failingSince"),
        slow_since_ms=item.get("slowSince"),
        created_at_ms=item["createdAt"],
        updated_at_ms=item["updatedAt"],
    )
