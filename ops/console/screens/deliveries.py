"""Webhook endpoints of a merchant, the events that they have not taken, and their delivery once more."""

from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any, Final
from urllib.parse import urlencode

from ops.commands.deliveries import events_of, not_looked_at, nothing_waits, with_states
from ops.console.parts import gather
from ops.console.screen import Action, Done, Page, Screen, ScreenRequest, View
from ops.errors import Exit, OperatorError

_PATH: Final = "/deliveries"
_SHOWN: Final = 100
_AT_ONCE: Final = 20
"""Events that one press delivers again. The page says how many are left."""
_PAGES: Final = 20
"""A page of the console waits for so many pages of events."""


def _show(request: ScreenRequest) -> Page:
    merchant = request.merchant()
    session = request.session
    ends: list[str] = []
    parts = gather(
        {
            "endpoints": partial(session.ask, "list_endpoints", merchantId=merchant),
            "events": partial(_undelivered, request, merchant, ends.append),
        }
    )
    endpoints, events = parts["endpoints"], parts["events"]
    return Page(
        template="deliveries.html",
        title="Deliveries",
        values={
            "merchant": merchant,
            "endpoints": endpoints.value["items"] if endpoints.value else [],
            "events": events.value or [],
            "nothing": nothing_waits(ends),
            "cut": not_looked_at(ends[0]) if ends else "",
            "most": _AT_ONCE,
            "shown_most": _SHOWN,
            "faults": {name: part.fault for name, part in parts.items() if part.fault is not None},
        },
        commands=(
            request.command("deliveries", "endpoints", merchant=merchant),
            request.command("deliveries", "list", merchant=merchant),
            request.command("deliveries", "redeliver", "pay_aaaaaaaaaaaaaaaa", "1", merchant=merchant, reason="REASON"),
        ),
    )


def _undelivered(request: ScreenRequest, merchant: str, ended: Callable[[str], None]) -> list[dict[str, Any]]:
    found = islice(events_of(request.session, merchant, undelivered=True, most=_PAGES, ended=ended), _SHOWN)
    return [with_states(event) for event in found]


def _redeliver(request: ScreenRequest) -> Done:
    """One event where the form names it, else the oldest of those that the page shows."""
    merchant = request.form.get("merchant", "")
    if not merchant:
        raise OperatorError("Say whose.", Exit.USAGE)
    named = request.form.get("event")
    waiting = _undelivered(request, merchant, lambda _end: None)
    chosen = [event for event in waiting if event["id"] == named] if named else waiting[-_AT_ONCE:]
    if named and not chosen:
        raise OperatorError("This event does not wait any more.", Exit.REFUSED)
    sent = refused = 0
    for event in chosen:
        try:
            request.change(
                "redeliver_event", merchantId=merchant, transactionId=event["transactionId"], seq=event["seq"]
            )
            sent += 1
        except OperatorError as error:
            if error.exit_code != int(Exit.REFUSED):
                raise
            refused += 1
    or_more = " or more" if len(waiting) >= _SHOWN else ""
    left = f" {len(waiting) - len(chosen)}{or_more} more wait." if len(waiting) > len(chosen) else ""
    without = f" {refused} have no enabled endpoint." if refused else ""
    return Done(
        location=f"{_PATH}?{urlencode({'merchant': merchant})}",
        message=f"{sent} are on their way again.{without}{left}",
    )


DELIVERIES: Final = Screen(
    name="deliveries",
    title="Deliveries",
    path=_PATH,
    key="w",
    summary="merchants' webhook endpoints, and the events that wait for them",
    views=(View(_PATH, _show),),
    actions=(Action(f"{_PATH}/redeliver", _redeliver, shown_by=_show),),
)
