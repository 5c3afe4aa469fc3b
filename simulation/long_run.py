"""`make long-run`: seeds in pieces that add up, for a run that takes longer than a machine is free.

Each piece goes on with the first seed that no piece of the same code has run. Code is the same as long as nothing
changed in `functions`, `simulation`, `sandbox` and `testing`. `docs/long-run.json` keeps the pieces.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

from simulation import environment
from simulation.runner import SEEDS_A_SCENARIO, Total, check_all, plans
from simulation.world import Plan

ROOT: Final = Path(__file__).resolve().parents[1]
PIECES: Final = ROOT / "docs" / "long-run.json"
CODE: Final = ("functions", "simulation", "sandbox", "testing")
"""What a result depends on, besides the locked libraries."""
_BATCH: Final = 2 * SEEDS_A_SCENARIO
_MINUTES: Final = 60
_MOST_MINUTES: Final = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """The result of one run of the command. `code` is the hash of the directories of `CODE`, by git.

    `first` and `next_first` are seeds: those in between ran, with the scenarios' seeds that belong to them.
    """

    code: str
    commit: str
    first: int
    next_first: int
    seeds: int = 0
    payments: int = 0
    operations: int = 0
    events: int = 0
    faults: int = 0
    violations: int = 0
    cpu_seconds: int = 0
    broken: tuple[str, ...] = ()
    """The seeds that broke an invariant, each with the first one that it broke."""

    def with_total(self, total: Total, next_first: int) -> Self:
        """The same piece with all that ran until now."""
        counts = {name: getattr(total, name) for name in ("seeds", "payments", "operations", "events", "violations")}
        broken = tuple(f"{_named(found.plan)}: {found.violations[0]}" for found in total.broken)
        spent = round(total.cpu_seconds)
        faults = total.faults.total()
        return replace(self, **counts, faults=faults, broken=broken, cpu_seconds=spent, next_first=next_first)


def main() -> int:
    """The exit status: 1 when an invariant was broken, 2 when nothing could run."""
    try:
        minutes = environment.whole_number("MINUTES", least=1) or _MINUTES
        if minutes > _MOST_MINUTES:
            raise ValueError(f"MINUTES must be at most {_MOST_MINUTES}; run another piece instead")
        code, commit = code_now(ROOT), _git(ROOT, "rev-parse", "--short", "HEAD")
    except ValueError as error:
        print(error)
        return 2
    ends = time.monotonic() + 60 * minutes
    return run(PIECES, code=code, commit=commit, goes_on=lambda: time.monotonic() < ends)


def run(path: Path, *, code: str, commit: str, goes_on: Callable[[], bool]) -> int:
    """Run a piece and keep it after each batch, so that an interruption costs one batch at most."""
    kept = read(path)
    first = max((piece.next_first for piece in kept if piece.code == code), default=0)
    piece, total = Piece(code=code, commit=commit, first=first, next_first=first), Total()
    while goes_on():
        seeds = range(piece.next_first, piece.next_first + _BATCH)
        for results, *times in check_all(plans(seeds)):
            for result in results:
                total.add(result)
            total.spend(*times)
        before, piece = piece, piece.with_total(total, seeds.stop)
        for broken in piece.broken[len(before.broken) :]:
            print(f"broken: {broken}", flush=True)
        _keep(path, [*kept, piece])
        print(f"  {total.last_line()}", flush=True)
    print("\n".join(told([*kept, piece], code)))
    return 1 if piece.violations else 0


def told(pieces: Sequence[Piece], code: str) -> Iterator[str]:
    """The pieces of this code, and their sum as the last line."""
    same = [piece for piece in pieces if piece.code == code and piece.seeds]
    for piece in same:
        yield f"{piece.commit} seeds {piece.first} to {piece.next_first - 1}: {line(sums([piece]))}"
    spent = sum(piece.cpu_seconds for piece in same)
    yield f"pieces of this code: {len(same)}, CPU-hours: {spent / 3600:.1f}"
    yield line(sums(same))


def sums(pieces: Sequence[Piece]) -> Mapping[str, int]:
    """The sum of the pieces."""
    names = ("seeds", "payments", "operations", "events", "faults", "violations")
    return {name: sum(getattr(piece, name) for piece in pieces) for name in names}


def line(counts: Mapping[str, int]) -> str:
    """As the last line of `make simulate`."""
    return " ".join(f"{name}={count}" for name, count in counts.items())


def read(path: Path) -> list[Piece]:
    """All pieces that were kept, of any code."""
    documents: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    return [Piece(**document | {"broken": tuple(document["broken"])}) for document in documents]


def code_now(root: Path) -> str:
    """The hash of what a result depends on. Raises `ValueError` where a change is not committed."""
    changed = _git(root, "status", "--porcelain", "--", *CODE)
    if changed:
        raise ValueError(f"commit first, since a piece is kept with the commit that it ran: {changed.splitlines()[0]}")
    hashes = [_git(root, "rev-parse", f"HEAD:{directory}")[:10] for directory in CODE]
    return "-".join(hashes)


def _named(plan: Plan) -> str:
    return f"seed {plan.seed}" + (f" of {plan.scenario}" if plan.scenario else "")


def _keep(path: Path, pieces: Sequence[Piece]) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps([asdict(piece) for piece in pieces], indent=1) + "\n")
    beside.replace(path)


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)  # noqa: S603, S607 - ours
    if done.returncode:
        raise ValueError(f"this needs a git checkout: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
