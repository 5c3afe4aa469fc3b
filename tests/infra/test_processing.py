"""Queues, their consumers and the schedules."""

import json
from typing import Any

import pytest

from tests.infra.conftest import every, resources, template

CONSUMERS = 6
"""Functions that consume a queue: worker, provider events, deliverer and reconciler."""
SERVICES = ("Dev-Service", "Staging-Service", "Prod-Service")


def test_every_queue_is_encrypted_and_has_or_is_a_dead_letter_queue() -> None:
    for stack, name, queue in every("AWS::SQS::Queue"):
        where = f"{stack}/{name}"
        assert queue["KmsMasterKeyId"], where
        is_dead_letters = any(
            other.get("RedrivePolicy", {}).get("deadLetterTargetArn", {}).get("Fn::GetAtt", [None])[0] == name
            for other in resources(stack, "AWS::SQS::Queue").values()
        )
        if is_dead_letters:
            assert queue["MessageRetentionPeriod"] == 14 * 86_400, where
        else:
            assert queue["RedrivePolicy"]["maxReceiveCount"] == 5, where
            assert queue["MessageRetentionPeriod"] < 14 * 86_400, where


def test_every_queue_refuses_plain_http() -> None:
    for stack, name, _ in every("AWS::SQS::Queue"):
        policies = [p for p in resources(stack, "AWS::SQS::QueuePolicy").values() if p["Queues"] == [{"Ref": name}]]
        statement = policies[0]["PolicyDocument"]["Statement"][0]
        refusal = ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
        assert (statement["Effect"], statement["Condition"]) == refusal, f"{stack}/{name}"


@pytest.mark.parametrize("stack", SERVICES)
def test_queues_are_read_in_partial_batches_through_an_alias(stack: str) -> None:
    sources = resources(stack, "AWS::Lambda::EventSourceMapping").values()
    assert len(sources) == CONSUMERS
    for source in sources:
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert source["BatchSize"] == 10
        assert 2 <= source["ScalingConfig"]["MaximumConcurrency"] <= 1000
        assert json.dumps(source["FunctionName"]).count(":live") == 1


@pytest.mark.parametrize("stack", SERVICES)
def test_a_message_stays_hidden_for_six_timeouts(stack: str) -> None:
    functions, queues = resources(stack, "AWS::Lambda::Function"), resources(stack, "AWS::SQS::Queue")
    aliases = resources(stack, "AWS::Lambda::Alias")
    for source in resources(stack, "AWS::Lambda::EventSourceMapping").values():
        text = json.dumps(source["FunctionName"])
        (alias,) = [aliases[name] for name in aliases if f'"{name}"' in text]
        consumer = functions[alias["FunctionName"]["Ref"]]
        queue = queues[source["EventSourceArn"]["Fn::GetAtt"][0]]
        assert queue["VisibilityTimeout"] >= 6 * consumer["Timeout"]


@pytest.mark.parametrize("stack", SERVICES)
def test_the_sweeper_runs_every_minute_through_its_alias(stack: str) -> None:
    schedule = schedule_of(stack, "SweeperSchedule")
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert schedule["State"] == "ENABLED"
    assert schedule["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}
    assert schedule["Target"]["Arn"]["Ref"] in resources(stack, "AWS::Lambda::Alias")


@pytest.mark.parametrize("stack", SERVICES)
def test_reconciliations_are_started_every_hour_through_an_alias(stack: str) -> None:
    schedule = schedule_of(stack, "Reconciliation")
    assert (schedule["ScheduleExpression"], schedule["State"]) == ("rate(1 hour)", "ENABLED")
    assert schedule["Target"]["Arn"]["Ref"] in resources(stack, "AWS::Lambda::Alias")


@pytest.mark.parametrize("stack", SERVICES)
def test_settlement_files_are_encrypted_private_and_not_kept_for_ever(stack: str) -> None:
    (bucket,) = resources(stack, "AWS::S3::Bucket").values()
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == 90
    (policy,) = resources(stack, "AWS::S3::BucketPolicy").values()
    assert policy["PolicyDocument"]["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def schedule_of(stack: str, name: str) -> dict[str, Any]:
    return next(s for n, s in resources(stack, "AWS::Scheduler::Schedule").items() if n.startswith(name))


@pytest.mark.parametrize("stack", SERVICES)
def test_the_routing_document_is_checked_by_schema_and_function(stack: str) -> None:
    (profile,) = resources(stack, "AWS::AppConfig::ConfigurationProfile").values()
    assert [validator["Type"] for validator in profile["Validators"]] == ["JSON_SCHEMA", "LAMBDA"]
    assert len(resources(stack, "AWS::AppConfig::Deployment")) == 1
    permissions = resources(stack, "AWS::Lambda::Permission").values()
    assert any(p["Principal"] == "appconfig.amazonaws.com" for p in permissions)
    assert "Resources" in template(stack)
