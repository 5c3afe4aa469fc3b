"""The functions of the environment over simulated time, models of AWS's services and the simulators' books.

The same machinery runs the simulator's seeds. Nothing is at random here but what the seed decides, and no fault strikes
but those of the story.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final

from ops.demo_data.payers import Pages
from ops.demo_data.place import Place, PlacedAccount
from payflowx.domain.outbound_webhooks.merchant_events import Answered, NotAnswered, Posted
from simulation.accounts import KeyPair, ProviderAccount
from simulation.api import Api
from simulation.clients import Clients
from simulation.faults import Faults
from simulation.functions import FUNCTIONS, Platform
from simulation.history import History
from simulation.kernel import Kernel
from simulation.operators import Operators
from simulation.payers import Payers
from simulation.provider_events import ProviderEvents
from simulation.providers import Shop, SimulatedProviders
from simulation.queue import Queue
from simulation.services import AppConfigClient, DynamoDBClient, KmsClient, Network, SecretsClient, SqsClient
from simulation.world import CONFIGURATION, IDEMPOTENCY, TRANSACTIONS, tables
from testing.dynamodb.database import Database
from testing.dynamodb.tables import Table

_QUEUES: Final = {
    "JOBS": "worker",
    "NOTICES": "provider_events",
    "DELIVERIES": "deliverer",
    "RUNS": "reconciler",
    "SLOWJOBS": "worker",
    "SLOWDELIVERIES": "deliverer",
}
_VISIBILITY_FACTOR: Final = 6
_SWEEP_MS: Final = 60_000
_API_KEY: Final = "demo-data"
"""Known to the model of API Gateway alone: the merchant's own key is not needed."""
_FOR_EVER_MS: Final = 2**53
_REASON: Final = {"operator": "demo-data", "reason": "Part of the demo data"}


@dataclass(frozen=True, slots=True)
class Measured:
    """A value of a metric and its time."""

    at_ms: int
    namespace: str
    name: str
    unit: str
    value: float
    dimensions: Mapping[str, str]


@dataclass(slots=True)
class MeasuringHistory(History):
    """Keeps what the functions measure. `now_ms` is the simulated time."""

    now_ms: Callable[[], int] = lambda: 0
    namespace: str = ""
    environment: str = ""
    measured: list[Measured] = field(default_factory=list)

    def measure(self, name: str, unit: str, value: int, dimensions: Mapping[str, str]) -> None:
        """Under the dimensions that the functions' own telemetry gives it."""
        under = {"environment": self.environment, **dimensions}
        self.measured.append(Measured(self.now_ms(), self.namespace, str(name), unit, value, under))


@dataclass(slots=True)
class _Account(ProviderAccount):
    """The merchant's account at a simulator of the environment, with the keys that it has there."""

    placed: PlacedAccount | None = None

    def issue(self) -> KeyPair:
        return self._placed.keys

    @property
    def host(self) -> str:
        return self._placed.host

    @property
    def secret_arn(self) -> str:
        return self._placed.secret_arn

    @property
    def _placed(self) -> PlacedAccount:
        if self.placed is None:
            raise RuntimeError("the account has no place yet")
        return self.placed


@dataclass(slots=True)
class _Providers(SimulatedProviders):
    """The merchant's accounts and no others."""

    merchant_id: str = ""
    placed: Iterable[PlacedAccount] = ()

    def __post_init__(self) -> None:
        for place in self.placed:
            account = _Account(self.merchant_id, place.provider, webhook_path=place.webhook_path, placed=place)
            shop = self._opened(account)
            shop.simulator.account = ""  # as in the environment's own servers, which have one account each
            shop.simulator.public_url = place.endpoint.removesuffix("/pg")
            self.shops[account.host] = shop


class _ProviderEvents(ProviderEvents):
    """No event goes to another merchant's address here."""

    def _other(self, shop: Shop) -> Shop:
        return shop


@dataclass(slots=True)
class Endpoints:
    """Implements `WebhookClient`. `lost_from_ms`: from then on an address fails."""

    kernel: Kernel
    platform: Platform | None = None
    lost_from_ms: dict[str, int] = field(default_factory=dict)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted:  # noqa: ARG002 - the port's signature
        """From a task: one post, and the endpoint's answer."""
        if self.platform is None:
            raise RuntimeError("the endpoints have no platform yet")
        self.platform.travel(20, 250)
        if self.kernel.now_ms >= self.lost_from_ms.get(url, _FOR_EVER_MS):
            return NotAnswered(code="connection_refused") if self.kernel.now_ms % 3 else Answered(status=503)
        return Answered(status=200)


