"""Every finding about real AWS is mended with a test that exists, has a step of `make certify-aws`, or is refused."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).resolve().parents[3]
OPERATIONS: Final = ROOT / "docs" / "operations"
ROW: Final = re.compile(r"^\| ([A-E]\d*) \| (.+?) \| ([a-z ]+) \| (.+) \|$", re.MULTILINE)
TEST: Final = re.compile(r"`(tests/[^`:]+)::([^`]+)`")
STEPS: Final = re.compile(r"\bSteps? `([\w-]+)`(?: and `([\w-]+)`)?")
STEP_ROW: Final = re.compile(r"^\| ([a-z-]+) \| .+\? \|", re.MULTILINE)
EXPECTED: Final = {
    *(f"A{number}" for number in range(1, 5)),
    *(f"B{number}" for number in range(1, 18)),
    "C",
    *(f"D{number}" for number in range(1, 10)),
    "E",
}
_SHORTEST_REASON: Final = 40


class Finding(NamedTuple):
    number: str
    words: str
    state: str
    by: str


FINDINGS: Final = [Finding(*row) for row in ROW.findall((OPERATIONS / "aws-findings.md").read_text())]
CERTIFIED: Final = set(STEP_ROW.findall((OPERATIONS / "certify-aws.md").read_text()))
"""A test holds that page to the steps."""


def held_by(finding: Finding) -> list[tuple[str, str]]:
    return TEST.findall(finding.by)


def steps_of(finding: Finding) -> list[str]:
    return [name for found in STEPS.findall(finding.by) for name in found if name]


def names_in(file: str) -> Iterator[str]:
    """`test_x`, or `TestClass::test_x`."""
    for node in ast.parse((ROOT / file).read_text()).body:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}::{part.name}" for part in node.body if isinstance(part, ast.FunctionDef))


def test_none_is_forgotten() -> None:
    assert {finding.number for finding in FINDINGS} == EXPECTED
    lines = (OPERATIONS / "aws-findings.md").read_text().splitlines()
    assert len(FINDINGS) == sum(bool(re.match(r"\| [A-E]\d* \|", line)) for line in lines)


@pytest.mark.parametrize("finding", FINDINGS, ids=[f"{f.number}-{f.words[:30]}" for f in FINDINGS])
def test_a_finding_has_what_its_state_promises(finding: Finding) -> None:
    missing = [f"{file}::{name}" for file, name in held_by(finding) if name not in set(names_in(file))]
    assert missing == []
    assert set(steps_of(finding)) <= CERTIFIED
    match finding.state:
        case "mended":
            assert held_by(finding) or "cfn-lint" in finding.by
        case "to be seen":
            assert held_by(finding)
            assert steps_of(finding)
        case "refused":
            assert len(finding.by) >= _SHORTEST_REASON
        case other:
            pytest.fail(f"{other} is no state of a finding")


def test_a_step_settles_a_finding_or_is_asked_by_the_run_itself() -> None:
    settled = {step for finding in FINDINGS for step in steps_of(finding)}
    assert CERTIFIED - settled == {"bootstrap", "merchant", "payments", "queue", "sources"}
