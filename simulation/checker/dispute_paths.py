"""The paths of disputes that a run walked, counted."""

from collections import Counter

from simulation.checker.disputes import ENDED, by_name, changed_disputes
from simulation.checker.evidence import Evidence, PaymentEvidence, Stored

_REFUSALS = frozenset({"charge_disputed", "payment_disputed"})
"""As Stripe and Razorpay refuse refunds of disputed charges, by the codes of docs/providers."""


def count_disputes(found: Counter[str], payment: PaymentEvidence) -> None:
    """Count the records of this payment's disputes, and its refunds beside them."""
    for _, before, after in payment.versions:
        if after is None or (after.get("erased") and not (before or {}).get("erased")):
            continue
        for name, (old, new) in changed_disputes(before, after).items():
            _count_change(found, old, new)
            found[f"dispute at {name[0]}: recorded"] += old is None
            found["dispute: recorded before its charge"] += after["status"] != "SUCCESS"
            found["dispute: recorded after an erasure"] += bool(after.get("erased"))
            found["dispute: a second one of a payment"] += old is None and len(after["disputes"]) > 1
            found["dispute: of a part"] += old is None and new["amount"] < after["amount"]
            found["dispute: of more than the charge"] += old is None and new["amount"] > after["amount"]
    _count_refunds(found, payment)


def _count_change(found: Counter[str], old: Stored | None, new: Stored) -> None:
    if old is None:
        found["dispute: first told as it ended"] += new["state"] in ENDED
        return
    if old["state"] != new["state"]:
        found[f"dispute: {old['state']} became {new['state']}"] += 1
    found["dispute: an end told again"] += old["state"] == new["state"] and new["state"] in ENDED
    found["dispute: of another amount than before"] += old["amount"] != new["amount"]
    is_older = old["reported_at_ms"] == new["reported_at_ms"]
    found["dispute: its beginning told late"] += is_older and old["opened_at_ms"] > new["opened_at_ms"]
    found["dispute: its deadline told late"] += is_older and "evidence_due_at_ms" not in old


def _count_refunds(found: Counter[str], payment: PaymentEvidence) -> None:
    for operation in payment.operations.values():
        for write, before, after in operation.versions:
            if before is None or after is None or before["status"] == after["status"]:
                continue
            codes = {attempt.get("code") for attempt in after["attempts"]}
            found["refund refused for a dispute"] += after["status"] == "FAILED" and bool(codes & _REFUSALS)
            is_disputed = any(
                stored is not None and any(each["state"] not in ENDED for each in by_name(stored).values())
                for other, _, stored in payment.versions
                if (other.at_ms, other.process) == (write.at_ms, write.process)
            )
            found["refund beside an open dispute"] += after["status"] == "SUCCEEDED" and is_disputed


def count_dispute_lists(found: Counter[str], evidence: Evidence) -> None:
    """Count the reads by people and by the schedule."""
    for command in evidence.result.history.commands:
        if command.command["command"] == "list_disputes" and command.ok and command.answer is not None:
            found["a list of open disputes"] += bool(command.answer["items"])
            found["a list of open disputes: a further page"] += "position" in command.command
    for warned in evidence.result.history.warnings:
        found["a deadline of a dispute is near"] += bool(warned.near)
    for payment in evidence.payments.values():
        extra = {each["reference"] for each in (payment.item or {}).get("extraCharges", [])}
        told = {turn.dispute for turn in evidence.result.history.dispute_turns if turn.charge_id in extra}
        found["dispute: of a further charge inside an object"] += bool(
            told & {name for _, name in by_name(payment.item)}
        )
