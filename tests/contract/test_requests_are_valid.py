"""Deployed clients do not check their requests. Here each operation of the adapters is sent once to botocore's check.

Models of AWS in unit tests check the first requests of each line of code as well (`tests/support/validated.py`), and
the clients of the in-process engine check all of theirs.
"""

import ast
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ParamValidationError

from payflowx.adapters.account_secrets import SecretsManagerAccountSecrets
from payflowx.adapters.appconfig.publisher import AppConfigPublisher
from payflowx.adapters.dynamodb.core.batches import get_items, put_items
from payflowx.adapters.dynamodb.reconciliation.runs import DynamoDBRuns
from payflowx.adapters.failure_log import CloudWatchFailures
from payflowx.adapters.platform.aws import AT_ONCE, PATIENT, PROMPT, CallLimits
from payflowx.adapters.platform.secrets_manager import secrets_of
from payflowx.adapters.platform.signing_secret import SecretsManagerSigningSecret
from payflowx.adapters.platform.ttl_cache import TtlCache
from payflowx.adapters.settlement_files import S3SettlementFiles
from payflowx.adapters.sqs.dead_letters import QueuePair, SqsDeadLetters
from payflowx.adapters.sqs.messages import JOBS
from payflowx.adapters.sqs.queue import Queue
from payflowx.adapters.webhooks.cipher import KmsSecretCipher
from payflowx.domain.merchants.directory import AccountSecret
from payflowx.domain.payments.ports import Job
from payflowx.domain.recovery.ports import WorkQueueName
from payflowx.domain.shared.release import USER_AGENT
from tests.contract.test_reconciliation_ports import new_run
from tests.support.model_tables import model_database
from tests.support.validated import ValidatedClient, check, methods_of
from tests.support.world import World

ADAPTERS = Path(__file__).resolve().parents[2] / "functions" / "payflowx" / "adapters"
SERVICES = ("appconfig", "appconfigdata", "dynamodb", "kms", "logs", "s3", "secretsmanager", "sqs")
ACCOUNT = '{"keyId": "k", "keySecret": "s"}'
VERSION = {"VersionId": "v" * 32, "VersionStages": ["AWSCURRENT"], "CreatedDate": datetime(2026, 1, 1, tzinfo=UTC)}
DEPLOYMENT = {"State": "COMPLETE", "ConfigurationVersion": "1", "DeploymentNumber": 1}


class Answering:
    """Answers each operation from a table, once botocore has found its request valid."""

    def __init__(self, service: str, answers: Mapping[str, Any]) -> None:
        self.client = ValidatedClient(service, self)
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        def call(**_request: Any) -> Any:
            found = self._answers.get(name, {})
            return found() if callable(found) else found

        return call


def operations_of_the_adapters() -> set[str]:
    """Names of methods of AWS clients that adapters call."""
    known = {method for service in SERVICES for method in methods_of(service)}
    return {
        node.func.attr
        for path in ADAPTERS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in known
        if "client" in ast.unparse(node.func.value)
    }


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Methods whose requests were checked. Each is, however often its line was checked by another test."""
    found: set[str] = set()

    def recorded(service: str, method: str, request: dict[str, Any]) -> None:
        found.add(method)
        check(service, method, request)

    monkeypatch.setattr("tests.support.validated.CHECKED_OF_EACH_PLACE", 1_000_000)
    monkeypatch.setattr("tests.support.validated.check", recorded)
    return found


def test_every_operation_is_sent_once_with_the_check(seen: set[str]) -> None:
    pay()
    send_several()
    encrypt_and_decrypt()
    store_many()
    keep_secrets()
    roll_routing_out()
    handle_dead_letters()
    read_files_and_logs()
    assert seen == operations_of_the_adapters()


def test_the_check_refuses_what_the_service_would_refuse() -> None:
    with pytest.raises(ParamValidationError):
        Answering("sqs", {}).client.send_message(QueueUrl="q", MessageBody=7)


@pytest.mark.parametrize("limits", [PATIENT, PROMPT, AT_ONCE])
def test_the_configuration_of_a_function(limits: CallLimits) -> None:
    config = limits.config()
    assert config.parameter_validation is False
    assert config.disable_request_compression is True
    assert config.user_agent.startswith(f"{USER_AGENT} botocore/")
    assert limits.config(validates=True).parameter_validation is True


def test_a_request_says_who_sends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent is made once for a client: botocore would describe the machine anew in each request."""
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
    }.items():
        monkeypatch.setenv(name, value)
    session, sent = botocore.session.get_session(), []
    client = session.create_client("sqs", config=PROMPT.config())

    def refuse(request: Any, **_more: Any) -> None:
        sent.append(request.headers["User-Agent"])
        raise ZeroDivisionError

    client.meta.events.register("before-send", refuse)
    with pytest.raises(ZeroDivisionError):
        client.send_message(QueueUrl="https://sqs.eu-west-1.amazonaws.com/1/q", MessageBody="x")
    (agent,) = sent
    assert agent.decode().startswith(USER_AGENT)


