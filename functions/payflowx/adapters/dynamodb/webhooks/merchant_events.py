"""Events as what is to be delivered: the outbox's side of the audit log."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import condition_failed, storage_errors
from payflowx.adapters.dynamodb.core.partitions import FIRST, Partitions
from payflowx.adapters.dynamodb.core.reading import or_unreadable, readable
from payflowx.adapters.dynamodb.core.values import from_attributes, to_attributes
from payflowx.adapters.dynamodb.core.writes import seen
from payflowx.adapters.dynamodb.reconciliation.payment_index import MerchantDays, TimeRange
from payflowx.adapters.dynamodb.webhooks.merchant_event_items import delivery_fields, merchant_event_from_item, own_item
from payflowx.domain.outbound_webhooks.merchant_events import MerchantEvent
from payflowx.domain.outbound_webhooks.ports import MerchantEventPage, MerchantEventQuery
from payflowx.domain.shared.errors import InvariantError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBMerchantEvents:
    """Implements `MerchantEvents`."""

    client: "DynamoDBClient"
    table: str
    partitions: Partitions = FIRST

    def get(self, merchant_id: str, transaction_id: str, seq: int) -> MerchantEvent | None:
        """A consistent read."""
        key = to_attributes(keys.event_key(merchant_id, transaction_id, seq))
        with storage_errors():
            answer = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        return merchant_event_from_item(from_attributes(answer["Item"])) if "Item" in answer else None

    def add(self, merchant_event: MerchantEvent) -> bool:
        """One put, where nothing is. An event of a payment is stored with the payment's change."""
        if merchant_event.forgotten is None:
            raise InvariantError("an event of a payment is stored with its change")
        item = own_item(merchant_event, merchant_event.forgotten, self.partitions)
        try:
            with storage_errors():
                self.client.put_item(
                    TableName=self.table,
                    Item=to_attributes(item),
                    ConditionExpression="attribute_not_exists(pk)",
                )
        except ClientError as error:
            if not condition_failed(error):
                raise
            return False
        return True

    def save(self, before: MerchantEvent, after: MerchantEvent) -> bool:
        """A failed condition may be our own write whose answer was lost: then it is done twice, which receivers
        can tell.
        """
        stored = replace(after, version=before.version + 1)
        expression = Expression()
        update = expression.update(
            seen(delivery_fields(before, self.partitions)), delivery_fields(stored, self.partitions)
        )
        key = keys.event_key(before.merchant_id, before.transaction_id, before.seq)
        try:
            with storage_errors():
                self.client.update_item(
                    TableName=self.table,
                    Key=to_attributes(key),
                    UpdateExpression=update,
                    ConditionExpression=expression.equals("deliveryVersion", before.version),
                    **expression.arguments(),
                )
        except ClientError as error:
            if not condition_failed(error):
                raise
            return False
        return True

    def page(self, query: MerchantEventQuery) -> MerchantEventPage:
        """Newest first, by the merchant's index."""
        days = MerchantDays(
            client=self.client,
            table=self.table,
            partitions=lambda day: self.partitions.of_day(keys.merchant_events_day(query.merchant_id, day)),
            read=or_unreadable(merchant_event_from_item),
        )
        time_range = TimeRange(from_ms=query.from_ms, until_ms=query.until_ms, position=query.position)
        found, next_position = days.page(time_range, query.limit, wanted=lambda _merchant_event: True)
        items, unreadable = readable(found)
        return MerchantEventPage(
            items=[item for item in items if item is not None],
            next_position=next_position,
            unreadable=[keys.id_in(row.item["merchantDaySort"]) for row in unreadable],
        )
