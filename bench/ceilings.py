"""`python -m bench.ceilings`: how many messages each queue's consumers take a second, as docs/scale.md says.

A batch of ten takes its slowest call and the processor time of all ten, on the share of a processor that the function's
memory gives it. The processor time is assumed: a second column shows the same queues with the times of the suite's last
run (docs/performance.json), which are those of one machine on one day.
"""

from typing import Final

from bench.last_run import last_run
from infra.settings import ENVIRONMENTS

BATCH: Final = 10
PROCESSOR_MB: Final = 1_769
"""With so much memory a function has one processor, with less a part of it:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
"""
CONSUMER_MB: Final = 512
"""Of worker, deliverer and provider events; a test compares with the template."""
JOB_CPU_MS: Final = 14
"""Processor time of a worker's payment. An assumption, and not the suite's median: settings and tests depend on it, and
times of a machine are no gates. A test holds that the last run took no more, and at least a quarter.
"""
DELIVERY_CPU_MS: Final = 14
"""Of a delivered event: assumed and held in the same way."""
EVENT_CPU_MS: Final = 14
"""Of a provider's event that makes a worker inquire: the suite does not measure it, so it is taken as a job's."""
_POST_TIMEOUT_MS: Final = 15_000
_AROUND_SLOW_POST_MS: Final = 4_000


def batch_ms(call_ms: float, *, cpu_ms: float = JOB_CPU_MS, messages: int = BATCH) -> int:
    """Return the time of a batch whose calls take so long side by side."""
    return round(call_ms + messages * cpu_ms * PROCESSOR_MB / CONSUMER_MB)


def a_second(executions: int, one_batch_ms: float) -> float:
    """Return how many messages so many executions take a second, with full batches."""
    return executions * BATCH * 1_000 / one_batch_ms


def ceilings(
    *, job_cpu_ms: float = JOB_CPU_MS, delivery_cpu_ms: float = DELIVERY_CPU_MS, event_cpu_ms: float = EVENT_CPU_MS
) -> dict[str, float]:
    """Messages a second at the settings of `prod`."""
    (prod,) = (settings for settings in ENVIRONMENTS if settings.name == "prod")
    posts = prod.delivery_concurrency
    slow_ms = _POST_TIMEOUT_MS + _AROUND_SLOW_POST_MS
    return {
        "workers, provider of 300 ms": a_second(prod.worker_concurrency, batch_ms(300, cpu_ms=job_cpu_ms)),
        "workers, provider of 3 s": a_second(prod.worker_concurrency, batch_ms(3_000, cpu_ms=job_cpu_ms)),
        "deliveries, endpoints of 300 ms": a_second(posts, batch_ms(300, cpu_ms=delivery_cpu_ms)),
        "deliveries, endpoints of 1 s": a_second(posts, batch_ms(1_000, cpu_ms=delivery_cpu_ms)),
        "deliveries, endpoints that time out": a_second(prod.slow_delivery_concurrency, slow_ms),
        "provider events": a_second(prod.provider_event_concurrency, batch_ms(0, cpu_ms=event_cpu_ms)),
    }


def main() -> None:
    """Print a line a queue: with the assumed times, and with those of the suite's last run."""
    last = last_run()
    measured = ceilings(job_cpu_ms=last.job_cpu_ms, delivery_cpu_ms=last.delivery_cpu_ms, event_cpu_ms=last.job_cpu_ms)
    print(f"processor time of a message: {JOB_CPU_MS} ms of a job, {DELIVERY_CPU_MS} ms of a delivery are assumed;")
    print(f"the suite's last run took {last.job_cpu_ms:.2f} and {last.delivery_cpu_ms:.2f} ms")
    print(f"{CONSUMER_MB} MB are {CONSUMER_MB / PROCESSOR_MB:.2f} of a processor\n")
    print(f"{'messages a second':<38} {'assumed':>8} {'last run':>9}")
    for name, count in ceilings().items():
        print(f"{name:<38} {count:8.1f} {measured[name]:9.1f}")


if __name__ == "__main__":
    main()
