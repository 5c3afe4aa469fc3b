"""The templates of production and the differences of the other environments, so that a review sees each change.

The other tests of this folder state the rules and say why; a snapshot only says that something has changed. Run
`pytest tests/infra/test_snapshots.py --snapshot-update` after a wanted change, and read the difference.
"""

import json
import re
from collections.abc import Set
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.infra.conftest import normalized, template


@pytest.fixture
def snapshot_json(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


@pytest.mark.parametrize("stack", ["Prod-Data", "Prod-Service", "Dev-Sandbox"])
def test_template(stack: str, snapshot_json: SnapshotAssertion) -> None:
    assert normalized(template(stack)) == snapshot_json


@pytest.mark.parametrize("other", ["Dev", "Staging"])
@pytest.mark.parametrize("stack", ["Data", "Service"])
def test_difference_from_production(stack: str, other: str, snapshot_json: SnapshotAssertion) -> None:
    found = [nameless(stage, normalized(template(f"{stage}-{stack}"))["Resources"]) for stage in (other, "Prod")]
    common = found[0].keys() & found[1].keys()
    left, right = (flat(summarized(resources, common)) for resources in found)
    paths = sorted(set(left) | set(right))
    difference = {
        path: {other: left.get(path, "-"), "Prod": right.get(path, "-")}
        for path in paths
        if left.get(path, "-") != right.get(path, "-")
    }
    assert difference == snapshot_json


def summarized(resources: dict[str, Any], common: Set[str]) -> dict[str, Any]:
    """What one environment has alone is named by its type: its properties are no difference from anything."""
    return {name: found if name in common else found["Type"] for name, found in resources.items()}


def nameless(stage: str, found: dict[str, Any]) -> Any:
    """The stage's own name is no difference, nor are the hashes of ids that hold it."""
    text = json.dumps(found).replace(stage, "Stage")
    text = re.sub(rf"(?<=[/\"-]){stage.lower()}(?=[/\"])", "stage", text)
    return json.loads(re.sub(r"\w*Stage\w+", lambda name: re.sub("[0-9A-F]{8}", "", name[0]), text))


def flat(node: Any, path: str = "") -> dict[str, Any]:
    if isinstance(node, dict):
        return {p: v for key, value in node.items() for p, v in flat(value, f"{path}/{key}").items()}
    if isinstance(node, list):
        return {p: v for place, value in enumerate(node) for p, v in flat(value, f"{path}/{place}").items()}
    return {path: node}
