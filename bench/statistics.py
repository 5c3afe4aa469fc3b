"""Medians with spread, of rounds that measured all variants side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A median, and the quartiles around it."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        if len(values) == 1:
            return cls(middle=values[0], low=values[0], high=values[0])
        low, _, high = quantiles(values, n=4, method="inclusive")
        return cls(middle=median(values), low=low, high=high)

    def document(self) -> dict[str, Any]:
        return {"median": round(self.middle, 3), "low": round(self.low, 3), "high": round(self.high, 3)}

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.low:.2f} to {self.high:.2f})"


def ratios(values: Sequence[float], base: Sequence[float]) -> Spread:
    """Round by round: what the machine did meanwhile slowed both."""
    return Spread.of([value / other for value, other in zip(values, base, strict=True)])
