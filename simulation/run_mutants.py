"""`python -m simulation.run_mutants`: which broken designs does the simulator find, and at which seed?

Settings come from the environment. PROCESSES: how many hunt at once (all cores). ONLY: a part of the names. SEEDS: how
many seeds a mutant may survive. SEED_BASE: the first of them. REMEMBER=1 writes the seeds that found something to
`simulation/mutants/found.json`, which the next hunts try first, and the page about them. OPEN=1 hunts those that are
undecided. SCENARIO: the scenario of the mutants that name none.
"""

import gc
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from simulation import environment
from simulation.check import evidence_of
from simulation.checker.evidence import Violation
from simulation.checker.invariants import first_violation
from simulation.mutants import MUTANTS as DECIDED
from simulation.mutants import OPEN_MUTANTS, Mutant, applied
from simulation.mutants_found import Found, read_found, write_found
from simulation.world import Plan

MUTANTS = OPEN_MUTANTS if os.environ.get("OPEN") else DECIDED
_MAX_SEEDS: Final = 600
_SEEDS_FOR_SURVIVORS: Final = 40
_NAME_WIDTH: Final = 68


@dataclass(frozen=True, slots=True)
class Hunt:
    """The result for one mutant. `seed` None: it was not found."""

    place: int
    seed: int | None
    violation: Violation | None
    seconds: float


def main() -> int:
    """The exit status: 1 when a mutant got away, or one that cannot be told from the real design was found."""
    places = [place for place, mutant in enumerate(MUTANTS) if (os.environ.get("ONLY") or "") in mutant.name]
    if not places:
        word = os.environ.get("ONLY")
        print(
            f"no broken design has {word} in its name; docs/broken-designs.md lists them"
            if word
            else "none is undecided"
        )
        return 2
    try:
        _check_settings()
    except ValueError as error:
        print(error)
        return 2
    context = multiprocessing.get_context("fork")
    processes = environment.whole_number("PROCESSES", least=1) or os.cpu_count() or 1
    hunts: list[Hunt] = []
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        for hunt in pool.map(_hunt, places):
            hunts.append(hunt)
            print(_line(hunt), flush=True)
            if os.environ.get("REMEMBER"):
                _remember(hunts)
    _show_rooms(places)
    print(f"undecided={len(OPEN_MUTANTS)}, not hunted without OPEN=1")
    wrong = sum(not _as_expected(hunt) for hunt in hunts)
    found = sum(not MUTANTS[place].survives for place in places)
    print(f"mutants={len(places)} to_be_found={found} equivalent={len(places) - found} wrong={wrong}")
    return 1 if wrong else 0


def _check_settings() -> None:
    """Before a hunt that would end in each of its processes, or look for nothing."""
    environment.scenario()
    for name, least in (("SEED_BASE", 0), ("SEEDS", 1), ("PROCESSES", 1)):
        environment.whole_number(name, least=least)


def _hunt(place: int) -> Hunt:
    mutant, started = MUTANTS[place], time.monotonic()
    with applied(mutant):
        for seed in _seeds(place):
            violation = first_violation(evidence_of(Plan(seed, scenario=_scenario(mutant))))
            gc.collect()
            if violation is not None:
                return Hunt(place, seed, violation, time.monotonic() - started)
    return Hunt(place, None, None, time.monotonic() - started)


def _scenario(mutant: Mutant) -> str | None:
    return mutant.scenario or environment.scenario()


def _seeds(place: int) -> Iterator[int]:
    """The seed that found it before, and then one after the other."""
    mutant, base = MUTANTS[place], environment.whole_number("SEED_BASE", least=0) or 0
    count = environment.whole_number("SEEDS", least=1) or (_SEEDS_FOR_SURVIVORS if mutant.survives else _MAX_SEEDS)
    known = read_found().get(mutant.name)
    if known is not None:
        yield known.seed
    yield from (seed for seed in range(base, base + count) if known is None or seed != known.seed)


def _remember(hunts: list[Hunt]) -> None:
    write_found(
        {
            MUTANTS[hunt.place].name: Found(hunt.seed, hunt.violation.invariant, str(datetime.now(UTC).date()))
            for hunt in hunts
            if hunt.seed is not None and hunt.violation is not None
        }
    )


def _as_expected(hunt: Hunt) -> bool:
    return (hunt.seed is None) == bool(MUTANTS[hunt.place].survives)


def _line(hunt: Hunt) -> str:
    mutant = MUTANTS[hunt.place]
    head = f"{mutant.name:<{_NAME_WIDTH}}"
    if hunt.seed is not None:
        result = "WRONGLY CALLED EQUIVALENT, found" if mutant.survives else "found"
        return f"{head} {result} by {Plan(hunt.seed, scenario=_scenario(mutant)).name}: {str(hunt.violation)[:110]}"
    if mutant.survives:
        return f"{head} equivalent, not found. {mutant.survives}"
    return f"{head} NOT FOUND: mend the simulator"


def _show_rooms(places: list[int]) -> None:
    for room, count in sorted(Counter(MUTANTS[place].room for place in places).items()):
        print(f"  {count:4d}  {room}")


if __name__ == "__main__":
    sys.exit(main())
