"""Payments by the correlation id of a request."""

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from ops.errors import OperatorError
from ops.log_search import payments_of_correlation
from ops.target import Target
from tests.unit.ops.test_commands import LocalTarget


def line(correlation_id: str, transaction_id: str | None = "pay_aaaaaaaaaaaaaaaa") -> dict[str, str]:
    return {
        "message": json.dumps(
            {"correlationId": correlation_id, "merchantId": "acme", "transactionId": transaction_id, "level": "INFO"}
        )
    }


class Logs:
    """CloudWatch Logs and CloudFormation, as far as they are asked."""

    def __init__(self, *events: dict[str, str]) -> None:
        self.events = events
        self.asked: list[dict[str, Any]] = []

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_stack_resources"
        resources = [
            {"ResourceType": "AWS::Logs::LogGroup", "PhysicalResourceId": "api-log"},
            {"ResourceType": "AWS::Lambda::Function", "PhysicalResourceId": "api"},
            {"ResourceType": "AWS::Logs::LogGroup", "PhysicalResourceId": "worker-log"},
        ]
        pages = [{"StackResourceSummaries": resources[:2]}, {"StackResourceSummaries": resources[2:]}]

        def paginate(**asked: Any) -> list[dict[str, Any]]:
            self.asked.append(asked)
            return pages

        return SimpleNamespace(paginate=paginate)

    def filter_log_events(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return {"events": list(self.events)}


@dataclass(frozen=True, kw_only=True)
class LoggedTarget(LocalTarget):
    logs: Logs = field(default_factory=Logs)

    def client(self, service: str) -> Any:
        return self.logs


def target_of(logs: Logs) -> Target:
    return LoggedTarget(name="dev", outputs={}, options={}, base_url="", stack_prefix="Dev", logs=logs)


def test_each_payment_is_found_once_in_the_logs_of_the_stack() -> None:
    other = line("c-1", "pay_bbbbbbbbbbbbbbbb")
    logs = Logs(
        line("c-1"), line("c-1"), other, line("c-10"), line("c-1", None), {"message": "no JSON"}, {"message": "[]"}
    )
    found = payments_of_correlation(target_of(logs), "c-1", hours=24)
    assert [one["transactionId"] for one in found] == ["pay_aaaaaaaaaaaaaaaa", "pay_bbbbbbbbbbbbbbbb"]
    assert {one["merchantId"] for one in found} == {"acme"}
    assert logs.asked[0] == {"StackName": "Dev-Service"}
    assert [one["logGroupName"] for one in logs.asked[1:]] == ["api-log", "worker-log"]
    assert {one["filterPattern"] for one in logs.asked[1:]} == {'"c-1"'}
    assert all(one["limit"] == 200 for one in logs.asked[1:])


@pytest.mark.parametrize("text", ["", "a b", 'x" "y', "x" * 65, "{ $.a = 1 }"])
def test_what_is_no_correlation_id_is_not_sent(text: str) -> None:
    logs = Logs()
    with pytest.raises(OperatorError):
        payments_of_correlation(target_of(logs), text, hours=24)
    assert logs.asked == []
