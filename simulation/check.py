"""Run a seed, judge it, and make a finding as small as it gets."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

from simulation.checker.evidence import Evidence, Violation, gather
from simulation.checker.invariants import violations
from simulation.checker.walked import walked
from simulation.faults import EPISODES, MAX_RATES
from simulation.workload import PAYMENTS
from simulation.world import Plan, World

_MAX_SHRINKING_RUNS: Final = 160
_MAX_STEPS_TRIED: Final = 20


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a seed showed."""

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


def check_plan(plan: Plan) -> CheckResult:
    """One run, judged."""
    return judge(evidence_of(plan))


def evidence_of(plan: Plan) -> Evidence:
    """One run."""
    return gather(World(plan).run())


def judge(evidence: Evidence) -> CheckResult:
    """What the invariants say, and which paths were walked."""
    result = evidence.result
    return CheckResult(
        plan=result.plan,
        hash=result.history.hash(),
        payments=len(evidence.payments),
        operations=sum(len(payment.operations) for payment in evidence.payments.values()),
        events=len(result.history.webhooks),
        faults=result.faults.counts,
        violations=tuple(violations(evidence)),
        sometimes=result.history.sometimes + _paths(evidence) + walked(evidence),
        statuses=Counter(payment.status for payment in evidence.payments.values()),
    )


def _paths(evidence: Evidence) -> Counter[str]:
    """What attempts went through, counted."""
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


# --- shrinking


def shrink(result: CheckResult) -> Plan:
    """A smaller plan that breaks the same invariant: fewer payments, fewer operations, fewer kinds of faults."""
    invariant, plan = result.violations[0].invariant, result.plan
    runs = _MAX_SHRINKING_RUNS

    def still_breaks(candidate: Plan) -> bool:
        nonlocal runs
        runs -= 1
        return runs > 0 and any(found.invariant == invariant for found in check_plan(candidate).violations)

    plan = _with_fewer_payments(plan, still_breaks)
    plan = _with_fewer_operations(plan, still_breaks)
    return _with_fewer_faults(plan, (*MAX_RATES, *EPISODES), still_breaks)


def _with_fewer_faults(plan: Plan, kinds: Sequence[str], still_breaks: Callable[[Plan], bool]) -> Plan:
    """Leave out all of these kinds at once, else each half of them for itself: most kinds do not matter."""
    bare = replace(plan, without=plan.without | frozenset(kinds))
    if still_breaks(bare):
        return bare
    if len(kinds) == 1:
        return plan
    middle = len(kinds) // 2
    plan = _with_fewer_faults(plan, kinds[:middle], still_breaks)
    return _with_fewer_faults(plan, kinds[middle:], still_breaks)


def _with_fewer_payments(plan: Plan, still_breaks: Callable[[Plan], bool]) -> Plan:
    """Delta debugging: keep one part alone, else leave one part out, else cut finer."""
    numbers = sorted(plan.only) if plan.only is not None else list(range(PAYMENTS))
    parts = 2
    while len(numbers) > 1 and parts <= len(numbers):
        cuts = [len(numbers) * cut // parts for cut in range(parts + 1)]
        pieces = [numbers[start:end] for start, end in pairwise(cuts)]
        rests = [[n for n in numbers if n not in piece] for piece in pieces] if parts > 2 else []
        smaller = next((c for c in (*pieces, *rests) if still_breaks(replace(plan, only=frozenset(c)))), None)
        if smaller is None:
            parts *= 2
        else:
            parts = 2 if smaller in pieces else max(2, parts - 1)
            numbers = smaller
    return replace(plan, only=frozenset(numbers))


def _with_fewer_operations(plan: Plan, still_breaks: Callable[[Plan], bool]) -> Plan:
    """Leave out all that merchants ask for afterwards, else one after the other."""
    asked = World(plan).orders
    steps = [(order, step) for order in sorted(plan.only or ()) for step in range(len(asked[order].steps))]
    bare = replace(plan, without_steps=frozenset(steps))
    if steps and still_breaks(bare):
        return bare
    for step in steps[:_MAX_STEPS_TRIED]:
        candidate = replace(plan, without_steps=plan.without_steps | {step})
        if still_breaks(candidate):
            plan = candidate
    return plan
