"""The delivery side of an event's item, and back. The audit log's own attributes are not touched by it."""

from collections.abc import Mapping

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.partitions import FIRST, Partitions
from payflowx.adapters.dynamodb.core.reading import decodes
from payflowx.adapters.dynamodb.core.values import Item
from payflowx.domain.outbound_webhooks.merchant_events import Delivery, DeliveryState, ForgottenTime, MerchantEvent
from payflowx.domain.shared.statuses import PaymentStatus


def merchant_event_fields(merchant_event: MerchantEvent, partitions: Partitions = FIRST) -> Item:
    """Return the delivery attributes of an event's item, written in the transaction of its change."""
    day = keys.merchant_events_day(merchant_event.merchant_id, keys.day_of(merchant_event.at_ms))
    return {
        "topic": merchant_event.event_type,
        "number": merchant_event.number,
        "operationId": merchant_event.operation_id,
        "merchantDay": partitions.of_listed(day, merchant_event.event_id),
        "merchantDaySort": keys.merchant_day_sort(merchant_event.at_ms, merchant_event.event_id),
        **delivery_fields(merchant_event, partitions),
    }


def own_item(merchant_event: MerchantEvent, forgotten: ForgottenTime, partitions: Partitions = FIRST) -> Item:
    """Return the item of an event that belongs to no payment: it is no entry of an audit log."""
    return {
        **keys.event_key(merchant_event.merchant_id, merchant_event.transaction_id, merchant_event.seq),
        "schemaVersion": keys.SCHEMA_VERSION,
        "merchantId": merchant_event.merchant_id,
        "transactionId": merchant_event.transaction_id,
        "seq": merchant_event.seq,
        "at": merchant_event.at_ms,
        "forgotten": {"from": forgotten.from_ms, "until": forgotten.until_ms},
        **merchant_event_fields(merchant_event, partitions),
    }


def delivery_fields(merchant_event: MerchantEvent, partitions: Partitions = FIRST) -> Item:
    """Return the attributes that change during delivery."""
    due = merchant_event.due_at_ms is not None
    return {
        "planned": merchant_event.planned or None,
        "deliveries": _deliveries(merchant_event.deliveries) or None,
        "deliveryVersion": merchant_event.version,
        "dueAt": merchant_event.due_at_ms,
        "dueShard": partitions.due_shard(merchant_event.event_id) if due else None,
        "drives": merchant_event.drives,
    }


@decodes("merchant event")
def merchant_event_from_item(item: Item) -> MerchantEvent | None:
    """None for an event that is not published."""
    if "topic" not in item:
        return None
    span = item.get("forgotten")
    forgotten = ForgottenTime(from_ms=span["from"], until_ms=span["until"]) if span else None
    return MerchantEvent(
        merchant_id=item["merchantId"],
        transaction_id=item["transactionId"],
        seq=item["seq"],
        number=item["number"],
        event_type=item["topic"],
        status_from=None if forgotten else PaymentStatus(item["from"]),
        status_to=None if forgotten else PaymentStatus(item["to"]),
        operation_id=item.get("operationId"),
        at_ms=item["at"],
        forgotten=forgotten,
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
