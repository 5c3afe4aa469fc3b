"""Every order, repetition and loss of a payment's webhooks leads to the same final state.

The real adapters against the simulators, which sign as the providers do. Not a few orders: all orders of all subsets,
with workers in between and without, with each webhook twice, and with the first one again at the end.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import pytest

from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Customer, Payment, PaymentMethod
from payflowx.domain.providers.events import InvalidSignatureError
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState as A
from payflowx.domain.shared.statuses import CaptureMode, OperationStatus, PaymentStatus
from payflowx.domain.shared.transport import HttpRequest, HttpResult
from sandbox.http_types import Request
from sandbox.ledger import LedgerSimulator, Webhook
from tests.support.memory import FixedRules
from tests.support.providers import ALL, ProviderWorld, SimulatedHttp
from tests.support.world import fallback

TELLING = tuple(name for name, kind in ALL.items() if issubclass(kind, LedgerSimulator))
"""Providers that send webhooks."""
ASKING_NO_PAYER = {"razorpay", "payu"}
SILENT_ABOUT_REFUNDS = {"payu"}
"""It signs no webhook about a refund."""
MOST_AT_ONCE = 5
"""326 orders of all subsets of five, each three times; a sixth would make them 1957."""
IN_MID_CALL = 3
REPEATED_AT_MOST = 3
"""Longer orders are walked without repetitions: a repeated webhook meets the same row as in a shorter one."""
PAYER = Customer(id="cust_A1b2C3d4E5f6G7", name="Payer Example", email="payer@example.com", phone="+919876543210")
HOURS = 2


@dataclass
class Shop:
    """One payment at one provider. The same steps give the same webhooks, so a story can be told again and again."""

    provider: str

    def __post_init__(self) -> None:
        self.world = ProviderWorld()
        self.world.use(FixedRules(fallback(self.provider)))
        simulator = self.world.http.simulators[self.provider]
        assert isinstance(simulator, LedgerSimulator)
        self.simulator = simulator

    @property
    def now(self) -> float:
        return self.world.clock.now_ms() / 1000

    def pay(self, token: str, capture: CaptureMode = CaptureMode.AUTOMATIC) -> Payment:
        payment = self.accept(token, capture)
        self.world.work()
        return self.world.now(payment)

    def accept(self, token: str, capture: CaptureMode) -> Payment:
        able = self.world.providers.get(self.provider).capabilities
        currency = "INR" if able.currencies is None or "INR" in able.currencies else "USD"
        return self.world.accept(
            amount=49_900,
            currency=currency,
            capture=capture,
            payment_method=PaymentMethod(type=min(able.payment_method_types), token=token),
            customer=PAYER,
            return_url="https://shop.example/return",
        )

    def approve(self, payment: Payment) -> None:
        """The payer says yes, if anybody asks."""
        action = self.world.now(payment).attempts[0].next_action
        if action is not None and action.kind == "redirect":
            path = "/" + action.url.split("/", 3)[3]
            self.simulator.handle(Request(method="GET", path=path), self.now)

    def told(self) -> list[Webhook]:
        return [webhook for webhook in self.simulator.webhooks_due(self.now) if not self._is_unsigned(webhook)]

    def _is_unsigned(self, webhook: Webhook) -> bool:
        """PayU's posts about refunds bear no hash: they are refused, and must not be needed."""
        return self.provider == "payu" and webhook.type == "refund"

    def deliver(self, webhooks: Sequence[Webhook], *, working: bool = False) -> None:
        """`working`: between two deliveries the workers do what there is to do."""
        for webhook in webhooks:
            again = self.simulator.redelivered(webhook, self.now)
            self.world.receive(self.provider, again.body, again.headers)
            self.world.deliver_provider_events()
            if working:
                self.world.work_until_idle()

    def deliver_once(self, webhook: Webhook) -> None:
        """Process it now. An event that is put back waits for its delay."""
        again = self.simulator.redelivered(webhook, self.now)
        self.world.receive(self.provider, again.body, again.headers)
        inbound, _ = self.world.provider_events.sent.pop()
        self.world.process_provider_event(inbound)

    def settle(self) -> None:
        """Messages and sweeps for some hours: no webhook is needed for anything."""
        for _ in range(HOURS * 6):
            self.world.work_until_idle()
            self.world.clock.advance(600)
            self.world.sweep(self.world.deadline)
        self.world.deliver_provider_events()
        self.world.work_until_idle()


