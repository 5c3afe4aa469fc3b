"""The requests that create a provider's hosted object, as they look on the line."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sandbox.http_types import Request

_PATHS: Final = frozenset({"/v1/sessions", "/v1/checkout/sessions", "/v1/payment_links", "/pg/orders"})
_INVOICE: Final = b"command=create_invoice"
_AMOUNTS: Final[Mapping[str, re.Pattern[bytes]]] = {
    "stripe": re.compile(rb"(unit_amount%5D=|unit_amount\]=)(\d+)"),
    "cashfree": re.compile(rb'("order_amount":\s*)(\d+)'),
}
_AMOUNT: Final = re.compile(rb'("amount":\s*)(\d+)')
_SIGNED: Final = frozenset({"payu"})
"""Providers whose requests are signed, so that nothing of them can be changed on the way."""


def is_creation(method: str, path: str, body: bytes) -> bool:
    """Whether the request creates an object on whose page a payer pays. An order of Cashfree may be one."""
    return method == "POST" and (path in _PATHS or _INVOICE in body)


def with_other_amount(provider: str, request: Request) -> Request:
    """The request as the provider understood it: with one unit more."""
    pattern = _AMOUNTS.get(provider, _AMOUNT)
    if provider in _SIGNED:
        return request
    body = pattern.sub(lambda found: found[1] + str(int(found[2]) + 1).encode(), request.body, count=1)
    return replace(request, body=body)
