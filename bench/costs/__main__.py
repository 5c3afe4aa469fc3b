"""`make costs`: writes docs/costs.md."""

from pathlib import Path
from typing import Final

from bench.__main__ import payments
from bench.costs.page import Deployment, page
from bench.costs.prices import price_list
from tests.infra.conftest import STAGES, template

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "costs.md"


def written() -> str:
    """The page as this checkout's templates and counts make it."""
    deployments = tuple(
        Deployment(stage=stage, templates={name: template(f"{stage}-{name}") for name in ("Data", "Service")})
        for stage in STAGES
    )
    return page(deployments, payments(), price_list())


if __name__ == "__main__":
    PAGE.write_text(written())
