"""`payflowx keys`."""

from typing import Any

import click

from ops.options import confirm, reason_option, target_options, yes_option
from ops.session import Session, pass_session

_MAX_LIFETIME_DAYS = 3_650
_MAX_OVERLAP_HOURS = 720


@click.group()
def keys() -> None:
    """Merchants' API keys. A key is shown when it is made, and never again."""


@keys.command("list")
@click.argument("merchant_id")
@target_options
@pass_session
def list_(session: Session, *, merchant_id: str) -> None:
    """A merchant's keys by name, with what became of them."""
    items = session.ask("list_keys", merchantId=merchant_id)["items"]
    columns = {
        "key": "keyId",
        "state": "state",
        "created": "createdAt",
        "expires": "expiresAt",
        "revoked": "revokedAt",
    }
    session.show_table(items, columns, nothing="The merchant has no key.")


@keys.command("create")
@click.argument("merchant_id")
@click.option("--expires-in-days", type=click.IntRange(1, _MAX_LIFETIME_DAYS), help="Default: it does not expire.")
@reason_option
@target_options
@pass_session
def create(session: Session, *, merchant_id: str, expires_in_days: int | None, reason: str) -> None:
    """Make one more key for a merchant. Prints it, this once."""
    _show(session, session.change("create_key", reason, merchantId=merchant_id, expiresInDays=expires_in_days))


@keys.command("rotate")
@click.argument("merchant_id")
@click.argument("key_id")
@click.option(
    "--overlap-hours",
    type=click.IntRange(0, _MAX_OVERLAP_HOURS),
    default=24,
    show_default=True,
    help="For how long the old key still works.",
)
@reason_option
@target_options
@pass_session
def rotate(session: Session, *, merchant_id: str, key_id: str, overlap_hours: int, reason: str) -> None:
    """Replace a key. Prints the new one, this once; the old one works for a while longer."""
    made = session.change("rotate_key", reason, merchantId=merchant_id, keyId=key_id, overlapHours=overlap_hours)
    _show(session, made)
    session.say(f"{key_id} works for {overlap_hours} more hours. To end it earlier: payflowx keys revoke.")


@keys.command("revoke")
@click.argument("merchant_id")
@click.argument("key_id")
@yes_option
@reason_option
@target_options
@pass_session
def revoke(session: Session, *, merchant_id: str, key_id: str, yes: bool, reason: str) -> None:
    """End a key. Whoever uses it is refused within a minute."""
    confirm(f"Revoke {key_id} of {merchant_id}? It cannot be brought back.", yes=yes)
    ended = session.change("revoke_key", reason, merchantId=merchant_id, keyId=key_id)
    session.show_fields(ended, {"Key id": ended["keyId"], "State": ended["state"], "Revoked": ended["revokedAt"]})


def _show(session: Session, made: dict[str, Any]) -> None:
    rows = {"Merchant": made["merchantId"], "Key id": made["keyId"], "API key": made["apiKey"]}
    session.show_fields(made, rows)
    session.say("The API key is stored as a hash only: nobody will see it again.")
