"""The size of a payment's item: its writes are billed by started kilobytes."""

from payflowx.adapters.dynamodb.core.sizes import item_bytes
from payflowx.adapters.dynamodb.core.values import to_attributes
from payflowx.adapters.dynamodb.payments.payment_items import to_item
from payflowx.domain.payments.payment import Payment


def payment_bytes(payment: Payment) -> int:
    """As it would be stored now."""
    return item_bytes(to_attributes(to_item(payment)))
