"""Which seed found each broken design: `found.json`, and docs/broken-designs.md, which is written from it.

`python -m simulation.mutants_found` writes the page anew, after a mutant was added or renamed.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from simulation.mutants import MUTANTS, OPEN_MUTANTS, Mutant

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "broken-designs.md"
_FOUND: Final = Path(__file__).parent / "mutants" / "found.json"
_HEAD: Final = """# Broken designs

Written by `REMEMBER=1 make mutants` from its last results; a test compares. `make mutants` breaks the product's code in
one way at a time (`simulation/mutants`, by capability) and runs seeds until a rule of
[the checker](proof.md#the-checker) is broken. A mutant that a rule of the product itself would stop, such as the
balance that is checked before each write, is run without that rule.

Each row says what the last hunt of its design found, and on which day. The same seed gives another history after a
change of the code: an older seed may find nothing today. Then a hunt goes on with other seeds, and writes the one that
found the design. A row without a day is of a hunt before 2026-11-29.
"""
_UNDECIDED: Final = """
## Undecided

Neither found in the seeds that were tried, nor proven equivalent. `OPEN=1 make mutants` hunts them. Unit tests hold the
rules of most of them.
"""


@dataclass(frozen=True, slots=True)
class Found:
    """The seed that showed a broken design, the rule of the checker that it broke first, and the day of the hunt.

    No day: the hunt was before days were kept.
    """

    seed: int
    invariant: str
    day: str = ""


def read_found() -> dict[str, Found]:
    """By the mutant's name."""
    return {name: Found(**row) for name, row in json.loads(_FOUND.read_text()).items()} if _FOUND.exists() else {}


def write_found(news: Mapping[str, Found]) -> None:
    """Add to what is known, forget the mutants that are gone, and write the page.

    Other processes read meanwhile: they find the old file or the new one, never a part.
    """
    names = {mutant.name for mutant in MUTANTS if not mutant.survives}
    known = {**read_found(), **news}
    kept = {name: asdict(found) for name, found in sorted(known.items()) if name in names}
    written = _FOUND.with_suffix(".new")
    written.write_text(json.dumps(kept, indent=1) + "\n")
    written.replace(_FOUND)
    PAGE.write_text(page())


def page() -> str:
    """The whole page, from the mutants and what is known about them."""
    undecided = [_UNDECIDED, "\n", *(f"- {m.name}\n" for m in OPEN_MUTANTS)] if OPEN_MUTANTS else []
    return "".join([_HEAD, _counts(), *_tables(), *undecided])


def _counts() -> str:
    equivalent = sum(bool(mutant.survives) for mutant in MUTANTS)
    found = len(read_found())
    unseen = len(MUTANTS) - equivalent - found
    return (
        f"\n{len(MUTANTS) + len(OPEN_MUTANTS)} designs: {found} found, {equivalent} equivalent, "
        f"{unseen} not hunted yet, {len(OPEN_MUTANTS)} undecided.\n"
    )


def _tables() -> Iterator[str]:
    found = read_found()
    for room in dict.fromkeys(mutant.room for mutant in MUTANTS):
        yield f"\n## {room.replace('_', ' ').capitalize()}\n\n| broken design | found by, or why not |\n| --- | --- |\n"
        yield from (_row(mutant, found.get(mutant.name)) for mutant in MUTANTS if mutant.room == room)


def _row(mutant: Mutant, found: Found | None) -> str:
    if mutant.survives:
        result = f"equivalent: {mutant.survives}"
    elif found is None:
        result = "not hunted yet"
    else:
        scenario = f" of `{mutant.scenario}`" if mutant.scenario else ""
        day = f", {found.day}" if found.day else ""
        result = f"seed {found.seed}{scenario}, {found.invariant}{day}"
    return f"| {mutant.name} | {result} |\n"


if __name__ == "__main__":
    PAGE.write_text(page())
