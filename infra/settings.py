"""The differences between the environments, and nothing else."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_logs as logs

ROOT: Final = Path(__file__).resolve().parent.parent
ROUTING: Final = ROOT / "infra" / "routing"
SIMULATED_SUFFIX: Final = "mock"
"""The end of every simulated provider's name."""
_MAX_CHARGE_DEADLINE_HOURS: Final = 168
_MAX_CHECKOUT_WAIT_SECONDS: Final = 4
_ACCOUNT: Final = re.compile(r"\d{12}")
_SUBSCRIBER: Final = re.compile(r"https://\S+|[^@\s]+@[^@\s]+")
_GIVEN: Final = {"account": "account", "page_to": "page-to", "ticket_to": "ticket-to"}
"""Settings that a synthesis may be given, and the end of their context keys."""


class FirewallMode(StrEnum):
    """What the web ACL does with requests that its rules match. Begin with COUNT, and read its log before BLOCK."""

    OFF = "off"
    COUNT = "count"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSettings:
    """One environment. Without `account` the credentials at deployment decide the account.

    `account`, `page_to` and `ticket_to` may also be given at synthesis, as `-c prod.account=...`,
    `-c prod.page-to=...` and `-c prod.ticket-to=...`: `given` takes them over.
    """

    name: str
    region: str
    account: str | None = None
    production: bool = False
    providers: tuple[str, ...]
    """The providers that this deployment may use, as functions/payflowx/providers/registry.py names them."""
    routing_document: Path
    page_to: str | None = None
    """The subscriber that wakes an operator: an e-mail address, or the https address of a paging service."""
    ticket_to: str | None = None
    """The subscriber of alarms that can wait until the morning: of the same two kinds."""
    api_rate_per_second: int = 50
    api_burst: int = 100
    worker_concurrency: int = 10
    """Batches at a time; each charges up to ten payments side by side."""
    provider_event_concurrency: int = 5
    """Batches at a time: providers send bursts, and the jobs that they cause should not pile up."""
    delivery_concurrency: int = 10
    """Batches of ten events at a time. More would only load merchants' servers."""
    reserved_concurrency: int | None = None
    """Executions that Api and Authorizer each keep for themselves. AWS refuses it unless the account's limit leaves 100
    executions without a reservation, and a new account has ten in all; `payflowx doctor` compares."""
    checkout: bool = False
    """Accept new checkouts. The release before this one cannot read them: off until nobody rolls back to it."""
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
    """Give a tenth of the work to new versions of Api, Authorizer and Worker for five minutes, before all of it."""
    loopback_allowed: bool = False
    """Accounts may name a provider on the machine itself, without TLS: a simulator of the local environment."""
    latency_alarm: Duration = field(default_factory=lambda: Duration.seconds(2))

    def __post_init__(self) -> None:
        for value, pattern, meaning in (
            (self.account, _ACCOUNT, "an account, which is 12 digits"),
            (self.page_to, _SUBSCRIBER, "an e-mail address or an https address"),
            (self.ticket_to, _SUBSCRIBER, "an e-mail address or an https address"),
        ):
            if value is not None and not pattern.fullmatch(value):
                raise ValueError(f"{self.name}: {value!r} is not {meaning}")
        if not 0 <= self.checkout_wait_seconds <= _MAX_CHECKOUT_WAIT_SECONDS:
            raise ValueError(f"{self.name}: checkout_wait_seconds must be 0 to {_MAX_CHECKOUT_WAIT_SECONDS}")
        if not 1 <= self.charge_deadline_hours <= _MAX_CHARGE_DEADLINE_HOURS:
            raise ValueError(f"{self.name}: charge_deadline_hours must be 1 to {_MAX_CHARGE_DEADLINE_HOURS}")
        if not 0 <= self.traced_share <= 1:
            raise ValueError(f"{self.name}: traced_share must be 0 to 1")
        if not self.production:
            return
        if self.loopback_allowed:
            raise ValueError(f"{self.name}: production must not talk to addresses of the machine itself")
        simulated = sorted(name for name in self.providers if name.endswith(SIMULATED_SUFFIX))
        if simulated:
            raise ValueError(f"{self.name}: production must not use simulated providers: {', '.join(simulated)}")
        routed = sorted(name for name in self.routed_providers() if name.endswith(SIMULATED_SUFFIX))
        if routed:
            raise ValueError(
                f"{self.name}: production's routing document names simulated providers: {', '.join(routed)}"
            )

    def given(self, context: Callable[[str], Any]) -> Self:
        """The same environment with the account and the subscribers that the synthesis was given."""
        found = {field: context(f"{self.name}.{key}") for field, key in _GIVEN.items()}
        given: dict[str, Any] = {field: str(value) for field, value in found.items() if value is not None}
        return replace(self, **given)

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
        """What CloudFormation does with data when its stack is deleted.

        A stack whose creation failed keeps nothing: what it left behind would block its next creation, or cost money.
        """
        return RemovalPolicy.DESTROY if self.name == "dev" else RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE

    @property
    def table_removal_policy(self) -> RemovalPolicy:
        """The same for tables. Deletion protection would make the roll-back of a failed creation fail as well.

        So such a roll-back leaves empty tables behind. They have generated names and block nothing.
        """
        return RemovalPolicy.DESTROY if self.name == "dev" else RemovalPolicy.RETAIN

    @property
    def protected(self) -> bool:
        """Whether data has deletion protection. Dev has none: its data may be deleted at any time."""
        return self.name != "dev"

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
        # The real ones too, with test keys or local simulators. No rule of dev.json routes a payment there by default.
        providers=(*_MOCKS, *_REAL_PROVIDERS),
        routing_document=ROUTING / "dev.json",
        loopback_allowed=True,
        checkout=True,
        # On a laptop a cold start is slow, and the local engine evaluates one period instead of three.
        latency_alarm=Duration.seconds(10),
        # On a laptop each batch in work is a process of 60 MB.
        worker_concurrency=4,
        provider_event_concurrency=2,
        delivery_concurrency=2,
        log_retention=logs.RetentionDays.ONE_WEEK,
    ),
    EnvironmentSettings(
        name="staging",
        region="eu-west-1",
        providers=_MOCKS,
        routing_document=ROUTING / "default.json",
        checkout=True,
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
        worker_concurrency=50,
        log_retention=logs.RetentionDays.ONE_YEAR,
        firewall=FirewallMode.COUNT,
        gradual_routing=True,
        canary=True,
    ),
)


def chosen(context: Callable[[str], Any]) -> tuple[EnvironmentSettings, ...]:
    """All environments, or those that `-c environments=dev,staging` names, with what the synthesis was given."""
    names = str(context("environments") or ",".join(e.name for e in ENVIRONMENTS)).split(",")
    unknown = set(names) - {e.name for e in ENVIRONMENTS}
    if unknown:
        raise ValueError(f"there is no environment {', '.join(sorted(unknown))}")
    return tuple(environment.given(context) for environment in ENVIRONMENTS if environment.name in names)
