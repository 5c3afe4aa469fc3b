"""The differences between the environments, and nothing else."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_logs as logs

from infra.usage_plans import UsagePlanSettings

ROOT: Final = Path(__file__).resolve().parent.parent
ROUTING: Final = ROOT / "infra" / "routing"
SIMULATED_SUFFIX: Final = "mock"
"""The end of every simulated provider's name."""
_MAX_CHARGE_DEADLINE_HOURS: Final = 168
_MAX_BACKUP_DAYS: Final = 36_500
_MAX_CHECKOUT_WAIT_SECONDS: Final = 4
_MAX_LIST_PARTITIONS: Final = 8
_DUE_SHARDS: Final = (16, 32, 64)
"""A hash's byte spreads evenly over them, and the sweeper's step of five has no divisor in common with them."""
_ACCOUNT: Final = re.compile(r"\d{12}")
_SUBSCRIBER: Final = re.compile(r"https://\S+|[^@\s]+@[^@\s]+")
_DOMAIN: Final = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_CERTIFICATE: Final = re.compile(r"arn:aws[\w-]*:acm:[\w-]+:\d{12}:certificate/[\w-]+")
_HOSTED_ZONE: Final = re.compile(r"Z[A-Z0-9]{5,31}")
_BRANCH_LETTERS: Final = 10
_BRANCH_HASH: Final = 4
_TAG_CHARS: Final = 60
_GIVEN: Final = {"account": "account", "page_to": "page-to", "ticket_to": "ticket-to"}
"""Settings that a synthesis may be given, and the end of their context keys."""
_TICKET_ALARMS: Final = "ticket-alarms"
"""The end of another one's key, whose value is true or false."""


