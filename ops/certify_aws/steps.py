"""The steps: each answers one question that only an account can, with a deadline and a price of its own.

A step returns its evidence in a sentence, or raises `StepError`. What it makes it deletes again.
"""

import json
import socket
import ssl
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3
from botocore.exceptions import ClientError

from infra.constructs.api.rest_api import STAGE as API_STAGE
from ops import removal
from ops.certify_aws.stage import ROOT, Stage, StepError, wait_until
from ops.deployed import Api
from ops.restore.sources import AwsSources

_MINUTE: Final = 60
_ALIAS: Final = "live"
_SUITE_MINUTES: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """docs/operations/aws-findings.md says which findings it settles.

    `local` says whether it also runs against the local environment; else `why_not` says what the engine lacks.
    """

    name: str
    asks: str
    minutes: float
    dollars: float
    run: Callable[[Stage], str]
    why_not: str = ""

    @property
    def local(self) -> bool:
        return not self.why_not


# -- the environment itself


def bootstrap(stage: Stage) -> str:
    stage.cdk("bootstrap", seconds=5 * _MINUTE)
    return "The CDK's roles and bucket are there."


def deploy(stage: Stage) -> str:
    started = time.monotonic()
    stage.cdk("deploy", "--require-approval", "never", "*/*", seconds=20 * _MINUTE)
    stage.refresh()
    return f"Three stacks in {time.monotonic() - started:.0f} s, with {len(stage.target.outputs)} outputs."


def create_merchant(stage: Stage) -> str:
    """A merchant of this run, with an account at every simulator."""
    merchant = f"{stage.merchant}-{uuid.uuid4().hex[:8]}"
    reason = ("--reason", "make certify-aws")
    made = stage.payflowx("merchants", "create", merchant, "--name", "Certify", "--sandbox", *reason, seconds=60)
    stage.merchant, stage.api_key = merchant, made["apiKey"]
    return f"{len(made['webhooks'])} accounts at simulators."


def destroy(stage: Stage) -> str:
    """As `make destroy` does it: what the steps published and stored goes first."""
    emptied = " ".join(removal.emptied(stage.target))
    stage.cdk("destroy", "--force", "*/*", seconds=20 * _MINUTE)
    stacks = stage.client("cloudformation").get_paginator("list_stacks").paginate()
    left = [
        found["StackName"]
        for page in stacks
        for found in page["StackSummaries"]
        if found["StackName"].startswith(f"{stage.target.stack_prefix}-") and found["StackStatus"] != "DELETE_COMPLETE"
    ]
    if left:
        raise StepError(f"these stacks are still there: {', '.join(left)}")
    return f"{emptied} No stack is left."


def publish_routing(stage: Stage) -> str:
    """The document that is deployed, under another name: the same one would not be rolled out again.

    AppConfig validates it, and has a version that no template knows.
    """
    deployed = json.loads((ROOT / "infra" / "routing" / "dev.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "routing.json"
        document.write_text(json.dumps({**deployed, "version": f"certify-{uuid.uuid4().hex[:8]}"}, indent=2))
        stage.payflowx("routing", "publish", str(document), "--reason", "make certify-aws", seconds=2 * _MINUTE)
    return "A document was validated, deployed and is in force."


# -- payments


def pay(stage: Stage) -> str:
    """The end-to-end suite through the API's address, compared with the ledgers of the deployed simulators."""
    said = stage.end_to_end(seconds=_SUITE_MINUTES * _MINUTE)
    return f"The end-to-end suite: {said}."


def examine(stage: Stage) -> str:
    """`doctor` says what it finds; the account's limits are no fault of the templates."""
    checks = stage.payflowx("doctor", seconds=60, bad_news=True)
    found = {check["check"]: check["health"] for check in checks}
    if found.get("api") != "ok":
        raise StepError(f"the API is {found.get('api')}")
    return ", ".join(f"{check['check']} {check['health']}" for check in checks)


# -- alarms


@contextmanager
def _listening(stage: Stage, topic: str) -> Iterator[Callable[[], str | None]]:
    """A queue that hears the topic, for as long as the step runs."""
    sqs, sns = stage.client("sqs"), stage.client("sns")
    url = sqs.create_queue(QueueName=f"certify-{uuid.uuid4().hex[:12]}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
            }
        ],
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)

    def heard() -> str | None:
        messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", [])
        return messages[0]["Body"] if messages else None

    try:
        yield heard
    finally:
        sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
        sqs.delete_queue(QueueUrl=url)


