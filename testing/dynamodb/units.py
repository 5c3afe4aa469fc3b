"""Write units of a single item and of its index entries."""

from typing import Final

from testing.dynamodb.sizes import item_bytes
from testing.dynamodb.tables import Schema
from testing.dynamodb.values import Item

UNIT_BYTES: Final = 1_024


def units_of(item: Item | None) -> int:
    """One for each started kilobyte; none for an item that is not there."""
    return 0 if item is None else -(-item_bytes(item) // UNIT_BYTES)


def entry_units(schema: Schema, before: Item | None, after: Item | None) -> int:
    """An entry that appears or goes is one; one that changes its keys is two."""
    old, new = (entry_of(schema, item) for item in (before, after))
    return 0 if old == new else (old is not None) + (new is not None)


def entry_of(schema: Schema, item: Item | None) -> Item | None:
    """The keys of the item's entry in an index; None where it has none."""
    if item is None or schema.partition not in item or schema.sort not in item:
        return None
    return schema.attributes(item)
