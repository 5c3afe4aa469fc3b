"""One run: everything wired, a time of trouble, and then a time in which all must come right."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final

from sandbox.simulators import REAL_PROVIDERS, SIMULATORS
from simulation.clients import Merchants
from simulation.faults import Faults
from simulation.functions import Platform, current_wirings
from simulation.history import History, Write
from simulation.kernel import EPOCH_MS, Kernel
from simulation.providers import KEY_ID, SECRET, Outage, SimulatedProviders
from simulation.queue import Queue
from simulation.services import AppConfigClient, DynamoDBClient, Network, SecretsClient, SqsClient
from simulation.workload import ARRIVAL_MS, DOCUMENT, MERCHANTS, Order, orders
from testing.dynamodb.database import Database
from testing.dynamodb.tables import Index, Key, Schema, Table
from testing.dynamodb.values import Item

TRANSACTIONS: Final = "Transactions"
IDEMPOTENCY: Final = "Idempotency"
CONFIGURATION: Final = "Configuration"
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
TROUBLE_MS: Final = 30 * MINUTE_MS
_LONGEST_EPISODE_MS: Final = 30 * HOUR_MS
_CALM_MS: Final = 150 * MINUTE_MS
"""After the trouble: longer than the longest pause between two looks at a payment, which is an hour."""
_PATIENCE_MS: Final = 50 * 24 * HOUR_MS
"""Longer than the longest time for which a provider may answer that a charge is pending."""
_LONG_PART: Final = 0.02
"""This part of the seeds waits for all that a provider may still turn round, which takes days."""
_MAX_LAG_MS: Final = 5_000

_QUEUES: Final = ("JOBS", "NOTICES", "DELIVERIES", "RUNS")
ENVIRONMENT: Final = {
    "ENVIRONMENT": "dev",
    "API_KEY_MODE": "test",
    "ALLOWED_PROVIDERS": ",".join({**SIMULATORS, **REAL_PROVIDERS}),
    "MAX_RETRIES": "3",
    "CHARGE_DEADLINE_HOURS": "24",
    "NOT_SENT_PATIENCE_MINUTES": "60",
    "POWERTOOLS_METRICS_NAMESPACE": "PayFlowX",
    "TRANSACTIONS_TABLE": TRANSACTIONS,
    "IDEMPOTENCY_TABLE": IDEMPOTENCY,
    "CONFIGURATION_TABLE": CONFIGURATION,
    "LOOPBACK_ALLOWED": "false",
    "JOBS_QUEUE_URL": "https://sqs.simulated/jobs",
    "DELIVERIES_QUEUE_URL": "https://sqs.simulated/deliveries",
    "ENCRYPTION_KEY_ARN": "arn:key",
    "CURSOR_SECRET_ARN": "arn:cursor",
    "NOTICES_QUEUE_URL": "https://sqs.simulated/notices",
    "RUNS_QUEUE_URL": "https://sqs.simulated/runs",
    **{f"{queue}_DEAD_LETTERS_URL": f"https://sqs.simulated/{queue}-dead" for queue in _QUEUES},
    **{f"{queue}_LOG_GROUP": f"/{queue}" for queue in _QUEUES},
    "ACCOUNT_SECRETS_KEY_ARN": "arn:key",
    "ROUTING_STRATEGY": "s",
    "ROUTING_APPLICATION": "a",
    "ROUTING_ENVIRONMENT": "e",
    "ROUTING_PROFILE": "p",
}


def tables() -> dict[str, Table]:
    """As the data stack defines them; a test compares."""
    collection = Schema("pk", "sk")
    indexes = {
        "due": Index(Schema("dueShard", "dueAt"), collection),
        "byMerchant": Index(Schema("merchantDay", "merchantDaySort"), collection),
        "reviews": Index(Schema("reviewsOf", "reviewSort"), collection),
    }
    return {
        TRANSACTIONS: Table(TRANSACTIONS, collection, indexes),
        IDEMPOTENCY: Table(IDEMPOTENCY, Schema("pk")),
        CONFIGURATION: Table(CONFIGURATION, collection),
    }


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run. `only` keeps some payments, `without` leaves kinds of faults out: to shrink a finding."""

    seed: int
    only: frozenset[int] | None = None
    without: frozenset[str] = frozenset()


@dataclass(slots=True)
class Episode:
    """A stretch of time in which something is off."""

    from_ms: int
    until_ms: int

    def covers(self, at_ms: int) -> bool:
        """Whether it is off then."""
        return self.from_ms <= at_ms < self.until_ms


@dataclass(slots=True)
class Result:
    """What a run leaves for the checker. Items as stored at the end."""

    plan: Plan
    history: History
    faults: Faults
    orders: list[Order]
    items: dict[tuple[str, Key], Item]
    ledger: list[dict[str, Any]]
    ended_ms: int
    settled: bool
    """Whether everything came to rest before patience ran out."""
    api_keys: dict[str, str] = field(default_factory=dict)


