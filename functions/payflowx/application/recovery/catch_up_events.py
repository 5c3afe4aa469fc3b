"""Publishes the events that a newly registered endpoint missed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from payflowx.application.recovery.waking import Taken, WakeResult, take
from payflowx.domain.outbound_webhooks.catch_up import CatchUp, after_pages, announced, end_of_search_ms
from payflowx.domain.outbound_webhooks.ports import CatchUps, MerchantEventQuery, MerchantEvents
from payflowx.domain.payments.ports import Due, DueItems
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import MAX_PAGE_ITEMS

_MAX_PAGES: Final = 5
"""Pages of one run: the sweeper has other items to wake. The next run goes on behind them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUpEvents:
    """Implements `Waker`. It only makes the events due; the sweeper wakes the deliverer for them as for all others."""

    due_items: DueItems
    catch_ups: CatchUps
    merchant_events: MerchantEvents
    clock: Clock

    def admits(self) -> bool:
        """No message is sent here."""
        return True

    def take(self, due: Due, now_ms: int) -> Taken | WakeResult:
        """Postpone the search: if this run dies, another one looks through the same pages again."""
        return take(due, now_ms, due_items=self.due_items)

    def send(self, taken: Sequence[Taken]) -> Sequence[Taken]:
        """Look through the events of each; return the searches during which the database did not answer."""
        refused = []
        for each in taken:
            try:
                self._search(each.due)
            except StorageUnavailableError:
                refused.append(each)
        return refused

    def _search(self, due: Due) -> None:
        """`due` has the time to which the search was postponed."""
        catch_up = self.catch_ups.get(due.merchant_id, due.item_id)
        if catch_up is None or catch_up.due_at_ms != due.due_at_ms:
            return
        now_ms = self.clock.now_ms()
        after = after_pages(catch_up, self._publish(catch_up, now_ms), now_ms)
        self.catch_ups.save(after, postponed_to_ms=due.due_at_ms)

    def _publish(self, catch_up: CatchUp, now_ms: int) -> str | None:
        """Return the position at which the next run goes on; None at the end of the list."""
        position = catch_up.position
        for _ in range(_MAX_PAGES):
            page = self.merchant_events.page(
                MerchantEventQuery(
                    merchant_id=catch_up.merchant_id,
                    from_ms=catch_up.since_ms,
                    until_ms=end_of_search_ms(catch_up, now_ms),
                    limit=MAX_PAGE_ITEMS,
                    position=position,
                )
            )
            for merchant_event in page.items:
                due = announced(merchant_event, now_ms)
                if due is not None:
                    self.merchant_events.save(merchant_event, due)
            position = page.next_position
            if position is None:
                return None
        return position
