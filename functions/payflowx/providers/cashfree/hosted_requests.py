"""Builds the order of a hosted page. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from payflowx.domain.payments.hosted import HostedRequest
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.transport import HttpRequest
from payflowx.providers.cashfree import requests

METHODS: Final[Mapping[str, str]] = {
    "card": "cc,dc,ccc,ppc",
    "upi": "upi",
    "netbanking": "nb",
    "wallet": "app",
}
"""Cashfree's words for our methods: credit, debit, corporate credit and prepaid cards; net banking; wallet apps.

https://www.cashfree.com/docs/api-reference/payments/latest/orders/create#body-order-meta-payment-methods
"""

_PRODUCTS_OFF: Final[Mapping[str, Any]] = {
    "one_click_checkout": {"enabled": False},
    "verify_pay": {"enabled": False},
}
"""One-click checkout adds shipping and coupons to the amount; the other asks the payer for an identity.

https://www.cashfree.com/docs/api-reference/payments/latest/orders/create#body-products
"""


def create_order(request: ChargeRequest) -> HttpRequest:
    """Create an order that takes one method, with our key as its id: a second order with the same id is refused."""
    hosted = hosted_of(request)
    meta = {"return_url": hosted.return_url, "payment_methods": METHODS[hosted.method]}
    return requests.order(request, meta=meta, expires_at_ms=hosted.expires_at_ms, products=_PRODUCTS_OFF)


def hosted_of(request: ChargeRequest) -> HostedRequest:
    """Raises ValueError for a request that is about no hosted object."""
    if request.hosted is None:
        raise ValueError("the request is about no hosted object")
    return request.hosted
