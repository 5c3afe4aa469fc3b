"""Make a finding as small as it gets: fewer days, fewer payments, fewer kinds of faults, fewer operations.

A run of few payments takes a small part of the time of a whole one. So payments are left out first, and those that the
violations name are tried alone before any others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, TypeVar

from simulation.check import CheckResult, evidence_of
from simulation.checker.invariants import violations
from simulation.workload import PAYMENTS
from simulation.world import Plan, World

T = TypeVar("T")

_MAX_RUNS: Final = 160
_MAX_WORK: Final = 14
"""So many times the work of the run that found it; counted in steps of histories, which are the same everywhere."""
_MAX_STEPS_TRIED: Final = 20


def shrink(result: CheckResult) -> Plan:
    """A smaller plan that breaks the same invariant."""
    search = _Search(result.violations[0].invariant, result.plan, steps_left=_MAX_WORK * result.steps)
    if search.plan.is_long:
        search.try_plan(replace(search.plan, is_brief=True))
    search.leave_out_payments(result.suspects)
    search.leave_out_faults(_kinds_of(search.plan))
    search.leave_out_operations()
    return search.plan


def _kinds_of(plan: Plan) -> list[str]:
    """The kinds of faults that the seed has at all."""
    faults = plan.faults()
    return [*(kind for kind, rate in faults.rates.items() if rate), *sorted(faults.episodes)]


@dataclass(slots=True)
class _Search:
    """`plan`: the smallest so far that breaks the invariant."""

    invariant: str
    plan: Plan
    steps_left: int
    runs_left: int = _MAX_RUNS

    @property
    def is_over(self) -> bool:
        """Whether the work is used up."""
        return self.runs_left <= 0 or self.steps_left <= 0

    def try_plan(self, candidate: Plan) -> bool:
        """Keep a smaller plan that still breaks the invariant. Nothing is tried once the work is used up."""
        if self.is_over:
            return False
        evidence = evidence_of(candidate)
        self.runs_left -= 1
        self.steps_left -= len(evidence.result.history.steps)
        if not any(found.invariant == self.invariant for found in violations(evidence)):
            return False
        self.plan = candidate
        return True

    def leave_out_payments(self, suspects: Sequence[int]) -> None:
        """One payment alone, suspects first, else delta debugging: a part alone, else all but a part, else finer cuts.

        With other payments the same faults strike elsewhere. So another payment than the suspect may show the same.
        """
        numbers = sorted(self.plan.only) if self.plan.only is not None else list(range(PAYMENTS))
        alone = dict.fromkeys((*suspects, *numbers))
        if any(self.try_plan(self._with_payments([number])) for number in alone):
            return
        parts = 2
        while len(numbers) > 1 and parts <= len(numbers):
            pieces = _pieces(numbers, parts)
            rests = [[n for n in numbers if n not in piece] for piece in pieces] if parts > 2 else []
            smaller = next((c for c in (*pieces, *rests) if self.try_plan(self._with_payments(c))), None)
            if smaller is None:
                parts *= 2
            else:
                parts = 2 if smaller in pieces else max(2, parts - 1)
                numbers = smaller
        self.plan = self._with_payments(numbers)

    def _with_payments(self, numbers: Sequence[int]) -> Plan:
        return replace(self.plan, only=frozenset(numbers))

    def leave_out_faults(self, kinds: Sequence[str]) -> None:
        """All of these kinds at once, else each half of them for itself: most kinds do not matter."""
        is_bare = self.try_plan(replace(self.plan, without=self.plan.without | frozenset(kinds)))
        if not is_bare and len(kinds) > 1 and not self.is_over:
            for half in _pieces(kinds, 2):
                self.leave_out_faults(half)

    def leave_out_operations(self) -> None:
        """All that merchants ask for afterwards, else one after the other."""
        steps = list(self._steps())
        if steps and not self.try_plan(replace(self.plan, without_steps=frozenset(steps))):
            for step in steps[:_MAX_STEPS_TRIED]:
                self.try_plan(replace(self.plan, without_steps=self.plan.without_steps | {step}))

    def _steps(self) -> Iterator[tuple[int, int]]:
        orders = World(self.plan).orders
        for number in sorted(self.plan.only or ()):
            yield from ((number, step) for step in range(len(orders[number].steps)))


def _pieces(sequence: Sequence[T], parts: int) -> list[list[T]]:
    cuts = [len(sequence) * cut // parts for cut in range(parts + 1)]
    return [list(sequence[start:end]) for start, end in pairwise(cuts)]
