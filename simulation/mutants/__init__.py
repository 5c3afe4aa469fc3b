"""Designs broken on purpose, by room. Whoever trusts the simulator wants to see it find each of them.

A mutant is a set of patches for the time of a run. Those that change nothing that anybody could see carry the argument
why, and must survive: one that is found after all had a wrong argument.
"""

from typing import Final

from simulation.mutants.answering import ANSWERING
from simulation.mutants.charging import CHARGING
from simulation.mutants.checkouts import CHECKOUTS
from simulation.mutants.counting import COUNTING
from simulation.mutants.deciding import DECIDING
from simulation.mutants.disputing import DISPUTING
from simulation.mutants.inbound import INBOUND
from simulation.mutants.keeping import KEEPING
from simulation.mutants.mutant import Mutant, applied
from simulation.mutants.operating import OPERATING
from simulation.mutants.ordering import ORDERING
from simulation.mutants.outbound import OUTBOUND
from simulation.mutants.reading import READING
from simulation.mutants.reconciling import RECONCILING
from simulation.mutants.recovering import RECOVERING
from simulation.mutants.replaying import REPLAYING
from simulation.mutants.restoring import RESTORING
from simulation.mutants.reviewing import REVIEWING
from simulation.mutants.tenancy import TENANCY
from simulation.mutants.undecided import UNDECIDED
from simulation.mutants.writing import WRITING

_ALL: Final[tuple[Mutant, ...]] = (
    *CHARGING,
    *OPERATING,
    *INBOUND,
    *OUTBOUND,
    *REVIEWING,
    *RECONCILING,
    *ANSWERING,
    *TENANCY,
    *RECOVERING,
    *RESTORING,
    *ORDERING,
    *CHECKOUTS,
    *WRITING,
    *COUNTING,
    *KEEPING,
    *DECIDING,
    *DISPUTING,
    *READING,
    *REPLAYING,
)

MUTANTS: Final = tuple(mutant for mutant in _ALL if mutant.name not in UNDECIDED)
OPEN_MUTANTS: Final = tuple(mutant for mutant in _ALL if mutant.name in UNDECIDED)

__all__ = ["MUTANTS", "OPEN_MUTANTS", "Mutant", "applied"]
