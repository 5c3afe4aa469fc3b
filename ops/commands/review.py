"""`payflowx review`."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

from ops.options import confirm, merchant_option, reason_option, target_options, transaction_argument, yes_option
from ops.session import Session, pass_session

_COLUMNS: Final = {
    "payment": "transactionId",
    "merchant": "merchantId",
    "money": "money",
    "why": "lastError.code",
    "provider": "provider",
    "provider key": "providerKey",
    "since": "updatedAt",
}


@click.group()
def review() -> None:
    """Payments that only a person can decide: PayFlowX does not guess."""


@review.command("list")
@click.option("--merchant", metavar="ID", help="Only this merchant's. Default: everyone's.")
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True, help="Accepted so long ago.")
@target_options
@pass_session
def list_(session: Session, *, merchant: str | None, days: int) -> None:
    """What waits for a person, oldest first, with the key to look up at the gateway."""
    names = [merchant] if merchant else [m["merchantId"] for m in session.pages("list_merchants", "after", "nextAfter")]
    from_ms = int((datetime.now(UTC) - timedelta(days=days)).timestamp() * 1_000)
    found = [_with_key(payment) for name in names for payment in _in_review(session, name, from_ms)]
    found.sort(key=lambda payment: str(payment["updatedAt"]))
    session.show_table(found, _COLUMNS, nothing="Nothing waits for a person.")


@review.command("close")
@transaction_argument
@merchant_option
@click.option("--charged", "verdict", flag_value="charged", help="The payer's money was taken, and stays taken.")
@click.option("--not-charged", "verdict", flag_value="not_charged", help="It was not taken, or was given back there.")
@click.option("--evidence", required=True, help="What shows it: a settlement's line, the provider's case number.")
@click.option("--reference", metavar="ID", help="The provider's id of the charge, where it is not known here.")
@yes_option
@reason_option
@target_options
@pass_session
def close(
    session: Session,
    *,
    transaction_id: str,
    merchant: str | None,
    verdict: str | None,
    evidence: str,
    reference: str | None,
    yes: bool,
    reason: str,
) -> None:
    """Decide a payment in review: SUCCESS with --charged, FAILED with --not-charged.

    The evidence is kept in the payment's trail for ever. What the stored record contradicts is refused.
    """
    if verdict is None:
        raise click.UsageError("Say what the evidence shows: --charged or --not-charged.")
    ends = "SUCCESS" if verdict == "charged" else "FAILED"
    confirm(f"End {transaction_id} as {ends}? The merchant acts on it.", yes=yes)
    payment = session.change(
        "close_review",
        reason,
        merchantId=session.merchant(merchant),
        transactionId=transaction_id,
        verdict=verdict,
        evidence=evidence,
        reference=reference,
    )
    session.show(payment, f"{transaction_id} is {payment['status']}.")


def _in_review(session: Session, merchant: str, from_ms: int) -> list[dict[str, Any]]:
    query = {"merchantId": merchant, "status": "IN_REVIEW", "fromMs": from_ms, "limit": 100}
    return list(session.pages("list_payments", "position", "nextPosition", **query))


def _with_key(payment: dict[str, Any]) -> dict[str, Any]:
    """The provider key of the attempt that the error names, else of the newest."""
    attempts = payment["attempts"]
    number = (payment["lastError"] or {}).get("attempt")
    chosen = next((a for a in attempts if a["number"] == number), attempts[-1] if attempts else {})
    return {**payment, "providerKey": chosen.get("providerKey")}
