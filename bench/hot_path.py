"""The hot path: CPU time of a payment's steps, and the time until it is accepted, beside the baselines."""

import random
from collections.abc import Mapping
from statistics import median, quantiles
from typing import Any, Final

from bench.children import StandIn, function_environment, run_child
from bench.layout import Layout
from bench.standin import MERCHANT, NOTIFIED
from bench.statistics import Spread, ratios

WITH_ENDPOINT: Final = "one endpoint"
WITHOUT_ENDPOINTS: Final = "no endpoint"
TRIAL: Final = "no endpoint, signed client"
BASE: Final = "original"
VARIANTS: Final[Mapping[str, tuple[str, str]]] = {
    WITHOUT_ENDPOINTS: ("ours", MERCHANT),
    WITH_ENDPOINT: ("ours", NOTIFIED),
    TRIAL: ("signed", MERCHANT),
    "prototype": ("prototype", MERCHANT),
    BASE: ("original", MERCHANT),
}
"""Which code runs, and for which merchant."""
STEPS: Final = ("accept", "work", "finish")
BATCH: Final = 10
ACCEPTED_A_ROUND: Final = 20
AWS_MS: Final = {"dynamodb": 4.0, "sqs": 8.0}
"""How long AWS takes in the run that measures time: facts of others, and not measured here."""


def cpu_of_payments(layout: Layout, running: StandIn, *, rounds: int, payments: int, seed: int = 1) -> dict[str, Any]:
    """Each round runs all variants once, in another order. AWS answers at once."""
    running.control("latency", {})
    found = _rounds(layout, running, rounds=rounds, payments=payments, seed=seed)
    base = [_whole(row) for row in found[BASE]]
    return {
        name: {
            "ratio": ratios([_whole(row) for row in rows], base).document(),
            **{step: Spread.of([row["cpuMs"][step] for row in rows]).document() for step in STEPS},
            "callsAPayment": round(sum(rows[0]["calls"].values()) / payments, 2),
        }
        for name, rows in found.items()
    }


def accept_times(layout: Layout, running: StandIn, *, rounds: int, seed: int = 2) -> dict[str, Any]:
    """The time until a payment is accepted, one after the other, when AWS takes `AWS_MS`.

    Many short rounds: what the machine does meanwhile then hits all variants alike. The last percentile is of all
    rounds together.
    """
    running.control("latency", AWS_MS)
    found = _rounds(layout, running, rounds=rounds, payments=ACCEPTED_A_ROUND, seed=seed)
    running.control("latency", {})
    medians = {name: [median(row["latenciesMs"]) for row in rows] for name, rows in found.items()}
    return {
        name: {
            "ratio": ratios(medians[name], medians[BASE]).document(),
            "p50Ms": Spread.of(medians[name]).document(),
            "p99Ms": round(quantiles([ms for row in rows for ms in row["latenciesMs"]], n=100)[98], 1),
        }
        for name, rows in found.items()
    }


def _rounds(
    layout: Layout, running: StandIn, *, rounds: int, payments: int, seed: int
) -> dict[str, list[dict[str, Any]]]:
    order = list(VARIANTS)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in VARIANTS}
    shuffle = random.Random(seed)  # noqa: S311 - an order
    for _ in range(rounds):
        shuffle.shuffle(order)
        for name in order:
            found[name].append(_run(layout, running, name, payments))
    return found


def _run(layout: Layout, running: StandIn, name: str, payments: int) -> dict[str, Any]:
    code, merchant = VARIANTS[name]
    path = layout.path if code in {"ours", "signed"} else str(layout.runtime)
    arguments = (code, merchant, str(payments), str(BATCH), running.url)
    row: dict[str, Any] = run_child("hot_path.py", *arguments, environment=function_environment(path, running))
    return row


def _whole(row: dict[str, Any]) -> float:
    return float(sum(row["cpuMs"].values()))
