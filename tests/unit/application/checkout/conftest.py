"""A shop with a checkout: `alpha` and `beta` prove a closing, `gamma` does not."""

from dataclasses import dataclass, field, replace

import pytest

from payflowx.adapters.platform.checkout_tokens import SignedCheckoutTokens
from payflowx.application.checkout.page import CheckoutPage, Chosen, Contact, Page
from payflowx.application.payments.create_payment import CreatePayment
from payflowx.application.payments.new_checkout import CheckoutOpener, NewCheckout
from payflowx.domain.checkout.addresses import CheckoutAddresses
from payflowx.domain.checkout.view import CheckoutView, Screen
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.payments.hosted import HOSTED_METHOD, HOSTED_OBJECT, HostedCapability
from payflowx.domain.payments.outcome import ActionRequired, ConfirmedCancelled, NextAction, Outcome, StepResult
from payflowx.domain.payments.payment import Payment, PaymentMethod
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.providers.ports import Account, ChargeRequest
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MINUTE_MS
from payflowx.domain.shared.statuses import CaptureMode
from tests.support.scripted import ScriptedProvider, ScriptedProviders, charged
from tests.support.world import CANCELLABLE, READABLE, RESENDABLE, World, new_payment

_SOON_SECONDS = 10
PAGES = "https://pay.example/checkout"
PROVABLE = HostedCapability(
    methods=frozenset({"card", "upi"}),
    min_lifetime_ms=10 * MINUTE_MS,
    max_lifetime_ms=HOUR_MS,
    capture_modes=frozenset(CaptureMode),
    is_closing_proof=True,
)
UNPROVABLE = HostedCapability(
    methods=frozenset({"card", "netbanking"}), min_lifetime_ms=MINUTE_MS, max_lifetime_ms=DAY_MS
)


def opened(request: ChargeRequest) -> ActionRequired:
    """An object that can be paid."""
    assert request.hosted is not None
    key = request.provider_key
    return ActionRequired(reference=f"obj-{key}", action=NextAction(kind="redirect", url=f"https://bank.example/{key}"))


@dataclass
class HostedProvider(ScriptedProvider):
    """A scripted provider whose charges are hosted objects: by default each is created, open, and can be closed."""

    is_paid: bool = False

    def may_have_charged(self, progress: object) -> bool:
        return HOSTED_METHOD not in progress or HOSTED_OBJECT in progress  # type: ignore[operator]

    def request_hash(self, request: ChargeRequest) -> str:
        hosted = replace(request.hosted, object_id=None) if request.hosted else None
        return f"{super().request_hash(request)}:{hosted}"

    def can_cancel(self, request: ChargeRequest) -> bool:
        return request.hosted is not None or super().can_cancel(request)

    def charge(self, request: ChargeRequest, account: Account) -> StepResult:
        if request.hosted is None:
            return super().charge(request, account)
        self.sent.append(("charge", request))
        return self._next(self.charges, request, opened(request))

    def inquire(self, request: ChargeRequest, account: Account) -> StepResult:  # type: ignore[override]
        if request.hosted is None:
            return super().inquire(request, account)
        self.sent.append(("inquire", request))
        return self._next(self.inquiries, request, charged(request) if self.is_paid else opened(request))

    def cancel_and_confirm(self, request: ChargeRequest, account: Account) -> StepResult:  # type: ignore[override]
        self.sent.append(("fence", request))
        return self._next(self.cancellations, request, ConfirmedCancelled())


def hosted_providers() -> ScriptedProviders:
    able = (
        replace(RESENDABLE, hosted=PROVABLE),
        replace(
            CANCELLABLE, capture_modes=frozenset(CaptureMode), hosted=replace(PROVABLE, methods=frozenset({"card"}))
        ),
        replace(READABLE, hosted=UNPROVABLE),
    )
    return ScriptedProviders({each.provider: HostedProvider(each.provider, each) for each in able})


