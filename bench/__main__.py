"""`make bench`: what a payment costs in calls and bytes, and what a cold start imports."""

import contextlib
import io
import json
import sys
from typing import Any

from bench.imports import HANDLERS, imported_by
from bench.metering import Meter, MeteredClient
from payflowx.domain.payments.outcome import NotSent, Unknown
from tests.support.engine import InProcessEngine
from tests.support.handlers import Functions, functions_over
from tests.support.tables import create_tables


class MeteredEngine(InProcessEngine):
    """Every client of the handlers counts on one meter."""

    def __init__(self) -> None:
        super().__init__()
        self.meter = Meter()

    def client(self, service: str) -> Any:
        """A counting client."""
        return MeteredClient(super().client(service), self.meter)


def main() -> None:
    """Print the tables; add --json for programs."""
    result = {"payments": payments(), "imports": imports()}
    if "--json" in sys.argv:
        print(json.dumps(result, indent=2))
        return
    print("\nCalls to AWS and request bytes of writes (warm functions, a provider that answers in one request)\n")
    for name, row in result["payments"].items():
        calls = ", ".join(f"{count} {call}" for call, count in row["calls"].items())
        units = f"{row['writeUnits']:>5.1f} write units  {row['readUnits']:>4.1f} read units"
        print(f"  {name:<39} {row['total']:>2} calls  {row['bytesWritten']:>6} bytes  {units}   {calls}")
    print("\nModules imported at a cold start (beyond a bare interpreter): ours, of these allowed, and all; CPU\n")
    for name, found in result["imports"].items():
        bound = f"of {found['bound']}" if found["bound"] else ""
        print(f"  {name:<20} {found['ours']:>4} {bound:<7} {found['all']:>4}  {found['cpu_ms']:>4} ms")


def payments() -> dict[str, Any]:
    """One row a way through."""
    with contextlib.closing(MeteredEngine()) as engine:
        create_tables(InProcessEngine.client(engine, "dynamodb"))
        return _payments(engine)


def _payments(engine: MeteredEngine) -> dict[str, Any]:
    with contextlib.redirect_stdout(io.StringIO()), functions_over(engine) as functions:
        functions.pay("warm-up")
        functions.work()
        engine.meter.take()
        rows = {
            "accept": lambda: functions.pay("good"),
            "process, one request": lambda: work(functions),
            "repeat of the same key": lambda: functions.pay("good"),
            "read": lambda: read(functions),
        }
        counted = {name: count(engine, step) for name, step in rows.items()}
        counted["accept, with an order"] = count(engine, lambda: functions.pay("ordered", orderId="order-1"))
        counted["process, with an order"] = count(engine, lambda: work(functions))
        counted["refused, the order is held"] = count(engine, lambda: functions.pay("second", orderId="order-1"))
        counted["accept, the order was freed"] = again(functions, engine)
        counted["accept to SUCCESS"] = whole(functions, engine)
        counted["accept to SUCCESS, after a fail-over"] = whole(functions, engine, NotSent(code="x"))
        counted["accept to SUCCESS, after a lost answer"] = whole(functions, engine, Unknown(code="x"))
    return counted


def work(functions: Functions) -> None:
    """The worker's part, without the queue's own calls."""
    meter = functions.engine.meter  # type: ignore[attr-defined]
    records = functions.messages()
    meter.take()
    from payflowx.entrypoints import worker  # noqa: PLC0415 - patched by then
    from tests.support.handlers import Context  # noqa: PLC0415

    worker.handler({"Records": records}, Context())


def whole(functions: Functions, engine: MeteredEngine, *first: Any) -> dict[str, Any]:
    """A payment from its POST to SUCCESS. The clock moves on for the delayed messages, which come as the sweeper's."""
    functions.providers.get("alpha").charges = list(first)
    functions.providers.get("alpha").inquiries = ["charged"] if first and isinstance(first[0], Unknown) else []
    functions.messages()
    engine.meter.take()
    _, payment, _ = functions.pay(f"whole-{'-'.join(type(answer).__name__ for answer in first)}")
    counted = engine.meter.take()
    for _ in range(4):
        work_once(functions, payment["transactionId"])
        counted.add(engine.meter.take())
        if functions.call("GET", f"/payments/{payment['transactionId']}")[1]["status"] == "SUCCESS":
            break
        functions.clock.advance(5)
    engine.meter.take()
    return summary(counted)


def again(functions: Functions, engine: MeteredEngine) -> dict[str, Any]:
    """A further payment of an order whose first one was cancelled: the order's item exists."""
    _, first, _ = functions.pay("first", orderId="order-2")
    functions.call("POST", f"/payments/{first['transactionId']}/cancel")
    return count(engine, lambda: functions.pay("another", orderId="order-2"))


def work_once(functions: Functions, transaction_id: str) -> None:
    """A message in the queue, or, where it is delayed, one like it."""
    from payflowx.entrypoints import worker  # noqa: PLC0415 - patched by then
    from tests.support.handlers import Context  # noqa: PLC0415

    records = functions.messages()
    if not records:
        body = {"format": 1, "merchant_id": "acme", "transaction_id": transaction_id}
        records = [{"messageId": "m", "body": json.dumps(body)}]
    functions.engine.meter.take()  # type: ignore[attr-defined]
    worker.handler({"Records": records}, Context())


def read(functions: Functions) -> None:
    """GET a payment."""
    _, payment, _ = functions.pay("good")
    functions.engine.meter.take()  # type: ignore[attr-defined]
    functions.call("GET", f"/payments/{payment['transactionId']}")


def count(engine: MeteredEngine, step: Any) -> dict[str, Any]:
    """What one step asked for."""
    engine.meter.take()
    step()
    return summary(engine.meter.take())


def summary(counted: Meter) -> dict[str, Any]:
    """Calls by name."""
    calls = counted.calls
    return {
        "total": len(calls),
        "calls": {name: calls.count(name) for name in sorted(set(calls))},
        "bytesWritten": counted.bytes_written,
        "writeUnits": counted.write_units,
        "readUnits": counted.read_units,
    }


def imports() -> dict[str, dict[str, int]]:
    """Modules in a fresh interpreter after importing a handler, less those that were there before."""
    counted = {name.removeprefix("payflowx.entrypoints."): imported_by(name) for name in ("boto3", *HANDLERS)}
    bounds = {name.removeprefix("payflowx.entrypoints."): bound for name, bound in HANDLERS.items()}
    return {name: {**found._asdict(), "bound": bounds.get(name, 0)} for name, found in counted.items()}


if __name__ == "__main__":
    main()
