"""Ports of the environment: clock, deadline, randomness and telemetry."""

from typing import Protocol

from payflowx.domain.shared.metrics import Metric


class Clock(Protocol):
    """Wall-clock time in milliseconds since 1970, UTC."""

    def now_ms(self) -> int: ...


class Deadline(Protocol):
    """The remaining run time of this invocation."""

    def remaining_ms(self) -> int: ...


class Randomness(Protocol):
    """Unpredictable values: names of lease holders, and jitter in [0, 1)."""

    def owner(self) -> str: ...
    def jitter(self) -> float: ...
    def secret_text(self, chars: int) -> str:
        """Return base62 characters from the system's cryptographic source."""
        ...


class Telemetry(Protocol):
    """Log lines and metrics. Neither may ever hold card data, tokens, secrets or personal data."""

    def info(self, message: str, **facts: str | int | bool | None) -> None: ...

    def warn(self, message: str, **facts: str | int | bool | None) -> None: ...

    def about(self, **facts: str | int | bool | None) -> None:
        """Add these facts to every later log line of this request or message."""
        ...

    def count(self, name: Metric, value: int = 1, **dimensions: str) -> None: ...

    def milliseconds(self, name: Metric, value: int, **dimensions: str) -> None: ...

    def seconds(self, name: Metric, value: int, **dimensions: str) -> None: ...
