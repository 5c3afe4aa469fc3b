"""The inquiries that unverified provider events cause about closed attempts, a bounded number a day. Pure."""

from dataclasses import dataclass, replace

from payflowx.domain.shared.limits import DAY_MS, MAX_EVENT_INQUIRIES_A_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInquiries:
    """The count since the day began: 24 hours from its first inquiry. Release 0.2.0 neither writes nor reads it."""

    since_ms: int
    count: int


def one_more(inquiries: EventInquiries | None, now_ms: int) -> EventInquiries | None:
    """Return the count with one inquiry more; None if the day's inquiries are used up."""
    if inquiries is None or now_ms - inquiries.since_ms >= DAY_MS:
        return EventInquiries(since_ms=now_ms, count=1)
    if inquiries.count >= MAX_EVENT_INQUIRIES_A_DAY:
        return None
    return replace(inquiries, count=inquiries.count + 1)
