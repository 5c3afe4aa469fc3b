"""Every alarm reaches a person: from the metric that is emitted over action, topic, policy and key to a subscriber.

The policies are evaluated as AWS does it: nothing is allowed but by a statement, and a denial wins.
"""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

import pytest
from aws_cdk import App
from aws_cdk.assertions import Annotations, Match

from infra.settings import ENVIRONMENTS, ROOT, EnvironmentSettings
from infra.stage import PayFlowXStage
from local.alarm_math import rule_text
from payflowx.domain.shared.metrics import DIMENSIONS, Metric
from tests.infra.conftest import GIVEN, STAGES, resources, template
from tests.infra.test_monitoring import WINDOW, WITH_TICKETS, alarms, metric_stats, named

SERVICES: Final = [f"{stage}-Service" for stage in STAGES]
ACCOUNT: Final = "111122223333"
PLAIN: Final = frozenset({"notBreaching", "breaching"})
TABLE, INDEX = frozenset({"TableName"}), frozenset({"TableName", "GlobalSecondaryIndexName"})
EMITTED: Final[Mapping[str, Mapping[str, tuple[frozenset[str], ...]]]] = {
    "AWS/ApiGateway": {name: (frozenset({"ApiName", "Stage"}),) for name in ("5XXError", "Latency")},
    "AWS/DynamoDB": dict.fromkeys(("ReadThrottleEvents", "WriteThrottleEvents"), (TABLE, INDEX)),
    "AWS/Lambda": {name: (frozenset({"FunctionName", "Resource"}),) for name in ("Errors", "Throttles")},
    "AWS/SNS": {"NumberOfNotificationsFailed": (frozenset({"TopicName"}),)},
    "AWS/SQS": {
        name: (frozenset({"QueueName"}),)
        for name in ("ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible")
    },
    "AWS/Scheduler": {
        name: (frozenset({"ScheduleGroup"}),) for name in ("InvocationDroppedCount", "InvocationThrottleCount")
    },
    "AWS/Backup": {
        name: (frozenset({"BackupVaultName"}),) for name in ("NumberOfBackupJobsCompleted", "NumberOfBackupJobsFailed")
    },
    "AWS/Usage": {"CallCount": (frozenset({"Service", "Resource", "Type", "Class"}),)},
}
"""Metrics that AWS writes, each with the combinations of dimensions that its documentation lists."""


def walked() -> list[Any]:
    """Every alarm with an action, and those that only feed a composite alarm."""
    return [pytest.param(stack, name, id=f"{stage_of(stack)}-{name}") for stack in SERVICES for name in alarms(stack)]


def stage_of(stack: str) -> str:
    return stack.partition("-")[0]


@pytest.mark.parametrize(("stack", "name"), walked())
class TestEveryAlarm:
    def test_its_metrics_are_emitted(self, stack: str, name: str) -> None:
        for metric in metric_stats(alarms(stack)[name]):
            namespace, found = metric["Namespace"], metric["MetricName"]
            dimensions = frozenset(d["Name"] for d in metric["Dimensions"])
            if namespace == "PayFlowX":
                assert Metric(found) not in DIMENSIONS
                assert f"Metric.{Metric(found).name}" in code()
                assert dimensions == {"environment"}
            else:
                assert dimensions in EMITTED[namespace][found]
            for dimension in metric["Dimensions"]:
                assert exists(stack, dimension["Value"]), dimension

    def test_it_notifies_when_it_begins_and_when_it_ends_or_feeds_one_that_does(self, stack: str, name: str) -> None:
        alarm = alarms(stack)[name]
        if WINDOW.match(name):
            assert name in "".join(rule_text(other["AlarmRule"]) for other in composites(stack).values())
            assert "AlarmActions" not in alarm
            return
        assert alarm.get("ActionsEnabled", True) is True
        assert alarm["OKActions"] == alarm["AlarmActions"]
        (action,) = alarm["AlarmActions"]
        assert resources(stack, "AWS::SNS::Topic")[action["Ref"]]

    def test_its_topic_admits_it_and_the_topics_key_too(self, stack: str, name: str) -> None:
        for action in alarms(stack)[name].get("AlarmActions", ()):
            topic = action["Ref"]
            source = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": alarm_arn(name), "aws:SecureTransport": "true"}
            assert allowed(policy_of(stack, topic), "sns:Publish", source)
            key = key_policy(stack, resources(stack, "AWS::SNS::Topic")[topic]["KmsMasterKeyId"])
            for needed in ("kms:Decrypt", "kms:GenerateDataKey"):
                assert allowed(key, needed, source)

    def test_a_person_subscribes_in_production(self, stack: str, name: str) -> None:
        topics = [action["Ref"] for action in alarms(stack)[name].get("AlarmActions", ())]
        subscribed = {s["TopicArn"]["Ref"] for s in resources(stack, "AWS::SNS::Subscription").values()}
        assert set(topics) <= subscribed or not stack.startswith("Prod")


