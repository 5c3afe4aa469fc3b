"""A payment's part in its order, as attributes of the payment's item.

Release 0.2.0 ignores them and leaves them where they are; an item without them has no order.
"""

from payflowx.adapters.dynamodb.core.values import Item
from payflowx.domain.payments.order_link import OrderLink, OrderStanding


def order_link_to_item(link: OrderLink | None) -> Item:
    """The attributes; those of the usual case are absent."""
    if link is None:
        return {}
    return {
        "orderHash": link.order_hash,
        "orderId": link.order_id,
        "orderBeside": not link.once or None,
        "orderStanding": link.standing.value if link.standing is not OrderStanding.COUNTED else None,
        "orderContendsWith": link.contends_with,
        "stopRequested": link.stop_requested or None,
    }


def order_link_from_item(item: Item) -> OrderLink | None:
    """The link that `order_link_to_item` was given; None for a payment without an order."""
    if "orderHash" not in item:
        return None
    return OrderLink(
        order_hash=item["orderHash"],
        order_id=item.get("orderId"),
        once=not item.get("orderBeside", False),
        standing=OrderStanding(item.get("orderStanding", OrderStanding.COUNTED)),
        contends_with=item.get("orderContendsWith"),
        stop_requested=item.get("stopRequested", False),
    )
