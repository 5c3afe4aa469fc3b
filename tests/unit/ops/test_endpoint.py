"""The end-to-end suite against an address: what it takes, what it refuses, what it leaves out."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ops.certify_aws.stage import Stage
from ops.target import Target
from tests.support.endpoint import Endpoint, Operators, endpoint_of, skip_local_only

URL = "https://api.example.com/v1"


class Config:
    """The options of a run."""

    def __init__(self, endpoint: str = "", operators: str = "") -> None:
        self._options = {"--endpoint": endpoint, "--operators": operators}

    def getoption(self, name: str) -> str:
        return self._options[name]


class Item:
    """A test with the mark, or without."""

    def __init__(self, *marks: pytest.MarkDecorator) -> None:
        self.marks = list(marks)

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        return next((mark.mark for mark in self.marks if mark.name == name), None)

    def add_marker(self, mark: pytest.MarkDecorator) -> None:
        self.marks.append(mark)


@pytest.fixture(autouse=True)
def api_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYFLOWX_API_KEY", "pfx_test_sk_secret")


def test_without_an_endpoint_the_suite_starts_its_own_environment_and_skips_nothing() -> None:
    item: Any = Item(pytest.mark.local_only("why"))
    skip_local_only(Config(), [item])
    assert endpoint_of(Config()) is None
    assert len(item.marks) == 1


def test_with_one_it_skips_what_needs_more_than_the_api_and_says_why() -> None:
    marked: Any = Item(pytest.mark.local_only("it stops a simulator"))
    other: Any = Item()
    skip_local_only(Config(URL), [marked, other])
    assert marked.marks[-1].kwargs == {"reason": "needs the local environment: it stops a simulator"}
    assert other.marks == []


def test_the_key_is_a_variable_and_is_shown_nowhere() -> None:
    found = endpoint_of(Config(f"{URL}/", "dev/shop"))
    operators = Operators(environment="dev", merchant="shop")
    assert found == Endpoint(url=URL, api_key="pfx_test_sk_secret", operators=operators)
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("options", "key", "why"),
    [
        ((URL, ""), "", "needs the key"),
        ((URL, ""), "pfx_live_sk_secret", "a key of production"),
        ((URL, "dev"), "pfx_test_x", "say ENVIRONMENT/MERCHANT"),
        (("", "dev/shop"), "pfx_test_x", "goes with --endpoint"),
    ],
)
def test_what_cannot_be_tried_is_refused(
    options: tuple[str, str], key: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYFLOWX_API_KEY", key)
    with pytest.raises(pytest.UsageError, match=why):
        endpoint_of(Config(*options))


def test_certify_runs_it_with_the_key_in_no_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[Sequence[str], Any]] = []

    def run(command: Sequence[str], **options: Any) -> Any:
        ran.append((command, options))
        return type("Done", (), {"returncode": 0, "stdout": "...\n19 passed, 40 skipped in 1.2s\n"})

    monkeypatch.setattr("ops.certify_aws.stage.subprocess.run", run)
    target = Target(name="bcertify", outputs={}, options={}, base_url=URL, stack_prefix="B")
    stage = Stage(name="bcertify", branch="x", region="ap-south-1", target=target, merchant="m", api_key="pfx_test_k")
    assert stage.end_to_end(seconds=600) == "19 passed, 40 skipped in 1.2s"
    ((command, options),) = ran
    assert command[:3] == (sys.executable, "-m", "pytest")
    assert {f"--endpoint={URL}", "--operators=bcertify/m"} <= set(command)
    assert "pfx_test_k" not in " ".join(command)
    assert options["env"]["PAYFLOWX_API_KEY"] == "pfx_test_k"
    assert (options["env"]["AWS_DEFAULT_REGION"], options["timeout"]) == ("ap-south-1", 600)


def test_the_workflow_tries_what_it_deployed_with_the_smoke_first() -> None:
    workflow = (Path(__file__).resolve().parents[3] / ".github/workflows/deploy-environment.yml").read_text()
    assert 0 < workflow.index("run: make deployed") < workflow.index("run: make e2e-deployed")
