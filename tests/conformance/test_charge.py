"""One payment at one provider that could fail over to another, with a fault at each of its requests in turn."""

import pytest

from payflowx.domain.payments.payment import Customer, Payment, PaymentMethod
from payflowx.domain.shared.statuses import OPEN_STATES, AttemptState, PaymentStatus
from sandbox.http_types import Request
from tests.support.conformance import sweep_interval_seconds
from tests.support.faulty_transport import HostileWorld, Trouble
from tests.support.memory import FixedRules
from tests.support.providers import NAMES
from tests.support.world import fallback

MAX_REQUESTS = 4
DAY_SECONDS = 86_400
PAYER = Customer(id="cust_A1b2C3d4E5f6G7", name="Payer Example", email="payer@example.com", phone="+919876543210")
ASKS_NO_PAYER = {"razorpay", "payu"}
"""A recurring payment has no step for the payer there."""
RESTING = {PaymentStatus.SUCCESS, PaymentStatus.FAILED, PaymentStatus.IN_REVIEW, PaymentStatus.CANCELLED}


@pytest.fixture
def world(provider: str) -> HostileWorld:
    """Routes to this provider first, then to all others."""
    world = HostileWorld()
    world.use(FixedRules(fallback(provider, *(name for name in NAMES if name != provider))))
    return world


def pay(world: HostileWorld, provider: str, token: str = "tok_success") -> Payment:
    able = world.providers.get(provider).capabilities
    currency = next(code for code in ("INR", "USD") if able.currencies is None or code in able.currencies)
    method = PaymentMethod(type=min(able.payment_method_types), token=token)
    return world.accept(
        "conformance",
        amount=49_900,
        currency=currency,
        payment_method=method,
        customer=PAYER,
        return_url="https://shop.example/return",
    )


def settle(world: HostileWorld, payment: Payment) -> Payment:
    """Process messages and sweeps until the payment rests; check each step against the ledger.

    Ends after the time in which the provider may be inquired by its capabilities, and two days.
    """
    able = world.providers.get(payment.route.candidates[0].provider).capabilities
    started_ms, horizon_ms = world.clock.now_ms(), max(able.inquiry_horizon_ms, able.pending_horizon_ms)
    until_ms = started_ms + able.action_lifetime_ms + horizon_ms + 2 * DAY_SECONDS * 1000
    while world.clock.now_ms() < until_ms:
        while world.jobs.sent:
            world.work()
            check(world, payment)
        if world.now(payment).status in RESTING:
            break
        world.clock.advance(sweep_interval_seconds(world.clock.now_ms() - started_ms))
        world.sweep(world.deadline)
    return check(world, payment)


def check(world: HostileWorld, payment: Payment) -> Payment:
    """Invariants at every moment: at most one open attempt, at most one charge, a status that the ledger confirms."""
    now, charged = world.now(payment), world.http.charged()
    assert len(charged) <= 1, f"charged {len(charged)} times"
    assert sum(attempt.state in OPEN_STATES for attempt in now.attempts) <= 1
    if now.status is PaymentStatus.SUCCESS:
        assert [(e["amount"], e["currency"]) for e in charged] == [(now.amount, now.currency)]
    if now.status in {PaymentStatus.FAILED, PaymentStatus.CANCELLED}:
        assert charged == []
    return now


def test_nothing_goes_wrong(world: HostileWorld, provider: str) -> None:
    payment = settle(world, pay(world, provider))
    assert payment.status is PaymentStatus.SUCCESS
    assert [(a.provider, a.state) for a in payment.attempts] == [(provider, AttemptState.SUCCEEDED)]


@pytest.mark.parametrize("trouble", Trouble, ids=lambda trouble: trouble.value.replace(" ", "-"))
@pytest.mark.parametrize("at", range(1, MAX_REQUESTS + 1))
def test_trouble_at_one_request(world: HostileWorld, provider: str, at: int, trouble: Trouble) -> None:
    """Includes inquiries and cancellations: the first fault makes them necessary, the second hits them."""
    world.line.troubles = {1: Trouble.ANSWER_LOST, 2: Trouble.ANSWER_LOST} if at > 2 else {}
    world.line.troubles[at] = trouble
    payment = settle(world, pay(world, provider))
    assert payment.status in {PaymentStatus.SUCCESS, PaymentStatus.IN_REVIEW}
    world.line.deliver_late()
    check(world, payment)


