"""A merchant's webhook endpoints as one item: read in one call, changed as a whole, on the version that was read."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core import keys, writes
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import condition_failed, storage_errors
from payflowx.adapters.dynamodb.core.partitions import FIRST, Partitions
from payflowx.adapters.dynamodb.core.reading import decodes
from payflowx.adapters.dynamodb.core.values import Item, from_attributes, to_attributes
from payflowx.adapters.dynamodb.core.writes import Part
from payflowx.adapters.dynamodb.webhooks.catch_ups import catch_up_item
from payflowx.domain.outbound_webhooks.catch_up import CatchUp
from payflowx.domain.outbound_webhooks.endpoints import DisabledReason, Endpoint, EndpointStatus, WebhookEndpoints

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ENDPOINTS: Final = "ENDPOINTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBWebhookEndpoints:
    """Implements `WebhookEndpointStore`."""

    client: "DynamoDBClient"
    table: str
    transactions_table: str
    partitions: Partitions = FIRST

    def get(self, merchant_id: str) -> WebhookEndpoints:
        """A consistent read: an endpoint that was just registered or deleted is, or is not, told."""
        with storage_errors():
            answer = self.client.get_item(
                TableName=self.table, Key=to_attributes(endpoints_key(merchant_id)), ConsistentRead=True
            )
        return endpoints_from_item(merchant_id, from_attributes(answer["Item"]) if "Item" in answer else None)

    def save(self, before: WebhookEndpoints, after: WebhookEndpoints, *, catch_up: CatchUp | None = None) -> bool:
        """If nothing has changed since `before` was read. A registration writes its search in one transaction."""
        write = self._changed(before, after)
        if catch_up is not None:
            item = to_attributes(catch_up_item(catch_up, self.partitions))
            search = {"Put": {"TableName": self.transactions_table, "Item": item}}
            return writes.transact(self.client, [(Part.ENDPOINTS, write), (Part.CATCH_UP, search)]) is None
        try:
            with storage_errors():
                self.client.update_item(**write["Update"])
        except ClientError as error:
            if not condition_failed(error):
                raise
            return False
        return True

    def _changed(self, before: WebhookEndpoints, after: WebhookEndpoints) -> dict[str, Any]:
        expression = Expression()
        update = expression.update(_changing(before) if before.version else {}, _changing(after))
        condition = expression.equals("version", before.version) if before.version else expression.absent("pk")
        return writes.update_of(self.table, endpoints_key(before.merchant_id), update, [condition], expression)


def endpoints_from_item(merchant_id: str, item: Item | None) -> WebhookEndpoints:
    """A merchant's endpoints; none where there is no item."""
    if item is None:
        return WebhookEndpoints(merchant_id=merchant_id)
    endpoints = tuple(_endpoint(known) for known in item["endpoints"])
    return WebhookEndpoints(merchant_id=merchant_id, version=item["version"], endpoints=endpoints)


def endpoints_key(merchant_id: str) -> dict[str, str]:
    """The one item of a merchant's endpoints."""
    return {"pk": keys.endpoints_partition(merchant_id), "sk": ENDPOINTS}


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
        "owedSince": endpoint.owed_since_ms,
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
        owed_since_ms=item.get("owedSince"),
        updated_at_ms=item["updatedAt"],
    )