@dataclass
class Shop:
    """A merchant's checkouts, and a payer before the page."""

    world: World = field(default_factory=lambda: World(providers=hosted_providers()))
    tokens: SignedCheckoutTokens = field(
        default_factory=lambda: SignedCheckoutTokens(keys=lambda: ["secret-of-tokens"])
    )

    @property
    def create(self) -> CreatePayment:
        addresses = CheckoutAddresses(tokens=self.tokens, pages_url=PAGES)
        return replace(
            self.world.create, checkout_opener=CheckoutOpener(addresses=addresses, providers=self.world.providers)
        )

    def sell(self, key: str = "order-1", *, checkout: NewCheckout | None = None, **changes: object) -> Payment:
        """POST /payments with a checkout."""
        method = PaymentMethod(type="checkout")
        return self.create(
            new_payment(key, payment_method=method, checkout=checkout or NewCheckout(), **changes)
        ).payment

    def page(self, *, wait_seconds: float = 0) -> CheckoutPage:
        world = self.world
        return CheckoutPage(
            payments=world.payments,
            merchants=world.merchants,
            providers=world.providers,
            tokens=self.tokens,
            outcome_writer=world.outcome_writer,
            clock=world.clock,
            telemetry=world.telemetry,
            policy=world.policy,
            pause=self._pause,
            wait_seconds=wait_seconds,
        )

    def _pause(self, seconds: float) -> None:
        """Time in which a worker works."""
        if self.world.jobs.sent:
            self.world.work()
        self.world.clock.advance(seconds)

    def token(self, payment: Payment) -> str:
        assert payment.checkout is not None
        assert payment.checkout.address is not None
        return payment.checkout.address.removeprefix(f"{PAGES}/")

    def way_back(self, payment: Payment) -> str:
        """The second token, as the provider got it."""
        hosted = self.world.now(payment).attempts[-1].hosted
        assert hosted is not None
        return hosted.return_url.removeprefix(f"{PAGES}/").removesuffix("/return")

    def view(self, payment: Payment) -> CheckoutView:
        page = self.page().show(self.token(payment))
        assert isinstance(page, Page)
        return page.view

    def screen(self, payment: Payment) -> Screen:
        return self.view(payment).screen

    def choose(self, payment: Payment, method: str = "card", **contact: str) -> Payment:
        """Choose, and let the worker create the object."""
        chosen = self.page().choose(self.token(payment), method, Contact(**contact))
        assert isinstance(chosen, Chosen), chosen
        return self.settle(payment)

    def settle(self, payment: Payment) -> Payment:
        """Deliver the messages that are due within seconds; later reads of open objects stay where they are."""
        sent = self.world.jobs.sent
        for _ in range(20):
            soon = next((n for n, (_, delay_seconds) in enumerate(sent) if delay_seconds <= _SOON_SECONDS), None)
            if soon is None:
                return self.world.now(payment)
            sent.insert(0, sent.pop(soon))
            self.world.work()
        raise AssertionError("messages do not end")

    def wait(self, payment: Payment, seconds: float) -> Payment:
        """Let time pass; then a worker wakes."""
        self.world.clock.advance(seconds)
        self.world.jobs.sent.clear()
        self.world.outcome_writer.wake(payment, 0)
        return self.settle(payment)

    def event(self, payment: Payment, *, reference: str | None, outcome: Outcome | None = None) -> ReceivedEvent:
        """A webhook of `alpha` about the payment's first attempt."""
        key = payment.attempts[0].provider_key
        return ReceivedEvent(
            merchant_id=payment.merchant_id,
            provider="alpha",
            account_id="main",
            provider_event=ProviderEvent(
                event_id=f"evt-{reference}", type="charged", charge_key=key, charge_reference=reference, outcome=outcome
            ),
            received_at_ms=self.world.clock.now_ms(),
        )

    def at(self, provider: str) -> HostedProvider:
        found = self.world.providers.get(provider)
        assert isinstance(found, HostedProvider)
        return found


@pytest.fixture
def shop() -> Shop:
    return Shop()
