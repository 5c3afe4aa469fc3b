"""The tables of the data stack over the in-memory model, with an index that follows at once."""

from collections.abc import Callable

from testing.dynamodb.database import Database
from testing.dynamodb.tables import Index, Schema, Table
from tests.support.tables import INDEXES, KEY_SCHEMAS, TRANSACTIONS


def model_database(now_ms: Callable[[], int] = lambda: 0) -> Database:
    """Empty tables, as `create_tables` makes them at the engine."""
    return Database({name: _table(name) for name in KEY_SCHEMAS}, now_ms=now_ms)


def _table(name: str) -> Table:
    schema = _schema(KEY_SCHEMAS[name])
    indexes = INDEXES if name == TRANSACTIONS else {}
    return Table(name, schema, {index: Index(_schema(keys), schema) for index, keys in indexes.items()})


def _schema(keys: list[tuple[str, str]]) -> Schema:
    return Schema(*(attribute for attribute, _ in keys))
