"""A payment's operations are listed to the last one, over the model and over the engine."""

import random
from dataclasses import replace
from typing import Any

import pytest

from payflowx.adapters.dynamodb.core.values import to_attributes
from payflowx.adapters.dynamodb.payments.operation_items import operation_to_item
from payflowx.adapters.dynamodb.payments.operations import DynamoDBOperations
from payflowx.domain.payments.eligibility import charge_to_operate_on
from payflowx.domain.payments.operation import Held, Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import MAX_EVENTS_BEFORE_REFUND
from payflowx.domain.shared.operation_request import OperationKind
from tests.contract.test_operations_port import new_refund
from tests.support.memory import NOW_MS
from tests.support.model_tables import model_database
from tests.support.tables import IDEMPOTENCY, TRANSACTIONS
from tests.support.world import MERCHANT, World


@pytest.fixture(params=["model", "dynamodb"])
def operations(request: pytest.FixtureRequest) -> DynamoDBOperations:
    client = model_database() if request.param == "model" else request.getfixturevalue("dynamodb")
    return DynamoDBOperations(client=client, transactions_table=TRANSACTIONS, idempotency_table=IDEMPOTENCY)


@pytest.fixture
def payment() -> Payment:
    world = World()
    accepted = world.accept()
    world.work()
    return world.now(accepted)


def store(operations: DynamoDBOperations, payment: Payment, count: int) -> list[Operation]:
    """In any order; several of one millisecond. In the order of the list."""
    made = [
        replace(new_refund(payment, f"k{n}", 1), created_at_ms=NOW_MS + n // 3, held=Held.RESERVED)
        for n in range(count)
    ]
    for operation in random.Random(count).sample(made, count):
        client: Any = operations.client
        client.put_item(TableName=TRANSACTIONS, Item=to_attributes(operation_to_item(operation)))
    return sorted(made, key=lambda o: (o.created_at_ms, o.operation_id))


def walk(operations: DynamoDBOperations, payment: Payment, limit: int) -> list[Operation]:
    found: list[Operation] = []
    position = None
    while True:
        page = operations.page(MERCHANT, payment.transaction_id, limit=limit, position=position)
        found += page.items
        position = page.next_position
        if position is None:
            return found
        assert len(page.items) == limit


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_pages_hold_each_operation_once_oldest_first(
    operations: DynamoDBOperations, payment: Payment, count: int
) -> None:
    made = store(operations, payment, count)
    assert walk(operations, payment, 100) == made
    assert list(operations.of_payment(MERCHANT, payment.transaction_id)) == made


def test_two_thousand_are_listed_though_a_query_ends_before(payment: Payment) -> None:
    database = model_database()
    operations = DynamoDBOperations(client=database, transactions_table=TRANSACTIONS, idempotency_table=IDEMPOTENCY)  # type: ignore[arg-type]
    made = store(operations, payment, 2_003)
    assert walk(operations, payment, 100) == made
    assert list(operations.of_payment(MERCHANT, payment.transaction_id)) == made


def test_an_operation_that_is_accepted_meanwhile_moves_no_page(
    operations: DynamoDBOperations, payment: Payment
) -> None:
    made = store(operations, payment, 30)
    first = operations.page(MERCHANT, payment.transaction_id, limit=10, position=None)
    later = replace(new_refund(payment, "later", 1), created_at_ms=NOW_MS + 1_000, held=Held.RESERVED)
    client: Any = operations.client
    client.put_item(TableName=TRANSACTIONS, Item=to_attributes(operation_to_item(later)))
    rest = operations.page(MERCHANT, payment.transaction_id, limit=100, position=first.next_position)
    assert [*first.items, *rest.items] == [*made, later]


def test_operations_of_other_payments_and_merchants_are_left_out(
    operations: DynamoDBOperations, payment: Payment
) -> None:
    store(operations, payment, 3)
    assert operations.page("other", payment.transaction_id, limit=9, position=None).items == []
    assert operations.page(MERCHANT, "pay_aaaaaaaaaaaaaaaa", limit=9, position=None).items == []


def test_a_payment_takes_no_more_refunds_than_can_be_listed(payment: Payment) -> None:
    charge_to_operate_on(replace(payment, event_seq=MAX_EVENTS_BEFORE_REFUND - 1), OperationKind.REFUND, NOW_MS)
    with pytest.raises(Refusal, match="limit of its audit log"):
        charge_to_operate_on(replace(payment, event_seq=MAX_EVENTS_BEFORE_REFUND), OperationKind.REFUND, NOW_MS)
