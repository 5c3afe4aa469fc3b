"""`python -m simulation`: many seeds, or one told as a story. Settings come from the environment, as make sets them."""

import os
import sys
import time
from typing import Final

from simulation import environment
from simulation.calibration import MIN_SPEED
from simulation.check import CheckResult, evidence_of, judge
from simulation.paths import MIN_SEEDS, never_struck, never_walked
from simulation.runner import Total, check_all, plans
from simulation.shrinking import shrink
from simulation.trace import tell
from simulation.world import Plan

_SCALES: Final = {"commit": 255, "full": 25_500}
_MAX_SHOWN: Final = 3


def main() -> int:
    """The exit status: 1 when an invariant was broken, a path was never walked, or a kind of fault never struck."""
    scale = os.environ.get("SCALE") or "commit"
    if scale not in _SCALES:
        print(f"no scale {scale}; there are {', '.join(_SCALES)}")
        return 2
    try:
        scenario, seed = environment.scenario(), environment.whole_number("SEED", least=0)
        base, count = environment.whole_number("SEED_BASE", least=0), environment.whole_number("SEEDS", least=1)
    except ValueError as error:
        print(error)
        return 2
    if seed is not None:
        return _one(Plan(seed, scenario=scenario))
    seeds = range(base or 0, (base or 0) + (count or _SCALES[scale]))
    return _many([Plan(seed, scenario=scenario) for seed in seeds] if scenario else plans(seeds))


def _many(planned: list[Plan]) -> int:
    total, started, said = Total(), time.monotonic(), 0.0
    for results, *times in check_all(planned):
        for result in results:
            total.add(result)
        total.spend(*times)
        if time.monotonic() - said > 10:
            said = time.monotonic()
            print(f"  {total.last_line()}", flush=True)
    drawn = sum(plan.scenario is None for plan in planned)
    missing, absent = never_walked(drawn, total.sometimes), never_struck(drawn, total.faults)
    _show_counts(total)
    for result in total.broken[:_MAX_SHOWN]:
        _show_broken(result)
    for path in missing:
        print(f"never happened: {path}")
    if absent:
        print(f"these kinds of faults never struck: {', '.join(absent)}")
    spent = f"{time.monotonic() - started:.0f} s, {total.cpu_seconds:.0f} CPU-seconds"
    speed = total.calibrated_speed()
    is_slow = drawn >= MIN_SEEDS and speed < MIN_SPEED
    if is_slow:
        print(f"too slow: {speed:.2f} payments and operations a calibration loop, at least {MIN_SPEED} are needed")
    print(f"{spent}, {total.speed():.0f} payments and operations a CPU-second, {speed:.2f} a calibration loop")
    print(total.last_line())
    return 1 if total.violations or missing or absent or is_slow else 0


def _show_counts(total: Total) -> None:
    for title, counts in (("faults", total.faults), ("payments", total.statuses), ("paths", total.sometimes)):
        print(f"{title}:")
        for name, count in sorted(counts.items()):
            print(f"  {count:9d}  {name}")


def _show_broken(result: CheckResult) -> None:
    for violation in result.violations[:_MAX_SHOWN]:
        print(f"{result.plan.name}: {violation}")
    plan = shrink(result)
    evidence = evidence_of(plan)
    found = judge(evidence).violations
    kinds = sorted(evidence.result.faults.counts)
    operations = sum(len(payment.operations) for payment in evidence.payments.values())
    size = f"{len(plan.only or ())} payments, {operations} operations"
    print(f"  shortest history found: {size}, faults {', '.join(kinds) or 'none'}")
    for line in tell(evidence, found[0].payment if found else "-"):
        print(f"    {line}")
    scenario = f" SCENARIO={plan.scenario}" if plan.scenario else ""
    print(f"  again: make simulate SEED={plan.seed}{scenario} TRACE=1")


def _one(plan: Plan) -> int:
    """Twice, because a seed that gives two histories is a finding of its own (I14)."""
    evidence = evidence_of(plan)
    result, again = judge(evidence), judge(evidence_of(plan))
    print(f"{plan.name}: history {result.hash}")
    if os.environ.get("TRACE"):
        names = [v.payment for v in result.violations if v.payment in evidence.payments] or sorted(evidence.payments)
        for name in dict.fromkeys(names):
            print(f"\n{name}")
            for line in tell(evidence, name):
                print(f"  {line}")
    for violation in result.violations:
        print(violation)
    total = Total()
    total.add(result)
    if again.hash != result.hash:
        print(f"I14: the same seed gave another history: {again.hash}")
        total.violations += 1
    print(total.last_line())
    return 1 if total.violations else 0


if __name__ == "__main__":
    sys.exit(main())
