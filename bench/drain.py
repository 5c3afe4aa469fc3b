"""How long a backlog of jobs takes: the measured time of one full batch, times the batches of a backlog."""

from math import ceil
from statistics import median
from typing import Any, Final

from bench.children import StandIn, function_environment, run_child, stand_in
from bench.hot_path import AWS_MS, BATCH
from bench.layout import Layout
from bench.standin import MERCHANT
from infra.settings import ENVIRONMENTS
from sandbox.mock import MockSimulator

PROVIDER_MS: Final = 300.0
BACKLOGS: Final = (1_000, 100_000, 1_000_000)


def drain(layout: Layout, *, rounds: int) -> dict[str, Any]:
    """Seconds by backlog, beside a worker that handles one message after the other, and the ideal.

    The ideal waits for the provider only. AWS's quotas and cold starts are not in these figures. The stand-in is a
    fresh one: what the parts before have stored must not slow it down.
    """
    with stand_in() as running:
        running.control("latency", {**AWS_MS, MockSimulator.name: PROVIDER_MS})
        batch_ms = median(_batch_ms(layout, running) for _ in range(rounds))
    slots = max(settings.worker_concurrency for settings in ENVIRONMENTS)
    return {
        "batchMs": round(batch_ms, 1),
        "concurrency": slots,
        "backlogs": {str(size): _seconds(size, batch_ms, slots) for size in BACKLOGS},
    }


def _batch_ms(layout: Layout, running: StandIn) -> float:
    """Of the second batch: the first one opens the connections."""
    arguments = ("ours", MERCHANT, str(BATCH), str(BATCH), running.url)
    row = run_child("hot_path.py", *arguments, environment=function_environment(layout.path, running))
    return float(row["workWallMs"])


def _seconds(size: int, batch_ms: float, slots: int) -> dict[str, float]:
    turns = ceil(size / (slots * BATCH))
    one_by_one_ms = PROVIDER_MS + 2 * AWS_MS["dynamodb"]
    return {
        "ours": round(turns * batch_ms / 1000, 1),
        "ideal": round(turns * PROVIDER_MS / 1000, 1),
        "oneByOne": round(ceil(size / slots) * one_by_one_ms / 1000, 1),
    }
