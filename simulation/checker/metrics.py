"""METRICS: what alarms watch and dashboards show counts what was stored."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from simulation.checker.evidence import Evidence, OperationEvidence, PaymentEvidence, Stored, Violation

_FINAL: Final = frozenset({"SUCCESS", "FAILED", "CANCELLED"})
_ENDED_DISPUTES: Final = frozenset({"WON", "LOST", "CLOSED"})
_FINAL_OPERATION: Final = frozenset({"SUCCEEDED", "FAILED"})
_EACH_MAY_HIDE_ONE: Final = ("crash", "db_lost_answer")
"""Faults after which a change is stored, and its writer is gone or does not know it."""
_NAMES: Final = frozenset(
    {
        "PaymentsAccepted",
        "PaymentsInReview",
        "PaymentsFinal",
        "ObjectsChargedTwice",
        "OrdersChargedTwice",
        "DisputesReported",
        "OperationsAccepted",
        "OperationsInReview",
        "OperationsFinal",
    }
)
"""Those whose count the stored items tell."""
_NOT_ASKED_FOR: Final = frozenset({"late", "made_at_provider", "cancel_requested"})
"""The fingerprints of operations that no request asked for."""

_UNAUTHORIZED: Final = 401

Measure = tuple[str, str]
"""A metric and the status it is counted with."""


def counts_are_true(evidence: Evidence) -> Iterator[Violation]:
    """A change of status is counted once by who stored it, and not at all only by a process that died after it.

    Two processes that make the same change in the same millisecond both count it. A restore forgets what was counted,
    so a run with one is left out.
    """
    if evidence.result.faults.counts["restore"] or evidence.result.forgotten is not None:
        return
    stored, counted = Counter(_stored(evidence)), evidence.result.history.counted
    forged = sum(webhook.status == _UNAUTHORIZED for webhook in evidence.result.history.webhooks)
    if counted["WebhooksForged", ""] < forged:
        yield Violation("METRICS", "-", f"WebhooksForged was counted {counted['WebhooksForged', '']} of {forged} times")
    hidden, twins = _most_hidden(evidence), _most_twins(evidence)
    for name, status in sorted(stored.keys() | {measure for measure in counted if measure[0] in _NAMES}):
        times, most = counted[name, status], stored[name, status]
        if not most - hidden <= times <= most + twins:
            what = f"{name} {status} was counted {times} times, and stored {most} times"
            yield Violation("METRICS", "-", what.replace("  ", " "))


def _most_hidden(evidence: Evidence) -> int:
    """The most changes whose writers could not count them."""
    result = evidence.result
    return result.history.sometimes["function timeout"] + sum(result.faults.counts[kind] for kind in _EACH_MAY_HIDE_ONE)


def _most_twins(evidence: Evidence) -> int:
    """The most changes that a second process can have taken for its own: it made the same one."""
    history, written = evidence.result.history, set(_hashes(evidence))
    conflicted = sum(event_hash in written for event_hash, _ in history.conflicted)
    return history.sometimes["a change is stored already"] + conflicted


def _hashes(evidence: Evidence) -> Iterator[str]:
    """Of the newest event, in every version of a payment or operation."""
    for payment in evidence.payments.values():
        owners: list[PaymentEvidence | OperationEvidence] = [payment, *payment.operations.values()]
        yield from (str(a["eventHash"]) for o in owners for _, _, a in o.versions if a is not None and "eventHash" in a)


def _stored(evidence: Evidence) -> Iterator[Measure]:
    for payment in evidence.payments.values():
        for write, before, after in payment.versions:
            if after is not None and write.process > 0:
                yield from _of_payment(before, after)
        for operation in payment.operations.values():
            for _, before, after in operation.versions:
                if after is not None:
                    yield from _of_operation(before, after)


def _of_payment(before: Stored | None, after: Stored) -> Iterator[Measure]:
    if before is None:
        yield "PaymentsAccepted", ""
        return
    found = len(after.get("extraCharges", [])) - len(before.get("extraCharges", []))
    yield from [("ObjectsChargedTwice", "")] * found
    going_on = {
        (dispute["provider"], dispute["reference"])
        for dispute in before.get("disputes", [])
        if dispute["state"] not in _ENDED_DISPUTES
    }
    opened = [dispute for dispute in after.get("disputes", []) if dispute["state"] not in _ENDED_DISPUTES]
    for dispute in opened:
        if (dispute["provider"], dispute["reference"]) not in going_on:
            yield "DisputesReported", ""
    if after.get("orderStanding") == "charged_twice" != before.get("orderStanding"):
        yield "OrdersChargedTwice", ""
    if before["status"] == after["status"]:
        return
    if after["status"] == "IN_REVIEW":
        yield "PaymentsInReview", ""
    if after["status"] in _FINAL:
        yield "PaymentsFinal", after["status"]


def _of_operation(before: Stored | None, after: Stored) -> Iterator[Measure]:
    if before is None and after.get("fingerprint") not in _NOT_ASKED_FOR:
        yield "OperationsAccepted", ""
    if before is not None and before["status"] == after["status"]:
        return
    if after["status"] == "IN_REVIEW":
        yield "OperationsInReview", ""
    if after["status"] in _FINAL_OPERATION:
        yield "OperationsFinal", after["status"]
