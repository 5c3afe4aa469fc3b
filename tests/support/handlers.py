"""The Lambda handlers in this process, over the in-process engine, with scripted providers behind them."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from payflowx.bootstrap import Container
from payflowx.entrypoints import deliverer, sweeper, worker
from payflowx.entrypoints.api import authorizer
from payflowx.entrypoints.api import handler as api
from payflowx.entrypoints.operators import handler as operations
from payflowx.entrypoints.operators.commands import RUNNERS
from payflowx.entrypoints.operators.commands.base import MutatingCommand
from tests.support.memory import CountingRandomness, FixedRules, ManualClock, OneByOne
from tests.support.scripted import ScriptedProviders
from tests.support.tables import CONFIGURATION, IDEMPOTENCY, TRANSACTIONS
from tests.support.world import _providers, fallback

if TYPE_CHECKING:
    from tests.support.engine import InProcessEngine

ENVIRONMENT = {
    "ENVIRONMENT": "dev",
    "API_KEY_MODE": "test",
    "ALLOWED_PROVIDERS": "alpha,beta,gamma",
    "LOOPBACK_ALLOWED": "false",
    "MAX_RETRIES": "3",
    "CHARGE_DEADLINE_HOURS": "24",
    "POWERTOOLS_METRICS_NAMESPACE": "PayFlowX",
    "TRANSACTIONS_TABLE": TRANSACTIONS,
    "IDEMPOTENCY_TABLE": IDEMPOTENCY,
    "CONFIGURATION_TABLE": CONFIGURATION,
    "JOBS_LOG_GROUP": "/worker",
    "NOTICES_LOG_GROUP": "/notices",
    "DELIVERIES_LOG_GROUP": "/deliverer",
    "RUNS_LOG_GROUP": "/reconciler",
    "ACCOUNT_SECRETS_KEY_ARN": "alias/aws/secretsmanager",
}
QUEUES = tuple(name + end for name in ("jobs", "notices", "deliveries", "runs") for end in ("", "-dead"))


class _CurrentStdout:
    """Loggers live as long as the process; each test has a standard output of its own."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


class Context:
    """Lambda's context, as far as it is used."""

    function_name = "test"
    memory_limit_in_mb = 128
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:test"
    aws_request_id = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


