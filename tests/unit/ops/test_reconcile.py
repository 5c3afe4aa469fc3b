"""`payflowx reconcile`: what it asks of the function, what it shows, and how it ends."""

import io
import json
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from ops.cli import payflowx
from ops.session import Session
from ops.target import Target

module = import_module("ops.commands.reconcile")
RUN = {
    "runId": "rec_1",
    "merchantId": "acme",
    "provider": "stripe",
    "phase": "done",
    "counts": {"matched": 3},
    "differences": 0,
}
FINDING = {
    "verdict": "amount",
    "remedy": "review",
    "kind": "charge",
    "transactionId": "pay_1",
    "reference": "pi_1",
    "theirAmount": 1,
    "ourAmount": 2,
    "currency": "USD",
}
SPAN = ["--provider", "stripe", "--from", "2026-09-21", "--to", "2026-09-22"]


ASKED = [*SPAN, "--reason", "TICKET-1"]


@dataclass
class FakeReconciler:
    """Lambda and S3 as the command sees them: answers by command."""

    run: dict[str, Any] = field(default_factory=lambda: dict(RUN))
    pages: list[list[dict[str, Any]]] = field(default_factory=lambda: [[]])
    phases: list[str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    uploaded: list[tuple[str, str, bytes]] = field(default_factory=list)
    refusal: str | None = None
    fails: bool = False
    denied: str = ""
    """The service whose calls IAM denies."""

    def invoke(self, *, FunctionName: str, Qualifier: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        if self.denied == "lambda":
            raise DENIED
        command = json.loads(Payload)
        self.asked.append(command)
        assert (FunctionName, Qualifier) == ("reconciler", "live")
        if self.fails:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b"{}")}
        return {"Payload": io.BytesIO(json.dumps(self.answer(command)).encode())}

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        if self.refusal:
            return {"ok": False, "error": {"code": "x", "message": self.refusal}}
        if command["command"] == "reconcile":
            return {"ok": True, "runs": [{**self.run, "phase": "theirs"}]}
        phase = self.phases.pop(0) if self.phases else self.run["phase"]
        page = int(command.get("after", 0))
        after = str(page + 1) if page + 1 < len(self.pages) else None
        return {"ok": True, "run": {**self.run, "phase": phase}, "findings": self.pages[page], "after": after}

    def put_object(self, *, Bucket: str, Key: str, Body: IO[bytes]) -> None:  # noqa: N803 - boto3's names
        if self.denied == "s3":
            raise DENIED
        self.uploaded.append((Bucket, Key, Body.read()))


class Stage(Target):
    """A target whose clients are the fake."""

    def client(self, _service: str) -> Any:
        return self.options["fake"]

    def who(self) -> str:
        return "local:ada"


DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, "Invoke")
OUTPUTS = {"ReconcilerFunctionName": "reconciler:live", "SettlementsBucketName": "settlements"}


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> FakeReconciler:
    monkeypatch.setattr(module, "_POLL_SECONDS", 0)
    return FakeReconciler()


def run(fake: FakeReconciler, *words: str) -> Result:
    target = Stage(name="dev", outputs=OUTPUTS, options={"fake": fake}, base_url="", stack_prefix="Dev")
    session = Session(find_target=lambda _name, _region: target)
    return CliRunner().invoke(payflowx, ["reconcile", *words], obj=session)


def test_equal_books_end_well(functions: FakeReconciler) -> None:
    functions.phases = ["theirs", "ours"]
    result = run(functions, *ASKED)
    assert result.exit_code == 0, result.output
    assert "3 matched" in result.output
    assert functions.asked[0] == {
        "command": "reconcile",
        "operator": "local:ada",
        "reason": "TICKET-1",
        "provider": "stripe",
        "fromMs": 1_789_948_800_000,
        "untilMs": 1_790_035_200_000,
        "again": 0,
    }


def test_differences_are_shown_page_by_page_and_end_with_three(functions: FakeReconciler) -> None:
    functions.run |= {"counts": {"matched": 1, "missing_here": 1}, "differences": 2}
    functions.pages = [[FINDING], [{**FINDING, "verdict": "missing_here", "transactionId": None}]]
    result = run(functions, *ASKED)
    assert result.exit_code == 3
    assert "pay_1" in result.output
    assert "1 missing here" in result.output
    assert "docs/runbooks/reconciliation-difference.md" in result.output


def test_json_for_scripts(functions: FakeReconciler) -> None:
    functions.pages = [[FINDING]]
    result = run(functions, *ASKED, "--json")
    assert json.loads(result.output) == [{**RUN, "findings": [FINDING]}]


def test_it_waits_no_longer_than_it_was_told_to(functions: FakeReconciler, monkeypatch: pytest.MonkeyPatch) -> None:
    functions.run |= {"phase": "theirs"}
    passed = [0.0]
    monkeypatch.setattr(module, "_POLL_SECONDS", 2.0)
    sleep = lambda seconds: passed.__setitem__(0, passed[0] + seconds)  # noqa: E731 - one line of a stand-in
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: passed[0], sleep=sleep))
    result = run(functions, *ASKED, "--wait-seconds", "9")
    assert passed == [10.0]
    assert result.exit_code == 5
    assert "rec_1 is not over after 9 s.\n  It goes on" in result.output
    assert run(functions, *ASKED, "--wait-seconds", "0").exit_code == 2


def test_a_run_that_could_not_be_read_says_so(functions: FakeReconciler) -> None:
    functions.run |= {"phase": "failed", "problem": "list_not_understood"}
    result = run(functions, *ASKED)
    assert result.exit_code == 3
    assert "list_not_understood" in result.output


def test_a_file_is_named_by_its_content(functions: FakeReconciler, tmp_path: Path) -> None:
    file = tmp_path / "secret-name.csv"
    file.write_text("a,b\n")
    for _ in range(2):
        run(functions, *ASKED, "--file", str(file), "--merchant", "acme", "--no-wait")
    (first, second) = [command["file"] for command in functions.asked]
    assert first == second == functions.uploaded[0][1]
    assert first.startswith("stripe/")
    assert "secret-name" not in first
    assert functions.uploaded[0][::2] == ("settlements", b"a,b\n")


@pytest.mark.parametrize("trouble", ["refusal", "fails"])
def test_what_is_refused_says_why(functions: FakeReconciler, trouble: str) -> None:
    setattr(functions, trouble, "The span must have ended." if trouble == "refusal" else True)
    result = run(functions, *ASKED)
    assert result.exit_code == (4 if trouble == "refusal" else 1)
    assert "payflowx: The " in result.output


def test_it_asks_for_a_reason(functions: FakeReconciler) -> None:
    assert run(functions, *SPAN).exit_code == 2
    assert functions.asked == []


@pytest.mark.parametrize("service", ["lambda", "s3"])
def test_a_right_that_is_missing_is_one_sentence(functions: FakeReconciler, service: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a,b\n")
    functions.denied = service
    result = run(functions, *ASKED, "--file", str(file))
    assert result.exit_code == 6
    assert result.stderr.startswith("payflowx: AWS does not let you ")
    assert "Traceback" not in result.output


def test_without_a_stage_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.target.ENVIRONMENT_FILE", tmp_path / "none.json")
    result = CliRunner().invoke(payflowx, ["reconcile", *ASKED])
    assert result.exit_code == 6
    assert "make run" in result.output