def alarm_arrives(stage: Stage) -> str:
    """One alarm of the ticket topic is set to ALARM by hand; the next evaluation takes it back."""
    cloudwatch = stage.client("cloudwatch")
    prefix = f"{stage.target.stack_prefix}-Service"
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm"])
    topic = stage.output("TicketTopicArn")
    alarm = next(
        (
            a
            for page in pages
            for a in page["MetricAlarms"]
            if topic in a["AlarmActions"] and a["StateValue"] != "ALARM"
        ),
        None,
    )
    if alarm is None:
        raise StepError("no quiet alarm publishes to the topic of tickets")
    started = time.monotonic()
    with _listening(stage, topic) as heard:
        cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="ALARM", StateReason="make certify-aws")
        body = wait_until("the notification", heard, seconds=3 * _MINUTE)
        cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="make certify-aws")
    if alarm["AlarmName"] not in body:
        raise StepError("a notification came, and it is another alarm's")
    return f"The notification came after {time.monotonic() - started:.0f} s."


def crash_is_counted(stage: Stage) -> str:
    """With no execution left for the API, its answers are API Gateway's own: 5XXError must count them."""
    function, functions = stage.function("Api"), stage.client("lambda")
    api = stage.client("apigateway").get_rest_api(restApiId=stage.output("ApiId"))["name"]
    since = datetime.now(UTC) - timedelta(minutes=1)
    functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    try:
        answer = wait_until(
            "an answer of API Gateway itself",
            lambda: _status(stage) if _status(stage) >= 500 else 0,
            seconds=_MINUTE,
        )
    finally:
        functions.delete_function_concurrency(FunctionName=function)

    def counted() -> float:
        found = stage.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/ApiGateway",
            MetricName="5XXError",
            Dimensions=[{"Name": "ApiName", "Value": api}, {"Name": "Stage", "Value": API_STAGE}],
            StartTime=since,
            EndTime=datetime.now(UTC) + timedelta(minutes=1),
            Period=_MINUTE,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in found["Datapoints"]))

    total = wait_until("the metric 5XXError", counted, seconds=6 * _MINUTE, pause=10)
    return f"The API answered {answer}, and 5XXError counts {total:.0f}."


def _status(stage: Stage) -> int:
    answer = urllib3.request("GET", f"{stage.target.base_url}/health", timeout=30, retries=False)
    return int(answer.status)


# -- versions, queues, tables


def roll_back(stage: Stage) -> str:
    """A newer version of one function goes live, and the alias is pointed back."""
    functions, name = stage.client("lambda"), stage.function("Worker")
    before = functions.get_alias(FunctionName=name, Name=_ALIAS)["FunctionVersion"]
    functions.update_function_configuration(FunctionName=name, Description=f"certify {uuid.uuid4().hex[:8]}")
    wait_until("the changed function", lambda: _updated(functions, name), seconds=_MINUTE)
    newer = functions.publish_version(FunctionName=name)["Version"]
    if newer == before:
        raise StepError("publishing made no new version")
    functions.update_alias(FunctionName=name, Name=_ALIAS, FunctionVersion=newer)
    functions.update_alias(FunctionName=name, Name=_ALIAS, FunctionVersion=before)
    if functions.get_alias(FunctionName=name, Name=_ALIAS)["FunctionVersion"] != before:
        raise StepError("the alias did not go back")
    api = Api(url=stage.target.base_url, key=stage.api_key)
    payment = api.pay("after-roll-back", "tok_success")
    status = api.final(f"/payments/{payment['transactionId']}")["status"]
    if status != "SUCCESS":
        raise StepError(f"a payment after the roll-back is {status}")
    return f"From version {newer} to {before}, and a payment succeeded."


def _updated(functions: Any, name: str) -> bool:
    configuration = functions.get_function_configuration(FunctionName=name)
    return bool(configuration.get("LastUpdateStatus", "Successful") == "Successful")


def drain(stage: Stage) -> str:
    """A job that names no payment is put among the dead letters, seen by the commands, and purged."""
    url = stage.output("JobsDeadLetterQueueUrl")
    stage.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({"format": 1, "note": "make certify-aws"}))
    depth = wait_until("the dead letter", lambda: _dead(stage), seconds=2 * _MINUTE)
    stage.payflowx("dlq", "purge", "jobs", "--yes", "--reason", "make certify-aws", seconds=90)
    wait_until("the empty queue", lambda: not _dead(stage), seconds=2 * _MINUTE)
    return f"{depth} seen, none left."


