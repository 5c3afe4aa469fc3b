"""Builds the requests about a payment link. Pure.

Fields: https://razorpay.com/docs/api/payments/payment-links/create-standard/. The provider's own messages, reminders
and payments in parts are switched off explicitly.
"""

from typing import Any, Final
from urllib.parse import urlencode

from payflowx.domain.payments.hosted import CHECKOUT_METHODS, HostedRequest
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.transport import HttpRequest
from payflowx.providers.razorpay.requests import notes_of, post, quoted

PATH: Final = "/v1/payment_links"
MAX_DESCRIPTION_CHARS: Final = 2_048
EXISTS_FACT: Final = "link_exists"
"""The fact of a creation that a link with our key exists: its answer was lost."""
LINK_FACT: Final = "payment_link"
"""The fact of an inquiry that holds the link's id."""
ORDER_FACT: Final = "link_order"
"""The fact of an inquiry that holds the id of the link's order."""
PAYMENT_FACT: Final = "link_payment"
"""The fact of an inquiry that holds a payment of the link, whose order is not known yet."""


def create(request: ChargeRequest) -> HttpRequest:
    """Create the link. Its reference is our key, and Razorpay refuses a second link with the same one."""
    hosted = hosted_of(request)
    body: dict[str, Any] = {
        "amount": request.amount,
        "currency": request.currency,
        "accept_partial": False,
        "upi_link": False,
        "reference_id": request.provider_key,
        "expire_by": hosted.expires_at_ms // SECOND_MS,
        "callback_url": hosted.return_url,
        "callback_method": "get",
        "notify": {"sms": False, "email": False},
        "reminder_enable": False,
        "notes": notes_of(request),
        "options": {"checkout": {"method": {name: name == hosted.method for name in CHECKOUT_METHODS}}},
    }
    if request.description:
        body["description"] = request.description[:MAX_DESCRIPTION_CHARS]
    if payer := _payer(request):
        body["customer"] = payer
    return post(PATH, body)


def read_by_key(request: ChargeRequest) -> HttpRequest:
    """List the links with our key: one at most."""
    return HttpRequest(method="GET", path=f"{PATH}?{urlencode({'reference_id': request.provider_key})}")


def read(request: ChargeRequest) -> HttpRequest:
    """Read the link by its id, or by our key without one."""
    link_id = link_id_of(request)
    return HttpRequest(method="GET", path=f"{PATH}/{quoted(link_id)}") if link_id else read_by_key(request)


def cancel(request: ChargeRequest) -> HttpRequest:
    return post(f"{PATH}/{quoted(link_id_of(request) or '')}/cancel", {})


def read_payment(request: ChargeRequest) -> HttpRequest:
    """Read a payment of the link for its order, which the link itself may not show."""
    return HttpRequest(method="GET", path=f"/v1/payments/{quoted(request.progress.get(PAYMENT_FACT, ''))}")


def payments(request: ChargeRequest) -> HttpRequest:
    """Read all payments of the link's order: the link itself lists those that took money only."""
    return HttpRequest(method="GET", path=f"/v1/orders/{quoted(request.progress.get(ORDER_FACT, ''))}/payments")


def hosted_of(request: ChargeRequest) -> HostedRequest:
    """The part of the request that only a hosted object has. Raises ValueError for an ordinary charge."""
    if request.hosted is None:
        raise ValueError("the request is about no hosted object")
    return request.hosted


def link_id_of(request: ChargeRequest) -> str | None:
    """The link's id, as stored or as an earlier step found it."""
    return hosted_of(request).object_id or request.progress.get(LINK_FACT)


def _payer(request: ChargeRequest) -> dict[str, str]:
    """The payer's data, which Razorpay's page shows filled in. The receipt goes to the e-mail address."""
    customer = request.customer
    given = {
        "name": customer.name if customer else None,
        "email": (customer.email if customer else None) or request.receipt_email,
        "contact": customer.phone if customer else None,
    }
    return {name: value for name, value in given.items() if value}