@dataclass
class Functions:
    """All handlers over one store and one queue."""

    engine: "InProcessEngine"
    container: Container
    clock: ManualClock
    providers: ScriptedProviders
    queue_url: str
    deliveries_url: str
    api_key: str = ""
    merchant_id: str = "acme"
    answers: list[dict[str, Any]] = field(default_factory=list)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        query: dict[str, Any] | None = None,
        raw: str | None = None,
        merchant_id: str | None = None,
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Status, JSON body and headers of an API call."""
        sent = {"Content-Type": "application/json"} if method == "POST" else {}
        sent |= headers or {}
        text = raw if raw is not None else (json.dumps(body) if body is not None else None)
        event = rest_event(method, path, sent, query or {}, text, merchant_id or self.merchant_id)
        answer = api.handler(event, Context())
        self.answers.append(answer)
        flat = {k: v[0] for k, v in (answer.get("multiValueHeaders") or {}).items()} | (answer.get("headers") or {})
        return answer["statusCode"], json.loads(answer["body"] or "null"), flat

    def pay(self, key: str = "order-1", **changes: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
        """POST /payments with a valid body."""
        return self.call("POST", "/payments", payment_body(**changes), headers={"Idempotency-Key": key})

    def messages(self, queue_url: str = "") -> list[dict[str, Any]]:
        """Take what is in the queue, the jobs queue if none is named, delayed or not."""
        sqs, queue_url = self.engine.client("sqs"), queue_url or self.queue_url
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        found = answer.get("Messages", [])
        for message in found:
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return [{"messageId": m["MessageId"], "body": m["Body"], "attributes": {}} for m in found]

    def work(self) -> dict[str, Any]:
        """Give the worker what is in the queue."""
        return worker.handler({"Records": self.messages()}, Context())

    def deliver(self) -> dict[str, Any]:
        """Give the deliverer what is in its queue."""
        return deliverer.handler({"Records": self.messages(self.deliveries_url)}, Context())

    def sweep(self) -> dict[str, int]:
        """Run the sweeper."""
        return sweeper.handler({}, Context())

    def operate(self, **command: Any) -> dict[str, Any]:
        """Invoke the operations function, as somebody with a reason where a change needs one."""
        tag = command.get("command")
        changes = {c.__struct_config__.tag for c in RUNNERS if issubclass(c, MutatingCommand)}
        decision = {"operator": "arn:aws:iam::000000000000:user/ada", "reason": "TICKET-1"} if tag in changes else {}
        return operations.handler(decision | command, Context())

    def authorize(self, header: str | None) -> dict[str, Any]:
        """Invoke the authorizer."""
        headers = {} if header is None else {"Authorization": header}
        arn = "arn:aws:execute-api:eu-west-1:000000000000:api1/v1/GET/payments"
        return authorizer.handler({"type": "REQUEST", "methodArn": arn, "headers": headers}, None)


def payment_body(**changes: Any) -> dict[str, Any]:
    """A valid POST /payments body; None removes a field."""
    body = {
        "amount": 1999,
        "currency": "USD",
        "paymentMethod": {"type": "card", "token": "tok_success"},
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def rest_event(  # noqa: PLR0917 - in the order of a request
    method: str, path: str, headers: dict[str, str], query: dict[str, Any], body: str | None, merchant_id: str
) -> dict[str, Any]:
    """A proxy event of a REST API."""
    several = {name: value if isinstance(value, list) else [value] for name, value in query.items()}
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in several.items()} or None,
        "multiValueQueryStringParameters": several or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "requestId": "req-1",
            "stage": "v1",
            "authorizer": {"merchantId": merchant_id},
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": body,
        "isBase64Encoded": False,
    }


@contextmanager
def functions_over(engine: "InProcessEngine") -> Iterator[Functions]:
    """Handlers wired to the engine; the tables must exist."""
    clock, providers = ManualClock(), _providers()
    queues = {name: engine.client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in QUEUES}
    queue_url = queues["jobs"]
    deliveries_url = queues["deliveries"]
    key = engine.client("kms").create_key()["KeyMetadata"]["Arn"]
    container = Container(
        environment={
            **ENVIRONMENT,
            "JOBS_QUEUE_URL": queue_url,
            "DELIVERIES_QUEUE_URL": deliveries_url,
            "JOBS_DEAD_LETTERS_URL": queues["jobs-dead"],
            "NOTICES_QUEUE_URL": queues["notices"],
            "NOTICES_DEAD_LETTERS_URL": queues["notices-dead"],
            "DELIVERIES_DEAD_LETTERS_URL": queues["deliveries-dead"],
            "RUNS_QUEUE_URL": queues["runs"],
            "RUNS_DEAD_LETTERS_URL": queues["runs-dead"],
            "CURSOR_SECRET_ARN": "cursor",
            "ENCRYPTION_KEY_ARN": key,
        },
        client=engine.client,
        clock=clock,
        randomness=CountingRandomness(),
        pause=lambda _seconds: None,
    )
    engine.client("secretsmanager").create_secret(Name="cursor", SecretString="k" * 64)
    parts = {
        "providers": providers,
        "concurrency": OneByOne(),
        "rules": FixedRules(fallback("alpha", "beta")),
    }
    container.logger.setLevel("INFO")  # as deployed; the engine's own variable has silenced it
    for handler in container.logger.handlers:
        handler.setStream(_CurrentStdout())  # type: ignore[attr-defined]
    container.__dict__.update(parts)  # cached properties, filled before they are first read
    functions = Functions(engine, container, clock, providers, queue_url, deliveries_url)
    with ExitStack() as stack:
        for module in (api, authorizer, deliverer, operations, sweeper, worker):
            stack.enter_context(patch.object(module, "container", lambda: container))
        created = functions.operate(
            command="create_merchant",
            merchantId="acme",
            name="Acme",
            accounts=[
                {
                    "provider": name,
                    "accountId": "main",
                    "endpoint": "https://gateway.test",
                    "secretArn": "arn:x",
                }
                for name in providers.providers
            ],
        )
        functions.api_key = created["apiKey"]
        yield functions
    for url in queues.values():
        engine.client("sqs").delete_queue(QueueUrl=url)
    engine.client("secretsmanager").delete_secret(SecretId="cursor", ForceDeleteWithoutRecovery=True)
