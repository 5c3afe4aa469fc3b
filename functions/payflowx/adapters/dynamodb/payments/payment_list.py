"""A merchant's payments, newest first."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.partitions import Partitions
from payflowx.adapters.dynamodb.core.reading import Unreadable, or_unreadable, readable
from payflowx.adapters.dynamodb.payments.payment_items import from_item
from payflowx.adapters.dynamodb.reconciliation.payment_index import MerchantDays, TimeRange
from payflowx.domain.payments.ports import PaymentPage, PaymentQuery

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentList:
    """Pages of payments through the merchant's index."""

    client: "DynamoDBClient"
    table: str
    partitions: Partitions

    def page(self, query: PaymentQuery) -> PaymentPage:
        """At most `limit` payments; a status is looked for among the rows of the page."""
        days = MerchantDays(
            client=self.client,
            table=self.table,
            partitions=lambda day: self.partitions.of_day(keys.merchant_day(query.merchant_id, day)),
            read=or_unreadable(from_item),
        )
        time_range = TimeRange(from_ms=query.from_ms, until_ms=query.until_ms, position=query.position)
        found, next_position = days.page(
            time_range,
            query.limit,
            wanted=lambda row: isinstance(row, Unreadable) or query.status in (None, row.status),
        )
        items, unreadable = readable(found)
        ids = [keys.id_in(row.item["merchantDaySort"]) for row in unreadable]
        return PaymentPage(items=items, next_position=next_position, unreadable=ids)
