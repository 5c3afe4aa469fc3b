"""The state of a simulator."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

Record = dict[str, Any]


class ConflictError(Exception):
    """The record changed after it was read: handle the request again."""


class Store(Protocol):
    """Records by kind and key. A record that was read is stored with its version; a new record has no version."""

    def get(self, kind: str, key: str) -> Record | None: ...

    def put(self, kind: str, key: str, record: Record) -> None:
        """Raises `ConflictError` unless the stored version is the one that was read."""
        ...

    def all(self, kind: str) -> Iterator[Record]: ...


@dataclass(slots=True)
class MemoryStore:
    """Implements `Store` in a dictionary. The caller serializes requests."""

    records: dict[tuple[str, str], Record] = field(default_factory=dict)

    def get(self, kind: str, key: str) -> Record | None:
        """A copy: a simulator must store its changes explicitly."""
        return copy.deepcopy(self.records.get((kind, key)))

    def put(self, kind: str, key: str, record: Record) -> None:
        """Increments the version."""
        stored = self.records.get((kind, key))
        version = stored["version"] if stored else 0
        if record.get("version", 0) != version:
            raise ConflictError
        self.records[kind, key] = {**copy.deepcopy(record), "version": version + 1}

    def all(self, kind: str) -> Iterator[Record]:
        """In the order of their creation."""
        for (known, _), record in list(self.records.items()):
            if known == kind:
                yield copy.deepcopy(record)

    def clear(self) -> None:
        self.records.clear()
