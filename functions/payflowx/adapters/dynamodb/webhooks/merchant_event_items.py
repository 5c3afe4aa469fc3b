"""The delivery side of an event's item, and back. The trail's own attributes are not touched by it."""

from collections.abc import Mapping

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.values import Item
from payflowx.domain.outbound_webhooks.merchant_events import Announcement, Delivery, DeliveryState
from payflowx.domain.shared.statuses import PaymentStatus


def announced_fields(announcement: Announcement) -> Item:
    """What the event's item has besides, from the transaction that writes it on."""
    return {
        "topic": announcement.topic,
        "number": announcement.number,
        "operationId": announcement.operation_id,
        "merchantDay": keys.merchant_events_day(announcement.merchant_id, keys.day_of(announcement.at_ms)),
        "merchantDaySort": keys.merchant_day_sort(announcement.at_ms, announcement.event_id),
        **delivery_fields(announcement),
    }


def delivery_fields(announcement: Announcement) -> Item:
    """What changes while it is delivered."""
    due = announcement.due_at_ms is not None
    return {
        "planned": announcement.planned or None,
        "deliveries": _deliveries(announcement.deliveries) or None,
        "deliveryVersion": announcement.version,
        "dueAt": announcement.due_at_ms,
        "dueShard": keys.due_shard(announcement.event_id) if due else None,
        "drives": announcement.drives,
    }


def announcement_from_item(item: Item) -> Announcement | None:
    """None for an event that is not announced."""
    if "topic" not in item:
        return None
    return Announcement(
        merchant_id=item["merchantId"],
        transaction_id=item["transactionId"],
        seq=item["seq"],
        number=item["number"],
        topic=item["topic"],
        status_from=PaymentStatus(item["from"]),
        status_to=PaymentStatus(item["to"]),
        operation_id=item.get("operationId"),
        at_ms=item["at"],
        planned=item.get("planned", False),
        deliveries={endpoint_id: _delivery(known) for endpoint_id, known in item.get("deliveries", {}).items()},
        version=item["deliveryVersion"],
        due_at_ms=item.get("dueAt"),
        drives=item["drives"],
    )


def _deliveries(deliveries: Mapping[str, Delivery]) -> Item:
    return {
        endpoint_id: {
            "state": delivery.state.value,
            "attempts": delivery.attempts,
            "nextAt": delivery.next_at_ms,
            "status": delivery.status,
            "code": delivery.code,
        }
        for endpoint_id, delivery in deliveries.items()
    }


def _delivery(item: Item) -> Delivery:
    return Delivery(
        state=DeliveryState(item["state"]),
        attempts=item["attempts"],
        next_at_ms=item["nextAt"],
        status=item.get("status"),
        code=item.get("code"),
    )
