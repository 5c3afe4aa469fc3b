"""The figures of the queue model that `python -m bench.lanes` prints, for two minutes."""

from dataclasses import replace

import pytest

from bench.lanes import Scenario, simulated

WHOLE = Scenario(per_second=500, seconds=120, slots=50, slow_slots=20)
SETTLED = 60


def test_without_lanes_one_hanging_provider_takes_the_capacity_of_all() -> None:
    assert simulated(replace(WHOLE, has_lanes=False)).throughput(SETTLED) < 0.3


@pytest.mark.parametrize("has_other_provider", [True, False])
def test_with_lanes_the_others_keep_their_throughput(*, has_other_provider: bool) -> None:
    found = simulated(replace(WHOLE, has_other_provider=has_other_provider))
    assert found.throughput(SETTLED) >= 0.9


@pytest.mark.parametrize("accounts", [20, 100, 300, 1_000])
@pytest.mark.parametrize("has_other_provider", [True, False])
def test_over_however_many_accounts_the_hanging_payments_are_spread(accounts: int, *, has_other_provider: bool) -> None:
    found = simulated(replace(WHOLE, accounts=accounts, has_other_provider=has_other_provider))
    assert found.throughput(SETTLED) >= 0.9


def test_with_the_states_of_accounts_alone_many_accounts_hide_a_hanging_provider() -> None:
    assert simulated(replace(WHOLE, accounts=300, knows_provider=False)).throughput(SETTLED) < 0.3


def test_new_payments_leave_a_dead_provider_within_a_minute_but_for_probes() -> None:
    found = simulated(WHOLE)
    assert found.left_at() <= SETTLED
    assert found.kept(SETTLED) <= 0.02


def test_a_provider_without_an_alternative_keeps_its_payments() -> None:
    assert simulated(replace(WHOLE, has_other_provider=False)).kept(SETTLED) == 1
