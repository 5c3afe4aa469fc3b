"""List what a merchant was told of, and tell it again."""

from dataclasses import dataclass

from payflowx.domain.outbound_webhooks.merchant_events import Announcement, started_again
from payflowx.domain.outbound_webhooks.ports import (
    AnnouncementPage,
    AnnouncementQuery,
    Announcements,
    Deliveries,
    DeliveryJob,
    EndpointBooks,
)
from payflowx.domain.shared.ambient import Clock, Telemetry
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedEvents:
    """Raises `Refusal` with nothing written, and `StorageUnavailableError` when the request should be repeated."""

    announcements: Announcements
    books: EndpointBooks
    deliveries: Deliveries
    clock: Clock
    telemetry: Telemetry

    def page(self, query: AnnouncementQuery) -> AnnouncementPage:
        """A page of events, newest first."""
        return self.announcements.page(query)

    def redeliver(self, merchant_id: str, transaction_id: str, seq: int) -> Announcement:
        """To every endpoint that is enabled and subscribed now, with all tries of the schedule."""
        for _ in range(MAX_COMMIT_TRIES):
            before = self.announcements.get(merchant_id, transaction_id, seq)
            if before is None:
                raise Refusal("not_found", "There is no event with this id.")
            after = started_again(before, self.books.get(merchant_id).endpoints, self.clock.now_ms())
            if after is None:
                raise Refusal(
                    "invalid_state",
                    "No enabled endpoint is subscribed to events of this type. Register one and try again.",
                )
            if self.announcements.save(before, after):
                self._wake(after)
                return after
        raise StorageUnavailableError("the event kept changing; repeat the request")

    def _wake(self, announcement: Announcement) -> None:
        job = DeliveryJob(
            merchant_id=announcement.merchant_id, transaction_id=announcement.transaction_id, seq=announcement.seq
        )
        try:
            self.deliveries.send(job)
        except StorageUnavailableError:
            self.telemetry.warn("delivery not woken; the sweeper will do it", eventId=announcement.event_id)
