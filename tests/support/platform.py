"""What the production wiring gets in tests: settings, clients of the models, and providers that a test controls."""

import json
from collections.abc import Callable, Mapping, MutableSequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast, overload

from payflowx.adapters.platform.aws import AwsClients
from payflowx.adapters.sqs.queue import Codec
from payflowx.adapters.sqs.queue import Queue as QueueAdapter
from payflowx.domain.routing.routing import Conditions, RoutingDocument
from payflowx.wiring.platform import Platform
from payflowx.wiring.settings import Settings
from testing.sqs import Message, Queue, Sqs
from tests.support.memory import OneByOne, RecordingTelemetry
from tests.support.tables import CONFIGURATION, IDEMPOTENCY, TRANSACTIONS
from tests.support.validated import ValidatedClient

T = TypeVar("T")

QUEUES = tuple(
    name + end
    for name in ("jobs", "slowjobs", "notices", "deliveries", "slowdeliveries", "runs")
    for end in ("", "-dead")
)


def queue_addresses(queues: Mapping[str, str]) -> dict[str, str]:
    """As settings: `jobs` and `jobs-dead` are JOBS_QUEUE_URL and JOBS_DEAD_LETTERS_URL."""
    return {
        f"{name.removesuffix('-dead').upper()}_{'DEAD_LETTERS' if name.endswith('-dead') else 'QUEUE'}_URL": url
        for name, url in queues.items()
    }


ENVIRONMENT = {
    "ENVIRONMENT": "dev",
    "API_KEY_MODE": "test",
    "ALLOWED_PROVIDERS": "alpha,beta,gamma",
    "LOOPBACK_ALLOWED": "false",
    "MAX_RETRIES": "3",
    "CHARGE_DEADLINE_HOURS": "24",
    "NOT_SENT_PATIENCE_MINUTES": "60",
    "POWERTOOLS_METRICS_NAMESPACE": "PayFlowX",
    "TRANSACTIONS_TABLE": TRANSACTIONS,
    "IDEMPOTENCY_TABLE": IDEMPOTENCY,
    "CONFIGURATION_TABLE": CONFIGURATION,
    "JOBS_LOG_GROUP": "/worker",
    "NOTICES_LOG_GROUP": "/notices",
    "DELIVERIES_LOG_GROUP": "/deliverer",
    "RUNS_LOG_GROUP": "/reconciler",
    "ACCOUNT_SECRETS_KEY_ARN": "alias/aws/secretsmanager",
    "ROUTING_APPLICATION": "payflowx",
    "ROUTING_ENVIRONMENT": "dev",
    "ROUTING_PROFILE": "routing",
    "ROUTING_STRATEGY": "at-once",
    "JOBS_LATE_AT": "2500",
    "DELIVERIES_LATE_AT": "400",
    "SLOWJOBS_LATE_AT": "1000",
    "SLOWDELIVERIES_LATE_AT": "400",
    "SLOWJOBS_LOG_GROUP": "/worker",
    "SLOWDELIVERIES_LOG_GROUP": "/deliverer",
    "SETTLEMENTS_BUCKET": "settlements",
    "CURSOR_SECRET_ARN": "cursor",
    "CHECKOUT_TOKEN_SECRET_ARN": "checkout-tokens",
    "CHECKOUT_PAGES_URL": "https://pay.example.com/checkout",
    "CHECKOUT_ENABLED": "true",
    "CHECKOUT_WAIT_SECONDS": "0",
    "COMPACT_PAYMENTS": "true",
    "LIST_PARTITIONS": "1",
    "DUE_SHARDS": "16",
    "WRITE_NEW_PARTITIONS": "false",
    "ENCRYPTION_KEY_ARN": "key",
    **queue_addresses({name: name for name in QUEUES}),
}


