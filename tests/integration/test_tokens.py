"""Every token at every provider, the real adapters against the real simulators: as docs/sandbox.md promises."""

import re
from pathlib import Path

import pytest

from payflowx.adapters.appconfig.document import decode_routing_document
from payflowx.domain.payments.payment import Payment, PaymentMethod
from payflowx.domain.shared.statuses import AttemptState, PaymentStatus
from sandbox.behaviours import BEHAVIOURS
from sandbox.http_types import Request
from tests.support.memory import FixedRules
from tests.support.providers import ProviderWorld

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = decode_routing_document((ROOT / "infra/routing/default.json").read_bytes())
FIRST = {"mock": (1999, "USD"), "razorpay_mock": (49_900, "INR"), "cashfree_mock": (2_500_000, "USD")}
ROW = re.compile(r"^\| `(tok_\w+)` \| [^|]+ \| (\w+) \| (\w+) \| (\w+) \|$", re.MULTILINE)
TABLE = {row[0]: dict(zip(FIRST, row[1:], strict=True)) for row in ROW.findall((ROOT / "docs/sandbox.md").read_text())}
CASES = [(token, provider) for token in TABLE for provider in FIRST]


@pytest.fixture
def world() -> ProviderWorld:
    world = ProviderWorld()
    world.use(FixedRules(DOCUMENT))
    return world


def pay(world: ProviderWorld, token: str, provider: str = "mock") -> Payment:
    amount, currency = FIRST[provider]
    return world.accept(
        f"{token}-{provider}", amount=amount, currency=currency, payment_method=PaymentMethod(type="card", token=token)
    )


def settle(world: ProviderWorld, payment: Payment, *, most: int = 60) -> Payment:
    """Work on until nothing is queued, or the payment only waits for its payer."""
    for _ in range(most):
        now = world.now(payment)
        if not world.jobs.sent or now.status is PaymentStatus.REQUIRES_ACTION:
            return now
        world.work()
    raise AssertionError("messages do not end")


def check_books(world: ProviderWorld, payment: Payment) -> None:
    """SUCCESS exactly if one charge of this amount and currency exists; FAILED exactly if none does."""
    charged = world.http.charged()
    assert len(charged) <= 1
    if payment.status is PaymentStatus.SUCCESS:
        (entry,) = charged
        assert (entry["amount"], entry["currency"]) == (payment.amount, payment.currency)
        assert entry["gateway"] == payment.attempt(payment.charged_attempt or 0).provider
        assert entry["reference"] == payment.attempt(payment.charged_attempt or 0).provider_key
    if payment.status in {PaymentStatus.FAILED, PaymentStatus.CANCELLED}:
        assert charged == []


def test_the_table_is_complete() -> None:
    assert set(TABLE) == set(BEHAVIOURS)


@pytest.mark.parametrize(("token", "provider"), CASES)
def test_every_row(world: ProviderWorld, token: str, provider: str) -> None:
    payment = settle(world, pay(world, token, provider))
    assert payment.attempts[0].provider == provider
    assert payment.status == TABLE[token][provider]
    check_books(world, payment)


@pytest.mark.parametrize("provider", FIRST)
@pytest.mark.parametrize("token", ["tok_soft_decline", "tok_rate_limited", "tok_async_failure"])
def test_a_suffix_shows_the_failover(world: ProviderWorld, token: str, provider: str) -> None:
    payment = settle(world, pay(world, f"{token}@{provider}", provider))
    assert payment.status is PaymentStatus.SUCCESS
    assert payment.attempts[0].provider == provider
    assert len(payment.attempts) == 2
    check_books(world, payment)


@pytest.mark.parametrize("provider", FIRST)
def test_an_approval_by_the_payer_ends_in_success(world: ProviderWorld, provider: str) -> None:
    payment = settle(world, pay(world, "tok_requires_action", provider))
    action = payment.attempts[0].next_action
    assert action is not None
    path = action.url.removeprefix(f"https://{provider}")
    reply = world.http.simulators[provider].handle(Request(method="GET", path=path), world.clock.now_ms() / 1000)
    assert reply.status == 200
    world.work_until_idle()
    assert world.now(payment).status is PaymentStatus.SUCCESS
    check_books(world, world.now(payment))


@pytest.mark.parametrize(
    ("provider", "end"), [("mock", "FAILED"), ("cashfree_mock", "FAILED"), ("razorpay_mock", "IN_REVIEW")]
)
def test_an_approval_that_never_comes(world: ProviderWorld, provider: str, end: str) -> None:
    payment = settle(world, pay(world, "tok_requires_action", provider))
    for _ in range(120):
        world.work_until_idle()
        now = world.now(payment)
        if now.status is not PaymentStatus.REQUIRES_ACTION:
            break
        world.clock.advance(60)
        world.sweep(world.deadline)
    assert world.now(payment).status == end
    check_books(world, world.now(payment))


@pytest.mark.parametrize(("provider", "answer"), [("mock", "CANCELLED"), ("cashfree_mock", "CANCELLED")])
def test_a_cancellation_of_a_payment_that_waits_for_its_payer(world: ProviderWorld, provider: str, answer: str) -> None:
    payment = settle(world, pay(world, "tok_requires_action", provider))
    world.jobs.sent.clear()
    assert world.cancel("acme", payment.transaction_id).payment.cancel_requested
    world.work_until_idle()
    cancelled = world.now(payment)
    assert (cancelled.status, cancelled.attempts[0].state) == (answer, AttemptState.FENCED)
    check_books(world, cancelled)


@pytest.mark.parametrize("provider", FIRST)
def test_a_provider_that_is_down_is_passed_by(world: ProviderWorld, provider: str) -> None:
    world.http.closed.add(provider)
    payment = settle(world, pay(world, "tok_success", provider))
    assert payment.attempts[0].state is AttemptState.NOT_SENT
    assert payment.status is PaymentStatus.SUCCESS
    check_books(world, payment)


@pytest.mark.parametrize("provider", FIRST)
def test_a_charge_that_stays_invisible_is_never_charged_again(world: ProviderWorld, provider: str) -> None:
    world.http.simulators[provider].visibility_lag_seconds = 120
    payment = settle(world, pay(world, "tok_timeout_after_charge", provider))
    check_books(world, payment)
    assert payment.status is PaymentStatus.SUCCESS


@pytest.mark.parametrize("token", BEHAVIOURS)
@pytest.mark.parametrize("provider", FIRST)
def test_two_workers_whatever_the_provider_does(world: ProviderWorld, token: str, provider: str) -> None:
    """Each message delivered twice, once late: one attempt at a time, one charge at most."""
    payment = pay(world, token, provider)
    for _ in range(25):
        if not world.jobs.sent or world.now(payment).status is PaymentStatus.REQUIRES_ACTION:
            break
        job, delay_seconds = world.jobs.sent.pop(0)
        world.clock.advance(delay_seconds)
        world.process(job, world.deadline)
        world.process(job, world.deadline)
        world.wake(payment)
    assert sum(attempt.is_open for attempt in world.now(payment).attempts) <= 1
    check_books(world, world.now(payment))


def test_an_unknown_token_is_declined_for_good(world: ProviderWorld) -> None:
    for provider in FIRST:
        payment = settle(world, pay(world, "tok_nonsense", provider))
        assert (payment.status, payment.last_error.code) == (PaymentStatus.FAILED, "hard_decline")
