"""A payment's audit log is read to its end, however long it is."""

from dataclasses import replace

import pytest

from payflowx.adapters.dynamodb.core.keys import event_key
from payflowx.application.operators.verify_audit_log import MAX_FAULTS, AuditLogVerification, VerifyAuditLog
from payflowx.domain.payments.change import Context, change_of
from payflowx.domain.payments.events import Event
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.errors import Refusal
from tests.support.memory import NOW_MS
from tests.support.world import MERCHANT, World


def long_log(events: int) -> tuple[World, Payment]:
    """A payment with so many events."""
    world = World()
    payment = world.accept()
    while payment.event_seq < events:
        payment = grow(world, payment)
    return world, payment


def grow(world: World, payment: Payment) -> Payment:
    context = Context(now_ms=NOW_MS, actor="api", policy=world.policy)
    change = change_of(payment, payment, "refund.requested", {"amount": 1}, context)
    world.payments.commit(change)
    return change.after


def event_of(world: World, payment: Payment, seq: int) -> Event:
    (event,) = world.payments.events(MERCHANT, payment.transaction_id, after_seq=seq - 1, limit=1).items
    return event


def verify(world: World, payment: Payment, **limits: int) -> AuditLogVerification:
    return VerifyAuditLog(payments=world.payments, **limits)(MERCHANT, payment.transaction_id)


@pytest.mark.parametrize("events", [1, 999, 1_000, 1_001, 2_000, 2_001, 2_500])
def test_a_log_of_any_length_is_intact(events: int) -> None:
    world, payment = long_log(events)
    assert verify(world, payment) == AuditLogVerification(events=events, faults=(), complete=True)


@pytest.mark.parametrize("seq", [1, 1_000, 1_001, 2_001, 2_002])
def test_an_altered_event_is_found_wherever_it_is(seq: int) -> None:
    world, payment = long_log(2_002)
    world.store(replace(event_of(world, payment, seq), facts={"amount": 2}))
    assert verify(world, payment).faults == (f"event {seq} was altered",)


def test_a_log_that_ends_before_the_payment_is_broken() -> None:
    world, payment = long_log(1_200)
    world.forget(event_key(MERCHANT, payment.transaction_id, payment.event_seq))
    found = verify(world, payment)
    assert found.faults == ("the last event does not match the payment's state",)
    assert found.complete


def test_an_event_that_the_payment_does_not_know_is_a_fault() -> None:
    world, payment = long_log(3)
    grow(world, payment)
    world.store(payment)
    assert verify(world, payment).faults == ("the last event does not match the payment's state",)


def test_a_log_that_is_longer_than_the_limit_is_not_verified_to_the_end_and_not_broken() -> None:
    world, payment = long_log(1_500)
    found = verify(world, payment, max_events=1_200)
    assert found == AuditLogVerification(events=1_200, faults=(), complete=False)
    assert not found.is_intact
    assert verify(world, payment, max_events=1_500).is_intact


def test_a_payment_that_moves_on_while_its_log_is_read_is_intact() -> None:
    world, payment = long_log(5)
    world.before_next("query", lambda: grow(world, payment))
    assert verify(world, payment) == AuditLogVerification(events=6, faults=(), complete=True)


def test_the_faults_named_are_bounded() -> None:
    world, payment = long_log(500)
    for event in world.events_of(payment):
        world.store(replace(event, hash="0" * 64))
    assert len(verify(world, payment).faults) == MAX_FAULTS + 1


def test_an_unknown_payment_is_not_found() -> None:
    with pytest.raises(Refusal, match="no payment"):
        VerifyAuditLog(payments=World().payments)(MERCHANT, "pay_aaaaaaaaaaaaaaaa")
