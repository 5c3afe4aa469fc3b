"""Builds the requests about a Checkout Session. Pure. The order of form fields is fixed, as for a charge.

Fields: https://docs.stripe.com/api/checkout/sessions/create. All features that could change the amount, ask for more
than the payment needs, or send messages to the payer are switched off explicitly, where a switch exists.
"""

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from payflowx.domain.payments.hosted import HostedRequest
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import HttpRequest
from payflowx.providers.stripe.fields import KEY_FIELD, merchant_fields
from payflowx.providers.stripe.requests import Fields, customer_of, get, post

PATH: Final = "/v1/checkout/sessions"
SESSION_FACT: Final = "checkout_session"
"""The fact of an inquiry that holds the id of the session."""
TRIED_FACT: Final = "tried_intent"
"""The fact of an inquiry that holds the id of an intent with a failed try, in an open session."""
CHARGES_A_PAGE: Final = 40
"""With all their details they fit into one answer."""

_MAX_NAME_CHARS: Final = 250
_SWITCHED_OFF: Final = (
    ("adaptive_pricing[enabled]", "false"),
    ("after_expiration[recovery][enabled]", "false"),
    ("allow_promotion_codes", "false"),
    ("automatic_tax[enabled]", "false"),
    ("billing_address_collection", "auto"),
    ("invoice_creation[enabled]", "false"),
    ("line_items[0][adjustable_quantity][enabled]", "false"),
    ("phone_number_collection[enabled]", "false"),
    ("tax_id_collection[enabled]", "false"),
)
"""Adaptive pricing would charge another currency; a recovery would create a further session that can be paid.

Shipping, discounts and custom fields have no switch: they are off unless the request has them.
"""


def create(request: ChargeRequest) -> HttpRequest:
    """Create the session. The amount is one line with quantity 1. The key returns the same session for 24 hours."""
    hosted = hosted_of(request)
    fields = [
        ("mode", "payment"),
        ("payment_method_types[]", "card"),
        ("client_reference_id", request.provider_key),
        (f"metadata[{KEY_FIELD}]", request.provider_key),
        ("line_items[0][quantity]", "1"),
        ("line_items[0][price_data][currency]", request.currency.lower()),
        ("line_items[0][price_data][unit_amount]", str(request.amount)),
        ("line_items[0][price_data][product_data][name]", _name(request)),
        ("success_url", hosted.return_url),
        ("cancel_url", hosted.return_url),
        ("expires_at", str(hosted.expires_at_ms // SECOND_MS)),
        *_payer(request),
        *_SWITCHED_OFF,
        *((_in_intent(name), value) for name, value in _intent_fields(request)),
    ]
    return post(PATH, fields, key=request.provider_key)


def read(request: ChargeRequest) -> HttpRequest:
    """Read the session with its intent. A manual capture needs the charge as well: it says until when it is held."""
    intent = "payment_intent.latest_charge" if request.capture is CaptureMode.MANUAL else "payment_intent"
    return get(_path(request), [("expand[]", intent)])


def expire(request: ChargeRequest) -> HttpRequest:
    """Without an idempotency key: Stripe would store a refusal and repeat it when an expiry could succeed."""
    return post(f"{_path(request)}/expire", [])


def tries(request: ChargeRequest) -> HttpRequest:
    """List the charges of the intent, the newest first: each try that reached a bank is one."""
    return get(
        "/v1/charges", [("payment_intent", request.progress.get(TRIED_FACT, "")), ("limit", str(CHARGES_A_PAGE))]
    )


def hosted_of(request: ChargeRequest) -> HostedRequest:
    """The part of the request that only a hosted object has. Raises ValueError for an ordinary charge."""
    if request.hosted is None:
        raise ValueError("the request is about no hosted object")
    return request.hosted


def session_id_of(request: ChargeRequest) -> str | None:
    """The session's id, as stored or as an earlier step found it."""
    return hosted_of(request).object_id or request.progress.get(SESSION_FACT)


def _path(request: ChargeRequest) -> str:
    return f"{PATH}/{quote(session_id_of(request) or '', safe='')}"


def _name(request: ChargeRequest) -> str:
    """The product's name, which the page shows and which must not be empty."""
    return (request.description or "").strip()[:_MAX_NAME_CHARS] or "Payment"


def _payer(request: ChargeRequest) -> Fields:
    """Stripe's own customer, else the payer's e-mail address: Stripe takes only one of them."""
    customer = customer_of(request)
    if customer is not None:
        return [("customer", customer)]
    email = request.customer.email if request.customer else None
    return [("customer_email", email)] if email else []


def _intent_fields(request: ChargeRequest) -> Iterator[tuple[str, str]]:
    """The fields of an ordinary charge that the session passes on to its intent."""
    yield "capture_method", "manual" if request.capture is CaptureMode.MANUAL else "automatic"
    yield f"metadata[{KEY_FIELD}]", request.provider_key
    if request.save_payment_method:
        yield "setup_future_usage", "off_session"
    yield from merchant_fields(request)


def _in_intent(name: str) -> str:
    """`metadata[a]` becomes `payment_intent_data[metadata][a]`."""
    field, bracket, rest = name.partition("[")
    return f"payment_intent_data[{field}]{bracket}{rest}"
