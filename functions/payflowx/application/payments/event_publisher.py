"""Wake-up of the deliverer for a stored change with a merchant event."""

from payflowx.domain.outbound_webhooks.merchant_events import merchant_event_of
from payflowx.domain.outbound_webhooks.ports import Deliveries, DeliveryJob
from payflowx.domain.payments.change import Change
from payflowx.domain.shared.ambient import Telemetry
from payflowx.domain.shared.errors import StorageUnavailableError


def publish(change: Change, deliveries: Deliveries, telemetry: Telemetry) -> None:
    """Losing the message delays the delivery by a minute or two: the event itself is due."""
    merchant_event = merchant_event_of(change)
    if merchant_event is None or not change.is_announced:
        return
    job = DeliveryJob(
        merchant_id=merchant_event.merchant_id, transaction_id=merchant_event.transaction_id, seq=merchant_event.seq
    )
    try:
        deliveries.send(job)
    except StorageUnavailableError:
        telemetry.warn("delivery not woken; the sweeper will wake it", eventId=merchant_event.event_id)
