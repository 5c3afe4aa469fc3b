"""Clients that count what they are asked: calls, bytes of writes, capacity."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from botocore.exceptions import ClientError

from bench.model.units import Written, read_units, single_read_units, write_units
from payflowx.adapters.dynamodb.core.sizes import item_bytes
from testing.dynamodb.database import Database

_WRITES: Final = frozenset({"put_item", "update_item", "delete_item", "transact_write_items", "batch_write_item"})
_PAYMENT: Final = {"S": "PAYMENT"}
_READS: Final = frozenset({"get_item", "query", "batch_get_item"})


@dataclass
class Meter:
    """Calls by name, in order; the bytes of the requests that write; the capacity that DynamoDB would bill."""

    calls: list[str] = field(default_factory=list)
    bytes_written: int = 0
    write_units: float = 0
    read_units: float = 0
    payment_bytes: int = 0
    """Of the largest item of a payment that was written, before or after the write."""

    def take(self) -> "Meter":
        """Return the counts since the last time, and begin at zero."""
        counted = replace(self)
        self.calls, self.bytes_written, self.write_units, self.read_units, self.payment_bytes = [], 0, 0, 0, 0
        return counted

    def add(self, other: "Meter") -> None:
        """Count another meter in."""
        self.calls = self.calls + other.calls
        self.bytes_written += other.bytes_written
        self.write_units += other.write_units
        self.read_units += other.read_units
        self.payment_bytes = max(self.payment_bytes, other.payment_bytes)


@dataclass
class MeteredClient:
    """Counts the calls of any service, and passes them on."""

    client: Any
    meter: Meter

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)
        if name.startswith("_") or not callable(method):
            return method

        def call(**request: Any) -> Any:
            self.meter.calls.append(name)
            return method(**request)

        return call


@dataclass
class MeteredDatabase:
    """Counts capacity and bytes, too. A write whose condition fails is billed as if it had been made."""

    database: Database
    meter: Meter
    _written: list[Written] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.database.observe = self._observe

    def _observe(self, table: str, _key: object, before: Any, after: Any) -> None:
        if (after or before or {}).get("sk") == _PAYMENT:
            self.meter.payment_bytes = max(self.meter.payment_bytes, item_bytes(before), item_bytes(after))
        self._written.append(Written(table=self.database.tables[table], before=before, after=after))

    def __getattr__(self, name: str) -> Any:
        method: Callable[..., Any] = getattr(self.database, name)
        if name not in _WRITES | _READS:
            return method

        def call(**request: Any) -> Any:
            self.meter.calls.append(name)
            if name in _READS:
                answer = method(**request)
                self.meter.read_units += _read(name, request, answer)
                return answer
            self.meter.bytes_written += len(json.dumps(request, default=str))
            return self._write(method, request)

        return call

    def _write(self, method: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        self._written.clear()
        actions = request.get("TransactItems", [{}])
        transaction = "TransactItems" in request
        try:
            answer = method(**request)
        except ClientError:
            self.meter.write_units += write_units((), checks=len(actions), transaction=transaction)
            raise
        checks = sum("ConditionCheck" in action for action in actions)
        self.meter.write_units += write_units(self._written, checks=checks, transaction=transaction)
        return answer


def _read(name: str, request: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    match name:
        case "get_item":
            return single_read_units([answer], consistent=bool(request.get("ConsistentRead")))
        case "batch_get_item":
            return sum(
                single_read_units(
                    ({"Item": item} for item in answer["Responses"].get(table, ())),
                    consistent=bool(wanted.get("ConsistentRead")),
                )
                for table, wanted in request["RequestItems"].items()
            )
        case _:
            return read_units(answer["Items"], consistent=bool(request.get("ConsistentRead")))
