"""The search for events that a newly registered endpoint missed.

An event is announced only if its merchant has endpoints, and writers remember for a while that a merchant has none. So
the events of the time after a registration are looked through twice: when all writers know the endpoint, and again for
writes and index entries that were late. Announcing an event twice changes nothing.
"""

from dataclasses import dataclass, replace

from payflowx.domain.outbound_webhooks.endpoints import Endpoint
from payflowx.domain.outbound_webhooks.merchant_events import MerchantEvent
from payflowx.domain.shared.limits import CATCH_UP_AFTER_MS, CATCH_UP_AGAIN_AFTER_MS, CATCH_UP_SPAN_MS, MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    """The search for one endpoint. `since_ms` is its registration; `position` continues a pass over many events."""

    merchant_id: str
    endpoint_id: str
    since_ms: int
    due_at_ms: int | None
    drives: int = 0
    position: str | None = None

    @property
    def until_ms(self) -> int:
        """Every event after this time was written by a process that knows the endpoint."""
        return self.since_ms + CATCH_UP_SPAN_MS


def catch_up_of(merchant_id: str, endpoint: Endpoint) -> CatchUp:
    """Return the search that a registration begins."""
    since_ms = endpoint.created_at_ms
    return CatchUp(
        merchant_id=merchant_id,
        endpoint_id=endpoint.endpoint_id,
        since_ms=since_ms,
        due_at_ms=since_ms + CATCH_UP_AFTER_MS,
    )


def after_pages(catch_up: CatchUp, position: str | None, now_ms: int) -> CatchUp:
    """Return the search after some pages: with `position` the pass goes on soon, else the next one is left, or none."""
    if position is not None:
        return replace(catch_up, position=position, due_at_ms=now_ms + MINUTE_MS, drives=0)
    again_ms = catch_up.since_ms + CATCH_UP_AGAIN_AFTER_MS
    return replace(catch_up, position=None, due_at_ms=again_ms if now_ms < again_ms else None, drives=0)


def announced(merchant_event: MerchantEvent, now_ms: int) -> MerchantEvent | None:
    """Return the event, due now; None for one that is due or was delivered already."""
    if merchant_event.planned or merchant_event.due_at_ms is not None:
        return None
    return replace(merchant_event, due_at_ms=now_ms)
