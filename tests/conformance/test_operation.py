"""A capture, void or refund at one provider, with a fault at each of its requests in turn.

In every case the provider's ledger shows no more captured or refunded than was requested, and never contradicts our
status of the operation.
"""

from dataclasses import replace

import pytest

from payflowx.application.payments.operation_request import new_operation_request_of, numbered_operation_request_of
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import NotFound
from payflowx.domain.payments.payment import Customer, Payment, PaymentMethod
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import OPEN_STATES, AttemptState, CaptureMode, OperationStatus, PaymentStatus
from sandbox.ledger import FAILED, LedgerSimulator
from sandbox.simulator import CANCELED
from sandbox.store import Record
from tests.support.conformance import sweep_interval_seconds
from tests.support.faulty_transport import HostileWorld, Trouble
from tests.support.memory import FixedRules
from tests.support.world import fallback

Asked = tuple[OperationKind, int]
CAPTURE, VOID, REFUND = OperationKind.CAPTURE, OperationKind.VOID, OperationKind.REFUND
AMOUNT, PART = 49_900, 20_000
REFUNDS_THE_AMOUNT_ASKED = {"stripe", "razorpay", "cashfree", "payu"}
"""These simulators, like their services, never refund another amount than the requested one."""
MAX_REQUESTS = 3
HOUR_SECONDS = 3_600
PAYER = Customer(id="cust_A1b2C3d4E5f6G7", name="Payer Example", email="payer@example.com", phone="+919876543210")
RESTING = {OperationStatus.SUCCEEDED, OperationStatus.FAILED, OperationStatus.IN_REVIEW}
NEVER_MOVED = {Trouble.REQUEST_LOST, Trouble.LATE}


@pytest.fixture
def world(provider: str) -> HostileWorld:
    """The payment exists already; the transport counts from the operation's first request."""
    world = HostileWorld()
    world.use(FixedRules(fallback(provider)))
    return world


def begin(world: HostileWorld, provider: str, kind: OperationKind, amount: int) -> tuple[Payment, Operation]:
    """A charged or authorized payment, and an accepted operation on it that is not sent yet."""
    payment = pay(world, provider, CaptureMode.AUTOMATIC if kind is REFUND else CaptureMode.MANUAL)
    operation = ask(world, payment, kind, amount)
    world.line.count = 0
    return payment, operation


def pay(world: HostileWorld, provider: str, capture: CaptureMode) -> Payment:
    able = world.providers.get(provider).capabilities
    payment = world.accept(
        "conformance",
        amount=AMOUNT,
        currency=next(code for code in ("INR", "USD") if able.currencies is None or code in able.currencies),
        capture=capture,
        payment_method=PaymentMethod(type=min(able.payment_method_types), token="tok_success"),
        customer=PAYER,
        return_url="https://shop.example/return",
    )
    world.work_until_idle()
    assert world.now(payment).status in {PaymentStatus.SUCCESS, PaymentStatus.AUTHORIZED}
    return world.now(payment)


def ask(world: HostileWorld, payment: Payment, kind: OperationKind, amount: int, key: str = "op-1") -> Operation:
    return world.request(kind, payment, None if kind is VOID else amount, key=key).operation


def settle(world: HostileWorld, *operations: Operation) -> list[Operation]:
    """Process messages and sweeps until all operations rest; check each step against the ledger.

    Ends after the time in which the provider may be inquired by its capabilities, and a day.
    """
    provider = _provider_of(world, operations[0])
    able = world.providers.get(provider).capabilities
    started_ms, horizon_ms = world.clock.now_ms(), max(able.inquiry_horizon_ms, able.pending_horizon_ms)
    until_ms = started_ms + horizon_ms + 24 * HOUR_SECONDS * 1000
    while world.clock.now_ms() < until_ms:
        while world.jobs.sent:
            world.work()
            check(world, *operations)
        if all(world.operation_now(operation).status in RESTING for operation in operations):
            break
        world.clock.advance(sweep_interval_seconds(world.clock.now_ms() - started_ms))
        world.sweep(world.deadline)
    now = check(world, *operations)
    assert all(operation.status in RESTING for operation in now)
    return now


