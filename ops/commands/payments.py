"""`payflowx payments`."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

import click

from ops.commands.approvals import show_decided
from ops.commands.review import with_age
from ops.errors import Exit
from ops.log_search import MAX_HOURS, payments_of_correlation
from ops.options import (
    UtcTime,
    confirm,
    every_merchant_option,
    merchant_option,
    milliseconds,
    reason_option,
    target_options,
    transaction_argument,
    yes_option,
)
from ops.output import key_values, table
from ops.session import Session, pass_session

STATUSES: Final = ("PENDING", "SUCCESS", "FAILED", "REQUIRES_ACTION", "AUTHORIZED", "CANCELLED", "IN_REVIEW")
_DAY: Final = UtcTime(["%Y-%m-%d"])
_PAGE: Final = 100
_ATTEMPTS: Final = {
    "attempt": "number",
    "provider": "provider",
    "state": "state",
    "code": "providerCode",
    "provider key": "providerKey",
    "reference": "providerRef",
    "started": "startedAt",
}
_OPERATIONS: Final = {
    "operation": "operationId",
    "kind": "kind",
    "status": "status",
    "amount": "amount",
    "error": "lastError.code",
}
_EXTRA_CHARGES: Final = {
    "extra charge": "providerRef",
    "provider": "provider",
    "amount": "amount",
    "currency": "currency",
    "found": "foundAt",
    "refunded by": "refundRef",
}
_OWED: Final = {
    "payment": "transactionId",
    "merchant": "merchantId",
    "extra charge": "providerRef",
    "provider": "provider",
    "account": "accountId",
    "money": "money",
    "refunded by": "refundedBy",
    "found": "foundAt",
    "age": "age",
}
_DELIVERIES: Final = {
    "#": "seq",
    "event": "type",
    "at": "at",
    "endpoint": "endpointId",
    "state": "state",
    "tries": "tries",
    "answer": "status",
    "code": "code",
    "next": "nextAt",
}
_EVENTS: Final = {"#": "seq", "at": "at", "what": "type", "from": "from", "to": "to", "by": "actor", "facts": "facts"}


@click.group()
def payments() -> None:
    """Payments: what became of them, and why."""


@payments.command("show")
@transaction_argument
@merchant_option
@target_options
@pass_session
def show(session: Session, *, transaction_id: str, merchant: str | None) -> None:
    """A payment with its attempts, captures, voids and refunds."""
    names = {"merchantId": session.merchant(merchant), "transactionId": transaction_id}
    payment = session.ask("show_payment", **names)
    position = payment.pop("operationsPosition", None)
    if position is not None:
        rest = session.pages("list_operations", "position", "nextPosition", start=position, **names)
        payment["operations"] = [*payment["operations"], *rest]
    parts = [key_values(_rows(payment))]
    if payment["attempts"]:
        parts.append(table(payment["attempts"], _ATTEMPTS))
    if payment["operations"]:
        parts.append(table(payment["operations"], _OPERATIONS))
    if payment.get("extraCharges"):
        parts.append(table(payment["extraCharges"], _EXTRA_CHARGES))
    session.show(payment, "\n\n".join(parts))


@payments.command("list")
@merchant_option
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False), help="Only these.")
@click.option("--from", "begin", type=_DAY, help="The first day (UTC). Default: a year ago.")
@click.option("--to", "end", type=_DAY, help="The last day (UTC). Default: today.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="At most so many.")
@target_options
@pass_session
def list_(
    session: Session,
    *,
    merchant: str | None,
    status: str | None,
    begin: datetime | None,
    end: datetime | None,
    limit: int,
) -> None:
    """A merchant's payments, newest first."""
    if begin and end and begin > end:
        raise click.UsageError("--from must not be later than --to.")
    found = session.pages(
        "list_payments",
        "position",
        "nextPosition",
        merchantId=session.merchant(merchant),
        status=status.upper() if status else None,
        fromMs=milliseconds(begin) if begin else None,
        untilMs=milliseconds(end + timedelta(days=1)) if end else None,
        limit=min(limit, _PAGE),
    )
    columns = {
        "payment": "transactionId",
        "status": "status",
        "money": "money",
        "provider": "provider",
        "error": "lastError.code",
        "created": "createdAt",
    }
    session.show_table(list(islice(found, limit)), columns, nothing="No payments.")


