"""A page of a list reads the rows that it shows, however many payments the merchant has."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from payflowx.adapters.dynamodb.core.values import to_attributes
from payflowx.adapters.dynamodb.merchants.directory import DynamoDBMerchantDirectory
from payflowx.adapters.dynamodb.payments.operation_items import operation_to_item
from payflowx.adapters.dynamodb.payments.payment_items import to_item
from payflowx.adapters.dynamodb.payments.review_index import DynamoDBReviewIndex
from payflowx.adapters.dynamodb.webhooks.merchant_events import DynamoDBMerchantEvents
from payflowx.domain.outbound_webhooks.ports import MerchantEventQuery
from payflowx.domain.payments.operation import Held
from payflowx.domain.payments.ports import PaymentQuery
from payflowx.domain.shared.limits import DAY_MS, MAX_LIST_ROWS_PER_PAGE
from payflowx.domain.shared.statuses import PaymentStatus
from testing.dynamodb.read_units import ReadMeter
from tests.contract.test_operations_port import new_refund
from tests.support.memory import NOW_MS
from tests.support.model_tables import model_database
from tests.support.tables import CONFIGURATION, TRANSACTIONS
from tests.support.world import MERCHANT, World

PAGE = 20
_MANY = 400


@pytest.fixture
def metered() -> tuple[World, ReadMeter]:
    """A merchant with many payments on one day, made once of one accepted payment."""
    meter = ReadMeter(model_database())
    world = World(database=meter)
    made = world.accept()
    for number in range(_MANY):
        transaction_id = f"pay_{number:016d}"
        copy = replace(made, transaction_id=transaction_id, created_at_ms=NOW_MS + 1 + number)
        meter.put_item(TableName=TRANSACTIONS, Item=to_attributes(to_item(copy)))
    meter.take()
    return world, meter


def _query(status: PaymentStatus | None = None, position: str | None = None) -> PaymentQuery:
    return PaymentQuery(
        merchant_id=MERCHANT,
        from_ms=NOW_MS - DAY_MS,
        until_ms=NOW_MS + _MANY + 1,
        status=status,
        limit=PAGE,
        position=position,
    )


def test_a_page_of_payments_costs_its_own_rows(metered: tuple[World, ReadMeter]) -> None:
    world, meter = metered
    position = None
    for _ in range(3):
        page = world.payments.page(_query(position=position))
        calls, units = meter.take()
        assert len(page.items) == PAGE
        assert calls == ["query", "batch_get_item"]
        assert units <= 10.5
        position = page.next_position


def test_a_filter_that_most_rows_meet_costs_no_more(metered: tuple[World, ReadMeter]) -> None:
    world, meter = metered
    assert len(world.payments.page(_query(PaymentStatus.PENDING)).items) == PAGE
    assert meter.take()[1] <= 10.5


def test_a_filter_that_no_row_meets_reads_a_bounded_page_in_few_calls(metered: tuple[World, ReadMeter]) -> None:
    world, meter = metered
    page = world.payments.page(_query(PaymentStatus.FAILED))
    calls, units = meter.take()
    assert (list(page.items), page.next_position is not None) == ([], True)
    assert len(calls) <= 10
    assert units <= MAX_LIST_ROWS_PER_PAGE / 2 + 10


def test_a_page_over_several_days_reads_what_it_lacks(metered: tuple[World, ReadMeter]) -> None:
    world, meter = metered
    made = world.accept("another")
    for number in range(PAGE):
        copy = replace(
            made, transaction_id=f"pay_b{number:015d}", created_at_ms=NOW_MS + 2 * DAY_MS - number * DAY_MS // 4
        )
        meter.put_item(TableName=TRANSACTIONS, Item=to_attributes(to_item(copy)))
    meter.take()
    page = world.payments.page(replace(_query(), until_ms=NOW_MS + 3 * DAY_MS))
    calls, units = meter.take()
    assert len(page.items) == PAGE
    assert units <= PAGE / 2 + calls.count("query") * 0.5


def test_a_page_of_merchant_events_costs_its_own_rows() -> None:
    meter = ReadMeter(model_database())
    world = World(database=meter)
    for number in range(60):
        world.accept(f"order-{number}")
    world.work_until_idle(most=100)
    meter.take()
    events = DynamoDBMerchantEvents(client=meter, table=TRANSACTIONS)  # type: ignore[arg-type]
    query = MerchantEventQuery(merchant_id=MERCHANT, from_ms=NOW_MS, until_ms=NOW_MS + 1_000, limit=PAGE)
    assert len(events.page(query).items) == PAGE
    assert meter.take()[1] <= 10.5


def test_a_page_of_an_audit_log_costs_its_own_rows(metered: tuple[World, ReadMeter]) -> None:
    world, meter = metered
    payment = world.accept("charged")
    world.work_until_idle()
    meter.take()
    assert len(world.payments.events(MERCHANT, payment.transaction_id, after_seq=0, limit=PAGE).items) > 1
    assert meter.take() == (["query"], 1)


@pytest.mark.parametrize(("count", "bound"), [(1, 1), (PAGE, 5), (100, 20)])
def test_operations_cost_one_query_of_their_payment(count: int, bound: float) -> None:
    """Their order by time takes all operations of the payment, and no row is read a second time."""
    meter = ReadMeter(model_database())
    world = World(database=meter)
    payment = world.accept()
    world.work_until_idle()
    payment = world.now(payment)
    for number in range(count):
        operation = replace(new_refund(payment, f"k{number}", 1), created_at_ms=NOW_MS + number, held=Held.RESERVED)
        meter.put_item(TableName=TRANSACTIONS, Item=to_attributes(operation_to_item(operation)))
    meter.take()
    page = world.operations.page(MERCHANT, payment.transaction_id, limit=PAGE, position=None)
    calls, units = meter.take()
    assert len(page.items) == min(count, PAGE)
    assert calls == ["query"]
    assert units <= bound


def test_a_page_of_reviews_costs_its_own_rows(metered: tuple[World, ReadMeter]) -> None:
    world, meter = metered
    for number in range(60):
        payment = world.accept(f"review-{number}")
        since_ms = NOW_MS + number
        reviewed = replace(payment, status=PaymentStatus.IN_REVIEW, review_since_ms=since_ms)
        meter.put_item(TableName=TRANSACTIONS, Item=to_attributes(to_item(reviewed)))
    meter.take()
    index = DynamoDBReviewIndex(client=meter, table=TRANSACTIONS)  # type: ignore[arg-type]
    page = index.page(MERCHANT, limit=PAGE, position=None)
    assert len(page.items) == PAGE
    assert meter.take()[1] <= PAGE + 1


def test_operators_lists_ask_for_their_page(metered: tuple[World, ReadMeter]) -> None:
    """Merchants and the audit log of operators: the query's limit is the page's."""
    asked = _Limits()
    directory = DynamoDBMerchantDirectory(client=asked, table=CONFIGURATION)  # type: ignore[arg-type]
    directory.merchants(after=None, limit=PAGE)
    directory.records("2026-09", limit=PAGE)
    assert asked.limits == [PAGE, PAGE]


class _Limits:
    """An empty table that keeps the limits of its queries."""

    def __init__(self) -> None:
        self.limits: list[Any] = []

    def query(self, **request: Any) -> dict[str, Sequence[Any]]:
        self.limits.append(request.get("Limit"))
        return {"Items": []}
