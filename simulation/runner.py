"""Many seeds on all cores, and what they showed together."""

import gc
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from simulation.calibration import loop_seconds
from simulation.check import CheckResult, check_plan
from simulation.scenarios import SCENARIOS
from simulation.world import Plan

SEEDS_A_SCENARIO: Final = 32
_CHUNK: Final = 5


@dataclass(slots=True)
class Total:
    """The sums of all seeds so far. `cpu_seconds` is the time of the processes that simulate."""

    seeds: int = 0
    payments: int = 0
    operations: int = 0
    events: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    sometimes: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    broken: list[CheckResult] = field(default_factory=list)
    violations: int = 0
    cpu_seconds: float = 0.0
    loops: float = 0.0
    """The same time, in units of the calibration loop as it ran beside."""

    def add(self, result: CheckResult) -> None:
        """Count a seed in."""
        self.seeds += 1
        self.payments += result.payments
        self.operations += result.operations
        self.events += result.events
        self.faults += result.faults
        self.sometimes += result.sometimes
        self.statuses += result.statuses
        self.violations += len(result.violations)
        if result.violations:
            self.broken.append(result)

    def last_line(self) -> str:
        """The one that scripts read."""
        counts = {
            "seeds": self.seeds,
            "payments": self.payments,
            "operations": self.operations,
            "events": self.events,
            "faults": self.faults.total(),
            "violations": self.violations,
        }
        return " ".join(f"{name}={count}" for name, count in counts.items())

    def spend(self, cpu_seconds: float, loop_seconds: float) -> None:
        """Count the time of a chunk in."""
        self.cpu_seconds += cpu_seconds
        self.loops += cpu_seconds / loop_seconds

    def calibrated_speed(self) -> float:
        """Payments and operations in the time of one calibration loop."""
        return (self.payments + self.operations) / self.loops if self.loops else 0.0

    def speed(self) -> float:
        """Payments and operations a CPU-second."""
        return (self.payments + self.operations) / self.cpu_seconds if self.cpu_seconds else 0.0


def plans(seeds: range) -> list[Plan]:
    """These seeds, and for every 32 of them one of each scenario."""
    own = range(seeds.start // SEEDS_A_SCENARIO, seeds.stop // SEEDS_A_SCENARIO)
    return [*map(Plan, seeds), *(Plan(seed, scenario=scenario) for scenario in SCENARIOS for seed in own)]


def check_all(plans: Sequence[Plan]) -> Iterator[tuple[list[CheckResult], float, float]]:
    """In chunks, in any order, each with the CPU seconds that it and one calibration loop took."""
    chunks = [plans[at : at + _CHUNK] for at in range(0, len(plans), _CHUNK)]
    context = multiprocessing.get_context("fork")
    gc.collect()
    gc.freeze()  # the modules live as long as the process: no collection need walk through them
    with ProcessPoolExecutor(os.cpu_count() or 1, mp_context=context) as pool:
        yield from pool.map(_check_chunk, chunks)


def _check_chunk(plans: Sequence[Plan]) -> tuple[list[CheckResult], float, float]:
    """Without the collector in between: a run makes many objects and few cycles."""
    before = loop_seconds()
    started = time.process_time()
    gc.disable()
    results = [check_plan(plan) for plan in plans]
    gc.collect()
    spent = time.process_time() - started
    return results, spent, (before + loop_seconds()) / 2
