"""The inquiries that provider events cause, a bounded number a day. Pure."""

from dataclasses import dataclass, replace

from payflowx.domain.shared.limits import DAY_MS, MAX_EVENT_INQUIRIES_A_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInquiries:
    """The count since the day began (24 hours from its first inquiry), and the closed attempts that wait for one.

    Release 0.2.0 neither writes nor reads it, and keeps it when it writes the item.
    """

    since_ms: int
    count: int = 0
    waiting: tuple[int, ...] = ()
    """The numbers of closed attempts that an event was about after the last inquiry about them."""
    ready_at_ms: int = 0
    """No inquiry about them is made before this time."""
    tries: int = 0
    """Number of these inquiries in a row that the provider did not answer."""

    def next_at_ms(self, now_ms: int) -> int:
        """Return the time of the next inquiry that the day's bound allows."""
        is_used_up = self.count >= MAX_EVENT_INQUIRIES_A_DAY and now_ms - self.since_ms < DAY_MS
        return self.since_ms + DAY_MS if is_used_up else now_ms


def one_more(inquiries: EventInquiries | None, now_ms: int, *, most: int) -> EventInquiries | None:
    """Return the count with one inquiry more; None if the day has had `most` of them."""
    if inquiries is None:
        return EventInquiries(since_ms=now_ms, count=1)
    if now_ms - inquiries.since_ms >= DAY_MS:
        return replace(inquiries, since_ms=now_ms, count=1)
    return replace(inquiries, count=inquiries.count + 1) if inquiries.count < most else None