def _dead(stage: Stage) -> int:
    rows = stage.payflowx("dlq", "ls", seconds=60)
    return next(int(row["dead"]) for row in rows if row["queue"] == "jobs")


def loops_are_allowed(stage: Stage) -> str:
    """Without it Lambda would drop a message that came back to its function for the sixteenth time."""
    names = ("Worker", "Notices", "Deliverer", "Reconciler")
    functions = stage.client("lambda")
    found = {
        name: functions.get_function_recursion_config(FunctionName=stage.function(name))["RecursiveLoop"]
        for name in names
    }
    refused = [name for name, mode in found.items() if mode != "Allow"]
    if refused:
        raise StepError(f"loops end {', '.join(refused)}")
    return f"{len(found)} functions may be reached by their own messages."


def restore(stage: Stage) -> str:
    """The configuration's table as it was, beside itself; then the copy is deleted."""
    dynamodb, source = stage.client("dynamodb"), stage.output("ConfigurationTableName")
    copy = f"{source}-certify-{uuid.uuid4().hex[:6]}"
    started = time.monotonic()
    if not stage.is_local:  # the engine can restore at once, and names no first moment
        first = "the first point to restore to"
        wait_until(first, lambda: _restorable(dynamodb, source), seconds=10 * _MINUTE, pause=15)
    dynamodb.restore_table_to_point_in_time(SourceTableName=source, TargetTableName=copy, UseLatestRestorableTime=True)
    stage.left_behind.append(f"table {copy}")
    wait_until("the restored table", lambda: _active(dynamodb, copy), seconds=25 * _MINUTE, pause=10)
    items = dynamodb.scan(TableName=copy, Select="COUNT", Limit=100)["Count"]
    dynamodb.delete_table(TableName=copy)
    stage.left_behind.remove(f"table {copy}")
    if not items:
        raise StepError("the restored table is empty")
    return f"{items} items or more after {time.monotonic() - started:.0f} s."


def sources_go_off(stage: Stage) -> str:
    """`payflowx restore` switches every source off: the API answers an error of API Gateway, and comes back."""
    sources = AwsSources(target=stage.target)
    states = sources.states()
    sources.switch_off(states)
    try:
        answer = wait_until("an error", lambda: _status(stage) if _status(stage) >= 500 else 0, seconds=_MINUTE)
    finally:
        sources.switch_on(states)
    wait_until("the API's return", lambda: _status(stage) < 500, seconds=2 * _MINUTE)
    changed = {name for name, state in sources.states().items() if states.get(name) != state and state != "off"}
    if changed:
        raise StepError(f"these sources are not what they were: {', '.join(sorted(changed))}")
    return f"{len(states)} sources off and on again; the API answered {answer} meanwhile."


def _restorable(dynamodb: Any, table: str) -> bool:
    found = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    return "LatestRestorableDateTime" in found.get("PointInTimeRecoveryDescription", {})


