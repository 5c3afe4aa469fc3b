"""`python -m simulation.run_mutants`: which broken designs does the simulator find, and at which seed?"""

import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Final

from simulation.check import check_plan
from simulation.mutants import MUTANTS, applied
from simulation.world import Plan

_MAX_SEEDS: Final = 1_200
_SEEDS_FOR_SURVIVORS: Final = 60
_NAME_WIDTH: Final = 46


@dataclass(frozen=True, slots=True)
class Hunt:
    """What came of one mutant. `seed` None: it was not found."""

    place: int
    seed: int | None
    violation: str
    seconds: float


def main() -> int:
    """The exit status: 1 when a mutant got away, or one that cannot be told from the real design was found."""
    base = int(os.environ.get("SEED_BASE") or 0)
    context = multiprocessing.get_context("fork")
    faults = 0
    with ProcessPoolExecutor(os.cpu_count() or 1, mp_context=context) as pool:
        for hunt in pool.map(_hunt, range(len(MUTANTS)), [base] * len(MUTANTS)):
            faults += not _as_expected(hunt)
            print(_line(hunt, base), flush=True)
    found = sum(not mutant.survives for mutant in MUTANTS)
    print(f"mutants={len(MUTANTS)} to_be_found={found} equivalent={len(MUTANTS) - found} wrong={faults}")
    return 1 if faults else 0


def _hunt(place: int, base: int) -> Hunt:
    mutant, started = MUTANTS[place], time.monotonic()
    seeds = _SEEDS_FOR_SURVIVORS if mutant.survives else _MAX_SEEDS
    with applied(mutant):
        for seed in range(base, base + seeds):
            violations = check_plan(Plan(seed)).violations
            if violations:
                return Hunt(place, seed, str(violations[0]), time.monotonic() - started)
    return Hunt(place, None, "", time.monotonic() - started)


def _as_expected(hunt: Hunt) -> bool:
    return (hunt.seed is None) == bool(MUTANTS[hunt.place].survives)


def _line(hunt: Hunt, base: int) -> str:
    mutant = MUTANTS[hunt.place]
    head = f"{mutant.name:<{_NAME_WIDTH}}"
    if hunt.seed is not None:
        result = "WRONGLY CALLED EQUIVALENT, found" if mutant.survives else "found"
        return f"{head} {result} by seed {hunt.seed}: {hunt.violation[:110]}"
    if mutant.survives:
        return f"{head} equivalent, not found in {_SEEDS_FOR_SURVIVORS} seeds. {mutant.survives}"
    return f"{head} NOT FOUND in seeds {base} to {base + _MAX_SEEDS - 1}: mend the simulator"


if __name__ == "__main__":
    sys.exit(main())
