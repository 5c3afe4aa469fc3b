"""`make costs`: writes docs/costs.md."""

import contextlib
import io
from pathlib import Path
from typing import Any, Final

from bench.costs.bill import times
from bench.costs.page import IDLE_GOALS, Deployment, page
from bench.costs.prices import COMPLETE, price_list
from bench.log_bytes import counted_lines
from bench.payment_counts import payment_counts
from tests.infra.conftest import STAGES, template

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "costs.md"
_DIGITS: Final = 6


def written() -> str:
    """The page as this checkout's templates and counts make it."""
    return page(_deployments(), _counts(), price_list())


def price_of_a_million(*, batch: int = 1) -> dict[str, float]:
    """Dollars of a million payments in production, by item, before the free tiers and without the idle month.

    To a millionth: only a page rounds, so that both pages have the same sum.
    """
    *_, production = _deployments()
    found = production.month(price_list(), COMPLETE, times(production.payment(_counts(), batch=batch), 1_000_000))
    return {line.name: round(line.dollars, _DIGITS) for line in found.lines}


def idle_month() -> dict[str, float]:
    """Dollars of a month without a payment after the free tiers, by stage that has a goal."""
    bills = {stack.stage: stack.idle(price_list(), COMPLETE) for stack in _deployments() if stack.stage in IDLE_GOALS}
    return {stage: round(found.dollars_after_free, _DIGITS) for stage, found in bills.items()}


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
