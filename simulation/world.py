"""One run: everything wired, a time of trouble, and then a time in which all must come right."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final

from sandbox.simulators import REAL_PROVIDERS
from simulation import deciders, disputes, identities, keepers, restores
from simulation.accounts import PROVIDERS
from simulation.api import Api
from simulation.clients import Clients
from simulation.dashboards import Dashboards
from simulation.deciders import Deciders
from simulation.disputes import Disputes
from simulation.doors import Doors
from simulation.endpoints import Endpoints
from simulation.faults import Faults
from simulation.functions import FUNCTIONS, Platform, current_wirings
from simulation.history import History, Strike, Write
from simulation.keepers import Keepers
from simulation.kernel import EPOCH_MS, Kernel
from simulation.layouts import provider_key, provider_keys
from simulation.operators import Operators
from simulation.payers import USUAL_HABITS, Habits, Payers
from simulation.provider_events import ProviderEvents
from simulation.providers import Outage, Shop, SimulatedProviders
from simulation.queue import Queue
from simulation.releases import UNKNOWN_WORD, NewerDynamoDBClient, is_unreadable, unreadable_items
from simulation.restores import Forgotten, Restores
from simulation.scenarios import SCENARIOS
from simulation.services import AppConfigClient, DynamoDBClient, KmsClient, Network, SecretsClient, SqsClient
from simulation.workload import ARRIVAL_MS, DOCUMENT, MERCHANTS, REFUNDS_BY_ITSELF, Order, orders
from testing.dynamodb.database import Database
from testing.dynamodb.tables import Index, Key, Schema, Table
from testing.dynamodb.throughput import Throughput
from testing.dynamodb.values import Item

TRANSACTIONS: Final = "Transactions"
IDEMPOTENCY: Final = "Idempotency"
CONFIGURATION: Final = "Configuration"
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
TROUBLE_MS: Final = 30 * MINUTE_MS
_LONGEST_EPISODE_MS: Final = 30 * HOUR_MS
_SHORT: Final = 0.93
"""This part of the episodes is short, mostly; the others last more than a day. A day costs as much as all before it."""
_CALM_MS: Final = 150 * MINUTE_MS
"""After the trouble: longer than the longest pause between two looks at a payment, which is an hour."""
_UNREADABLE_MS: Final = 3 * HOUR_MS
_CONTENDED: Final = "order_contended"
"""A charge beside another payment of its order, which is decided first: everything about it waits for that."""
_PATIENCE_MS: Final = 36 * HOUR_MS
_LONG_PATIENCE_MS: Final = 50 * 24 * HOUR_MS
"""Longer than the longest time for which a provider may answer that a charge is pending."""
_LONG_EVERY: Final = 50
"""Every so many seeds, a long run."""
_REVIEWED_MS: Final = (70 * MINUTE_MS, 140 * MINUTE_MS)
"""After the trouble, operators work through the reviews."""
_UNDECIDED: Final = frozenset({"UNKNOWN", "ACCEPTED", "REQUIRES_ACTION"})
_TURNED_ON_MS: Final = 20_000
"""From the first payment, the longest time until a merchant's automatic refunds are turned on."""
_LATE: Final = 0.3
"""Of the merchants, the part that registers its endpoints late."""
_HELD_MS: Final = 12 * HOUR_MS
"""An amount that is held and looked at no earlier waits for its merchant."""
_TRIED_OFTEN: Final = 6
"""An inquiry about a closed attempt that nobody answers is given up after about a day; nothing else waits for it."""
_MAX_LAG_MS: Final = 5_000
_PARTITIONS: Final = (
    (0.2, {"LIST_PARTITIONS": "4", "DUE_SHARDS": "32"}),
    (0.5, {"WRITE_NEW_PARTITIONS": "true"}),
    (0.9, {"WRITE_NEW_PARTITIONS": "false"}),
    (1.2, {"DUE_SHARDS": "16"}),
)
"""Deployments that give lists and what is due more partitions, each from this part of the time in which payments arrive
on; the last two take the shards back.
"""
_LAYOUTS: Final = ((0.35, {"COMPACT_PAYMENTS": "true"}), (0.75, {"COMPACT_PAYMENTS": "false"}))
"""Deployments that turn the compact layout on, and off again, each about this part of the time of arrivals."""
_DEPLOYMENT_MS: Final = 60_000
"""So long functions of two configurations run beside each other."""
_MENDED: Final = 0.6
"""After this part of the trouble a version is deployed that no message is poison to."""
_REPLAYS: Final = 16
_FIRST_REPLAY_MS: Final = 10_000
_REPLAYED_MS: Final = 10 * MINUTE_MS
"""After the mend, operators replay the dead letters so often, and with these pauses."""
_HOT_WRITES: Final = 8
"""Write units of a small partition in a second: one merchant's payments meet in the list of the day."""