class World:
    """The environment from `start_ms` on. Its tables begin with the environment's configuration and nothing else."""

    def __init__(self, place: Place, *, seed: int, start_ms: int) -> None:
        self.place = place
        self.kernel = Kernel(seed)
        self.kernel.now_ms = start_ms
        self.faults = Faults.none(self.kernel.random)
        self.history = MeasuringHistory(
            now_ms=lambda: self.kernel.now_ms,
            namespace=place.settings["POWERTOOLS_METRICS_NAMESPACE"],
            environment=place.settings["ENVIRONMENT"],
        )
        self.tables = self._tables()
        database = Database(self.tables, now_ms=lambda: self.kernel.now_ms)
        self.network = Network(self.faults)
        self.queues = {name: self._queue(consumer) for name, consumer in _QUEUES.items()}
        self.providers = _Providers(
            self.kernel,
            self.faults,
            self.history,
            lambda _key: True,
            lambda _key: False,
            merchant_id=place.merchant_id,
            placed=place.accounts,
        )
        self.endpoints = Endpoints(self.kernel)
        clients = self._clients(database)
        self.platform = Platform(
            self.kernel,
            self.faults,
            self.history,
            place.settings,
            clients,
            self.providers,
            self.endpoints,
            newer_clients=clients,
        )
        self.network.platform = self.providers.platform = self.endpoints.platform = self.platform
        for queue in self.queues.values():
            queue.invoke = self.platform.invoke
        self.api = Api(self.kernel, self.faults, self.history, self.platform)
        self.api.api_keys[place.merchant_id] = [_API_KEY]
        self.api.reason = _REASON
        self.api.authorized[_API_KEY] = (_FOR_EVER_MS, place.merchant_id)
        self.operators = Operators(self.kernel, self.faults, self.history, self.api, self.providers)
        events = _ProviderEvents(self.kernel, self.faults, self.history, self.api, self.providers)
        self.providers.changed = events.changed
        self.events = events
        payers = Payers(self.kernel, self.faults, self.api, self.providers)
        self.merchant = Clients(self.kernel, self.faults, self.api, self.operators, self.providers, payers)
        self.pages = Pages(self.kernel, self.api, self.providers, place.settings["CHECKOUT_PAGES_URL"])
        self._sweep_later()

    def _tables(self) -> dict[str, Table]:
        named = {"TRANSACTIONS_TABLE": TRANSACTIONS, "IDEMPOTENCY_TABLE": IDEMPOTENCY}
        named["CONFIGURATION_TABLE"] = CONFIGURATION
        made = tables()
        for table in made.values():
            for item in self.place.configuration if table.name == CONFIGURATION else ():
                table.put(table.schema.key_of(item), item, 0, lambda: 0)
        return {self.place.settings[setting]: made[name] for setting, name in named.items()}

    def _queue(self, consumer: str) -> Queue:
        visibility_ms = FUNCTIONS[consumer].timeout_ms * _VISIBILITY_FACTOR
        return Queue(self.kernel, self.faults, self.history, consumer=consumer, visibility_ms=visibility_ms)

    def _clients(self, database: Database) -> dict[str, Any]:
        settings = self.place.settings
        return {
            "dynamodb": DynamoDBClient(database, self.network),
            "sqs": SqsClient(
                {settings[f"{name}_QUEUE_URL"]: queue for name, queue in self.queues.items()},
                {settings[f"{name}_DEAD_LETTERS_URL"]: queue for name, queue in self.queues.items()},
                self.network,
            ),
            "appconfigdata": AppConfigClient(self.place.routing, self.network),
            "secretsmanager": SecretsClient(dict(self.place.secrets), self.network),
            "kms": self.place.kms or KmsClient(self.network),
            "s3": None,  # no settlement file is uploaded
        }

    def at(self, at_ms: int, task: Callable[..., None], *given: Any) -> None:
        """Start a task then."""
        self.kernel.at(at_ms, lambda: self.kernel.spawn(partial(task, *given)))

    def shop(self, provider: str) -> Shop:
        """The merchant's account at the provider."""
        return self.providers.shop(self.place.merchant_id, provider)

    def apart(self, name: str) -> Random:
        """Numbers of their own for a part of the story, so that the others do not change with it."""
        return Random(f"{name} {self.place.merchant_id}")  # noqa: S311 - repeatable on purpose

    def _sweep_later(self) -> None:
        self.kernel.after(_SWEEP_MS, self._sweep)

    def _sweep(self) -> None:
        """Not where it would find nothing: it would read sixteen empty shards."""
        self._sweep_later()
        least = self.tables[self.place.settings["TRANSACTIONS_TABLE"]].indexes["due"].least()
        if least is not None and least <= self.kernel.now_ms + 3_000:
            self.platform.invoke("sweeper", {}, lambda _answer: None)
