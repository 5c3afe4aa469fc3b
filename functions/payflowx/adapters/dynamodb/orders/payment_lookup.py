"""Payments by their order, or by a provider's id: a bounded number of items, by their keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.batches import get_items
from payflowx.adapters.dynamodb.core.reading import Unreadable, or_unreadable, readable
from payflowx.adapters.dynamodb.payments.payment_items import from_item
from payflowx.adapters.dynamodb.payments.references import owner_from_item
from payflowx.domain.payments.ports import PaymentPage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBPaymentLookup:
    """Implements `PaymentLookup`."""

    client: "DynamoDBClient"
    table: str

    def by_ids(self, merchant_id: str, transaction_ids: Sequence[str]) -> PaymentPage:
        """One batch. An id without a payment is left out."""
        wanted = {keys.payment_partition(merchant_id, name): name for name in transaction_ids}
        item_keys = [keys.payment_key(merchant_id, name) for name in wanted.values()]
        found = {item["pk"]: item for item in get_items(self.client, self.table, item_keys)}
        rows = [or_unreadable(from_item)(found[pk]) for pk in wanted if pk in found]
        items, unreadable = readable(rows)
        ids = [wanted[row.item["pk"]] for row in unreadable if isinstance(row, Unreadable)]
        return PaymentPage(items=items, next_position=None, unreadable=ids)

    def owners(self, merchant_id: str, accounts: Sequence[tuple[str, str]], reference: str) -> Sequence[str]:
        """One batch: the common key and the merchant's own key of each account."""
        item_keys = [
            key
            for provider, account_id in accounts
            for key in (
                keys.reference_key(provider, account_id, reference),
                keys.own_reference_key(merchant_id, provider, account_id, reference),
            )
        ]
        found = {item["pk"]: owner_from_item(item) for item in get_items(self.client, self.table, item_keys)}
        owners = [found[key["pk"]] for key in item_keys if key["pk"] in found]
        return list(dict.fromkeys(owner.transaction_id for owner in owners if owner.merchant_id == merchant_id))
