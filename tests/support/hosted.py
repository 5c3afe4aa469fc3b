"""A hosted object at one provider: the real connector and simulator, and a payer's browser."""

import re
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import urlencode, urljoin, urlsplit

from payflowx.domain.payments.hosted import HostedRequest
from payflowx.domain.payments.outcome import ActionRequired, NextAction, Outcome, Progress, StepResult
from payflowx.domain.payments.payment import Customer
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.providers.events import Webhook as Received
from payflowx.domain.providers.ports import Account, ChargeRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.providers.http_provider import HttpProvider
from sandbox.hosted_pages import lose_answers
from sandbox.http_types import Reply, Request
from sandbox.ledger import LedgerSimulator
from sandbox.simulator import Simulator
from sandbox.store import Record
from tests.support.faulty_transport import HostileWorld
from tests.support.memory import FixedRules
from tests.support.world import fallback

AMOUNT = 49_900
KEY = "pfx-abcdefghijklmnop-1"
RETURN_URL = "https://api.shop.example/checkout/token/return"
PAYER = Customer(name="Asha Rao", email="asha@example.com", phone="+919876543210")
MAX_REDIRECTS = 5


class PageHost(Protocol):
    """The provider whose pages a browser opens."""

    @property
    def simulator(self) -> Simulator: ...
    @property
    def now(self) -> float: ...
    def serves(self, url: str) -> bool: ...


@dataclass
class Browser:
    """A payer's browser: it follows redirects and stops at addresses that no simulator serves."""

    harness: PageHost
    url: str = ""
    html: str = ""

    def open(self, action: NextAction) -> None:
        """Do what the page of the checkout does with an action."""
        body = urlencode(dict(action.fields)).encode() if action.kind == "form_post" else b""
        self._go("POST" if body else "GET", action.url, body)

    def reload(self) -> None:
        self._go("GET", self.url)

    def press(self, button: str, method: str | None = None) -> None:
        """Submit the form of the page with this button, and with a method where the page offers it."""
        buttons = dict(re.findall(r"<button name='act' value='(\w+)'>([^<]+)<", self.html))
        (act,) = [value for value, label in buttons.items() if label == button]
        methods = re.findall(r"name='method' value='(\w+)'", self.html)
        self.post(act, method or (methods[0] if methods else ""))

    def post(self, act: str, method: str = "") -> None:
        """Submit a form that the page may not have any more: it was opened earlier."""
        self._go("POST", self.url, urlencode({"act": act, "method": method}).encode())

    def _go(self, method: str, url: str, body: bytes = b"") -> None:
        for _ in range(MAX_REDIRECTS):
            self.url = url
            if not self.harness.serves(url):
                self.html = ""
                return
            parts = urlsplit(url)
            reply = self._handle(
                Request(
                    method=method,
                    path=parts.path,
                    query=dict(re.findall(r"([^&=]+)=([^&]*)", parts.query)),
                    headers={"content-type": "application/x-www-form-urlencoded"},
                    body=body,
                )
            )
            if reply.status != 303:
                self.html = reply.body.decode()
                return
            method, url, body = "GET", urljoin(url, reply.headers["location"]), b""
        raise AssertionError("too many redirects")

    def _handle(self, request: Request) -> Reply:
        return self.harness.simulator.handle(request, self.harness.now)


@dataclass
class HostedHarness:
    """One hosted object. The facts of its steps are stored as the engine stores them."""

    provider: str
    capture: CaptureMode = CaptureMode.AUTOMATIC
    method: str | None = None
    lifetime_seconds: int = 3_600
    return_url: str = RETURN_URL
    changes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world = HostileWorld()
        self.world.use(FixedRules(fallback(self.provider)))
        simulator = self.world.http.simulators[self.provider]
        assert isinstance(simulator, LedgerSimulator)
        self.simulator = simulator
        http_provider = self.world.providers.get(self.provider)
        assert isinstance(http_provider, HttpProvider)
        self.http_provider = http_provider
        able = http_provider.capabilities.hosted
        assert able is not None
        self.able = able
        currencies = http_provider.capabilities.currencies
        values: dict[str, Any] = {
            "provider_key": KEY,
            "amount": AMOUNT,
            "currency": "INR" if currencies is None or "INR" in currencies else min(currencies),
            "token": "",
            "payment_method_type": "checkout",
            "capture": self.capture,
            "customer": PAYER,
            "description": "Two tickets",
            "sent_at_ms": self.world.clock.now_ms(),
            "hosted": HostedRequest(
                method=self.method or min(able.methods),
                expires_at_ms=(self.world.clock.now_ms() // 1000 + self.lifetime_seconds) * 1000,
                return_url=self.return_url,
            ),
            **self.changes,
        }
        self.request = ChargeRequest(**values)

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self.world.clock.now_ms() / 1000

    @property
    def account(self) -> Account:
        return next(account for account in self.world.accounts if account.provider == self.provider)

    def advance(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    def serves(self, url: str) -> bool:
        return urlsplit(url).hostname == self.provider

    def lose(self, call: str, number: int = 1) -> None:
        """Lose the answers of the next calls to create, read or close."""
        lose_answers(self.simulator.store, {call: number})

    # -- the connector

    def send(self) -> StepResult:
        """Send the steps of the creation until one does not end in progress; facts are stored in between."""
        result = self.http_provider.charge(self.request, self.account)
        while isinstance(result, Progress):
            self.request = replace(self.request, progress={**self.request.progress, **result.facts})
            result = self.http_provider.charge(self.request, self.account)
        if isinstance(result, ActionRequired) and self.request.hosted is not None:
            hosted = replace(self.request.hosted, object_id=result.reference)
            self.request = replace(self.request, hosted=hosted, reference=result.reference)
        return result

    def open(self) -> Browser:
        """Create the object and open its page."""
        result = self.send()
        assert isinstance(result, ActionRequired), result
        browser = Browser(self)
        browser.open(result.action)
        return browser

    def inquire(self) -> Outcome:
        return self.http_provider.inquire(self.request, self.account)

    def close(self) -> Outcome:
        return self.http_provider.cancel_and_confirm(self.request, self.account)

    # -- the provider

    def charged(self) -> list[Record]:
        """The charges that really took money."""
        return [entry for entry in self.simulator.ledger(self.now) if entry["status"] == "charged"]

    def events(self) -> list[ProviderEvent]:
        """The events that the provider posts now, as the connector reads them."""
        secrets = self.world.secrets.webhook_secrets(self.account.secret_arn)
        at_ms = self.world.clock.now_ms()
        return [
            self.http_provider.read_webhook(
                Received(
                    headers={name.lower(): value for name, value in webhook.headers.items()},
                    body=webhook.body,
                    received_at_ms=at_ms,
                ),
                secrets,
            )
            for webhook in self.simulator.webhooks_due(self.now)
        ]
