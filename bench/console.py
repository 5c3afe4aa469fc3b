"""`python -m bench.console`: the time of each of the console's screens over a list of 10,000 payments.

The pages ask the real handler of the operators' function in this process, over the in-memory model of DynamoDB: the
times hold the function's own work and the rendering, not the way to AWS.
"""

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from payflowx.domain.shared.identifiers import PAYMENT_PREFIX
from payflowx.domain.shared.operation_request import OperationKind
from tests.support.world import MERCHANT, World
from tests.unit.ops.console.conftest import HEALTH, QUEUES, CloudWatch, ModelTarget, handler_of, mismatched, unknown
from tests.unit.ops.console.harness import Browser, browser_of

PAYMENTS: Final = 10_000
_REPEATS: Final = 5
_STEP_MS: Final = 60_000
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"


def main() -> None:
    """Print the median of some requests of each screen, the slowest first."""
    world = World()
    world.clock.at_ms = time.time_ns() // 1_000_000 - (PAYMENTS + 60) * _STEP_MS
    cloudwatch = CloudWatch()
    target = ModelTarget(name="local", outputs={}, options={}, base_url="", stack_prefix="Dev", merchant=MERCHANT)
    target.measured.append(cloudwatch)
    story = _fill(world)
    review = mismatched(world).transaction_id
    for provider in ("stripe", "razorpay", "cashfree", "payu"):
        cloudwatch.put("ProviderLatency", 400, provider=provider)
        for status in ("SUCCESS", "FAILED", "IN_REVIEW", "CANCELLED"):
            cloudwatch.put("PaymentsFinal", 9, status=status, provider=provider)
    browser = browser_of(handler_of(world, count_dead_letters=QUEUES, diagnose=HEALTH), target=target).enter()
    addresses = {
        "Now, 7 days": "/?window=7d",
        "Find, the newest 100": "/find",
        "Find, by an amount that one in 500 has": "/find?least=1499&most=1499",
        "Find, by key": f"/find?text=pfx-{story.removeprefix(PAYMENT_PREFIX)}-1",
        "A payment's story": f"/payments/{MERCHANT}/{story}",
        "Reviews": "/reviews",
        "A review": f"/reviews/{MERCHANT}/{review}",
        "CSV of 10,000 rows": "/find.csv?from=2020-01-01",
    }
    times = {name: _times(partial(_status, browser, address)) for name, address in addresses.items()}
    print(f"\nThe console over {PAYMENTS:,} payments: milliseconds, medians of {_REPEATS}")
    print(f"{os.cpu_count()} processors ({platform.machine()}), Python {platform.python_version()}\n")
    print("       CPU  elapsed")
    for name, time_ in sorted(times.items(), key=lambda one: -one[1].cpu_ms):
        print(f"  {time_.cpu_ms:>8.0f} {time_.elapsed_ms:>8.0f}  {name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Times:
    cpu_ms: float
    elapsed_ms: float


def _status(browser: Browser, address: str) -> int:
    return browser.get(address).status_code


def _fill(world: World) -> str:
    """Ten thousand payments a minute apart; return the id of one with a refund and a lost answer."""
    first = unknown(world)
    world.work_until_idle()
    world.request(OperationKind.REFUND, first, 500)
    world.work_until_idle()
    pattern = world.now(first)
    for number in range(1, PAYMENTS):
        world.clock.at_ms += _STEP_MS
        at_ms = world.clock.at_ms
        stored = replace(pattern, transaction_id=_identity(number), created_at_ms=at_ms, updated_at_ms=at_ms)
        world.store(replace(stored, amount=1_000 + number % 500))
    return first.transaction_id


def _identity(number: int) -> str:
    letters = []
    for _ in range(16):
        number, rest = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[rest])
    return PAYMENT_PREFIX + "".join(reversed(letters))


def _times(ask: Callable[[], int]) -> _Times:
    cpu, elapsed = [], []
    for _ in range(_REPEATS):
        cpu_started, started = time.process_time(), time.perf_counter()
        status = ask()
        cpu.append((time.process_time() - cpu_started) * 1_000)
        elapsed.append((time.perf_counter() - started) * 1_000)
        if status not in {200, 303}:
            raise RuntimeError(f"answered {status}")
    return _Times(cpu_ms=statistics.median(cpu), elapsed_ms=statistics.median(elapsed))


if __name__ == "__main__":
    main()
