"""Quantities times prices, before and after what AWS gives away each month."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.costs.prices import Price, PriceList


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing of a bill: so many pieces, of which `free` cost nothing."""

    name: str
    count: float
    free: float
    price: Price

    @property
    def dollars(self) -> float:
        """In an account whose free tiers something else has used up."""
        return self.price.of(self.count)

    @property
    def dollars_after_free(self) -> float:
        """In an account that has them for itself."""
        return self.price.of(max(0, self.count - self.free))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A month in one region."""

    lines: tuple[Line, ...]

    @property
    def dollars(self) -> float:
        return sum(line.dollars for line in self.lines)

    @property
    def dollars_after_free(self) -> float:
        return sum(line.dollars_after_free for line in self.lines)

    @property
    def guessed(self) -> float:
        """The part of `dollars` whose price stands in for one that was not read."""
        return sum(line.dollars for line in self.lines if line.price.read_in != self.region)

    region: str


def bill(quantities: Mapping[str, float], prices: PriceList, *, region: str, free_dashboards: int) -> Bill:
    """`free_dashboards` are as many as are small enough; the tier's own number is a second limit."""
    return Bill(region=region, lines=tuple(_lines(quantities, prices, region, free_dashboards)))


def _lines(quantities: Mapping[str, float], prices: PriceList, region: str, free_dashboards: int) -> Iterator[Line]:
    for name, count in quantities.items():
        free = prices.free.get(name, 0)
        if name == "dashboard":
            free = min(free, free_dashboards)
        yield Line(name=name, count=count, free=free, price=prices.price(name, region))


def added(*parts: Mapping[str, float]) -> dict[str, float]:
    """The sum of quantities, piece by piece."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: sum(part.get(name, 0) for part in parts) for name in names}


def times(quantities: Mapping[str, float], factor: float) -> dict[str, float]:
    """So many times each quantity."""
    return {name: count * factor for name, count in quantities.items()}
