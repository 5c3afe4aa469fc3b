"""A payer at each provider's own page: the checkout, the real connectors and simulators, and faults between them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import pytest

from payflowx.application.checkout.page import Contact, Obstacle
from payflowx.application.payments.charge_request import charge_request_of
from payflowx.application.payments.new_checkout import NewCheckout
from payflowx.domain.checkout.view import Screen
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.hosted import (
    CHECKOUT_METHODS,
    HOSTED_EXPIRES_AT,
    HOSTED_METHOD,
    HOSTED_RETURN_URL,
    HostedCapability,
)
from payflowx.domain.payments.outcome import ConfirmedCancelled, Outcome
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, CaptureMode, PaymentStatus
from payflowx.domain.shared.transport import HttpRequest, HttpResponse, HttpResult
from sandbox.hosted_pages import HostedCall, lose_answers
from sandbox.simulator import Simulator
from sandbox.store import Record
from tests.support.faulty_transport import HostileWorld, Trouble
from tests.support.hosted import AMOUNT, PAYER, Browser
from tests.support.memory import FixedRules
from tests.support.providers import NAMES
from tests.support.world import fallback
from tests.unit.application.checkout.conftest import Shop

LIFETIME_SECONDS = 3_600
DAY_SECONDS = 86_400
S = PaymentStatus
ENDED = {S.SUCCESS, S.FAILED, S.CANCELLED, S.IN_REVIEW}


@dataclass
class Counter:
    """A shop whose payers are sent to one provider, and to all others after it."""

    provider: str
    alone: bool = True
    world: HostileWorld = field(default_factory=HostileWorld)

    def __post_init__(self) -> None:
        others = [] if self.alone else [name for name in NAMES if name != self.provider]
        self.world.use(FixedRules(fallback(self.provider, *others)))
        self.shop = Shop(world=self.world)
        able = self.world.providers.get(self.provider).capabilities.hosted
        assert able is not None, "it has a simulator, but no hosted page"
        self.able: HostedCapability = able

    @property
    def simulator(self) -> Simulator:
        return self.world.http.simulators[self.provider]

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self.world.clock.now_ms() / 1000

    @property
    def methods(self) -> list[str]:
        return [method for method in CHECKOUT_METHODS if method in self.able.methods]

    def sell(self, method: str | None = None, capture: CaptureMode = CaptureMode.AUTOMATIC) -> Payment:
        """Accept a checkout, and choose."""
        currencies = self.world.providers.get(self.provider).capabilities.currencies
        payment = self.shop.sell(
            checkout=NewCheckout(lifetime_seconds=LIFETIME_SECONDS),
            amount=AMOUNT,
            currency="INR" if currencies is None or "INR" in currencies else "USD",
            capture=capture,
            customer=PAYER,
        )
        return self.shop.choose(payment, method or self.methods[0])

    def serves(self, url: str) -> bool:
        return urlsplit(url).hostname == self.provider

    def tab(self, payment: Payment) -> Browser:
        """Open the provider's page from ours."""
        action = self.world.now(payment).attempts[-1].next_action
        assert action is not None, "the payer has no address"
        browser = Browser(self)
        browser.open(action)
        return browser

    def with_address(self, payment: Payment) -> Payment:
        """Choose until the payer has an address of the provider."""
        for _ in range(4):
            payment = self.until(payment, lambda now: self.shop.screen(now) in {Screen.CHOOSE, Screen.OPEN})
            if self.shop.screen(payment) is Screen.OPEN:
                return payment
            self.world.clock.advance(61)
            payment = self.shop.choose(payment, self.methods[0])
        raise AssertionError("the payer gets no address")

    def close(self, payment: Payment) -> Payment:
        """The payer closes the object on our page, or, where a closing is no proof, the merchant cancels."""
        closed = self.shop.page().close(self.shop.token(payment))
        assert closed is True if self.able.is_closing_proof else closed is Obstacle.NOT_CLOSABLE
        if closed is not True:
            self.world.cancel(payment.merchant_id, payment.transaction_id)
        return self.shop.settle(payment)

    def lose(self, call: HostedCall, number: int = 1) -> None:
        lose_answers(self.simulator.store, {call: number})

    def inquire(self, payment: Payment, attempt: Attempt) -> Outcome:
        """The provider's answer about the attempt."""
        merchant = self.world.merchants.get(payment.merchant_id)
        account = merchant.account(attempt.provider, attempt.account_id) if merchant else None
        assert account is not None
        return self.world.providers.get(self.provider).inquire(charge_request_of(payment, attempt), account)

    def check(self, payment: Payment) -> Payment:
        """The invariants of every moment: one open object and one charge at most, a status that the ledger confirms.

        A failed try that may still be charged is watched, and its charge is known at the next read.
        """
        now, charged = self.world.now(payment), self.charged()
        assert sum(attempt.is_open for attempt in now.attempts) <= 1
        assert len(charged) <= 1, f"charged {len(charged)} times"
        if now.status is S.SUCCESS:
            assert [(entry["amount"], entry["currency"]) for entry in charged] == [(now.amount, now.currency)]
        if now.status in {S.FAILED, S.CANCELLED} and not now.attempts[-1].may_reopen(self.world.clock.now_ms()):
            assert charged == []
        return now

    def charged(self) -> list[Record]:
        return self.world.http.charged()

    def wait(self, payment: Payment, seconds: float) -> Payment:
        self.shop.wait(payment, seconds)
        return self.check(payment)

    def until(self, payment: Payment, ended: Callable[[Payment], bool], *, days: float = 1) -> Payment:
        """Let time pass in steps that grow, and wake a worker after each."""
        step_seconds, end = 61.0, self.now + days * DAY_SECONDS
        while not ended(payment := self.check(payment)):
            assert self.now < end, f"after {days} days it is {payment.status} with {payment.attempts}"
            payment = self.wait(payment, step_seconds)
            step_seconds = min(step_seconds * 1.5, 3_600)
        return payment


