"""After its last wake-up without progress, only an item whose outcome is open goes to manual review."""

from dataclasses import replace

import pytest

from payflowx.domain.shared.backoff import REVIEW_INTERVAL_MS
from payflowx.domain.shared.limits import MAX_DRIVES
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import OperationStatus, PaymentStatus
from tests.support.world import World

DECIDED_PAYMENTS = [PaymentStatus.SUCCESS, PaymentStatus.FAILED, PaymentStatus.CANCELLED, PaymentStatus.IN_REVIEW]
DECIDED_OPERATIONS = [OperationStatus.SUCCEEDED, OperationStatus.FAILED, OperationStatus.IN_REVIEW]


@pytest.mark.parametrize("status", DECIDED_PAYMENTS)
def test_a_decided_payment_is_postponed_by_a_day_and_its_count_begins_again(status: PaymentStatus) -> None:
    """It is due because an attempt is still watched, or because a review continues."""
    world = World()
    payment = world.accept()
    now_ms = world.clock.now_ms()
    due = replace(world.now(payment), status=status, drives=MAX_DRIVES, ready_at_ms=now_ms, due_at_ms=now_ms)
    world.store(due)
    assert world.sweep(world.deadline).to_review == 0
    found = world.payments.get(payment.merchant_id, payment.transaction_id)
    assert found is not None
    assert (found.status, found.drives, found.version) == (status, 0, due.version)
    assert found.due_at_ms == now_ms + REVIEW_INTERVAL_MS


@pytest.mark.parametrize("status", DECIDED_OPERATIONS)
def test_a_decided_operation_is_postponed_too(status: OperationStatus) -> None:
    world = World()
    payment = world.accept()
    world.work_until_idle()
    refund = world.request(OperationKind.REFUND, payment).operation
    now_ms = world.clock.now_ms()
    world.store(
        replace(world.operation_now(refund), status=status, drives=MAX_DRIVES, ready_at_ms=now_ms, due_at_ms=now_ms)
    )
    assert world.sweep(world.deadline).to_review == 0
    found = world.operation_now(refund)
    assert (found.status, found.drives) == (status, 0)
    assert found.due_at_ms == now_ms + REVIEW_INTERVAL_MS


def test_an_open_payment_goes_to_review() -> None:
    world = World()
    payment = world.accept()
    now_ms = world.clock.now_ms()
    world.store(replace(world.now(payment), drives=MAX_DRIVES, ready_at_ms=now_ms, due_at_ms=now_ms))
    assert world.sweep(world.deadline).to_review == 1
    assert world.now(payment).status is PaymentStatus.IN_REVIEW
