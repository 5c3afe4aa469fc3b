"""Consoles over the real operators' handler and the in-memory model of DynamoDB."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ops.target import Target
from payflowx.domain.payments.outcome import Mismatch, Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.entrypoints.operators import protocol
from payflowx.entrypoints.operators.commands.registry import RUNNERS
from payflowx.wiring.operators import OperatorsWiring
from tests.support.world import MERCHANT, World
from tests.unit.ops.console.harness import Browser, browser_of
from tests.unit.ops.test_commands import LocalTarget

Invoke = Callable[[Mapping[str, Any]], dict[str, Any]]


class CloudWatch:
    """Samples of one minute, as `GetMetricData` gives them."""

    def __init__(self) -> None:
        self.samples: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
        self.alarms: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []

    def put(self, name: str, value: float, **dimensions: str) -> None:
        self.samples[name, tuple(sorted({"environment": "dev", **dimensions}.items()))] = value

    def describe_alarms(self, **_asked: Any) -> dict[str, Any]:
        return {"MetricAlarms": self.alarms}

    def get_paginator(self, operation: str) -> Any:
        pages = {"list_metrics": self._listed, "get_metric_data": self._data}[operation]
        return type("Paginator", (), {"paginate": staticmethod(pages)})

    def _listed(self, **asked: Any) -> list[dict[str, Any]]:
        found = [
            {"MetricName": name, "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions]}
            for name, dimensions in self.samples
            if name == asked["MetricName"]
        ]
        return [{"Metrics": found}]

    def _data(self, **asked: Any) -> list[dict[str, Any]]:
        self.asked.append(asked)
        results = []
        for query in asked["MetricDataQueries"]:
            metric = query["MetricStat"]["Metric"]
            key = (metric["MetricName"], tuple(sorted((one["Name"], one["Value"]) for one in metric["Dimensions"])))
            known = [self.samples[key]] if key in self.samples else []
            at = asked["EndTime"] - timedelta(seconds=query["MetricStat"]["Period"])
            results.append({"Id": query["Id"], "Timestamps": [at] * len(known), "Values": known})
        return [{"MetricDataResults": results}]


@dataclass(frozen=True, kw_only=True)
class ModelTarget(LocalTarget):
    """The local environment, with a CloudWatch of ours."""

    measured: list[CloudWatch] = field(default_factory=list)

    def client(self, service: str) -> Any:
        assert service == "cloudwatch", service
        return self.measured[0]


def handler_of(world: World, **answers: Any) -> Invoke:
    """The real handler; `answers` are those of commands that reach outside of the model."""
    answers = {"list_merchants": {"items": [{"merchantId": MERCHANT}], "nextAfter": None}, **answers}

    def invoke(command: Mapping[str, Any]) -> dict[str, Any]:
        if command["command"] in answers:
            return {"ok": True, **answers[command["command"]]}
        return protocol.answer(command, world.wired(OperatorsWiring), RUNNERS)

    return invoke


QUEUES = {"items": [{"queue": "jobs", "waiting": 3, "dead": 2, "deadHidden": 0}]}
HEALTH = {
    "items": [{"check": "queues", "health": "error", "words": "2 dead letters in jobs.", "advice": "dlq explain"}]
}


@pytest.fixture
def cloudwatch() -> CloudWatch:
    return CloudWatch()


@pytest.fixture
def world() -> World:
    made = World()
    made.clock.at_ms = int(datetime.now(UTC).timestamp() * 1_000) - 3_600_000
    return made


@pytest.fixture
def target(cloudwatch: CloudWatch) -> Target:
    return ModelTarget(
        name="local",
        outputs={},
        options={},
        base_url="http://127.0.0.1:3000",
        stack_prefix="Dev",
        merchant=MERCHANT,
        measured=[cloudwatch],
    )


@pytest.fixture
def browser(world: World, target: Target) -> Browser:
    invoke = handler_of(world, count_dead_letters=QUEUES, diagnose=HEALTH)
    return browser_of(invoke, may_write=True, target=target).enter()


def succeeded(world: World, key: str = "order-1", **changes: Any) -> Payment:
    payment = world.accept(key, **changes)
    world.work_until_idle()
    return world.now(payment)


def mismatched(world: World, key: str = "order-2") -> Payment:
    """A payment in review: the provider reported another amount."""
    payment = world.accept(key)
    reported = Mismatch(code="amount", reference="ch_1", amount=1_998, currency="USD")
    world.providers.get("alpha").charges = [reported]
    world.work()
    return world.now(payment)


def unknown(world: World, key: str = "order-3") -> Payment:
    """A payment whose charge got no answer yet."""
    payment = world.accept(key)
    world.providers.get("alpha").charges = [Unknown(code="read_timeout")]
    world.work()
    return world.now(payment)
