"""`make bench`: the suite. It writes docs/performance.json, docs/performance.md and the counts of `payments cost`.

`python -m bench` measures everything; `python -m bench counts` keeps the times of docs/performance.json and counts
anew, and `python -m bench cpu acceptTimes` measures these parts anew; `--quick` takes few rounds, to see whether the
suite runs. Counts are deterministic, and gates in tests. Times are
medians of shuffled rounds in CPU time, as ratios to a baseline of the same run, and never gates.
"""

import contextlib
import io
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")

from bench.checkout_path import checkout_path
from bench.children import stand_in
from bench.cold_start import cold_starts
from bench.costs.__main__ import idle_month, price_of_a_million
from bench.drain import drain
from bench.growth import growth
from bench.hot_path import accept_times, cpu_of_payments
from bench.imports import imports
from bench.layout import ROOT, deployed_layout
from bench.log_bytes import FULL_BATCH, counted_lines
from bench.payment_counts import payment_counts
from bench.report import report
from bench.routing import routing
from bench.simulator_speed import simulator_speed
from bench.step_counts import PAGE as STEPS
from bench.step_counts import written as steps_written

JSON: Final = ROOT / "docs" / "performance.json"
PAGE: Final = ROOT / "docs" / "performance.md"
_ROUNDS: Final = 7
_PAYMENTS: Final = 100


def main(arguments: list[str]) -> None:
    """Measure, write both files, and print the page."""
    before = json.loads(JSON.read_text())["measured"] if JSON.exists() else {}
    measured = before if "counts" in arguments else {**before, **_measured(arguments)}
    found = {"counted": counted(), "measured": measured}
    STEPS.write_text(steps_written())
    JSON.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    PAGE.write_text(report(json.loads(JSON.read_text())))
    print(PAGE.read_text())


def counted() -> dict[str, Any]:
    """The same on every machine."""
    with contextlib.redirect_stdout(io.StringIO()):
        return {
            "payments": payment_counts(),
            "logBytes": counted_lines(),
            "modules": imports(),
            "growth": growth(),
            "idleMonth": idle_month(),
            "dollarsAMillion": price_of_a_million(),
            "dollarsInFullBatches": price_of_a_million(batch=FULL_BATCH),
        }


def _measured(arguments: list[str]) -> dict[str, Any]:
    """The parts that the arguments name; all of them where they name none."""
    rounds, payments = (3, 20) if "--quick" in arguments else (_ROUNDS, _PAYMENTS)
    with tempfile.TemporaryDirectory() as folder, stand_in() as running:
        layout = deployed_layout(Path(folder))
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "machine": lambda: {
                "python": platform.python_version(),
                "processors": os.cpu_count(),
                "architecture": platform.machine(),
                "rounds": rounds,
                "payments": payments,
            },
            "coldStarts": lambda: cold_starts(layout, running, rounds=rounds),
            "cpu": lambda: cpu_of_payments(layout, running, rounds=rounds, payments=payments),
            "checkout": lambda: checkout_path(layout, running, rounds=rounds, checkouts=payments),
            "acceptTimes": lambda: accept_times(layout, running, rounds=2 * rounds),
            "drain": lambda: drain(layout, rounds=rounds),
            "routing": lambda: routing(rounds),
            "simulator": simulator_speed,
        }
        named = parts.keys() & set(arguments)
        return {name: measure() for name, measure in parts.items() if name in named or not named}


if __name__ == "__main__":
    main(sys.argv[1:])
