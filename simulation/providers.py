"""Hostile providers: the simulators with their books, behind a line that loses, delays and garbles."""

import re
from dataclasses import dataclass, field, replace
from math import exp, log
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from payflowx.domain.shared.transport import HttpRequest, HttpResponse, HttpResult, NoAnswer, NoConnection
from sandbox.http_types import Reply, Request
from sandbox.simulator import Credentials, Simulator
from sandbox.simulators import REAL_PROVIDERS, SIMULATORS
from sandbox.store import ConflictError, MemoryStore, Record
from simulation.faults import Faults
from simulation.functions import Platform
from simulation.history import History, Sent
from simulation.kernel import Kernel

READ_TIMEOUT_MS: Final = 10_000
_LATEST_MS: Final = 3_600_000
_FORGOTTEN_SECONDS: Final = 1e9
_PROVIDER_KEY: Final = re.compile(r"pfx-[a-z2-7]{16}-[1-9]")
SECRET: Final = "simulated-gateway-secret"
KINDS: Final[dict[str, type[Simulator]]] = {**SIMULATORS, **REAL_PROVIDERS}
_PATHS: Final = {"cashfree": "/pg"}
"""What belongs to the provider's address rather than to its requests."""
KEY_ID: Final = "simulated-gateway-id"


@dataclass(slots=True)
class FlatStore:
    """Implements the simulators' `Store`. Their records are flat, so that a shallow copy is enough."""

    kinds: dict[str, dict[str, Record]] = field(default_factory=dict)

    def get(self, kind: str, key: str) -> Record | None:
        record = self.kinds.get(kind, {}).get(key)
        return dict(record) if record else None

    def put(self, kind: str, key: str, record: Record) -> None:
        records = self.kinds.setdefault(kind, {})
        version = records[key]["version"] if key in records else 0
        if record.get("version", 0) != version:
            raise ConflictError
        records[key] = {**record, "version": version + 1}

    def all(self, kind: str) -> Any:
        return (dict(record) for record in list(self.kinds.get(kind, {}).values()))


@dataclass(slots=True)
class Outage:
    """A provider that does not work for a while: refuses connections, or swallows requests."""

    connector: str
    from_ms: int
    until_ms: int
    swallows: bool