@payments.command("find")
@click.argument("text")
@merchant_option
@target_options
@pass_session
def find(session: Session, *, text: str, merchant: str | None) -> None:
    """The payments that TEXT names: an id or key of ours, a provider's id, or the merchant's order.

    Only accounts that the merchant has now are searched for a provider's id.
    """
    found = session.ask("find_payments", merchantId=session.merchant(merchant), text=text)
    columns = {
        "payment": "transactionId",
        "status": "status",
        "money": "money",
        "provider": "provider",
        "reference": "providerRef",
        "order": "orderId",
        "error": "lastError.code",
    }
    session.show_table(found["items"], columns, nothing="Nothing of this merchant has that name.")


@payments.command("correlate")
@click.argument("correlation_id")
@click.option(
    "--hours", type=click.IntRange(1, MAX_HOURS), default=24, show_default=True, help="So far back in the log lines."
)
@target_options
@pass_session
def correlate(session: Session, *, correlation_id: str, hours: int) -> None:
    """The payments of a request by its correlation id, from the functions' log lines.

    You need `cloudformation:ListStackResources` and `logs:FilterLogEvents`.
    """
    found = payments_of_correlation(session.target, correlation_id, hours=hours)
    columns = {"payment": "transactionId", "merchant": "merchantId"}
    session.show_table(found, columns, nothing="No line of this time has that correlation id and a payment.")


@payments.command("events")
@transaction_argument
@merchant_option
@target_options
@pass_session
def events(session: Session, *, transaction_id: str, merchant: str | None) -> None:
    """The audit log of a payment, oldest first."""
    names = {"merchantId": session.merchant(merchant), "transactionId": transaction_id}
    session.show_table(list(session.pages("list_events", "afterSeq", "nextSeq", **names)), _EVENTS, nothing="-")


@payments.command("verify")
@transaction_argument
@merchant_option
@target_options
@pass_session
def verify(session: Session, *, transaction_id: str, merchant: str | None) -> None:
    """Check the hash chain of a payment's audit log: no gap, nothing altered, its end is the payment's state."""
    found = session.ask("verify_trail", merchantId=session.merchant(merchant), transactionId=transaction_id)
    lines = [f"- {fault}" for fault in found["faults"]]
    if not found["complete"]:
        lines.append(f"Not verified to the end: the audit log has more than {found['events']} events.")
    elif not lines:
        lines.append("The audit log is complete and its hashes match.")
    session.show(found, "\n".join(lines))
    if found["faults"]:
        raise click.exceptions.Exit(int(Exit.BAD_NEWS))
    if not found["complete"]:
        raise click.exceptions.Exit(int(Exit.UNAVAILABLE))


@payments.command("cost")
@transaction_argument
@merchant_option
@target_options
@pass_session
def cost(session: Session, *, transaction_id: str, merchant: str | None) -> None:
    """Show the cost of a payment at AWS so far: calls, capacity, messages, and millionths of a dollar.

    It is calculated from the payment's attempts, events and deliveries. Reads by clients leave no record, and functions
    and logs are paid by time and bytes: neither is in it.
    """
    found = session.ask("show_payment_cost", merchantId=session.merchant(merchant), transactionId=transaction_id)
    rows = {
        "calls of AWS": found["calls"],
        "write units": found["writeUnits"],
        "read units": found["readUnits"],
        "messages": found["messages"],
        "requests of the API": found["apiRequests"],
        "micro-dollars": found["microDollars"],
    }
    more = "" if found["complete"] else "\n\nIt cost more: it has more events or operations than were looked at."
    session.show(found, key_values(rows) + more)


