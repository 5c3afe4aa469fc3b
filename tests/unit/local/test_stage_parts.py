"""The parts of the local stage that need no stage."""

import json
from collections import deque
from typing import Any

import pytest

from local.alarm_math import composite_fires, fires
from local.engine import Engine
from local.errors import StageError
from local.gateway_server import Front, check_port
from local.metrics_pump import MetricsPump, samples_of
from local.processes import free_port
from local.template_adapter import adapt


def template(**resources: dict[str, Any]) -> dict[str, Any]:
    return {"Resources": resources}


def test_what_the_engine_refuses_is_left_out_of_a_copy_and_said() -> None:
    before = template(
        Math={"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": []}},
        Plain={"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "x"}, "DependsOn": ["Acl", "Math"]},
        Acl={"Type": "AWS::WAFv2::WebACLAssociation", "Properties": {}},
    )
    untouched = json.dumps(before)
    after, made = adapt(before)
    assert json.dumps(before) == untouched
    assert set(after["Resources"]) == {"Plain"}
    assert after["Resources"]["Plain"]["DependsOn"] == []
    assert sorted(str(adaptation) for adaptation in made) == [
        "Acl (AWS::WAFv2::WebACLAssociation): left out, because the engine cannot put a web ACL in front of an API",
        (
            "Math (AWS::CloudWatch::Alarm): left out, because the engine cannot compute metric math; "
            "`make alarms` evaluates it"
        ),
    ]


def test_a_template_that_the_engine_takes_is_not_changed() -> None:
    plain = template(Queue={"Type": "AWS::SQS::Queue", "Properties": {}})
    assert adapt(plain) == (plain, [])


def test_a_secret_is_referred_to_by_its_arn() -> None:
    before = template(
        Secret={"Type": "AWS::SecretsManager::Secret", "Properties": {}},
        Function={
            "Type": "AWS::Lambda::Function",
            "Properties": {"Environment": [{"Ref": "Secret"}, {"Ref": "Other"}]},
        },
    )
    before["Outputs"] = {"SecretArn": {"Value": {"Ref": "Secret"}}}
    after, (made,) = adapt(before)
    by_arn = {"Fn::GetAtt": ["Secret", "Id"]}
    assert after["Resources"]["Function"]["Properties"]["Environment"] == [by_arn, {"Ref": "Other"}]
    assert after["Outputs"]["SecretArn"]["Value"] == by_arn
    assert "AWS's the ARN" in str(made)


def test_policies_that_only_refuse_plain_http_go_where_rights_are_enforced() -> None:
    def policy(*statements: dict[str, Any]) -> dict[str, Any]:
        return {"Type": "AWS::SQS::QueuePolicy", "Properties": {"PolicyDocument": {"Statement": list(statements)}}}

    plain_http = {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    before = template(Tls=policy(plain_http), More=policy(plain_http, {"Effect": "Allow", "Condition": {}}))
    assert adapt(before) == (before, [])
    after, _ = adapt(before, rights_enforced=True)
    assert set(after["Resources"]) == {"More"}


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


def test_a_busy_port_is_said_at_once() -> None:
    port = free_port()
    front = Front(port, "http://127.0.0.1:9")
    with pytest.raises(StageError, match=f"Port {port} cannot be used"):
        check_port(port)
    with pytest.raises(StageError, match=f"PORT={port + 1}"):
        Front(port, "http://127.0.0.1:9")
    front._server.server_close()
    check_port(port)


def test_the_front_answers_for_an_engine_that_is_gone() -> None:
    import urllib3

    front = Front(free_port(), f"http://127.0.0.1:{free_port()}")
    front.start()
    with urllib3.PoolManager(retries=False) as pool:
        gone = pool.request("GET", f"{front.url}/health")
        large = pool.request(
            "POST", f"{front.url}/payments", body=b"", headers={"Content-Length": str(11 * 1024 * 1024)}
        )
    front.stop()
    assert (gone.status, gone.json()["code"]) == (503, "unavailable")
    assert (large.status, large.json()["code"]) == (413, "body_too_large")


def test_requests_at_the_front_become_the_apis_metrics() -> None:
    answered = deque([(202, 12), (503, 40), (422, 3)])
    pump = MetricsPump(Engine(endpoint_url="http://127.0.0.1:1", region="eu-west-1"), {}, "Api", answered)
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
    assert all(datum["Dimensions"] == [{"Name": "ApiName", "Value": "Api"}] for datum in samples)
    assert not answered


@pytest.mark.parametrize("rule", ['OK("A")', "ALARM(A)", "1 + 1", {"Fn::Sub": "x"}])
def test_a_rule_that_is_not_understood_is_no_quiet_alarm(rule: object) -> None:
    with pytest.raises(ValueError, match="not understood"):
        composite_fires(rule, lambda name: False)


@pytest.mark.parametrize("expression", ["SEARCH('x')", "m1 ** 2", "ANOMALY(m1)"])
def test_an_expression_that_is_not_understood_is_no_quiet_alarm(expression: str) -> None:
    alarm = {
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "Metrics": [{"Id": "e", "Expression": expression}, {"Id": "m1", "MetricStat": {}, "ReturnData": False}],
    }
    with pytest.raises((ValueError, KeyError)):
        fires(alarm, lambda stat, back: 1.0)
