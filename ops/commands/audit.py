"""`payflowx audit`."""

from datetime import UTC, datetime
from typing import Final

import click

from ops.options import UtcTime, target_options
from ops.session import Session, pass_session

_COLUMNS: Final = {
    "at": "at",
    "what": "action",
    "merchant": "merchantId",
    "who": "operator",
    "identity": "identity",
    "why": "reason",
    "facts": "facts",
}


@click.group()
def audit() -> None:
    """Who changed what, and why. Changes of a payment are in its own audit log: `payflowx payments events`."""


@audit.command("list")
@click.option("--month", type=UtcTime(["%Y-%m"]), help="Such as 2026-11 (UTC). Default: this month.")
@click.option("--limit", type=click.IntRange(1, 100), default=50, show_default=True, help="At most so many.")
@target_options
@pass_session
def list_(session: Session, *, month: datetime | None, limit: int) -> None:
    """A month's changes of merchants, keys, credentials, switches, routing and dead letters, newest first."""
    named = (month or datetime.now(UTC)).strftime("%Y-%m")
    items = session.ask("list_records", month=named, limit=limit)["items"]
    session.show_table(items, _COLUMNS, nothing=f"Nothing was changed in {named}.")
