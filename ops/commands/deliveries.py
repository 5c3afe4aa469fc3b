"""`payflowx deliveries`."""

from collections.abc import Iterator
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
_MAX_PAGES: Final = 20


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
    """Events that an endpoint has not taken, newest first."""
    name = session.merchant(merchant)
    items = list(islice(events_of(session, name, undelivered=not everything), limit))
    session.show_table([with_states(item) for item in items], _EVENTS, nothing="Every event is delivered.")


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


def events_of(session: Session, merchant: str, *, undelivered: bool) -> Iterator[dict[str, Any]]:
    """Newest first, from a bounded number of pages."""
    position = None
    for _ in range(_MAX_PAGES):
        page = session.ask("list_merchant_events", merchantId=merchant, undelivered=undelivered, position=position)
        yield from page["items"]
        position = page["nextPosition"]
        if position is None:
            return


def with_states(event: dict[str, Any]) -> dict[str, Any]:
    """With the state at each endpoint in words, and the next try."""
    found = event["deliveries"]
    states = [f"{one['endpointId']} {one['state'].lower()} ({one['attempts']})" for one in found]
    times = sorted(one["nextAttemptAt"] for one in found if one.get("nextAttemptAt"))
    return {**event, "states": states, "next": times[0] if times else None}
