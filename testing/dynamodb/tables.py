"""Tables and their indexes. An index follows its table with a delay; a read may be answered by an older version."""

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from testing.dynamodb.values import Item, order_of

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Schema:
    """Names of the key attributes; `sort` is empty where there is none."""

    partition: str
    sort: str = ""

    def key_of(self, item: Item) -> Key:
        """Text of both keys, to look items up by."""
        return _text(item, self.partition), _text(item, self.sort) if self.sort else ""

    def attributes(self, item: Item) -> Item:
        """The key attributes alone."""
        return {name: item[name] for name in (self.partition, self.sort) if name}


def _in_another_order(item: Item) -> Item:
    """DynamoDB keeps no order of a map's members: here it is another one after each write."""
    turned = {
        name: {"M": dict(reversed(value["M"].items()))}
        for name, value in item.items()
        if "M" in value and len(value["M"]) > 1
    }
    return item | turned if turned else item


def _text(item: Item, name: str) -> str:
    attribute = item[name]
    if "S" in attribute:
        return attribute["S"]  # type: ignore[no-any-return]
    ((kind, value),) = attribute.items()
    return f"{kind}:{value}"


@dataclass(slots=True)
class Index:
    """Sparse, keys only. Changes of one item arrive in their order, each when its delay is over."""

    schema: Schema
    table: Schema
    partitions: dict[str, dict[Key, Item]] = field(default_factory=dict)
    _pending: list[tuple[int, int, Key, Item | None, Item | None]] = field(default_factory=list)
    _last_at: dict[Key, int] = field(default_factory=dict)
    _counter: int = 0
    _least: tuple[tuple[int, int], int | None] | None = None

    def follow(self, key: Key, before: Item | None, after: Item | None, at_ms: int) -> None:
        """Take a change of the table in at that time, or later if an earlier change of the item is still on its way."""
        if not self._is_moved(before, after):
            return
        old, new = self._projected(before), self._projected(after)
        if old == new:
            return
        at_ms = max(at_ms, self._last_at.get(key, 0))
        self._last_at[key] = at_ms
        self._counter += 1
        heapq.heappush(self._pending, (at_ms, self._counter, key, old, new))

    def _is_moved(self, before: Item | None, after: Item | None) -> bool:
        """Whether the index's own key may differ. That of the table is the same before and after."""
        if before is None or after is None:
            return True
        partition, sort = self.schema.partition, self.schema.sort
        return before.get(partition) != after.get(partition) or before.get(sort) != after.get(sort)

    def catch_up(self, now_ms: int) -> None:
        """Apply what has arrived by now."""
        while self._pending and self._pending[0][0] <= now_ms:
            _, _, key, old, new = heapq.heappop(self._pending)
            if old is not None:
                self.partitions.get(_text(old, self.schema.partition), {}).pop(key, None)
            if new is not None:
                self.partitions.setdefault(_text(new, self.schema.partition), {})[key] = new

    def _projected(self, item: Item | None) -> Item | None:
        if item is None or self.schema.partition not in item or self.schema.sort not in item:
            return None
        return {**self.table.attributes(item), **self.schema.attributes(item)}

    def rows(self, partition: str, now_ms: int) -> list[Item]:
        """Sorted, ties by the table's key."""
        self.catch_up(now_ms)
        found = self.partitions.get(partition)
        if not found:
            return []
        return [
            item for _, item in sorted(found.items(), key=lambda pair: (order_of(pair[1][self.schema.sort]), pair[0]))
        ]

    def least_of(self, partition: str, now_ms: int) -> int | None:
        """The smallest sort key of a partition as it is by now."""
        self.catch_up(now_ms)
        found = self.partitions.get(partition)
        return min((int(item[self.schema.sort]["N"]) for item in found.values()), default=None) if found else None

    def least(self) -> int | None:
        """The smallest sort key, of what has arrived and of what is still on its way. Remembered between changes."""
        state = (self._counter, len(self._pending))
        if self._least is None or self._least[0] != state:
            self._least = (state, self._find_least())
        return self._least[1]

    def _find_least(self) -> int | None:
        arrived = (int(i[self.schema.sort]["N"]) for rows in self.partitions.values() for i in rows.values())
        coming = (int(new[self.schema.sort]["N"]) for *_, new in self._pending if new is not None)
        return min((*arrived, *coming), default=None)


@dataclass(slots=True)
class Table:
    """Items by partition. What an item was before its last change is kept for stale reads."""

    name: str
    schema: Schema
    indexes: Mapping[str, Index] = field(default_factory=dict)
    partitions: dict[str, dict[str, Item]] = field(default_factory=dict)
    _previous: dict[Key, tuple[int, Item | None]] = field(default_factory=dict)
    _sorted: dict[str, list[Item]] = field(default_factory=dict)
    """Partitions as they were read last, until they are changed."""

    def get(self, key: Key) -> Item | None:
        """The item as it is."""
        partition = self.partitions.get(key[0])
        return partition.get(key[1]) if partition else None

    def get_stale(self, key: Key, since_ms: int) -> Item | None:
        """The item as it was before its last change, if that is recent."""
        changed_ms, before = self._previous.get(key, (0, None))
        return before if changed_ms >= since_ms else self.get(key)

    def put(self, key: Key, after: Item | None, now_ms: int, lag_ms: Callable[[], int]) -> Item | None:
        """Store or, with None, delete; gives what was there."""
        partition = self.partitions.setdefault(key[0], {})
        before = partition.get(key[1])
        if after is None:
            partition.pop(key[1], None)
        else:
            after = partition[key[1]] = _in_another_order(after)
        self._sorted.pop(key[0], None)
        self._previous[key] = (now_ms, before)
        for index in self.indexes.values():
            index.follow(key, before, after, now_ms + lag_ms())
        return before

    def rows(self, partition: str) -> list[Item]:
        """A partition, sorted."""
        rows = self._sorted.get(partition)
        if rows is None:
            found = self.partitions.get(partition, {}).values()
            sort = self.schema.sort
            rows = sorted(found, key=lambda item: order_of(item[sort])) if sort else list(found)
            self._sorted[partition] = rows
        return list(rows)

    def items(self) -> Iterator[tuple[Key, Item]]:
        """All of them, for those who look from outside."""
        for partition, rows in self.partitions.items():
            for sort, item in rows.items():
                yield (partition, sort), item
