"""A merchant's events: list them, and deliver one again."""

from dataclasses import dataclass

from payflowx.domain.outbound_webhooks.merchant_events import MerchantEvent, started_again
from payflowx.domain.outbound_webhooks.ports import (
    Deliveries,
    DeliveryJob,
    MerchantEventPage,
    MerchantEventQuery,
    MerchantEvents,
    WebhookEndpointStore,
)
from payflowx.domain.shared.ambient import Clock, Telemetry
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMerchantEvents:
    """Raises `Refusal` with nothing written.

    Raises `StorageUnavailableError` when the request should be repeated.
    """

    merchant_events: MerchantEvents
    endpoint_store: WebhookEndpointStore
    deliveries: Deliveries
    clock: Clock
    telemetry: Telemetry

    def page(self, query: MerchantEventQuery) -> MerchantEventPage:
        """Return a page of events, newest first."""
        return self.merchant_events.page(query)

    def redeliver(self, merchant_id: str, transaction_id: str, seq: int) -> MerchantEvent:
        """Deliver an event to every enabled and subscribed endpoint, with all retries."""
        for _ in range(MAX_COMMIT_TRIES):
            before, after = self._started_again(merchant_id, transaction_id, seq)
            if self.merchant_events.save(before, after):
                self._wake(after)
                return after
        raise StorageUnavailableError("the event kept changing; repeat the request")

    def check_redelivery(self, merchant_id: str, transaction_id: str, seq: int) -> None:
        """Refuse what `redeliver` would refuse, before anybody's decision is recorded."""
        self._started_again(merchant_id, transaction_id, seq)

    def _started_again(self, merchant_id: str, transaction_id: str, seq: int) -> tuple[MerchantEvent, MerchantEvent]:
        """Return the event as it is, and as it is with all its deliveries begun anew."""
        before = self.merchant_events.get(merchant_id, transaction_id, seq)
        if before is None:
            raise Refusal("not_found", "There is no event with this id.")
        after = started_again(before, self.endpoint_store.get(merchant_id).endpoints, self.clock.now_ms())
        if after is None:
            raise Refusal(
                "invalid_state", "No enabled endpoint is subscribed to this event type. Register one and try again."
            )
        return before, after

    def _wake(self, merchant_event: MerchantEvent) -> None:
        job = DeliveryJob(
            merchant_id=merchant_event.merchant_id, transaction_id=merchant_event.transaction_id, seq=merchant_event.seq
        )
        try:
            self.deliveries.send(job)
        except StorageUnavailableError:
            self.telemetry.warn("delivery not woken; the sweeper will wake it", eventId=merchant_event.event_id)