def code() -> str:
    """All of the functions' code but the list of names itself."""
    package = ROOT / "functions" / "payflowx"
    return "".join(path.read_text() for path in package.rglob("*.py") if path.name != "metrics.py")


def composites(stack: str) -> dict[str, dict[str, Any]]:
    return resources(stack, "AWS::CloudWatch::CompositeAlarm")


def exists(stack: str, value: Any) -> bool:
    """Whether a dimension's value is a text, or names a resource of this stack or of the data stack."""
    if isinstance(value, str):
        return bool(value)
    text = str(value)
    names = re.findall(r"'(?:Ref|Fn::GetAtt)': \[?'(\w+)'", text)
    imports = re.findall(r"'Fn::ImportValue': '([\w:-]+)'", text)
    outputs = template(f"{stage_of(stack)}-Data")["Outputs"].values()
    exported = {output["Export"]["Name"] for output in outputs if "Export" in output}
    return bool(names or imports) and set(names) <= template(stack)["Resources"].keys() and set(imports) <= exported


def alarm_arn(name: str) -> str:
    return f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:Prod-Service-{name}-1A2B3C"


def policy_of(stack: str, topic: str) -> list[dict[str, Any]]:
    """The statements of the one policy that a topic has: a second one would replace the first."""
    (policy,) = [p for p in resources(stack, "AWS::SNS::TopicPolicy").values() if {"Ref": topic} in p["Topics"]]
    statements: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    for statement in statements:
        assert statement["Resource"] == {"Ref": topic}
    return statements


def key_policy(stack: str, key: Mapping[str, str]) -> list[dict[str, Any]]:
    """The policy of the data stack's key, which the service stack imports."""
    data = f"{stage_of(stack)}-Data"
    (output,) = [o for o in template(data)["Outputs"].values() if o["Export"]["Name"] == key["Fn::ImportValue"]]
    statements: list[dict[str, Any]] = resources(data, "AWS::KMS::Key")[output["Value"]["Fn::GetAtt"][0]]["KeyPolicy"][
        "Statement"
    ]
    return statements


def allowed(statements: list[dict[str, Any]], action: str, context: Mapping[str, str]) -> bool:
    """Whether CloudWatch may do this. It is a service: no policy of an identity adds a right to it."""
    effects = {s["Effect"] for s in statements if applies(s, action, context)}
    return effects == {"Allow"}


def applies(statement: Mapping[str, Any], action: str, context: Mapping[str, str]) -> bool:
    principal = statement["Principal"]
    everybody = principal in ("*", {"AWS": "*"})
    if not everybody and "cloudwatch.amazonaws.com" not in listed(principal.get("Service", [])):
        return False
    if not any(fnmatchcase(action, pattern) for pattern in listed(statement["Action"])):
        return False
    return all(
        holds(operator, text_of(wanted), context.get(key))
        for operator, conditions in statement.get("Condition", {}).items()
        for key, wanted in conditions.items()
    )


