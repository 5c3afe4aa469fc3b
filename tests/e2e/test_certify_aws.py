"""The steps of `make certify-aws` that the engine can run, against the environment of these tests."""

import pytest

from local.environment import LocalEnvironment
from ops.certify_aws.certification import Verdict, tried
from ops.certify_aws.stage import Stage
from ops.certify_aws.steps import STEPS
from ops.target import LOCAL, find_target

pytestmark = pytest.mark.local_only("it is what runs this suite against an endpoint")
HERE = tuple(step for step in STEPS if step.local)


@pytest.fixture(scope="module")
def stage(environment: LocalEnvironment) -> Stage:
    region = environment.engine.region
    return Stage(name=LOCAL, branch="x", region=region, target=find_target(LOCAL, None))


def test_most_steps_run_here_and_the_others_say_why_not() -> None:
    assert len(HERE) >= 7
    assert all(step.local or len(step.why_not) > 15 for step in STEPS)


@pytest.mark.parametrize("step", HERE, ids=[step.name for step in HERE])
def test_a_step(step: object, stage: Stage) -> None:
    """In their order: the first one makes the merchant of the others."""
    outcome = tried(stage, step)  # type: ignore[arg-type]
    assert outcome.verdict is Verdict.PASSED, outcome.evidence
    assert stage.left_behind == []
