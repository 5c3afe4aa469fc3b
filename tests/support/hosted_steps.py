"""One hosted object at one simulated provider, seen from both sides: our connector, and the payer's browser."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from payflowx.domain.payments.hosted import HostedRequest
from payflowx.domain.payments.outcome import ActionRequired, Outcome, Progress, StepResult
from payflowx.domain.payments.payment import Customer
from payflowx.domain.providers.events import ProviderEvent, Webhook
from payflowx.domain.providers.ports import Account, ChargeRequest
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import HttpResponse
from sandbox.hosted_pages import Act
from sandbox.http_types import Reply, Request
from sandbox.ledger import LedgerSimulator
from tests.support.providers import ProviderWorld

KEY = "pfx-aaaaaaaaaaaaaaaa-1"
OPERATION_KEY = "pfx-bbbbbbbbbbbbbbbb-1"
AMOUNT, MINUTES = 49_900, 30
RETURN = "https://pay.example/checkout/back"
PAYER = Customer(id="cust_A1b2C3d4", name="Payer Example", email="payer@example.com", phone="+919876543210")


class HostedCheckout:
    """The provider's object for one method. `press` acts as the payer on its page."""

    def __init__(self, provider: str, **changes: Any) -> None:
        self.world = ProviderWorld()
        self.provider = self.world.providers.get(provider)
        self.simulator = self.world.http.simulators[provider]
        self.account = Account(
            provider=provider, account_id="main", endpoint=self.world.endpoint(provider), secret_arn=f"arn:{provider}"
        )
        expires_at_ms = self.world.clock.now_ms() + MINUTES * 60_000
        values: dict[str, Any] = {
            "provider_key": KEY,
            "amount": AMOUNT,
            "currency": "INR",
            "token": "",
            "payment_method_type": "checkout",
            "capture": CaptureMode.AUTOMATIC,
            "customer": PAYER,
            "sent_at_ms": self.world.clock.now_ms(),
            "hosted": HostedRequest(method="upi", expires_at_ms=expires_at_ms, return_url=RETURN),
            **changes,
        }
        self.request = ChargeRequest(**values)
        self.page = ""

    def create(self) -> StepResult:
        """Send one step, as a worker does. Keep its facts, and the object's id once its address may be given out."""
        result = self.provider.charge(self.request, self.account)
        if isinstance(result, Progress):
            self.request = replace(self.request, progress={**self.request.progress, **result.facts})
        if isinstance(result, ActionRequired):
            assert self.request.hosted is not None
            hosted = replace(self.request.hosted, object_id=result.reference)
            self.request = replace(self.request, hosted=hosted, reference=result.reference)
            self.page = self._opened(result)
        return result

    def press(self, act: Act, method: str = "upi") -> str:
        """Open the page and press one of its buttons; the address to which the browser is sent."""
        assert self.browse("GET", self.page).status == 200
        reply = self.browse("POST", self.page, {"act": act, "method": method})
        assert reply.status == 303
        return reply.headers["location"]

    def browse(self, method: str, url: str, fields: dict[str, str] | None = None) -> Reply:
        body = urlencode(fields or {}).encode()
        parts, headers = urlsplit(url), {"content-type": "application/x-www-form-urlencoded"}
        query = dict(parse_qsl(parts.query))
        asked = Request(method=method, path=parts.path, query=query, headers=headers, body=body)
        return self.simulator.handle(asked, self.now)

    def inquire(self) -> Outcome:
        return self.provider.inquire(self.request, self.account)

    def close(self) -> Outcome:
        return self.provider.cancel_and_confirm(self.request, self.account)

    def operate(self, kind: OperationKind, charge_reference: str, amount: int = AMOUNT) -> Outcome:
        request = OperationRequest(
            kind=kind,
            provider_key=OPERATION_KEY,
            amount=amount,
            currency=self.request.currency,
            charge_key=KEY,
            charge_reference=charge_reference,
            charge_amount=AMOUNT,
        )
        return self.provider.move(request, self.account)

    def pass_minutes(self, minutes: float) -> None:
        self.world.clock.advance(minutes * 60)

    def events(self, *secrets: str) -> list[ProviderEvent]:
        """The webhooks that are due, as our connector reads them."""
        assert isinstance(self.simulator, LedgerSimulator)
        now_ms = self.world.clock.now_ms()
        return [
            self.provider.read_webhook(
                Webhook(headers=sent.headers, body=sent.body, received_at_ms=now_ms), secrets or ("secret",)
            )
            for sent in self.simulator.webhooks_due(self.now)
        ]

    def answers(self, *answers: HttpResponse) -> None:
        """From now on the provider gives these answers, the last one again and again."""
        left = list(answers)
        self.world.http.send = lambda _request, _endpoint: left.pop(0) if len(left) > 1 else left[0]  # type: ignore[method-assign]

    @property
    def now(self) -> float:
        return self.world.clock.now_ms() / 1000

    def _opened(self, result: ActionRequired) -> str:
        if result.action.kind == "redirect":
            opened = self.browse("GET", result.action.url)
            return opened.headers["location"] if opened.status == 303 else result.action.url
        reply = self.browse("POST", result.action.url, dict(result.action.fields))
        assert reply.status == 303
        return reply.headers["location"]