def holds(operator: str, wanted: str, found: str | None) -> bool:
    if found is None:
        return False
    match operator:
        case "Bool" | "StringEquals":
            return found == wanted
        case "ArnLike" | "StringLike":
            return fnmatchcase(found, wanted)
    raise AssertionError(f"a condition that this test does not understand: {operator}")


def text_of(value: Any) -> str:
    """A value of a policy with this account and region in the place of the references."""
    pseudo = {"AWS::AccountId": ACCOUNT, "AWS::Partition": "aws", "AWS::Region": "eu-west-1"}
    match value:
        case str():
            return value
        case {"Ref": name}:
            return pseudo[name]
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(text_of(part) for part in parts)
    raise AssertionError(f"a value that this test does not understand: {value}")


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("stack", SERVICES)
def test_one_composite_alarm_pages_and_so_does_the_silence_of_the_other_topic(stack: str) -> None:
    page, ticket = topics(stack)
    paging = {name for name, alarm in alarms(stack).items() if {"Ref": page} in alarm.get("AlarmActions", ())}
    assert paging == {named(stack, "PaymentsImpaired")[0], named(stack, "TicketNotDelivered")[0]}
    if stack in WITH_TICKETS:
        assert named(stack, "PageNotDelivered")[1]["AlarmActions"] == [{"Ref": ticket}]


def topics(stack: str) -> Iterator[str]:
    """The logical ids of the topics: the one that wakes, the one that can wait."""
    outputs = template(stack)["Outputs"]
    return (outputs[name]["Value"]["Ref"] for name in ("AlarmTopicArn", "TicketTopicArn"))


def test_the_policy_of_a_topic_that_only_denies_admits_no_alarm() -> None:
    """The evaluation itself: this is what `enforce_ssl` alone would leave."""
    denial = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    context = {"aws:SecureTransport": "true", "aws:SourceAccount": ACCOUNT}
    assert not allowed([denial], "sns:Publish", context)
    admission = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    assert allowed([denial, admission], "sns:Publish", context)
    assert not allowed([denial, admission], "sns:Publish", {**context, "aws:SourceAccount": "999999999999"})
    assert not allowed([denial, admission], "sns:Publish", {**context, "aws:SecureTransport": "false"})


class TestProductionRefuses:
    """The CDK CLI neither synthesizes nor deploys a stack with an error among its annotations."""

    @pytest.mark.parametrize("missing", sorted(GIVEN))
    def test_to_be_deployed_without_its_account_or_a_subscriber(self, missing: str) -> None:
        stage = production({key: value for key, value in GIVEN.items() if key != missing})
        for stack in stage.stacks:
            Annotations.from_stack(stack).has_error("*", Match.string_like_regexp(re.escape(f"-c {missing}=...")))

    def test_nothing_when_all_is_given(self) -> None:
        for stack in production(GIVEN).stacks:
            Annotations.from_stack(stack).has_no_error("*", Match.any_value())

    def test_no_environment_but_production(self) -> None:
        assert [e.name for e in ENVIRONMENTS if e.refusals] == ["prod"]

    def test_nothing_is_committed(self) -> None:
        (prod,) = [e for e in ENVIRONMENTS if e.production]
        assert (prod.account, prod.page_to, prod.ticket_to) == (None, None, None)

    @pytest.mark.parametrize(
        ("key", "value"), [("account", "12345"), ("page-to", "call me"), ("ticket-to", "http://example.com")]
    )
    def test_what_is_no_account_and_no_address(self, key: str, value: str) -> None:
        (prod,) = [e for e in ENVIRONMENTS if e.production]
        with pytest.raises(ValueError, match=re.escape(repr(value))):
            prod.given({**GIVEN, f"prod.{key}": value}.get)


def production(given: Mapping[str, str]) -> PayFlowXStage:
    settings: EnvironmentSettings = next(e for e in ENVIRONMENTS if e.production).given(given.get)
    return PayFlowXStage(App(context={"aws:cdk:bundling-stacks": []}), "Prod", settings=settings)
