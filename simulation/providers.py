"""Hostile providers: the simulators with their books, behind a line that loses, delays and garbles."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from math import exp, inf, log
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit
from zlib import crc32

from payflowx.adapters.platform.http import IDLE_LIMIT_SECONDS
from payflowx.domain.shared.transport import HttpRequest, HttpResponse, HttpResult, NoAnswer, NoConnection
from payflowx.providers.registry import connector
from sandbox.behaviours import ASYNC_SECONDS
from sandbox.hosted_pages import PageState
from sandbox.http_types import BadRequestError, Reply, Request
from sandbox.mock import MockSimulator
from sandbox.post_authorization import PostAuthorizationSimulator
from sandbox.simulator import DECLINED, PENDING, WAITING
from sandbox.simulators import REAL_PROVIDERS, SIMULATORS
from sandbox.store import Record
from sandbox.stripe import StripeSimulator
from simulation import contradictions
from simulation.accounts import KEY_ID, PROVIDERS, SECRET, ProviderAccount
from simulation.books import Books
from simulation.browsing import Tab, opened, pressed
from simulation.faults import Faults
from simulation.functions import Platform
from simulation.history import Entry, History, ReportChange, Sent, Source
from simulation.hosted_requests import is_creation, with_other_amount
from simulation.identities import STS_HOST
from simulation.identities import answer as identity_of
from simulation.kernel import Kernel
from simulation.releases import release_of
from simulation.reports import Line, garbled, is_report, without_youngest
from simulation.workload import HOLD_MS, LONG_HOLD_MS, MERCHANTS

__all__ = ["KEY_ID", "PROVIDERS", "SECRET", "Outage", "Shop", "SimulatedProviders"]

READ_TIMEOUT_MS: Final = 10_000
_LATEST_MS: Final = 3_600_000
_FORGOTTEN_SECONDS: Final = 1e9
_PROVIDER_KEY: Final = re.compile(r"pfx-[a-z2-7]{16}-[1-9]")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{8,}")
_OPERATION: Final = re.compile(r"/(captures?|voids|refunds?|authorization)$")
_TURNS: Final = (
    *("tok_soft_decline", "tok_hard_decline", "tok_async_success", "tok_async_failure"),
    *("tok_timeout_after_charge", "tok_wrong_amount", "tok_reopened_decline", "tok_rate_limited"),
)
"""How a capture, void or refund may turn out: refused, later, refused later, without an answer, of another amount,
returned by the payer's bank after its success, or refused for its rate.
"""
_REFUSED_REFUND: Final = "refund_refused"
"""Refused with a code that the provider documents; the mocks' simulators have no such behaviour."""
_KINDS: Final[Mapping[str, Any]] = {**SIMULATORS, **REAL_PROVIDERS}


_PENDS_SECONDS: Final = (2 * 86_400, 10 * 86_400)
"""So long stays pending what banks take days for."""
_LATER_SECONDS: Final = 900.0
"""After so long a refund of the dashboard settles that does not settle at once."""
_WAITS_SECONDS: Final = (0, 0, 30, 90)
SICK: Final = frozenset({"mock.acme.example", "razorpay_mock.acme.example"})
"""The accounts whose providers refuse connections where some are sick."""
_SHORT_PAGE: Final = "2"
_ASKED_BY_POST: Final = ("/merchant/postservice", "/pg/recon")
_READ_BY_POST: Final = re.compile(rb"command=(verify_payment|check_action_status)\b")
"""PayU's inquiries about a charge by our key, and about what followed it."""
_LAG_MARGIN_MS: Final = 60_000
"""A report lists a line so long before its documented lag is over: clocks and seconds differ by less."""


@dataclass(slots=True)
class Outage:
    """A provider that does not work for a while: refuses connections, or swallows requests."""

    connector: str
    from_ms: int
    until_ms: int
    swallows: bool


