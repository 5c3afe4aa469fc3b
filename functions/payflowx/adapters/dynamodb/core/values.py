"""Python values as DynamoDB attribute values. Numbers are integers here, in both directions.

Not boto3's serializer: it reads numbers as Decimal, keeps no absent values out, and was the most expensive part of a
payment in every profile. A test holds these few lines against it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_AS_THEY_ARE: Final = frozenset({"BOOL", "B"})

Item = dict[str, Any]
AttributeValues = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ForeignValue:
    """A value of a type that our items do not hold, such as a set: of a newer release, and nothing we may use."""

    attribute: Mapping[str, Any] = field(repr=False)


def to_attributes(item: Mapping[str, Any]) -> AttributeValues:
    """Drops absent (None) values: an attribute that is not there costs nothing and can be asked for."""
    return {
        name: {"S": value} if type(value) is str else to_value(value)
        for name, value in item.items()
        if value is not None
    }


def to_value(value: Any) -> Any:
    """Convert one value. Raises `TypeError` for types that our items do not hold, such as floats."""
    if isinstance(value, str):
        return {"S": str(value)}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if type(value) is dict or isinstance(value, Mapping):
        return {"M": to_attributes(value)}
    if isinstance(value, list | tuple):
        return {"L": [to_value(inner) for inner in value]}
    if isinstance(value, bytes):
        return {"B": value}
    if isinstance(value, ForeignValue):
        return value.attribute
    raise TypeError(f"an item holds no {type(value).__name__}")


def from_attributes(attributes: Mapping[str, Any]) -> Item:
    """The item as plain Python values.

    Most attributes are texts, and this loop runs for each of them: they need no call.
    """
    return {
        name: inner if kind == "S" else _from_value(kind, inner)
        for name, value in attributes.items()
        for kind, inner in value.items()
    }


def _from_value(kind: str, inner: Any) -> Any:
    """An attribute value has one kind."""
    if kind == "N":
        try:
            return int(inner)
        except ValueError:
            return ForeignValue({kind: inner})
    if kind == "M":
        return from_attributes(inner)
    if kind == "L":
        return [
            member if member_kind == "S" else _from_value(member_kind, member)
            for value in inner
            for member_kind, member in value.items()
        ]
    return inner if kind in _AS_THEY_ARE else ForeignValue({kind: inner})