@pytest.fixture
def counter(provider: str) -> Counter:
    return Counter(provider)


def is_paid(payment: Payment) -> bool:
    return payment.status is S.SUCCESS


def has_ended(payment: Payment) -> bool:
    return not payment.attempts[-1].is_open


class TestPaying:
    def test_by_each_method(self, provider: str) -> None:
        for method in Counter(provider).methods:
            counter = Counter(provider)
            payment = counter.sell(method)
            counter.tab(payment).press("Pay", method)
            payment = counter.until(payment, is_paid)
            attempt = payment.attempts[0]
            assert (payment.captured, payment.charged_attempt) == (AMOUNT, 1)
            (charge,) = counter.charged()
            assert charge["reference"] == attempt.provider_key

    def test_an_authorization(self, counter: Counter) -> None:
        if CaptureMode.MANUAL not in counter.able.capture_modes:
            with pytest.raises(Refusal):
                counter.sell(capture=CaptureMode.MANUAL)
            return
        payment = counter.sell(capture=CaptureMode.MANUAL)
        counter.tab(payment).press("Pay", counter.methods[0])
        payment = counter.until(payment, lambda now: now.status is S.AUTHORIZED)
        assert payment.capturable == AMOUNT

    @pytest.mark.parametrize("is_object_known", [True, False])
    def test_an_authorization_that_was_released_has_ended(self, counter: Counter, *, is_object_known: bool) -> None:
        """Whoever released it. After a restore, not even the object's id is known."""
        if CaptureMode.MANUAL not in counter.able.capture_modes:
            return
        payment = counter.sell(capture=CaptureMode.MANUAL)
        counter.tab(payment).press("Pay", counter.methods[0])
        authorized = counter.until(payment, lambda now: now.status is S.AUTHORIZED)
        counter.world.request(OperationKind.VOID, authorized)
        counter.world.work_until_idle()
        assert counter.world.now(authorized).status is S.CANCELLED
        attempt = authorized.attempts[0]
        if not is_object_known:
            begun = {name: attempt.progress[name] for name in (HOSTED_METHOD, HOSTED_EXPIRES_AT, HOSTED_RETURN_URL)}
            attempt = replace(attempt, progress=begun, reference=None)
        assert isinstance(counter.inquire(authorized, attempt), ConfirmedCancelled)

    def test_leave_and_come_back(self, counter: Counter) -> None:
        payment = counter.sell()
        counter.tab(payment).press("Leave")
        payment = counter.wait(payment, 61)
        assert (payment.status, counter.shop.screen(payment)) == (S.REQUIRES_ACTION, Screen.OPEN)
        counter.tab(payment).press("Pay", counter.methods[0])
        counter.until(payment, is_paid)

    def test_failed_tries_end_nothing(self, counter: Counter) -> None:
        payment = counter.sell()
        tab = counter.tab(payment)
        for label in ("Fail", "Insufficient funds"):
            tab.press(label, counter.methods[0])
            payment = counter.wait(payment, 61)
            assert (payment.status, counter.shop.screen(payment)) == (S.REQUIRES_ACTION, Screen.OPEN)
        counter.tab(payment).press("Pay", counter.methods[0])
        payment = counter.until(payment, is_paid)
        assert len(payment.attempts) == 1

    def test_two_tabs(self, counter: Counter) -> None:
        """The second payment in one object."""
        payment = counter.sell()
        tabs = [counter.tab(payment), counter.tab(payment)]
        for tab in tabs:
            tab.post("pay", counter.methods[0])
        counter.until(payment, is_paid)

    def test_the_bank_answers_an_hour_late(self, counter: Counter) -> None:
        payment = counter.sell()
        counter.tab(payment).press("Bank answers later", counter.methods[0])
        payment = counter.wait(payment, 61)
        assert payment.status not in {S.FAILED, S.CANCELLED}
        counter.until(payment, is_paid)

    def test_a_forged_return_changes_nothing(self, counter: Counter) -> None:
        payment = counter.sell()
        way_back = counter.shop.way_back(payment)
        assert counter.shop.page().come_back(way_back) is not None
        payment = counter.wait(payment, 16)
        assert (payment.status, counter.shop.screen(payment)) == (S.REQUIRES_ACTION, Screen.OPEN)
        assert counter.shop.page().choose(way_back, counter.methods[0], Contact()) is None


