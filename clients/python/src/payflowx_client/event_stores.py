"""Where a receiver of webhooks remembers what it has handled."""

import contextlib
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import Protocol


class EventStore(Protocol):
    """Where it shares a database with the work, record in the same transaction: neither is then without the other."""

    def handled(self, transaction_id: str) -> frozenset[int]:
        """The sequence numbers of this payment's events that were handled."""
        ...

    def record(self, event_id: str, transaction_id: str, sequence: int) -> None:
        """Remember durably; a second time changes nothing."""
        ...


class MemoryEventStore:
    """For tests: a restart forgets everything."""

    def __init__(self) -> None:
        self._handled: defaultdict[str, set[int]] = defaultdict(set)

    def handled(self, transaction_id: str) -> frozenset[int]:
        """As `EventStore`."""
        return frozenset(self._handled.get(transaction_id, ()))

    def record(self, event_id: str, transaction_id: str, sequence: int) -> None:  # noqa: ARG002 - as the protocol
        """As `EventStore`."""
        self._handled[transaction_id].add(sequence)


class SqliteEventStore:
    """A table in a SQLite file."""

    def __init__(self, path: str | Path, *, timeout_seconds: float = 10.0) -> None:
        self._path, self._timeout_seconds = str(path), timeout_seconds
        with self._connected() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS payflowx_events (transaction_id TEXT, sequence INTEGER, event_id TEXT,"
                " PRIMARY KEY (transaction_id, sequence))"
            )

    def handled(self, transaction_id: str) -> frozenset[int]:
        """As `EventStore`."""
        with self._connected() as connection:
            rows = connection.execute(
                "SELECT sequence FROM payflowx_events WHERE transaction_id = ?", (transaction_id,)
            )
            return frozenset(int(row[0]) for row in rows)

    def record(self, event_id: str, transaction_id: str, sequence: int) -> None:
        """As `EventStore`."""
        with self._connected() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO payflowx_events VALUES (?, ?, ?)", (transaction_id, sequence, event_id)
            )
            connection.commit()

    def _connected(self) -> contextlib.closing[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=self._timeout_seconds)
        connection.execute("PRAGMA synchronous = FULL")
        return contextlib.closing(connection)
