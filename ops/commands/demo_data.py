"""`payflowx demo-data`."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ops.errors import Exit, OperatorError
from ops.options import merchant_option, target_options
from ops.session import Session, pass_session
from ops.target import LOCAL

if TYPE_CHECKING:
    from ops.demo_data.make import DemoData

_ALLOWED: Final = frozenset({LOCAL, "dev"})
_ROOT: Final = Path(__file__).resolve().parents[2]


@click.command("demo-data")
@merchant_option
@target_options
@pass_session
def demo_data(session: Session, *, merchant: str | None) -> None:
    """Fill the local environment, or dev, with a week of payments of every fate.

    The functions themselves make them in memory, against the providers' simulators and over simulated time. A second
    call changes nothing.
    """
    if session.environment not in _ALLOWED:
        raise OperatorError(
            f"{session.environment} gets no demo data: only the local environment and dev do.", Exit.REFUSED
        )
    _import_the_functions()
    from ops.demo_data.load import load  # noqa: PLC0415 - the simulation is not installed with this command
    from ops.demo_data.make import first_payment, make  # noqa: PLC0415
    from ops.demo_data.place import find_place  # noqa: PLC0415
    from ops.demo_data.story import PROVIDERS  # noqa: PLC0415

    merchant_id = session.merchant(merchant)
    if _is_there(session, merchant_id, first_payment(merchant_id)):
        session.show({"payments": 0, "there": True}, "The demo data is there already.")
        return
    routing = session.ask("show_routing")["document"].encode()
    accounts = session.ask("show_merchant", merchantId=merchant_id)["accounts"]
    missing = sorted(set(PROVIDERS) - {account["provider"] for account in accounts})
    if missing:
        raise OperatorError(
            f"The week's payments go to all providers, and {merchant_id} has no account at {', '.join(missing)}.",
            Exit.REFUSED,
            hint="The local environment's demo merchant has all of them: leave --merchant out.",
        )
    place = find_place(session.target, merchant_id, routing)
    data = make(place, end_ms=time.time_ns() // 1_000_000)
    load(session.target, place, data)
    counted = _counted(data, place.settings["TRANSACTIONS_TABLE"])
    fates = ", ".join(f"{count} {status}" for status, count in sorted(counted.items()))
    session.show(
        {"payments": sum(counted.values()), "statuses": counted, "there": False},
        f"Stored {sum(counted.values())} payments of {merchant_id}: {fates}.",
    )


def _is_there(session: Session, merchant_id: str, transaction_id: str) -> bool:
    try:
        session.ask("show_payment", merchantId=merchant_id, transactionId=transaction_id)
    except OperatorError as error:
        if error.hint == "(not_found)":
            return False
        raise
    return True


def _counted(data: "DemoData", table: str) -> dict[str, int]:
    payments: list[dict[str, Any]] = [item for item in data.items[table] if item["sk"]["S"] == "PAYMENT"]
    counted: dict[str, int] = {}
    for payment in payments:
        status = payment["status"]["S"]
        counted[status] = counted.get(status, 0) + 1
    return counted


def _import_the_functions() -> None:
    """They are an asset and not installed; the simulation lies beside them."""
    for folder in (_ROOT / "functions", _ROOT):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
