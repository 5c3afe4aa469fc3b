"""`payflowx disputes`."""

from typing import Any, Final

import click

from ops.options import every_merchant_option, target_options
from ops.session import Session, pass_session

_COLUMNS: Final = {
    "payment": "transactionId",
    "merchant": "merchantId",
    "provider": "provider",
    "dispute": "providerRef",
    "evidence due": "evidenceDueAt",
    "left": "left",
}
_DAY_SECONDS: Final = 86_400
_HOUR_SECONDS: Final = 3_600


@click.group()
def disputes() -> None:
    """Charges that payers dispute. Submit evidence in the provider's dashboard."""


@disputes.command("list")
@every_merchant_option
@target_options
@pass_session
def list_(session: Session, *, merchant: str | None) -> None:
    """Disputes that await evidence, the earliest deadline first.

    It reads an index: one request for each merchant and hundred disputes.
    """
    found: list[dict[str, Any]] = []
    for name in session.merchants(merchant):
        found += session.pages("list_disputes", "position", "nextPosition", merchantId=name)
    found.sort(key=lambda item: str(item["evidenceDueAt"]))
    session.show_table([_with_time_left(item) for item in found], _COLUMNS, nothing="No dispute awaits evidence.")


def _with_time_left(item: dict[str, Any]) -> dict[str, Any]:
    days, rest = divmod(int(item["secondsLeft"]), _DAY_SECONDS)
    return {**item, "left": f"{days}d {rest // _HOUR_SECONDS}h"}
