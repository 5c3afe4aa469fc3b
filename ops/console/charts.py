"""Charts as SVG: the coordinates only. The template draws them; the page's style gives them colour."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 600
HEIGHT: Final = 48
_PAD: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Values in equal steps of time; None where nothing was measured."""

    name: str
    values: Sequence[float | None]

    @property
    def known(self) -> list[float]:
        return [value for value in self.values if value is not None]

    @property
    def newest(self) -> float | None:
        return next((value for value in reversed(self.values) if value is not None), None)


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of a chart."""

    x: float
    y: float
    width: float
    height: float


def bars(series: Series, top: float | None = None) -> list[Bar]:
    """One bar a step; a step without a value, or with zero, has none. `top` is the value of the full height."""
    highest = top or max(series.known, default=0) or 1
    step = WIDTH / max(1, len(series.values))
    return [
        Bar(
            round(place * step, 2),
            round(HEIGHT - _height(value, highest), 2),
            round(step * 0.85, 2),
            round(_height(value, highest), 2),
        )
        for place, value in enumerate(series.values)
        if value
    ]


def lines(series: Series, top: float | None = None) -> list[str]:
    """The points of one polyline for each run of values without a gap. A single value becomes a short line."""
    highest = top or max(series.known, default=0) or 1
    step = WIDTH / max(1, len(series.values))
    runs: list[list[str]] = [[]]
    for place, value in enumerate(series.values):
        if value is None:
            runs.append([])
            continue
        y = round(HEIGHT - _height(value, highest), 2)
        runs[-1] += [f"{place * step:.2f},{y}", f"{(place + 1) * step:.2f},{y}"]
    return [" ".join(run) for run in runs if run]


def _height(value: float, highest: float) -> float:
    """At least a pixel: what was measured is seen."""
    return max(1.0, (HEIGHT - _PAD) * min(value / highest, 1.0))