def _provider_of(world: HostileWorld, operation: Operation) -> str:
    payment = world.payments.get(operation.merchant_id, operation.transaction_id)
    assert payment is not None
    return payment.attempt(operation.charge_attempt).provider


def ledger(world: HostileWorld, kind: OperationKind) -> list[Record]:
    """The provider's operations that are done or pending."""
    entries = [entry for entry in world.http.ledger() if entry["kind"] == kind]
    return [entry for entry in entries if entry["status"] not in {FAILED, CANCELED}]


def check(world: HostileWorld, *operations: Operation) -> list[Operation]:
    """Invariants at every moment."""
    now = [world.operation_now(operation) for operation in operations]
    for kind in {operation.kind for operation in now}:
        same = [operation for operation in now if operation.kind is kind]
        moved = [entry["amount"] for entry in ledger(world, kind)]
        assert sum(moved) <= sum(operation.amount for operation in same), f"{kind}: moved {moved}"
        assert len(moved) <= len(same), f"{kind} made {len(moved)} times"
        succeeded = sorted(o.amount for o in same if o.status is OperationStatus.SUCCEEDED)
        pending = [o.amount for o in same if o.status in {OperationStatus.PENDING, OperationStatus.IN_REVIEW}]
        assert _is_within(succeeded, moved), f"said to be done: {succeeded}, in the books: {moved}"
        assert _is_within(moved, [*succeeded, *pending]), f"said to have failed, and in the books: {moved}"
    for operation in now:
        assert sum(attempt.state in OPEN_STATES for attempt in operation.attempts) <= 1
    return now


def _is_within(some: list[int], all_: list[int]) -> bool:
    return all(some.count(amount) <= all_.count(amount) for amount in some)


def check_money(world: HostileWorld, payment: Payment, *operations: Operation) -> None:
    """The amounts of the payment must equal the sums of its operations."""
    now = world.now(payment)
    held = sum(o.amount for o in operations if o.kind is REFUND and o.status is not OperationStatus.FAILED)
    done = sum(o.amount for o in operations if o.kind is REFUND and o.status is OperationStatus.SUCCEEDED)
    assert now.refunded == done
    if any(o.kind is REFUND for o in operations):
        assert now.refundable == AMOUNT - held


def test_nothing_goes_wrong(world: HostileWorld, provider: str, asked: Asked) -> None:
    payment, operation = begin(world, provider, *asked)
    (done,) = settle(world, operation)
    assert (done.status, len(done.attempts)) == (OperationStatus.SUCCEEDED, 1)
    assert [entry["amount"] for entry in ledger(world, asked[0])] == [asked[1]]
    check_money(world, payment, done)
    assert (
        world.now(payment).status
        is {
            REFUND: PaymentStatus.SUCCESS,
            CAPTURE: PaymentStatus.SUCCESS,
            VOID: PaymentStatus.CANCELLED,
        }[asked[0]]
    )


def test_only_a_declared_kind_is_known_under_a_key_that_was_never_used(
    world: HostileWorld, provider: str, asked: Asked
) -> None:
    """After a restore, the answer to such a key decides whether an attempt is stored that nobody remembers."""
    payment, operation = begin(world, provider, *asked)
    (done,) = settle(world, operation)
    http_provider = world.providers.get(provider)
    account = next(account for account in world.accounts if account.provider == provider)
    stranger = numbered_operation_request_of(world.now(payment), done, 7)
    answer = http_provider.inquire_operation(stranger, account)
    is_declared = asked[0] in http_provider.capabilities.operations_read_from_charge
    assert is_declared is not isinstance(answer, NotFound), answer


@pytest.mark.parametrize("trouble", Trouble, ids=lambda trouble: trouble.value.replace(" ", "-"))
@pytest.mark.parametrize("at", range(1, MAX_REQUESTS + 1))
def test_trouble_at_one_request(world: HostileWorld, provider: str, asked: Asked, at: int, trouble: Trouble) -> None:
    """Includes inquiries and re-sends: the first fault makes them necessary, the second hits them."""
    payment, operation = begin(world, provider, *asked)
    world.line.troubles = {1: Trouble.REQUEST_LOST if at == 3 else Trouble.ANSWER_LOST} if at > 1 else {}
    world.line.troubles[at] = trouble
    (ended,) = settle(world, operation)
    if at == 1 and trouble not in NEVER_MOVED:
        assert ended.status is OperationStatus.SUCCEEDED, "the provider can tell, or was never reached"
    world.line.deliver_late()
    (ended,) = check(world, operation)
    check_money(world, payment, ended)


