"""An order as a DynamoDB item and back. It holds the order's pseudonym only, never the merchant's own reference."""

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.reading import decodes
from payflowx.adapters.dynamodb.core.values import Item
from payflowx.domain.orders.order import Order, OrderState


def order_to_item(order: Order) -> Item:
    """The whole item with its keys; absent values are None and are not stored."""
    return {
        **keys.order_key(order.merchant_id, order.order_hash),
        "schemaVersion": keys.SCHEMA_VERSION,
        "merchantId": order.merchant_id,
        "orderHash": order.order_hash,
        "state": order.state.value,
        "holder": order.holder,
        "contenders": list(order.contenders) or None,
        "beside": order.beside,
        "version": order.version,
        "payments": list(order.payments),
    }


@decodes("order")
def order_from_item(item: Item) -> Order:
    """The order that `order_to_item` was given."""
    return Order(
        merchant_id=item["merchantId"],
        order_hash=item["orderHash"],
        state=OrderState(item["state"]),
        holder=item.get("holder"),
        contenders=tuple(item.get("contenders", ())),
        beside=item["beside"],
        version=item["version"],
        payments=tuple(item["payments"]),
    )
