"""`payflowx checkout`."""

import click

from ops.options import confirm, reason_option, target_options, yes_option
from ops.session import Session, pass_session


@click.group()
def checkout() -> None:
    """The payers' pages. A merchant's own settings: payflowx merchants set-checkout."""


@checkout.command("rotate-secret")
@yes_option
@reason_option
@target_options
@pass_session
def rotate_secret(session: Session, *, yes: bool, reason: str) -> None:
    """Sign new payment links with a new secret. Links that exist stay valid.

    Possible every 32 days: a link lives for a month, and two secrets are valid.
    """
    confirm("Sign new payment links with a new secret?", yes=yes)
    made = session.change("rotate_checkout_secret", reason)
    session.show_fields(made, {"Next rotation possible": made["nextRotationAt"]})
