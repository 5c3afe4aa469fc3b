"""Every call of the database that a function makes has a right in the templates.

The local engine enforces rights on what its tests happen to do. The simulator does far more with the same code, and
runs here with clients that remember which function called what.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from simulation.functions import FUNCTIONS, Instance, Platform
from simulation.world import Plan, World
from tests.infra.deployed import Right, functions

_WRITES: Final = {"Put": "PutItem", "Update": "UpdateItem", "ConditionCheck": "ConditionCheckItem"}
_PLANS: Final = (Plan(1), Plan(2), Plan(3), Plan(1, scenario="operations"), Plan(1, scenario="false_reports"))


@dataclass(frozen=True, slots=True)
class Call:
    """One action of a function on a table or one of its indexes. `partition` is the beginning of the item's key."""

    handler: str
    action: str
    table: str
    index: str | None = None
    partition: str | None = None

    def is_granted_by(self, right: Right) -> bool:
        place = f"/index/{self.index}" if self.index else "/index/"
        fits = (place in right.resource) is bool(self.index)
        is_theirs = right.action == f"dynamodb:{self.action}" and f"Tables{self.table}" in right.resource
        return is_theirs and fits and self._fits(right.condition)

    def _fits(self, condition: str | None) -> bool:
        """A condition names the partitions that the right is confined to."""
        if condition is None:
            return True
        return self.partition is not None and f'"{self.partition}#*"' in condition


@dataclass(frozen=True, slots=True)
class Recording:
    """A client of the database that remembers each call."""

    client: Any
    handler: str
    calls: set[Call]

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.client, name)

        def recorded(**request: Any) -> Any:
            self.calls.update(self._of(name, request))
            return call(**request)

        return recorded

    def _of(self, name: str, request: Mapping[str, Any]) -> Iterator[Call]:
        match name:
            case "transact_write_items":
                for item in request["TransactItems"]:
                    ((kind, write),) = item.items()
                    yield self._one(_WRITES[kind], write)
            case "batch_get_item":
                for table, asked in request["RequestItems"].items():
                    for key in asked["Keys"]:
                        yield Call(self.handler, "BatchGetItem", table, partition=_partition(key))
            case "batch_write_item":
                for table, writes in request["RequestItems"].items():
                    for write in writes:
                        yield Call(
                            self.handler, "BatchWriteItem", table, partition=_partition(write["PutRequest"]["Item"])
                        )
            case _:
                yield self._one("".join(word.capitalize() for word in name.split("_")), request)

    def _one(self, action: str, request: Mapping[str, Any]) -> Call:
        key = request.get("Key") or request.get("Item")
        return Call(
            self.handler, action, request["TableName"], request.get("IndexName"), _partition(key) if key else None
        )


def _partition(key: Mapping[str, Any]) -> str:
    return str(key["pk"]["S"]).partition("#")[0]


@pytest.fixture(scope="module")
def calls() -> set[Call]:
    """Of some simulated weeks, in which payments of every kind meet faults of every kind."""
    found: set[Call] = set()
    new = Platform._new

    def recording(platform: Platform, function: str) -> Instance:
        before = platform.clients, platform.newer_clients
        handler = FUNCTIONS[function].module.__name__
        platform.clients, platform.newer_clients = (
            {**clients, "dynamodb": Recording(clients["dynamodb"], handler, found)} for clients in before
        )
        try:
            return new(platform, function)
        finally:
            platform.clients, platform.newer_clients = before

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Platform, "_new", recording)
        for plan in _PLANS:
            World(plan).run()
    return found


def test_every_call_of_the_database_has_a_right(calls: set[Call]) -> None:
    rights = {function.handler: function.rights for function in functions("Prod-Service")}
    missing = {call for call in calls if not any(map(call.is_granted_by, rights[call.handler]))}
    assert sorted(map(repr, missing)) == []
