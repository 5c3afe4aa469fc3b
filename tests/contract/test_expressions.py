"""What is really sent to DynamoDB: expressions that AWS accepts, whatever the engine would let pass."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.domain.payments.outcome import Progress, Unknown
from tests.support.world import World, fallback

ARITHMETIC = re.compile(r"[\w)]\s*[+*/-]\s*[:#(\w]")


class Recording:
    """The requests of a world, from now on."""

    def __init__(self, world: World) -> None:
        self.requests: list[Mapping[str, Any]] = []
        world.dynamodb.before = lambda _method, request: self.requests.append(request)

    def expressions(self) -> list[Mapping[str, Any]]:
        """Every request, those inside transactions too."""
        flat: list[Mapping[str, Any]] = []
        for request in self.requests:
            inner = request.get("TransactItems", [])
            flat += [next(iter(item.values())) for item in inner] or [request]
        return flat


@pytest.fixture
def recorded(dynamodb: Any) -> Recording:
    """A payment's life with every kind of write."""
    world = World(database=dynamodb)
    recording = Recording(world)
    world.rules.document = fallback("gamma", "alpha")
    world.providers.get("gamma").steps = ("order_id",)
    world.providers.get("gamma").charges = [Progress(facts={"order_id": "o"}), Unknown(code="read_timeout")]
    world.providers.get("gamma").inquiries = [Unknown(code="http_500"), "charged"]
    payment = world.accept()
    world.work_until_idle()
    world.sweep(world.deadline)
    assert world.now(payment).charged_attempt == 1
    return recording


def test_no_condition_computes(recorded: Recording) -> None:
    conditions = [r["ConditionExpression"] for r in recorded.expressions() if "ConditionExpression" in r]
    assert len(conditions) > 8
    for condition in conditions:
        assert not ARITHMETIC.search(condition), condition


def test_every_write_is_conditional(recorded: Recording) -> None:
    for request in recorded.expressions():
        if "UpdateExpression" in request or "Item" in request:
            assert request["ConditionExpression"]


def test_every_alias_is_used_and_every_use_is_defined(recorded: Recording) -> None:
    for request in recorded.expressions():
        texts = " ".join(
            request.get(f"{name}Expression", "") for name in ("Condition", "Update", "KeyCondition", "Projection")
        )
        used = set(re.findall(r"[:#]\w+", texts))
        defined = {*request.get("ExpressionAttributeNames", {}), *request.get("ExpressionAttributeValues", {})}
        assert used == defined


def test_items_are_read_consistently(recorded: Recording) -> None:
    reads = [r for r in recorded.requests if "Key" in r and "UpdateExpression" not in r]
    assert reads
    assert all(r["ConsistentRead"] for r in reads)


def test_a_good_payment_takes_three_calls(dynamodb: Any) -> None:
    """Once the functions know the merchant and the routing document."""
    world = World(database=dynamodb)
    world.accept("order-0")
    world.work()
    recording = Recording(world)
    world.accept()
    world.work()
    assert [sorted(r) for r in recording.requests if "Key" in r and "UpdateExpression" not in r] == []
    assert len(recording.requests) == 3
    assert len(world.jobs.sent) == 0


def test_an_update_sets_what_changed_and_removes_what_is_gone() -> None:
    expression = Expression()
    text = expression.update({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 5, "c": None, "d": 7, "e": None})
    assert text == "SET #b = :v0, #d = :v1 REMOVE #c"
    assert expression.values == {":v0": {"N": "5"}, ":v1": {"N": "7"}}
