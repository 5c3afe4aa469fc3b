"""One order is held by one payment: two requests with two keys make one payment and one refusal."""

from dataclasses import replace

import pytest

from payflowx.domain.orders.order import OrderState
from payflowx.domain.orders.order_hash import order_hash
from payflowx.domain.orders.order_not_free import OrderNotFree
from payflowx.domain.payments.outcome import Declined
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import CaptureMode, DeclineKind, PaymentStatus
from payflowx.wiring.api import ApiWiring
from tests.support.orders import ORDER, order_of, refused
from tests.support.world import World

HARD = Declined(kind=DeclineKind.HARD, code="stolen_card")


@pytest.fixture
def world() -> World:
    return World()


def test_two_requests_for_one_order_with_two_keys_make_one_payment(world: World) -> None:
    first = world.accept("key-1", order_id=ORDER)
    refusal = refused(world, "key-2")
    assert refusal.code == "order_not_free"
    assert refusal.holder == first
    assert order_of(world).holder == first.transaction_id


def test_a_refusal_stores_nothing(world: World) -> None:
    world.accept("key-1", order_id=ORDER)
    before = order_of(world)
    refused(world, "key-2")
    assert order_of(world) == before
    assert world.payments.find_key("acme", "key-2") is None
    assert len(world.jobs.sent) == 1


def test_the_first_payment_of_an_order_costs_no_read(world: World) -> None:
    reads = world.requests_of("get_item")
    world.accept("key-1", order_id=ORDER)
    assert reads == []


def test_the_same_request_again_is_a_repetition_and_no_second_payment(world: World) -> None:
    first = world.accept("key-1", order_id=ORDER)
    again = world.accept("key-1", order_id=ORDER)
    assert again.transaction_id == first.transaction_id
    with pytest.raises(Refusal) as reused:
        world.accept("key-1", order_id=ORDER, amount=7)
    assert reused.value.code == "idempotency_key_reused"


def test_a_lost_row_of_the_key_is_no_refusal(world: World) -> None:
    """The payment's own item is judged before the order."""
    first = world.accept("key-1", order_id=ORDER)
    world.dynamodb.delete_item(TableName=world.payments.idempotency_table, Key={"pk": {"S": "M#acme#payments#key-1"}})
    assert world.accept("key-1", order_id=ORDER).transaction_id == first.transaction_id


def test_another_order_and_another_merchant_are_free(world: World) -> None:
    first = world.accept("key-1", order_id=ORDER)
    other = world.accept("key-2", order_id="another")
    assert other.transaction_id != first.transaction_id
    assert order_hash("acme", ORDER) != order_hash("globex", ORDER)


def test_what_looks_the_same_is_one_order(world: World) -> None:
    assert order_hash("acme", "Café") == order_hash("acme", "Cafe\u0301")
    assert order_hash("a", "bc") != order_hash("ab", "c")
    assert len(order_hash("acme", ORDER)) == 26


def test_a_payment_without_an_order_is_one_plain_write(world: World) -> None:
    transactions, written = world.requests_of("transact_write_items"), world.requests_of("put_item")
    world.accept("key-1")
    assert (len(transactions), len(written)) == (0, 1)
    assert "order" not in repr(written).lower()


def test_a_failed_payment_frees_the_order_in_its_own_transaction(world: World) -> None:
    first = failed(world, "key-1")
    assert order_of(world).state is OrderState.FREE
    second = world.accept("key-2", order_id=ORDER)
    assert order_of(world).holder == second.transaction_id
    assert list(order_of(world).payments) == [second.transaction_id, first.transaction_id]


def test_a_cancelled_payment_frees_the_order(world: World) -> None:
    first = world.accept("key-1", order_id=ORDER)
    world.cancel("acme", first.transaction_id)
    assert world.now(first).status is PaymentStatus.CANCELLED
    assert world.accept("key-2", order_id=ORDER)


def test_a_paid_order_stays_held(world: World) -> None:
    first = world.accept("key-1", order_id=ORDER)
    written = world.requests_of("transact_write_items")
    reads = world.requests_of("get_item")
    world.work()
    assert world.now(first).status is PaymentStatus.SUCCESS
    assert "ORDER#" not in repr([*written, *reads[:-1]]), "a success leaves the order as it is"
    assert refused(world, "key-2").holder == world.now(first)


def test_an_authorized_payment_holds_and_its_void_frees(world: World) -> None:
    first = world.accept("key-1", order_id=ORDER, capture=CaptureMode.MANUAL)
    world.work()
    assert world.now(first).status is PaymentStatus.AUTHORIZED
    refused(world, "key-2")
    world.cancel("acme", first.transaction_id)
    world.work_until_idle()
    assert world.now(first).status is PaymentStatus.CANCELLED
    assert world.accept("key-3", order_id=ORDER)


