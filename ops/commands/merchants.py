"""`payflowx merchants`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from ops.commands.approvals import show_decided
from ops.errors import Exit, OperatorError
from ops.options import reason_option, target_options
from ops.session import Session, pass_session
from ops.target import aws_errors, stack_outputs

_SANDBOX_SECRET: Final = "payflowx/dev/accounts/sandbox"  # noqa: S105 - a name
_SANDBOX_ACCOUNT: Final = "sandbox"


@click.group()
def merchants() -> None:
    """Tenants: create and list them."""


@merchants.command("create")
@click.argument("merchant_id")
@click.option("--name", required=True, help="For people.")
@click.option("--sandbox", is_flag=True, help="With an account at every mock provider of the environment.")
@reason_option
@target_options
@pass_session
def create(session: Session, *, merchant_id: str, name: str, sandbox: bool, reason: str) -> None:
    """Create a merchant. Prints its API key, this once.

    Accounts at providers are added by `payflowx credentials set`.
    """
    accounts = _sandbox_accounts(session) if sandbox else []
    made = session.change("create_merchant", reason, merchantId=merchant_id, name=name, accounts=accounts)
    session.show_fields(
        made,
        {
            "Merchant": made["merchantId"],
            "Key id": made["keyId"],
            "API key": made["apiKey"],
            **{f"Webhooks of {w['provider']}": f"{session.target.base_url}{w['path']}" for w in made["webhooks"]},
        },
    )
    session.say("The API key is stored as a hash only: nobody will see it again. Keep it in the merchant's vault.")
    if not accounts:
        session.say(f"Next: payflowx credentials set PROVIDER --merchant {merchant_id} --endpoint URL --reason ...")


@merchants.command("set-checkout")
@click.argument("merchant_id")
@click.option("--name", help="The name that payers know. Empty: the merchant's own.")
@click.option("--support", help="An e-mail address or an https address where payers find help. Empty: none.")
@click.option("--accent", help="The colour of buttons, as #rrggbb. Empty: ours.")
@click.option(
    "--new-checkouts", type=click.Choice(["on", "off"]), help="off: refuse new ones; payers of others can pay."
)
@click.option(
    "--max-refused-starts",
    type=click.IntRange(0, 100_000),
    help="Refuse new checkouts for the rest of an hour with so many refused starts. 0: no limit.",
)
@reason_option
@target_options
@pass_session
def set_checkout(
    session: Session,
    *,
    merchant_id: str,
    name: str | None,
    support: str | None,
    accent: str | None,
    new_checkouts: str | None,
    max_refused_starts: int | None,
    reason: str,
) -> None:
    """Set a merchant's part of the payers' page. Options that are left out change nothing."""
    given = {
        "shownName": name,
        "support": support,
        "accent": accent.lower() if accent else accent,
        "newCheckouts": {"on": True, "off": False, None: None}[new_checkouts],
        "maxRefusedStarts": max_refused_starts,
    }
    changes = {field: value for field, value in given.items() if value is not None}
    if not changes:
        raise click.UsageError("Name at least one option besides --reason.")
    made = session.change("set_checkout", reason, merchantId=merchant_id, **changes)
    session.show_fields(made, {"Merchant": made["merchantId"], **_checkout_rows(made)})


@merchants.command("list")
@target_options
@pass_session
def list_(session: Session) -> None:
    """All merchants, by id."""
    items = list(session.pages("list_merchants", "after", "nextAfter"))
    columns = {"merchant": "merchantId", "name": "name", "created": "createdAt"}
    session.show_table(items, columns, nothing="There is no merchant yet: payflowx merchants create ID --name NAME.")


@merchants.command("show")
@click.argument("merchant_id")
@target_options
@pass_session
def show(session: Session, *, merchant_id: str) -> None:
    """A merchant's accounts, and the addresses that their providers post webhooks to."""
    merchant = session.ask("show_merchant", merchantId=merchant_id)
    accounts = merchant["accounts"]
    rows: dict[str, Any] = {
        "Merchant": merchant["merchantId"],
        "Name": merchant["name"],
        "Switched off": merchant["disabledProviders"],
        "Automatic refund": "on" if merchant.get("automaticRefund") else "off",
        "Two people above": merchant.get("approvalLimits"),
    }
    rows |= _checkout_rows(merchant["checkout"])
    for account in accounts:
        rows[f"{account['provider']}/{account['accountId']}"] = account["endpoint"]
        rows[f"  webhooks of {account['provider']}"] = f"{session.target.base_url}{account['path']}"
    session.show_fields(merchant, rows)


