"""Requests on tables that hold much more: their calls and units must not follow the number of payments.

The suite goes to `LARGE`. `python -m bench.growth 1000000` goes further: the model holds all items in memory, which
takes about a minute of a processor and 4 GB for a million, and so is no part of the suite.
"""

import argparse
from typing import Any, Final

from bench.metering import Meter
from bench.model.engine import ModelEngine
from bench.payment_counts import EXAMPLE, counting
from payflowx.domain.shared.limits import SECOND_MS
from tests.support.handlers import Functions
from tests.support.tables import TRANSACTIONS

SMALL: Final = 1_000
LARGE: Final = 100_000


def growth(large: int = LARGE) -> dict[str, dict[str, Any]]:
    """Rows by request, each with calls and units at `SMALL` and at `large` payments of one merchant."""
    found: dict[str, dict[str, Any]] = {}
    for size in (SMALL, large):
        with counting() as (engine, functions):
            _fill(engine, functions, size)
            for name, counted in _requests(engine, functions):
                found.setdefault(name, {})[str(size)] = {
                    "calls": len(counted.calls),
                    "writeUnits": counted.write_units,
                    "readUnits": counted.read_units,
                }
    return found


def _fill(engine: ModelEngine, functions: Functions, size: int) -> None:
    """Copies of a payment that ended, one a second of the last days, each with its entry in the merchant's list."""
    table = engine.database.tables[TRANSACTIONS]
    pattern = next(item for _, item in table.items() if item["sk"]["S"] == "PAYMENT")
    created_ms = functions.clock.now_ms()
    for number in range(size):
        at_ms = created_ms - (number % 86_400) * SECOND_MS
        name = f"pay_{number:016d}"
        item = {**pattern, "pk": {"S": f"M#acme#P#{name}"}, "merchantDaySort": {"S": f"{at_ms}#{name}"}}
        table.put(table.schema.key_of(item), item, 0, lambda: 0)


def _requests(engine: ModelEngine, functions: Functions) -> list[tuple[str, Meter]]:
    def counted(*request: Any, **more: Any) -> Meter:
        engine.meter.take()
        functions.call(*request, **more)
        return engine.meter.take()

    def paid(key: str) -> Meter:
        engine.meter.take()
        functions.pay(key, **EXAMPLE)
        return engine.meter.take()

    functions.call("GET", "/payments", query={"limit": "20"})  # a warm-up: the cursors' secret is read
    _, payment, _ = functions.pay("known", **EXAMPLE)
    return [
        ("accept", paid("new")),
        ("repeat of the same key", paid("known")),
        ("read", counted("GET", f"/payments/{payment['transactionId']}")),
        ("list of 20", counted("GET", "/payments", query={"limit": "20"})),
    ]


def main() -> None:
    """Print a line a request: calls, write units and read units at both sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("payments", type=int, nargs="?", default=LARGE)
    for name, by_size in growth(parser.parse_args().payments).items():
        print(f"{name:<22} {by_size}")


if __name__ == "__main__":
    main()
