"""Alarms that can fire, tell somebody, and say what to do; dashboards and queries that show what there is."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra.settings import ROOT
from local.alarm_math import composite_fires, fires, rule_text
from payflowx.domain.shared.metrics import DIMENSIONS, Metric
from tests.infra.conftest import STAGES, every, resources, template

SERVICES = [f"{stage}-Service" for stage in STAGES]
ALARM_TYPES = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
ALARMS = [param for kind in ALARM_TYPES for param in every(kind)]
RUNBOOKS = ROOT / "docs" / "runbooks"
RUNBOOK = re.compile(r"Runbook: docs/runbooks/([a-z-]+)\.md$")
WINDOW = re.compile(r"Alarms(Success)(Fast|Slow)(Long|Short)")
HOUR = 60
PROD = "Prod-Service"


def alarms(stack: str) -> dict[str, dict[str, Any]]:
    return {name: found for kind in ALARM_TYPES for name, found in resources(stack, kind).items()}


def named(stack: str, part: str) -> tuple[str, dict[str, Any]]:
    ((name, alarm),) = ((n, a) for n, a in alarms(stack).items() if n.startswith(f"Alarms{part}"))
    return name, alarm


def metric_stats(alarm: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if "MetricName" in alarm:
        yield dict(alarm)
    for query in alarm.get("Metrics", ()):
        if "MetricStat" in query:
            yield query["MetricStat"]["Metric"]


@pytest.mark.parametrize(("stack", "name"), ALARMS)
def test_every_alarm_tells_the_topic_or_is_a_part_of_one_that_does(stack: str, name: str) -> None:
    alarm = alarms(stack)[name]
    (event_type,) = resources(stack, "AWS::SNS::Topic")
    if WINDOW.match(name):
        composites = resources(stack, "AWS::CloudWatch::CompositeAlarm").values()
        assert "AlarmActions" not in alarm
        assert any(name in rule_text(other["AlarmRule"]) for other in composites)
    else:
        assert alarm["AlarmActions"] == [{"Ref": event_type}]
    if "AlarmRule" not in alarm:
        assert alarm["TreatMissingData"] in {"notBreaching", "breaching"}


@pytest.mark.parametrize(("stack", "name"), ALARMS)
def test_every_alarm_names_a_runbook_that_exists(stack: str, name: str) -> None:
    found = RUNBOOK.search(alarms(stack)[name]["AlarmDescription"])
    assert found
    assert (RUNBOOKS / f"{found[1]}.md").is_file()


@pytest.mark.parametrize(("stack", "name"), ALARMS)
def test_an_alarm_on_a_metric_of_ours_can_fire(stack: str, name: str) -> None:
    """Its metric is written, without further dimensions, under the very name of the environment."""
    alarm = alarms(stack)[name]
    if alarm.get("Statistic") == "Average":
        assert 0 < alarm["Threshold"] < 1
    for metric in metric_stats(alarm):
        if metric["Namespace"] == "PayFlowX":
            assert Metric(metric["MetricName"]) not in DIMENSIONS
            assert metric["Dimensions"] == [{"Name": "environment", "Value": stack.split("-", maxsplit=1)[0].lower()}]


@pytest.mark.parametrize("stack", SERVICES)
def test_graphs_show_metrics_that_are_written_with_their_dimensions(stack: str) -> None:
    bodies = "".join(
        part
        for board in resources(stack, "AWS::CloudWatch::Dashboard").values()
        for part in board["DashboardBody"]["Fn::Join"][1]
        if isinstance(part, str)
    ).replace("\\", "")
    environment = stack.split("-", maxsplit=1)[0].lower()
    plain = re.findall(r'\["PayFlowX","(\w+)","environment","(\w+)"', bodies)
    searched = re.findall(r'\{PayFlowX,environment,?([\w,]*)\} MetricName="(\w+)" environment="(\w+)"', bodies)
    shown = {name for name, _ in plain} | {name for _, name, _ in searched}
    assert shown == {metric.value for metric in Metric}, "a metric that nobody sees is not worth its price"
    assert {found for _, found in plain} | {found for _, _, found in searched} == {environment}
    for name, _ in plain:
        assert Metric(name) not in DIMENSIONS
    for dimensions, name, _ in searched:
        assert set(dimensions.split(",")) == DIMENSIONS[Metric(name)]


@pytest.mark.parametrize(("stack", "name"), every("AWS::SQS::Queue"))
def test_every_queue_is_watched(stack: str, name: str) -> None:
    """Dead letters for being there, others for their oldest message."""
    is_dead_letters = "RedrivePolicy" not in resources(stack, "AWS::SQS::Queue")[name]
    metric = "ApproximateNumberOfMessagesVisible" if is_dead_letters else "ApproximateAgeOfOldestMessage"
    watched = [
        dimension["Value"]["Fn::GetAtt"][0]
        for alarm in resources(stack, "AWS::CloudWatch::Alarm").values()
        if alarm.get("MetricName") == metric
        for dimension in alarm["Dimensions"]
    ]
    assert name in watched


@pytest.mark.parametrize(("stack", "name"), [p for p in every("AWS::Lambda::Alias") if "-Service/" in p.id])
def test_every_function_is_watched(stack: str, name: str) -> None:
    if "RoutingValidator" in name:
        return  # AppConfig calls it and says itself that a document was refused
    watching = [
        alarm["MetricName"]
        for alarm in resources(stack, "AWS::CloudWatch::Alarm").values()
        if alarm.get("Namespace") == "AWS/Lambda" and name in json.dumps(alarm["Dimensions"])
    ]
    function = resources(stack, "AWS::Lambda::Alias")[name]["FunctionName"]["Ref"]
    watching += [
        alarm["MetricName"]
        for alarm in resources(stack, "AWS::CloudWatch::Alarm").values()
        if alarm.get("Namespace") == "AWS/Lambda" and function in json.dumps(alarm["Dimensions"])
    ]
    assert {"Errors", "Throttles"} <= set(watching)


@pytest.mark.parametrize("stack", SERVICES)
def test_the_topic_is_encrypted_with_our_key(stack: str) -> None:
    (event_type,) = resources(stack, "AWS::SNS::Topic").values()
    assert event_type["KmsMasterKeyId"]


@pytest.mark.parametrize("stack", SERVICES)
def test_there_is_a_dashboard_for_the_business_and_one_for_operations_with_every_alarm(stack: str) -> None:
    boards = resources(stack, "AWS::CloudWatch::Dashboard")
    assert len(boards) == 2
    operations = next(json.dumps(board) for name, board in boards.items() if "Operations" in name)
    assert all(name in operations for name in alarms(stack))


@pytest.mark.parametrize("stack", SERVICES)
def test_saved_queries_look_where_the_lines_are(stack: str) -> None:
    queries = resources(stack, "AWS::Logs::QueryDefinition").values()
    assert len({query["Name"] for query in queries}) == len(queries) >= 8
    groups = resources(stack, "AWS::Logs::LogGroup")
    for query in queries:
        assert query["Name"].startswith(f"PayFlowX/{stack.split('-', maxsplit=1)[0].lower()}/")
        assert query["LogGroupNames"]
        assert all(group["Ref"] in groups for group in query["LogGroupNames"])
    searched = {group["Ref"] for query in queries for group in query["LogGroupNames"]}
    assert {name for name in groups if "RoutingValidator" not in name and "Firewall" not in name} <= searched


class Series:
    """Payments a minute, the latest last: how many ended, how many of them we failed."""

    def __init__(self, *minutes: tuple[int, int]) -> None:
        self.minutes = minutes

    def read(self, stat: Mapping[str, Any], back: int) -> float | None:
        assert stat["Metric"]["MetricName"] == "ObjectiveMissed"
        length = stat["Period"] // 60
        end = len(self.minutes) - back * length
        window = [pair for pair in self.minutes[max(0, end - length) : max(0, end)] if pair[0]]
        if not window:
            return None
        return float(sum(missed if stat["Stat"] == "Sum" else total for total, missed in window))


def firing(stack: str, series: Series, also: frozenset[str] = frozenset()) -> set[str]:
    """Composite alarms in ALARM; other parts of them only as told."""
    found = resources(stack, "AWS::CloudWatch::Alarm")

    def part(name: str) -> bool:
        return fires(found[name], series.read) if WINDOW.match(name) else any(text in name for text in also)

    return {
        name.removeprefix("Alarms")[:-8]
        for name, alarm in resources(stack, "AWS::CloudWatch::CompositeAlarm").items()
        if composite_fires(alarm["AlarmRule"], part)
    }


FINE, ALL_BAD = (10, 0), (10, 10)
SIX_HOURS = 6 * HOUR


@pytest.mark.parametrize("stack", SERVICES)
class TestBurnRates:
    def test_nothing_fires_without_payments_or_with_good_ones(self, stack: str) -> None:
        assert firing(stack, Series()) == set()
        assert firing(stack, Series(*[(0, 0)] * SIX_HOURS)) == set()
        assert firing(stack, Series(*[FINE] * SIX_HOURS)) == set()

    def test_the_budgets_own_rate_never_fires(self, stack: str) -> None:
        """One of 200 is what the objective allows for ever."""
        assert firing(stack, Series(*[(200, 1)] * SIX_HOURS)) == set()

    def test_an_outage_fires_within_minutes(self, stack: str) -> None:
        before = [FINE] * SIX_HOURS
        assert "PaymentsImpaired" not in firing(stack, Series(*before, *[ALL_BAD] * 2))
        assert "PaymentsImpaired" in firing(stack, Series(*before, *[ALL_BAD] * 6))

    def test_it_ends_when_the_outage_does(self, stack: str) -> None:
        after = [*[FINE] * SIX_HOURS, *[ALL_BAD] * 10, *[FINE] * 6]
        assert "PaymentsImpaired" not in firing(stack, Series(*after))

    def test_a_slow_burn_is_told_without_waking_anybody(self, stack: str) -> None:
        """Four percent: six times the budget and more, not fourteen."""
        assert firing(stack, Series(*[(25, 1)] * SIX_HOURS)) == {"SuccessBurnsSlowly"}

    def test_one_failed_payment_at_night_is_no_outage(self, stack: str) -> None:
        quiet = [(0, 0)] * SIX_HOURS
        assert firing(stack, Series(*quiet, (1, 1))) == set()
        assert firing(stack, Series(*quiet, (1, 1), (1, 1))) == set()
        assert firing(stack, Series(*quiet, (1, 1), (1, 1), (1, 1))) == {"PaymentsImpaired", "SuccessBurnsSlowly"}

    @pytest.mark.parametrize(
        "part", ["ApiErrors", "OldestDuePayment", "JobsOldestMessageAge", "NoticesOldestMessageAge"]
    )
    def test_payments_are_impaired_as_well_when_they_wait_or_are_refused(self, stack: str, part: str) -> None:
        assert firing(stack, Series(), frozenset({part})) == {"PaymentsImpaired"}

    def test_what_hurts_nobody_yet_does_not_impair(self, stack: str) -> None:
        assert firing(stack, Series(), frozenset({"DeadLetters", "Mismatches", "Throttles", "Review"})) == set()


@pytest.mark.parametrize("stack", SERVICES)
def test_the_parts_of_composites_exist(stack: str) -> None:
    for alarm in resources(stack, "AWS::CloudWatch::CompositeAlarm").values():
        for name in re.findall(r'ALARM\("(\w+)"\)', rule_text(alarm["AlarmRule"])):
            assert name in template(stack)["Resources"]


@pytest.mark.parametrize(
    ("values", "alarmed"),
    [([1000, 1000, 1000], True), ([1000, 1000, 10], False), ([1000, None, 1000], False), ([None] * 3, False)],
)
def test_plain_alarms_are_evaluated_too(values: list[float | None], alarmed: bool) -> None:
    _, alarm = named(PROD, "OldestDuePayment")
    assert fires(alarm, lambda stat, back: values[back]) is alarmed


def test_no_sample_of_the_sweeper_is_the_alarm() -> None:
    _, alarm = named(PROD, "SweeperNotRunning")
    assert fires(alarm, lambda stat, back: None)
    assert not fires(alarm, lambda stat, back: 5.0)
