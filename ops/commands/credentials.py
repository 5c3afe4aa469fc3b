"""`payflowx credentials`."""

from collections.abc import Mapping
from typing import Any

import click

from ops.options import merchant_option, reason_option, target_options
from ops.secret_input import read_secret
from ops.session import Session, pass_session

_account = click.option("--account", "account_id", default="main", show_default=True, help="The account's id, ours.")
_secret_file = click.option(
    "--secret-file",
    metavar="FILE",
    help='JSON with keyId, keySecret and perhaps webhookSecret; "-" reads it from standard input. Default: a prompt.',
)


@click.group()
def credentials() -> None:
    """Provider accounts and their credentials, which live in Secrets Manager and nowhere else."""


@credentials.command("list")
@merchant_option
@target_options
@pass_session
def list_(session: Session, *, merchant: str | None) -> None:
    """When the credentials of a merchant's accounts were written, and which are more than a year old."""
    items = session.ask("list_credentials", merchantId=session.merchant(merchant))["items"]
    columns = {"provider": "provider", "account": "accountId", "written": "writtenAt", "state": "state"}
    session.show_table(
        [{**item, "state": state_of(item)} for item in items], columns, nothing="The merchant has no account."
    )


def state_of(account: Mapping[str, Any]) -> str:
    """In words, the most urgent first."""
    if account["fault"]:
        return str(account["fault"])
    if account["isRotating"]:
        return "a rotation is open: finish it"
    return "more than a year old: rotate them" if account["isOld"] else "fine"


@credentials.command("set")
@click.argument("provider")
@merchant_option
@_account
@click.option("--endpoint", metavar="URL", help="The provider's address; needed to add the account.")
@_secret_file
@reason_option
@target_options
@pass_session
def set_(
    session: Session,
    *,
    provider: str,
    merchant: str | None,
    account_id: str,
    endpoint: str | None,
    secret_file: str | None,
    reason: str,
) -> None:
    """Add a merchant's account at a provider, or put its credentials right.

    Nothing of an account's earlier credentials stays valid. To replace credentials that work, rotate them.
    """
    made = session.change(
        "set_credentials",
        reason,
        merchantId=session.merchant(merchant),
        provider=provider,
        accountId=account_id,
        endpoint=endpoint,
        secret=read_secret(secret_file),
    )
    _show(session, made)


@credentials.command("rotate")
@click.argument("provider")
@merchant_option
@_account
@_secret_file
@click.option("--finish", is_flag=True, help="End a rotation: the old credentials verify webhooks no longer.")
@reason_option
@target_options
@pass_session
def rotate(
    session: Session,
    *,
    provider: str,
    merchant: str | None,
    account_id: str,
    secret_file: str | None,
    finish: bool,
    reason: str,
) -> None:
    """Replace credentials that work. Both verify webhooks until the rotation is finished.

    The new ones are used to call the provider within five minutes. A webhook secret that is left out stays as it is.
    """
    names = {"merchantId": session.merchant(merchant), "provider": provider, "accountId": account_id}
    if finish:
        _show(session, session.change("finish_credentials_rotation", reason, **names))
        return
    _show(session, session.change("rotate_credentials", reason, **names, secret=read_secret(secret_file)))
    session.say("Keep the old credentials alive at the provider for five minutes; end with: rotate ... --finish.")


def _show(session: Session, account: dict[str, Any]) -> None:
    rows = {
        "Merchant": account["merchantId"],
        "Account": f"{account['provider']}/{account['accountId']}",
        "Webhooks": f"{session.target.base_url}{account['path']}",
    }
    session.show_fields(account, rows)
