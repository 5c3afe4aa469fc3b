"""The search for events that a newly registered endpoint missed.

An event is announced only if its merchant has endpoints, and writers remember for a while that a merchant has none. So
the events of the time after a registration are looked through twice: when all writers know the endpoint, and again for
writes and index entries that were late. Publishing an event twice changes nothing.
"""

from dataclasses import dataclass, replace

from payflowx.domain.outbound_webhooks.endpoints import Endpoint
from payflowx.domain.outbound_webhooks.merchant_events import MerchantEvent
from payflowx.domain.shared.limits import CATCH_UP_AFTER_MS, CATCH_UP_AGAIN_AFTER_MS, CATCH_UP_SPAN_MS, MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    """The search for one endpoint. `since_ms` is the time from which on it is owed events.

    `position` continues a pass over many events. `until_ms`: no later event can have been missed. None before the first
    pass: the registration may have been stored long after its own time, but not after the pass that finds it.
    """

    merchant_id: str
    endpoint_id: str
    since_ms: int
    due_at_ms: int | None
    drives: int = 0
    until_ms: int | None = None
    position: str | None = None


def owed_since_ms(earlier: CatchUp | None) -> int | None:
    """Return the time from which on a registration is owed events, where that is not its own time.

    `earlier` is the search of the same endpoint. While it runs, an earlier registration of the address is owed events
    that were not found yet. They would belong to nobody if the merchant registers the address again, such as for other
    event types.
    """
    return None if earlier is None or earlier.due_at_ms is None else earlier.since_ms


def catch_up_of(merchant_id: str, endpoint: Endpoint, now_ms: int) -> CatchUp:
    """Return the search that a registration begins, in place of one that runs."""
    return CatchUp(
        merchant_id=merchant_id,
        endpoint_id=endpoint.endpoint_id,
        since_ms=endpoint.gets_events_since_ms,
        due_at_ms=now_ms + CATCH_UP_AFTER_MS,
    )


def end_of_search_ms(catch_up: CatchUp, now_ms: int) -> int:
    """Return the time of the last event that is looked at: soon after the first pass, all writers know the endpoint."""
    return now_ms + CATCH_UP_SPAN_MS if catch_up.until_ms is None else catch_up.until_ms


def after_pages(catch_up: CatchUp, position: str | None, now_ms: int) -> CatchUp:
    """Return the search after some pages: with `position` the pass goes on soon, else the next one is left, or none."""
    until_ms = end_of_search_ms(catch_up, now_ms)
    later = replace(catch_up, until_ms=until_ms, position=position, drives=0)
    if position is not None:
        return replace(later, due_at_ms=now_ms + MINUTE_MS)
    again_ms = max(catch_up.since_ms + CATCH_UP_AGAIN_AFTER_MS, until_ms + MINUTE_MS)
    return replace(later, due_at_ms=again_ms if now_ms < again_ms else None)


def announced(merchant_event: MerchantEvent, now_ms: int) -> MerchantEvent | None:
    """Return the event, due now; None for one that is due or was delivered already."""
    if merchant_event.planned or merchant_event.due_at_ms is not None:
        return None
    return replace(merchant_event, due_at_ms=now_ms)
