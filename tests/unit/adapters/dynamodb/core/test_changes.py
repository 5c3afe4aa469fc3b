"""An update names what it changes and nothing else."""

from typing import Any

import pytest

from payflowx.adapters.dynamodb.core.changes import changes
from payflowx.adapters.dynamodb.core.expressions import Expression


@pytest.mark.parametrize(
    ("before", "after", "changed", "removed"),
    [
        ({"a": 1}, {"a": 1}, [], []),
        ({"a": 1}, {"a": None}, [], [("a",)]),
        ({"a": 1}, {}, [], [("a",)]),
        ({"lease": {"owner": "x", "epoch": 1}}, {"lease": {"owner": "", "epoch": 1}}, [(("lease", "owner"), "")], []),
        (
            {"attempts": [{"number": 1, "state": "STARTED", "code": "late"}]},
            {"attempts": [{"number": 1, "state": "UNKNOWN"}]},
            [(("attempts", 0, "state"), "UNKNOWN")],
            [("attempts", 0, "code")],
        ),
        (
            {"attempts": [{"number": 1, "state": "STARTED"}]},
            {"attempts": [{"number": 1, "state": "DECLINED"}, {"number": 2, "state": "STARTED"}]},
            [(("attempts", 0, "state"), "DECLINED"), (("attempts", 1), {"number": 2, "state": "STARTED"})],
            [],
        ),
        (
            {"deliveries": {"we_1": {"state": "pending", "attempts": 0}}},
            {"deliveries": {"we_1": {"state": "pending", "attempts": 1}, "we_2": {"state": "pending"}}},
            [(("deliveries", "we_1", "attempts"), 1), (("deliveries", "we_2"), {"state": "pending"})],
            [],
        ),
        ({"endpoints": [{"id": "1"}, {"id": "2"}]}, {"endpoints": [{"id": "2"}]}, [], [("endpoints", 0)]),
        (
            {"endpoints": [{"id": "1"}, {"id": "2"}]},
            {"endpoints": [{"id": "2", "url": "u"}]},
            [(("endpoints",), [{"id": "2", "url": "u"}])],
            [],
        ),
        ({"lastError": {"code": "a"}}, {"lastError": {"code": "b"}}, [(("lastError",), {"code": "b"})], []),
    ],
)
def test_changes(before: dict[str, Any], after: dict[str, Any], changed: list[Any], removed: list[Any]) -> None:
    assert changes(before, after) == (changed, removed)


def test_the_text_of_an_update() -> None:
    expression = Expression()
    before = {"version": 1, "dueAt": 5, "attempts": [{"number": 1, "state": "STARTED"}]}
    text = expression.update(before, {"version": 2, "dueAt": None, "attempts": [{"number": 1, "state": "UNKNOWN"}]})
    assert text == "SET #version = :v0, #attempts[0].#state = :v1 REMOVE #dueAt"
    assert expression.arguments() == {
        "ExpressionAttributeNames": {
            "#version": "version",
            "#attempts": "attempts",
            "#state": "state",
            "#dueAt": "dueAt",
        },
        "ExpressionAttributeValues": {":v0": {"N": "2"}, ":v1": {"S": "UNKNOWN"}},
    }
