"""The capacity that DynamoDB bills for an operation, by the sizes of items and index entries.

The rules: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from payflowx.adapters.dynamodb.core.sizes import item_bytes
from testing.dynamodb.tables import Index, Table
from testing.dynamodb.values import Item, Value

_WRITE_BYTES: Final = 1024
_READ_BYTES: Final = 4096
_TRANSACTION: Final = 2
_EVENTUAL: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An item before and after a write; None where there was or is none."""

    table: Table
    before: Item | None
    after: Item | None


def write_units(written: Sequence[Written], *, checks: int = 0, transaction: bool) -> float:
    """`checks`: condition checks of a transaction, each of an item of at most 1 KB."""
    factor = _TRANSACTION if transaction else 1
    items = sum(_started(max(item_bytes(w.before), item_bytes(w.after), 1), _WRITE_BYTES) for w in written)
    return factor * (items + checks) + sum(index_units(w) for w in written)


def index_units(written: Written) -> int:
    """Keys only: a new or removed entry is one write, an entry whose key changes is removed and written."""
    return sum(_entries(index, written) for index in written.table.indexes.values())


def _entries(index: Index, written: Written) -> int:
    before, after = _entry(index, written.before), _entry(index, written.after)
    return 0 if before == after else (before is not None) + (after is not None)


def _entry(index: Index, item: Item | None) -> tuple[Value, Value] | None:
    schema = index.schema
    if item is None or schema.partition not in item or schema.sort not in item:
        return None
    return item[schema.partition], item[schema.sort]


def read_units(items: Iterable[Item], *, consistent: bool) -> float:
    """Of a page that is read at once. Nothing found costs as much as something small."""
    size = sum(item_bytes(item) for item in items)
    return _started(max(size, 1), _READ_BYTES) * (1 if consistent else _EVENTUAL)


def single_read_units(answers: Iterable[Mapping[str, Any]], *, consistent: bool) -> float:
    """Of items that are read one by one."""
    return sum(read_units([answer["Item"]] if "Item" in answer else [], consistent=consistent) for answer in answers)


def _started(size: int, unit: int) -> int:
    return -(-size // unit)
