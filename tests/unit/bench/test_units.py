"""The meter counts as DynamoDB bills."""

from typing import Any

import pytest

from bench.metering import Meter, MeteredDatabase
from bench.model.units import item_bytes
from bench.payment_counts import (
    FULL_WITH_ENDPOINT,
    FULL_WITHOUT_ENDPOINTS,
    ORDERED,
    READ,
    WITH_ENDPOINT,
    WITHOUT_ENDPOINTS,
    payment_counts,
)
from tests.support.model_tables import model_database


@pytest.fixture
def metered() -> tuple[Any, Meter]:
    meter = Meter()
    return MeteredDatabase(model_database(), meter), meter


def row(number: int = 1, **attributes: Any) -> dict[str, Any]:
    return {"pk": {"S": f"p{number}"}, "sk": {"S": "x"}, **attributes}


DUE = {"dueShard": {"S": "1"}, "dueAt": {"N": "5"}}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "é"}, 2),
        ({"N": "1234"}, 3),
        ({"N": "1000"}, 2),
        ({"N": "-12"}, 3),
        ({"BOOL": True}, 1),
        ({"B": b"123"}, 3),
        ({"M": {"ab": {"S": "c"}}}, 3 + 1 + 2 + 1),
        ({"L": [{"S": "ab"}, {"NULL": True}]}, 3 + 2 * 1 + 2 + 1),
        ({"SS": ["a", "bc"]}, 3),
    ],
)
def test_the_size_of_an_attribute(value: Any, size: int) -> None:
    assert item_bytes({"n": value}) == 1 + size


@pytest.mark.parametrize(("bytes_of_text", "units"), [(10, 1), (1024 - 7, 1), (1024 - 6, 2)])
def test_a_write_takes_a_unit_a_kilobyte(metered: tuple[Any, Meter], bytes_of_text: int, units: int) -> None:
    client, meter = metered
    client.put_item(TableName="transactions", Item=row(a={"S": "x" * (bytes_of_text - 2 + 1)}))
    assert meter.write_units == units


def test_an_index_entry_costs_where_its_key_changes(metered: tuple[Any, Meter]) -> None:
    client, meter = metered
    for item, units in (
        (row(), 1),
        (row(**DUE), 1 + 1),
        (row(**DUE, other={"S": "x"}), 1),
        (row(**{**DUE, "dueAt": {"N": "6"}}), 1 + 2),
        (row(), 1 + 1),
    ):
        client.put_item(TableName="transactions", Item=item)
        assert meter.take().write_units == units, item


def test_a_transaction_costs_twice_but_not_its_index_entries(metered: tuple[Any, Meter]) -> None:
    client, meter = metered
    put = {"Put": {"TableName": "transactions", "Item": row(**DUE)}}
    check = {
        "ConditionCheck": {
            "TableName": "transactions",
            "Key": row(2),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    }
    client.transact_write_items(TransactItems=[put, check])
    assert meter.take().write_units == 2 + 2 + 1


def test_a_read_takes_half_a_unit_unless_it_is_consistent(metered: tuple[Any, Meter]) -> None:
    client, meter = metered
    client.get_item(TableName="transactions", Key=row(), ConsistentRead=True)
    client.get_item(TableName="transactions", Key=row())
    assert meter.take().read_units == 1.5
    client.put_item(TableName="transactions", Item=row(a={"S": "x" * 5_000}))
    client.get_item(TableName="transactions", Key=row())
    assert meter.take().read_units == 1


def test_a_payment_asks_for_no_more_than_this() -> None:
    """The gate. Lower a number with the change that makes it possible; raise one only with a reason."""
    found = payment_counts()
    most = {WITHOUT_ENDPOINTS: (4, 12), WITH_ENDPOINT: (7, 15), ORDERED: (4, 15), READ: (1, 0)}
    for name, (calls, write_units) in most.items():
        assert found[name]["total"] <= calls, found[name]
        assert found[name]["writeUnits"] <= write_units, found[name]


def test_a_payment_of_the_full_layout_takes_what_the_documents_say() -> None:
    """As a new production accepts payments, until `compact_payments` is on: docs/write-path.md and docs/costs.md."""
    rows = payment_counts()
    assert (rows[FULL_WITHOUT_ENDPOINTS]["writeUnits"], rows[FULL_WITH_ENDPOINT]["writeUnits"]) == (20, 23)