# -- flows


def pay() -> None:
    world = World()
    payment = world.accept()
    world.work()
    world.sweep(world.deadline)
    assert world.now(payment).status == "SUCCESS"


def send_several() -> None:
    client = Answering("sqs", {"send_message_batch": {"Successful": [{"Id": "0"}, {"Id": "1"}]}}).client
    jobs = [Job(merchant_id="acme", transaction_id=f"pay_{number}") for number in range(2)]
    assert not Queue(client=client, url="q", codec=JOBS).send_all(jobs)


def encrypt_and_decrypt() -> None:
    client = Answering("kms", {"encrypt": {"CiphertextBlob": b"c"}, "decrypt": {"Plaintext": b"p"}}).client
    cipher = KmsSecretCipher(client=client, key_arn="arn", cache=TtlCache(1, lambda: 0, lambda _seconds: None))
    encrypted = cipher.encrypt("secret", merchant_id="acme", endpoint_id="we_1")
    assert cipher.open(encrypted, merchant_id="acme", endpoint_id="we_1") == "p"


def store_many() -> None:
    client: Any = ValidatedClient("dynamodb", model_database())
    key = {"pk": "R#1", "sk": "RUN"}
    put_items(client, "transactions", [key])
    assert list(get_items(client, "transactions", [key])) == [key]
    run = new_run()
    assert DynamoDBRuns(client=client, table="transactions").start(run) == run


def keep_secrets() -> None:
    answers = {
        "create_secret": {"ARN": "arn"},
        "put_secret_value": {"ARN": "arn"},
        "get_secret_value": {"SecretString": ACCOUNT},
        "list_secret_version_ids": {"Versions": [VERSION]},
    }
    client = Answering("secretsmanager", answers).client
    accounts = SecretsManagerAccountSecrets(client=client, key_arn="arn")
    arn = accounts.put("payflowx/dev/accounts/acme", AccountSecret(key_id="k", key_secret="s"))
    accounts.replace(arn, AccountSecret(key_id="k", key_secret="t"), keep_previous=True)
    signing = SecretsManagerSigningSecret(client=client, arn="arn")
    assert signing.replace(signing.current(), "t" * 64)
    secrets = secrets_of(client, lambda lifetime_ms: TtlCache(lifetime_ms, lambda: 0, lambda _seconds: None))
    assert secrets.credentials("arn").key_id == "k"


def roll_routing_out() -> None:
    running = {"State": "BAKING", "ConfigurationVersion": "2", "DeploymentNumber": 2}
    listed = iter([[DEPLOYMENT], [DEPLOYMENT, running], [DEPLOYMENT, running], [DEPLOYMENT]])
    answers = {
        "list_deployments": lambda: {"Items": next(listed)},
        "get_hosted_configuration_version": lambda: {"Content": io.BytesIO(b"{}")},
        "create_hosted_configuration_version": {"VersionNumber": 2},
        "start_deployment": DEPLOYMENT,
    }
    client = Answering("appconfig", answers).client
    publisher = AppConfigPublisher(client=client, application="a", environment="e", profile="p", strategy="s")
    assert publisher.published(b"{ }") is None
    publisher.publish(b"{ }", "a change")
    assert publisher.versions_to_roll_back(None).before == 1
    publisher.roll_back(1, "back")


def handle_dead_letters() -> None:
    message = {"MessageId": "m", "ReceiptHandle": "r", "Body": "{}"}
    answers = {"receive_message": {"Messages": [message]}, "get_queue_attributes": {"Attributes": {}}}
    client = Answering("sqs", answers).client
    name = WorkQueueName.JOBS
    letters = SqsDeadLetters(client=client, queues={name: QueuePair(queue_url="q", dead_letters_url="d")})
    (taken,) = letters.take(name, limit=1, hide_seconds=1)
    letters.put_back(name, [taken])
    letters.delete(name, taken)
    letters.purge(name)
    assert letters.depths()[0].dead == 0


def read_files_and_logs() -> None:
    body = {"Body": io.BytesIO(b"a,b\n"), "ContentRange": "bytes 0-3/4"}
    s3 = Answering("s3", {"get_object": lambda: {**body, "Body": io.BytesIO(b"a,b\n")}}).client
    S3SettlementFiles(client=s3, bucket="bucket", read_row=lambda _provider, _row: None).page("mock", "day.csv", None)
    logs = Answering("logs", {"filter_log_events": {"events": []}}).client
    failures = CloudWatchFailures(client=logs, log_groups={WorkQueueName.JOBS: "/worker"})
    assert failures.failures(WorkQueueName.JOBS, "m", 0) == []
