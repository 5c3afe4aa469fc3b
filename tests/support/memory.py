"""Clock, deadline, randomness, telemetry and rules that a test controls."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from payflowx.adapters.platform.ttl_cache import TtlCache
from payflowx.domain.routing.routing import RoutingDocument
from payflowx.domain.shared.limits import SECOND_MS

NOW_MS = 1_790_000_000_000


@dataclass(slots=True)
class ManualClock:
    """Time that moves when a test says so."""

    at_ms: int = NOW_MS

    def now_ms(self) -> int:
        return self.at_ms

    def advance(self, seconds: float) -> None:
        self.at_ms += int(seconds * SECOND_MS)


@dataclass(slots=True)
class ManualDeadline:
    """How long the invocation may still run."""

    left_ms: int = 30_000

    def remaining_ms(self) -> int:
        return self.left_ms


def cache_of(clock: ManualClock) -> Callable[[int], TtlCache[Any]]:
    """Makes caches on this clock, by their lifetime in milliseconds."""
    return lambda lifetime_ms: TtlCache(lifetime_ms, clock.now_ms, lambda _seconds: None)


@dataclass(slots=True)
class CountingRandomness:
    """owner-1, owner-2, ...; the middle of the jitter."""

    count: int = 0

    def owner(self) -> str:
        self.count += 1
        return f"owner-{self.count}"

    def jitter(self) -> float:
        return 0.5

    def secret_text(self, chars: int) -> str:
        self.count += 1
        return str(self.count).rjust(chars, "A")


@dataclass(slots=True)
class RecordingTelemetry:
    """Keeps what was logged and counted."""

    lines: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    counts: list[tuple[str, int, Mapping[str, str]]] = field(default_factory=list)

    def info(self, message: str, **facts: str | int | bool | None) -> None:
        self.lines.append((message, facts))

    def warn(self, message: str, **facts: str | int | bool | None) -> None:
        self.lines.append((message, facts))

    def about(self, **facts: str | int | bool | None) -> None:
        """Of interest to the adapter only."""

    def count(self, name: str, value: int = 1, **dimensions: str) -> None:
        self.counts.append((name, value, dimensions))

    def milliseconds(self, name: str, value: int, **dimensions: str) -> None:
        self.counts.append((name, value, dimensions))

    def seconds(self, name: str, value: int, **dimensions: str) -> None:
        self.counts.append((name, value, dimensions))

    def total(self, name: str) -> int:
        return sum(value for known, value, _ in self.counts if known == name)


@dataclass(slots=True)
class FixedRules:
    """One document."""

    document: RoutingDocument

    def current(self) -> RoutingDocument:
        return self.document


@dataclass(slots=True)
class OneByOne:
    """Concurrency without any."""

    def run(self, tasks: Sequence[Callable[[], None]]) -> None:
        for task in tasks:
            task()
