"""Every metric is one of the list, is written somewhere, and has the dimensions that the list says."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from payflowx.domain.shared.metrics import DIMENSIONS, Metric

PACKAGE = Path(__file__).resolve().parents[2] / "functions" / "payflowx"
CLOSED = {"status", "provider", "outcome", "kind", "queue"}
"""Enums, and providers of the registry. A merchant, an id, a code or a text of a provider would never end."""


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"count", "milliseconds", "seconds"}
                and "telemetry" in ast.unparse(node.func.value)
            ):
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node


CALLS = list(calls())


def metric_of(call: ast.Call) -> Metric:
    name = call.args[0]
    assert isinstance(name, ast.Attribute), ast.unparse(call)
    assert ast.unparse(name.value) == "Metric", ast.unparse(call)
    return Metric[name.attr]


@pytest.mark.parametrize(("where", "call"), CALLS, ids=[where for where, _ in CALLS])
def test_a_metric_is_written_with_exactly_its_dimensions(where: str, call: ast.Call) -> None:
    given = {keyword.arg for keyword in call.keywords} - {"value"}
    assert given == DIMENSIONS.get(metric_of(call), frozenset())


def test_every_metric_is_written() -> None:
    assert {metric_of(call) for _, call in CALLS} == set(Metric)


def test_no_dimension_can_explode() -> None:
    assert {name for names in DIMENSIONS.values() for name in names} <= CLOSED
