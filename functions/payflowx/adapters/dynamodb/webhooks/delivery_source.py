"""Event, payment and endpoints of a delivery in one call: two tables, three items."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.batches import get_of_tables
from payflowx.adapters.dynamodb.core.values import Item
from payflowx.adapters.dynamodb.payments.payment_items import from_item
from payflowx.adapters.dynamodb.webhooks.endpoints import ENDPOINTS, endpoints_from_item, endpoints_key
from payflowx.adapters.dynamodb.webhooks.merchant_event_items import merchant_event_from_item
from payflowx.domain.outbound_webhooks.ports import DeliveryItems, DeliveryJob
from payflowx.domain.payments.payment import Payment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBDeliverySource:
    """Implements `DeliverySource`."""

    client: "DynamoDBClient"
    transactions_table: str
    configuration_table: str

    def items_of(self, job: DeliveryJob) -> DeliveryItems:
        """Consistent reads: an endpoint that was just registered or deleted is, or is not, told."""
        of_payment = (job.merchant_id, job.transaction_id)
        wanted = {
            self.transactions_table: [keys.event_key(*of_payment, job.seq), keys.payment_key(*of_payment)],
            self.configuration_table: [endpoints_key(job.merchant_id)],
        }
        found = {item["sk"]: item for item in get_of_tables(self.client, wanted)}
        event = found.get(keys.event_sort(job.seq))
        return DeliveryItems(
            merchant_event=merchant_event_from_item(event) if event else None,
            webhook_endpoints=endpoints_from_item(job.merchant_id, found.get(ENDPOINTS)),
            payment=partial(_payment, found.get(keys.PAYMENT)),
        )


def _payment(item: Item | None) -> Payment | None:
    return from_item(item) if item else None
