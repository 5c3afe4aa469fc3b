"""`payflowx providers`."""

from collections.abc import Mapping
from typing import Any, Final

import click

from ops.options import reason_option, target_options
from ops.session import Session, pass_session

UNWELL_INCOMPLETE: Final = (
    "Only the accounts of the first 500 merchants were looked at. Say --merchant ID for another one's."
)
_merchant = click.option("--merchant", metavar="ID", help="For this merchant only. Default: for everyone.")


@click.group()
def providers() -> None:
    """Providers and their status."""


@providers.command("status")
@_merchant
@target_options
@pass_session
def status(session: Session, *, merchant: str | None) -> None:
    """All providers of this deployment, and the accounts whose calls fail or are slow."""
    found = session.ask("list_providers", merchantId=merchant)
    items = [{**item, "unwell": "; ".join(map(_unwell, item.get("unwellAccounts", [])))} for item in found["items"]]
    columns = {"provider": "provider", "simulated": "simulated", "can cancel": "canFence", "off": "disabledForEveryone"}
    if merchant:
        columns[f"off for {merchant}"] = "disabledForMerchant"
    columns["accounts that are not well"] = "unwell"
    session.show_table(items, columns, nothing="This deployment has no provider.")
    if not found.get("unwellComplete", True):
        session.say(UNWELL_INCOMPLETE)


def _unwell(account: Mapping[str, Any]) -> str:
    since = f" since {account['since']}" if account["since"] else ""
    return f"{account['merchantId']}/{account['accountId']}: {account['state']}{since}"


@providers.command("disable")
@click.argument("provider")
@_merchant
@reason_option
@target_options
@pass_session
def disable(session: Session, *, provider: str, merchant: str | None, reason: str) -> None:
    """Begin nothing new there. What is open there is still asked about; routes and payers' choices pass it over."""
    _switch(session, provider, merchant, reason, disabled=True)


@providers.command("enable")
@click.argument("provider")
@_merchant
@reason_option
@target_options
@pass_session
def enable(session: Session, *, provider: str, merchant: str | None, reason: str) -> None:
    """Use it again."""
    _switch(session, provider, merchant, reason, disabled=False)


def _switch(session: Session, provider: str, merchant: str | None, reason: str, *, disabled: bool) -> None:
    done = session.change("set_provider_switch", reason, provider=provider, merchantId=merchant, disabled=disabled)
    whom = merchant or "everyone"
    session.show(done, f"{provider} is switched {'off' if disabled else 'on'} for {whom}; heeded within a minute.")
