"""What is sent. Pure. Forms with a fixed order of fields: Stripe compares them when a key is used again."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, urlencode

from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import Credentials, HttpRequest

API_VERSION: Final = "2023-10-16"
"""Pinned: an account's default version must not change what answers look like."""

KEY_FIELD: Final = "payflowx_key"
"""Where an intent's, a charge's and a refund's metadata carry our provider key."""

INTENT_FACT: Final = "payment_intent"
RECENT_INTENTS: Final = 40
"""How many of the newest intents are looked through: with all their details they must fit into one answer."""

_CUSTOMER: Final = re.compile(r"cus_[A-Za-z0-9]{1,64}")

Fields = Sequence[tuple[str, str]]


def authenticate(request: HttpRequest, credentials: Credentials) -> HttpRequest:
    """The secret key as bearer; it also selects live or test mode."""
    headers = {**request.headers, "Authorization": f"Bearer {credentials.key_secret}"}
    return HttpRequest(method=request.method, path=request.path, headers=headers, body=request.body)


def charge(request: ChargeRequest) -> HttpRequest:
    """Create and confirm in one request: the key covers both, so a re-send can never confirm a second intent."""
    customer, payment_method = _instrument(request)
    fields = [
        ("amount", str(request.amount)),
        ("currency", request.currency.lower()),
        ("confirm", "true"),
        ("payment_method", payment_method),
        ("payment_method_types[]", "card"),
        ("capture_method", "manual" if request.capture is CaptureMode.MANUAL else "automatic"),
        (f"metadata[{KEY_FIELD}]", request.provider_key),
    ]
    if customer is not None:
        fields.append(("customer", customer))
    if request.return_url is not None:
        fields.append(("return_url", request.return_url))
    else:
        # Nobody could be sent anywhere to approve: better a decline than an intent that waits for a page of ours.
        fields.append(("error_on_requires_action", "true"))
    return post("/v1/payment_intents", fields, key=request.provider_key)


def recent(request: ChargeRequest) -> HttpRequest:
    """The newest intents, of the customer where there is one. Lists are current; the search index is not."""
    customer, _ = _instrument(request)
    fields = [("limit", str(RECENT_INTENTS))]
    if customer is not None:
        fields.append(("customer", customer))
    return get("/v1/payment_intents", fields)


def search(request: ChargeRequest) -> HttpRequest:
    """By our key, in an index that is usually a minute late and in an outage an hour. Not offered in India."""
    query = f"metadata['{KEY_FIELD}']:'{request.provider_key}'"
    return get("/v1/payment_intents/search", [("query", query), ("limit", "2")])


def search_unless_known(request: ChargeRequest) -> HttpRequest:
    """When the list had it, a plain read takes the place of the search: steps cannot be left out."""
    return read(request) if INTENT_FACT in request.progress else search(request)


def read(request: ChargeRequest) -> HttpRequest:
    """The intent by its id: current, and the only answer that may say `ConfirmedCancelled`."""
    return get(intent_path(_intent_id(request)))


def cancel(request: ChargeRequest) -> HttpRequest:
    """Without an idempotency key on purpose: a refusal would be stored, and repeated when a cancel could succeed."""
    return post(f"{intent_path(_intent_id(request))}/cancel", [("cancellation_reason", "abandoned")])


def intent_path(intent_id: str) -> str:
    """The address of one intent."""
    return f"/v1/payment_intents/{quote(intent_id, safe='')}"


def get(path: str, fields: Fields = ()) -> HttpRequest:
    """A read. Keys have no meaning on reads."""
    query = f"?{urlencode(fields)}" if fields else ""
    return HttpRequest(method="GET", path=path + query, headers={"Stripe-Version": API_VERSION})


def post(path: str, fields: Fields, *, key: str | None = None) -> HttpRequest:
    """A form."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Stripe-Version": API_VERSION}
    if key is not None:
        headers["Idempotency-Key"] = key
    return HttpRequest(method="POST", path=path, headers=headers, body=urlencode(fields).encode())


def _intent_id(request: ChargeRequest) -> str:
    return request.progress.get(INTENT_FACT) or request.reference or ""


def _instrument(request: ChargeRequest) -> tuple[str | None, str]:
    """Customer and payment method: `cus_.../pm_...`, or `pm_...` with a customer whose id is Stripe's own.

    A payment method that is attached to a customer can be charged only together with that customer.
    """
    owner, slash, payment_method = request.token.partition("/")
    if slash and _CUSTOMER.fullmatch(owner):
        return owner, payment_method
    customer_id = request.customer.id if request.customer else None
    known = customer_id if customer_id and _CUSTOMER.fullmatch(customer_id) else None
    return known, request.token
