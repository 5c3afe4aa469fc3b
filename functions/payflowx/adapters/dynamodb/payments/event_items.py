"""An audit event as a DynamoDB item and back.

The first event of a compact payment lies in the item of the second one, as its attribute `first`.
"""

from collections.abc import Sequence
from dataclasses import replace

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.reading import decodes
from payflowx.adapters.dynamodb.core.values import Item
from payflowx.domain.payments.events import GENESIS_HASH, Event
from payflowx.domain.shared.statuses import PaymentStatus

_FIRST = "first"


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


def first_event_fields(first: Event | None) -> Item:
    """The first event within the item of the second: what that item and its own number do not say."""
    if first is None:
        return {}
    return {
        _FIRST: {
            "type": first.type,
            "to": first.status_to.value,
            "actor": first.actor,
            "at": first.at_ms,
            "facts": dict(first.facts),
        }
    }


@decodes("event")
def events_from_item(item: Item) -> Sequence[Event]:
    """The events that lie in this item, in their order."""
    event = event_from_item(item)
    if _FIRST not in item:
        return (event,)
    stored: Item = item[_FIRST]
    first = replace(
        event,
        seq=1,
        type=stored["type"],
        status_from=None,
        status_to=PaymentStatus(stored["to"]),
        actor=stored["actor"],
        at_ms=stored["at"],
        facts=stored["facts"],
        previous_hash=GENESIS_HASH,
        hash=event.previous_hash,
    )
    return (first, event)


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
