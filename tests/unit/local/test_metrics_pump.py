"""Samples from log lines in the embedded metric format, and from the API's answers."""

import json
from collections import deque

import pytest

from local.engine import Engine
from local.gateway_server import Answered
from local.metrics_pump import MetricsPump, samples_of


def test_metrics_in_a_log_line() -> None:
    line = {
        "_aws": {
            "Timestamp": 1_790_000_000_000,
            "CloudWatchMetrics": [
                {"Namespace": "N", "Dimensions": [["service"], []], "Metrics": [{"Name": "M", "Unit": "Count"}]}
            ],
        },
        "service": "worker",
        "M": [2, 3],
    }
    samples = list(samples_of("2026-11-23 INFO " + json.dumps(line)))
    assert [(namespace, datum["Value"]) for namespace, datum in samples] == [("N", 2.0), ("N", 3.0)] * 2
    assert samples[0][1]["Dimensions"] == [{"Name": "service", "Value": "worker"}]


@pytest.mark.parametrize("line", ["", "plain", '{"message": "x"}', '{"_aws": broken'])
def test_other_lines_hold_no_metrics(line: str) -> None:
    assert list(samples_of(line)) == []


def test_answers_of_the_api_become_its_metrics() -> None:
    answered = deque([Answered(202, 12), Answered(503, 40), Answered(422, 3)])
    pump = MetricsPump(Engine(endpoint_url="http://127.0.0.1:1", region="eu-west-1"), {}, "Api", "v1", answered)
    samples = [datum for _, datum in pump._api_samples()]
    values = {
        name: [d["Value"] for d in samples if d["MetricName"] == name] for name in {d["MetricName"] for d in samples}
    }
    assert values == {
        "Count": [1.0, 1.0, 1.0],
        "5XXError": [0.0, 1.0, 0.0],
        "4XXError": [0.0, 0.0, 1.0],
        "Latency": [12.0, 40.0, 3.0],
    }
    assert all(
        datum["Dimensions"] == [{"Name": "ApiName", "Value": "Api"}, {"Name": "Stage", "Value": "v1"}]
        for datum in samples
    )
    assert not answered
