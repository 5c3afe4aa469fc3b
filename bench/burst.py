"""`python -m bench.burst`: ten minutes at 1,000 payments a second with a burst of ten times that.

A queue model: messages wait in their order, executions take up to ten of them, and a batch ends with its slowest call.
Its figures: the processor time of a payment that `bench/ceilings.py` assumes, on a worker's share of a processor, a
provider of 300 ms, and the median time to accept of the suite's last run (docs/performance.json). The same model, with
the latencies of the simulator, is held to a drill: 20 simulated seconds of the real functions (`bench/drill.py`), in
which every payment must become final, with one charge.
"""

import argparse
import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from bench.ceilings import BATCH, a_second, batch_ms
from bench.last_run import last_run

SCALING_SECONDS: Final = 60
EXECUTIONS_A_MINUTE: Final = 300
FIRST_EXECUTIONS: Final = 5
"""Lambda begins to poll a queue with five executions, and adds up to 300 a minute:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""
_SECOND_MS: Final = 1_000
_P99: Final = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Payments a second for some seconds; `times` as many for `burst_seconds` of them."""

    per_second: int
    seconds: int
    burst_from: int
    burst_seconds: int
    times: int = 10

    def arrivals_ms(self) -> Iterator[int]:
        """The time of each payment, evenly spread over its second."""
        for second in range(self.seconds):
            is_burst = self.burst_from <= second < self.burst_from + self.burst_seconds
            count = self.per_second * (self.times if is_burst else 1)
            yield from (second * _SECOND_MS + number * _SECOND_MS // count for number in range(count))


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Of payments, from their request to their final state."""

    payments: int
    p50_ms: int
    p99_ms: int
    longest_ms: int
    drained_ms: int
    """After the last request, the time until all are final."""


def times_of(finals_ms: Sequence[int], *, drained_ms: int) -> Times:
    """Sum up the times of all payments."""
    ordered = sorted(finals_ms)
    return Times(
        payments=len(ordered),
        p50_ms=ordered[len(ordered) // 2],
        p99_ms=ordered[int(_P99 * len(ordered))],
        longest_ms=ordered[-1],
        drained_ms=max(0, drained_ms),
    )


def modelled(load: Load, *, executions: int, batch_ms: Callable[[int], int], accept_ms: int, scales: bool) -> Times:
    """Let each batch take `batch_ms` of its length. `scales`: Lambda adds executions from the first request on."""
    arrivals = [at_ms + accept_ms for at_ms in load.arrivals_ms()]
    free = [_begins_ms(number) if scales else 0 for number in range(executions)]
    heapq.heapify(free)
    finals: list[int] = []
    first, ended_ms = 0, 0
    while first < len(arrivals):
        begin_ms = max(heapq.heappop(free), arrivals[first])
        last = first + 1
        while last < len(arrivals) and last - first < BATCH and arrivals[last] <= begin_ms:
            last += 1
        end_ms = begin_ms + batch_ms(last - first)
        finals += [end_ms - arrival + accept_ms for arrival in arrivals[first:last]]
        heapq.heappush(free, end_ms)
        first, ended_ms = last, max(ended_ms, end_ms)
    return times_of(finals, drained_ms=ended_ms - arrivals[-1])


def _begins_ms(number: int) -> int:
    """When the execution with this number may take its first batch."""
    added = max(0, number + 1 - FIRST_EXECUTIONS)
    return added * SCALING_SECONDS * _SECOND_MS // EXECUTIONS_A_MINUTE


def drawn_batch_ms(
    random: Random, *, call_ms: tuple[int, int], ways: int, way_ms: tuple[int, int]
) -> Callable[[int], int]:
    """A batch whose calls of the provider take a time between two bounds each, besides so many ways to AWS and back."""

    def batch_ms(length: int) -> int:
        return max(random.randint(*call_ms) + sum(random.randint(*way_ms) for _ in range(ways)) for _ in range(length))

    return batch_ms


WHOLE: Final = Load(per_second=1_000, seconds=600, burst_from=120, burst_seconds=5)
PROVIDER_MS: Final = 300


def whole(executions: int) -> Times:
    """The ten minutes, at so many executions of the worker."""
    accept_ms = round(last_run().accept_ms)
    return modelled(
        WHOLE,
        executions=executions,
        batch_ms=lambda messages: batch_ms(PROVIDER_MS, messages=messages),
        accept_ms=accept_ms,
        scales=True,
    )


def main() -> None:
    """Print a line for each number of executions, and with `--drill` the drill beside its model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drill", action="store_true", help="run the real functions, too: about a minute")
    asked = parser.parse_args()
    print(
        f"{WHOLE.per_second:,} payments a second for {WHOLE.seconds} s, ten times as many for {WHOLE.burst_seconds} s"
    )
    print(f"a provider of {PROVIDER_MS} ms: a full batch takes {batch_ms(PROVIDER_MS)} ms")
    print(f"a payment is accepted after {last_run().accept_ms:.0f} ms\n")
    for executions in (100, 200, 400, 800):
        found = whole(executions)
        print(
            f"{executions:4} executions, {a_second(executions, batch_ms(PROVIDER_MS)):6,.0f} a second: "
            f"p50 {found.p50_ms / 1000:5.1f} s, p99 {found.p99_ms / 1000:5.1f} s, "
            f"the last {found.longest_ms / 1000:5.1f} s"
        )
    if asked.drill:
        from bench.drill import DRILL, drilled, model_of_drill  # noqa: PLC0415 - the simulator is needed for it only

        print()
        real, model = drilled(DRILL), model_of_drill(DRILL)
        for name, times in (("the real functions", real.times), ("the model of them", model)):
            print(f"{name}: p50 {times.p50_ms:,} ms, p99 {times.p99_ms:,} ms, drained {times.drained_ms:,} ms after")
        print(f"lost {real.lost}, charged twice {real.charged_twice}, messages a payment {real.messages_a_payment:.2f}")


if __name__ == "__main__":
    main()
