"""`payflowx review`."""

from typing import Any, Final

import click

from ops.options import ReviewId, confirm, merchant_option, reason_option, target_options, yes_option
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
}
_PAYMENT: Final = "pay_"


@click.group()
def review() -> None:
    """What only a person can decide, charges and captures, voids and refunds: PayFlowX does not guess."""


@review.command("list")
@click.option("--merchant", metavar="ID", help="Only this merchant's. Default: everyone's.")
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="Payments that old at most.")
@target_options
@pass_session
def list_(session: Session, *, merchant: str | None, days: int) -> None:
    """Payments and operations in manual review, oldest first, with their key at the provider.

    It walks the payments of those days, a hundred a request.
    """
    names = [merchant] if merchant else [m["merchantId"] for m in session.pages("list_merchants", "after", "nextAfter")]
    found = [item for name in names for item in _of(session, name, days)]
    found.sort(key=lambda item: str(item["since"]))
    session.show_table(found, _COLUMNS, nothing="Nothing waits for a person.")


@review.command("close")
@click.argument("ident", metavar="ID", type=ReviewId())
@merchant_option
@click.option("--charged", "verdict", flag_value="charged", help="Exactly this money moved, and stays moved.")
@click.option("--not-charged", "verdict", flag_value="not_charged", help="It did not move, or was given back there.")
@click.option("--evidence", required=True, help="What shows it: a settlement's line, the provider's case number.")
@click.option("--reference", metavar="REF", help="The provider's id of it, where it is not known here.")
@yes_option
@reason_option
@target_options
@pass_session
def close(
    session: Session,
    *,
    ident: str,
    merchant: str | None,
    verdict: str | None,
    evidence: str,
    reference: str | None,
    yes: bool,
    reason: str,
) -> None:
    """Decide what is in review: a payment (pay_...), or a capture, void or refund (cap_, void_, ref_...).

    --charged ends a payment in SUCCESS, an operation in SUCCEEDED; --not-charged either in FAILED. The evidence is kept
    in the payment's audit log for ever. What the stored record contradicts is refused.
    """
    if verdict is None:
        raise click.UsageError("Say what the evidence shows: --charged or --not-charged.")
    is_payment = ident.startswith(_PAYMENT)
    good = "SUCCESS" if is_payment else "SUCCEEDED"
    confirm(f"End {ident} as {good if verdict == 'charged' else 'FAILED'}? The merchant acts on it.", yes=yes)
    found: dict[str, Any] = {
        "merchantId": session.merchant(merchant),
        "verdict": verdict,
        "evidence": evidence,
        "reference": reference,
    }
    closed = (
        session.change("close_review", reason, transactionId=ident, **found)
        if is_payment
        else session.change("close_operation_review", reason, operationId=ident, **found)
    )
    session.show(closed, f"{ident} is {closed['status']}.")


def _of(session: Session, merchant: str, days: int) -> list[dict[str, Any]]:
    return list(session.pages("list_reviews", "position", "nextPosition", merchantId=merchant, days=days))
