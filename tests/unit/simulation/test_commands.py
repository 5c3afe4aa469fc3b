"""`make simulate` and `make mutants`, as scripts and people see them."""

import json
import re
from pathlib import Path

import pytest

from simulation import __main__ as simulate
from simulation import mutants_found, paths
from simulation import run_mutants as hunt
from simulation.mutants import MUTANTS, Mutant, applied


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("SEED", "SEEDS", "SEED_BASE", "SCENARIO", "SCALE", "TRACE", "ONLY", "PROCESSES", "REMEMBER"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def mutant(name: str) -> Mutant:
    return next(each for each in MUTANTS if each.name == name)


def test_many_seeds_end_with_a_line_for_scripts(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("SEED_BASE", "20")
    environment.setenv("SEEDS", "3")
    assert simulate.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"seeds=3 payments=\d+ operations=\d+ events=\d+ faults=\d+ violations=0", lines[-1])
    assert re.fullmatch(
        r"\d+ s, \d+ CPU-seconds, \d+ payments and operations a CPU-second, [\d.]+ a calibration loop", lines[-2]
    )


def test_a_violation_is_told_with_its_seed_and_its_shortest_history(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("SEED_BASE", "36")
    environment.setenv("SEEDS", "1")
    with applied(mutant("a timeout means not sent")):
        assert simulate.main() == 1
    said = capsys.readouterr().out
    assert re.search(r"^seed 36: I1 pay_\w+@\w+: charged 2 times", said, re.MULTILINE)
    assert re.search(r"shortest history found: [1-9] payments, \d+ operations, faults \w+", said)
    assert "CHARGES" in said
    assert "again: make simulate SEED=36 TRACE=1" in said


def test_one_seed_is_told_as_a_story(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    environment.setenv("SEED", "21")
    environment.setenv("TRACE", "1")
    assert simulate.main() == 0
    said = capsys.readouterr().out
    assert re.search(r"seed 21: history [0-9a-f]{16}", said)
    assert said.count("in the end SUCCESS") >= 8


@pytest.mark.parametrize(
    ("name", "value"),
    [("SEED", "abc"), ("SEED", "-1"), ("SEEDS", "0"), ("SEEDS", "1.5"), ("SEED_BASE", "²"), ("SCALE", "huge")],
)
def test_a_setting_that_cannot_be_used_is_named_and_nothing_runs(
    name: str, value: str, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv(name, value)
    assert simulate.main() == 2
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 1
    assert name.lower() in said[0].lower()
    assert value in said[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [("SEEDS", "abc"), ("SEEDS", "0"), ("SEED_BASE", "-1"), ("PROCESSES", "0"), ("PROCESSES", "²"), ("SCENARIO", "x")],
)
def test_a_setting_of_a_hunt_that_cannot_be_used_is_named_and_nothing_is_hunted(
    name: str, value: str, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv(name, value)
    environment.setattr(hunt, "_hunt", None)
    assert hunt.main() == 2
    (said,) = capsys.readouterr().out.splitlines()
    assert name.lower() in said.lower()
    assert value in said


def test_a_hunt_of_no_broken_design_is_refused(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("ONLY", "a design that nobody made")
    assert hunt.main() == 2
    assert "a design that nobody made" in capsys.readouterr().out


def test_a_path_that_is_never_walked_fails_a_run_of_many_seeds(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("SEEDS", "2")
    environment.setattr(simulate, "MIN_SEEDS", 2)
    environment.setattr(paths, "MIN_SEEDS", 2)
    environment.setattr(paths, "MUST_HAPPEN", ("never",))
    assert simulate.main() == 1
    assert "never happened: never" in capsys.readouterr().out


def test_a_rare_path_must_be_walked_by_a_long_run_only() -> None:
    rare = set(paths.RARELY_HAPPENS)
    assert not rare & set(paths.MUST_HAPPEN)
    assert not rare & set(paths.must_happen(paths.MIN_SEEDS_FOR_RARE_PATHS - 1))
    assert rare < set(paths.must_happen(paths.MIN_SEEDS_FOR_RARE_PATHS))
    assert paths.must_happen(paths.MIN_SEEDS - 1) == ()


def test_mutants_must_be_found_and_equivalent_ones_must_not(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = mutant("intent stored after the call")
    wrongly = Mutant("payments", "wrongly called equivalent", found.patches, survives="A wrong argument.")
    hidden = Mutant("payments", "changes nothing", list)
    environment.setattr(hunt, "MUTANTS", (found, wrongly, hidden))
    environment.setattr(mutants_found, "_FOUND", tmp_path / "nothing found.json")
    environment.setenv("SEED_BASE", "7")
    environment.setenv("SEEDS", "1")
    assert hunt.main() == 1
    said = capsys.readouterr().out
    assert re.search(r"^intent stored after the call +found by seed 7: [A-Z]", said, re.MULTILINE)
    assert re.search(r"^wrongly called equivalent +WRONGLY CALLED EQUIVALENT, found by seed 7", said, re.MULTILINE)
    assert re.search(r"^changes nothing +NOT FOUND: mend the simulator", said, re.MULTILINE)
    assert said.splitlines()[-1] == "mutants=3 to_be_found=2 equivalent=1 wrong=2"


def test_a_part_of_the_mutants_is_hunted_and_their_seeds_are_remembered(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    seeds, written = tmp_path / "found.json", tmp_path / "page.md"
    environment.setattr(mutants_found, "_FOUND", seeds)
    environment.setattr(mutants_found, "PAGE", written)
    for name, value in (("ONLY", "pending is shown"), ("SEED_BASE", "7"), ("SEEDS", "1"), ("REMEMBER", "1")):
        environment.setenv(name, value)
    assert hunt.main() == 0
    ((name, row),) = json.loads(seeds.read_text()).items()
    assert (name, row["seed"]) == ("pending is shown as failed", 7)
    assert f"| pending is shown as failed | seed 7, {row['invariant']}, {row['day']} |" in written.read_text()
    assert capsys.readouterr().out.splitlines()[-1] == "mutants=1 to_be_found=1 equivalent=0 wrong=0"
