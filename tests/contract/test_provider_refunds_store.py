"""A refund that was made at the provider is stored once: over the model and over the engine."""

from dataclasses import replace
from typing import Any

import pytest

from payflowx.domain.payments.change import Change, Context
from payflowx.domain.payments.operation import Operation, Origin
from payflowx.domain.payments.operation_state_machine import record_provider_refund
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import ReferenceTaken, Stored, VersionConflict
from payflowx.domain.payments.provider_refund import ProviderRefund, RefundState, external_refund
from tests.support.balance import assert_agrees, assert_balanced
from tests.support.memory import NOW_MS
from tests.support.world import World

LISTED = ProviderRefund(reference="re_dash", provider_key=None, amount=500, currency="USD", state=RefundState.SUCCEEDED)


@pytest.fixture
def stores(world: World) -> tuple[Any, Any]:
    return world.payments, world.operations


@pytest.fixture
def payment(world: World) -> Payment:
    accepted = world.accept()
    world.work()
    return world.now(accepted)


def change_of_refund(payment: Payment, refund: ProviderRefund = LISTED) -> Change:
    operation = external_refund(payment, payment.attempts[0], refund, NOW_MS)
    return record_provider_refund(payment, operation, Context(now_ms=NOW_MS, actor="provider", policy=World().policy))


def test_it_is_stored_found_by_its_id_and_balanced(stores: tuple[Any, Any], payment: Payment) -> None:
    payments, operations = stores
    change = change_of_refund(payment)
    assert isinstance(payments.commit(change), Stored)
    created = change.operation_after
    assert isinstance(created, Operation)
    stored = operations.get(payment.merchant_id, payment.transaction_id, created.operation_id)
    assert stored == created
    assert stored.origin is Origin.PROVIDER
    assert operations.locate(payment.merchant_id, created.operation_id) == payment.transaction_id
    now = payments.get(payment.merchant_id, payment.transaction_id)
    assert (now.refunded, now.refundable) == (500, payment.amount - 500)
    assert_balanced(now)
    assert_agrees(now, list(operations.of_payment(payment.merchant_id, payment.transaction_id)))


def test_a_second_booking_writes_nothing(stores: tuple[Any, Any], payment: Payment) -> None:
    payments, operations = stores
    payments.commit(change_of_refund(payment))
    now = payments.get(payment.merchant_id, payment.transaction_id)
    assert isinstance(payments.commit(change_of_refund(now)), VersionConflict)
    assert isinstance(payments.commit(change_of_refund(payment)), VersionConflict | Stored)  # the payment has moved
    assert payments.get(payment.merchant_id, payment.transaction_id) == now
    assert len(operations.of_payment(payment.merchant_id, payment.transaction_id)) == 1


def test_a_refund_that_another_operation_owns_is_not_booked_under_another_id(
    stores: tuple[Any, Any], payment: Payment
) -> None:
    payments, operations = stores
    payments.commit(change_of_refund(payment))
    now = payments.get(payment.merchant_id, payment.transaction_id)
    other = change_of_refund(now)
    assert other.operation_after is not None
    renamed = replace(other, operation_after=replace(other.operation_after, operation_id="ref_aaaaaaaaaaaaaaaa"))
    assert isinstance(payments.commit(renamed), ReferenceTaken)
    assert len(operations.of_payment(payment.merchant_id, payment.transaction_id)) == 1
