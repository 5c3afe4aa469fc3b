"""Alarms can fire, publish to the topic and name a runbook; dashboards and saved queries show every metric and log."""

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
WITH_TICKETS = [stack for stack in SERVICES if stack != "Dev-Service"]
"""Dev has those alarms alone that wake an operator, and their parts."""
ALARM_TYPES = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
RUNBOOKS = ROOT / "docs" / "runbooks"
ANSWERING = ("Api", "Authorizer", "Checkout", "Webhooks")
RUNBOOK = re.compile(r"Runbook: docs/runbooks/([a-z-]+)\.md$")
WINDOW = re.compile(r"Alarms(Success)(Fast|Slow)(Long|Short)")
DEPTH = "ApproximateNumberOfMessagesVisible"
HOUR = 60
PROD = "Prod-Service"


def alarms(stack: str) -> dict[str, dict[str, Any]]:
    return {name: found for kind in ALARM_TYPES for name, found in resources(stack, kind).items()}


def every_alarm() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Stack, logical id and properties of all alarms, plain and composite."""
    for kind in ALARM_TYPES:
        yield from every(kind)


def named(stack: str, part: str) -> tuple[str, dict[str, Any]]:
    ((name, alarm),) = ((n, a) for n, a in alarms(stack).items() if n.startswith(f"Alarms{part}"))
    return name, alarm


def metric_stats(alarm: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if "MetricName" in alarm:
        yield dict(alarm)
    for query in alarm.get("Metrics", ()):
        if "MetricStat" in query:
            yield query["MetricStat"]["Metric"]


def test_every_alarm_publishes_to_the_topic_or_is_a_part_of_one_that_does() -> None:
    for stack, name, alarm in every_alarm():
        where = f"{stack}/{name}"
        topics = resources(stack, "AWS::SNS::Topic")
        if WINDOW.match(name):
            composites = resources(stack, "AWS::CloudWatch::CompositeAlarm").values()
            assert "AlarmActions" not in alarm, where
            assert any(name in rule_text(other["AlarmRule"]) for other in composites), where
        else:
            assert [action["Ref"] in topics for action in alarm["AlarmActions"]] == [True], where
        if "AlarmRule" not in alarm:
            assert alarm["TreatMissingData"] in {"notBreaching", "breaching"}, where


def test_every_alarm_names_a_runbook_that_exists() -> None:
    offenders = [
        f"{stack}/{name}"
        for stack, name, alarm in every_alarm()
        if not (found := RUNBOOK.search(alarm["AlarmDescription"])) or not (RUNBOOKS / f"{found[1]}.md").is_file()
    ]
    assert offenders == []


def test_an_alarm_on_a_metric_of_ours_can_fire() -> None:
    """The code writes its metric, without further dimensions, under the very name of the environment."""
    for stack, name, alarm in every_alarm():
        where = f"{stack}/{name}"
        if alarm.get("Statistic") == "Average":
            assert 0 < alarm["Threshold"] < 1, where
        for metric in metric_stats(alarm):
            if metric["Namespace"] == "PayFlowX":
                environment = stack.split("-", maxsplit=1)[0].lower()
                assert Metric(metric["MetricName"]) not in DIMENSIONS, where
                assert metric["Dimensions"] == [{"Name": "environment", "Value": environment}], where


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


def test_every_queue_is_watched() -> None:
    """Dead-letter queues for their first message, others for the age of their oldest."""
    watched = {
        (stack, alarm["MetricName"], dimension["Value"]["Fn::GetAtt"][0])
        for stack, _, alarm in every("AWS::CloudWatch::Alarm")
        if alarm.get("Namespace") == "AWS/SQS"
        for dimension in alarm["Dimensions"]
    }
    wanted = {
        (stack, "ApproximateAgeOfOldestMessage" if "RedrivePolicy" in queue else DEPTH, name)
        for stack, name, queue in every("AWS::SQS::Queue")
        if stack in WITH_TICKETS
    }
    assert wanted
    assert wanted - watched == set()


def test_every_function_is_watched() -> None:
    """But the routing validator: AppConfig reports a refused document itself.

    Throttles of those that answer requests. What another one delays has its own alarm: a queue's age, the sweeper's
    silence, a late reconciliation.
    """
    watched = {
        (stack, alarm["MetricName"], text)
        for stack, _, alarm in every("AWS::CloudWatch::Alarm")
        if alarm.get("Namespace") == "AWS/Lambda"
        for text in re.findall(r'"(?:Ref|Fn::GetAtt)": \[?"(\w+)"', json.dumps(alarm["Dimensions"]))
    }
    wanted = {
        (stack, metric, alias["FunctionName"]["Ref"])
        for stack, name, alias in every("AWS::Lambda::Alias")
        if stack in WITH_TICKETS and "RoutingValidator" not in name
        for metric in ("Errors", "Throttles")
        if metric == "Errors" or name.startswith(ANSWERING)
    }
    assert len(wanted) == (10 + 4) * len(WITH_TICKETS)
    assert {found for found in watched if found[0] in WITH_TICKETS} == wanted


def test_without_tickets_there_is_what_wakes_an_operator_and_nothing_else() -> None:
    found = alarms("Dev-Service")
    impaired = rule_text(named("Dev-Service", "PaymentsImpaired")[1]["AlarmRule"])
    parts = set(re.findall(r'ALARM\("(\w+)"\)', impaired))
    others = {name.removeprefix("Alarms")[:-8] for name in found.keys() - parts}
    assert others == {"PaymentsImpaired", "TicketNotDelivered"}
    assert parts == {
        name.replace("Prod", "Dev")
        for name in re.findall(r'ALARM\("(\w+)"\)', rule_text(named(PROD, "PaymentsImpaired")[1]["AlarmRule"]))
    }


@pytest.mark.parametrize("stack", SERVICES)
def test_both_topics_are_encrypted_with_our_key(stack: str) -> None:
    topics = resources(stack, "AWS::SNS::Topic").values()
    assert len(topics) == 2
    assert all(topic["KmsMasterKeyId"] for topic in topics)


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
        total, missed = (float(sum(counts)) for counts in zip(*window, strict=True))
        return {"Sum": missed, "SampleCount": total, "Average": missed / total}[stat["Stat"]]


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


def tickets(stack: str, *names: str) -> set[str]:
    """Those alarms where this environment has them."""
    return set(names) if stack in WITH_TICKETS else set()


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
        assert firing(stack, Series(*[(25, 1)] * SIX_HOURS)) == tickets(stack, "SuccessBurnsSlowly")

    def test_one_failed_payment_at_night_is_no_outage(self, stack: str) -> None:
        quiet = [(0, 0)] * SIX_HOURS
        assert firing(stack, Series(*quiet, (1, 1))) == set()
        assert firing(stack, Series(*quiet, (1, 1), (1, 1))) == set()
        assert firing(stack, Series(*quiet, (1, 1), (1, 1), (1, 1))) == {
            *("PaymentsImpaired", *tickets(stack, "SuccessBurnsFast", "SuccessBurnsSlowly"))
        }

    @pytest.mark.parametrize(
        "part",
        [
            *("ApiErrors", "ApiFunctionErrors", "AuthorizerFunctionErrors", "AuthorizerFunctionThrottles"),
            *("OldestDuePayment", "SweeperNotRunning", "JobsOldestMessageAge", "NoticesOldestMessageAge"),
        ],
    )
    def test_payments_are_impaired_as_well_when_they_wait_or_are_refused(self, stack: str, part: str) -> None:
        assert firing(stack, Series(), frozenset({part})) == {"PaymentsImpaired"}

    def test_what_hurts_nobody_yet_does_not_impair(self, stack: str) -> None:
        assert firing(stack, Series(), frozenset({"DeadLetters", "Mismatches", "Review", "RunsOldest"})) == set()
        assert firing(stack, Series(), frozenset({"WebhooksFunctionThrottles", "WorkerFunctionErrors"})) == set()


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