_CHANCES: Final = {"dashboard_refunds": 5}
"""How often something may happen in a run, where that is not twice."""
_QUEUES: Final = {
    "JOBS": "worker",
    "NOTICES": "provider_events",
    "DELIVERIES": "deliverer",
    "RUNS": "reconciler",
    "SLOWJOBS": "worker",
    "SLOWDELIVERIES": "deliverer",
}
"""The queues and the functions that they feed."""
_VISIBILITY_FACTOR: Final = 6
"""A message is hidden for so many times its function's timeout."""
ENVIRONMENT: Final = {
    "ENVIRONMENT": "dev",
    "AWS_REGION": identities.REGION,
    "AWS_LAMBDA_FUNCTION_NAME": identities.FUNCTION,
    "API_KEY_MODE": "test",
    "ALLOWED_PROVIDERS": ",".join(PROVIDERS),
    "MAX_RETRIES": "3",
    "CHARGE_DEADLINE_HOURS": "24",
    "NOT_SENT_PATIENCE_MINUTES": "60",
    "POWERTOOLS_METRICS_NAMESPACE": "PayFlowX",
    "TRANSACTIONS_TABLE": TRANSACTIONS,
    "IDEMPOTENCY_TABLE": IDEMPOTENCY,
    "CONFIGURATION_TABLE": CONFIGURATION,
    "LOOPBACK_ALLOWED": "false",
    "ENCRYPTION_KEY_ARN": "arn:key",
    "CURSOR_SECRET_ARN": "arn:cursor",
    "CHECKOUT_TOKEN_SECRET_ARN": "arn:checkout-tokens",
    "CHECKOUT_PAGES_URL": "https://pay.example.com/checkout",
    "CHECKOUT_ENABLED": "true",
    "COMPACT_PAYMENTS": "true",
    "LIST_PARTITIONS": "1",
    "DUE_SHARDS": "16",
    "WRITE_NEW_PARTITIONS": "false",
    "CHECKOUT_WAIT_SECONDS": "2",
    "SETTLEMENTS_BUCKET": "settlements",
    **{f"{queue}_QUEUE_URL": f"https://sqs.simulated/{queue}" for queue in _QUEUES},
    **{f"{queue}_DEAD_LETTERS_URL": f"https://sqs.simulated/{queue}-dead" for queue in _QUEUES},
    **{f"{queue}_LOG_GROUP": f"/{queue}" for queue in _QUEUES},
    # Small, so that a queue without workers is late.
    "JOBS_LATE_AT": "6",
    "DELIVERIES_LATE_AT": "6",
    "SLOWJOBS_LATE_AT": "6",
    "SLOWDELIVERIES_LATE_AT": "6",
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
    """The plan of a run. To shrink a finding, `only` keeps some payments, `without` leaves kinds of faults out,
    `without_steps` leaves out what merchants ask for afterwards, by the numbers of payment and step, and `is_brief`
    makes a long run an ordinary one. `scenario`: its name, if the run is about one.
    """

    seed: int
    only: frozenset[int] | None = None
    without: frozenset[str] = frozenset()
    without_steps: frozenset[tuple[int, int]] = frozenset()
    is_brief: bool = False
    scenario: str | None = None

    @property
    def is_long(self) -> bool:
        """Whether the run waits for all that a provider may still turn round, which takes days."""
        return self.seed % _LONG_EVERY == 0 and not self.is_brief and self.scenario is None

    @property
    def name(self) -> str:
        """As results call it."""
        return f"seed {self.seed}" if self.scenario is None else f"seed {self.seed} of {self.scenario}"

    def faults(self) -> Faults:
        """The rates of all kinds of faults, and the episodes."""
        if self.scenario is not None:
            return SCENARIOS[self.scenario].faults(without=self.without)
        return Faults.drawn(Random(self.seed + 1), without=self.without)

    def orders(self, hurry: float) -> list[Order]:
        """The payments that merchants want."""
        drawn = orders(Random(self.seed), EPOCH_MS + MINUTE_MS, hurry=hurry)
        return drawn if self.scenario is None else SCENARIOS[self.scenario].shaped(drawn)

    @property
    def absent(self) -> frozenset[str]:
        """Providers at which no merchant has an account."""
        return frozenset() if self.scenario is None else SCENARIOS[self.scenario].absent

    @property
    def subscriptions(self) -> Mapping[int, Sequence[str]]:
        """The event types of a merchant's first, second, ... endpoint, where these are not all."""
        return {} if self.scenario is None else SCENARIOS[self.scenario].subscriptions

    @property
    def trouble_ms(self) -> int:
        """How long faults go on, without those that last longer by themselves."""
        return TROUBLE_MS if self.scenario is None else SCENARIOS[self.scenario].lasts_ms

    @property
    def habits(self) -> Habits:
        """The payers' habits."""
        return USUAL_HABITS if self.scenario is None else SCENARIOS[self.scenario].habits


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
    """The traces that a run leaves for the checker. Items as stored at the end."""

    plan: Plan
    history: History
    faults: Faults
    orders: list[Order]
    items: dict[tuple[str, Key], Item]
    ledger: list[dict[str, Any]]
    trouble_ended_ms: int
    """When the last fault was over."""
    ended_ms: int
    settled: bool
    """Whether everything came to rest before patience ran out."""
    undecided: set[Key] = field(default_factory=set)
    """Items of a short run about whose open attempt the providers' books have no answer yet."""
    forgotten: Forgotten | None = None
    """What a restore has forgotten; None in a run without one."""
    waiting_runs: str = ""
    """The dead letters of reconciliation runs, one a line: such a run goes on when a person replays its message."""
    listed: set[tuple[str, str, str | None]] = field(default_factory=set)
    """The list of reviews at the end: merchant, payment, and operation if it is about one."""
    api_keys: dict[str, str] = field(default_factory=dict)
    """All API keys that were issued, by merchant and number: `acme#0`."""
    secrets: tuple[str, ...] = ()
    """All ids, keys and webhook secrets of provider accounts that ever were valid."""


class World:
    """A seed's world."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.kernel = Kernel(plan.seed)
        random = self.kernel.random
        planned = plan.faults()
        self.orders = plan.orders(planned.rates["payer_hurries"])
        self.planned = planned
        self.faults = Faults(
            random, dict.fromkeys(planned.rates, 0.0), frozenset(), self._strike, Random(plan.seed + 4)
        )
        self.history = History()
        self.tables = tables()
        self.database = Database(
            self.tables,
            now_ms=lambda: self.kernel.now_ms,
            lag_ms=self._lag_ms,
            is_stale=lambda: self.faults.strikes("db_stale_read"),
            observe=self._observe,
            throughput=self._throughput() if planned.rates["db_hot_partition"] else None,
        )
        network = Network(self.faults)
        self.queues = {name: self._queue(consumer) for name, consumer in _QUEUES.items()}
        self.providers = SimulatedProviders(self.kernel, self.faults, self.history, self._is_stored, self._is_hosted)
        accounts = [shop.account for shop in self.providers.shops.values()]
        endpoints = Endpoints(self.kernel, self.faults, self.history)
        self.app_config = AppConfigClient(DOCUMENT, network)
        clients = {
            "dynamodb": DynamoDBClient(self.database, network),
            "sqs": SqsClient(
                {ENVIRONMENT[f"{name}_QUEUE_URL"]: queue for name, queue in self.queues.items()},
                {ENVIRONMENT[f"{name}_DEAD_LETTERS_URL"]: queue for name, queue in self.queues.items()},
                network,
            ),
            "appconfigdata": self.app_config,
            "secretsmanager": SecretsClient(
                {
                    "arn:cursor": "k" * 64,
                    "arn:checkout-tokens": "t" * 64,
                    **{a.secret_arn: a.stored_secret() for a in accounts},
                },
                network,
            ),
            "kms": KmsClient(network),
            "s3": None,  # no operator uploads settlement files
        }
        self.platform = Platform(
            self.kernel,
            self.faults,
            self.history,
            {**ENVIRONMENT, "COMPACT_PAYMENTS": "false"} if planned.rates["compact_deployed"] else ENVIRONMENT,
            clients,
            self.providers,
            endpoints,
            newer_clients={**clients, "dynamodb": NewerDynamoDBClient(self.database, network)},
        )
        network.platform = self.providers.platform = endpoints.platform = self.platform
        for queue in self.queues.values():
            queue.invoke = self.platform.invoke
            queue.process = lambda: self.platform.process
        self.api = Api(self.kernel, self.faults, self.history, self.platform)
        self.operators = Operators(
            self.kernel,
            self.faults,
            self.history,
            self.api,
            self.providers,
            absent=plan.absent,
            subscriptions=plan.subscriptions,
        )
        self.provider_events = ProviderEvents(self.kernel, self.faults, self.history, self.api, self.providers)
        self.disputes = Disputes(
            self.kernel, self.faults, self.history, self.providers, self.provider_events.send, self.api, plan.seed
        )
        self.providers.changed = self._books_changed
        self.dashboards = Dashboards(self.kernel, self.faults, self.history, self.providers)
        self.restores = Restores(self)
        self.platform.is_closed = lambda function: (
            self.restores.is_closed and function not in {"operations", "reconciler"}
        )
        self.payers = Payers(self.kernel, self.faults, self.api, self.providers, habits=plan.habits)
        self.merchants = Clients(self.kernel, self.faults, self.api, self.operators, self.providers, self.payers)
        self.payers.gives_up = self.merchants.give_up
        self.providers.refunding = self.dashboards.refund_beside
        self.doors = Doors(self.kernel, self.history, self.providers)
        self._sweeper_off = self._workers_off = Episode(0, 0)
        self._owners: dict[str, Key] = {}
        self._due: dict[Key, Item] = {}

    def _queue(self, consumer: str) -> Queue:
        return Queue(
            self.kernel,
            self.faults,
            self.history,
            consumer=consumer,
            visibility_ms=FUNCTIONS[consumer].timeout_ms * _VISIBILITY_FACTOR,
            off_until_ms=self._workers_off_until_ms,
        )

    # -- what the models ask

    def _throughput(self) -> Throughput:
        """Partitions that are small while there is trouble."""
        return Throughput(
            now_ms=lambda: self.kernel.now_ms,
            writes=_HOT_WRITES,
            is_limited=lambda: bool(self.faults.rates["db_hot_partition"]),
            refused=lambda _place: self.faults.count("db_hot_partition"),
        )

    def _books_changed(self, shop: Shop) -> None:
        self.provider_events.changed(shop)
        self.disputes.changed(shop)

    def _lag_ms(self) -> int:
        return self.faults.random.randint(20, _MAX_LAG_MS) if self.faults.strikes("db_index_lag") else 0

    def _observe(self, table: str, key: Key, before: Item | None, after: Item | None) -> None:
        process = self.platform.process
        self.history.writes.append(Write(self.kernel.now_ms, table, key, before, after, process))
        self.history.steps.append((self.kernel.now_ms, f"process {process}", f"writes {table}", f"{key[0]} {key[1]}"))
        if after is not None and "dueAt" in after:
            self._due[key] = after
        else:
            self._due.pop(key, None)
        if after is not None and "attempts" in after and after["attempts"]["L"]:
            self._owners[provider_key(after, after["attempts"]["L"][-1]["M"])] = key

        if after is not None and "checkout" in after and key[1] == "PAYMENT":
            self.doors.observe(key[0], before, after)

    def _strike(self, kind: str) -> None:
        self.history.strikes.append(Strike(self.kernel.now_ms, kind, self.platform.process))

    def _is_stored(self, name: str) -> bool:
        item = self.tables[TRANSACTIONS].get(self._owners[name]) if name in self._owners else None
        return item is not None and name in provider_keys(item)

    def jumped_back(self) -> None:
        """The tables are what they were before: what is due is read from them."""
        self._due = {key: item for key, item in self.tables[TRANSACTIONS].items() if "dueAt" in item}

    def _is_hosted(self, name: str) -> bool:
        item = self.tables[TRANSACTIONS].get(self._owners[name]) if name in self._owners else None
        return item is not None and "checkout" in item

    def _workers_off_until_ms(self) -> int:
        if self.restores.is_closed:
            return self.kernel.now_ms + MINUTE_MS
        return self._workers_off.until_ms if self._workers_off.covers(self.kernel.now_ms) else 0

    # -- the run

    def run(self) -> Result:
        """Set up in peace, run in trouble, come to rest."""
        kernel = self.kernel
        with current_wirings(kernel):
            late = self._late_merchants()
            kernel.spawn(partial(self.operators.set_up, frozenset(late)))
            kernel.run(EPOCH_MS + MINUTE_MS)
            if any("orderId" in order.body for order in self.orders):
                self._turn_refunds_on()
                kernel.run(kernel.now_ms + MINUTE_MS)
            trouble_ends_ms = self._make_trouble()
            for merchant, after_ms in late.items():
                kernel.after(after_ms, partial(kernel.spawn, partial(self.operators.register_endpoints, merchant)))
            self._sweep_later()
            for number, order in enumerate(self.orders):
                if self.plan.only is None or number in self.plan.only:
                    self.merchants.start(order, without=self._left_out(number))
            kernel.run(trouble_ends_ms)
            self._make_peace()
            peace_ms = kernel.now_ms
            kernel.run(kernel.now_ms + self._calm_ms())
            settled = self._come_to_rest()
            kernel.spawn(self.operators.list_reviews)
            if self.restores.forgotten is None:
                for merchant in MERCHANTS:
                    kernel.spawn(partial(self.merchants.look_through, merchant))
            kernel.run(kernel.now_ms + MINUTE_MS)
            kernel.close()
        self.restores.forget_late_arrivals()
        return Result(
            plan=self.plan,
            history=self.history,
            faults=self.faults,
            orders=self.orders,
            items={(name, key): item for name, table in self.tables.items() for key, item in table.items()},
            ledger=self.providers.ledger(),
            trouble_ended_ms=peace_ms,
            ended_ms=kernel.now_ms,
            settled=settled,
            undecided=set() if self.plan.is_long else {k for k, item in self._due.items() if self._is_undecided(item)},
            forgotten=self.restores.forgotten,
            waiting_runs="\n".join(message.body for message in self.queues["RUNS"].dead),
            listed=self.operators.listed,
            api_keys={f"{m}#{n}": key for m, keys in self.api.api_keys.items() for n, key in enumerate(keys)},
            secrets=tuple(
                text for s in self.providers.shops.values() for pair in s.account.issued for text in pair.texts()
            ),
        )

    def _late_merchants(self) -> dict[str, int]:
        """Merchants that register their endpoints while payments arrive, and how long after the first one."""
        random = Random(self.plan.seed + 6)
        return {name: random.randrange(ARRIVAL_MS) for name in MERCHANTS if random.random() < _LATE}

    def _turn_refunds_on(self) -> None:
        """Give the charges of one merchant beside the holders of orders back, from now on or from some time later."""
        random = Random(self.plan.seed + 8)
        is_late = random.random() < self.planned.rates["operator_turns_refunds_on"]
        turn_on = partial(self.operators.refund_by_itself, REFUNDS_BY_ITSELF)
        if is_late:
            self.faults.counts["operator_turns_refunds_on"] += 1
            first_ms = min(order.at_ms for order in self.orders)
            self.kernel.at(first_ms + random.randrange(_TURNED_ON_MS), partial(self.kernel.spawn, turn_on))
        else:
            self.kernel.spawn(turn_on)
        if random.random() < self.planned.rates["operator_turns_refunds_off"]:
            self.faults.counts["operator_turns_refunds_off"] += 1
            off_ms = min(order.at_ms for order in self.orders) + _TURNED_ON_MS
            turn_off = partial(self.operators.refund_by_itself, REFUNDS_BY_ITSELF, on=False)
            self.kernel.at(off_ms, partial(self.kernel.spawn, turn_off))

    def _left_out(self, number: int) -> frozenset[int]:
        return frozenset(step for order, step in self.plan.without_steps if order == number)

    def _come_to_rest(self) -> bool:
        """Whether everything did before patience ran out."""
        patience_ms = _LONG_PATIENCE_MS if self.plan.is_long else _PATIENCE_MS
        ends_ms = max(self.kernel.now_ms, self.providers.settled_ms) + patience_ms
        while not self._is_at_rest():
            if self.kernel.now_ms >= ends_ms:
                return False
            self.kernel.run(self.kernel.now_ms + 10 * MINUTE_MS)
        return True

    def _make_trouble(self) -> int:
        """Switch the faults on; the time when they end."""
        self.operators.errs = self.planned.rates["operator_errs"]
        self.faults.rates, self.faults.episodes = dict(self.planned.rates), self.planned.episodes
        ends_ms = self.kernel.now_ms + self.plan.trouble_ms
        draws = Random(self.plan.seed + 5)
        if self.planned.rates[restores.KIND] or self._is_restored_beside():
            ends_ms = max(ends_ms, self.restores.plan(draws, self.kernel.now_ms))
        random = Random(self.plan.seed + 2)
        for kind, begin in self._episodes().items():
            start_ms = self.kernel.now_ms + random.randrange(ARRIVAL_MS)
            share = random.random()
            share = share**4 if random.random() < _SHORT else 0.8 + share / 5
            episode = Episode(start_ms, start_ms + int(MINUTE_MS + share * _LONGEST_EPISODE_MS))
            if kind in self.faults.episodes:
                self.faults.counts[kind] += 1
                about = begin(episode)
                self.history.strikes.append(Strike(episode.from_ms, kind, 0, episode.until_ms, about))
                ends_ms = max(ends_ms, episode.until_ms + TROUBLE_MS)
        self._plan_rotations(draws)
        if self.planned.rates[disputes.KIND]:
            self._plan_disputes(Random(self.plan.seed + 10))
        if self.planned.rates["partitions_deployed"]:
            self._deploy_each(_PARTITIONS, "partitions_deployed", Random(self.plan.seed + 9), (2, 3, 4))
        if self.planned.rates["compact_deployed"]:
            self._deploy_each(_LAYOUTS, "compact_deployed", Random(self.plan.seed + 13), (1, 2))
        self._plan_replays(random, ends_ms)
        for at_ms, work in self._operators_work(random, ends_ms - self.kernel.now_ms):
            self.kernel.after(at_ms, partial(self.kernel.spawn, work))
        if self.faults.rates["db_key_row_lost"]:
            for _ in range(40):
                self.kernel.after(random.randrange(ends_ms - self.kernel.now_ms), self._lose_key_row)
        return ends_ms

    def _plan_replays(self, random: Random, ends_ms: int) -> None:
        """Operators move dead letters back now and then. Where messages are poison until a mended version is deployed,
        they replay them after that, over and over, also those that come late.
        """
        if self.faults.rates["queue_redrive"]:
            for _ in range(3):
                self.kernel.after(random.randrange(ends_ms - self.kernel.now_ms), self._redrive)
        if not self.planned.rates["queue_poison"]:
            return
        mended_ms = self.kernel.now_ms + int(_MENDED * (ends_ms - self.kernel.now_ms))
        for queue in self.queues.values():
            queue.mended_ms = mended_ms
        for number in range(_REPLAYS):
            self.kernel.at(
                mended_ms + _FIRST_REPLAY_MS + number * _REPLAYED_MS, partial(self.kernel.spawn, self.operators.replay)
            )

    def _is_restored_beside(self) -> bool:
        return Random(self.plan.seed + 10).random() < self.planned.rates["restore_beside"]

    def _plan_disputes(self, random: Random) -> None:
        """People read the lists of open disputes at any time, and the schedule warns of deadlines every hour."""
        lists = [partial(self.operators.list_disputes, merchant) for merchant in MERCHANTS for _ in range(4)]
        for work in lists:
            self.kernel.after(random.randrange(2 * ARRIVAL_MS), partial(self.kernel.spawn, work))
        warn = partial(self.kernel.spawn, self.operators.warn_of_deadlines)
        for hour in range(3):
            self.kernel.after(random.randrange(ARRIVAL_MS) + hour * HOUR_MS, warn)
        for merchant in MERCHANTS:
            work = partial(self.operators.list_disputes, merchant)
            self.kernel.after(2 * HOUR_MS, partial(self.kernel.spawn, work))

    def _plan_rotations(self, draws: Random) -> None:
        """Credentials and secrets that are rotated while payments arrive."""
        rotations: list[tuple[str, Callable[[], None]]] = []
        if self.faults.rates["operator_rotates_early"]:
            for shop in self.providers.shops.values():
                rotate = partial(self.operators.rotate_credentials, shop, signs_later=True)
                rotations.append(("operator_rotates_early", rotate))
        if self.faults.rates["merchant_rotates_secrets"]:
            ask = self.operators.rotate_endpoint_secrets
            rotations += [("merchant_rotates_secrets", partial(ask, merchant)) for merchant in MERCHANTS]
        for kind, task in rotations:
            self.kernel.after(draws.randrange(ARRIVAL_MS), partial(self.kernel.spawn, task))
            self.faults.counts[kind] += 1
        if self.faults.rates[keepers.KIND]:
            keeping = Keepers(self.kernel, self.faults, self.api, self.operators)
            for at_ms, work in keeping.plan(draws):
                self.kernel.after(at_ms, partial(self.kernel.spawn, work))
        if self.faults.rates[deciders.KIND]:
            deciding = Deciders(self.kernel, self.faults, self.api, self.operators)
            for at_ms, work in deciding.plan(draws):
                self.kernel.after(at_ms, partial(self.kernel.spawn, work))

    def _reporting(self) -> list[Shop]:
        """Accounts at providers that have reports."""
        return [shop for shop in self.providers.shops.values() if shop.account.provider in REAL_PROVIDERS]

    def _operators_work(self, random: Random, lasts_ms: int) -> Iterator[tuple[int, Callable[[], None]]]:
        """The operators' acts in the time of trouble, and their times."""
        planned: dict[str, Callable[[], Callable[[], None]]] = {
            "operator_rotates_key": lambda: partial(self.operators.rotate_key, random.choice(MERCHANTS)),
            "operator_rotates_credentials": lambda: partial(
                self.operators.rotate_credentials, random.choice(tuple(self.providers.shops.values()))
            ),
            "operator_replays": lambda: self.operators.replay,
            "operator_closes_reviews": lambda: self.operators.close_reviews,
            "operator_reconciles": lambda: partial(self.operators.reconcile_all, random.sample(self._reporting(), 4)),
            "dashboard_refunds": lambda: self.dashboards.refund,
            "dashboard_captures": lambda: self.dashboards.capture,
            "dashboard_voids": lambda: self.dashboards.void,
        }
        for kind, plan in planned.items():
            for _ in range(_CHANCES.get(kind, 2)):
                work, share = plan(), random.random()
                at_ms = int(share * (2 * ARRIVAL_MS if kind.startswith("dashboard") else lasts_ms))
                if random.random() < self.faults.rates[kind]:
                    self.faults.count(kind)
                    yield at_ms, work

    def _episodes(self) -> dict[str, Callable[[Episode], str]]:
        """Each switches something off for a while and says what."""
        return {
            "sweeper_off": self._switch_sweeper_off,
            "workers_off": self._switch_workers_off,
            "gateway_outage": self._break_provider,
            "gateway_switched_off": self._switch_provider_off,
            "account_removed": self._remove_account,
            "deployment": self._deploy,
            "unreadable_items": self._leave_unreadable_items,
        }

    def _switch_sweeper_off(self, episode: Episode) -> str:
        self._sweeper_off = episode
        return "sweeper"

    def _switch_workers_off(self, episode: Episode) -> str:
        self._workers_off = episode
        return "queues"

    def _break_provider(self, episode: Episode) -> str:
        random = self.faults.random
        name = random.choice(PROVIDERS)
        self.providers.outages.append(Outage(name, episode.from_ms, episode.until_ms, random.random() < 0.5))
        return name

    def _switch_provider_off(self, episode: Episode) -> str:
        """For everyone, by an operator."""
        name = self.faults.random.choice(PROVIDERS)
        for at_ms, off in ((episode.from_ms, True), (episode.until_ms, False)):
            item = {"pk": {"S": "GLOBAL"}, "sk": {"S": f"SWITCH#{name}"}, "disabled": {"BOOL": off}}
            self.kernel.at(at_ms, partial(self.database.put_item, TableName=CONFIGURATION, Item=item))
        return name

    def _remove_account(self, episode: Episode) -> str:
        """Of one merchant, by mistake, and put back later."""
        random, table = self.faults.random, self.tables[CONFIGURATION]
        merchant, provider = random.choice(MERCHANTS), random.choice(PROVIDERS)
        key = (f"M#{merchant}", f"ACCOUNT#{provider}#main")
        item = table.get(key)
        for at_ms, stored in ((episode.from_ms, None), (episode.until_ms, item)):
            self.kernel.at(at_ms, partial(table.put, key, stored, at_ms, lambda: 0))
        return f"{provider}@{merchant}"

    def _deploy(self, episode: Episode) -> str:
        """Rolled back at the end of the episode, in half of the runs."""
        self.platform.newer_from_ms = episode.from_ms
        if self.faults.random.random() < 0.5:
            self.platform.newer_until_ms = episode.until_ms
            self.history.sometimes["a newer release is rolled back"] += 1
        return "newer release"

    def _deploy_each(
        self, steps: Sequence[tuple[float, Mapping[str, str]]], kind: str, random: Random, counts: Sequence[int]
    ) -> None:
        """Each deployment ends before the next begins. Some runs keep what they have, others go back a step or two."""
        first_ms = min(order.at_ms for order in self.orders)
        for share, settings in steps[: random.choice(counts)]:
            self.faults.counts[kind] += 1
            at_ms = first_ms + int((share + random.random() / 5) * ARRIVAL_MS)
            self.kernel.at(at_ms, partial(self.platform.deploy, settings, _DEPLOYMENT_MS))

    def _leave_unreadable_items(self, episode: Episode) -> str:
        """A newer release that is gone left items in some shards with a word that nobody knows any more.

        What else is due must be worked on in time while they stay, and its shard may not stand still for them. Then the
        newer release is back and ends them, outside of this run: each sweep of days would meet them again.
        """
        self.kernel.at(episode.from_ms, self._store_unreadable_items)
        self.kernel.at(episode.from_ms + _UNREADABLE_MS, self._forget_unreadable_items)
        return UNKNOWN_WORD

    def _store_unreadable_items(self) -> None:
        table = self.tables[TRANSACTIONS]
        model = next((item for (_, sort), item in table.items() if sort == "PAYMENT" and item["attempts"]["L"]), None)
        for item in unreadable_items(model, self.kernel.now_ms) if model else ():
            table.put((item["pk"]["S"], item["sk"]["S"]), item, self.kernel.now_ms, lambda: 0)

    def _forget_unreadable_items(self) -> None:
        table = self.tables[TRANSACTIONS]
        for key in [key for key, _ in table.items() if is_unreadable(key[0])]:
            table.put(key, None, self.kernel.now_ms, lambda: 0)

    def _redrive(self) -> None:
        if self.faults.strikes("queue_redrive"):
            self.faults.random.choice(tuple(self.queues.values())).redrive()

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
        for queue in self.queues.values():
            queue.poll(1)
        self.provider_events.collect_all()
        self._reconcile_later()
        for delay_ms in _REVIEWED_MS:
            self.kernel.after(delay_ms, partial(self.kernel.spawn, self.operators.close_reviews))

    def _reconcile_later(self) -> None:
        """A long run has the daily reconciliations; others now and then those of some accounts."""
        if self.plan.is_long:
            for day in (1, 2, 3):
                self.kernel.after(day * 24 * HOUR_MS, partial(self.kernel.spawn, self.operators.reconcile_days))
        elif self.kernel.random.random() < self.planned.rates["operator_reconciles"]:
            shops = self.kernel.random.sample(self._reporting(), 4)
            self.kernel.after(HOUR_MS, partial(self.kernel.spawn, partial(self.operators.reconcile_all, shops)))

    def _calm_ms(self) -> int:
        return 6 * 24 * HOUR_MS if self.plan.is_long else _CALM_MS

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
        """Nothing waits, every event is delivered, and what is still due is watched only."""
        busy = self.merchants.busy + self.payers.busy + self.provider_events.pending + self.operators.busy
        if busy or self.kernel.current is not None or any(queue.messages for queue in self.queues.values()):
            return False
        return not any(self._is_open(key, item) for key, item in self._due.items())

    def _is_open(self, key: Key, item: Item) -> bool:
        """Whether there is still something to do about an item that is due.

        What is in review, closed and may still be charged, or a refund that may come back is watched. An amount that is
        held waits for its merchant, or until it lapses where another payment of its order stopped it and no void is
        possible. What a provider never got, and nobody can prove so, is inquired for days: only a long run waits for
        the end of it.
        """
        is_payment = key[1] == "PAYMENT"
        if not (is_payment or key[1].startswith("OP#")):
            return key[1].startswith("EVENT#")
        status = item["status"]["S"]
        if is_unreadable(key[0]):
            return False
        if status == "AUTHORIZED" and "stopRequested" in item:
            return False
        if _is_asked_in_vain(item) and status in {"AUTHORIZED", "SUCCESS", "FAILED", "CANCELLED"}:
            return False
        if status == "AUTHORIZED" and "cancelRequested" not in item:
            return int(item["dueAt"]["N"]) < self.kernel.now_ms + _HELD_MS
        if status == "IN_REVIEW" and item.get("lastError", {}).get("M", {}).get("code", {}).get("S") == _CONTENDED:
            return False
        if "eventInquiries" in item and "waiting" in item["eventInquiries"]["M"]:
            return int(item["dueAt"]["N"]) < self.kernel.now_ms + 2 * HOUR_MS
        if status in {"FAILED", "CANCELLED"} or (status == "SUCCESS" and _may_reopen(item)):
            return is_payment and self._was_charged_late(item)
        if status in {"IN_REVIEW", "SUCCEEDED"}:
            return False
        return self.plan.is_long or not self._is_undecided(item)

    def _was_charged_late(self, item: Item) -> bool:
        """Whether the books have a charge for a declined attempt that is still inquired about."""
        watched = _may_reopen(item)
        return any(self.providers.is_charged(provider_key(item, attempt)) for attempt in watched)

    def _is_undecided(self, item: Item) -> bool:
        """Whether the provider's books know nothing of the open attempt, or have a charge that waits for its payer."""
        attempts = [attempt["M"] for attempt in item["attempts"]["L"]] if "attempts" in item else []
        unclear = [attempt for attempt in attempts if attempt["state"]["S"] in _UNDECIDED]
        return any(self._is_unclear(item, attempt) for attempt in unclear)

    def _is_unclear(self, item: Item, attempt: Item) -> bool:
        """A hosted object that nobody tried to pay is closed when it expires: no book holds it, and the run waits.

        After a restore it is not created again, so if it never was, no read proves that: it is inquired for days.
        """
        name = provider_key(item, attempt)
        progress = attempt["progress"]["M"] if "progress" in attempt else {}
        if "hosted_method" in progress and name not in self.providers.entered:
            return "sent_before_restore" in progress
        return _has_own_capture(attempt) or not self.providers.is_decided(name)


def _is_asked_in_vain(item: Item) -> bool:
    """An event named a closed attempt, and its provider gives no answer about it, hour after hour."""
    inquiries = item["eventInquiries"]["M"] if "eventInquiries" in item else {}
    return "waiting" in inquiries and int(inquiries.get("tries", {"N": "0"})["N"]) >= _TRIED_OFTEN


def _may_reopen(item: Item) -> list[Item]:
    """The attempts of a payment that are inquired about for days after they were closed.

    A paid one has such an attempt only where a restore had forgotten that another attempt came after it.
    """
    attempts = [attempt["M"] for attempt in item["attempts"]["L"]] if "attempts" in item else []
    return [one for one in attempts if "reopens_until_ms" in one and one["state"]["S"] != "SUCCEEDED"]


def _has_own_capture(attempt: Item) -> bool:
    """Our own capture of a charge has left. Until the authorization lapses, days later, it may still take effect."""
    return "progress" in attempt and "capture_sent_at" in attempt["progress"]["M"]
