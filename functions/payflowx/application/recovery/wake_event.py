"""Wake-up of an event with pending deliveries, without a limit: merchants must receive it."""

from collections.abc import Sequence
from dataclasses import dataclass

from payflowx.application.recovery.waking import Taken, WakeResult, take
from payflowx.domain.outbound_webhooks.ports import DeliveryJob, WakeDeliveries
from payflowx.domain.payments.ports import Due, DueItems
from payflowx.domain.shared.slow_lane import Room


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeEvent:
    """Implements `Waker`."""

    due_items: DueItems
    deliveries: WakeDeliveries
    room: Room

    def admits(self) -> bool:
        """Whether the queue of deliveries is not late."""
        return self.room.admits()

    def take(self, due: Due, now_ms: int) -> Taken | WakeResult:
        """Take the event."""
        return take(due, now_ms, due_items=self.due_items)

    def send(self, taken: Sequence[Taken]) -> Sequence[Taken]:
        """Wake the deliverer for each, in batches."""
        jobs = {_job_of(each.due): each for each in taken}
        return [jobs[job] for job in self.deliveries.send_all(list(jobs))]


def _job_of(due: Due) -> DeliveryJob:
    return DeliveryJob(merchant_id=due.merchant_id, transaction_id=due.transaction_id, seq=int(due.item_id))
