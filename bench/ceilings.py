"""`python -m bench.ceilings`: how many messages each queue's consumers take a second, as docs/scale.md says.

A batch of ten takes its slowest call and the processor time of all ten, on the share of a processor that the function's
memory gives it. The processor time is the suite's (docs/performance.json).
"""

import json
from typing import Any, Final

from bench.layout import ROOT
from infra.settings import ENVIRONMENTS

BATCH: Final = 10
PROCESSOR_MB: Final = 1_769
"""With so much memory a function has one processor, with less a part of it:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
"""
CONSUMER_MB: Final = 512
"""Of worker, deliverer and provider events; a test compares with the template."""
JOB_CPU_MS: Final = 14
"""Processor time of a worker's payment, as the suite measures it: 14.2 ms without an endpoint."""
DELIVERY_CPU_MS: Final = 14
"""Of a delivered event: 13.6 ms."""
EVENT_CPU_MS: Final = 14
"""Of a provider's event that makes a worker inquire: not measured, taken as a job's."""
_POST_TIMEOUT_MS: Final = 15_000
_AROUND_SLOW_POST_MS: Final = 4_000


def batch_ms(call_ms: float, *, cpu_ms: float = JOB_CPU_MS, messages: int = BATCH) -> int:
    """Return the time of a batch whose calls take so long side by side."""
    return round(call_ms + messages * cpu_ms * PROCESSOR_MB / CONSUMER_MB)


def a_second(executions: int, one_batch_ms: float) -> float:
    """Return how many messages so many executions take a second, with full batches."""
    return executions * BATCH * 1_000 / one_batch_ms


def ceilings() -> dict[str, float]:
    """Messages a second at the settings of `prod`."""
    (prod,) = (settings for settings in ENVIRONMENTS if settings.name == "prod")
    posts = prod.delivery_concurrency
    slow_ms = _POST_TIMEOUT_MS + _AROUND_SLOW_POST_MS
    return {
        "workers, provider of 300 ms": a_second(prod.worker_concurrency, batch_ms(300)),
        "workers, provider of 3 s": a_second(prod.worker_concurrency, batch_ms(3_000)),
        "deliveries, endpoints of 300 ms": a_second(posts, batch_ms(300, cpu_ms=DELIVERY_CPU_MS)),
        "deliveries, endpoints of 1 s": a_second(posts, batch_ms(1_000, cpu_ms=DELIVERY_CPU_MS)),
        "deliveries, endpoints that time out": a_second(prod.slow_delivery_concurrency, slow_ms),
        "provider events": a_second(prod.provider_event_concurrency, batch_ms(0, cpu_ms=EVENT_CPU_MS)),
    }


def measured_cpu_ms() -> dict[str, float]:
    """Return the CPU time that the suite measured last, to compare with the constants here."""
    rows: dict[str, Any] = json.loads((ROOT / "docs" / "performance.json").read_text())["measured"]["cpu"]
    return {
        "job": rows["no endpoint"]["work"]["median"],
        "delivery": rows["one endpoint"]["finish"]["median"],
    }


def main() -> None:
    """Print a line a queue."""
    print(f"processor time of a message in the last run of the suite: {measured_cpu_ms()} ms")
    print(f"{CONSUMER_MB} MB are {CONSUMER_MB / PROCESSOR_MB:.2f} of a processor\n")
    for name, count in ceilings().items():
        print(f"{name:<38} {count:6.1f} a second")


if __name__ == "__main__":
    main()
