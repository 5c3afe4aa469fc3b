"""Through the public API, the payments compared with the providers' ledgers."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from local.alarms import alarm_states
from local.environment import LocalEnvironment
from local.simulators import control
from local.template_merge import read_stacks
from tests.e2e.conftest import Client, poll

TOKENS = {
    "tok_success": "SUCCESS",
    "tok_soft_decline": "FAILED",
    "tok_soft_decline@mock": "SUCCESS",
    "tok_hard_decline": "FAILED",
    "tok_timeout_after_charge": "SUCCESS",
    "tok_500_before_charge": "SUCCESS",
    "tok_garbage": "SUCCESS",
    "tok_wrong_amount": "IN_REVIEW",
    "tok_async_success": "SUCCESS",
    "tok_rate_limited": "FAILED",
}


def compare(client: Client, payments: list[dict[str, Any]]) -> None:
    """Each success has exactly one charge of its amount and currency, each failure none.

    Without the operators' access there is no ledger to look into, and what the API says is all.
    """
    for payment in payments:
        if payment["status"] != "IN_REVIEW":
            assert payment["captured"] == (payment["amount"] if payment["status"] == "SUCCESS" else 0)
            assert not payment["extraCharges"]
    if client.access is None:
        return
    ledger = client.ledger()
    for payment in payments:
        keys = {attempt["providerKey"] for attempt in payment["attempts"]}
        charged = [entry for entry in ledger if entry["reference"] in keys and entry["status"] == "charged"]
        if payment["status"] == "SUCCESS":
            assert [(e["amount"], e["currency"]) for e in charged] == [(payment["amount"], payment["currency"])]
            assert charged[0]["provider"] == payment["provider"]
        elif payment["status"] in {"FAILED", "CANCELLED"}:
            assert charged == []


@pytest.mark.local_only("it makes a user without rights")
def test_rights_are_enforced_so_that_the_other_tests_prove_the_roles(environment: LocalEnvironment) -> None:
    """A key without any right is refused what the functions do."""
    engine = environment.engine
    iam = engine.client("iam")
    iam.create_user(UserName="without-rights")
    key = iam.create_access_key(UserName="without-rights")["AccessKey"]
    stranger = boto3.client(
        "dynamodb",
        endpoint_url=engine.endpoint_url,
        region_name=engine.region,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        stranger.get_item(
            TableName=environment.outputs["TransactionsTableName"], Key={"pk": {"S": "x"}, "sk": {"S": "x"}}
        )


def test_wrong_keys_and_wrong_paths_are_problem_details(client: Client) -> None:
    for authorization in (None, "Bearer nonsense", "Bearer pfx_test_sk_" + "A" * 38, "Basic YTpi"):
        status, body, headers = client.call("GET", "/payments", authorization=authorization)
        assert (status, body["code"]) == (401, "unauthenticated"), authorization
        assert headers["content-type"] == "application/problem+json"
    for method, path in (("GET", "/nowhere"), ("DELETE", "/payments"), ("GET", "/payments/x/y/z")):
        status, body, _ = client.call(method, path)
        assert (status, body["code"]) == (404, "not_found"), path


def test_a_refusal_passes_api_gateway_unchanged(client: Client) -> None:
    status, body, headers = client.call("POST", "/payments", b'{"amount": 1, "amount": 2}', Idempotency_Key="k")
    assert (status, body["code"]) == (400, "malformed_json")
    assert headers["content-type"] == "application/problem+json"
    status, body, _ = client.call(
        "POST",
        "/payments",
        {"amount": 1999, "currency": "USD", "paymentMethod": {"type": "card", "token": "4242424242424242"}},
        Idempotency_Key="k",
    )
    assert (status, body["code"]) == (422, "card_data_refused")


def test_every_kind_of_outcome_agrees_with_the_ledgers(client: Client) -> None:
    started = {token: client.pay(token, f"outcome-{token}") for token in TOKENS}
    ended = {token: client.wait(payment) for token, payment in started.items()}
    assert {token: payment["status"] for token, payment in ended.items()} == TOKENS
    compare(client, list(ended.values()))
    for payment in ended.values():
        _, audit_log, _ = client.call("GET", f"/payments/{payment['transactionId']}/events?limit=100")
        assert [event["seq"] for event in audit_log["items"]] == list(range(1, len(audit_log["items"]) + 1))
        assert audit_log["items"][-1]["to"] == payment["status"]
        assert client.access is None or client.access.audit_log_is_whole(payment)


def test_fifty_at_once_with_one_key_make_one_payment(client: Client) -> None:
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: client.pay("tok_success", "fifty"), range(50)))
    assert len({answer["transactionId"] for answer in answers}) == 1
    payment = client.wait(answers[0])
    assert (payment["status"], len(payment["attempts"])) == ("SUCCESS", 1)
    compare(client, [payment])


def test_a_payer_who_approves(client: Client) -> None:
    payment = client.wait(client.pay("tok_requires_action", "approve"), until={"REQUIRES_ACTION"})
    assert client.pool.request("GET", payment["nextAction"]["url"]).status == 200
    payment = client.wait(payment)
    assert payment["status"] == "SUCCESS"
    compare(client, [payment])


def is_open(simulator: str) -> bool:
    address = urlsplit(simulator)
    try:
        socket.create_connection((address.hostname, address.port), timeout=5).close()
    except OSError:
        return False
    return True


@pytest.mark.local_only("it closes a simulator's port")
def test_a_closed_provider_is_passed_over_and_one_that_drops_answers_is_inquired(
    environment: LocalEnvironment, client: Client
) -> None:
    client.wait(client.pay("tok_success", "before-closed"))  # so that a worker is there: the port is closed for 20 s
    control(environment.mocks["mock"], closePortSeconds=20)
    poll(lambda: not is_open(environment.mocks["mock"]))
    closed = client.wait(client.pay("tok_success", "closed"))
    assert [a["state"] for a in closed["attempts"]] == ["NOT_SENT", "SUCCEEDED"]
    poll(lambda: is_open(environment.mocks["mock"]))
    control(environment.mocks["mock"], faults={"drop_after": 1.0})
    dropped = client.pay("tok_success", "dropped")
    stem = dropped["transactionId"].removeprefix("pay_")
    poll(lambda: any(stem in entry["reference"] for entry in client.ledger()))
    control(environment.mocks["mock"], faults={})
    dropped = client.wait(dropped)
    assert (dropped["status"], len(dropped["attempts"])) == ("SUCCESS", 1)
    compare(client, [closed, dropped])


@pytest.mark.local_only("it sends garbage into a queue, which wakes an operator")
def test_a_message_that_is_no_job_ends_in_the_dead_letters_and_hurts_nobody(
    environment: LocalEnvironment, client: Client
) -> None:
    sqs = environment.engine.client("sqs")
    url = environment.outputs["JobsQueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="garbage", MessageGroupId="x")
    payment = client.wait(client.pay("tok_success", "beside-garbage"))
    assert payment["status"] == "SUCCESS"


@pytest.mark.local_only("it purges a queue and writes into a table")
def test_a_message_that_got_lost_is_made_up_for_by_the_sweeper(environment: LocalEnvironment, client: Client) -> None:
    """The row is the queue: purge the messages, move the due time into the past, and the payment is made."""
    dynamodb, outputs = environment.engine.client("dynamodb"), environment.outputs
    functions = environment.engine.client("lambda")
    queue = outputs["JobsQueueUrl"].rsplit("/", 1)[-1]
    sources = functions.list_event_source_mappings()["EventSourceMappings"]
    (source,) = [found for found in sources if found["EventSourceArn"].endswith(f":{queue}")]
    for number in range(10):
        functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
        time.sleep(2)  # the engine may be about to read the queue once more
        payment = client.pay("tok_success", f"lost-message-{number}")
        environment.engine.client("sqs").purge_queue(QueueUrl=outputs["JobsQueueUrl"])
        functions.update_event_source_mapping(UUID=source["UUID"], Enabled=True)
        time.sleep(1)
        if client.get(payment)["status"] == "PENDING":
            break
    else:
        raise AssertionError("no message was lost: nothing was shown")
    dynamodb.update_item(
        TableName=outputs["TransactionsTableName"],
        Key={"pk": {"S": f"M#demo#P#{payment['transactionId']}"}, "sk": {"S": "PAYMENT"}},
        UpdateExpression="SET dueAt = :past",
        ExpressionAttributeValues={":past": {"N": "1"}},
    )
    name, _, qualifier = outputs["SweeperFunctionName"].partition(":")
    functions.invoke(FunctionName=name, Qualifier=qualifier, Payload=b"{}")
    payment = client.wait(payment)
    assert payment["status"] == "SUCCESS"
    compare(client, [payment])


def test_the_list_shows_them_newest_first(client: Client) -> None:
    _, page, _ = client.call("GET", "/payments?limit=3")
    times = [item["createdAt"] for item in page["items"]]
    assert times == sorted(times, reverse=True)
    assert len(times) == 3
    _, following, _ = client.call("GET", f"/payments?limit=3&cursor={page['nextCursor']}")
    assert not {i["transactionId"] for i in page["items"]} & {i["transactionId"] for i in following["items"]}


@pytest.mark.local_only("it reads all logs")
def test_no_log_of_any_function_holds_a_token_or_a_key(environment: LocalEnvironment) -> None:
    logs = environment.engine.client("logs")
    text = ""
    for group in logs.describe_log_groups()["logGroups"]:
        for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]:
            text += event["message"]
    assert "attempt recorded" in text
    assert "tok_" not in text
    assert environment.api_key not in text


@pytest.mark.local_only("it reads metrics as they are written")
def test_the_metrics_of_a_payment_are_visible(environment: LocalEnvironment, client: Client) -> None:
    client.wait(client.pay("tok_success", "counted"))
    cloudwatch = environment.engine.client("cloudwatch")
    wanted = {"PaymentsAccepted", "PaymentsFinal", "AttemptOutcomes", "ProviderLatency", "ObjectiveMissed"}

    def metrics() -> list[dict[str, Any]]:
        return cloudwatch.list_metrics(Namespace="PayFlowX")["Metrics"]

    poll(lambda: wanted <= {metric["MetricName"] for metric in metrics()})
    assert all({"Name": "environment", "Value": "dev"} in metric["Dimensions"] for metric in metrics())
    poll(lambda: bool(cloudwatch.list_metrics(Namespace="AWS/ApiGateway")["Metrics"]))


@pytest.mark.local_only("it reads all logs")
def test_every_line_of_a_worker_has_the_clients_correlation_id(environment: LocalEnvironment, client: Client) -> None:
    body = {"amount": 1999, "currency": "USD", "paymentMethod": {"type": "card", "token": "tok_success"}}
    headers = {"Idempotency_Key": "correlated", "X_Correlation_Id": "checkout-4711"}
    _, payment, answered = client.call("POST", "/payments", body, **headers)
    assert answered["x-correlation-id"] == "checkout-4711"
    client.wait(payment)
    logs = environment.engine.client("logs")

    def lines() -> list[str]:
        said = [
            event["message"]
            for group in logs.describe_log_groups()["logGroups"]
            for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
        ]
        return [line for line in said if payment["transactionId"] in line and '"_aws"' not in line]

    poll(lambda: any("attempt recorded" in line for line in lines()))
    assert all("checkout-4711" in line for line in lines())


@pytest.mark.local_only("it makes a dead letter, which wakes an operator")
def test_a_dead_letter_is_an_alarm_whose_notification_arrives(environment: LocalEnvironment) -> None:
    engine, outputs = environment.engine, environment.outputs
    engine.client("sqs").send_message(QueueUrl=outputs["JobsDeadLetterQueueUrl"], MessageBody="x")

    def notifications() -> list[dict[str, Any]]:
        alarms = [known for known in environment.alarms.received if known["NewStateValue"] == "ALARM"]
        return [alarm for alarm in alarms if "AlarmsJobsDeadLetters" in alarm["AlarmName"]]

    poll(lambda: bool(notifications()))
    (notification,) = notifications()
    assert "docs/runbooks/dead-letters.md" in notification["AlarmDescription"]
    states = {state.name: state for state in alarm_states(engine, read_stacks("Dev")["Dev-Service"].template)}
    assert any("JobsDeadLetters" in name and state.state == "ALARM" for name, state in states.items())
    impaired = next(state for name, state in states.items() if "PaymentsImpaired" in name)
    assert impaired.evaluated_by == "here"
