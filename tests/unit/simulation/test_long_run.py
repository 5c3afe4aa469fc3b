"""A long run in pieces: each goes on where the last one of the same code ended, and only these add up."""

import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from simulation import long_run
from simulation.check import CheckResult
from simulation.checker.evidence import Violation
from simulation.scenarios import SCENARIOS
from simulation.world import Plan

BATCH = 64
WITH_SCENARIOS = BATCH + 2 * len(SCENARIOS)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """What the pieces ran; seed 70 breaks a rule."""
    plans: list[Plan] = []

    def check_all(batch: Sequence[Plan]) -> Iterator[tuple[list[CheckResult], float, float]]:
        plans.extend(batch)
        yield [result(plan) for plan in batch], 36.0, 0.01

    monkeypatch.setattr(long_run, "check_all", check_all)
    return plans


def result(plan: Plan) -> CheckResult:
    broken = (Violation("I1", "pay_1@acme", "was charged twice"),) if (plan.seed, plan.scenario) == (70, None) else ()
    return CheckResult(
        plan=plan, hash="", payments=2, operations=3, events=4, faults=Counter(crash=5), violations=broken
    )


def run(path: Path, code: str, *, batches: int) -> int:
    left = iter([True] * batches)
    return long_run.run(path, code=code, commit="abc", goes_on=lambda: next(left, False))


class TestPieces:
    def test_each_goes_on_with_the_first_seed_that_did_not_run(self, tmp_path: Path, asked: list[Plan]) -> None:
        path = tmp_path / "pieces.json"
        run(path, "one", batches=1)
        assert len(asked) == WITH_SCENARIOS
        assert {plan.seed for plan in asked if plan.scenario is None} == set(range(BATCH))
        asked.clear()
        run(path, "one", batches=2)
        assert {plan.seed for plan in asked if plan.scenario is None} == set(range(BATCH, 3 * BATCH))
        assert [(piece.first, piece.next_first) for piece in long_run.read(path)] == [(0, 64), (64, 192)]

    def test_those_of_other_code_are_kept_and_do_not_add_up(
        self, tmp_path: Path, asked: list[Plan], capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "pieces.json"
        run(path, "one", batches=1)
        capsys.readouterr()
        run(path, "two", batches=1)
        assert len(long_run.read(path)) == 2
        assert {plan.seed for plan in asked} == set(range(BATCH))
        printed = capsys.readouterr().out.splitlines()
        assert printed[-2] == "pieces of this code: 1, CPU-hours: 0.0"
        counts = f"payments={2 * WITH_SCENARIOS} operations={3 * WITH_SCENARIOS} events={4 * WITH_SCENARIOS}"
        assert printed[-1] == f"seeds={WITH_SCENARIOS} {counts} faults={5 * WITH_SCENARIOS} violations=0"

    def test_those_of_the_same_code_add_up(
        self, tmp_path: Path, asked: list[Plan], capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "pieces.json"
        run(path, "one", batches=1)
        run(path, "one", batches=3)
        assert f"seeds={4 * WITH_SCENARIOS} " in capsys.readouterr().out.splitlines()[-1]
        assert len(asked) == 4 * WITH_SCENARIOS

    @pytest.mark.usefixtures("asked")
    def test_a_broken_seed_is_named_and_fails_the_piece(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "pieces.json"
        assert run(path, "one", batches=1) == 0
        assert run(path, "one", batches=1) == 1
        assert "broken: seed 70: I1 pay_1@acme: was charged twice" in capsys.readouterr().out
        assert [piece.violations for piece in long_run.read(path)] == [0, 1]

    def test_an_interruption_keeps_the_batches_that_ended(
        self, tmp_path: Path, asked: list[Plan], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, calls = tmp_path / "pieces.json", iter([True, True])

        def interrupted(_batch: Sequence[Plan]) -> Iterator[Any]:
            raise KeyboardInterrupt

        def goes_on() -> bool:
            if asked:
                monkeypatch.setattr(long_run, "check_all", interrupted)
            return next(calls)

        with pytest.raises(KeyboardInterrupt):
            long_run.run(path, code="one", commit="abc", goes_on=goes_on)
        assert [piece.next_first for piece in long_run.read(path)] == [BATCH]

    @pytest.mark.usefixtures("asked")
    def test_a_piece_without_time_keeps_nothing(self, tmp_path: Path) -> None:
        assert run(tmp_path / "pieces.json", "one", batches=0) == 0
        assert not (tmp_path / "pieces.json").exists()


class TestCode:
    @pytest.fixture
    def checkout(self, tmp_path: Path) -> Path:
        for name in (*long_run.CODE, "docs"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "text").write_text(name)
        git(tmp_path, "init", "--quiet")
        commit(tmp_path)
        return tmp_path

    def test_it_is_the_same_after_a_commit_elsewhere(self, checkout: Path) -> None:
        before = long_run.code_now(checkout)
        (checkout / "docs" / "text").write_text("other")
        commit(checkout)
        assert long_run.code_now(checkout) == before

    @pytest.mark.parametrize("directory", long_run.CODE)
    def test_it_is_another_after_a_commit_in_the_code(self, checkout: Path, directory: str) -> None:
        before = long_run.code_now(checkout)
        (checkout / directory / "text").write_text("other")
        with pytest.raises(ValueError, match="commit first"):
            long_run.code_now(checkout)
        commit(checkout)
        assert long_run.code_now(checkout) != before

    def test_a_directory_without_git_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="git checkout"):
            long_run.code_now(tmp_path)


@pytest.mark.parametrize(("minutes", "told"), [("0", "at least 1"), ("x", "whole number"), ("1441", "at most 1440")])
def test_odd_minutes_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], minutes: str, told: str
) -> None:
    monkeypatch.setenv("MINUTES", minutes)
    assert long_run.main() == 2
    assert told in capsys.readouterr().out


def test_the_pieces_of_the_repository_can_be_read() -> None:
    pieces = long_run.read(long_run.PIECES)
    assert pieces
    assert all(piece.seeds and piece.first < piece.next_first for piece in pieces)


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "a")


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True)
