"""A drill for the queue model of `bench/burst.py`: the real functions on simulated time, at a fiftieth of the size.

The simulator runs them with its latencies and without its faults, as fast as executions, batches and calls let them.
Partitions of DynamoDB have their limits, and the sweeper runs each minute.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final

from bench.burst import Load, Times, drawn_batch_ms, modelled, times_of
from simulation.functions import FUNCTIONS, current_wirings
from simulation.kernel import EPOCH_MS
from simulation.queue import Queue
from simulation.workload import MERCHANTS
from simulation.world import MINUTE_MS, TRANSACTIONS, Episode, Plan, World
from testing.dynamodb.tables import Key
from testing.dynamodb.throughput import WRITE_UNITS, Throughput
from testing.dynamodb.values import Item

_BODY: Final = {"amount": 1999, "currency": "USD", "paymentMethod": {"type": "card", "token": "tok_success"}}
_FINAL: Final = "SUCCESS"
_PATIENCE_MS: Final = 30 * MINUTE_MS
_REPEATED_AFTER_MS: Final = 1_000
_VISIBILITY_FACTOR: Final = 6
_CALL_MS: Final = (5, 200)
"""A call of a provider in the simulator."""
_WAYS: Final = 5
_WAY_MS: Final = (1, 9)
"""The claim and the outcome, each to DynamoDB and back, and the way to the provider."""
_ACCEPT_MS: Final = 45
"""API Gateway, the key of the merchant in the authorizer's cache, and the put."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """The settings of a drill. `partition_writes`: write units that a partition takes in a second.

    `stopped_seconds`: so long after the first request, nobody takes messages.
    """

    load: Load
    executions: int
    partition_writes: int = WRITE_UNITS
    stopped_seconds: int = 0


DRILL: Final = Drill(load=Load(per_second=20, seconds=20, burst_from=5, burst_seconds=2), executions=1)
"""A fiftieth of 1,000 a second, with a burst that the execution works off behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drilled:
    """The result of a drill."""

    times: Times
    lost: int
    """Payments whose request was accepted, and that did not become final."""
    charged_twice: int
    refused: int
    """Requests that were answered 503, and repeated with their key."""
    messages_a_payment: float
    """Wake-ups of workers: more than one where the load feeds itself."""
    throttled: int


@dataclass(slots=True)
class _Seen:
    asked_ms: dict[str, int] = field(default_factory=dict)
    """The time of the first request, by key."""
    keys: dict[str, str] = field(default_factory=dict)
    """The key of each payment."""
    final_ms: dict[str, int] = field(default_factory=dict)
    refused: int = 0


class _DrillWorld(World):
    """A world without faults, whose queues are in order and have so many executions."""

    def __init__(self, drill: Drill) -> None:
        self.drill, self.seen = drill, _Seen()
        super().__init__(Plan(1))
        self.providers.changed = lambda _shop: None  # providers' webhooks have functions of their own

    def _queue(self, consumer: str) -> Queue:
        return Queue(
            self.kernel,
            self.faults,
            self.history,
            consumer=consumer,
            visibility_ms=FUNCTIONS[consumer].timeout_ms * _VISIBILITY_FACTOR,
            concurrency=self.drill.executions,
            in_order=True,
            off_until_ms=self._workers_off_until_ms,
        )

    def _observe(self, table: str, key: Key, before: Item | None, after: Item | None) -> None:
        super()._observe(table, key, before, after)
        if table == TRANSACTIONS and key[1] == "PAYMENT" and after is not None and after["status"]["S"] == _FINAL:
            self.seen.final_ms.setdefault(key[0].rpartition("#")[2], self.kernel.now_ms)

    def drilled(self) -> Drilled:
        """Set up, pay, and wait until all is final or patience runs out."""
        kernel = self.kernel
        with current_wirings(kernel):
            kernel.spawn(partial(self.operators.set_up, frozenset(MERCHANTS)))
            kernel.run(EPOCH_MS + MINUTE_MS)
            self.history.messages.clear()
            self.database.throughput = Throughput(now_ms=lambda: kernel.now_ms, writes=self.drill.partition_writes)
            start_ms = kernel.now_ms
            self._workers_off = Episode(start_ms, start_ms + self.drill.stopped_seconds * 1_000)
            arrivals = list(self.drill.load.arrivals_ms())
            for number, at_ms in enumerate(arrivals):
                kernel.at(start_ms + at_ms, partial(kernel.spawn, partial(self._pay, number)))
            self._sweep_later()
            while len(self.seen.final_ms) < len(arrivals) and kernel.now_ms < start_ms + _PATIENCE_MS:
                kernel.run(kernel.now_ms + _REPEATED_AFTER_MS)
            kernel.close()
        return self._result(len(arrivals), start_ms + arrivals[-1])

    def _pay(self, number: int) -> None:
        key, merchant = f"drill-{number}", MERCHANTS[number % len(MERCHANTS)]
        self.seen.asked_ms[key] = self.kernel.now_ms
        while True:
            call = self.api.request(merchant, "POST", "/payments", key=key, body=json.dumps(_BODY))
            if call.status == 202:
                self.seen.keys[call.answer["transactionId"]] = key
                return
            self.seen.refused += 1
            self.kernel.sleep(_REPEATED_AFTER_MS)

    def _result(self, payments: int, last_asked_ms: int) -> Drilled:
        seen = self.seen
        finals = {payment: at_ms for payment, at_ms in seen.final_ms.items() if payment in seen.keys}
        charges = Counter(line["reference"] for line in self.providers.ledger() if _is_charge(line))
        throughput = self.database.throughput
        return Drilled(
            times=times_of(
                [at_ms - seen.asked_ms[seen.keys[payment]] for payment, at_ms in finals.items()],
                drained_ms=max(finals.values()) - last_asked_ms,
            ),
            lost=payments - len(finals),
            charged_twice=sum(count > 1 for count in charges.values()) + max(0, len(charges) - payments),
            refused=seen.refused,
            messages_a_payment=len(self.history.messages) / payments,
            throttled=throughput.throttled.total() if throughput else 0,
        )


def _is_charge(line: dict[str, Any]) -> bool:
    return bool(line["kind"] == "charge" and line["status"] == "charged")


def drilled(drill: Drill) -> Drilled:
    """Run it."""
    return _DrillWorld(drill).drilled()


def model_of_drill(drill: Drill) -> Times:
    """The model with the latencies of the simulator, which Lambda's scaling is no part of."""
    batch_ms = drawn_batch_ms(Random(1), call_ms=_CALL_MS, ways=_WAYS, way_ms=_WAY_MS)  # noqa: S311 - a model, and no secret
    return modelled(drill.load, executions=drill.executions, batch_ms=batch_ms, accept_ms=_ACCEPT_MS, scales=False)
