"""The paths of checkouts that a run walked, counted: pages, objects, tries, ends."""

from collections import Counter
from typing import Final

from simulation.checker.evidence import Evidence, PaymentEvidence, Stored

_ENDS: Final = {"SUCCESS": "paid", "AUTHORIZED": "held", "FAILED": "failed", "CANCELLED": "cancelled"}
_CHARGED: Final = frozenset({"SUCCEEDED", "AUTHORIZED"})
_NEVER_OPENED: Final = frozenset({"NOT_SENT", "REJECTED"})


def count_checkout(found: Counter[str], payment: PaymentEvidence) -> None:
    """How one payment with a payer who is present went."""
    item = payment.item
    if item is None or not payment.is_checkout:
        return
    checkout, attempts = item["checkout"], item["attempts"]
    end = _ENDS.get(payment.status, payment.status)
    found[f"checkout, {checkout['presentation']}: {end}"] += 1
    found["checkout: failed without an attempt"] += payment.status == "FAILED" and not attempts
    found["checkout: paid twice inside an object"] += bool(item.get("extraCharges"))
    found["checkout: erased"] += bool(item.get("erased"))
    found["checkout of an order"] += "orderHash" in item
    _count_attempts(found, attempts)
    for _, before, after in payment.versions:
        if before is not None and after is not None:
            _count_change(found, before, after)


def _count_attempts(found: Counter[str], attempts: list[Stored]) -> None:
    given_out = [attempt for attempt in attempts if "hosted_object" in attempt["progress"]]
    found["checkout: another object after a closing"] += len(given_out) > 1
    for attempt in attempts:
        charged, tries = attempt["state"] in _CHARGED, int(attempt["progress"].get("failed_tries", 0))
        found[f"checkout: paid at {attempt['provider']}"] += charged
        found["checkout: paid after a failed try in the same object"] += charged and tries > 0
        unopened = "hosted_object" not in attempt["progress"]
        found["checkout: an object that was never given out"] += unopened and attempt["state"] in _NEVER_OPENED
        found["checkout: an object of another amount"] += attempt.get("code") == "object_differs"


def _count_change(found: Counter[str], before: Stored, after: Stored) -> None:
    is_late = before["status"] in {"FAILED", "CANCELLED"} and after.get("chargedAttempt") is not None
    found["checkout: charged after its end"] += is_late and before.get("chargedAttempt") is None
    waits = after["status"] == "REQUIRES_ACTION" and before["attempts"] != after["attempts"]
    watched = any(attempt.get("reopens_until_ms") is not None for attempt in after["attempts"])
    found["checkout: a try that may still be charged holds the next object"] += waits and watched
    asked = [item["checkout"].get("closing") for item in (before, after)]
    found["checkout: the payer closes the object"] += asked[1] is not None and asked[0] is None
    expedited = [item["checkout"].get("expedited_at_ms") for item in (before, after)]
    found["checkout: coming back hastens an inquiry"] += expedited[0] != expedited[1]


def count_pages(found: Counter[str], evidence: Evidence) -> None:
    """Count the payers' acts on our pages, and the ends of the objects."""
    for call in evidence.result.history.page_calls:
        found[f"page: {call.act}, {call.status or 'no answer'}"] += 1
    for door in evidence.result.history.doors:
        what = "opened" if door.opened else f"ended, {'tried' if door.tries else 'untried'}"
        found[f"object at {door.provider}: {what}"] += 1
