"""An audit event as a DynamoDB item and back."""

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.reading import decodes
from payflowx.adapters.dynamodb.core.values import Item
from payflowx.domain.payments.events import Event
from payflowx.domain.shared.statuses import PaymentStatus


def event_to_item(event: Event) -> Item:
    """The item beside the payment's, in the same collection."""
    return {
        "pk": keys.payment_partition(event.merchant_id, event.transaction_id),
        "sk": keys.event_sort(event.seq),
        "schemaVersion": keys.SCHEMA_VERSION,
        "merchantId": event.merchant_id,
        "transactionId": event.transaction_id,
        "seq": event.seq,
        "type": event.type,
        "from": event.status_from.value if event.status_from else None,
        "to": event.status_to.value,
        "actor": event.actor,
        "at": event.at_ms,
        "facts": dict(event.facts),
        "previousHash": event.previous_hash,
        "hash": event.hash,
    }


@decodes("event")
def event_from_item(item: Item) -> Event:
    """The event that `event_to_item` was given."""
    return Event(
        merchant_id=item["merchantId"],
        transaction_id=item["transactionId"],
        seq=item["seq"],
        type=item["type"],
        status_from=PaymentStatus(item["from"]) if "from" in item else None,
        status_to=PaymentStatus(item["to"]),
        actor=item["actor"],
        at_ms=item["at"],
        facts=item["facts"],
        previous_hash=item["previousHash"],
        hash=item["hash"],
    )