@payments.command("deliveries")
@transaction_argument
@merchant_option
@target_options
@pass_session
def deliveries(session: Session, *, transaction_id: str, merchant: str | None) -> None:
    """A payment's merchant events and their deliveries, oldest first."""
    names = {"merchantId": session.merchant(merchant), "transactionId": transaction_id}
    found = session.ask("list_payment_deliveries", **names)
    rows = [
        {**event, **delivery, "type": event["type"]}
        for event in found["items"]
        for delivery in (event["deliveries"] or [{"state": "no endpoint" if event["planned"] else "not planned yet"}])
    ]
    session.show(found, table(rows, _DELIVERIES) if rows else "No merchant events.")
    if not found["complete"]:
        session.say("Older events are not shown.")


@payments.command("personal-data")
@transaction_argument
@merchant_option
@reason_option
@target_options
@pass_session
def personal_data(session: Session, *, transaction_id: str, merchant: str | None, reason: str) -> None:
    """Show what people entered: customer, description, metadata. The audit log keeps the reader and the reason."""
    names = {"merchantId": session.merchant(merchant), "transactionId": transaction_id}
    found = session.change("show_personal_data", reason, **names)
    session.show_fields(found, personal_rows(found))


@payments.command("resolve")
@transaction_argument
@merchant_option
@reason_option
@target_options
@pass_session
def resolve(session: Session, *, transaction_id: str, merchant: str | None, reason: str) -> None:
    """Inquire about an open attempt now, rather than when it is due.

    This charges nothing that would not be charged anyway, and not earlier: a worker decides from the stored row.
    """
    names = {"merchantId": session.merchant(merchant), "transactionId": transaction_id}
    payment = session.change("resolve_payment", reason, **names)
    session.show(payment, f"{transaction_id} is {payment['status']} and is being looked at. See `payments events`.")


@payments.command("read-refunds")
@transaction_argument
@merchant_option
@reason_option
@target_options
@pass_session
def read_refunds(session: Session, *, transaction_id: str, merchant: str | None, reason: str) -> None:
    """Read the charge's refunds at the provider now: one that was made in its dashboard becomes an operation.

    The daily reconciliation and the provider's events cause the same read. A refund is booked once.
    """
    names = {"merchantId": session.merchant(merchant), "transactionId": transaction_id}
    read = session.change("read_refunds", reason, **names)
    session.show(read, _refunds_text(read))
    if read.get("unavailable") or read["contradicting"]:
        raise click.exceptions.Exit(int(Exit.BAD_NEWS))


@payments.command("record-refund")
@transaction_argument
@merchant_option
@click.option("--reference", required=True, metavar="REF", help="The provider's id of the refund.")
@click.option("--amount", required=True, type=click.IntRange(min=1), metavar="MINOR", help="In the minor unit.")
@click.option("--evidence", required=True, help="What shows it: a settlement's line, the provider's case number.")
@yes_option
@reason_option
@target_options
@pass_session
def record_refund(
    session: Session,
    *,
    transaction_id: str,
    merchant: str | None,
    reference: str,
    amount: int,
    evidence: str,
    yes: bool,
    reason: str,
) -> None:
    """Book a refund that was made in the dashboard of a provider whose refunds cannot be read.

    It lowers what is refundable, and the merchant is notified. Where they can be read, use `payments read-refunds`.
    """
    confirm(f"Book the refund {reference} of {amount} on {transaction_id}? The merchant acts on it.", yes=yes)
    names = {"merchantId": session.merchant(merchant), "transactionId": transaction_id}
    facts = {"reference": reference, "amount": amount, "evidence": evidence}
    payment = session.change("record_refund", reason, **names, **facts)
    text = f"{payment.get('refunded')} are refunded, {payment.get('refundable')} can be refunded."
    show_decided(session, payment, text)


@payments.command("owed")
@every_merchant_option
@target_options
@pass_session
def owed(session: Session, *, merchant: str | None) -> None:
    """Extra charges that are owed to payers: a payer paid twice on one provider's page. The longest owed first.

    Those of payments in review are in `review list`. It reads an index: one request for each merchant and hundred
    payments.
    """
    found: list[dict[str, Any]] = []
    for name in session.merchants(merchant):
        found += session.pages("list_owed_charges", "position", "nextPosition", merchantId=name)
    found.sort(key=lambda item: str(item["foundAt"]))
    session.show_table([with_age(item) for item in found], _OWED, nothing="No extra charge is owed to a payer.")


