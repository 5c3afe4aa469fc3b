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

    def count(self, kind: str) -> int:
        """How many `all` would give: each new charge asks."""
        ...


@dataclass(slots=True)
class MemoryStore:
    """Implements `Store` in a dictionary. The caller serializes requests."""

    kinds: dict[str, dict[str, Record]] = field(default_factory=dict)

    def get(self, kind: str, key: str) -> Record | None:
        """A copy: a simulator must store its changes explicitly."""
        return copy.deepcopy(self.kinds.get(kind, {}).get(key))

    def put(self, kind: str, key: str, record: Record) -> None:
        """Increments the version."""
        records = self.kinds.setdefault(kind, {})
        stored = records.get(key)
        version = stored["version"] if stored else 0
        if record.get("version", 0) != version:
            raise ConflictError
        records[key] = {**copy.deepcopy(record), "version": version + 1}

    def all(self, kind: str) -> Iterator[Record]:
        """In the order of their creation."""
        for record in list(self.kinds.get(kind, {}).values()):
            yield copy.deepcopy(record)

    def count(self, kind: str) -> int:
        """Copies nothing, so that a charge costs the same however many there are."""
        return len(self.kinds.get(kind, {}))

    def clear(self) -> None:
        self.kinds.clear()
