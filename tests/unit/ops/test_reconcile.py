"""`payflowx reconcile`: what it asks of the function, what it shows, and how it ends."""

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ops.commands import reconcile as module
from ops.commands.reconcile import Reconciler, reconcile

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


@dataclass
class FakeFunctions:
    """Answers by command."""

    run: dict[str, Any]
    pages: list[list[dict[str, Any]]] = field(default_factory=lambda: [[]])
    phases: list[str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    refusal: str | None = None
    fails: bool = False

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        command = json.loads(Payload)
        self.asked.append(command)
        if self.fails:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b"{}")}
        if self.refusal:
            return _answer({"ok": False, "error": {"code": "x", "message": self.refusal}})
        if command["command"] == "reconcile":
            return _answer({"ok": True, "runs": [{**self.run, "phase": "theirs"}]})
        phase = self.phases.pop(0) if self.phases else self.run["phase"]
        page = int(command.get("after", 0))
        after = str(page + 1) if page + 1 < len(self.pages) else None
        run = {**self.run, "phase": phase}
        return _answer({"ok": True, "run": run, "findings": self.pages[page], "after": after})


@dataclass
class FakeFiles:
    uploaded: list[tuple[str, str, str]] = field(default_factory=list)

    def upload_file(self, path: str, bucket: str, key: str) -> None:
        self.uploaded.append((path, bucket, key))


def _answer(content: dict[str, Any]) -> dict[str, Any]:
    return {"Payload": io.BytesIO(json.dumps(content).encode())}


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> FakeFunctions:
    fake = FakeFunctions(dict(RUN))
    monkeypatch.setattr(module, "_POLL_SECONDS", 0)
    monkeypatch.setattr(
        module,
        "reconciler_of",
        lambda _env: Reconciler(functions=fake, files=FILES, function_name="f", bucket="b"),
    )
    FILES.uploaded.clear()
    return fake


FILES = FakeFiles()


def test_equal_books_end_well(functions: FakeFunctions) -> None:
    functions.phases = ["theirs", "ours"]
    result = CliRunner().invoke(reconcile, SPAN)
    assert result.exit_code == 0, result.output
    assert "3 matched" in result.output
    assert functions.asked[0] == {
        "command": "reconcile",
        "provider": "stripe",
        "fromMs": 1_789_948_800_000,
        "untilMs": 1_790_035_200_000,
        "again": 0,
    }


def test_differences_are_shown_page_by_page_and_end_with_three(functions: FakeFunctions) -> None:
    functions.run |= {"counts": {"matched": 1, "missing_here": 1}, "differences": 2}
    functions.pages = [[FINDING], [{**FINDING, "verdict": "missing_here", "transactionId": None}]]
    result = CliRunner().invoke(reconcile, SPAN)
    assert result.exit_code == 3
    assert "pay_1" in result.output
    assert "1 missing here" in result.output
    assert "docs/runbooks/reconciliation-difference.md" in result.output


def test_json_for_scripts(functions: FakeFunctions) -> None:
    functions.pages = [[FINDING]]
    result = CliRunner().invoke(reconcile, [*SPAN, "--json"])
    assert json.loads(result.output) == [{**RUN, "findings": [FINDING]}]


def test_a_run_that_could_not_be_read_says_so(functions: FakeFunctions) -> None:
    functions.run |= {"phase": "failed", "problem": "list_not_understood"}
    result = CliRunner().invoke(reconcile, SPAN)
    assert result.exit_code == 3
    assert "list_not_understood" in result.output


def test_a_file_is_named_by_its_content(functions: FakeFunctions, tmp_path: Path) -> None:
    file = tmp_path / "secret-name.csv"
    file.write_text("a,b\n")
    for _ in range(2):
        CliRunner().invoke(reconcile, [*SPAN, "--file", str(file), "--merchant", "acme", "--no-wait"])
    (first, second) = [command["file"] for command in functions.asked]
    assert first == second == FILES.uploaded[0][2]
    assert first.startswith("stripe/")
    assert "secret-name" not in first


@pytest.mark.parametrize("trouble", ["refusal", "fails"])
def test_what_is_refused_says_why(functions: FakeFunctions, trouble: str) -> None:
    setattr(functions, trouble, "The span must have ended." if trouble == "refusal" else True)
    result = CliRunner().invoke(reconcile, SPAN)
    assert result.exit_code == (4 if trouble == "refusal" else 1)
    assert "payflowx: The " in result.output


def test_without_a_stage_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.target.STAGE_FILE", tmp_path / "none.json")
    result = CliRunner().invoke(reconcile, SPAN)
    assert result.exit_code == 6
    assert "make run" in result.output
