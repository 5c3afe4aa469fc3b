"""`make costs`: writes docs/costs.md."""

import contextlib
import io
from pathlib import Path
from typing import Any, Final

from bench.costs.bill import times
from bench.costs.page import Deployment, page
from bench.costs.prices import COMPLETE, price_list
from bench.log_bytes import counted_lines
from bench.payment_counts import payment_counts
from tests.infra.conftest import STAGES, template

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "costs.md"


def written() -> str:
    """The page as this checkout's templates and counts make it."""
    return page(_deployments(), _counts(), price_list())


def price_of_a_million(*, batch: int = 1) -> dict[str, float]:
    """Dollars of a million payments in production, by item, before the free tiers and without the idle month."""
    *_, production = _deployments()
    found = production.month(price_list(), COMPLETE, times(production.payment(_counts(), batch=batch), 1_000_000))
    return {line.name: round(line.dollars, 2) for line in found.lines}


def _counts() -> dict[str, Any]:
    with contextlib.redirect_stdout(io.StringIO()):
        return {"payments": payment_counts(), "logBytes": counted_lines()}


def _deployments() -> tuple[Deployment, ...]:
    return tuple(
        Deployment(stage=stage, templates={name: template(f"{stage}-{name}") for name in ("Data", "Service")})
        for stage in STAGES
    )


if __name__ == "__main__":
    PAGE.write_text(written())
