"""Builds requests. Pure. The order of form fields is fixed: Stripe compares them when a key is used again."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, urlencode

from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.statuses import CaptureMode, Initiator
from payflowx.domain.shared.transport import Credentials, HttpRequest
from payflowx.providers.stripe.fields import KEY_FIELD, merchant_fields

API_VERSION: Final = "2023-10-16"
"""Pinned, because an account's default version would change the form of the answers."""

INTENT_FACT: Final = "payment_intent"
"""The fact that holds the id of the intent."""

_CUSTOMER: Final = re.compile(r"cus_[A-Za-z0-9]{1,64}")

Fields = Sequence[tuple[str, str]]


def authenticate(request: HttpRequest, credentials: Credentials) -> HttpRequest:
    """Add the secret key as bearer token; the key also selects live or test mode."""
    headers = {**request.headers, "Authorization": f"Bearer {credentials.key_secret}"}
    return HttpRequest(method=request.method, path=request.path, headers=headers, body=request.body)


def charge(request: ChargeRequest) -> HttpRequest:
    """Create and confirm in one request: the key covers both, so a re-send never confirms a second intent."""
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
    fields += [*_presence(request), *merchant_fields(request)]
    return post("/v1/payment_intents", fields, key=request.provider_key)


def _presence(request: ChargeRequest) -> Fields:
    """Whether the payer can approve, and whether the payment method is kept for charges without the payer.

    Without a return address the payer cannot approve: a decline is better than an intent that waits. Stripe itself
    declines a charge by the merchant that requires an approval.
    """
    if request.initiator is Initiator.MERCHANT:
        return [("off_session", "true")]
    approval = ("return_url", request.return_url) if request.return_url else ("error_on_requires_action", "true")
    return [approval, ("setup_future_usage", "off_session")] if request.save_payment_method else [approval]


def read(request: ChargeRequest) -> HttpRequest:
    """Read the intent by its id: it is current, and the only answer that may be `ConfirmedCancelled`.

    The charge of a manual capture is included: it says until when the authorization can be captured.
    """
    expand = [("expand[]", "latest_charge")] if request.capture is CaptureMode.MANUAL else []
    return get(intent_path(_intent_id(request)), expand)


def cancel(request: ChargeRequest) -> HttpRequest:
    """Without an idempotency key: Stripe would store a refusal and repeat it when a cancel could succeed."""
    return post(f"{intent_path(_intent_id(request))}/cancel", [("cancellation_reason", "abandoned")])


def intent_path(intent_id: str) -> str:
    return f"/v1/payment_intents/{quote(intent_id, safe='')}"


def get(path: str, fields: Fields = ()) -> HttpRequest:
    """A read. Stripe ignores idempotency keys on reads."""
    query = f"?{urlencode(fields)}" if fields else ""
    return HttpRequest(method="GET", path=path + query, headers={"Stripe-Version": API_VERSION})


def post(path: str, fields: Fields, *, key: str | None = None) -> HttpRequest:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Stripe-Version": API_VERSION}
    if key is not None:
        headers["Idempotency-Key"] = key
    return HttpRequest(method="POST", path=path, headers=headers, body=urlencode(fields).encode())


def _intent_id(request: ChargeRequest) -> str:
    return request.progress.get(INTENT_FACT) or request.reference or ""


def customer_of(request: ChargeRequest) -> str | None:
    """Stripe's id of the customer, if the payment names one."""
    return _instrument(request)[0]


def _instrument(request: ChargeRequest) -> tuple[str | None, str]:
    """Customer and payment method, from `cus_.../pm_...`, or from `pm_...` and a customer id of Stripe's form.

    A payment method that is attached to a customer can be charged only together with that customer.
    """
    owner, slash, payment_method = request.token.partition("/")
    if slash and _CUSTOMER.fullmatch(owner):
        return owner, payment_method
    customer_id = request.customer.id if request.customer else None
    known = customer_id if customer_id and _CUSTOMER.fullmatch(customer_id) else None
    return known, request.token
