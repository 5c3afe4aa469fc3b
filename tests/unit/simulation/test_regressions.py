"""Seeds that once showed something wrong. docs/proof.md tells what; they stay, and must run clean."""

import pytest

from simulation.check import check_plan
from simulation.world import Plan

SEEDS = {
    563: "the checker took a refusal for want of a provider for a refusal of the key",
    766: "the same, three payments at once",
    808: "the same, with an account removed and a gateway switched off",
}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_of_the_past_runs_clean(seed: int) -> None:
    assert check_plan(Plan(seed)).violations == (), SEEDS[seed]
