"""The price list: one price of each thing in each region, with its source and date, or None where none was read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

REGIONS: Final = ("us-east-1", "eu-west-1", "ap-south-1")
COMPLETE: Final = "us-east-1"
"""The region whose list has no gaps. Its price stands in for one that was not read."""
_FILE: Final = Path(__file__).with_name("prices.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Dollars for `per` pieces in one region."""

    what: str
    usd: float
    per: int
    source: str
    read_in: str
    """The region whose list has it: another one than was asked for, where that one's price was not read."""

    def of(self, count: float) -> float:
        """Return the price of so many, in dollars."""
        return count * self.usd / self.per


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """`free` is what an account gets each month for ever; `sources` say where a price was read, and when."""

    prices: Mapping[str, Mapping[str, Any]]
    free: Mapping[str, float]
    sources: Mapping[str, Mapping[str, str]]
    free_source: str
    read_on: str

    def price(self, name: str, region: str) -> Price:
        """The region's own price, or that of `COMPLETE`."""
        entry = self.prices[name]
        where = region if entry[region] is not None else COMPLETE
        found = entry[where]
        return Price(what=entry["what"], usd=found["usd"], per=entry["per"], source=found["source"], read_in=where)

    def unread(self, region: str) -> tuple[str, ...]:
        """The names whose price in this region nobody read."""
        return tuple(name for name, entry in self.prices.items() if entry[region] is None)


def price_list() -> PriceList:
    """As the file has it."""
    found = json.loads(_FILE.read_text())
    return PriceList(
        prices=found["prices"],
        free=found["always_free"],
        sources=found["sources"],
        free_source=found["always_free_source"],
        read_on=found["read"],
    )
