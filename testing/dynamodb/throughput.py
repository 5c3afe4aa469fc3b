"""Throttling by DynamoDB: a partition takes so many units a second, however much capacity its table has.

A partition key whose items are not split has no more than one partition. A write also needs room for its index entries:
an index throttles its table. Capacity that was unused in the seconds before is not modelled, because AWS promises none.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from testing.dynamodb.sizes import item_bytes
from testing.dynamodb.tables import Key, Table
from testing.dynamodb.units import entry_of, units_of
from testing.dynamodb.values import Item

WRITE_UNITS: Final = 1_000
READ_UNITS: Final = 3_000
"""Of a partition in a second:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
"""
_SECOND_MS: Final = 1_000
_READ_BYTES: Final = 4_096
_EVENTUAL: Final = 0.5

Place = tuple[str, str]
"""Table, or table and index; and the partition's key."""


@dataclass(slots=True)
class Throughput:
    """The units that each partition has spent in this second. `refused` is told of each place without room."""

    now_ms: Callable[[], int]
    writes: int = WRITE_UNITS
    reads: int = READ_UNITS
    is_limited: Callable[[], bool] = lambda: True
    refused: Callable[[Place], None] = lambda _place: None
    throttled: Counter[Place] = field(default_factory=Counter)
    _second: int = -1
    _written: dict[Place, float] = field(default_factory=dict)
    _read: dict[Place, float] = field(default_factory=dict)

    def admits_write(self, wanted: Mapping[Place, float]) -> frozenset[Place]:
        """Return the places that have no room. If all have, the units are spent."""
        return self._admits(wanted, "write")

    def admits_read(self, place: Place, items: Iterable[Item], *, consistent: bool) -> bool:
        """Return whether the partition has room for this read; its units are spent then."""
        units = max(1, -(-sum(map(item_bytes, items)) // _READ_BYTES))
        return not self._admits({place: units if consistent else units * _EVENTUAL}, "read")

    def _admits(self, wanted: Mapping[Place, float], kind: str) -> frozenset[Place]:
        if not self.is_limited():
            return frozenset()
        self._begin_second()
        spent, most = (self._written, self.writes) if kind == "write" else (self._read, self.reads)
        # What is larger than the limit of a second is taken by a partition that has spent nothing.
        full = frozenset(p for p, units in wanted.items() if spent.get(p) and spent[p] + units > most)
        for place in full:
            self.throttled[place] += 1
            self.refused(place)
        if not full:
            for place, units in wanted.items():
                spent[place] = spent.get(place, 0) + units
        return full

    def _begin_second(self) -> None:
        second = self.now_ms() // _SECOND_MS
        if second != self._second:
            self._second = second
            self._written.clear()
            self._read.clear()


def write_places(table: Table, key: Key, before: Item | None, after: Item | None, factor: int) -> Counter[Place]:
    """Return the units of a write by partition: of the item, and of index entries that appear, go, or change."""
    found: Counter[Place] = Counter({(table.name, key[0]): factor * max(1, units_of(before), units_of(after))})
    for name, index in table.indexes.items():
        old, new = (entry_of(index.schema, item) for item in (before, after))
        if old != new:
            found.update(
                (f"{table.name}/{name}", partition) for partition in _partitions(index.schema.partition, old, new)
            )
    return found


def _partitions(attribute: str, *entries: Item | None) -> Iterator[str]:
    for entry in entries:
        if entry is not None:
            yield str(next(iter(entry[attribute].values())))
