"""`payflowx review`."""

from typing import Any, Final

import click

from ops.commands.approvals import show_decided
from ops.errors import Exit, OperatorError
from ops.options import (
    F,
    ReviewId,
    confirm,
    every_merchant_option,
    merchant_option,
    reason_option,
    target_options,
    yes_option,
)
from ops.review_text import review_text
from ops.session import Session, pass_session

_COLUMNS: Final = {
    "payment": "transactionId",
    "operation": "operationId",
    "merchant": "merchantId",
    "money": "money",
    "why": "reason",
    "provider": "provider",
    "provider key": "providerKey",
    "since": "since",
    "age": "age",
}
_DAY_SECONDS: Final = 86_400
_HOUR_SECONDS: Final = 3_600
_PAYMENT: Final = "pay_"


@click.group()
def review() -> None:
    """Reviews of charges, captures, voids and refunds: only a person can decide them, PayFlowX does not guess."""


@review.command("list")
@every_merchant_option
@target_options
@pass_session
def list_(session: Session, *, merchant: str | None) -> None:
    """Payments and operations in manual review, the longest open first, with their age and key at the provider.

    It reads an index: one request for each merchant and hundred reviews.
    """
    found: list[dict[str, Any]] = []
    incomplete = []
    for name in session.merchants(merchant):
        complete, items = reviews_of(session, name)
        found += items
        if not complete:
            incomplete.append(name)
    found.sort(key=lambda item: str(item["since"]))
    session.show_table([with_age(item) for item in found], _COLUMNS, nothing="Nothing waits for a person.")
    if incomplete:
        names = ", ".join(incomplete)
        session.say(f"Reviews that release 0.2.0 opened may be missing for {names}. Run `payflowx review reindex`.")


@review.command("reindex")
@every_merchant_option
@reason_option
@target_options
@pass_session
def reindex(session: Session, *, merchant: str | None, reason: str) -> None:
    """Add to the list what release 0.2.0 put in review: once after the upgrade from it, or after a rollback to it.

    It walks the payments of the last 366 days, a hundred a request, and may be repeated.
    """
    walked = added = 0
    for name in session.merchants(merchant):
        position = None
        while True:
            page = session.change("reindex_reviews", reason, merchantId=name, position=position)
            walked, added = walked + page["payments"], added + page["added"]
            position = page["nextPosition"]
            if position is None:
                break
    session.show({"payments": walked, "added": added}, f"{walked} payments walked, {added} reviews added to the list.")


def _facts_options(command: F) -> F:
    """Add the options for facts that a person may know beside the verdict."""
    for option in (
        click.option("--key", metavar="KEY", help="The key (pfx-...) that it shows for the charge."),
        click.option("--account", metavar="ACCOUNT", help="The merchant's account there, where it has several."),
        click.option(
            "--provider",
            metavar="NAME",
            help="Where a payment was charged, if the attempt under review is not it. --reference and --amount say the "
            "rest. Of a checkout, --reference is the charge's id, not its page's: the page is read once more for a "
            "second payment.",
        ),
        click.option(
            "--held",
            type=click.Choice(["reserved", "booked", "given_back"]),
            help="Where an operation's amount is. Needed only where the refusal says so.",
        ),
        click.option(
            "--amount",
            type=click.IntRange(min=1),
            metavar="MINOR",
            help="What moved in all, in the minor unit, where it is not what was requested.",
        ),
        click.option("--reference", metavar="REF", help="The provider's id of it, where it is not known here."),
    ):
        command = option(command)
    return command


@review.command("show")
@click.argument("ident", metavar="ID", type=ReviewId())
@merchant_option
@_facts_options
@target_options
@pass_session
def show(
    session: Session,
    *,
    ident: str,
    merchant: str | None,
    reference: str | None,
    amount: int | None,
    held: str | None,
    provider: str | None,
    account: str | None,
    key: str | None,
) -> None:
    """A review with both sides: what we hold, what the provider reported, and the amounts after each verdict.

    It changes nothing.
    """
    place = _place(ident, provider, account, key)
    shown = shown_review(session, ident, merchant, reference=reference, amount=amount, held=held, **place)
    session.show(shown, review_text(shown))