def test_a_refund_frees_only_when_all_was_given_back_by_refunds_that_succeeded(world: World) -> None:
    first = world.accept("key-1", order_id=ORDER)
    world.work_until_idle()
    world.request(OperationKind.REFUND, first, 999, key="part")
    world.work_until_idle()
    refused(world, "key-2")
    world.request(OperationKind.REFUND, first, 1000, key="rest")
    refused(world, "key-3")
    world.work_until_idle()
    assert world.now(first).refunded == 1999
    assert world.accept("key-4", order_id=ORDER)


def test_payments_that_said_false_stand_beside_each_other_and_keep_the_order_from_others(world: World) -> None:
    one = world.accept("key-1", order_id=ORDER, once_per_order=False)
    two = world.accept("key-2", order_id=ORDER, once_per_order=False)
    assert order_of(world).beside == 2
    refusal = refused(world, "key-3")
    assert refusal.holder is None
    assert refusal.beside == 2
    for payment in (one, two):
        world.cancel("acme", payment.transaction_id)
    assert order_of(world).beside == 0
    assert world.accept("key-4", order_id=ORDER)


def test_a_payment_that_says_false_is_accepted_beside_a_holder(world: World) -> None:
    world.accept("key-1", order_id=ORDER)
    assert world.accept("key-2", order_id=ORDER, once_per_order=False)
    assert order_of(world).beside == 1


def test_an_order_that_names_this_very_payment_is_its_own(world: World) -> None:
    """The table was restored without the payment, or an earlier answer was lost."""
    first = world.accept("key-1", order_id=ORDER)
    for item in world.items_of(first):
        world.forget({"pk": item["pk"], "sk": item["sk"]})
    world.dynamodb.delete_item(TableName=world.payments.idempotency_table, Key={"pk": {"S": "M#acme#payments#key-1"}})
    assert world.accept("key-1", order_id=ORDER).transaction_id == first.transaction_id


def test_an_order_that_is_written_all_the_time_is_no_refusal(world: World) -> None:
    """A conflict is answered 503 for this request: repeating it is safe."""
    failed(world, "key-0")
    orders = world.wired(ApiWiring).orders

    def touch(method: str, request: object) -> None:
        if method == "transact_write_items" and "PAYMENT" in repr(request):
            raise_version(world)

    world.dynamodb.before = touch
    with pytest.raises(StorageUnavailableError):
        world.accept("key-1", order_id=ORDER)
    world.dynamodb.before = lambda _method, _request: None
    assert orders.get("acme", order_hash("acme", ORDER)) is not None
    assert world.accept("key-1", order_id=ORDER)


def test_a_holder_that_an_older_release_ended_is_released_by_the_next_request(world: World) -> None:
    """Release 0.2.0 ends a payment, and leaves the order as it is."""
    first = world.accept("key-1", order_id=ORDER)
    world.store(ended_by_an_older_release(first))
    second = world.accept("key-2", order_id=ORDER)
    assert order_of(world).holder == second.transaction_id


def test_an_order_that_lost_its_holder_is_not_free_beside_a_payment_that_said_false(world: World) -> None:
    first = world.accept("key-1", order_id=ORDER)
    beside = world.accept("key-2", order_id=ORDER, once_per_order=False)
    world.store(ended_by_an_older_release(first))
    refusal = refused(world, "key-3")
    assert (refusal.holder, refusal.beside) == (None, 1)
    assert "oncePerOrder false" in refusal.detail
    world.cancel("acme", beside.transaction_id)
    assert world.accept("key-3", order_id=ORDER)


def test_a_holder_that_is_charged_meanwhile_is_not_released(world: World) -> None:
    first = world.accept("key-1", order_id=ORDER)
    world.store(ended_by_an_older_release(first))
    late = reopened(ended_by_an_older_release(first))
    world.before_next("transact_write_items", lambda: world.store(late), "released")
    assert refused(world, "key-2").holder is not None


def failed(world: World, key: str) -> Payment:
    world.providers.get("alpha").charges = [HARD]
    payment = world.accept(key, order_id=ORDER)
    world.work_until_idle()
    assert world.now(payment).status is PaymentStatus.FAILED
    return payment


def ended_by_an_older_release(payment: Payment) -> Payment:
    return replace(payment, status=PaymentStatus.FAILED, due_at_ms=None, version=payment.version + 1)


def reopened(payment: Payment) -> Payment:
    return replace(payment, status=PaymentStatus.SUCCESS, charged_attempt=1, version=payment.version + 1)


def raise_version(world: World) -> None:
    order = order_of(world)
    world.dynamodb.update_item(
        TableName=world.payments.transactions_table,
        Key={"pk": {"S": f"M#acme#ORDER#{order.order_hash}"}, "sk": {"S": "ORDER"}},
        UpdateExpression="SET version = :v",
        ExpressionAttributeValues={":v": {"N": str(order.version + 1)}},
    )


def test_the_refusal_says_what_to_do(world: World) -> None:
    world.accept("key-1", order_id=ORDER)
    assert isinstance(refused(world, "key-2"), OrderNotFree)
    assert "cancel it" in refused(world, "key-2").detail
