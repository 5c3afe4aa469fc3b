"""The differences between the environments, and nothing else."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_logs as logs

ROOT: Final = Path(__file__).resolve().parent.parent
ROUTING: Final = ROOT / "infra" / "routing"
SIMULATED_SUFFIX: Final = "mock"
"""The end of every simulated provider's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSettings:
    """One environment. Without `account` the credentials at deployment decide the account."""

    name: str
    region: str
    account: str | None = None
    production: bool = False
    providers: tuple[str, ...]
    """The providers that this deployment may use, as functions/payflowx/providers/registry.py names them."""
    routing_document: Path
    alarm_email: str | None = None
    api_rate_per_second: int = 50
    api_burst: int = 100
    worker_concurrency: int = 10
    """Batches at a time; each charges up to ten payments side by side."""
    provider_event_concurrency: int = 5
    """Batches at a time: providers send bursts, and the jobs that they cause should not pile up."""
    delivery_concurrency: int = 10
    """Batches of ten events at a time. More would only load merchants' servers."""
    max_retries: int = 3
    """Further attempts of a payment after the first that a provider answered."""
    charge_deadline_hours: int = 24
    not_sent_patience_minutes: int = 60
    """How long a request that cannot be sent is tried again: connections refused, credentials unreadable."""
    log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH
    firewall: bool = False
    gradual_routing: bool = False
    """Roll a new routing document out over ten minutes instead of at once."""
    loopback_allowed: bool = False
    """Accounts may name a provider on the machine itself, without TLS: a simulator of the local environment."""
    latency_alarm: Duration = field(default_factory=lambda: Duration.seconds(2))

    def __post_init__(self) -> None:
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

    @property
    def stage_id(self) -> str:
        """The prefix of the stacks' names, as in Dev-Data and Dev-Service."""
        return self.name.capitalize()

    @property
    def removal_policy(self) -> RemovalPolicy:
        """What CloudFormation does with data when its stack is deleted."""
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
        firewall=True,
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
        firewall=True,
        gradual_routing=True,
    ),
)
