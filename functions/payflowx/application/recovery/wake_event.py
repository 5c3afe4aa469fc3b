"""Wake-up of an event with pending deliveries, without a limit: merchants must receive it."""

from dataclasses import dataclass

from payflowx.application.recovery.waking import WakeResult
from payflowx.domain.outbound_webhooks.ports import Deliveries, DeliveryJob, MerchantEvents
from payflowx.domain.payments.ports import Due, DueItems
from payflowx.domain.shared.backoff import wake_delay_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeEvent:
    """Implements `Waker`."""

    due_items: DueItems
    merchant_events: MerchantEvents
    deliveries: Deliveries

    def __call__(self, due: Due, now_ms: int) -> WakeResult:
        """Postpone first, then send the message: of two sweepers, one sends."""
        seq = int(due.item_id)
        merchant_event = self.merchant_events.get(due.merchant_id, due.transaction_id, seq)
        if merchant_event is None or merchant_event.due_at_ms != due.due_at_ms:
            return WakeResult.STALE
        drives = merchant_event.drives
        if not self.due_items.postpone(due, due_at_ms=now_ms + wake_delay_ms(drives), drives=drives + 1):
            return WakeResult.LEFT
        self.deliveries.send(DeliveryJob(merchant_id=due.merchant_id, transaction_id=due.transaction_id, seq=seq))
        return WakeResult.WOKEN
