"""Wake the deliverer for a change that merchants are told of, once the change is stored."""

from payflowx.domain.outbound_webhooks.merchant_events import announcement_of
from payflowx.domain.outbound_webhooks.ports import Deliveries, DeliveryJob
from payflowx.domain.payments.state_machine import Change
from payflowx.domain.shared.ambient import Telemetry
from payflowx.domain.shared.errors import StorageUnavailableError


def announce(change: Change, deliveries: Deliveries, telemetry: Telemetry) -> None:
    """Losing the message costs a minute or two: the event itself is due."""
    announcement = announcement_of(change)
    if announcement is None:
        return
    job = DeliveryJob(
        merchant_id=announcement.merchant_id, transaction_id=announcement.transaction_id, seq=announcement.seq
    )
    try:
        deliveries.send(job)
    except StorageUnavailableError:
        telemetry.warn("delivery not woken; the sweeper will do it", eventId=announcement.event_id)
