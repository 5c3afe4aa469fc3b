"""The bytes of an item, as DynamoDB counts them for capacity: names and values of all attributes."""

from collections.abc import Mapping
from typing import Any, Final

_DOCUMENT_BYTES: Final = 3


def item_bytes(item: Mapping[str, Any] | None) -> int:
    """Of an item of attribute values; None is no item."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in (item or {}).items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, inner),) = value.items()
    match kind:
        case "S":
            return len(inner.encode())
        case "B":
            return len(inner)
        case "N":
            return _number_bytes(inner)
        case "M":
            return _DOCUMENT_BYTES + sum(1 + len(n.encode()) + _value_bytes(v) for n, v in inner.items())
        case "L":
            return _DOCUMENT_BYTES + sum(1 + _value_bytes(v) for v in inner)
        case "SS":
            return sum(len(text.encode()) for text in inner)
        case "NS":
            return sum(map(_number_bytes, inner))
        case _:
            return 1


def _number_bytes(text: str) -> int:
    """Two digits a byte and one more; leading and trailing zeros take none."""
    digits = text.lstrip("-").replace(".", "").strip("0")
    return 1 + (len(digits) + 1) // 2 + text.startswith("-")