@payments.command("record-extra-refund")
@transaction_argument
@merchant_option
@click.option("--charge", required=True, metavar="REF", help="The provider's id of the extra charge.")
@click.option("--reference", required=True, metavar="REF", help="The provider's id of its refund.")
@click.option("--evidence", required=True, help="What shows it: a settlement's line, the provider's case number.")
@yes_option
@reason_option
@target_options
@pass_session
def record_extra_refund(
    session: Session,
    *,
    transaction_id: str,
    merchant: str | None,
    charge: str,
    reference: str,
    evidence: str,
    yes: bool,
    reason: str,
) -> None:
    """Record that an extra charge was refunded in the provider's dashboard. PayFlowX refunds nothing by it.

    The payment's amounts stay. Its audit log keeps who recorded it, why, and the evidence. A repetition is no change.
    """
    confirm(f"Record that {charge} of {transaction_id} was refunded as {reference}?", yes=yes)
    names = {"merchantId": session.merchant(merchant), "transactionId": transaction_id}
    facts = {"charge": charge, "reference": reference, "evidence": evidence}
    payment = session.change("record_extra_refund", reason, **names, **facts)
    left = sum(one["refundRef"] is None for one in payment.get("extraCharges", []))
    show_decided(session, payment, f"{left} extra charges of this payment are still owed.")


@payments.command("erase")
@transaction_argument
@merchant_option
@yes_option
@reason_option
@target_options
@pass_session
def erase(session: Session, *, transaction_id: str, merchant: str | None, yes: bool, reason: str) -> None:
    """Erase a final payment's customer, tokens, texts and URLs, and the texts of its captures, voids and refunds.

    The audit log, which holds none, stays. If the command is interrupted, repeat it.
    """
    names = {"merchantId": session.merchant(merchant), "transactionId": transaction_id}
    confirm(f"Erase the personal data of {transaction_id}? It cannot be brought back.", yes=yes)
    answer = session.change("erase_personal_data", reason, **names)
    while not answer["erased"]:
        answer = session.change("erase_personal_data", reason, **names)
    session.show(answer, "Erased.")


def personal_rows(found: dict[str, Any]) -> dict[str, Any]:
    """Labels and values of personal data, for the console as well."""
    customer = {f"Customer {name}": value for name, value in found["customer"].items()}
    metadata = {f"Metadata {name}": value for name, value in found["metadata"].items()}
    head = {"Erased": "yes" if found["erased"] else None, "Description": found["description"]}
    return {**head, **customer, "Receipt to": found["receiptEmail"], **metadata}


def _refunds_text(read: dict[str, Any]) -> str:
    if read.get("unavailable"):
        return f"The refunds could not be read: {read['unavailable']}. Nothing was changed."
    lines = {
        "booked": "Made at the provider, and booked now",
        "waiting": "May be one of ours whose answer was lost; ours is inquired about first, then repeat the command",
        "counted": "Part of the amount with which the charge's review was closed",
        "contradicting": "Not a refund of this charge; compare with the provider's dashboard",
    }
    found = [f"{text}: {', '.join(read[name])}." for name, text in lines.items() if read.get(name)]
    return "\n".join(found) or "Every refund there is known here."


def _rows(payment: dict[str, Any]) -> dict[str, Any]:
    error = payment["lastError"]
    moved = ("capturable", "captured", "refundable", "refunded")
    return {
        "Payment": payment["transactionId"],
        "Merchant": payment["merchantId"],
        "Status": payment["status"],
        "Money": payment["money"],
        **{name.capitalize(): payment[name] for name in moved if payment[name]},
        "Provider": payment["provider"],
        "Route": "; ".join(payment["routing"]["reasons"]),
        "Error": f"{error['code']}: {error['message']}" if error else None,
        "Cancellation": "requested" if payment["cancelRequested"] else None,
        "Order": payment.get("orderId"),
        "Contends with": payment.get("contendsWith"),
        "Due": payment["dueAt"],
        "Worker until": payment["leaseUntil"],
        "Created": payment["createdAt"],
        "Updated": payment["updatedAt"],
    }