def bounded(webhooks: list[Webhook]) -> list[Webhook]:
    """All of them, or this test would have to be thought over."""
    assert len(webhooks) <= MOST_AT_ONCE
    return webhooks


def stories(webhooks: Sequence[Webhook]) -> Iterator[tuple[tuple[Webhook, ...], bool]]:
    """All orders of all subsets, with workers in between and without; each webhook twice; the first once more."""
    for size in range(len(webhooks) + 1):
        for order in permutations(webhooks, size):
            yield order, False
            yield order, True
            if 0 < size <= REPEATED_AT_MOST:
                yield tuple(webhook for webhook in order for _ in range(2)), False
                yield (*order, order[0]), True


def state(payment: Payment, operations: Sequence[Operation]) -> object:
    """What must not depend on the order."""
    money = (payment.capturable, payment.captured, payment.refundable, payment.refunded)
    attempts = [(a.state, a.reference) for a in payment.attempts]
    moved = [(o.kind, o.status, o.amount, [(a.state, a.reference) for a in o.attempts]) for o in operations]
    return payment.status, money, attempts, payment.due_at_ms is None, moved


def final(shop: Shop, payment: Payment) -> object:
    of = (payment.merchant_id, payment.transaction_id)
    return state(_uncharged_alike(shop.world.now(payment)), shop.world.operations.of_payment(*of))


def _uncharged_alike(payment: Payment) -> Payment:
    """A decline whose answer was lost ends as cancelled and confirmed, where its object could still be paid."""
    attempts = tuple(replace(a, state=A.DECLINED) if a.state is A.FENCED else a for a in payment.attempts)
    return replace(payment, attempts=attempts)


@pytest.fixture(params=TELLING)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


TOKENS = ["tok_success", "tok_requires_action", "tok_timeout_after_charge", "tok_async_success", "tok_soft_decline"]


@pytest.mark.parametrize("token", TOKENS)
def test_a_charges_webhooks_in_every_order(provider: str, token: str) -> None:
    def begin() -> tuple[Shop, Payment, list[Webhook]]:
        shop = Shop(provider)
        payment = shop.pay(token)
        shop.approve(payment)
        shop.world.clock.advance(60)
        return shop, payment, bounded(shop.told())

    _check_all_orders(begin)


@pytest.mark.parametrize(
    "trouble", ["tok_success", "tok_timeout_after_charge", "tok_async_success", "tok_soft_decline"]
)
def test_a_refunds_webhooks_in_every_order_with_those_of_its_charge(provider: str, trouble: str) -> None:
    def begin() -> tuple[Shop, Payment, list[Webhook]]:
        shop = Shop(provider)
        payment = shop.pay("tok_success")
        shop.settle()
        assert shop.world.now(payment).status is PaymentStatus.SUCCESS
        charge = shop.told()
        shop.simulator.next_operation(trouble)
        shop.world.request(OperationKind.REFUND, shop.world.now(payment), 20_000)
        shop.world.work()
        shop.world.clock.advance(60)
        return shop, payment, bounded([*charge[:1], *shop.told()])

    _check_all_orders(begin)


def held() -> Iterator[tuple[str, OperationKind]]:
    """Where a charge can be held, and what can then be done with it."""
    for provider in TELLING:
        able = ProviderWorld().providers.get(provider).capabilities
        if CaptureMode.MANUAL in able.capture_modes:
            yield provider, OperationKind.CAPTURE
            if OperationKind.VOID in able.operation_window_ms:
                yield provider, OperationKind.VOID


