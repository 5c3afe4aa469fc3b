"""The run over an account: whom it refuses, what it asks, what it leaves. The steps themselves: tests/e2e."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from infra.settings import ENVIRONMENTS, of_branch
from ops.certify_aws import certification
from ops.certify_aws.__main__ import main, plan, refuse_production
from ops.certify_aws.certification import Verdict, certify, planned, report, tried
from ops.certify_aws.reference import dollars, table
from ops.certify_aws.stage import Stage, StepError, wait_until
from ops.certify_aws.steps import Step
from ops.errors import OperatorError
from ops.target import Target

ACCOUNT = "111122223333"


def stage() -> Stage:
    target = Target(name="b", outputs={"A": "1"}, options={}, base_url="https://x", stack_prefix="B")
    return Stage(name="bcertify", branch="certify-aws", region="eu-west-1", target=target)


def step(name: str, run: Callable[[Stage], str], *, minutes: float = 1) -> Step:
    return Step(name=name, asks="?", minutes=minutes, dollars=0.1, run=run)


def fails(error: Exception) -> Callable[[Stage], str]:
    def run(_stage: Stage) -> str:
        raise error

    return run


@pytest.fixture
def cleaned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the clean-up was called for, once each."""
    done: list[str] = []

    def clean(found: Stage) -> str:
        done.append(found.name)
        return "gone"

    monkeypatch.setattr(certification, "CLEAN_UP", step("destroy", clean))
    return done


class Stacks:
    """CloudFormation with these stacks."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def __call__(self, _service: str) -> Any:
        return self

    def get_paginator(self, _name: str) -> Any:
        return self

    def paginate(self) -> Iterator[dict[str, Any]]:
        yield {"StackSummaries": [{"StackName": name} for name in self.names]}


class TestAnAccountOfProduction:
    def test_is_one_with_its_stacks(self) -> None:
        with pytest.raises(OperatorError, match="it has Prod-Data"):
            refuse_production(Stacks("Dev-Data", "Prod-Service", "Prod-Data"), ACCOUNT, ())

    def test_is_one_that_the_command_names(self) -> None:
        with pytest.raises(OperatorError, match="say so"):
            refuse_production(Stacks(), ACCOUNT, ("999900001111", ACCOUNT))

    def test_is_no_other(self) -> None:
        refuse_production(Stacks("Dev-Data", "Production-like"), ACCOUNT, ("999900001111",))


class TestARun:
    def test_ends_with_the_clean_up_whatever_its_steps_do(self, cleaned: list[str]) -> None:
        steps = [
            step("bad", fails(StepError("no"))),
            step("worse", fails(KeyError("x"))),
            step("good", lambda _: "yes"),
        ]
        outcomes = list(certify(stage(), steps, prepare=()))
        verdicts = [(outcome.step.name, outcome.verdict) for outcome in outcomes]
        assert verdicts == [
            ("bad", Verdict.FAILED),
            ("worse", Verdict.FAILED),
            ("good", Verdict.PASSED),
            ("destroy", Verdict.PASSED),
        ]
        assert cleaned == ["bcertify"]

    def test_tries_nothing_when_the_deployment_fails_and_deletes_what_is_there(self, cleaned: list[str]) -> None:
        prepare = [step("deploy", fails(StepError("no")))]
        outcomes = list(certify(stage(), [step("never", fails(AssertionError()))], prepare=prepare))
        assert [outcome.step.name for outcome in outcomes] == ["deploy", "destroy"]
        assert cleaned == ["bcertify"]

    @pytest.mark.parametrize("interruption", [KeyboardInterrupt(), SystemExit(1), AssertionError()])
    def test_cleans_up_when_it_is_interrupted(self, cleaned: list[str], interruption: BaseException) -> None:
        def interrupted(_stage: Stage) -> str:
            raise interruption

        with pytest.raises(type(interruption)):
            list(certify(stage(), [step("x", interrupted)], prepare=()))
        assert cleaned == ["bcertify"]

    def test_cleans_up_when_nobody_reads_on(self, cleaned: list[str]) -> None:
        run = certify(stage(), [step("x", lambda _: "yes")], prepare=())
        next(run)
        run.close()  # type: ignore[attr-defined]  # a generator
        assert cleaned == ["bcertify"]

    def test_says_that_a_step_was_late(self) -> None:
        clock = itertools.count(0, 61).__next__
        assert tried(stage(), step("slow", lambda _: "yes"), clock=clock).verdict is Verdict.LATE


class TestTheReport:
    def test_holds_no_key_and_no_whole_account(self) -> None:
        found = stage()
        found.api_key = "pfx_test_sk_secret"
        text = str(report(found, [tried(found, step("x", lambda _: "yes"))], account=ACCOUNT))
        assert "secret" not in text + repr(found)
        assert ACCOUNT not in text

    def test_counts_and_says_what_is_left(self) -> None:
        found = stage()
        found.left_behind.append("table x")
        outcomes = [tried(found, step("a", lambda _: "yes")), tried(found, step("b", fails(StepError("no"))))]
        written = report(found, outcomes, account=ACCOUNT)
        assert (written["passed"], written["failed"], written["leftBehind"]) == (1, 1, ["table x"])
        assert [row["verdict"] for row in written["steps"]] == ["passed", "failed"]
        assert written["steps"][1]["evidence"] == "StepError: no"


def test_every_step_has_a_deadline_and_a_price_and_together_they_stay_in_the_plan() -> None:
    steps = planned()
    assert len({one.name for one in steps}) == len(steps)
    assert all(one.minutes > 0 and one.dollars >= 0 and one.asks.endswith("?") for one in steps)
    assert sum(one.dollars for one in steps) <= 2
    assert f"At most {sum(one.dollars for one in steps):.2f} dollars" in plan(ACCOUNT, "eu-west-1")


def test_the_environment_is_none_of_the_others() -> None:
    settings = of_branch("certify-aws")
    assert settings.disposable
    assert settings.name not in {environment.name for environment in ENVIRONMENTS}


def test_nothing_is_made_without_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody sits at a terminal here, so that the question itself is the refusal."""
    monkeypatch.setattr("ops.certify_aws.__main__.refuse_production", lambda *_: None)
    monkeypatch.setattr(
        Stage, "client", lambda *_: type("Sts", (), {"get_caller_identity": lambda _: {"Account": "1"}})()
    )
    monkeypatch.setattr("ops.certify_aws.__main__.certify", fails(AssertionError()))
    with pytest.raises(click.UsageError, match="say --yes"):
        main.main([], standalone_mode=False)


def test_waiting_ends() -> None:
    with pytest.raises(StepError, match="the thing: not within 0 s"):
        wait_until("the thing", lambda: None, seconds=0, pause=0)
    assert wait_until("x", iter([0, 5]).__next__, seconds=5, pause=0) == 5


def test_the_page_has_the_steps_as_they_are() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "operations" / "certify-aws.md").read_text()
    assert table() in page
    assert f"at most {dollars()} dollars" in page
