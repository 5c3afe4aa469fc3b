"""The bytes of an item, as DynamoDB bills them."""

from typing import Final

from testing.dynamodb.values import Item, Value, type_of

_NESTED: Final = 3
"""Bytes of every map and list, besides one for each member."""


def item_bytes(item: Item) -> int:
    """The size of an item: names in UTF-8 and values, as the developer guide counts them."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Value) -> int:
    kind = type_of(value)
    inner = value[kind]
    match kind:
        case "S":
            return len(str(inner).encode())
        case "B":
            return len(inner)
        case "N":
            number = str(inner)
            digits = number.lstrip("-").replace(".", "").strip("0")
            return (len(digits) + 1) // 2 + 1 + number.startswith("-")
        case "M":
            return _NESTED + sum(1 + len(name.encode()) + _value_bytes(member) for name, member in inner.items())
        case "L":
            return _NESTED + sum(1 + _value_bytes(member) for member in inner)
        case _:
            return 1
