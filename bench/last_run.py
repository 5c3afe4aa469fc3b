"""The times of the suite's last recorded run (docs/performance.json), for the models that are fed with them."""

import json
from dataclasses import dataclass
from typing import Any, Final

from bench.layout import ROOT

_FILE: Final = ROOT / "docs" / "performance.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """Medians in milliseconds."""

    job_cpu_ms: float
    """Of a worker's payment, for a merchant without endpoints."""
    delivery_cpu_ms: float
    """Of a delivered event."""
    accept_ms: float
    """From a client's request to the answer that its payment is accepted."""


def last_run() -> LastRun:
    """As the file has it."""
    measured: dict[str, Any] = json.loads(_FILE.read_text())["measured"]
    return LastRun(
        job_cpu_ms=measured["cpu"]["no endpoint"]["work"]["median"],
        delivery_cpu_ms=measured["cpu"]["one endpoint"]["finish"]["median"],
        accept_ms=measured["acceptTimes"]["no endpoint"]["p50Ms"]["median"],
    )
