"""The pages of payers: decode, ask `CheckoutPage`, show."""

from typing import Any, Final

from payflowx.entrypoints.runtime import Wired
from payflowx.wiring.checkout import CheckoutWiring

wiring: Final = Wired(CheckoutWiring.of_function)


def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answers an event of a REST API, proxied."""
    return {"statusCode": 404, "headers": {"Cache-Control": "no-store"}, "body": ""}
