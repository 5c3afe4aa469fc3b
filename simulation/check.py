"""Run a seed and judge it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from simulation.checker.evidence import Evidence, Violation, gather
from simulation.checker.invariants import violations
from simulation.checker.walked import walked
from simulation.world import Plan, World


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of a seed."""

    plan: Plan
    hash: str
    payments: int
    operations: int
    """Captures, voids and refunds that were accepted."""
    events: int
    """Providers' webhooks that were posted, each delivery counted."""
    faults: Counter[str]
    violations: tuple[Violation, ...]
    sometimes: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    """The length of the history: a measure of the work of the run that is the same on every machine."""
    suspects: tuple[int, ...] = ()
    """The numbers of the orders whose payments the violations name, in the order of the violations."""


def check_plan(plan: Plan) -> CheckResult:
    """One run, judged."""
    evidence = evidence_of(plan)
    result = judge(evidence)
    evidence.forget()
    return result


def evidence_of(plan: Plan) -> Evidence:
    """One run."""
    return gather(World(plan).run())


def judge(evidence: Evidence) -> CheckResult:
    """The violations of a run, and the paths that it walked."""
    result, found = evidence.result, tuple(violations(evidence))
    return CheckResult(
        plan=result.plan,
        hash=result.history.hash(),
        payments=len(evidence.payments),
        operations=sum(len(payment.operations) for payment in evidence.payments.values()),
        events=len(result.history.webhooks),
        faults=result.faults.counts,
        violations=found,
        sometimes=result.history.sometimes + _paths(evidence) + walked(evidence),
        statuses=Counter(payment.status for payment in evidence.payments.values()),
        steps=len(result.history.steps),
        suspects=_orders_of(found, evidence) if found else (),
    )


def _orders_of(found: Sequence[Violation], evidence: Evidence) -> tuple[int, ...]:
    numbers = {(order.merchant, order.key): number for number, order in enumerate(evidence.result.orders)}
    of_payment = {
        f"{call.answer.get('transactionId')}@{merchant}": numbers[merchant, key]
        for (merchant, key), calls in evidence.created.items()
        for call in calls
        if (merchant, key) in numbers
    }
    return tuple(dict.fromkeys(of_payment[each.payment] for each in found if each.payment in of_payment))


def _paths(evidence: Evidence) -> Counter[str]:
    """The paths of all attempts, counted."""
    found: Counter[str] = Counter()
    for payment in evidence.payments.values():
        for _, before, after in payment.versions:
            if before is None or after is None:
                continue
            if before["status"] in {"FAILED", "CANCELLED"} and after["status"] != before["status"]:
                found[f"{before['status']} became {after['status']}"] += 1
            if before["status"] == "IN_REVIEW" and after["status"] != "IN_REVIEW":
                found[f"IN_REVIEW became {after['status']}"] += 1
            for one, other in zip(before["attempts"], after["attempts"], strict=False):
                if one["state"] != other["state"]:
                    found[f"{one['provider']}: {one['state']} became {other['state']}"] += 1
        attempts = payment.item["attempts"] if payment.item else []
        found["erased"] += bool(payment.item and payment.item.get("erased"))
        for attempt in attempts:
            if attempt["state"] == "NOT_SENT":
                found[f"not sent: {attempt['code']}"] += 1
        for one, other in pairwise(attempts):
            where = "same provider" if one["provider"] == other["provider"] else "next provider"
            found[f"{where} after {one['state']}"] += 1
    return found