class TestLostAnswers:
    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_at_the_creation(self, counter: Counter, number: int) -> None:
        """As long as nobody has the address, nobody can pay: the payer may have to choose again."""
        counter.lose(HostedCall.CREATE, number)
        payment = counter.with_address(counter.sell())
        counter.tab(payment).press("Pay", counter.methods[0])
        counter.until(payment, is_paid)

    @pytest.mark.parametrize("number", [1, 3])
    def test_at_an_inquiry(self, counter: Counter, number: int) -> None:
        payment = counter.sell()
        counter.tab(payment).press("Pay", counter.methods[0])
        counter.lose(HostedCall.READ, number)
        counter.until(payment, is_paid)

    @pytest.mark.parametrize("call", [HostedCall.CLOSE, HostedCall.READ])
    def test_at_the_closing(self, counter: Counter, call: HostedCall) -> None:
        payment = counter.sell()
        counter.lose(call)
        counter.close(payment)
        payment = counter.until(payment, has_ended)
        assert counter.charged() == []

    @pytest.mark.parametrize("trouble", Trouble, ids=lambda trouble: trouble.value.replace(" ", "-"))
    @pytest.mark.parametrize("at", range(1, 5))
    def test_trouble_at_one_request(self, counter: Counter, at: int, trouble: Trouble) -> None:
        """Whatever happens to one request, the payer can pay, exactly once."""
        counter.world.line.troubles = {at: trouble}
        payment = counter.sell()
        payment = counter.with_address(payment)
        counter.world.line.deliver_late()
        counter.tab(payment).press("Pay", counter.methods[0])
        counter.until(payment, is_paid)


class TestClosing:
    def test_before_anybody_tried(self, counter: Counter) -> None:
        payment = counter.sell()
        tab = counter.tab(payment)
        payment = counter.until(counter.close(payment), has_ended)
        tab.post("pay", counter.methods[0])
        assert counter.charged() == [], "a closed object was paid"
        if counter.able.is_closing_proof:
            assert counter.shop.screen(payment) is Screen.CHOOSE

    def test_after_a_failed_try(self, counter: Counter) -> None:
        """With proof the payer chooses again; without it nothing else opens."""
        payment = counter.sell()
        counter.tab(payment).press("Fail", counter.methods[0])
        payment = counter.until(counter.close(payment), has_ended)
        if counter.able.is_closing_proof:
            assert counter.shop.screen(payment) is Screen.CHOOSE
        else:
            assert payment.attempts[-1].may_reopen(counter.world.clock.now_ms())
            assert counter.shop.screen(payment) is not Screen.CHOOSE

    @pytest.mark.parametrize(("closed_by", "status"), [("expiry", S.SUCCESS), ("cancellation", S.IN_REVIEW)])
    def test_a_failed_try_is_charged_after_the_closing(
        self, counter: Counter, closed_by: str, status: PaymentStatus
    ) -> None:
        """Nothing else opens meanwhile. The late charge is the success, or is reviewed after a cancellation."""
        payment = counter.sell()
        tab = counter.tab(payment)
        assert ("value='reopen'" in tab.html) is not counter.able.is_closing_proof
        if counter.able.is_closing_proof:
            return  # the closing proves that its tries are over
        counter.world.clock.advance(LIFETIME_SECONDS - 1)
        tab.press("Fail, charged later", counter.methods[0])
        if closed_by == "cancellation":
            counter.close(payment)
        payment = counter.until(payment, has_ended)
        assert counter.charged() == []
        assert payment.attempts[-1].may_reopen(counter.world.clock.now_ms())
        payment = counter.until(payment, lambda now: now.status in {S.SUCCESS, S.IN_REVIEW}, days=6)
        assert (payment.status, len(payment.attempts), len(counter.charged())) == (status, 1, 1)

    def test_while_the_bank_processes(self, counter: Counter) -> None:
        """The bank has the payment when the object is closed, and pays afterwards: no other way may open before."""
        payment = counter.sell()
        counter.tab(payment).press("Bank answers in 10 seconds", counter.methods[0])
        payment = counter.shop.settle(payment)
        closed = counter.shop.page().close(counter.shop.token(payment))
        if closed is not True:
            counter.world.cancel(payment.merchant_id, payment.transaction_id)
        payment = counter.shop.settle(payment)
        assert counter.shop.screen(payment) not in {Screen.CHOOSE, Screen.EXPIRED, Screen.CANCELLED}
        payment = counter.until(payment, lambda now: now.status in {S.SUCCESS, S.IN_REVIEW}, days=8)
        assert len(payment.attempts) == 1

    def test_expired(self, counter: Counter) -> None:
        payment = counter.sell()
        tab = counter.tab(payment)
        counter.world.clock.advance(LIFETIME_SECONDS + 1)
        tab.post("pay", counter.methods[0])
        assert counter.charged() == [], "an expired object was paid"
        counter.until(payment, lambda now: now.status in ENDED, days=9)

    def test_paid_in_the_last_second(self, counter: Counter) -> None:
        payment = counter.sell()
        tab = counter.tab(payment)
        counter.world.clock.advance(LIFETIME_SECONDS - 1)
        tab.press("Bank answers in 10 seconds", counter.methods[0])
        payment = counter.until(payment, lambda now: now.status in ENDED, days=9)
        assert payment.status is S.SUCCESS


