"""Our few lines against boto3's serializer, which they replace."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from payflowx.adapters.dynamodb.core.values import ForeignValue, from_attributes, to_attributes, to_value
from payflowx.domain.shared.statuses import PaymentStatus

VALUES = st.recursive(
    st.text(max_size=8) | st.binary(max_size=8) | st.booleans() | st.integers(-(10**30), 10**30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
ITEMS = st.dictionaries(st.text(min_size=1, max_size=5), VALUES, max_size=6)


@given(ITEMS)
def test_they_write_what_boto3_writes(item: dict[str, Any]) -> None:
    assert to_attributes(item) == {name: TypeSerializer().serialize(value) for name, value in item.items()}


@given(ITEMS)
def test_they_read_what_they_wrote_and_what_boto3_reads(item: dict[str, Any]) -> None:
    attributes = to_attributes(item)
    assert from_attributes(attributes) == item
    assert {name: TypeDeserializer().deserialize(value) for name, value in attributes.items()} == item


def test_absent_values_are_not_stored_at_any_depth() -> None:
    assert to_attributes({"a": None, "b": {"c": None, "d": [{"e": None}]}}) == {"b": {"M": {"d": {"L": [{"M": {}}]}}}}


def test_an_enum_is_stored_as_its_text() -> None:
    stored = to_value(PaymentStatus.PENDING)
    assert stored == {"S": "PENDING"}
    assert type(stored["S"]) is str


@pytest.mark.parametrize("value", [1.5, Decimal(1), {1, 2}, object()])
def test_what_no_item_holds_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        to_value(value)


@pytest.mark.parametrize("value", [{"BS": [b"x"]}, {"SS": ["a"]}, {"NULL": True}, {"N": "1.5"}])
def test_a_value_of_a_type_that_our_items_do_not_hold_is_kept_as_it_is(value: dict[str, Any]) -> None:
    item = from_attributes({"a": value, "b": {"S": "known"}})
    assert item == {"a": ForeignValue(value), "b": "known"}
    assert to_attributes(item) == {"a": value, "b": {"S": "known"}}
