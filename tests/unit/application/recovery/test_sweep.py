"""The one recovery mechanism."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from payflowx.adapters.dynamodb.core.keys import due_shard_name
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import DAY_MS, MAX_DRIVES, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import PaymentStatus
from tests.support.world import World


@pytest.fixture
def world() -> World:
    return World()


def test_a_lost_message_is_made_up_for(world: World) -> None:
    world.jobs.broken = True
    payment = world.accept()
    world.jobs.broken = False
    assert world.jobs.sent == []
    world.clock.advance(89)
    assert world.sweep(world.deadline).woken == 0
    world.clock.advance(2)
    assert world.sweep(world.deadline).woken == 1
    world.work()
    assert world.now(payment).status is PaymentStatus.SUCCESS


def test_what_was_woken_is_left_alone_for_a_growing_while(world: World) -> None:
    payment = world.accept()
    waits = []
    for _ in range(8):
        due_at_ms = world.now(payment).due_at_ms or 0
        world.clock.at_ms = due_at_ms
        assert world.sweep(world.deadline).woken == 1
        assert world.sweep(world.deadline).woken == 0
        waits.append(((world.now(payment).due_at_ms or 0) - due_at_ms) // 1000)
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_two_sweepers_at_once_send_one_message(world: World) -> None:
    payment = world.accept()
    world.jobs.sent.clear()
    world.clock.advance(91)
    world.before_next("update_item", lambda: world.sweep(world.deadline))
    world.sweep(world.deadline)
    assert len(world.jobs.sent) == 1
    assert world.now(payment).drives == 1


def test_a_payment_in_work_is_not_disturbed(world: World) -> None:
    payment = world.accept()
    world.jobs.sent.clear()
    live = replace(payment.lease, owner="x", epoch=1, expires_at_ms=world.clock.now_ms() + DAY_MS)
    world.store(replace(payment, lease=live))
    world.clock.advance(91)
    assert world.sweep(world.deadline).woken == 0
    assert world.jobs.sent == []


def test_forty_wake_ups_without_news_end_in_review_never_in_failed(world: World) -> None:
    payment = world.accept()
    for _ in range(MAX_DRIVES):
        world.clock.advance(3 * 3600)
        assert world.sweep(world.deadline).woken == 1
    world.clock.advance(3 * 3600)
    assert world.sweep(world.deadline).to_review == 1
    review = world.now(payment)
    assert (review.status, review.last_error.code) == (PaymentStatus.IN_REVIEW, "drives_exhausted")
    assert world.telemetry.total("DrivesExhausted") == 1


@pytest.mark.parametrize("kind", [None, OperationKind.REFUND])
def test_a_review_about_which_no_provider_can_be_asked_wakes_nobody(world: World, kind: OperationKind | None) -> None:
    """Nothing was sent, so that only a person can close it, and the alarm told that once."""
    payment = world.accept()
    item: Payment | Operation = world.now(payment)
    if kind is not None:
        world.work_until_idle()
        item = world.operation_now(world.request(kind, payment).operation)
    world.jobs.sent.clear()
    now_ms = world.clock.now_ms()
    world.store(replace(item, drives=MAX_DRIVES, ready_at_ms=now_ms, due_at_ms=now_ms))
    assert world.sweep(world.deadline).to_review == 1
    for _ in range(MAX_DRIVES + 2):
        world.clock.advance(DAY_MS // SECOND_MS)
        world.sweep(world.deadline)
    assert world.jobs.sent == []
    assert world.telemetry.total("DrivesExhausted") == 1
    found = world.operation_now(item) if isinstance(item, Operation) else world.now(payment)
    assert (found.status, found.due_at_ms) == ("IN_REVIEW", None)


def test_news_starts_the_count_anew(world: World) -> None:
    provider = world.providers.get("alpha")
    provider.charges = [Unknown(code="read_timeout")] * 99
    payment = world.accept()
    world.work()
    world.jobs.sent.clear()
    world.clock.advance(120)
    world.sweep(world.deadline)
    assert world.now(payment).drives == 1
    world.work()
    assert world.now(payment).drives == 0


def test_a_shard_that_cannot_be_read_does_not_stop_the_others(world: World) -> None:
    for number in range(20):
        world.accept(f"order-{number}")
    world.jobs.sent.clear()
    world.clock.advance(91)
    broken = due_shard_name(3)

    def refuse(method: str, request: Mapping[str, Any]) -> None:
        if method == "query" and {"S": broken} in request["ExpressionAttributeValues"].values():
            raise StorageUnavailableError("no")

    world.dynamodb.before = refuse
    swept = world.sweep(world.deadline)
    assert swept.unfinished_shards == 1
    assert 10 < swept.woken <= 20


def test_the_age_of_the_oldest_due_payment_is_told_every_time(world: World) -> None:
    world.sweep(world.deadline)
    world.accept()
    world.jobs.sent.clear()
    world.clock.advance(90 + 33)
    world.sweep(world.deadline)
    ages = [value for name, value, _ in world.telemetry.counts if name == "OldestDueAge"]
    assert ages == [0, 33]


def test_no_time_is_left_for_the_last_ones(world: World) -> None:
    world.accept()
    world.clock.advance(91)
    world.deadline.left_ms = 4_000
    swept = world.sweep(world.deadline)
    assert (swept.woken, swept.unfinished_shards) == (0, 1)


def test_an_item_costs_one_call_and_ten_messages_one(world: World) -> None:
    """The first wake-up; a further one takes a second update, because the first assumed that there was none."""
    for number in range(30):
        world.accept(f"order-{number}")
    world.jobs.sent.clear()
    world.clock.advance(91)
    reads, updates = world.requests_of("get_item"), world.requests_of("update_item")
    assert world.sweep(world.deadline).woken == 30
    assert (len(reads), len(updates)) == (0, 30)
    assert len(world.jobs.sent) == 30
    world.clock.advance(61)
    assert world.sweep(world.deadline).woken == 30
    assert (len(reads), len(updates)) == (0, 30 + 60)


def test_a_late_queue_is_not_filled_again_and_a_suppressed_wake_up_is_no_drive(world: World) -> None:
    payments = [world.accept(f"order-{number}") for number in range(3)]
    job, delay_seconds = world.jobs.sent[0]
    world.jobs.sent = [(job, delay_seconds)] * 2_500
    before = [world.now(payment) for payment in payments]
    for _ in range(5):
        world.clock.advance(91)
        assert world.sweep(world.deadline).woken == 0
    assert len(world.jobs.sent) == 2_500
    assert [world.now(payment) for payment in payments] == before
    world.jobs.sent = [(job, delay_seconds)] * 2_497
    world.clock.advance(60)
    assert world.sweep(world.deadline).woken == 3
    assert [world.now(payment).drives for payment in payments] == [1, 1, 1]


def test_a_queue_that_takes_no_messages_counts_no_drives(world: World) -> None:
    payment = world.accept()
    world.jobs.broken = True
    for _ in range(MAX_DRIVES + 5):
        world.clock.advance(3 * 3600)
        assert world.sweep(world.deadline).woken == 0
    assert (world.now(payment).drives, world.now(payment).status) == (0, PaymentStatus.PENDING)
    world.jobs.broken = False
    world.clock.advance(3 * 3600)
    assert world.sweep(world.deadline).woken == 1


def test_one_refused_message_of_a_batch_is_sent_again_and_then_given_back(world: World) -> None:
    payments = [world.accept(f"order-{number}") for number in range(3)]
    world.jobs.sent.clear()
    world.clock.advance(91)
    refused = payments[1].transaction_id
    world.sqs.queues["jobs"].refuses = lambda body: refused in body
    assert world.sweep(world.deadline).woken == 2
    assert [world.now(payment).drives for payment in payments] == [1, 0, 1]
    world.sqs.queues["jobs"].refuses = lambda _body: False
    world.clock.advance(61)
    assert world.sweep(world.deadline).woken == 3
