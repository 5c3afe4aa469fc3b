"""`payflowx routing`."""

from pathlib import Path
from typing import Any

import click

from ops.errors import Exit
from ops.options import TransactionId, merchant_option, reason_option, target_options
from ops.output import key_values
from ops.session import Session, pass_session

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def routing() -> None:
    """The routing document, which decides the provider of each payment."""


@routing.command("show")
@target_options
@pass_session
def show(session: Session) -> None:
    """The document that is served. The document alone goes to standard output: it can be edited and published."""
    served = session.ask("show_routing")
    session.say(f"Version {served['number']}, {served['state'].lower()} at {served['percent']} percent.")
    session.show(served, served["document"].rstrip())


@routing.command("check")
@click.argument("file", type=_file)
@target_options
@pass_session
def check(session: Session, *, file: Path) -> None:
    """Say every fault of a document, as publishing would."""
    faults = session.ask("check_routing", document=_read(file))["faults"]
    text = "\n".join(f"- {fault}" for fault in faults) if faults else "Without a fault: it may be published."
    session.show({"faults": faults}, text)
    if faults:
        raise click.exceptions.Exit(int(Exit.BAD_NEWS))


@routing.command("publish")
@click.argument("file", type=_file)
@reason_option
@target_options
@pass_session
def publish(session: Session, *, file: Path, reason: str) -> None:
    """Check a document and roll it out. Payments that were accepted keep the route that they have."""
    _show(session, session.change("publish_routing", reason, document=_read(file)))


@routing.command("rollback")
@reason_option
@target_options
@pass_session
def rollback(session: Session, *, reason: str) -> None:
    """Stop a roll-out that is under way, or roll the version of before out again."""
    _show(session, session.change("roll_back_routing", reason))


@routing.command("explain")
@click.option("--amount", required=True, type=click.IntRange(1), help="In minor units: 1999 is 19.99 USD.")
@click.option("--currency", required=True, help="ISO 4217, such as USD.")
@click.option("--method", default="card", show_default=True, help="Type of the payment method.")
@click.option("--capture", type=click.Choice(["automatic", "manual"]), default="automatic", show_default=True)
@click.option("--country", help="The customer's, ISO 3166-1, such as IN.")
@click.option("--metadata", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@click.option("--id", "transaction_id", type=TransactionId(), help="A payment's id: it decides a rule's split.")
@click.option("--file", type=_file, help="By this document instead of the one that is served.")
@merchant_option
@target_options
@pass_session
def explain(
    session: Session,
    *,
    amount: int,
    currency: str,
    method: str,
    capture: str,
    country: str | None,
    metadata: tuple[str, ...],
    transaction_id: str | None,
    file: Path | None,
    merchant: str | None,
) -> None:
    """The providers that a payment like this would use, in order, and why."""
    route = session.ask(
        "explain_route",
        merchantId=session.merchant(merchant),
        amount=amount,
        currency=currency.upper(),
        paymentMethodType=method,
        capture=capture,
        country=country.upper() if country else None,
        metadata=_metadata(metadata) or None,
        transactionId=transaction_id,
        document=_read(file) if file else None,
    )
    rows: dict[str, Any] = {
        "Providers": [f"{p['provider']}/{p['accountId']}" for p in route["providers"]],
        "Rule": route["rule"],
        "Document": route["document"],
    }
    reasons = "\n".join(f"- {reason}" for reason in route["reasons"])
    session.show(route, f"{key_values(rows)}\n{reasons}")


def _metadata(pairs: tuple[str, ...]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r} is not NAME=VALUE.", param_hint="--metadata")
    return dict(pair.split("=", 1) for pair in pairs)


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} cannot be read as text: {type(error).__name__}.") from None


def _show(session: Session, served: dict[str, Any]) -> None:
    text = f"Version {served['number']} is {served['state'].lower()} at {served['percent']} percent."
    session.show({name: value for name, value in served.items() if name != "document"}, text)
