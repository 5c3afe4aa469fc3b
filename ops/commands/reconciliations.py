"""`payflowx reconciliations`."""

from typing import Final

import click

from ops.options import target_options
from ops.session import Session, pass_session

_COLUMNS: Final = {
    "day": "day",
    "provider": "provider",
    "merchant": "merchantId",
    "account": "accountId",
    "run": "runId",
    "phase": "phase",
    "differences": "differences",
    "problem": "problem",
}
INCOMPLETE: Final = "Only the first hundred accounts are shown. Say --provider NAME or --merchant ID for the others."


@click.command("reconciliations")
@click.option("--days", type=click.IntRange(1, 14), default=7, show_default=True, help="So many days back.")
@click.option("--provider", help="Only this one.")
@click.option("--merchant", metavar="ID", help="Only this merchant's accounts.")
@target_options
@pass_session
def reconciliations(session: Session, *, days: int, provider: str | None, merchant: str | None) -> None:
    """The daily reconciliations: which days are done, differ, failed or were not begun.

    `payflowx reconcile` shows what a run found, and repeats one.
    """
    found = session.ask("list_reconciliations", days=days, provider=provider, merchantId=merchant)
    session.show_table(found["items"], _COLUMNS, nothing="No account is at a provider with reports.")
    if not found.get("complete", True):
        session.say(INCOMPLETE)