def _checkout_rows(checkout: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Name for payers": checkout["shownName"],
        "Support for payers": checkout["support"],
        "Colour of buttons": checkout["accent"],
        "New checkouts": "on" if checkout["newCheckouts"] else "off",
        "Refused starts an hour": checkout["maxRefusedStarts"],
    }


@merchants.command("set-orders")
@click.argument("merchant_id")
@click.option(
    "--automatic-refund",
    required=True,
    type=click.Choice(("on", "off")),
    help="Of a charge beside the holder of its order.",
)
@reason_option
@target_options
@pass_session
def set_orders(session: Session, *, merchant_id: str, automatic_refund: str, reason: str) -> None:
    """Decide what happens when two payments of one order are charged.

    on: the one that does not hold the order is refunded at once, and a failed payment whose decline may reopen does not
    keep its order. off, as at first: a person decides, and such a payment keeps its order until the decline can reopen
    no more.
    """
    switch = automatic_refund == "on"
    done = session.change("set_orders", reason, merchantId=merchant_id, automaticRefund=switch)
    session.show(done, f"The automatic refund is {automatic_refund} for {merchant_id}; heeded within a minute.")


@merchants.command("set-approvals")
@click.argument("merchant_id")
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="CURRENCY=MINOR",
    help="One person decides up to this amount, in the minor unit. May be repeated; other currencies have none.",
)
@click.option("--off", is_flag=True, help="One person decides every amount, as at first.")
@reason_option
@target_options
@pass_session
def set_approvals(session: Session, *, merchant_id: str, limits: tuple[str, ...], off: bool, reason: str) -> None:
    """Set the amounts above which two people decide closings of reviews and refunds that are recorded by hand.

    Once limits are set, a change of them needs two people as well.
    """
    if off == bool(limits):
        raise click.UsageError("Say the limits (--limit USD=100000), or --off.")
    answer = session.change(
        "set_approval_limits", reason, merchantId=merchant_id, limits=None if off else _limits(limits)
    )
    said = "Every amount is decided by one person" if off else f"The limits are {', '.join(limits)}"
    show_decided(session, answer, f"{said} at {merchant_id}.")


def _limits(pairs: tuple[str, ...]) -> dict[str, int]:
    found = {}
    for pair in pairs:
        currency, _, amount = pair.partition("=")
        if not amount.isdecimal():
            raise click.BadParameter(f"{pair!r} is not CURRENCY=MINOR.", param_hint="--limit")
        found[currency.upper()] = int(amount)
    return found


def _sandbox_accounts(session: Session) -> Sequence[Mapping[str, str]]:
    """The mocks of the local environment, or those deployed beside an environment outside production.

    They share their credentials. The simulators of real providers have others, of the demo merchant alone.
    """
    target = session.target
    simulated = [p["provider"] for p in session.ask("list_providers")["items"] if p["simulated"]]
    if target.is_local:
        client = target.client("secretsmanager")
        with aws_errors("find the simulators' credentials"):
            arn = client.describe_secret(SecretId=_SANDBOX_SECRET)["ARN"]
        addresses = {name: target.simulators[name] for name in simulated if name in target.simulators}
    else:
        outputs = stack_outputs(target, f"{target.stack_prefix}-Sandbox")
        arn, url = outputs["SandboxSecretArn"], outputs["SandboxUrl"]
        addresses = {name: f"{url}{name}" for name in simulated}
    if not addresses:
        raise OperatorError("This environment has no simulators.", Exit.NO_ACCESS)
    return [
        {"provider": name, "accountId": _SANDBOX_ACCOUNT, "endpoint": address, "secretArn": arn}
        for name, address in addresses.items()
    ]