@review.command("close")
@click.argument("ident", metavar="ID", type=ReviewId())
@merchant_option
@click.option("--charged", is_flag=True, help="This money moved, and stays moved.")
@click.option("--not-charged", is_flag=True, help="It did not move, or was given back there.")
@click.option("--evidence", required=True, help="What shows it: a settlement's line, the provider's case number.")
@_facts_options
@yes_option
@reason_option
@target_options
@pass_session
def close(
    session: Session,
    *,
    ident: str,
    merchant: str | None,
    charged: bool,
    not_charged: bool,
    evidence: str,
    reference: str | None,
    amount: int | None,
    held: str | None,
    provider: str | None,
    account: str | None,
    key: str | None,
    yes: bool,
    reason: str,
) -> None:
    """Decide what is in review: a payment (pay_...), or a capture, void or refund (cap_, void_, ref_...).

    --charged ends a payment in SUCCESS, an operation in SUCCEEDED; --not-charged either in FAILED. The amounts after
    each verdict are shown first. The evidence is kept in the payment's audit log for ever. What the stored record
    contradicts is refused.
    """
    if charged == not_charged:
        raise click.UsageError("Say what the evidence shows: --charged or --not-charged.")
    verdict = "charged" if charged else "not_charged"
    place = _place(ident, provider, account, key)
    shown = shown_review(session, ident, merchant, reference=reference, amount=amount, held=held, **place)
    session.say(review_text(shown))
    effect = shown["verdicts"][verdict]
    if "refused" in effect:
        raise OperatorError(effect["why"], Exit.REFUSED)
    is_payment = ident.startswith(_PAYMENT)
    end = effect["paymentStatus" if is_payment else "operationStatus"]
    confirm(f"End {ident} as {end}? The merchant acts on it.", yes=yes)
    found = {"verdict": verdict, "evidence": evidence, "reference": reference, "amount": amount, **place}
    closed = close_review(session, ident, merchant, reason, held=held, **found)
    show_decided(session, closed, f"{ident} is {closed.get('status')}.")


def _place(ident: str, provider: str | None, account: str | None, key: str | None) -> dict[str, str]:
    """Where a payment was charged. A capture, void or refund is where its charge is."""
    named = {"provider": provider, "accountId": account, "providerKey": key}
    given = {name: value for name, value in named.items() if value is not None}
    if given and not ident.startswith(_PAYMENT):
        raise click.UsageError("--provider, --account and --key are of a payment's review: this one is at its charge.")
    if given and provider is None:
        raise click.UsageError("--account and --key need --provider.")
    return given


def shown_review(session: Session, ident: str, merchant: str | None, **facts: Any) -> dict[str, Any]:
    """Both ledgers, and the amounts after each verdict. `facts` are those of a closing."""
    name = "transactionId" if ident.startswith(_PAYMENT) else "operationId"
    return session.ask("show_review", merchantId=session.merchant(merchant), **{name: ident}, **facts)


def close_review(
    session: Session, ident: str, merchant: str | None, reason: str, *, held: str | None, **found: Any
) -> dict[str, Any]:
    """Close the review of a payment, or of a capture, void or refund, by its id."""
    whose = session.merchant(merchant)
    if ident.startswith(_PAYMENT):
        return session.change("close_review", reason, merchantId=whose, transactionId=ident, **found)
    return session.change("close_operation_review", reason, merchantId=whose, operationId=ident, held=held, **found)


def reviews_of(session: Session, merchant: str) -> tuple[bool, list[dict[str, Any]]]:
    """Return whether the list is complete, and its items."""
    items: list[dict[str, Any]] = []
    position = None
    while True:
        page = session.ask("list_reviews", merchantId=merchant, position=position)
        items += page["items"]
        position = page["nextPosition"]
        if position is None:
            return page["complete"], items


def with_age(item: dict[str, Any]) -> dict[str, Any]:
    """In days and hours, as a person reads it."""
    days, seconds = divmod(int(item["ageSeconds"]), _DAY_SECONDS)
    return {**item, "age": f"{days}d {seconds // _HOUR_SECONDS}h"}
