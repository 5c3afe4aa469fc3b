"""The bytes by which a payment's cost is counted are those of the model that counts the units of the tests."""

import pytest

from payflowx.adapters.dynamodb.core.sizes import item_bytes
from testing.dynamodb import sizes as model

ITEMS = [
    {"pk": {"S": "M#acme#P#pay_aaaaaaaaaaaaaaaa"}, "name": {"S": "Zo\u00eb \u20ac"}},
    {"n": {"N": "0"}, "m": {"N": "-12.50"}, "big": {"N": "1800000032912"}, "even": {"N": "100"}},
    {"hash": {"B": b"\x00\x01\x02"}, "yes": {"BOOL": True}, "none": {"NULL": True}},
    {"list": {"L": [{"S": "a"}, {"M": {"deep": {"L": []}}}]}, "map": {"M": {}}},
]


@pytest.mark.parametrize("item", ITEMS)
def test_product_and_model_count_alike(item: dict[str, dict[str, object]]) -> None:
    assert item_bytes(item) == model.item_bytes(item) > 0


def test_the_bytes_of_a_known_item() -> None:
    """Names and text in UTF-8, two digits a byte and one more, three bytes a document and one a member."""
    assert item_bytes({"ab": {"S": "\u20ac"}}) == 2 + 3
    assert item_bytes({"n": {"N": "-12.50"}}) == 1 + 4
    assert item_bytes({"l": {"L": [{"BOOL": True}]}}) == 1 + 3 + 1 + 1
    assert item_bytes(None) == 0