@pytest.mark.parametrize("token", ["tok_timeout_after_charge", "tok_500_after_charge", "tok_garbage"])
def test_trouble_inside_the_provider_after_the_effect(
    world: HostileWorld, provider: str, asked: Asked, token: str
) -> None:
    """A provider with keys may answer a re-send with its stored 500: then only a read can decide."""
    payment, operation = begin(world, provider, *asked)
    plan(world, provider, token)
    (ended,) = settle(world, operation)
    assert ended.status is OperationStatus.SUCCEEDED
    check_money(world, payment, ended)


@pytest.mark.parametrize("token", ["tok_timeout_before_charge", "tok_500_before_charge"])
def test_trouble_inside_the_provider_before_the_effect(
    world: HostileWorld, provider: str, asked: Asked, token: str
) -> None:
    payment, operation = begin(world, provider, *asked)
    plan(world, provider, token)
    (ended,) = settle(world, operation)
    check_money(world, payment, ended)


@pytest.mark.parametrize("after_sessions", [1, 2, 3])
def test_a_request_that_arrives_while_it_is_being_cleared_up(
    world: HostileWorld, provider: str, asked: Asked, after_sessions: int
) -> None:
    payment, operation = begin(world, provider, *asked)
    world.line.troubles = {1: Trouble.LATE}
    for _ in range(after_sessions):
        if world.jobs.sent:
            world.work()
    world.line.deliver_late()
    (ended,) = settle(world, operation)
    assert ended.status is OperationStatus.SUCCEEDED
    check_money(world, payment, ended)


def test_a_provider_that_is_down_all_day_moves_nothing(world: HostileWorld, provider: str, asked: Asked) -> None:
    payment, operation = begin(world, provider, *asked)
    world.line.closed.add(provider)
    (ended,) = settle(world, operation)
    assert ended.status is OperationStatus.FAILED
    assert {attempt.state for attempt in ended.attempts} == {AttemptState.NOT_SENT}
    assert ledger(world, asked[0]) == []
    check_money(world, payment, ended)


@pytest.mark.parametrize("hours", [1, 23, 25])
@pytest.mark.parametrize("trouble", [Trouble.ANSWER_LOST, Trouble.REQUEST_LOST])
def test_no_wake_for_a_long_time(
    world: HostileWorld, provider: str, asked: Asked, trouble: Trouble, hours: int
) -> None:
    """The provider's window and the deadline for sending pass in between."""
    payment, operation = begin(world, provider, *asked)
    world.line.troubles = {1: trouble}
    world.work()
    world.jobs.sent.clear()
    world.clock.advance(hours * HOUR_SECONDS)
    world.sweep(world.deadline)
    (ended,) = settle(world, operation)
    check_money(world, payment, ended)


def test_two_refunds_one_after_the_other(world: HostileWorld, provider: str) -> None:
    payment, first = begin(world, provider, REFUND, PART)
    settle(world, first)
    second = ask(world, payment, REFUND, PART, "op-2")
    ended = settle(world, first, second)
    assert [operation.status for operation in ended] == [OperationStatus.SUCCEEDED] * 2
    assert [entry["amount"] for entry in ledger(world, REFUND)] == [PART, PART]
    check_money(world, payment, *ended)


@pytest.mark.parametrize("trouble", Trouble, ids=lambda trouble: trouble.value.replace(" ", "-"))
def test_a_second_refund_of_the_same_amount_while_the_first_is_unknown(
    world: HostileWorld, provider: str, trouble: Trouble
) -> None:
    """Refunds are distinguished by our key, never by the amount: neither may count the other's success as its own."""
    payment, first = begin(world, provider, REFUND, PART)
    world.line.troubles = {1: trouble}
    world.work()
    second = ask(world, payment, REFUND, PART, "op-2")
    job, _ = world.jobs.sent.pop()
    world.process(job, world.deadline)
    ended = settle(world, first, second)
    world.line.deliver_late()
    ended = check(world, *ended)
    if trouble not in NEVER_MOVED:
        assert [operation.status for operation in ended] == [OperationStatus.SUCCEEDED] * 2
    references = [attempt.reference for o in ended for attempt in o.attempts if attempt.reference is not None]
    assert len(set(references)) == len(references)
    check_money(world, payment, *ended)


