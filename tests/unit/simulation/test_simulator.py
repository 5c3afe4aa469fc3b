"""The simulator itself: the same seed gives the same history, and its figures are those of the templates."""

import os
import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest

from local.paths import ROOT
from simulation import shrinking
from simulation.check import check_plan, evidence_of, judge
from simulation.checker.evidence import Evidence, Violation
from simulation.faults import APART, EPISODES, MAX_RATES, Faults
from simulation.kernel import Kernel, Killed, Owner
from simulation.mutants import MUTANTS, applied
from simulation.runner import Total
from simulation.shrinking import shrink
from simulation.trace import tell
from simulation.workload import PAYMENTS
from simulation.world import Plan, World
from testing.dynamodb.tables import Schema


def test_a_seed_gives_one_history_whatever_python_hashes() -> None:
    code = "from simulation.check import check_plan; from simulation.world import Plan; print(check_plan(Plan(3)).hash)"
    hashes = set()
    for hash_seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": f"{ROOT / 'functions'}:{ROOT}"}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, cwd=ROOT
        )
        hashes.add(done.stdout.strip())
    assert hashes == {check_plan(Plan(3)).hash}
    assert check_plan(Plan(4)).hash not in hashes


def test_a_run_in_peace_ends_without_a_fault_and_without_a_review_that_no_provider_asked_for() -> None:
    verdict = check_plan(Plan(2, without=frozenset({*MAX_RATES, *APART, *EPISODES})))
    assert verdict.faults.total() == 0
    assert verdict.violations == ()
    assert verdict.payments == PAYMENTS


def test_a_finding_is_made_smaller_and_told() -> None:
    mutant = next(m for m in MUTANTS if m.name == "a timeout means not sent")
    with applied(mutant):
        verdict = check_plan(Plan(36))
        plan = shrink(verdict)
        evidence = evidence_of(plan)
        small = judge(evidence)
    assert verdict.violations[0].invariant == "I1"
    assert len(verdict.suspects) >= 1
    assert any(violation.invariant == "I1" for violation in small.violations)
    assert small.payments <= verdict.payments / 4
    assert sum(small.faults.values()) < sum(verdict.faults.values()) / 4
    story = "\n".join(tell(evidence, small.violations[0].payment))
    assert story.count("CHARGES") == 2
    assert check_plan(plan).violations == ()


def test_what_merchants_ask_for_beside_the_finding_is_left_out() -> None:
    """Of several requests about one payment, the refund alone is needed."""
    mutant = next(m for m in MUTANTS if m.name == "a refund is booked twice")
    with applied(mutant):
        plan = shrink(check_plan(Plan(0, scenario="operations")))
        small = check_plan(plan)
        assert plan.only is not None
        (number,) = plan.only
        asked = len(World(plan).orders[number].steps)
        needed = {(number, step) for step in range(asked)} - plan.without_steps
        nothing_left = check_plan(replace(plan, without_steps=plan.without_steps | needed))
    assert asked > 1
    assert (len(needed), small.operations) == (1, 1)
    assert {violation.invariant for violation in small.violations} >= {"I3"}
    assert nothing_left.violations == ()


def test_shrinking_ends_when_it_has_done_a_few_times_the_work_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the seed: a gate that fails must not wait for minutes before it says why."""
    verdict, runs = check_plan(Plan(7)), list[Plan]()

    def evidence_without_finding(plan: Plan) -> Evidence:
        runs.append(plan)
        return evidence_of(plan)

    monkeypatch.setattr(shrinking, "evidence_of", evidence_without_finding)
    monkeypatch.setattr(shrinking, "_MAX_WORK", 2)
    never = replace(verdict, violations=(Violation("I99", "-", "is never broken"),))
    assert shrink(never) == replace(verdict.plan, only=frozenset(range(PAYMENTS)))
    assert len(runs) < 2 * PAYMENTS


def test_a_long_run_is_shrunk_to_an_ordinary_one_first() -> None:
    assert Plan(50).is_long
    assert not Plan(50, is_brief=True).is_long


def test_mutants_leave_nothing_behind() -> None:
    before = check_plan(Plan(2)).hash
    for mutant in MUTANTS:
        with applied(mutant):
            pass
    assert check_plan(Plan(2)).hash == before


def test_the_last_line_is_for_scripts() -> None:
    total = Total()
    total.add(check_plan(Plan(6)))
    assert total.last_line().startswith(f"seeds=1 payments={PAYMENTS} operations=")
    assert total.last_line().endswith(" violations=0")


def test_kinds_are_off_in_some_seeds_and_leaving_one_out_changes_no_other() -> None:
    from random import Random

    drawn = [Faults.drawn(Random(seed)) for seed in range(300)]
    for kind in MAX_RATES:
        off = sum(faults.rates[kind] == 0 for faults in drawn) / len(drawn)
        assert 1 / 3 - 0.05 < off < 1 / 2 + 0.05, kind
    left_out = Faults.drawn(Random(7), without=frozenset({"crash"}))
    assert {**drawn[7].rates, "crash": 0.0} == left_out.rates
    for kind in APART:
        possible = [faults for faults in drawn if kind != "gateway_refuses_acts" or not faults.rates["restore"]]
        on = sum(faults.rates[kind] > 0 for faults in possible) / len(possible)
        assert 0.15 < on < 0.25, kind


def test_an_error_that_contradicts_the_books_ends_no_payment_and_no_refund_wrongly() -> None:
    total = Total()
    for seed in (76, 173, 280):
        total.add(check_plan(Plan(seed)))
    assert total.faults["gateway_contradicts"] > 5
    assert total.faults["gateway_refuses_repeat"] > 0
    assert total.last_line().endswith(" violations=0")


class TestKernel:
    def test_time_passes_in_order_and_ties_go_first_come(self) -> None:
        kernel, seen = Kernel(0), list[str]()
        start_ms = kernel.now_ms

        def task(name: str, delay_ms: int) -> None:
            kernel.sleep(delay_ms)
            seen.append(f"{name}{kernel.now_ms - start_ms}")

        for name, delay_ms in (("a", 20), ("b", 10), ("c", 20)):
            kernel.spawn(partial(task, name, delay_ms))
        kernel.run(start_ms + 15)
        assert seen == ["b10"]
        kernel.run(start_ms + 100)
        assert seen == ["b10", "a20", "c20"]

    def test_a_killed_task_cleans_up_in_memory_and_goes_nowhere(self) -> None:
        kernel, seen = Kernel(0), list[str]()

        def task() -> None:
            try:
                kernel.sleep(1_000)
                seen.append("went on")
            finally:
                seen.append("cleaned")
                with pytest.raises(Killed):
                    kernel.sleep(1)

        running = kernel.spawn(task, Owner())
        kernel.after(10, lambda: kernel.kill(running))
        kernel.run(kernel.now_ms + 5_000)
        assert seen == ["cleaned"]


def test_a_schema_finds_keys() -> None:
    assert Schema("pk", "sk").key_of({"pk": {"S": "a"}, "sk": {"N": "1"}, "x": {"S": ""}}) == ("a", "N:1")
