"""The write units that DynamoDB bills: of the table, of its indexes, twice as many in a transaction."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from testing.dynamodb.database import Database
from testing.dynamodb.sizes import item_bytes
from testing.dynamodb.tables import Index, Key
from testing.dynamodb.units import entry_units, units_of
from testing.dynamodb.values import Item


@dataclass
class CapacityMeter:
    """A DynamoDB client over the model that counts its calls and the units of what they write.

    An index bills an entry that appears, goes or changes its keys; one that changes them is two. Reads, and writes
    whose condition fails, are calls without units.
    """

    database: Database
    calls: list[str] = field(default_factory=list)
    units: int = 0
    largest_bytes: dict[str, int] = field(default_factory=dict)
    """The largest item that was written, by the beginning of its sort key."""
    _factor: int = 1

    def __post_init__(self) -> None:
        watched, self.database.observe = self.database.observe, self._observe
        self._watched = watched

    def take(self) -> tuple[list[str], int]:
        """The calls and units since the last time."""
        counted = self.calls, self.units
        self.calls, self.units = [], 0
        return counted

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.database, name)

        def call(**request: Any) -> Any:
            self.calls.append(name)
            self._factor = 2 if name == "transact_write_items" else 1
            return method(**request)

        return call

    def _observe(self, table: str, key: Key, before: Item | None, after: Item | None) -> None:
        self._watched(table, key, before, after)
        self.units += self._factor * max(units_of(before), units_of(after))
        self.units += sum(entry_units(index.schema, before, after) for index in self._indexes(table))
        if after is not None:
            sort = str(key[1] if len(key) > 1 else "").partition("#")[0]
            self.largest_bytes[sort] = max(self.largest_bytes.get(sort, 0), item_bytes(after))

    def _indexes(self, table: str) -> Iterable[Index]:
        return self.database.tables[table].indexes.values()