@dataclass(slots=True)
class Shop:
    """A merchant's account at a provider, with the provider's books about it."""

    account: ProviderAccount
    books: Books
    simulator: Any
    """A `LedgerSimulator`; each keeps its webhooks' secret in its own way."""
    current_from_ms: float = inf
    """From then on its reads hold all that was done."""

    @property
    def signing_pair(self) -> int:
        """The number of the key pair that signs now: the newest, unless the simulator still has an older one's secret.

        The mocks, and the demo data's simulators, have secrets that no pair names.
        """
        secrets = [pair.webhook_secret or pair.key_secret for pair in self.account.issued]
        signing = self.simulator.webhook_secret if self.account.provider in REAL_PROVIDERS else None
        return secrets.index(signing) if signing in secrets else len(secrets) - 1

    def use_newest(self) -> None:
        """Sign with the newest key pair."""
        pair = self.account.valid[-1]
        self.simulator.credentials = pair.credentials
        self.simulator.webhook_secret = pair.webhook_secret or pair.key_secret


@dataclass(slots=True)
class SimulatedProviders:
    """Implements `HttpClient`. The host of an endpoint tells provider and merchant."""

    kernel: Kernel
    faults: Faults
    history: History
    is_stored: Callable[[str], bool]
    """Whether a provider key lies in the database right now."""
    is_hosted: Callable[[str], bool] = lambda _key: False
    """Whether a provider key is that of a hosted object."""
    changed: Callable[[Shop], None] = lambda _shop: None
    """Called after a request that may have changed the books."""
    refunding: Callable[[Shop, str], None] = lambda _shop, _said: None
    """Called with the text of a refund of ours that is about to leave, when somebody refunds its charge as well."""
    platform: Platform | None = None
    outages: list[Outage] = field(default_factory=list)
    shops: dict[str, Shop] = field(default_factory=dict)
    """By the host of their address."""
    entered: dict[str, tuple[Shop, str]] = field(default_factory=dict)
    """Our keys that stand in any provider's books, with the charge's id."""
    settled_ms: int = 0
    """When the last answer of "pending" is over that lasts for days."""
    _entries: dict[tuple[str, str, str], Entry] = field(default_factory=dict)
    """By merchant, provider, and the provider's id."""
    _used_ms: dict[tuple[int, str], float] = field(default_factory=dict)
    """When an instance used its connection to a provider last, by the instance and the provider's host."""
    _objects: dict[str, bool] = field(default_factory=dict)
    """Our keys of hosted objects, and whether the provider creates each with another amount."""
    _cause: tuple[str | None, Source, int] = (None, Source.REQUEST, 0)
    """Whose key, from where, and by which process the books change at this moment."""

    def __post_init__(self) -> None:
        for merchant in MERCHANTS:
            for name in PROVIDERS:
                shop = self._opened(ProviderAccount(merchant, name))
                self.shops[shop.account.host] = shop

    def rotate(self, shop: Shop, *, signs: bool = True) -> None:
        """Another key pair opens the account, and signs from now on; those of before still open it.

        `signs` False: an event is signed as before, until somebody changes that, too.
        """
        pair = shop.account.issue()
        shop.account.valid.append(pair)
        if signs:
            shop.use_newest()

    def _opened(self, account: ProviderAccount) -> Shop:
        books = Books(lambda kind, record: self._enter(account, kind, record))
        simulator = _KINDS[account.provider](books, account.valid[-1].credentials, public_url=f"https://{account.host}")
        simulator.account = account.merchant
        shop = Shop(account, books, simulator)
        shop.use_newest()
        return shop

    def shop(self, merchant: str, provider: str) -> Shop:
        """The merchant's account at the provider."""
        return next(s for s in self.shops.values() if (s.account.merchant, s.account.provider) == (merchant, provider))

    # -- the line

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        """From a task: one request, and what the caller learns of it."""
        platform = self._platform
        where = urlsplit(endpoint)
        if where.netloc == STS_HOST:
            platform.travel()
            return identity_of(request, self.faults, self.kernel.sleep)
        shop, request = self.shops[where.netloc], replace(request, path=where.path + request.path)
        platform.travel()
        faults, sleep = self.faults, self.kernel.sleep
        if _acts(request) and (refused := self._refusing(shop, request)) is not None:
            return refused
        if shop.account.host in SICK and faults.strikes("gateway_sick"):
            return NoConnection(code="connection_refused")
        outage = self._outage(shop.account.provider)
        if (outage and not outage.swallows) or faults.strikes("gateway_refused"):
            return NoConnection(code="connection_refused")
        if outage or faults.strikes("gateway_request_lost"):
            sleep(READ_TIMEOUT_MS)
            return NoAnswer(code="read_timeout")
        process = platform.process
        if self._is_used_again(shop) and faults.strikes("gateway_idle_lost"):
            if faults.apart.random() < 0.5:
                return NoAnswer(code="connection_lost")
            sleep(READ_TIMEOUT_MS)
            return NoAnswer(code="read_timeout")
        if faults.strikes("gateway_late_arrival"):
            self.kernel.after(self._lateness_ms(), lambda: self._arrive(shop, request, process))
            sleep(READ_TIMEOUT_MS)
            return NoAnswer(code="read_timeout")
        if (
            request.method == "POST"
            and not request.path.startswith(_ASKED_BY_POST)
            and faults.strikes("gateway_limits")
        ):
            platform.travel(5, 200)
            return _limited(faults.apart.choice(_WAITS_SECONDS))
        if faults.strikes("gateway_error_before"):
            platform.travel(5, 200)
            return _page(503)
        if faults.strikes("gateway_rejects_credentials"):
            return self._answered(shop.simulator.unauthorized(), platform)
        reply = self._arrive(shop, request, process)
        return self._answered(reply, platform)

    def _refusing(self, shop: Shop, request: HttpRequest) -> HttpResult | None:
        """The faults that keep a request from a charge: no connection, or an error. A refund may be made meanwhile."""
        if _is_refund(request) and self.faults.strikes("dashboard_refunds_beside"):
            self.refunding(shop, f"{request.path} {request.body.decode(errors='replace')}")
        if not self.faults.strikes("gateway_refuses_acts"):
            return None
        return NoConnection(code="connection_refused") if self.faults.apart.random() < 0.5 else _page(503)

    def _is_used_again(self, shop: Shop) -> bool:
        """Whether the process's client keeps a connection to this provider: it closes those that were idle for long."""
        place, now_ms = (self._platform.instance, shop.account.host), self.kernel.now_ms
        before_ms, self._used_ms[place] = self._used_ms.get(place, -inf), now_ms
        return now_ms - before_ms <= IDLE_LIMIT_SECONDS * 1000

    @property
    def _platform(self) -> Platform:
        if self.platform is None:
            raise RuntimeError("the providers have no platform yet")
        return self.platform

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

    def _outage(self, provider: str) -> Outage | None:
        now_ms = self.kernel.now_ms
        return next((o for o in self.outages if o.connector == provider and o.from_ms <= now_ms < o.until_ms), None)

    # -- the provider

    def _arrive(self, shop: Shop, request: HttpRequest, process: int) -> Reply:
        """The provider acts, at one moment."""
        simulator, now_ms = shop.simulator, self.kernel.now_ms
        name, parts = shop.account.provider, urlsplit(request.path)
        asked = Request(
            method=request.method,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers={header.lower(): value for header, value in request.headers.items()},
            body=request.body,
        )
        provider_key = self._key_of(shop, request)
        if provider_key and is_creation(asked.method, asked.path, asked.body) and self.is_hosted(provider_key):
            asked = self._falsified(shop, asked, provider_key)
        self.history.sent.append(
            Sent(
                at_ms=now_ms,
                connector=name,
                method=request.method,
                path=request.path,
                provider_key=provider_key,
                stored=self.is_stored(provider_key) if provider_key else None,
                process=process,
                merchant=shop.account.merchant,
                credentials=self._owner_of(shop, asked),
                function=self.history.invocations[process].function,
                digest=crc32(request.body),
                is_creation=is_creation(request.method, parts.path, request.body),
                release=release_of(request),
            )
        )
        simulator.visibility_lag_seconds = self._hidden_seconds(shop, request, provider_key)
        if request.method == "POST" and _moves_more(request) and self.faults.strikes("operation_turns_out"):
            refusable = name in REAL_PROVIDERS and "refund" in request.path
            turns = (*_TURNS, _REFUSED_REFUND) if refusable else _TURNS
            simulator.next_operation(self.faults.random.choice(turns))
        if isinstance(simulator, StripeSimulator):
            simulator.hold_seconds = self._hold_seconds()
            if is_report(name, asked) and self.faults.strikes("report_short_pages"):
                asked = replace(asked, query={**asked.query, "limit": _SHORT_PAGE})
        if isinstance(simulator, MockSimulator):
            simulator.reopens = request.method == "POST" and self.faults.strikes("gateway_reopens")
        simulator.charge_seconds = simulator.refund_seconds = self._settling_seconds(request)
        if isinstance(simulator, PostAuthorizationSimulator):
            simulator.refuses_voids = _is_void(request) and self.faults.strikes("gateway_refuses_voids")
        entries, is_repeated = len(self.history.entries), provider_key in self.entered
        with self._caused(provider_key, Source.REQUEST, process):
            reply: Reply = simulator.handle(asked, now_ms / 1000)
        simulator.charge_seconds = simulator.refund_seconds = ASYNC_SECONDS
        reply = self._contradicting(shop, request, reply, self.history.entries[entries:], is_repeated=is_repeated)
        if is_report(name, asked):
            reply = garbled(name, reply, self.faults, partial(self._report_changed, shop.account))
            reply = self._lagging(name, reply)
        simulator.visibility_lag_seconds = 0.0
        simulator.credentials = shop.account.valid[-1].credentials
        if request.method == "POST":
            self.changed(shop)
            if name in REAL_PROVIDERS:
                self.history.sometimes[f"{name} was asked to do something"] += 1
        self.history.steps.append((now_ms, f"{name} got", f"{request.method} {request.path}", str(reply.status)))
        if reply.headers.get("idempotent-replayed") or reply.headers.get("x-idempotency-replayed") == "true":
            self.history.sometimes["gateway recognized a repeated key"] += 1
        if b"order_inactive" in reply.body:
            self.history.sometimes["gateway refused a charge that came after its fence"] += 1
        return reply

    def _settling_seconds(self, request: HttpRequest) -> float:
        """How long stays pending what this request leaves pending: seconds, or days where the kind of fault is on."""
        apart, rate = self.faults.apart, self.faults.rates["gateway_pends_for_days"]
        if request.method != "POST" or not rate or apart.random() >= rate:
            return ASYNC_SECONDS
        return apart.randint(*_PENDS_SECONDS)

    def _hold_seconds(self) -> float | None:
        """None: what a request authorizes is held for as long as Stripe holds it."""
        if self.faults.strikes("gateway_short_holds"):
            return HOLD_MS / 1000
        return LONG_HOLD_MS / 1000 if self.faults.strikes("gateway_long_holds") else None

    def _hidden_seconds(self, shop: Shop, request: HttpRequest, provider_key: str | None) -> float:
        """How young a charge, or an action at PayU, is that the answer to this request lacks.

        PayU's reads are posts. They lack nothing that is older than the lag which its capabilities name.
        """
        if request.method == "GET":
            is_struck = self.kernel.now_ms < shop.current_from_ms and self.faults.strikes("gateway_forgets")
            return self._forgotten_seconds(provider_key) if is_struck else 0.0
        if not _READ_BY_POST.search(request.body) or not self.faults.strikes("gateway_forgets_posts"):
            return 0.0
        if provider_key is not None and self.is_hosted(provider_key):
            return 0.0
        return self.faults.apart.random() * _lag_ms(shop.account.provider) / 1000

    def _lagging(self, provider: str, reply: Reply) -> Reply:
        """A page of a report that lacks its youngest lines, as the report's documented lag allows."""
        if not self.faults.strikes("report_lags"):
            return reply
        reports = connector(provider).capabilities.reports
        lag_ms = (reports.lag_ms if reports else 0) - _LAG_MARGIN_MS
        kept, left_out = without_youngest(provider, reply, self.kernel.now_ms - self.faults.apart.random() * lag_ms)
        self.history.sometimes["report line: not yet listed"] += left_out
        return kept

    def _forgotten_seconds(self, provider_key: str | None) -> float:
        """How young a charge is that a read hides. The tries in a hosted object are read by the object's id, which no
        provider documents as late: such a read is complete.
        """
        is_hosted = provider_key is not None and self.is_hosted(provider_key)
        return 0.0 if is_hosted else _FORGOTTEN_SECONDS

    def _contradicting(
        self, shop: Shop, request: HttpRequest, reply: Reply, made: Sequence[Entry], *, is_repeated: bool
    ) -> Reply:
        """An error instead of the answer to a request that was executed, now or before, as some providers give it.

        After the refusal of a repeated refund the account's lists are current once the provider's lag has passed, which
        it promises: a refund that both reads lack was not made.
        """
        name, is_refund = shop.account.provider, _is_refund(request)
        may_contradict = name in REAL_PROVIDERS and reply.status == 200 and request.method == "POST"
        if not may_contradict:
            return reply
        if made and self.faults.strikes("gateway_contradicts"):
            reference = made[-1].operation_id or made[-1].charge_id
            return contradictions.after_effect(name, "refund" if is_refund else "charge", reference, self.faults.apart)
        if not made and is_repeated and is_refund and self.faults.strikes("gateway_refuses_repeat"):
            shop.current_from_ms = min(shop.current_from_ms, self.kernel.now_ms + _lag_ms(name))
            return contradictions.refused_repeat(name)
        return reply

    def _report_changed(self, account: ProviderAccount, change: str, line: Line) -> None:
        at_ms = self.kernel.now_ms
        self.history.report_changes.append(ReportChange(at_ms, account.provider, account.merchant, change, line))

    def at_dashboard(self, shop: Shop, request: Request, turn: str | None = None) -> int:
        """Somebody who is logged in there does something; the answer's status. `turn`: how it turns out."""
        if turn is not None:
            shop.simulator.next_operation(turn)
            shop.simulator.refund_seconds = _LATER_SECONDS
        with self._caused(None, Source.DASHBOARD, 0):
            try:
                status = shop.simulator.answer(request, self.kernel.now_ms / 1000).status
            except BadRequestError:
                status = 400
        shop.simulator.refund_seconds = ASYNC_SECONDS
        self.changed(shop)
        return int(status)

    def _owner_of(self, shop: Shop, asked: Request) -> str | None:
        """The merchant whose key pair the request bears. Leaves the simulator with the pair that the request fits."""
        if self._opens(shop, shop.account, asked):
            return shop.account.merchant
        others = [other.account for other in self.shops.values() if other.account is not shop.account]
        found = next((other.merchant for other in others if self._opens(shop, other, asked)), None)
        shop.simulator.credentials = shop.account.valid[-1].credentials
        return found

    @staticmethod
    def _opens(shop: Shop, account: ProviderAccount, asked: Request) -> bool:
        for pair in reversed(account.valid):
            shop.simulator.credentials = pair.credentials
            if shop.simulator.is_authentic(asked):
                return True
        return False

    @contextmanager
    def _caused(self, provider_key: str | None, source: Source, process: int) -> Iterator[None]:
        before, self._cause = self._cause, (provider_key, source, process)
        try:
            yield
        finally:
            self._cause = before

    def _enter(self, account: ProviderAccount, kind: str, record: Record) -> None:
        provider_key, source, process = self._cause
        if source is Source.PAYER and kind == "charge":
            provider_key = str(record["reference"])
        if provider_key is not None:
            charge_id = record["charge_id"] if kind == "operation" else record["id"]
            self.entered[provider_key] = (self.shops[account.host], charge_id)
        is_pending = kind == "operation" and record["state"] == PENDING and "settles_at" in record
        entry = Entry(
            at_ms=self.kernel.now_ms,
            provider=account.provider,
            merchant=account.merchant,
            kind=record["kind"] if kind == "operation" else kind,
            charge_id=record["charge_id"] if kind == "operation" else record["id"],
            operation_id=record["id"] if kind == "operation" else "",
            amount=record["amount"],
            currency=record["currency"].upper(),
            provider_key=provider_key,
            source=source,
            process=process,
            pending_until_ms=int(record["settles_at"] * 1000) if is_pending else 0,
        )
        settles_at = record.get("settles_at", 0.0) if record.get("state") == PENDING else 0.0
        if settles_at - self.kernel.now_ms / 1000 >= _PENDS_SECONDS[0]:
            self.faults.count("gateway_pends_for_days")
            self.settled_ms = max(self.settled_ms, int(settles_at * 1000))
        self.history.entries.append(entry)
        self._entries[account.merchant, account.provider, entry.operation_id or entry.charge_id] = entry

    @staticmethod
    def _key_of(shop: Shop, request: HttpRequest) -> str | None:
        """Named in the request, or by the order or charge that the request is about.

        A path names the charge before it names the operation, and what it holds stands in the body.
        """
        said = f"{dict(request.headers)} {request.body.decode(errors='replace')}"
        match = _PROVIDER_KEY.search(said)
        if match:
            return match[0]
        keys = _PROVIDER_KEY.findall(request.path)
        if keys:
            return str(keys[-1])
        known = shop.books.keys
        return next((known[name] for name in _NAME.findall(f"{request.path} {said}") if name in known), None)

    # -- payers

    def open_page(self, url: str, fields: Mapping[str, str] | None = None) -> Tab:
        """A browser opens a provider's address. That changes nothing."""
        return opened(self._handle_page, url, fields)

    def press(self, tab: Tab, act: str, method: str) -> Tab:
        """A payer submits a form of a provider's page, also of a page that was opened long ago."""
        shop = self.shops[urlsplit(tab.url).hostname or ""]
        with self._caused(None, Source.PAYER, 0):
            after = pressed(self._handle_page, tab, act, method)
        self.changed(shop)
        if act == "pay" and after.html and after.state == PageState.CLOSED:
            self.history.sometimes["payer: pays what is closed"] += 1
        self.history.steps.append((self.kernel.now_ms, f"payer at {shop.account.provider}", act, after.state))
        return after

    def _handle_page(self, host: str, request: Request) -> Reply | None:
        shop = self.shops.get(host)
        reply: Reply | None = shop.simulator.handle(request, self.kernel.now_ms / 1000) if shop else None
        return reply

    def tries_of(self, shop: Shop, provider_key: str) -> list[str]:
        """The states of all charges that were tried in the object with this key."""
        lines = shop.simulator.ledger(self.kernel.now_ms / 1000)
        return [line["status"] for line in lines if line["kind"] == "charge" and line["reference"] == provider_key]

    def object_state(self, shop: Shop, provider_key: str, tab: Tab) -> tuple[str, int]:
        """The state of a hosted object, and how many tries in it failed. A try under way counts more than its page."""
        tries = self.tries_of(shop, provider_key)
        failed = tries.count(DECLINED)
        under_way = tab.state != "open" and {PENDING, WAITING} & set(tries)
        return ("processing" if under_way else tab.state), failed

    def _falsified(self, shop: Shop, asked: Request, provider_key: str) -> Request:
        """The request for a hosted object, at some providers and for some keys with another amount."""
        if provider_key not in self._objects:
            self._objects[provider_key] = self.faults.strikes("gateway_other_object")
        return with_other_amount(shop.account.provider, asked) if self._objects[provider_key] else asked

    def approve(self, url: str) -> None:
        """A payer opens the address of an action."""
        parts = urlsplit(url)
        shop = self.shops[parts.netloc]
        request = Request(method="GET", path=parts.path)
        with self._caused(None, Source.REQUEST, 0):
            shop.simulator.handle(request, self.kernel.now_ms / 1000)
        self.changed(shop)
        self.history.steps.append((self.kernel.now_ms, "payer", "approves", parts.path))

    def is_decided(self, provider_key: str) -> bool:
        """Whether the books know this key, and its charge neither waits for the payer nor went back as a whole.

        PayU calls such a charge "refunded", which proves no amount: it is inquired about until its horizon is over.
        """
        if provider_key not in self.entered:
            return False
        shop, charge_id = self.entered[provider_key]
        charge = shop.simulator.find(charge_id, self.kernel.now_ms / 1000)
        if charge is None or charge["state"] == WAITING:
            return False
        refunded: int = shop.simulator.refunded(charge, self.kernel.now_ms / 1000)
        return bool(charge["taken"] == 0 or refunded < charge["taken"])

    def is_charged(self, provider_key: str) -> bool:
        """Whether any charge with this key took money that has not gone back."""
        if provider_key not in self.entered:
            return False
        shop, _ = self.entered[provider_key]
        lines = shop.simulator.ledger(self.kernel.now_ms / 1000)
        charges = [line for line in lines if line["kind"] == "charge" and line["reference"] == provider_key]
        return any(line["status"] == "charged" and line["refunded"] < line["amount"] for line in charges)

    def ledger(self) -> list[Record]:
        """All books, each line with its provider, its merchant, and the key and source of the request that made it."""
        return [line for shop in self.shops.values() for line in self.lines(shop)]

    def lines(self, shop: Shop) -> list[Record]:
        """The books of one account."""
        merchant, provider = shop.account.merchant, shop.account.provider
        owner = {"merchant": merchant, "provider": provider, "gateway": provider}
        return [
            {**line, **owner, **self._origin(merchant, provider, line.get("operationId") or line["chargeId"])}
            for line in shop.simulator.ledger(self.kernel.now_ms / 1000)
        ]

    def _origin(self, merchant: str, provider: str, name: str) -> Record:
        entry = self._entries.get((merchant, provider, name))
        if entry is None:
            return {"providerKey": None, "source": "provider"}
        return {"providerKey": entry.provider_key, "source": entry.source.value}