class FirewallMode(StrEnum):
    """The act of the web ACL on requests that its rules match. Begin with COUNT, and read its log before BLOCK."""

    OFF = "off"
    COUNT = "count"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSettings:
    """Daily backups of the tables, beside point-in-time recovery.

    A month of one gigabyte costs about 0.10 dollars and a day's copy counts as a whole: 35 days of a table of 1 GB are
    about 3.50 dollars a month.
    """

    days: int = 35
    """How long a backup is kept."""
    lock_is_final: bool = False
    """Three days after the deployment nobody can take the vault's lock off any more, the account's root included. A
    vault with backups can then not be deleted. False: who may change the vault may take it off."""

    def __post_init__(self) -> None:
        if not 1 <= self.days <= _MAX_BACKUP_DAYS:
            raise ValueError(f"backups are kept for 1 to {_MAX_BACKUP_DAYS} days, not {self.days}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSettings:
    """One environment. Without `account` the credentials at deployment decide the account.

    `account`, `page_to` and `ticket_to` may also be given at synthesis, as `-c prod.account=...`,
    `-c prod.page-to=...` and `-c prod.ticket-to=...`, and `ticket_alarms` as `-c dev.ticket-alarms=true`: `given` takes
    them over.
    """

    name: str
    region: str
    account: str | None = None
    production: bool = False
    disposable: bool = False
    """Its data may be deleted at any time: nothing is protected, and everything goes with its stack."""
    owner: str = "payments"
    """Who answers for it: a tag of every resource, for bills and questions."""
    providers: tuple[str, ...]
    """The providers that this deployment may use, as functions/payflowx/providers/registry.py names them."""
    routing_document: Path
    page_to: str | None = None
    """The subscriber that wakes an operator: an e-mail address, or the https address of a paging service."""
    ticket_to: str | None = None
    """The subscriber of alarms that can wait until the morning: of the same two kinds."""
    ticket_alarms: bool = True
    """Make the alarms that can wait until the morning as well. They cost seven dollars a month (docs/costs.md). False:
    only those that wake an operator, and their parts."""
    api_rate_per_second: int = 50
    api_burst: int = 100
    merchant_rate_per_second: int | None = None
    """What the web ACL lets one API key send, as a mean of five minutes. None: as much as the API takes from all."""
    usage_plans: UsagePlanSettings | None = None
    """What API Gateway takes from single merchants, and from all others together. None: no plan, as much as the API
    takes from all."""
    webhook_rate_per_second: int = 50
    """What the API takes from providers' webhooks, beside the merchants' requests: neither can use up the other's."""
    domain: str | None = None
    """The API's own name, such as pay.example.com. It outlives the service stack, whose own address does not."""
    certificate: str | None = None
    """The ARN of the domain's certificate in this region."""
    hosted_zone: str | None = None
    """The id of the zone of Route 53 that gets the domain's record. None: the record is made by hand."""
    fixed_egress: bool = False
    """Requests to providers and merchants leave from two addresses that never change: some insist on a list."""
    worker_concurrency: int = 10
    """Batches at a time; each charges up to ten payments side by side."""
    slow_worker_concurrency: int = 5
    """Batches of the slow lane: payments at accounts whose calls time out. They take nothing from the others."""
    provider_event_concurrency: int = 5
    """Batches at a time: providers send bursts, and the jobs that they cause should not pile up."""
    delivery_concurrency: int = 10
    """Batches of ten events at a time. More would only load merchants' servers."""
    slow_delivery_concurrency: int = 5
    """Batches of events for endpoints that answer slowly."""
    reserved_concurrency: int | None = None
    """Executions that Api and Authorizer each keep for themselves. AWS refuses it unless the account's limit leaves 100
    executions without a reservation, and a new account has ten in all; `payflowx doctor` compares."""
    checkout: bool = False
    """Accept new checkouts. The release before this one cannot read them: off until nobody rolls back to it."""
    compact_payments: bool = False
    """Store new payments in the layout of half the write units. The release before this one cannot read it: off until
    nobody rolls back to it, and on from the start where that release never ran."""
    list_partitions: int = 1
    """The partitions of a merchant's list of a day, each for 1,000 payments a second. CloudFormation refuses a lower
    number: what lies in the others would be in no list."""
    due_shards: int = 16
    """The shards of what is due: 16, 32 or 64, each for 1,000 writes a second. Never lower it: the sweeper would read
    the others once an hour only."""
    write_new_partitions: bool = False
    """Write to all of them. First deploy the two numbers, so that every function reads all, and then this one."""
    checkout_wait_seconds: int = 4
    """How long the request that chooses a method waits for the provider's page; 0: not at all."""
    checkout_rate_per_second: int = 20
    checkout_burst: int = 40
    checkout_concurrency: int | None = None
    """Executions that the page may use at most, and keeps for itself; see `reserved_concurrency` for what AWS asks."""
    max_retries: int = 3
    """Further attempts of a payment after the first that a provider answered."""
    charge_deadline_hours: int = 24
    """How long after acceptance a payment may be charged: 1 hour to 7 days. Providers' objects lapse after a month."""
    not_sent_patience_minutes: int = 60
    """How long a request that cannot be sent is tried again: connections refused, credentials unreadable."""
    log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH
    firewall: FirewallMode = FirewallMode.OFF
    traced_share: float = 0.05
    """The share of the API's requests that X-Ray records, with all that follows from them."""
    gradual_routing: bool = False
    """Roll a published routing document out over ten minutes instead of at once, and back when payments fail."""
    canary: bool = False
    """New versions of Api, Authorizer, Checkout and Worker get a tenth of the work for five minutes, then all of it."""
    backups: BackupSettings | None = None
    """Daily backups in a locked vault. None: point-in-time recovery alone."""
    loopback_allowed: bool = False
    """Accounts may name a provider on the machine itself, without TLS: a simulator of the local environment."""
    latency_alarm: Duration = field(default_factory=lambda: Duration.seconds(2))

    def __post_init__(self) -> None:
        for value, pattern, meaning in (
            (self.account, _ACCOUNT, "an account, which is 12 digits"),
            (self.page_to, _SUBSCRIBER, "an e-mail address or an https address"),
            (self.ticket_to, _SUBSCRIBER, "an e-mail address or an https address"),
            (self.domain, _DOMAIN, "a domain's name"),
            (self.certificate, _CERTIFICATE, "the ARN of a certificate"),
            (self.hosted_zone, _HOSTED_ZONE, "the id of a hosted zone"),
        ):
            if value is not None and not pattern.fullmatch(value):
                raise ValueError(f"{self.name}: {value!r} is not {meaning}")
        for refused, why in (*self._contradictions(), *(self._unfit_for_production() if self.production else ())):
            if refused:
                raise ValueError(f"{self.name}: {why}")

    def _contradictions(self) -> Iterator[tuple[bool, str]]:
        hours = self.charge_deadline_hours
        limited = self.merchant_rate_per_second is not None
        longest = _MAX_CHARGE_DEADLINE_HOURS
        yield not 1 <= hours <= longest, f"charge_deadline_hours must be 1 to {longest}"
        yield not 0 <= self.traced_share <= 1, "traced_share must be 0 to 1"
        wait_seconds = self.checkout_wait_seconds
        longest = _MAX_CHECKOUT_WAIT_SECONDS
        yield not 0 <= wait_seconds <= longest, f"checkout_wait_seconds must be 0 to {longest}"
        most = _MAX_LIST_PARTITIONS
        yield not 1 <= self.list_partitions <= most, f"list_partitions must be 1 to {most}"
        yield self.due_shards not in _DUE_SHARDS, f"due_shards must be one of {', '.join(map(str, _DUE_SHARDS))}"
        yield (
            self.write_new_partitions and (self.list_partitions, self.due_shards) == (1, _DUE_SHARDS[0]),
            "write_new_partitions changes nothing as long as list_partitions is 1 and due_shards is 16",
        )
        yield (self.domain is None) is not (self.certificate is None), "a domain and its certificate are set together"
        yield (
            limited and self.firewall is FirewallMode.OFF,
            "the web ACL limits a merchant's rate, and this environment has none",
        )
        gradual = self.canary or self.gradual_routing
        yield (
            gradual and not self.ticket_alarms,
            "canary and gradual_routing go back when an alarm says so, and need ticket_alarms",
        )

        for merchant, throttle in (self.usage_plans.throttles() if self.usage_plans else {}).items():
            yield (
                throttle.rate_per_second > self.api_rate_per_second or throttle.burst > self.api_burst,
                f"the usage plan of {merchant!r} allows more than the API takes from all, and would refuse nobody",
            )

    def _unfit_for_production(self) -> Iterator[tuple[bool, str]]:
        simulated = sorted(name for name in self.providers if name.endswith(SIMULATED_SUFFIX))
        routed = sorted(name for name in self.routed_providers() if name.endswith(SIMULATED_SUFFIX))
        yield self.disposable, "production's data must outlive its stack"
        yield not self.ticket_alarms, "production needs ticket_alarms: payments in review raise no other"
        yield self.loopback_allowed, "production must not talk to addresses of the machine itself"
        yield bool(simulated), f"production must not use simulated providers: {', '.join(simulated)}"
        yield bool(routed), f"production's routing document names simulated providers: {', '.join(routed)}"

    def given(self, context: Callable[[str], Any]) -> Self:
        """The same environment with the account, subscribers and alarms that the synthesis was given."""
        found = {field: context(f"{self.name}.{key}") for field, key in _GIVEN.items()}
        given: dict[str, Any] = {field: str(value) for field, value in found.items() if value is not None}
        return replace(self, **given, ticket_alarms=self._given_ticket_alarms(context))

    def _given_ticket_alarms(self, context: Callable[[str], Any]) -> bool:
        """A file of context may hold true or false, a command line their names."""
        key = f"{self.name}.{_TICKET_ALARMS}"
        match context(key):
            case None:
                return self.ticket_alarms
            case bool() as value:
                return value
            case "true" | "false" as name:
                return bool(name == "true")
            case other:
                raise ValueError(f"{key} must be true or false, not {other!r}")

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why these stacks must not be deployed: production needs its own account, and alarms that reach a person."""
        if not self.production:
            return ()
        why = {
            "account": "the shell's credentials would choose the account",
            "page_to": "nobody would be woken when payments fail",
            "ticket_to": "nobody would read the alarms that can wait",
        }
        return tuple(
            f"{self.name}: {field} is not set, and {why[field]}. Set it in infra/settings.py, or give it with "
            f"-c {self.name}.{key}=..."
            for field, key in _GIVEN.items()
            if getattr(self, field) is None
        )

    @property
    def stage_id(self) -> str:
        """The prefix of the stacks' names, as in Dev-Data and Dev-Service."""
        return self.name.capitalize()

    @property
    def removal_policy(self) -> RemovalPolicy:
        """The fate of data when its stack is deleted.

        A stack whose creation failed keeps nothing: what it left behind would block its next creation, or cost money.
        """
        return RemovalPolicy.DESTROY if self.disposable else RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE

    @property
    def table_removal_policy(self) -> RemovalPolicy:
        """The same for tables. Deletion protection would make the roll-back of a failed creation fail as well.

        So such a roll-back leaves empty tables behind. They have generated names and block nothing.
        """
        return RemovalPolicy.DESTROY if self.disposable else RemovalPolicy.RETAIN

    @property
    def protected(self) -> bool:
        """Whether data has deletion protection."""
        return not self.disposable

    @property
    def data_class(self) -> str:
        """A tag: what its data is."""
        return "payments" if self.production else "test"

    @property
    def api_key_mode(self) -> str:
        """A part of every API key, so that nobody takes a test key for a live one."""
        return "live" if self.production else "test"

    @property
    def simulated(self) -> bool:
        """Whether this environment has the simulators' stack."""
        return any(name.endswith(SIMULATED_SUFFIX) for name in self.providers)

    def routed_providers(self) -> set[str]:
        """All providers that the routing document names."""
        document = json.loads(self.routing_document.read_text())
        return {
            provider
            for rule in document["rules"]
            for share in [rule["use"], *rule["use"].get("split", [])]
            for provider in share.get("providers", [])
        }


_MOCKS: Final = ("mock", "razorpay_mock", "cashfree_mock")
_REAL_PROVIDERS: Final = ("stripe", "razorpay", "cashfree", "payu")

ENVIRONMENTS: Final = (
    EnvironmentSettings(
        name="dev",
        region="eu-west-1",
        disposable=True,
        # The real ones too, with test keys or local simulators. No rule of dev.json routes a payment there by default.
        providers=(*_MOCKS, *_REAL_PROVIDERS),
        routing_document=ROUTING / "dev.json",
        loopback_allowed=True,
        # Staging has them all, and is where they are tried.
        ticket_alarms=False,
        checkout=True,
        compact_payments=True,
        # On a laptop a cold start is slow, and the local engine evaluates one period instead of three.
        latency_alarm=Duration.seconds(10),
        # On a laptop each batch in work is a process of 60 MB.
        worker_concurrency=4,
        provider_event_concurrency=2,
        delivery_concurrency=2,
        slow_worker_concurrency=2,
        slow_delivery_concurrency=2,
        log_retention=logs.RetentionDays.ONE_WEEK,
    ),
    EnvironmentSettings(
        name="staging",
        region="eu-west-1",
        providers=_MOCKS,
        routing_document=ROUTING / "default.json",
        checkout=True,
        compact_payments=True,
        firewall=FirewallMode.COUNT,
        canary=True,
    ),
    EnvironmentSettings(
        name="prod",
        region="eu-west-1",
        production=True,
        providers=_REAL_PROVIDERS,
        routing_document=ROUTING / "prod.json",
        api_rate_per_second=200,
        api_burst=400,
        webhook_rate_per_second=200,
        worker_concurrency=50,
        slow_worker_concurrency=20,
        provider_event_concurrency=12,
        delivery_concurrency=20,
        log_retention=logs.RetentionDays.ONE_YEAR,
        firewall=FirewallMode.COUNT,
        gradual_routing=True,
        canary=True,
        backups=BackupSettings(),
    ),
)


def of_branch(branch: str) -> EnvironmentSettings:
    """A disposable copy of `dev` for one branch, beside all others in the same account.

    Its name is made of the branch's, and of a hash that tells `fix-1` from `fix/1`.
    """
    letters = re.sub(r"[^a-z0-9]", "", branch.lower())[:_BRANCH_LETTERS]
    digest = hashlib.sha256(branch.encode()).hexdigest()[:_BRANCH_HASH]
    (development,) = (environment for environment in ENVIRONMENTS if environment.name == "dev")
    return replace(development, name=f"b{letters}{digest}", owner=re.sub(r"[^\w./-]", "-", branch)[:_TAG_CHARS])


def chosen(context: Callable[[str], Any]) -> tuple[EnvironmentSettings, ...]:
    """All environments, or those that `-c environments=dev,staging` names, with what the synthesis was given.

    With `-c branch=NAME` there is that branch's own environment, and no other.
    """
    branch = context("branch")
    if branch is not None:
        return (of_branch(str(branch)).given(context),)
    names = str(context("environments") or ",".join(e.name for e in ENVIRONMENTS)).split(",")
    unknown = set(names) - {e.name for e in ENVIRONMENTS}
    if unknown:
        raise ValueError(f"there is no environment {', '.join(sorted(unknown))}")
    return tuple(environment.given(context) for environment in ENVIRONMENTS if environment.name in names)