@pytest.mark.parametrize("at", range(1, MAX_REQUESTS + 1))
@pytest.mark.parametrize("after_sessions", [1, 2, 3, 5])
def test_a_request_that_arrives_while_it_is_being_cleared_up(
    world: HostileWorld, provider: str, at: int, after_sessions: int
) -> None:
    world.line.troubles = {at: Trouble.LATE}
    payment = pay(world, provider)
    for _ in range(after_sessions):
        if world.jobs.sent:
            world.work()
    world.line.deliver_late()
    settle(world, payment)


def test_refused_before_it_was_sent_goes_elsewhere(world: HostileWorld, provider: str) -> None:
    world.line.troubles = {1: Trouble.REFUSED}
    payment = settle(world, pay(world, provider))
    assert payment.status is PaymentStatus.SUCCESS
    assert payment.attempts[0].state is AttemptState.NOT_SENT
    assert payment.attempts[1].provider != provider


@pytest.mark.parametrize("hours", [1, 23, 25, 80])
@pytest.mark.parametrize("trouble", [Trouble.ANSWER_LOST, Trouble.REQUEST_LOST])
def test_no_wake_for_a_long_time(world: HostileWorld, provider: str, trouble: Trouble, hours: int) -> None:
    """The provider's window and the charge deadline pass in between."""
    world.line.troubles = dict.fromkeys(range(1, MAX_REQUESTS + 1), trouble)
    payment = pay(world, provider)
    world.work()
    world.line.troubles = {}
    world.jobs.sent.clear()
    world.clock.advance(hours * 3_600)
    world.sweep(world.deadline)
    settle(world, payment)


@pytest.mark.parametrize("lag_seconds", [5, 120, 3_600, 2 * DAY_SECONDS])
def test_not_found_that_is_found_later(world: HostileWorld, provider: str, lag_seconds: int) -> None:
    world.http.simulators[provider].visibility_lag_seconds = lag_seconds
    world.line.troubles = dict.fromkeys(range(2, MAX_REQUESTS + 1), Trouble.ANSWER_LOST)
    payment = settle(world, pay(world, provider))
    assert all(attempt.provider == provider for attempt in payment.attempts) or payment.status is PaymentStatus.SUCCESS


def test_a_wrong_amount_is_a_persons_business(world: HostileWorld, provider: str) -> None:
    payment = pay(world, provider, "tok_wrong_amount")
    while world.jobs.sent:
        world.work()
    now = world.now(payment)
    assert (now.status, now.attempts[0].state) == (PaymentStatus.IN_REVIEW, AttemptState.MISMATCH)
    assert len(now.attempts) == 1


@pytest.mark.parametrize("token", ["tok_soft_decline", "tok_hard_decline", "tok_insufficient_funds"])
def test_a_decline_charges_nothing(world: HostileWorld, provider: str, token: str) -> None:
    payment = settle(world, pay(world, provider, f"{token}@{provider}"))
    assert payment.status in {PaymentStatus.SUCCESS, PaymentStatus.FAILED}
    if token != "tok_soft_decline":
        assert [a.provider for a in payment.attempts] == [provider]


def test_a_payer_who_approves(world: HostileWorld, provider: str) -> None:
    payment = pay(world, provider, "tok_requires_action")
    while world.jobs.sent and world.now(payment).status is not PaymentStatus.REQUIRES_ACTION:
        world.work()
    action = world.now(payment).attempts[-1].next_action
    if provider in ASKS_NO_PAYER:
        assert action is None
        return
    assert action is not None
    path = action.url.removeprefix(f"https://{provider}")
    world.http.simulators[provider].handle(Request(method="GET", path=path), world.clock.now_ms() / 1000)
    assert settle(world, payment).status is PaymentStatus.SUCCESS


def test_a_payer_who_never_comes(world: HostileWorld, provider: str) -> None:
    payment = settle(world, pay(world, provider, "tok_requires_action"))
    assert payment.status in {PaymentStatus.FAILED, PaymentStatus.IN_REVIEW}
