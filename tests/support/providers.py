"""The real adapters against the real simulators, in this process and on a clock that tests move."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.providers.ports import Account
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
from tests.support.memory import FixedRules, FixedSecrets, ManualClock, MemoryOperations
from tests.support.world import MERCHANT, World

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
        return HttpResponse(status=reply.status, headers=dict(reply.headers), body=reply.body)

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
    """The use cases over memory, the adapters and the simulators."""

    http: SimulatedHttp = field(init=False)

    def __post_init__(self) -> None:
        self._operations = MemoryOperations(self.payments)
        self.secrets = FixedSecrets(dict(WEBHOOK_SECRETS))
        self.http = SimulatedHttp(self.clock)
        self.providers = Registry(  # type: ignore[assignment]
            allowed=NAMES,
            http=lambda: self.http,
            secrets=lambda: self.secrets,
            clock_ms=self.clock.now_ms,
            observe=lambda *_args: None,
        )
        self.set_merchant()

    def set_merchant(self, *, disabled: frozenset[str] = frozenset()) -> None:
        addresses = {name: f"https://{name}{PATHS.get(name, '')}" for name in NAMES}
        accounts = tuple(
            Account(
                provider=name,
                account_id="main",
                endpoint=address,
                secret_arn=f"arn:{name}",
                webhook_token=f"token-of-{name}",
            )
            for name, address in addresses.items()
        )
        self.merchants.merchants[MERCHANT] = Merchant(
            merchant_id=MERCHANT, name="Acme", accounts=accounts, disabled=disabled
        )

    def use(self, rules: FixedRules) -> None:
        self.rules = rules
