"""A definite refusal is final within a minute, an indefinite one never, and a refused re-send must wait.

Time is the manual clock's. The mocks have no documented refusals beyond their own pages, and no behaviours for them.
"""

from dataclasses import replace

import pytest

from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, CaptureMode, OperationStatus, PaymentStatus
from payflowx.providers.refusals import RefusedCall
from payflowx.providers.registry import connector
from sandbox.ledger import LedgerSimulator
from tests.conformance.test_charge import check, pay
from tests.conformance.test_operation import ask, ledger
from tests.conformance.test_operation import pay as charged
from tests.support.faulty_transport import HostileWorld
from tests.support.memory import FixedRules
from tests.support.world import fallback

REFUND = OperationKind.REFUND
AMOUNT, PART = 49_900, 20_000
MINUTE_MS = 60_000
WITH_DOCUMENTS = ("stripe", "razorpay", "cashfree", "payu")
mocks_excepted = pytest.mark.except_for(mock="no documents", razorpay_mock="no documents", cashfree_mock="no documents")


@pytest.fixture
def world(provider: str) -> HostileWorld:
    """Routes to this provider first, then to the mock."""
    world = HostileWorld()
    world.use(FixedRules(fallback(provider, "mock")))
    return world


def simulator(world: HostileWorld, provider: str) -> LedgerSimulator:
    found = world.http.simulators[provider]
    assert isinstance(found, LedgerSimulator)
    return found


def go_on(world: HostileWorld, until_ms: int, payment: Payment) -> None:
    """Process all that is due up to this time."""
    while world.clock.now_ms() < until_ms:
        while world.jobs.sent and world.clock.now_ms() + world.jobs.sent[0][1] * 1000 <= until_ms:
            world.work()
            check(world, payment)
        left_seconds = (until_ms - world.clock.now_ms()) / 1000
        world.clock.advance(max(0.001, min(left_seconds, left_seconds / 10 + 5)))
        world.sweep(world.deadline)


@mocks_excepted
class TestACharge:
    def test_a_documented_refusal_goes_to_the_next_provider_within_a_minute(
        self, world: HostileWorld, provider: str
    ) -> None:
        payment = pay(world, provider, "tok_refused@" + provider)
        go_on(world, payment.created_at_ms + MINUTE_MS, payment)
        now = check(world, payment)
        assert [(a.provider, a.state) for a in now.attempts] == [
            (provider, AttemptState.REJECTED),
            ("mock", AttemptState.SUCCEEDED),
        ]
        assert now.attempts[0].message, "the provider's own sentence is kept"

    def test_without_another_provider_the_payment_ends_within_a_minute_after_one_attempt(
        self, world: HostileWorld, provider: str
    ) -> None:
        world.use(FixedRules(fallback(provider)))
        payment = pay(world, provider, "tok_refused")
        go_on(world, payment.created_at_ms + MINUTE_MS, payment)
        now = check(world, payment)
        assert (now.status, len(now.attempts)) == (PaymentStatus.FAILED, 1)
        assert now.last_error is not None
        assert now.last_error.provider_code not in {None, "unrecognized"}

    def test_an_undocumented_refusal_is_never_final_by_itself(self, world: HostileWorld, provider: str) -> None:
        payment = pay(world, provider, "tok_refused_unlisted@" + provider)
        while world.clock.now_ms() < payment.created_at_ms + 60 * MINUTE_MS:
            go_on(world, world.clock.now_ms() + 6 * MINUTE_MS, payment)
            first = check(world, payment).attempts[0]
            assert first.state in {
                AttemptState.STARTED,
                AttemptState.UNKNOWN,
                AttemptState.NOT_SENT,
                AttemptState.FENCED,
            }


@mocks_excepted
class TestARefund:
    def begin(self, world: HostileWorld, provider: str, *behaviours: str) -> tuple[Payment, Operation]:
        world.use(FixedRules(fallback(provider)))
        payment = charged(world, provider, CaptureMode.AUTOMATIC)
        simulator(world, provider).next_operation(*behaviours)
        return payment, ask(world, payment, REFUND, PART)

    def test_a_documented_refusal_of_the_first_send_ends_it_within_a_minute(
        self, world: HostileWorld, provider: str
    ) -> None:
        payment, operation = self.begin(world, provider, "refund_refused")
        go_on(world, operation.created_at_ms + MINUTE_MS, payment)
        now = world.operation_now(operation)
        assert (now.status, [a.state for a in now.attempts]) == (OperationStatus.FAILED, [AttemptState.DECLINED])
        assert now.attempts[0].message, "the provider's own sentence is kept"
        assert world.now(payment).refundable == AMOUNT
        assert ledger(world, REFUND) == []

    def test_the_refusal_of_a_resend_waits_for_the_visibility_lag(self, world: HostileWorld, provider: str) -> None:
        able = world.providers.get(provider).capabilities
        if not able.operation_window_ms.get(REFUND):
            pytest.skip("refunds are never sent again there")  # the provider documents no window
        payment, operation = self.begin(
            world, provider, "tok_timeout_before_charge", "refund_refused", "refund_refused"
        )
        refused_at_ms = None
        while refused_at_ms is None:
            go_on(world, world.clock.now_ms() + 10_000, payment)
            refused = world.operation_now(operation).attempts[0].refused_send
            refused_at_ms = refused.at_ms if refused else None
        go_on(world, refused_at_ms + able.visibility_lag_ms - 1_000, payment)
        assert world.operation_now(operation).status is OperationStatus.PENDING
        assert world.now(payment).refundable == AMOUNT - PART
        go_on(world, refused_at_ms + able.visibility_lag_ms + 20 * MINUTE_MS, payment)
        assert world.operation_now(operation).status is OperationStatus.FAILED
        assert world.now(payment).refundable == AMOUNT


@pytest.mark.parametrize("name", WITH_DOCUMENTS)
def test_every_real_provider_has_documented_refusals_of_charges_and_refunds(name: str) -> None:
    rows = connector(name).refusals.rows
    for call in (RefusedCall.CHARGE, RefusedCall.REFUND):
        assert any(call in row.calls for row in rows), f"{name} has none for a {call}"
    assert all(row.source.startswith("https://") and row.meaning for row in rows)
    assert len({replace(row, meaning="") for row in rows}) == len(rows)