@dataclass(kw_only=True)
class ModelPlatform(Platform):
    """Without threads and logs. Providers come from the test; `provider_http` is the way to them."""

    recorded: RecordingTelemetry
    scripted: Callable[[], Any]
    provider_http: Callable[[], Any]
    concurrency = OneByOne()

    @property
    def http(self) -> Any:
        return self.provider_http()

    def telemetry(self, settings: Settings) -> Any:
        return self.recorded

    def registry(self, allowed: tuple[str, ...], **more: Any) -> Any:
        return self.scripted() or super().registry(allowed, **more)


def clients_of(**by_service: Any) -> AwsClients:
    """Clients by the names of their services. Each checks its requests, because deployed ones do not."""
    return AwsClients({name: ValidatedClient(name, client) for name, client in by_service.items()}.__getitem__)


class Interceptor:
    """A client in front of another. `before` sees each request by its method's name, and may raise."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.before: Callable[[str, Mapping[str, Any]], None] = lambda _method, _request: None

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)

        def call(**request: Any) -> Any:
            self.before(name, request)
            return method(**request)

        return call


@dataclass
class Sent(MutableSequence[tuple[T, int]], Generic[T]):  # noqa: PLW1641 - a list has no hash either
    """The messages of a queue as content and delay in seconds, over what the queue really holds."""

    queue: Queue
    codec: Codec[T]

    @overload
    def __getitem__(self, index: int) -> tuple[T, int]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[T, int]]: ...
    def __getitem__(self, index: int | slice) -> Any:
        found = self.queue.messages[index]
        return [self._read(m) for m in found] if isinstance(found, list) else self._read(found)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.queue.messages[index] = (
            [self._written(v) for v in value] if isinstance(index, slice) else self._written(value)
        )

    def __delitem__(self, index: int | slice) -> None:
        del self.queue.messages[index]

    def __len__(self) -> int:
        return len(self.queue.messages)

    def insert(self, index: int, value: tuple[T, int]) -> None:
        self.queue.messages.insert(index, self._written(value))

    def __eq__(self, other: object) -> bool:
        return list(self) == other

    def __repr__(self) -> str:
        return repr([(m.body, m.delay_seconds) for m in self.queue.messages])

    def _read(self, message: Message) -> tuple[T, int]:
        return self.codec.decode(message.body), message.delay_seconds

    def _written(self, value: tuple[T, int]) -> Message:
        return Message(self.codec.encode(value[0], None), value[1], self.codec.merchant_id(value[0]))


class TestQueue(Generic[T]):
    """The production queue adapter, and the messages that the model got from it."""

    __test__ = False

    def __init__(self, sqs: Sqs, url: str, codec: Codec[T]) -> None:
        self._model = sqs.queues[url]
        self._sent = cast("list[tuple[T, int]]", Sent(self._model, codec))
        self.send = QueueAdapter(client=sqs, url=url, codec=codec).send  # type: ignore[arg-type]

    @property
    def sent(self) -> list[tuple[T, int]]:
        return self._sent

    @sent.setter
    def sent(self, messages: list[tuple[T, int]]) -> None:
        self._sent[:] = messages

    @property
    def broken(self) -> bool:
        return self._model.broken

    @broken.setter
    def broken(self, broken: bool) -> None:
        self._model.broken = broken


def encode_routing_document(document: RoutingDocument) -> bytes:
    """As an operator publishes it."""
    rules = [
        {
            "name": rule.name,
            "when": _conditions(rule.when),
            "use": {"split": [{"percent": s.percent, "providers": list(s.providers)} for s in rule.shares]},
        }
        for rule in document.rules
    ]
    return json.dumps({"version": document.version, "rules": rules}).encode()


def _conditions(when: Conditions) -> dict[str, Any]:
    sets = {
        "currencies": when.currencies,
        "countries": when.countries,
        "paymentMethodTypes": when.payment_method_types,
        "merchants": when.merchants,
    }
    numbers = {"amountAtLeast": when.amount_at_least, "amountBelow": when.amount_below}
    return {
        **{name: sorted(values) for name, values in sets.items() if values is not None},
        **{name: value for name, value in numbers.items() if value is not None},
        "metadata": {name: sorted(values) for name, values in when.metadata.items()},
    }
