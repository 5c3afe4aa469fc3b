"""Alarms that can fire, tell somebody, and say what to do."""

import re

import pytest

from infra.settings import ROOT
from tests.infra.conftest import every, resources

ALARMS = every("AWS::CloudWatch::Alarm")
RUNBOOKS = ROOT / "docs" / "runbooks"
OWN_METRIC = re.compile(r'(?:count|milliseconds|seconds)\(\s*"([A-Za-z]+)"')


@pytest.mark.parametrize(("stack", "name"), ALARMS)
def test_every_alarm_tells_the_topic_and_names_a_runbook_that_exists(stack: str, name: str) -> None:
    alarm = resources(stack, "AWS::CloudWatch::Alarm")[name]
    (topic,) = resources(stack, "AWS::SNS::Topic")
    assert alarm["AlarmActions"] == [{"Ref": topic}]
    assert alarm["TreatMissingData"] in {"notBreaching", "breaching"}
    found = re.search(r"Runbook: docs/runbooks/([a-z-]+)\.md$", alarm["AlarmDescription"])
    assert found
    assert (RUNBOOKS / f"{found[1]}.md").is_file()


@pytest.mark.parametrize(("stack", "name"), ALARMS)
def test_every_rate_is_below_one_and_every_own_metric_is_written(stack: str, name: str) -> None:
    alarm = resources(stack, "AWS::CloudWatch::Alarm")[name]
    if alarm.get("Statistic") == "Average":
        assert 0 < alarm["Threshold"] < 1
    if alarm["Namespace"] == "PayFlowX":
        written = {
            metric for path in (ROOT / "functions").rglob("*.py") for metric in OWN_METRIC.findall(path.read_text())
        }
        assert alarm["MetricName"] in written


@pytest.mark.parametrize(("stack", "name"), every("AWS::SQS::Queue"))
def test_every_dead_letter_queue_has_an_alarm(stack: str, name: str) -> None:
    if "RedrivePolicy" in resources(stack, "AWS::SQS::Queue")[name]:
        return
    watched = [
        dimension["Value"]["Fn::GetAtt"][0]
        for alarm in resources(stack, "AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
        for dimension in alarm["Dimensions"]
    ]
    assert name in watched


def test_no_runbook_without_an_alarm() -> None:
    named = {
        re.search(r"docs/runbooks/([a-z-]+)\.md", alarm["AlarmDescription"])[1]
        for alarm in resources("Prod-Service", "AWS::CloudWatch::Alarm").values()
    }
    assert {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"} == named


@pytest.mark.parametrize("stack", ["Dev-Service", "Staging-Service", "Prod-Service"])
def test_the_topic_is_encrypted_with_our_key(stack: str) -> None:
    (topic,) = resources(stack, "AWS::SNS::Topic").values()
    assert topic["KmsMasterKeyId"]


def test_there_is_a_dashboard() -> None:
    assert len(resources("Prod-Service", "AWS::CloudWatch::Dashboard")) == 1
