"""Injected faults, at given rates, from a seed: the same seed gives the same faults for the same requests."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from sandbox.http_types import Reply, html_reply


@dataclass(slots=True)
class Rates:
    """Probabilities between 0 and 1: lose a request or its answer, or fail before or after its effect."""

    drop_before: float = 0.0
    drop_after: float = 0.0
    error_before: float = 0.0
    error_after: float = 0.0


@dataclass(slots=True)
class Control:
    """The settings of POST /_control. Raises ValueError for a value that it does not understand."""

    latency_seconds: float = 0.0
    visibility_lag_seconds: float = 0.0
    rates: Rates = field(default_factory=Rates)
    dice: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - repeatable on purpose

    def update(self, settings: dict[str, Any]) -> None:
        """Apply `latencySeconds`, `visibilityLagSeconds`, `faults`, `seed`; ignore all other settings."""
        if "latencySeconds" in settings:
            self.latency_seconds = number(settings["latencySeconds"], 0, 60)
        if "visibilityLagSeconds" in settings:
            self.visibility_lag_seconds = number(settings["visibilityLagSeconds"], 0, 3600)
        if "seed" in settings:
            self.dice = random.Random(int(number(settings["seed"], 0, 2**53)))  # noqa: S311
        if "faults" in settings:
            known = {f.name for f in fields(Rates)}
            if not isinstance(settings["faults"], dict) or not set(settings["faults"]) <= known:
                raise ValueError(f"faults takes {', '.join(sorted(known))}")
            self.rates = Rates(**{name: number(rate, 0, 1) for name, rate in settings["faults"].items()})

    def around(self, handle: Callable[[], Reply]) -> Reply:
        """Handle the request, or lose it, or lose its answer."""
        # One draw for each kind of fault: a changed rate does not shift the draws of the other kinds.
        throws = {f.name: self.dice.random() < getattr(self.rates, f.name) for f in fields(Rates)}
        if throws["drop_before"]:
            return Reply(status=0, drop=True)
        if throws["error_before"]:
            return html_reply(503, "<html><body>Service Unavailable</body></html>")
        reply = handle().held(self.latency_seconds)
        if throws["drop_after"]:
            return Reply(status=0, drop=True, hold_seconds=reply.hold_seconds)
        if throws["error_after"]:
            return html_reply(502, "<html><body>Bad Gateway</body></html>").held(reply.hold_seconds)
        return reply


def number(value: Any, least: float, most: float) -> float:
    """The value of a setting. Raises ValueError outside its bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"a value must be a number from {least} to {most}")
    return float(value)
