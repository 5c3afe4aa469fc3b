"""What differs between the environments, and nothing else. Frozen: a stack cannot change what it was given."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_logs as logs

ROOT: Final = Path(__file__).resolve().parent.parent
ROUTING: Final = ROOT / "infra" / "routing"
SIMULATED_SUFFIX: Final = "mock"
"""Providers whose names end so talk to simulators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSettings:
    """One environment. `account` None leaves the account to the credentials at deployment."""

    name: str
    region: str
    account: str | None = None
    production: bool = False
    providers: tuple[str, ...]
    """The gateways that this deployment may use, as functions/payflowx/providers/registry.py names them."""
    routing_document: Path
    alarm_email: str | None = None
    api_rate_per_second: int = 50
    api_burst: int = 100
    worker_concurrency: int = 10
    """Batches in work at once; each calls up to ten providers at a time."""
    max_retries: int = 3
    charge_deadline_hours: int = 24
    log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH
    firewall: bool = False
    gradual_routing: bool = False
    """Roll a new routing document out in steps, watching an alarm, instead of at once."""
    loopback_allowed: bool = False
    """Accounts may name a gateway on the machine itself, without TLS: the local stage's simulators of real vendors."""
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
        """Prefix of the stacks' names: Dev-Data, Dev-Service."""
        return self.name.capitalize()

    @property
    def removal_policy(self) -> RemovalPolicy:
        """What happens to data when its stack goes."""
        return RemovalPolicy.DESTROY if self.name == "dev" else RemovalPolicy.RETAIN

    @property
    def protected(self) -> bool:
        """Deletion protection of data; dev is meant to be thrown away."""
        return self.name != "dev"

    @property
    def api_key_mode(self) -> str:
        """Part of every API key, so that a test key is never mistaken for a live one."""
        return "live" if self.production else "test"

    @property
    def simulated(self) -> bool:
        """Whether the simulators' stack belongs to this environment."""
        return any(name.endswith(SIMULATED_SUFFIX) for name in self.providers)

    def routed_providers(self) -> set[str]:
        """Every provider that the routing document names."""
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
        # The vendors too, with their test keys, or simulated on a laptop: by default no payment is routed there.
        providers=(*_MOCKS, *_REAL_PROVIDERS),
        routing_document=ROUTING / "dev.json",
        loopback_allowed=True,
        # On a laptop a function's first start is slow, and the local engine takes one period for three.
        latency_alarm=Duration.seconds(10),
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
