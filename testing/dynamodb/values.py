"""Attribute values as the API carries them: `{"S": "x"}`, `{"N": "1"}`, `{"M": {...}}`."""

from decimal import Decimal
from typing import Any

Value = dict[str, Any]
Item = dict[str, Value]


def type_of(value: Value) -> str:
    """S, N, B, BOOL, NULL, M, L, SS, NS or BS."""
    return next(iter(value))


def equal(left: Value, right: Value) -> bool:
    """Numbers by value, sets without order, documents deeply."""
    if left == right:
        return True
    kind = type_of(left)
    if kind != type_of(right):
        return False
    a, b = left[kind], right[kind]
    match kind:
        case "N":
            return Decimal(a) == Decimal(b)
        case "L":
            return len(a) == len(b) and all(map(equal, a, b))
        case "M":
            return a.keys() == b.keys() and all(equal(a[name], b[name]) for name in a)
        case "SS" | "BS":
            return set(a) == set(b)
        case "NS":
            return set(map(Decimal, a)) == set(map(Decimal, b))
        case _:
            return False


def order_of(value: Value) -> Any:
    """Return the value by which a sort key or a comparison sorts; strings by their UTF-8 bytes."""
    kind = type_of(value)
    if kind == "N":
        text = value["N"]
        return int(text) if text.isdigit() else Decimal(text)
    return value[kind].encode() if kind == "S" else value[kind]


def is_comparable(left: Value, right: Value) -> bool:
    """Only strings, numbers and bytes have an order, and only among their own kind."""
    return type_of(left) == type_of(right) and type_of(left) in {"S", "N", "B"}


def size_of(value: Value) -> int | None:
    """Return the result of `size()`; None for a type that has no size."""
    kind = type_of(value)
    if kind in {"N", "BOOL", "NULL"}:
        return None
    return len(value[kind])


def plain(value: Value) -> Any:
    """As Python values, for those who look at items from outside."""
    kind = type_of(value)
    inner = value[kind]
    match kind:
        case "N":
            return int(inner) if inner.lstrip("-").isdigit() else Decimal(inner)
        case "M":
            return {name: plain(v) for name, v in inner.items()}
        case "L":
            return [plain(v) for v in inner]
        case "NULL":
            return None
        case _:
            return inner


def plain_item(item: Item, known: dict[int, Any] | None = None) -> dict[str, Any]:
    """An item as Python values. `known` remembers attributes by identity, among versions that share them."""
    if known is None:
        return {name: plain(value) for name, value in item.items()}
    found = {}
    for name, value in item.items():
        place = id(value)
        if place not in known:
            known[place] = plain(value)
        found[name] = known[place]
    return found
