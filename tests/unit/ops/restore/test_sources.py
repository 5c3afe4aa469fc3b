"""The sources of work, off and on again, against Lambda and CloudFormation as they answer."""

from collections.abc import Iterator
from typing import Any

import pytest

from ops.errors import OperatorError
from ops.restore.sources import AwsSources


class FakeAws:
    """Keeps reserved concurrencies and states of mappings, as Lambda does."""

    def __init__(self) -> None:
        self.reserved: dict[str, int] = {"Api-1": 40}
        self.enabled = {"uuid-jobs": True, "uuid-off": False}
        self.calls: list[str] = []

    def client(self, _service: str) -> "FakeAws":
        return self

    stack_prefix = "Prod"

    def get_paginator(self, _operation: str) -> "FakeAws":
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        rows = [
            ("AWS::Lambda::Function", "ApiFunction12", "Api-1"),
            ("AWS::Lambda::Function", "WorkerFunction34", "Worker-1"),
            ("AWS::Lambda::Function", "OperationsFunction56", "Operations-1"),
            ("AWS::Lambda::Function", "ReconcilerFunction78", "Reconciler-1"),
            ("AWS::Lambda::EventSourceMapping", "Jobs", "uuid-jobs"),
            ("AWS::Lambda::EventSourceMapping", "Off", "uuid-off"),
            ("AWS::SQS::Queue", "Queue", "jobs"),
        ]
        yield {
            "StackResourceSummaries": [
                {"ResourceType": kind, "LogicalResourceId": logical, "PhysicalResourceId": name}
                for kind, logical, name in rows
            ]
        }

    def get_event_source_mapping(self, *, UUID: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        return {"State": "Enabled" if self.enabled[UUID] else "Disabled"}

    def update_event_source_mapping(self, *, UUID: str, Enabled: bool) -> None:  # noqa: N803 - as above
        self.calls.append(f"{UUID} {Enabled}")
        self.enabled[UUID] = Enabled

    def get_function_concurrency(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803 - as above
        found = self.reserved.get(FunctionName)
        return {} if found is None else {"ReservedConcurrentExecutions": found}

    def put_function_concurrency(self, *, FunctionName: str, ReservedConcurrentExecutions: int) -> None:  # noqa: N803
        self.calls.append(f"{FunctionName} {ReservedConcurrentExecutions}")
        self.reserved[FunctionName] = ReservedConcurrentExecutions

    def delete_function_concurrency(self, *, FunctionName: str) -> None:  # noqa: N803 - as above
        self.reserved.pop(FunctionName, None)


def test_off_and_on_leave_everything_as_it_was() -> None:
    aws = FakeAws()
    sources = AwsSources(target=aws)  # type: ignore[arg-type]
    states = sources.states()
    sources.switch_off(states)
    assert aws.reserved == {"Api-1": 0, "Worker-1": 0}
    assert aws.enabled == {"uuid-jobs": False, "uuid-off": False}
    assert aws.calls[0].startswith("uuid")
    sources.switch_off(states)
    sources.switch_on(states)
    assert aws.reserved == {"Api-1": 40}
    assert aws.enabled == {"uuid-jobs": True, "uuid-off": False}


def test_commands_of_operators_go_on() -> None:
    names = set(AwsSources(target=FakeAws()).states())  # type: ignore[arg-type]
    assert names == {"function Api-1", "function Worker-1", "mapping uuid-jobs", "mapping uuid-off"}


def test_sources_that_another_restore_switched_off_are_refused_because_they_would_stay_off() -> None:
    aws = FakeAws()
    sources = AwsSources(target=aws)  # type: ignore[arg-type]
    sources.check()
    sources.switch_off(sources.states())
    with pytest.raises(OperatorError, match="Api-1, Worker-1"):
        sources.check()


def test_a_lost_journal_is_no_reason_to_leave_them_off() -> None:
    aws = FakeAws()
    lost = AwsSources(target=aws)  # type: ignore[arg-type]
    lost.switch_off(lost.states())
    sources = AwsSources(target=aws, all_on=True)  # type: ignore[arg-type]
    sources.check()
    states = sources.states()
    sources.switch_off(states)
    sources.switch_on(states)
    assert aws.reserved == {}
    assert aws.enabled == {"uuid-jobs": True, "uuid-off": True}


def test_so_is_a_restore_that_was_killed_before_it_came_to_the_functions() -> None:
    aws = FakeAws()
    aws.enabled["uuid-jobs"] = False
    with pytest.raises(OperatorError, match="every queue"):
        AwsSources(target=aws).check()  # type: ignore[arg-type]
