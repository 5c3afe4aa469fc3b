"""`payflowx routing`."""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import click

from ops.errors import Exit
from ops.options import TransactionId, every_merchant_option, merchant_option, reason_option, target_options
from ops.output import key_values
from ops.session import Session, pass_session

MAX_BACK_TEST: Final = 10_000
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
@click.option("--to", "version", type=click.IntRange(1), help="Go back to this version instead, also further back.")
@reason_option
@target_options
@pass_session
def rollback(session: Session, *, version: int | None, reason: str) -> None:
    """Take the last roll-out back at once, whether it is under way or complete.

    One that was complete three days ago is followed by a roll-out of the version of before. Repeated, the command goes
    no further back: `payflowx routing show` says which version is served.
    """
    _show(session, session.change("roll_back_routing", reason, toVersion=version))


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


@routing.command("back-test")
@click.argument("file", type=_file)
@click.option("--last", type=click.IntRange(1, MAX_BACK_TEST), default=MAX_BACK_TEST, show_default=True)
@every_merchant_option
@target_options
@pass_session
def back_test(session: Session, *, file: Path, last: int, merchant: str | None) -> None:
    """Try a document on the last stored decisions: which payments it would send elsewhere, and which rules take none.

    It changes nothing. Accounts are those of today; switches are left out.
    """
    tested = back_test_of(session, _read(file), merchant=merchant, last=last, say=session.say)
    session.show(tested, back_test_text(tested))


def back_test_of(
    session: Session,
    document: str,
    *,
    merchant: str | None,
    last: int,
    say: Callable[[str], None] = lambda _text: None,
) -> dict[str, Any]:
    """The results of all pages together. Each merchant has an equal part of `last`, rounded up to a page."""
    names = session.merchants(merchant)
    moves: dict[tuple[Any, ...], dict[str, Any]] = {}
    rules: Counter[str] = Counter()
    compared = erased = 0
    for name in names:
        left, position = math.ceil(last / len(names)), None
        while left > 0:
            page = session.ask("back_test_routing", merchantId=name, document=document, position=position)
            compared, erased = compared + page["compared"], erased + page["erased"]
            left -= page["compared"] + page["erased"]
            for move in page["moves"]:
                key = (move["from"], move["to"], move["code"])
                known = moves.setdefault(key, {**move, "count": 0})
                known["count"] += move["count"]
            for rule in page["rules"]:
                rules[rule["rule"]] += rule["count"]
            say(f"{compared + erased} decisions read")
            position = page["nextPosition"]
            if position is None:
                break
    return {
        "compared": compared,
        "erased": erased,
        "moved": sum(move["count"] for move in moves.values()),
        "moves": sorted(moves.values(), key=lambda move: -move["count"]),
        "rules": [{"rule": name, "count": count} for name, count in rules.items()],
    }


def back_test_text(tested: Mapping[str, Any]) -> str:
    """For a person: the moves, and the rules that match nothing."""
    lines = [f"{tested['moved']} of {tested['compared']} payments would begin at another provider."]
    lines += [
        f"- {move['count']} from {move['from']} to {move['to'] or 'none (' + str(move['code']) + ')'}, such as "
        f"{', '.join(move['examples'])}"
        for move in tested["moves"]
    ]
    lines += [f"- the rule {rule['rule']} matches nothing" for rule in tested["rules"] if not rule["count"]]
    if tested["erased"]:
        lines.append(f"- {tested['erased']} were not compared: their facts are erased")
    return "\n".join(lines)


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