@dataclass(slots=True)
class SimulatedProviders:
    """Implements `HttpClient`. The host of an endpoint is the provider's name."""

    kernel: Kernel
    faults: Faults
    history: History
    is_stored: Any
    """Whether a provider key lies in the database right now."""
    platform: Platform | None = None
    outages: list[Outage] = field(default_factory=list)
    simulators: dict[str, Simulator] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, kind in KINDS.items():
            credentials = Credentials(key_id=KEY_ID, key_secret=SECRET)
            store = FlatStore() if name in SIMULATORS else MemoryStore()
            self.simulators[name] = kind(store, credentials, public_url=f"https://{name}")

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        """From a task: one request, and what the caller learns of it."""
        platform = self.platform
        if platform is None:
            raise RuntimeError("the gateways have no platform yet")
        where = urlsplit(endpoint)
        name, request = where.hostname or "", replace(request, path=where.path + request.path)
        platform.travel()
        faults, sleep = self.faults, self.kernel.sleep
        outage = self._outage(name)
        if (outage and not outage.swallows) or faults.strikes("gateway_refused"):
            return NoConnection(code="connection_refused")
        if outage or faults.strikes("gateway_request_lost"):
            sleep(READ_TIMEOUT_MS)
            return NoAnswer(code="read_timeout")
        process = platform.process
        if faults.strikes("gateway_late_arrival"):
            self.kernel.after(self._lateness_ms(), lambda: self._arrive(name, request, process))
            sleep(READ_TIMEOUT_MS)
            return NoAnswer(code="read_timeout")
        if faults.strikes("gateway_error_before"):
            platform.travel(5, 200)
            return _page(503)
        if faults.strikes("gateway_rejects_credentials"):
            return self._answered(self.simulators[name].unauthorized(), platform)
        reply = self._arrive(name, request, process)
        return self._answered(reply, platform)

    def _answered(self, reply: Reply, platform: Platform) -> HttpResult:
        faults = self.faults
        hold_ms = int(reply.hold_seconds * 1000)
        if faults.strikes("gateway_slow"):
            hold_ms += faults.random.randint(500, READ_TIMEOUT_MS + 1_000)
        if faults.strikes("gateway_answer_lost"):
            self.kernel.sleep(faults.random.randint(1, READ_TIMEOUT_MS))
            return NoAnswer(code="connection_lost")
        if hold_ms >= READ_TIMEOUT_MS or reply.drop:
            self.kernel.sleep(READ_TIMEOUT_MS)
            return NoAnswer(code="read_timeout")
        platform.travel(5 + hold_ms, 200 + hold_ms)
        if faults.strikes("gateway_error_after"):
            return _page(502)
        if faults.strikes("gateway_garbage"):
            return _page(200)
        return HttpResponse(status=reply.status, headers=dict(reply.headers), body=reply.body)

    def _lateness_ms(self) -> int:
        """From the caller's timeout to an hour, as often short as long."""
        low, high = log(READ_TIMEOUT_MS), log(_LATEST_MS)
        return int(exp(low + (high - low) * self.faults.random.random()))

    def _outage(self, name: str) -> Outage | None:
        now_ms = self.kernel.now_ms
        return next((o for o in self.outages if o.connector == name and o.from_ms <= now_ms < o.until_ms), None)

    def _arrive(self, name: str, request: HttpRequest, process: int) -> Reply:
        """The provider acts, at one moment."""
        simulator = self.simulators[name]
        parts = urlsplit(request.path)
        asked = Request(
            method=request.method,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers={header.lower(): value for header, value in request.headers.items()},
            body=request.body,
        )
        provider_key = self._key_of(simulator, request)
        stored = self.is_stored(provider_key) if provider_key else None
        now_ms = self.kernel.now_ms
        self.history.sent.append(Sent(now_ms, name, request.method, request.path, provider_key, stored, process))
        forgets = request.method == "GET" and self.faults.strikes("gateway_forgets")
        simulator.visibility_lag_seconds = _FORGOTTEN_SECONDS if forgets else 0.0
        try:
            reply = simulator.handle(asked, now_ms / 1000)
        finally:
            simulator.visibility_lag_seconds = 0.0
        if name in REAL_PROVIDERS and request.method == "POST":
            self.history.sometimes[f"{name} was asked to do something"] += 1
        self.history.steps.append((now_ms, f"{name} got", f"{request.method} {request.path}", str(reply.status)))
        if reply.headers.get("idempotent-replayed") or reply.headers.get("x-idempotency-replayed"):
            self.history.sometimes["gateway recognized a repeated key"] += 1
        if b"order_inactive" in reply.body:
            self.history.sometimes["gateway refused a charge that came after its fence"] += 1
        return reply

    @staticmethod
    def _key_of(simulator: Simulator, request: HttpRequest) -> str | None:
        """Named in the request, or by the order or charge that the request is about."""
        text = f"{request.path} {dict(request.headers)} {request.body.decode(errors='replace')}"
        match = _PROVIDER_KEY.search(text)
        if match:
            return match[0]
        for record in (*simulator.store.all("order"), *simulator.store.all("charge")):
            names = [record.get("id"), record.get("session"), record.get("order_id")]
            if any(name and name in text for name in names):
                return record.get("receipt") or record.get("reference") or record.get("order_id")
        return None

    def approve(self, url: str) -> None:
        """A payer opens the address of an action."""
        parts = urlsplit(url)
        request = Request(method="GET", path=parts.path)
        self.simulators[parts.hostname or ""].handle(request, self.kernel.now_ms / 1000)
        self.history.steps.append((self.kernel.now_ms, "payer", "approves", parts.path))

    def ledger(self) -> list[Record]:
        """All books, with the provider's name."""
        now = self.kernel.now_ms / 1000
        return [{**entry, "gateway": name} for name, sim in self.simulators.items() for entry in sim.ledger(now)]


def endpoint_of(name: str) -> str:
    """The host is the provider's name."""
    return f"https://{name}{_PATHS.get(name, '')}"


def _page(status: int) -> HttpResponse:
    body = b"<html><body>It works!</body></html>"
    return HttpResponse(status=status, headers={"content-type": "text/html"}, body=body)