@pytest.mark.parametrize(("provider", "kind"), list(held()))
@pytest.mark.parametrize("trouble", ["tok_success", "tok_timeout_after_charge"])
def test_a_captures_or_voids_webhooks_in_every_order(provider: str, kind: OperationKind, trouble: str) -> None:
    def begin() -> tuple[Shop, Payment, list[Webhook]]:
        shop = Shop(provider)
        payment = shop.pay("tok_success", CaptureMode.MANUAL)
        shop.world.work_until_idle()
        assert shop.world.now(payment).status is PaymentStatus.AUTHORIZED
        charge = shop.told()
        shop.simulator.next_operation(trouble)
        shop.world.request(kind, shop.world.now(payment))
        shop.world.work()
        shop.world.clock.advance(60)
        return shop, payment, bounded([*charge[:1], *shop.told()])

    _check_all_orders(begin)


@pytest.mark.parametrize("provider", sorted({name for name, _ in held()}))
@pytest.mark.parametrize("trouble", ["tok_success", "tok_timeout_after_charge", "tok_soft_decline"])
def test_a_captures_webhooks_in_every_order_with_those_of_a_refund_of_it(provider: str, trouble: str) -> None:
    """The refund's webhooks may come before those of the capture, and of the charge."""

    def begin() -> tuple[Shop, Payment, list[Webhook]]:
        shop, payment, captured = captured_at(provider)
        shop.simulator.next_operation(trouble)
        shop.world.request(OperationKind.REFUND, shop.world.now(payment), 20_000, key="refund-1")
        shop.world.work()
        shop.world.clock.advance(60)
        return shop, payment, bounded([*captured[-2:], *shop.told()[:2]])

    _check_all_orders(begin)


@dataclass
class InMidCall:
    """A line on which something happens after the provider acted and before its answer arrives."""

    http: SimulatedHttp
    act: Callable[[], None]
    calls_before: int

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        result = self.http.send(request, endpoint)
        self.calls_before -= 1
        if self.calls_before == -1:
            self.act()
        return result


@pytest.mark.parametrize("provider", sorted({name for name, _ in held()}))
@pytest.mark.parametrize("kind", [None, OperationKind.CAPTURE, OperationKind.REFUND])
@pytest.mark.parametrize("trouble", ["tok_success", "tok_timeout_after_charge", "tok_soft_decline"])
def test_webhooks_in_every_order_beside_a_worker_in_mid_call(
    provider: str, kind: OperationKind | None, trouble: str
) -> None:
    """The worker charges (`kind` None), captures or refunds; its answer may be older than the webhooks.

    After 60 seconds the worker's lease has expired, and its write is refused.
    """

    def told(order: Sequence[int], calls_before: int, wait_seconds: int) -> tuple[object, int]:
        shop, earlier, owner = Shop(provider), list[Webhook](), None
        if kind is OperationKind.REFUND:
            shop, owner, earlier = captured_at(provider)
        elif kind is OperationKind.CAPTURE:
            owner = shop.pay("tok_success", CaptureMode.MANUAL)
            shop.world.work_until_idle()
            shop.world.clock.advance(60)
            earlier = shop.told()
        if owner is None:
            owner = shop.accept(trouble, CaptureMode.MANUAL)
        else:
            shop.simulator.next_operation(trouble)
            amount = 20_000 if kind is OperationKind.REFUND else None
            shop.world.request(kind or OperationKind.REFUND, shop.world.now(owner), amount, key="op-2")
        count = 0

        def act() -> None:
            nonlocal count
            shop.world.clock.advance(wait_seconds)
            webhooks = [*earlier[:1], *shop.told()][:IN_MID_CALL]
            count = len(webhooks)
            for place in order:
                if place < count:
                    shop.deliver_once(webhooks[place])

        line = InMidCall(shop.world.http, act, calls_before)
        shop.world.providers.http = lambda: line
        shop.world.providers._connectors.clear()
        shop.world.work()
        shop.settle()
        return final(shop, owner), count

    expected, _ = told((), 99, 0)
    heard = 0
    for calls_before in (0, 1):
        for wait_seconds in (2, 60):
            for size in range(1, IN_MID_CALL + 1):
                for order in permutations(range(IN_MID_CALL), size):
                    found, count = told(order, calls_before, wait_seconds)
                    heard += count
                    assert found == expected, (order, calls_before, wait_seconds)
    assert heard > 0