def _active(dynamodb: Any, table: str) -> bool:
    try:
        return bool(dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE")
    except ClientError:
        return False


# -- the edge, and the bill


def old_tls_is_refused(stage: Stage) -> str:
    """A handshake with TLS 1.1 at most must fail, and one with 1.2 succeed."""
    host = urlsplit(stage.target.base_url).hostname or ""
    if _handshake(host, ssl.TLSVersion.TLSv1_1):
        raise StepError("TLS 1.1 is accepted")
    if not _handshake(host, ssl.TLSVersion.TLSv1_2):
        raise StepError("TLS 1.2 is refused")
    return "1.1 is refused, 1.2 is accepted."


def _handshake(host: str, newest: ssl.TLSVersion) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # else this side would refuse the old version itself
    context.minimum_version, context.maximum_version = min(newest, ssl.TLSVersion.TLSv1_1), newest
    try:
        with (
            socket.create_connection((host, 443), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return True
    except (ssl.SSLError, ConnectionError):
        return False


def traces_are_a_share(stage: Stage) -> str:
    records = stage.client("xray").get_sampling_rules()["SamplingRuleRecords"]
    rules = {record["SamplingRule"]["RuleName"]: record["SamplingRule"] for record in records}
    rule = rules.get(f"payflowx-{stage.name}")
    if rule is None:
        raise StepError("there is no sampling rule of this environment")
    return f"{rule['FixedRate']:.0%} of the requests, {rule['ReservoirSize']} a second before."


def count_the_bill(stage: Stage) -> str:
    """Quantities of the last hour, to be compared with docs/costs.md; the bill itself comes a day later."""
    cloudwatch, now = stage.client("cloudwatch"), datetime.now(UTC)

    def total(namespace: str, metric: str, **dimensions: str) -> float:
        found = cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - timedelta(hours=1),
            EndTime=now,
            Period=3600,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in found["Datapoints"]))

    api = stage.client("apigateway").get_rest_api(restApiId=stage.output("ApiId"))["name"]
    table = stage.output("TransactionsTableName")
    quantities: Mapping[str, float] = {
        "API requests": total("AWS/ApiGateway", "Count", ApiName=api, Stage=API_STAGE),
        "write units": total("AWS/DynamoDB", "ConsumedWriteCapacityUnits", TableName=table),
        "read units": total("AWS/DynamoDB", "ConsumedReadCapacityUnits", TableName=table),
        "worker invocations": total("AWS/Lambda", "Invocations", FunctionName=stage.function("Worker")),
    }
    return ", ".join(f"{count:.0f} {name}" for name, count in quantities.items())


PREPARE: Final = (
    Step(
        name="bootstrap",
        asks="May the CDK deploy here?",
        minutes=5,
        dollars=0.01,
        run=bootstrap,
        why_not="there is nothing to bootstrap",
    ),
    Step(
        name="deploy",
        asks="Do the stacks deploy, with their references and the routing document?",
        minutes=20,
        dollars=0.35,
        run=deploy,
        why_not="the local environment has deployed the same templates",
    ),
)
STEPS: Final = (
    Step(name="merchant", asks="Does the operators' function work?", minutes=1, dollars=0.05, run=create_merchant),
    Step(
        name="payments",
        asks="Does the end-to-end suite pass against the API's address?",
        minutes=_SUITE_MINUTES,
        dollars=0.05,
        run=pay,
    ),
    Step(
        name="routing",
        asks="Is a routing document validated and deployed?",
        minutes=2,
        dollars=0.01,
        run=publish_routing,
    ),
    Step(name="doctor", asks="Does an account say what doctor asks for?", minutes=2, dollars=0.01, run=examine),
    Step(name="alarm", asks="Does an alarm's notification arrive?", minutes=3, dollars=0.01, run=alarm_arrives),
    Step(
        name="crash",
        asks="Does API Gateway count its own 500 as 5XXError?",
        minutes=7,
        dollars=0.01,
        run=crash_is_counted,
        why_not="the local server answers in API Gateway's place and counts for itself",
    ),
    Step(name="roll-back", asks="Is there a version to go back to?", minutes=2, dollars=0.01, run=roll_back),
    Step(name="queue", asks="Can dead letters be seen and purged?", minutes=4, dollars=0.01, run=drain),
    Step(
        name="loops",
        asks="Does Lambda accept that functions send to themselves?",
        minutes=1,
        dollars=0,
        run=loops_are_allowed,
        why_not="the engine has no detection of loops",
    ),
    Step(
        name="traces",
        asks="Is the sampling rule in force?",
        minutes=1,
        dollars=0,
        run=traces_are_a_share,
        why_not="the engine has no X-Ray",
    ),
    Step(
        name="tls",
        asks="Does the API's address refuse old TLS?",
        minutes=1,
        dollars=0,
        run=old_tls_is_refused,
        why_not="the local server has no TLS",
    ),
    Step(
        name="sources",
        asks="Can everything be switched off for a restore, and on again?",
        minutes=4,
        dollars=0.01,
        run=sources_go_off,
        why_not="the local server answers in API Gateway's place",
    ),
    Step(name="restore", asks="Does a table come back, beside itself?", minutes=35, dollars=0.20, run=restore),
    Step(
        name="bill",
        asks="How much was used?",
        minutes=1,
        dollars=0.01,
        run=count_the_bill,
        why_not="the engine does not measure what AWS bills",
    ),
)
CLEAN_UP: Final = Step(
    name="destroy",
    asks="Does all of it go away?",
    minutes=20,
    dollars=0.10,
    run=destroy,
    why_not="the local environment ends with its process",
)
