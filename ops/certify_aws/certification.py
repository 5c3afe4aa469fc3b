"""Runs the steps in order, cleans up whatever happened, and says in a dated report what passed."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from ops.certify_aws.stage import Stage, StepError
from ops.certify_aws.steps import CLEAN_UP, PREPARE, STEPS, Step
from ops.deployed import NotAsExpectedError
from ops.errors import OperatorError

_FAULTS: Final = (
    StepError,
    NotAsExpectedError,
    OperatorError,
    ClientError,
    BotoCoreError,
    urllib3.exceptions.HTTPError,
    OSError,
    ValueError,
    KeyError,
)


class Verdict(StrEnum):
    """Of one step."""

    PASSED = "passed"
    FAILED = "failed"
    LATE = "passed, after its deadline"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The finding of a step. `evidence` is its own sentence, or the reason why it failed or was left out."""

    step: Step
    verdict: Verdict
    evidence: str
    seconds: float = 0


def planned() -> tuple[Step, ...]:
    """All steps in order, with the clean-up at the end."""
    return (*PREPARE, *STEPS, CLEAN_UP)


def certify(stage: Stage, steps: Sequence[Step] = STEPS, *, prepare: Sequence[Step] = PREPARE) -> Iterator[Outcome]:
    """Without a deployment nothing else is tried. The clean-up runs in any case, also when this is interrupted."""
    try:
        yield from _in_order(stage, steps, prepare)
    finally:
        last = tried(stage, CLEAN_UP)
    yield last


def _in_order(stage: Stage, steps: Sequence[Step], prepare: Sequence[Step]) -> Iterator[Outcome]:
    for step in prepare:
        outcome = tried(stage, step)
        yield outcome
        if outcome.verdict is Verdict.FAILED:
            return
    for step in steps:
        yield tried(stage, step)


def tried(stage: Stage, step: Step, *, clock: Callable[[], float] = time.monotonic) -> Outcome:
    """One step; every fault of AWS, of the network or of an answer is its finding."""
    if stage.is_local and not step.local:
        return Outcome(step=step, verdict=Verdict.LEFT_OUT, evidence=step.why_not)
    started = clock()
    try:
        evidence, verdict = step.run(stage), Verdict.PASSED
    except _FAULTS as error:
        evidence, verdict = f"{type(error).__name__}: {error}", Verdict.FAILED
    seconds = clock() - started
    if verdict is Verdict.PASSED and seconds > step.minutes * 60:
        verdict = Verdict.LATE
    return Outcome(step=step, verdict=verdict, evidence=evidence, seconds=seconds)


def report(stage: Stage, outcomes: Sequence[Outcome], *, account: str) -> dict[str, Any]:
    """It holds no key. The account is shortened: a report may be published."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "account": f"********{account[-4:]}",
        "region": stage.region,
        "passed": sum(outcome.verdict in {Verdict.PASSED, Verdict.LATE} for outcome in outcomes),
        "failed": sum(outcome.verdict is Verdict.FAILED for outcome in outcomes),
        "leftBehind": list(stage.left_behind),
        "steps": [
            {
                "name": outcome.step.name,
                "asks": outcome.step.asks,
                "verdict": outcome.verdict.value,
                "evidence": outcome.evidence,
                "seconds": round(outcome.seconds),
                "deadlineMinutes": outcome.step.minutes,
                "atMostDollars": outcome.step.dollars,
            }
            for outcome in outcomes
        ],
    }
