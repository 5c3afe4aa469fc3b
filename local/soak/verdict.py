"""Judges the samples of a soak: each figure is flat or growing.

The first half is left out: functions start, caches fill. Over the second half the slope is the median of the slopes
between all pairs of samples (Theil and Sen), which up to a quarter of outliers does not move. The growth is this slope
times the duration of the half. A figure is growing if its growth exceeds the larger of two tolerances: an absolute
one, and a share of the half's median.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from statistics import median
from typing import Final

LEAST_SAMPLES: Final = 5
"""In the judged half; fewer prove nothing."""


class Verdict(StrEnum):
    """Of one figure."""

    FLAT = "flat"
    GROWING = "growing"
    TOO_FEW = "too few samples"
    TOO_MANY = "too many"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """Growth over the judged half that counts as flat, and the largest value that is allowed at all."""

    absolute: float
    share: float = 0.0
    at_most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A figure by time: pairs of seconds and value, in order."""

    name: str
    unit: str
    tolerance: Tolerance
    samples: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`first` and `median` are of the judged half; `growth` and `allowed` in the figure's unit over that half."""

    name: str
    unit: str
    first: float
    median: float
    largest: float
    growth: float
    allowed: float
    verdict: Verdict

    @property
    def is_good(self) -> bool:
        """Whether the soak held in this figure."""
        return self.verdict is Verdict.FLAT


def judge(series: Series) -> Finding:
    """Judge one figure."""
    half = second_half(series.samples)
    values = [value for _, value in half]
    middle = median(values) if values else 0.0
    growth = robust_slope(half) * (half[-1][0] - half[0][0]) if half else 0.0
    allowed = max(series.tolerance.absolute, series.tolerance.share * middle)
    largest = max((value for _, value in series.samples), default=0.0)
    return Finding(
        name=series.name,
        unit=series.unit,
        first=values[0] if values else 0.0,
        median=middle,
        largest=largest,
        growth=growth,
        allowed=allowed,
        verdict=_verdict(series.tolerance, len(half), growth, allowed, largest),
    )


def _verdict(tolerance: Tolerance, count: int, growth: float, allowed: float, largest: float) -> Verdict:
    if count < LEAST_SAMPLES:
        return Verdict.TOO_FEW
    if tolerance.at_most is not None and largest > tolerance.at_most:
        return Verdict.TOO_MANY
    return Verdict.GROWING if growth > allowed else Verdict.FLAT


def second_half(samples: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The samples from the middle of the measured time on."""
    if not samples:
        return []
    middle = (samples[0][0] + samples[-1][0]) / 2
    return [sample for sample in samples if sample[0] >= middle]


def robust_slope(samples: Sequence[tuple[float, float]]) -> float:
    """The median of the slopes between all pairs, in units a second; 0 without two times."""
    slopes = [
        (after - before) / (end - start) for (start, before), (end, after) in combinations(samples, 2) if end > start
    ]
    return median(slopes) if slopes else 0.0


def table(findings: Sequence[Finding], counts: Mapping[str, str]) -> str:
    """The load's counts, then one line a figure."""
    width = max(len(name) for name in [*counts, *(f"{f.name}, {f.unit}" for f in findings)]) + 2
    lines = [f"{name:<{width}}{value:>10}" for name, value in counts.items()]
    lines.append("")
    lines.append(
        f"{'second half':<{width}}{'first':>10}{'median':>10}{'largest':>10}{'growth':>10}{'allowed':>10}  verdict"
    )
    for found in findings:
        figures = (found.first, found.median, found.largest, found.growth, found.allowed)
        label = f"{found.name}, {found.unit}"
        lines.append(f"{label:<{width}}" + "".join(f"{value:>10.1f}" for value in figures) + f"  {found.verdict}")
    return "\n".join(lines)
