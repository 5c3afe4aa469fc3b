"""The real adapters against the real simulators, in this process and on a clock that tests move."""

from dataclasses import dataclass, field
from email.utils import formatdate
from urllib.parse import parse_qsl, urlsplit

from payflowx.domain.shared.transport import (
    HttpRequest,
    HttpResponse,
    HttpResult,
    NoAnswer,
    NoConnection,
)
from payflowx.providers.registry import Registry
from sandbox import razorpay, stripe
from sandbox.http_types import Request
from sandbox.simulator import Credentials as SandboxCredentials
from sandbox.simulator import Simulator
from sandbox.simulators import REAL_PROVIDERS, SIMULATORS
from sandbox.store import MemoryStore, Record
from testing.secrets_manager import SecretsManager
from tests.support.memory import FixedRules, ManualClock
from tests.support.world import World

ALL = {**SIMULATORS, **REAL_PROVIDERS}
NAMES = tuple(ALL)
PATHS = {"cashfree": "/pg"}
"""What belongs to the provider's address rather than to its requests."""
READ_TIMEOUT_SECONDS = 10


@dataclass
class SimulatedHttp:
    """Implements `HttpClient`: the endpoint's host is the provider's name. Holding an answer moves the clock."""

    clock: ManualClock
    simulators: dict[str, Simulator] = field(default_factory=dict)
    requests: list[tuple[str, HttpRequest]] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        credentials = SandboxCredentials(key_id="id", key_secret="secret")
        for name, kind in ALL.items():
            self.simulators[name] = kind(MemoryStore(), credentials, public_url=f"https://{name}")

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        name = urlsplit(endpoint).hostname or ""
        self.requests.append((name, request))
        if name in self.closed:
            return NoConnection(code="connection_refused")
        parts = urlsplit(urlsplit(endpoint).path + request.path)
        asked = Request(
            method=request.method,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers={key.lower(): value for key, value in request.headers.items()},
            body=request.body,
        )
        reply = self.simulators[name].handle(asked, self.clock.now_ms() / 1000)
        self.clock.advance(min(reply.hold_seconds, READ_TIMEOUT_SECONDS))
        if reply.drop or reply.hold_seconds >= READ_TIMEOUT_SECONDS:
            return NoAnswer(code="read_timeout")
        headers = {"date": formatdate(self.clock.now_ms() / 1000, usegmt=True), **reply.headers}
        return HttpResponse(status=reply.status, headers=headers, body=reply.body)

    def ledger(self) -> list[Record]:
        """All providers' books."""
        now = self.clock.now_ms() / 1000
        return [{**e, "gateway": n} for n, s in self.simulators.items() for e in s.ledger(now)]

    def charged(self) -> list[Record]:
        """What was really charged."""
        return [entry for entry in self.ledger() if entry["status"] == "charged"]


WEBHOOK_SECRETS = {
    "arn:stripe": (stripe.WEBHOOK_SECRET,),
    "arn:razorpay": (razorpay.WEBHOOK_SECRET,),
}
"""Where the provider signs with a secret of its own; the others sign with the key secret."""


@dataclass
class ProviderWorld(World):
    """The production wiring, and the providers' connectors and simulators behind it."""

    http: SimulatedHttp = field(init=False)

    def __post_init__(self) -> None:
        self.secrets = SecretsManager(dict(WEBHOOK_SECRETS))
        self.http = SimulatedHttp(self.clock)
        self.providers = Registry(
            allowed=NAMES,
            http=lambda: self.http,
            secrets=lambda: self.platform.secrets,
            clock_ms=self.clock.now_ms,
            observe=lambda *_args: None,
        )
        super().__post_init__()

    def _settings(self) -> dict[str, str]:
        return {**super()._settings(), "ALLOWED_PROVIDERS": ",".join(NAMES)}

    def endpoint(self, provider: str) -> str:
        return f"https://{provider}{PATHS.get(provider, '')}"

    def use(self, rules: FixedRules) -> None:
        self.rules = rules
