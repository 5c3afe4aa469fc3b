"""A run of many seeds fails where a kind of fault never struck, or a path was never walked, and names them."""

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from simulation import __main__ as simulate
from simulation.check import CheckResult
from simulation.faults import ALL_KINDS, EPISODES
from simulation.paths import MIN_SEEDS, MUST_HAPPEN, never_struck, never_walked
from simulation.world import Plan

KINDS = (*ALL_KINDS, *EPISODES)


@pytest.mark.parametrize("kind", ["crash", "gateway_forgets_posts", "sweeper_off", KINDS[-1]])
def test_a_kind_that_never_struck_is_named(kind: str) -> None:
    struck = dict.fromkeys(KINDS, 1)
    assert never_struck(MIN_SEEDS, struck) == ()
    assert never_struck(MIN_SEEDS, struck | {kind: 0}) == (kind,)
    assert never_struck(MIN_SEEDS - 1, {}) == ()


@pytest.mark.parametrize(
    "path", ["a newer release is rolled back", "delivery: FAILED", "endpoint disabled", "own capture at razorpay"]
)
def test_a_path_that_was_never_walked_is_named(path: str) -> None:
    walked = dict.fromkeys(MUST_HAPPEN, 1)
    assert never_walked(MIN_SEEDS, walked) == ()
    assert never_walked(MIN_SEEDS, walked | {path: 0}) == (path,)
    assert never_walked(MIN_SEEDS - 1, {}) == ()


def ran(monkeypatch: pytest.MonkeyPatch, *, without: str = "") -> int:
    """A run of as many seeds as must meet everything, of which each meets everything but this."""
    struck = Counter({kind: 1 for kind in KINDS if kind != without})
    walked = Counter({path: 1 for path in MUST_HAPPEN if path != without})

    def check_all(plans: Sequence[Plan]) -> Iterator[tuple[list[CheckResult], float, float]]:
        named = {"hash": "", "payments": 1_000, "operations": 0, "events": 0}
        made = [CheckResult(plan=p, **named, faults=struck, violations=(), sometimes=walked) for p in plans]  # type: ignore[arg-type]
        yield made, 1.0, 0.01

    monkeypatch.setattr(simulate, "check_all", check_all)
    return simulate._many([Plan(seed) for seed in range(MIN_SEEDS)])


def test_a_run_that_met_everything_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ran(monkeypatch) == 0


@pytest.mark.parametrize(
    ("without", "said"),
    [
        ("crash", "these kinds of faults never struck: crash"),
        ("delivery: FAILED", "never happened: delivery: FAILED"),
    ],
)
def test_a_run_that_missed_something_fails_and_says_what(
    without: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(monkeypatch, without=without) == 1
    assert said in capsys.readouterr().out.splitlines()