def _acts(request: HttpRequest) -> bool:
    """Whether the request captures, voids, refunds or cancels: what follows a charge, or ends it."""
    is_cancellation = request.method == "PATCH" or request.path.endswith(("/cancel", "/close", "/expire"))
    return request.method != "GET" and (
        is_cancellation or _moves_more(request) or b"command=expire_invoice" in request.body
    )


def _moves_more(request: HttpRequest) -> bool:
    """Whether the request is about a capture, void or refund."""
    return bool(_OPERATION.search(request.path)) or b"command=cancel_refund_transaction" in request.body


def _is_void(request: HttpRequest) -> bool:
    return request.method == "POST" and request.path.endswith("/voids")


def _is_refund(request: HttpRequest) -> bool:
    return "refund" in request.path or b"command=cancel_refund_transaction" in request.body


def _lag_ms(provider: str) -> int:
    """How long the provider's reads may lack what it did, by its own documents."""
    return connector(provider).capabilities.visibility_lag_ms


def _limited(wait_seconds: int) -> HttpResponse:
    """429, as all providers send it; some name the time in a header of their own."""
    headers = dict.fromkeys(("retry-after", "x-ratelimit-retry"), str(wait_seconds))
    return HttpResponse(status=429, headers={"content-type": "application/json", **headers}, body=b"{}")


def _page(status: int) -> HttpResponse:
    body = b"<html><body>It works!</body></html>"
    return HttpResponse(status=status, headers={"content-type": "text/html"}, body=body)
