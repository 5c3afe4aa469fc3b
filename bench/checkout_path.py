"""The own time of a checkout: CPU and calls of AWS to create one, and to show its page to the payer."""

from typing import Any, Final

from bench.children import StandIn, function_environment, run_child
from bench.layout import Layout
from bench.statistics import Spread

STEPS: Final = ("create", "page")


def checkout_path(layout: Layout, running: StandIn, *, rounds: int, checkouts: int) -> dict[str, Any]:
    """Medians over the rounds, each in an interpreter of its own. AWS answers at once."""
    running.control("latency", {})
    environment = function_environment(layout.path, running)
    rows = [run_child("checkout.py", str(checkouts), running.url, environment=environment) for _ in range(rounds)]
    return {
        step: {
            "cpuMs": Spread.of([row[step]["cpuMs"] for row in rows]).document(),
            "calls": round(rows[0][step]["calls"], 2),
        }
        for step in STEPS
    } | {"pageBytes": rows[0]["page"]["bytes"], "rounds": rounds, "checkouts": checkouts}