class World:
    """A seed's world."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.kernel = Kernel(plan.seed)
        random = self.kernel.random
        self.orders = orders(Random(plan.seed), EPOCH_MS + MINUTE_MS)
        planned = Faults.drawn(Random(plan.seed + 1), without=plan.without)
        self.planned = planned
        self.faults = Faults(random, dict.fromkeys(planned.rates, 0.0), frozenset())
        self.history = History()
        self.tables = tables()
        self.database = Database(
            self.tables,
            now_ms=lambda: self.kernel.now_ms,
            lag_ms=self._lag_ms,
            is_stale=lambda: self.faults.strikes("db_stale_read"),
            observe=self._observe,
        )
        network = Network(self.faults)
        self.queue = Queue(self.kernel, self.faults, self.history, off_until_ms=self._workers_off_until_ms)
        self.deliveries = Queue(
            self.kernel, self.faults, self.history, consumer="deliverer", off_until_ms=self._workers_off_until_ms
        )
        self.providers = SimulatedProviders(self.kernel, self.faults, self.history, self._is_stored)
        clients = {
            "dynamodb": DynamoDBClient(self.database, network),
            "sqs": SqsClient(
                {ENVIRONMENT["JOBS_QUEUE_URL"]: self.queue, ENVIRONMENT["DELIVERIES_QUEUE_URL"]: self.deliveries},
                network,
            ),
            "appconfigdata": AppConfigClient(DOCUMENT, network),
            "secretsmanager": SecretsClient(json.dumps({"keyId": KEY_ID, "keySecret": SECRET}), network),
            "kms": None,  # no merchant has a webhook endpoint, so no secret is ever encrypted
        }
        self.platform = Platform(self.kernel, self.faults, self.history, ENVIRONMENT, clients, self.providers)
        network.platform = self.providers.platform = self.platform
        self.queue.invoke = self.deliveries.invoke = self.platform.invoke
        self.merchants = Merchants(self.kernel, self.faults, self.history, self.platform, self.providers)
        self._sweeper_off = self._workers_off = Episode(0, 0)

    # -- what the models ask

    def _lag_ms(self) -> int:
        return self.faults.random.randint(20, _MAX_LAG_MS) if self.faults.strikes("db_index_lag") else 0

    def _observe(self, table: str, key: Key, before: Item | None, after: Item | None) -> None:
        process = self.platform.process
        self.history.writes.append(Write(self.kernel.now_ms, table, key, before, after, process))
        self.history.steps.append((self.kernel.now_ms, f"process {process}", f"writes {table}", f"{key[0]} {key[1]}"))

    def _is_stored(self, provider_key: str) -> bool:
        transaction_id = f"pay_{provider_key[4:20]}"
        table = self.tables[TRANSACTIONS]
        items = [table.get((f"M#{merchant}#P#{transaction_id}", "PAYMENT")) for merchant in MERCHANTS]
        return any(
            attempt["M"]["provider_key"]["S"] == provider_key
            for item in items
            if item is not None
            for attempt in item["attempts"]["L"]
        )

    def _workers_off_until_ms(self) -> int:
        return self._workers_off.until_ms if self._workers_off.covers(self.kernel.now_ms) else 0

    # -- the run

    def run(self) -> Result:
        """Set up in peace, run in trouble, come to rest."""
        kernel = self.kernel
        with current_wirings(kernel):
            self.merchants.set_up()
            kernel.run(EPOCH_MS + MINUTE_MS)
            trouble_ends_ms = self._make_trouble()
            self._sweep_later()
            for number, order in enumerate(self.orders):
                if self.plan.only is None or number in self.plan.only:
                    self.merchants.start(order)
            kernel.run(trouble_ends_ms)
            self._make_peace()
            kernel.run(kernel.now_ms + self._calm_ms())
            settled = kernel.run(kernel.now_ms + _PATIENCE_MS, is_done=self._is_at_rest)
            kernel.close()
        return Result(
            plan=self.plan,
            history=self.history,
            faults=self.faults,
            orders=self.orders,
            items={(name, key): item for name, table in self.tables.items() for key, item in table.items()},
            ledger=self.providers.ledger(),
            ended_ms=kernel.now_ms,
            settled=settled,
            api_keys=self.merchants.api_keys,
        )

    def _make_trouble(self) -> int:
        """Switch the faults on; the time when they end."""
        self.faults.rates, self.faults.episodes = dict(self.planned.rates), self.planned.episodes
        ends_ms = self.kernel.now_ms + TROUBLE_MS
        random = Random(self.plan.seed + 2)
        for kind, begin in self._episodes().items():
            start_ms = self.kernel.now_ms + random.randrange(ARRIVAL_MS)
            share = random.random()
            share = share**4 if random.random() < 0.8 else 0.8 + share / 5  # many short ones, some of more than a day
            episode = Episode(start_ms, start_ms + int(MINUTE_MS + share * _LONGEST_EPISODE_MS))
            if kind in self.faults.episodes:
                self.faults.counts[kind] += 1
                begin(episode)
                ends_ms = max(ends_ms, episode.until_ms + TROUBLE_MS)
        if self.faults.rates["queue_redrive"]:
            for _ in range(3):
                self.kernel.after(random.randrange(ends_ms - self.kernel.now_ms), self._redrive)
        if self.faults.rates["db_key_row_lost"]:
            for _ in range(40):
                self.kernel.after(random.randrange(ends_ms - self.kernel.now_ms), self._lose_key_row)
        return ends_ms

    def _episodes(self) -> dict[str, Callable[[Episode], None]]:
        return {
            "sweeper_off": self._switch_sweeper_off,
            "workers_off": self._switch_workers_off,
            "gateway_outage": self._break_provider,
            "gateway_switched_off": self._switch_provider_off,
            "account_removed": self._remove_account,
            "deployment": self._deploy,
        }

    def _switch_sweeper_off(self, episode: Episode) -> None:
        self._sweeper_off = episode

    def _switch_workers_off(self, episode: Episode) -> None:
        self._workers_off = episode

    def _break_provider(self, episode: Episode) -> None:
        random = self.faults.random
        name = random.choice(tuple(SIMULATORS))
        self.providers.outages.append(Outage(name, episode.from_ms, episode.until_ms, random.random() < 0.5))

    def _switch_provider_off(self, episode: Episode) -> None:
        """For everyone, by an operator."""
        name = self.faults.random.choice(tuple(SIMULATORS))
        for at_ms, off in ((episode.from_ms, True), (episode.until_ms, False)):
            item = {"pk": {"S": "GLOBAL"}, "sk": {"S": f"SWITCH#{name}"}, "disabled": {"BOOL": off}}
            self.kernel.at(at_ms, partial(self.database.put_item, TableName=CONFIGURATION, Item=item))

    def _remove_account(self, episode: Episode) -> None:
        """Of one merchant, by mistake, and put back later."""
        random, table = self.faults.random, self.tables[CONFIGURATION]
        key = (f"M#{random.choice(MERCHANTS)}", f"ACCOUNT#{random.choice(tuple(SIMULATORS))}#main")
        item = table.get(key)
        for at_ms, stored in ((episode.from_ms, None), (episode.until_ms, item)):
            self.kernel.at(at_ms, partial(table.put, key, stored, at_ms, lambda: 0))

    def _deploy(self, episode: Episode) -> None:
        self.platform.deployed_at_ms = episode.from_ms

    def _redrive(self) -> None:
        if self.faults.strikes("queue_redrive"):
            self.queue.redrive()

    def _lose_key_row(self) -> None:
        """A row of the idempotency table is gone: the payment knows its fingerprint itself."""
        rows = sorted(key for key, _ in self.tables[IDEMPOTENCY].items())
        if rows and self.faults.strikes("db_key_row_lost"):
            key = self.faults.random.choice(rows)
            self.tables[IDEMPOTENCY].put(key, None, self.kernel.now_ms, lambda: 0)

    def _make_peace(self) -> None:
        self.faults.stop()
        self.providers.outages.clear()
        self._sweeper_off = self._workers_off = Episode(0, 0)
        self.queue.poll(1)
        self.deliveries.poll(1)

    def _calm_ms(self) -> int:
        return 6 * 24 * HOUR_MS if self.plan.seed % round(1 / _LONG_PART) == 0 else _CALM_MS

    # -- the scheduler

    def _sweep_later(self) -> None:
        """Every minute, and every ten after the first hour: days have many minutes, and late is what a sweeper may be.

        A run that would find nothing is left out: it would read sixteen empty shards.
        """
        is_early = self.kernel.now_ms < EPOCH_MS + HOUR_MS
        self.kernel.after(MINUTE_MS if is_early else 10 * MINUTE_MS, self._sweep)

    def _sweep(self) -> None:
        self._sweep_later()
        least = self.tables[TRANSACTIONS].indexes["due"].least()
        if least is None or least > self.kernel.now_ms + 3_000 or self._sweeper_off.covers(self.kernel.now_ms):
            return
        self.platform.invoke("sweeper", {}, lambda _answer: None)

    def _is_at_rest(self) -> bool:
        """Nothing waits, every event is delivered, and what is still due is watched only: in review, or reopenable."""
        if self.queue.messages or self.deliveries.messages or self.merchants.busy or self.kernel.current is not None:
            return False
        return not any(
            "dueAt" in item and (key[1].startswith("EVENT#") or (key[1] == "PAYMENT" and _is_open(item)))
            for key, item in self.tables[TRANSACTIONS].items()
        )


def _is_open(item: Item) -> bool:
    return item["status"]["S"] not in {"IN_REVIEW", "FAILED"}
