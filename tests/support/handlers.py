"""The Lambda handlers in this process, over the in-process engine, with scripted providers behind them."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from payflowx.adapters.platform.aws import AwsClients
from payflowx.domain.routing.routing import RoutingDocument
from payflowx.entrypoints import deliverer, provider_events, reconciler, sweeper, webhook_receiver, worker
from payflowx.entrypoints.api import authorizer
from payflowx.entrypoints.api import handler as api
from payflowx.entrypoints.checkout import handler as checkout
from payflowx.entrypoints.operators import handler as operators
from payflowx.entrypoints.operators.commands import reconciliation
from payflowx.entrypoints.operators.commands.base import MutatingCommand
from payflowx.entrypoints.operators.commands.registry import RUNNERS
from payflowx.wiring.api import ApiWiring
from payflowx.wiring.checkout import CheckoutWiring
from payflowx.wiring.inbound_webhooks import WebhookReceiverWiring
from payflowx.wiring.merchants import AuthorizerWiring
from payflowx.wiring.operators import OperatorsWiring
from payflowx.wiring.outbound_webhooks import DelivererWiring
from payflowx.wiring.payments import WorkerWiring
from payflowx.wiring.platform import Platform, Wiring
from payflowx.wiring.provider_events import ProviderEventsWiring
from payflowx.wiring.reconciliation import ReconcilerWiring
from payflowx.wiring.recovery import SweeperWiring
from testing.app_config import AppConfigData
from testing.secrets_manager import SecretsManager
from tests.support.memory import CountingRandomness, ManualClock, OneByOne
from tests.support.platform import ENVIRONMENT, QUEUES, encode_routing_document, queue_addresses
from tests.support.scripted import ScriptedProviders
from tests.support.world import fallback, scripted_providers

if TYPE_CHECKING:
    from tests.support.engine import InProcessEngine

W = TypeVar("W", bound=Wiring)

MODULES: Final[dict[type[Wiring], Any]] = {
    ApiWiring: api,
    AuthorizerWiring: authorizer,
    CheckoutWiring: checkout,
    DelivererWiring: deliverer,
    OperatorsWiring: operators,
    ProviderEventsWiring: provider_events,
    ReconcilerWiring: reconciler,
    SweeperWiring: sweeper,
    WebhookReceiverWiring: webhook_receiver,
    WorkerWiring: worker,
}
CHANGES: Final = {
    command.__struct_config__.tag
    for command in (*RUNNERS, *reconciliation.COMMANDS)
    if issubclass(command, MutatingCommand)
}
DECISION: Final = {"operator": "arn:aws:iam::000000000000:user/ada", "reason": "TICKET-1"}


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


@dataclass(kw_only=True)
class ScriptedPlatform(Platform):
    """Without threads, with logs as deployed, and with the providers that a test wants instead."""

    scripted: ScriptedProviders | None = None
    wire: Any = None
    concurrency = OneByOne()

    def __post_init__(self) -> None:
        self.logger.setLevel("INFO")  # as deployed; the engine's own variable has silenced it
        for handler in self.logger.handlers:
            handler.setStream(_CurrentStdout())  # type: ignore[attr-defined]

    @property
    def http(self) -> Any:
        return self.wire

    def registry(self, allowed: tuple[str, ...], **more: Any) -> Any:
        return self.scripted or super().registry(allowed, **more)


@dataclass
class Functions:
    """All handlers over one store and one queue, each with its own wiring."""

    engine: "InProcessEngine"
    platform: ScriptedPlatform
    api_key: str = ""
    merchant_id: str = "acme"
    answers: list[dict[str, Any]] = field(default_factory=list)
    wirings: dict[type[Wiring], Wiring] = field(default_factory=dict)

    # -- wirings

    def wired(self, kind: type[W]) -> W:
        """The wiring of a function, made at its first event."""
        if kind not in self.wirings:
            self.wirings[kind] = kind.over(self.platform)
        found = self.wirings[kind]
        assert isinstance(found, kind)
        return found

    def deploy(self, **environment: str) -> None:
        """Start all functions anew, with other settings."""
        self.platform.environment = {**self.platform.environment, **environment}
        self.wirings.clear()

    def traced(self, header: str) -> None:
        """Lambda's trace from now on."""
        self.platform.environment = {**self.platform.environment, "_X_AMZN_TRACE_ID": header}

    @property
    def clock(self) -> ManualClock:
        assert isinstance(self.platform.clock, ManualClock)
        return self.platform.clock

    @property
    def providers(self) -> ScriptedProviders:
        assert self.platform.scripted is not None
        return self.platform.scripted

    @property
    def api(self) -> ApiWiring:
        return self.wired(ApiWiring)

    @property
    def operators(self) -> OperatorsWiring:
        return self.wired(OperatorsWiring)

    @property
    def queue_url(self) -> str:
        """That of the jobs."""
        return self.platform.environment["JOBS_QUEUE_URL"]

    @property
    def deliveries_url(self) -> str:
        return self.platform.environment["DELIVERIES_QUEUE_URL"]

    # -- events

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
        """Invoke the operators' function, with who and why where a change needs them."""
        return operators.handler(decided(command), Context())

    def authorize(self, header: str | None) -> dict[str, Any]:
        """Invoke the authorizer."""
        headers = {} if header is None else {"Authorization": header}
        arn = "arn:aws:execute-api:eu-west-1:000000000000:api1/v1/GET/payments"
        return authorizer.handler({"type": "REQUEST", "methodArn": arn, "headers": headers}, None)