def captured_at(provider: str) -> tuple[Shop, Payment, list[Webhook]]:
    """A captured payment, and the webhooks that nobody has delivered yet."""
    shop = Shop(provider)
    payment = shop.pay("tok_success", CaptureMode.MANUAL)
    shop.world.work_until_idle()
    shop.world.request(OperationKind.CAPTURE, shop.world.now(payment), key="capture-1")
    shop.world.work_until_idle()
    shop.world.clock.advance(60)
    assert shop.world.now(payment).status is PaymentStatus.SUCCESS
    return shop, payment, shop.told()


def _check_all_orders(begin) -> None:  # type: ignore[no-untyped-def]
    """The state without any webhook is what every sequence of them must lead to."""
    shop, payment, webhooks = begin()
    shop.settle()
    expected = final(shop, payment)
    for sequence, working in stories(webhooks):
        shop, payment, _ = begin()
        shop.deliver(sequence, working=working)
        shop.settle()
        assert final(shop, payment) == expected, [webhook.type for webhook in sequence]


def test_a_webhook_closes_a_payment_that_nobody_else_asks_about(provider: str) -> None:
    shop = Shop(provider)
    payment = shop.pay("tok_requires_action")
    asked = shop.world.now(payment).status is PaymentStatus.REQUIRES_ACTION
    assert asked is (provider not in ASKING_NO_PAYER)
    if not asked:
        return
    shop.approve(payment)
    shop.world.clock.advance(5)
    shop.world.jobs.sent.clear()
    shop.deliver(shop.told())
    shop.world.work_until_idle()
    assert shop.world.now(payment).status is PaymentStatus.SUCCESS


def test_a_refund_is_closed_by_a_webhook(provider: str) -> None:
    shop = Shop(provider)
    payment = shop.pay("tok_success")
    shop.settle()
    shop.simulator.next_operation("tok_async_success")
    refund = shop.world.request(OperationKind.REFUND, shop.world.now(payment), 20_000).operation
    shop.world.work()
    shop.told()
    shop.world.clock.advance(30)
    shop.world.jobs.sent.clear()
    webhooks = shop.told()
    assert bool(webhooks) is (provider not in SILENT_ABOUT_REFUNDS)
    if not webhooks:
        return
    shop.deliver(webhooks)
    shop.world.work_until_idle()
    assert shop.world.operation_now(refund).status is OperationStatus.SUCCEEDED


def test_a_byte_more_or_another_accounts_address_is_refused_and_nothing_is_stored(provider: str) -> None:
    shop = Shop(provider)
    shop.pay("tok_success")
    shop.world.clock.advance(60)
    (webhook, *_) = shop.told()
    other = next(name for name in ALL if name != provider)
    for body, token in ((webhook.body + b" ", None), (webhook.body, f"token-of-{other}"), (webhook.body, "x" * 32)):
        with pytest.raises(InvalidSignatureError):
            shop.world.receive(provider, body, webhook.headers, token)
    assert shop.world.provider_events.sent == []


def test_the_secret_of_before_is_valid_during_a_rotation(provider: str) -> None:
    shop = Shop(provider)
    payment = shop.pay("tok_success")
    shop.world.clock.advance(60)
    arn = f"arn:{provider}"
    before = shop.world.secrets.webhook_secrets(arn)
    shop.world.secrets.by_arn[arn] = ("a new secret", *before)
    shop.deliver(shop.told())
    shop.settle()
    assert shop.world.now(payment).status is PaymentStatus.SUCCESS
