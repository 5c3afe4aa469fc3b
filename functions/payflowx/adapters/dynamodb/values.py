"""Python values as DynamoDB attribute values. Numbers are integers here, in both directions."""

from collections.abc import Mapping
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

Item = dict[str, Any]
AttributeValues = dict[str, Any]


class _IntegerDeserializer(TypeDeserializer):  # type: ignore[misc]  # boto3 ships no types
    """The library reads numbers as Decimal; all of ours are whole."""

    def _deserialize_n(self, value: str) -> int:
        return int(value)


_SERIALIZER: Final = TypeSerializer()
_DESERIALIZER: Final = _IntegerDeserializer()


def to_attributes(item: Mapping[str, Any]) -> AttributeValues:
    """Drops absent (None) values: an attribute that is not there costs nothing and can be asked for."""
    return {name: to_value(value) for name, value in item.items() if value is not None}


def to_value(value: Any) -> Any:
    """One attribute value."""
    return _SERIALIZER.serialize(_without_none(value))


def from_attributes(attributes: Mapping[str, Any]) -> Item:
    """The item as plain Python values."""
    return {name: _DESERIALIZER.deserialize(value) for name, value in attributes.items()}


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_none(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_without_none(inner) for inner in value]
    return value
