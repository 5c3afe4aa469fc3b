"""A cancellation that was accepted while the outcome was unknown voids the authorization that is found then."""

from itertools import pairwise

import pytest

from payflowx.domain.payments.outcome import Declined, Outcome, Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import CaptureMode, OperationStatus, PaymentStatus
from tests.support.world import World
from tests.unit.application.payments.test_times import CancelledInVain, world  # noqa: F401 - a fixture

TIMEOUT = Unknown(code="read_timeout")


def cancelled_while_unknown(world: World) -> Payment:  # noqa: F811
    """The charge times out, the merchant cancels, and the next inquiry finds the charge authorized."""
    beta = world.providers.get("beta")
    assert isinstance(beta, CancelledInVain)
    beta.charges, beta.inquiries = [TIMEOUT], ["authorized"]
    payment = world.accept(capture=CaptureMode.MANUAL)
    world.work()
    assert world.cancel("acme", payment.transaction_id).payment.cancel_requested
    return payment


def run(world: World, payment: Payment, *, steps: int) -> None:  # noqa: F811
    for _ in range(steps):
        world.clock.advance(max(0, world.now(payment).ready_at_ms - world.clock.now_ms()) / SECOND_MS)
        world.wake(payment)
        world.work_until_idle()


def voids(world: World, payment: Payment) -> list[OperationStatus]:  # noqa: F811
    operations = world.operations.of_payment(payment.merchant_id, payment.transaction_id)
    assert {o.kind for o in operations} <= {OperationKind.VOID}
    return [o.status for o in operations]


def test_the_authorization_is_voided(world: World) -> None:  # noqa: F811
    payment = cancelled_while_unknown(world)
    run(world, payment, steps=3)
    assert voids(world, payment) == [OperationStatus.SUCCEEDED]
    assert world.now(payment).status is PaymentStatus.CANCELLED
    assert world.now(payment).due_at_ms is None
    assert world.clock.now_ms() - payment.created_at_ms < HOUR_MS


def test_a_refused_void_is_repeated_once_a_day(world: World) -> None:  # noqa: F811
    payment = cancelled_while_unknown(world)
    refusal: Outcome = Declined(code="not_voidable")
    world.providers.get("beta").moves = [refusal] * 100
    tried_at_ms: list[int] = []
    while world.clock.now_ms() - payment.created_at_ms < 3 * DAY_MS:
        run(world, payment, steps=1)
        tried_at_ms += [world.clock.now_ms()] * (len(voids(world, payment)) - len(tried_at_ms))
    assert set(voids(world, payment)) == {OperationStatus.FAILED}
    pauses_ms = [later - sooner for sooner, later in pairwise(tried_at_ms)]
    assert len(pauses_ms) == 4
    assert HOUR_MS < pauses_ms[0] < 2 * HOUR_MS
    assert all(DAY_MS - 2 * HOUR_MS <= pause_ms <= DAY_MS + 2 * HOUR_MS for pause_ms in pauses_ms[1:])
    assert world.now(payment).status is PaymentStatus.AUTHORIZED
    assert world.now(payment).ready_at_ms - world.clock.now_ms() <= HOUR_MS


def test_a_further_void_ends_the_payment(world: World) -> None:  # noqa: F811
    payment = cancelled_while_unknown(world)
    world.providers.get("beta").moves = [Declined(code="not_voidable")]
    run(world, payment, steps=12)
    assert sorted(voids(world, payment)) == [OperationStatus.FAILED, OperationStatus.SUCCEEDED]
    assert world.now(payment).status is PaymentStatus.CANCELLED
    assert world.clock.now_ms() - payment.created_at_ms < 2 * HOUR_MS


def test_the_merchant_may_ask_for_a_further_void(world: World) -> None:  # noqa: F811
    payment = cancelled_while_unknown(world)
    world.providers.get("beta").moves = [Declined(code="not_voidable")]
    run(world, payment, steps=2)
    assert world.cancel("acme", payment.transaction_id).void is not None
    world.work_until_idle()
    assert sorted(voids(world, payment)) == [OperationStatus.FAILED, OperationStatus.SUCCEEDED]
    assert world.now(payment).status is PaymentStatus.CANCELLED


@pytest.mark.parametrize("kinds", [frozenset(), frozenset({OperationKind.CAPTURE})])
def test_without_voids_the_cancellation_goes_on(world: World, kinds: frozenset[OperationKind]) -> None:  # noqa: F811
    payment = cancelled_while_unknown(world)
    beta = world.providers.get("beta")
    beta.kinds = kinds
    run(world, payment, steps=5)
    assert voids(world, payment) == []
    assert beta.asked("fence") >= 4


def test_two_workers_at_once_request_one_void(world: World) -> None:  # noqa: F811
    payment = cancelled_while_unknown(world)
    run(world, payment, steps=1)
    world.clock.advance(120)
    world.wake(payment)
    world.wake(payment)
    world.work_until_idle()
    assert len(voids(world, payment)) == 1
