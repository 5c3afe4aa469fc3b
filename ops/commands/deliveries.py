"""`payflowx deliveries`."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import click

from ops.options import TransactionId, merchant_option, reason_option, target_options
from ops.session import Session, pass_session

_ENDPOINTS: Final = {
    "endpoint": "id",
    "address": "url",
    "status": "status",
    "why": "disabledReason",
    "failing since": "failingSince",
    "events": "eventTypes",
}
_EVENTS: Final = {
    "event": "id",
    "payment": "transactionId",
    "seq": "seq",
    "type": "type",
    "at": "createdAt",
    "endpoints": "states",
    "next": "next",
}
_MAX_PAGES: Final = 100
"""Of a hundred events each: a quarter of a minute."""
_MOMENT_DIGITS: Final = 13
"""A position begins with the milliseconds since 1970 of its event."""


@click.group()
def deliveries() -> None:
    """Merchants' webhook endpoints, and the events that wait for them."""


@deliveries.command("endpoints")
@merchant_option
@target_options
@pass_session
def endpoints(session: Session, *, merchant: str | None) -> None:
    """A merchant's endpoints: which fail, since when, and which are disabled."""
    items = session.ask("list_endpoints", merchantId=session.merchant(merchant))["items"]
    session.show_table(items, _ENDPOINTS, nothing="The merchant has no endpoint.")


@deliveries.command("list")
@merchant_option
@click.option("--all", "everything", is_flag=True, help="Also what every endpoint has taken.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="At most so many.")
@target_options
@pass_session
def list_(session: Session, *, merchant: str | None, everything: bool, limit: int) -> None:
    """Events that an endpoint has not taken, newest first, among the last ten thousand. It says where it ended."""
    name = session.merchant(merchant)
    ends: list[str] = []
    found = events_of(session, name, undelivered=not everything, most=_MAX_PAGES, ended=ends.append)
    items = list(islice(found, limit))
    session.show_table([with_states(item) for item in items], _EVENTS, nothing=nothing_waits(ends))
    for end in ends:
        session.say(not_looked_at(end))


@deliveries.command("redeliver")
@click.argument("transaction_id", type=TransactionId())
@click.argument("seq", type=click.IntRange(1))
@merchant_option
@reason_option
@target_options
@pass_session
def redeliver(session: Session, *, transaction_id: str, seq: int, merchant: str | None, reason: str) -> None:
    """Deliver an event again, to every enabled and subscribed endpoint, with all retries."""
    names = {"merchantId": session.merchant(merchant), "transactionId": transaction_id, "seq": seq}
    event = session.change("redeliver_event", reason, **names)
    session.show(event, f"{event['id']} is on its way to {len(event['deliveries'])} endpoints.")


def events_of(
    session: Session, merchant: str, *, undelivered: bool, most: int, ended: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """Newest first, from at most so many pages. `ended` gets the time of the oldest event that was looked at, if there
    are older ones.
    """
    position = None
    for _ in range(most):
        page = session.ask("list_merchant_events", merchantId=merchant, undelivered=undelivered, position=position)
        yield from page["items"]
        position = page["nextPosition"]
        if position is None:
            return
    at = datetime.fromtimestamp(int(str(position)[:_MOMENT_DIGITS]) / 1_000, UTC)
    ended(f"{at:%Y-%m-%dT%H:%M:%SZ}")


def nothing_waits(ends: Sequence[str]) -> str:
    """Say what an empty list of undelivered events means."""
    return f"Every event since {ends[0]} is delivered." if ends else "Every event is delivered."


def not_looked_at(end: str) -> str:
    """A list that was cut off is not taken for a whole one."""
    return f"Older events than {end} were not looked at. `payflowx payments deliveries` shows those of a payment."


def with_states(event: dict[str, Any]) -> dict[str, Any]:
    """With the state at each endpoint in words, and the next try."""
    found = event["deliveries"]
    states = [f"{one['endpointId']} {one['state'].lower()} ({one['attempts']})" for one in found]
    times = sorted(one["nextAttemptAt"] for one in found if one.get("nextAttemptAt"))
    return {**event, "states": states, "next": times[0] if times else None}
