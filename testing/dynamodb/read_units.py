"""The read units that DynamoDB bills: a query by the sum of its rows, a read by keys for each item by itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from testing.dynamodb.database import Database
from testing.dynamodb.sizes import item_bytes

UNIT_BYTES: Final = 4_096
_EVENTUAL: Final = 0.5


@dataclass
class ReadMeter:
    """A DynamoDB client over the model that counts its calls and the units of what they read."""

    database: Database
    calls: list[str] = field(default_factory=list)
    units: float = 0

    def take(self) -> tuple[list[str], float]:
        """The calls and units since the last time."""
        counted = self.calls, self.units
        self.calls, self.units = [], 0
        return counted

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.database, name)

        def call(**request: Any) -> Any:
            self.calls.append(name)
            answer = method(**request)
            self.units += self._units(name, request, answer)
            return answer

        return call

    def _units(self, name: str, request: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
        match name:
            case "query":
                return _units_of(map(item_bytes, answer["Items"]), consistent=request.get("ConsistentRead", False))
            case "get_item":
                found = [answer["Item"]] if "Item" in answer else [{}]
                return _units_of(map(item_bytes, found), consistent=request.get("ConsistentRead", False))
            case "batch_get_item":
                return sum(
                    _units_of([item_bytes(item)], consistent=wanted.get("ConsistentRead", False))
                    for table, wanted in request["RequestItems"].items()
                    for item in answer["Responses"].get(table, [])
                )
            case _:
                return 0


def _units_of(sizes: Iterable[int], *, consistent: bool) -> float:
    units = max(1, -(-sum(sizes) // UNIT_BYTES))
    return units if consistent else units * _EVENTUAL