def test_the_same_key_twice_moves_once(world: HostileWorld, provider: str, asked: Asked) -> None:
    payment, operation = begin(world, provider, *asked)
    again = ask(world, payment, *asked)
    assert again.operation_id == operation.operation_id
    settle(world, operation)
    assert ask(world, payment, *asked).operation_id == operation.operation_id
    settle(world, operation)
    assert len(ledger(world, asked[0])) == 1


def test_a_message_that_is_delivered_twice_moves_once(world: HostileWorld, provider: str, asked: Asked) -> None:
    _, operation = begin(world, provider, *asked)
    world.line.troubles = {1: Trouble.ANSWER_LOST}
    ((job, _),) = world.jobs.sent
    world.process(job, world.deadline)
    world.process(job, world.deadline)
    settle(world, operation)
    assert len(ledger(world, asked[0])) == 1


def test_the_provider_refunds_no_more_than_it_took(world: HostileWorld, provider: str) -> None:
    """Other systems may refund at the provider's dashboard: a refund beyond the charge must never be SUCCEEDED."""
    payment, operation = begin(world, provider, REFUND, AMOUNT)
    _refund_at_the_dashboard(world, payment, replace(operation, operation_id="ref_" + "a" * 16))
    assert [entry["amount"] for entry in ledger(world, REFUND)] == [AMOUNT]
    while world.jobs.sent:
        world.work()
    assert [entry["amount"] for entry in ledger(world, REFUND)] == [AMOUNT]
    assert world.operation_now(operation).status is not OperationStatus.SUCCEEDED


def _refund_at_the_dashboard(world: HostileWorld, payment: Payment, operation: Operation) -> None:
    """The same request with another key, as another system of the merchant would send it."""
    merchant = world.merchants.get(payment.merchant_id)
    attempt = payment.attempts[0]
    account = merchant.account(attempt.provider, attempt.account_id) if merchant else None
    assert account is not None
    world.providers.get(attempt.provider).move(new_operation_request_of(payment, operation), account)


@pytest.mark.parametrize("token", ["tok_async_success", "tok_async_failure", "tok_hard_decline", "tok_rate_limited"])
def test_a_refund_that_is_decided_later_or_refused(world: HostileWorld, provider: str, token: str) -> None:
    payment, operation = begin(world, provider, REFUND, PART)
    plan(world, provider, token)
    (ended,) = settle(world, operation)
    world.clock.advance(HOUR_SECONDS)
    if ended.status is not OperationStatus.IN_REVIEW:
        moved = ended.status is OperationStatus.SUCCEEDED
        assert [entry["amount"] for entry in ledger(world, REFUND)] == ([PART] if moved else [])
    check_money(world, payment, ended)


def test_a_refund_of_another_amount_is_a_persons_business(world: HostileWorld, provider: str) -> None:
    payment, operation = begin(world, provider, REFUND, PART)
    plan(world, provider, "tok_wrong_amount")
    while world.jobs.sent:
        world.work()
    ended = world.operation_now(operation)
    if provider in REFUNDS_THE_AMOUNT_ASKED:
        assert [entry["amount"] for entry in ledger(world, REFUND)] == [PART]
        assert ended.status is not OperationStatus.IN_REVIEW
        return
    assert (ended.status, ended.attempts[0].state) == (OperationStatus.IN_REVIEW, AttemptState.MISMATCH)
    check_money(world, payment, ended)


def plan(world: HostileWorld, provider: str, token: str) -> None:
    """Set the behaviour of the next operation at the provider."""
    simulator = world.http.simulators[provider]
    assert isinstance(simulator, LedgerSimulator)
    simulator.next_operation(token)
