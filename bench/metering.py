"""A boto3 client that counts what it is asked."""

import json
from dataclasses import dataclass, field
from typing import Any

_WRITES = frozenset({"put_item", "update_item", "transact_write_items"})


@dataclass
class Meter:
    """Calls by name, in order, and the bytes of the requests that write."""

    calls: list[str] = field(default_factory=list)
    bytes_written: int = 0

    def take(self) -> tuple[list[str], int]:
        """What was counted since the last time."""
        counted = self.calls, self.bytes_written
        self.calls, self.bytes_written = [], 0
        return counted


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
            return method(**request)

        return call
