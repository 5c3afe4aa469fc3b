"""A boto3 client that counts what it is asked."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

_WRITES = frozenset({"put_item", "update_item", "transact_write_items"})
_READS = frozenset({"get_item", "query", "batch_get_item"})


@dataclass
class Meter:
    """Calls by name, in order; the bytes of the requests that write; the capacity that DynamoDB would bill."""

    calls: list[str] = field(default_factory=list)
    bytes_written: int = 0
    write_units: float = 0
    read_units: float = 0

    def take(self) -> "Meter":
        """What was counted since the last time."""
        counted = replace(self)
        self.calls, self.bytes_written, self.write_units, self.read_units = [], 0, 0, 0
        return counted

    def add(self, other: "Meter") -> None:
        """Count another meter in."""
        self.calls = self.calls + other.calls
        self.bytes_written += other.bytes_written
        self.write_units += other.write_units
        self.read_units += other.read_units

    def bill(self, name: str, answer: dict[str, Any]) -> None:
        """The units that the engine says the call took."""
        consumed = answer.get("ConsumedCapacity", [])
        units = sum(c["CapacityUnits"] for c in (consumed if isinstance(consumed, list) else [consumed]))
        if name in _WRITES:
            self.write_units += units
        else:
            self.read_units += units


@dataclass
class MeteredClient:
    """Passes everything on."""

    client: Any
    meter: Meter

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)
        if name.startswith("_") or not callable(method):
            return method

        def call(**request: Any) -> Any:
            self.meter.calls.append(name)
            if name in _WRITES:
                self.meter.bytes_written += len(json.dumps(request, default=str))
            if name not in _WRITES | _READS:
                return method(**request)
            answer = method(**request, ReturnConsumedCapacity="TOTAL")
            self.meter.bill(name, answer)
            return answer

        return call
