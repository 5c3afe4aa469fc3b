"""Decoders of stored items. An unknown attribute is ignored; an unknown word is an error, never a guess.

An item may have been written by a newer release: during a deployment, or before a roll-back.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final, TypeVar

from payflowx.adapters.dynamodb.core.values import Item
from payflowx.domain.shared.errors import UnreadableItemError

T = TypeVar("T")

_MAX_REASON_CHARS: Final = 80


def decodes(kind: str) -> Callable[[Callable[[Item], T]], Callable[[Item], T]]:
    """Turn whatever a decoder stumbles over into `UnreadableItemError`; `kind` is what the item should be."""

    def decorate(decode: Callable[[Item], T]) -> Callable[[Item], T]:
        @wraps(decode)
        def read(item: Item) -> T:
            try:
                return decode(item)
            except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
                raise UnreadableItemError(kind, item.get("schemaVersion"), _reason(error)) from error

        return read

    return decorate


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item of a list that this release cannot read, beside those that it can."""

    item: Item = field(repr=False)


def or_unreadable(decode: Callable[[Item], T]) -> Callable[[Item], T | Unreadable]:
    """The decoder of a list's rows: one that cannot be read must not hide the others."""

    def read(item: Item) -> T | Unreadable:
        try:
            return decode(item)
        except UnreadableItemError:
            return Unreadable(item)

    return read


def readable(found: Iterable[T | Unreadable]) -> tuple[list[T], list[Unreadable]]:
    """The rows of a list: those that were read, and the others."""
    items: list[T] = []
    others: list[Unreadable] = []
    for row in found:
        if isinstance(row, Unreadable):
            others.append(row)
        else:
            items.append(row)
    return items, others


def known(item: Item, target: type[Any]) -> Item:
    """The attributes that are fields of this dataclass, for nested values that are stored under their fields' names."""
    return {name: item[name] for name in target.__dataclass_fields__ if name in item}


def fields_of(instance: Any) -> Item:
    """The fields of a flat dataclass by their names. `dataclasses.asdict` would copy every value."""
    return {name: getattr(instance, name) for name in instance.__dataclass_fields__}


def _reason(error: Exception) -> str:
    """The name of the attribute, or the unknown word. Neither is a personal datum: those are texts, and texts fit."""
    return f"{type(error).__name__}: {error}"[:_MAX_REASON_CHARS]
