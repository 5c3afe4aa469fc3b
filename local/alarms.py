"""`python -m local.alarms`: every alarm of the running local environment and its state.

The engine evaluates the plain alarms. Composite alarms and those on metric math, which it cannot hold, are evaluated
here, from the synthesized template and the engine's metrics.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from local.alarm_math import composite_fires, fires
from local.console import say
from local.engine import Engine
from local.paths import ENVIRONMENT_FILE
from local.template_merge import read_stacks

_STACK: Final = "Dev-Service"
_METRIC: Final = "AWS::CloudWatch::Alarm"
_COMPOSITE: Final = "AWS::CloudWatch::CompositeAlarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmState:
    """`evaluated_by` is `engine`, or `here` for an alarm that the engine cannot hold."""

    name: str
    state: str
    evaluated_by: str
    description: str


def alarm_states(engine: Engine, template: Mapping[str, Any]) -> list[AlarmState]:
    """All alarms of a template, those that fire first."""
    reader = _Reader(engine, datetime.now(UTC))
    states: dict[str, AlarmState] = {}
    for name, properties in _resources(template, _METRIC):
        if "Metrics" in properties:
            states[name] = _evaluated(name, properties, firing=fires(properties, reader.read))
    for name, alarm in reader.held(dict(_resources(template, _METRIC)).keys() - states.keys()):
        description = alarm.get("AlarmDescription", "")
        states[name] = AlarmState(name=name, state=alarm["StateValue"], evaluated_by="engine", description=description)
    firing = {name for name, state in states.items() if state.state == "ALARM"}
    for name, properties in _resources(template, _COMPOSITE):
        rule = properties["AlarmRule"]
        states[name] = _evaluated(name, properties, firing=composite_fires(rule, firing.__contains__))
    return sorted(states.values(), key=lambda state: (state.state != "ALARM", state.name))


def _evaluated(name: str, properties: Mapping[str, Any], *, firing: bool) -> AlarmState:
    state = "ALARM" if firing else "OK"
    return AlarmState(name=name, state=state, evaluated_by="here", description=properties["AlarmDescription"])


def _resources(template: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, resource in template["Resources"].items():
        if resource["Type"] == kind:
            yield name, resource["Properties"]


@dataclass(frozen=True)
class _Reader:
    """The engine's metrics, in periods that end now."""

    engine: Engine
    now: datetime

    def read(self, stat: Mapping[str, Any], back: int) -> float | None:
        """One value of a `MetricStat`; None without samples."""
        period = timedelta(seconds=stat["Period"])
        metric, end = stat["Metric"], self.now - back * period
        points = self.engine.client("cloudwatch").get_metric_statistics(
            Namespace=metric["Namespace"],
            MetricName=metric["MetricName"],
            Dimensions=[
                {**dimension, "Value": self._resolved(dimension["Value"])} for dimension in metric.get("Dimensions", [])
            ],
            StartTime=end - period,
            EndTime=end,
            Period=stat["Period"],
            Statistics=[stat["Stat"]],
        )["Datapoints"]
        # A period of the engine may begin before ours does: what we asked for may come in two parts.
        return float(sum(point[stat["Stat"]] for point in points)) if points else None

    def _resolved(self, value: Any) -> str:
        """A text, or the exported value of another stack."""
        return str(self.exports[value["Fn::ImportValue"]]) if isinstance(value, Mapping) else str(value)

    @cached_property
    def exports(self) -> Mapping[str, str]:
        pages = self.engine.client("cloudformation").get_paginator("list_exports").paginate()
        return {export["Name"]: export["Value"] for page in pages for export in page["Exports"]}

    def held(self, names: set[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The engine's alarms by the logical ids that their names were made from."""
        pages = self.engine.client("cloudwatch").get_paginator("describe_alarms").paginate()
        for alarm in (alarm for page in pages for alarm in page["MetricAlarms"]):
            for name in names:
                if name in alarm["AlarmName"]:
                    yield name, alarm


def main() -> int:
    """0 when the alarms were listed, whatever their states; 1 when they could not be read."""
    try:
        environment = json.loads(ENVIRONMENT_FILE.read_text())
        engine = Engine(endpoint_url=environment["endpointUrl"], region=environment["region"])
        states = alarm_states(engine, read_stacks(_STACK.split("-", maxsplit=1)[0])[_STACK].template)
    except FileNotFoundError:
        sys.stderr.write("payflowx: no local environment is running here; start one with `make run`.\n")
        return 1
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        sys.stderr.write(f"payflowx: the local engine does not answer ({type(error).__name__}). Does `make run` run?\n")
        return 1
    for state in states:
        say(f"{state.state:<18} {state.name:<48} {state.evaluated_by:<7} {state.description}")
    say(f"\n{summary(states)}")
    return 0


def summary(states: Sequence[AlarmState]) -> str:
    """One sentence about all of them."""
    active = [state.name for state in states if state.state == "ALARM"]
    if not active:
        return f"None of the {len(states)} alarms is active."
    names = ", ".join(active)
    return f"{len(active)} of the {len(states)} alarms {'is' if len(active) == 1 else 'are'} active: {names}."


if __name__ == "__main__":
    sys.exit(main())
