"""The simulators' webhooks during the chaos: which faults they have, and how each post of one was answered."""

import contextlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import urllib3

from local.background import Background
from local.chaos.result import Violation
from local.chaos.trouble import Simulators
from local.errors import LocalEnvironmentError

FAULTS: Final = {"late": 0.2, "twice": 0.15, "out_of_order": 0.15, "never": 0.15, "wrong_signature": 0.05}
LATE_SECONDS: Final = 20
_READ_SECONDS: Final = 5.0
"""A simulator keeps its last 500 reports: at a hundred posts a second none would be missed."""


@dataclass(slots=True)
class ProviderEvents:
    """Reads the simulators' reports in the background, each once."""

    simulators: Simulators
    rows: Counter[str] = field(default_factory=Counter)
    forged_but_accepted: int = 0
    _seen: dict[str, int] = field(default_factory=dict)
    _background: Background = field(init=False)

    def __post_init__(self) -> None:
        self._background = Background(action=self.read, interval_seconds=_READ_SECONDS)

    def __enter__(self) -> "ProviderEvents":
        self._control(FAULTS)
        self._background.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._background.stop()
        self.read()

    def calm(self) -> None:
        """No more faults. Those of the webhooks outlast the chaos: most operations are answered after it.

        Raises `LocalEnvironmentError`.
        """
        self._control({})

    def _control(self, faults: Mapping[str, float]) -> None:
        for name in self.simulators.addresses:
            if not self.simulators.control(name, webhookFaults=faults, webhookLateSeconds=LATE_SECONDS):
                raise LocalEnvironmentError(f"The simulator {name} did not take its webhook faults.")

    def read(self) -> None:
        """Count the reports that are new."""
        for name, address in self.simulators.addresses.items():
            with contextlib.suppress(urllib3.exceptions.HTTPError, ValueError, KeyError):
                answer = self.simulators.pool.request("GET", f"{address}/_webhooks", retries=False, timeout=5)
                self.count(name, json.loads(answer.data)["deliveries"])

    def count(self, name: str, reports: list[dict[str, Any]]) -> None:
        """Count those of a simulator that were not counted before."""
        for report in reports:
            if report["number"] <= self._seen.get(name, 0):
                continue
            self._seen[name] = report["number"]
            self.rows[_word(report)] += 1
            if report["fault"] == "wrong signature" and report["status"] is not None and report["status"] < 300:
                self.forged_but_accepted += 1

    def violations(self) -> list[Violation]:
        """A webhook with a wrong signature that was accepted."""
        count = self.forged_but_accepted
        rule = "a webhook with a wrong signature was accepted"
        return [Violation(rule=rule, subject="the webhook address", detail=f"{count}")] if count else []


def _word(report: dict[str, Any]) -> str:
    if report["fault"] in {"never sent", "too many are waiting"}:
        return str(report["fault"])
    forged = ", wrong signature" if report["fault"] else ""
    again = " again" if report["send"] > 1 else ""
    return f"posted{again}{forged}: {report['status'] or 'no answer'}"