def decided(command: dict[str, Any]) -> dict[str, Any]:
    """A change with who decides it and why; a question as it is."""
    return DECISION | command if command.get("command") in CHANGES else command


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
def use_everywhere(functions: Functions) -> Iterator[None]:
    """All handlers run over these wirings."""
    with ExitStack() as stack:
        for kind, module in MODULES.items():
            stack.enter_context(module.wiring.use(lambda kind=kind: functions.wired(kind)))
        yield


@contextmanager
def functions_over(engine: "InProcessEngine") -> Iterator[Functions]:
    """Handlers wired to the engine, with scripted providers and a merchant; the tables must exist."""
    providers = scripted_providers()
    with _functions(engine, fallback("alpha", "beta"), scripted=providers) as functions:
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


@contextmanager
def simulated_functions(engine: "InProcessEngine", wire: Any, clock: ManualClock, *names: str) -> Iterator[Functions]:
    """Handlers wired to the engine and, by `wire`, to providers' simulators; payments go to the first of `names`."""
    more = {"wire": wire, "clock": clock}
    with _functions(engine, fallback(names[0]), ALLOWED_PROVIDERS=",".join(names), **more) as functions:
        functions.platform.clients.secretsmanager = SecretsManager()  # type: ignore[assignment]
        yield functions


@contextmanager
def _functions(engine: "InProcessEngine", routing: RoutingDocument, **more: Any) -> Iterator[Functions]:
    """Names in capitals are settings."""
    sqs, secrets = engine.client("sqs"), engine.client("secretsmanager")
    queues = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in QUEUES}
    secrets.create_secret(Name="cursor", SecretString="k" * 64)
    secrets.create_secret(Name="checkout-tokens", SecretString="t" * 64)
    rules = AppConfigData(lambda: encode_routing_document(routing))
    platform = ScriptedPlatform(
        environment={
            **ENVIRONMENT,
            **queue_addresses(queues),
            "ENCRYPTION_KEY_ARN": engine.client("kms").create_key()["KeyMetadata"]["Arn"],
            **{name: value for name, value in more.items() if name.isupper()},
        },
        clients=AwsClients(lambda service: rules if service == "appconfigdata" else engine.client(service)),
        randomness=CountingRandomness(),
        pause=lambda _seconds: None,
        **{"clock": ManualClock(), **{name: value for name, value in more.items() if name.islower()}},
    )
    functions = Functions(engine, platform)
    with use_everywhere(functions):
        yield functions
    for url in queues.values():
        sqs.delete_queue(QueueUrl=url)
    for name in ("cursor", "checkout-tokens"):
        secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
