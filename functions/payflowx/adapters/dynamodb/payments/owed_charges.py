"""The payments that owe an extra charge, through the sparse index `reviews`, in a partition of their own."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.batches import get_items
from payflowx.adapters.dynamodb.payments.payment_items import from_item
from payflowx.adapters.dynamodb.payments.review_index import rows_of
from payflowx.adapters.dynamodb.payments.review_items import SORT
from payflowx.domain.payments.owed_charge_ports import OwedPage
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.errors import UnreadableItemError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBOwedCharges:
    """Implements `OwedCharges`. The index holds keys only; each payment is read before it is listed."""

    client: "DynamoDBClient"
    table: str

    def page(self, merchant_id: str, *, limit: int, position: str | None) -> OwedPage:
        """`position` is the sort key of the last row read."""
        partition = keys.owed_charges_of(merchant_id)
        rows, more = rows_of(self.client, self.table, partition, limit=limit, position=position)
        wanted = [{"pk": row["pk"], "sk": row["sk"]} for row in rows]
        items = {item["pk"]: item for item in get_items(self.client, self.table, wanted)}
        found: list[Payment] = []
        unreadable: list[str] = []
        for row in rows:
            if row["pk"] not in items:
                continue
            try:
                found.append(from_item(items[row["pk"]]))
            except UnreadableItemError:
                unreadable.append(keys.parse_payment_partition(row["pk"])[1])
        owing = [payment for payment in found if payment.owed_charges]
        return OwedPage(items=owing, unreadable=unreadable, next_position=rows[-1][SORT] if more else None)
