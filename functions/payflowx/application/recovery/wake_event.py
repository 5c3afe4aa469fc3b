"""Drive an event that is still to be delivered: for as long as it takes, because merchants are owed it."""

from dataclasses import dataclass

from payflowx.application.recovery.waking import Driven
from payflowx.domain.outbound_webhooks.ports import Announcements, Deliveries, DeliveryJob
from payflowx.domain.payments.ports import Due, DueItems
from payflowx.domain.shared.backoff import drive_delay_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveEvent:
    """Implements `Driver`."""

    due_items: DueItems
    announcements: Announcements
    deliveries: Deliveries

    def __call__(self, due: Due, now_ms: int) -> Driven:
        """First the later due time, then the message: of two sweepers, one sends."""
        seq = int(due.item_id)
        announcement = self.announcements.get(due.merchant_id, due.transaction_id, seq)
        if announcement is None or announcement.due_at_ms != due.due_at_ms:
            return Driven.STALE
        drives = announcement.drives
        if not self.due_items.postpone(due, due_at_ms=now_ms + drive_delay_ms(drives), drives=drives + 1):
            return Driven.LEFT
        self.deliveries.send(DeliveryJob(merchant_id=due.merchant_id, transaction_id=due.transaction_id, seq=seq))
        return Driven.WOKEN
