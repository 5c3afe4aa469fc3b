"""The books of a provider's simulator: its records, and what each request or dashboard entered into them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from sandbox.ledger import LedgerSimulator
from sandbox.store import ConflictError, Record

_ENTERED: Final = frozenset({"charge", "operation"})
_NAMING: Final = frozenset({"charge", "order", "session", "link"})
"""Records whose ids a request may name instead of our key."""
_NAMES: Final = ("id", "session", "order_id")


@dataclass(slots=True)
class Books:
    """Implements the simulators' `Store`.

    A simulator replaces what it changes and never changes what a record holds in place, so a shallow copy is enough.
    """

    entered: Callable[[str, Record], None]
    """Gets each new charge and operation, with its kind of record."""
    kinds: dict[str, dict[str, Record]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    """Our key by each id that the provider gave to what has this key."""

    def get(self, kind: str, key: str) -> Record | None:
        records = self.kinds.get(kind)
        record = records.get(key) if records else None
        return dict(record) if record else None

    def put(self, kind: str, key: str, record: Record) -> None:
        records = self.kinds.setdefault(kind, {})
        before = records.get(key)
        version = before["version"] if before else 0
        if record.get("version", 0) != version:
            raise ConflictError
        records[key] = {**record, "version": version + 1}
        if before is None:
            self._name(kind, key, record)
            if kind in _ENTERED:
                self.entered(kind, record)

    def all(self, kind: str) -> Iterator[Record]:
        """In the order of their creation."""
        return (dict(record) for record in list(self.kinds.get(kind, {}).values()))

    def count(self, kind: str) -> int:
        return len(self.kinds.get(kind, {}))

    def _name(self, kind: str, key: str, record: Record) -> None:
        if kind not in _NAMING:
            return
        asked = record.get("body") or record.get("form") or {}
        ours = record.get("receipt") or record.get("reference") or record.get("order_id") or _reference(asked)
        if ours:
            self.keys[key] = ours
            self.keys |= {record[name]: ours for name in _NAMES if record.get(name)}


def charges_of(simulator: LedgerSimulator, now: float) -> dict[str, Record]:
    """The ledger's charges by their ids."""
    return {entry["chargeId"]: entry for entry in simulator.ledger(now) if entry["kind"] == "charge"}


def _reference(asked: Record) -> str | None:
    """Our key in the request that created a hosted object."""
    found = asked.get("reference") or asked.get("reference_id") or asked.get("client_reference_id")
    return str(found) if found else None