class TestPayersData:
    """Each of these is a value that our API takes."""

    @pytest.mark.parametrize(
        "given",
        [
            {"name": "ब"},
            {"name": "'"},
            {"email": f"{'x' * 60}@example.com"},
            {"email": '"quoted"@example.com'},
            {"email": "asha@bücher.example"},
            {"phone": "+0123456"},
            {"phone": "+123456789012345"},
        ],
        ids=str,
    )
    def test_what_the_provider_does_not_take_is_asked_for_again(self, counter: Counter, given: dict[str, str]) -> None:
        payment = counter.shop.sell(
            checkout=NewCheckout(lifetime_seconds=LIFETIME_SECONDS),
            amount=AMOUNT,
            currency="INR",
            customer=replace(PAYER, **given),
        )
        (offer, *_) = counter.shop.view(payment).offers
        typed = {"name": PAYER.name, "email": PAYER.email, "phone": PAYER.phone}
        asked = {fact.removeprefix("customer.") for fact in offer.missing}
        assert asked <= given.keys()
        payment = counter.shop.choose(payment, offer.method, **{name: str(typed[name]) for name in asked})
        assert counter.shop.screen(payment) is Screen.OPEN
        counter.tab(payment).press("Pay", offer.method)
        counter.until(payment, is_paid)


class TestWrongAmount:
    @pytest.mark.except_for(payu="its answer to the creation has no amount")
    def test_nobody_gets_the_address_of_an_object_with_another_amount(self, counter: Counter) -> None:
        counter.world.line.send = _altered(counter.world.line.send)  # type: ignore[method-assign]
        payment = counter.sell()
        payment = counter.until(payment, has_ended)
        assert all(attempt.next_action is None for attempt in payment.attempts)
        assert payment.attempts[-1].state in {AttemptState.REJECTED, AttemptState.NOT_SENT}
        assert counter.charged() == []

    def test_a_payment_of_another_amount_needs_a_person(self, counter: Counter) -> None:
        payment = counter.sell()
        counter.tab(payment).press("Pay", counter.methods[0])
        counter.world.line.send = _altered(counter.world.line.send)  # type: ignore[method-assign]
        payment = counter.until(payment, lambda now: now.status in ENDED, days=9)
        assert payment.status is S.IN_REVIEW


def _altered(send: Callable[[HttpRequest, str], HttpResult]) -> Callable[[HttpRequest, str], HttpResult]:
    """The answers of a provider that has one unit more in all its amounts."""

    def altered(request: HttpRequest, endpoint: str) -> HttpResult:
        answer = send(request, endpoint)
        if not isinstance(answer, HttpResponse):
            return answer
        body = re.sub(rb"(?<![\w.])49900(?![\w.])", b"49901", answer.body)
        body = re.sub(rb"(?<![\w.])499(\.0+)?(?![\w.])", b"499.01", body)
        return HttpResponse(status=answer.status, headers=answer.headers, body=body)

    return altered
