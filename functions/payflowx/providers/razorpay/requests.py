"""Builds requests. Pure. Razorpay refuses undocumented fields, so only documented ones are sent."""

import base64
import json
from typing import Any, Final
from urllib.parse import quote

from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.operation_request import OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import Credentials, HttpRequest

KEY_NOTE: Final = "payflowx_key"
"""The note that carries our key on orders, payments and refunds."""
UPI: Final = "upi"

_WITH_PAYER_MINUTES: Final = 20
"""A payer approves within some 10 minutes, or the payment fails; the rest is ours to capture in."""
_LONGEST_MINUTES: Final = 7_200
"""Razorpay's maximum, five days: for merchants who capture themselves, and debits that wait for their notification."""
_PAGE_ITEMS: Final = 100
_MAX_NOTES: Final = 15
_MAX_NOTE_CHARS: Final = 256
_MAX_DESCRIPTION_CHARS: Final = 255


def authenticate(request: HttpRequest, credentials: Credentials) -> HttpRequest:
    """Add HTTP Basic with key id and secret."""
    pair = base64.b64encode(f"{credentials.key_id}:{credentials.key_secret}".encode()).decode()
    headers = {**request.headers, "Authorization": f"Basic {pair}"}
    return HttpRequest(method=request.method, path=request.path, headers=headers, body=request.body)


def create_order(request: ChargeRequest) -> HttpRequest:
    """Create an order. The receipt is our key, but two orders may have the same receipt.

    Every order asks for manual capture, and says so, because the account's own setting would apply otherwise. So an
    authorization that comes after a failure takes no money: nobody captures it, and Razorpay returns it.
    """
    options = {"manual_expiry_period": capture_within_minutes(request), "refund_speed": "normal"}
    return post(
        "/v1/orders",
        {
            "amount": request.amount,
            "currency": request.currency,
            "receipt": request.provider_key,
            "notes": notes_of(request),
            "partial_payment": False,
            "payment": {"capture": CaptureMode.MANUAL.value, "capture_options": options},
        },
    )


def capture_within_minutes(request: ChargeRequest) -> int:
    """Return the time from the payment's creation after which Razorpay returns what is not captured."""
    with_payer = request.payment_method_type == UPI and request.capture is CaptureMode.AUTOMATIC
    return _WITH_PAYER_MINUTES if with_payer else _LONGEST_MINUTES


def pay_order(request: ChargeRequest) -> HttpRequest:
    """Pay the order: with a saved token without the payer, or with a UPI link that the payer approves."""
    return _upi_intent(request) if request.payment_method_type == UPI else _recurring(request)


def payments_of_order(request: ChargeRequest) -> HttpRequest:
    """Read the payments of the order: the order's status does not say which payment paid it."""
    return HttpRequest(method="GET", path=f"/v1/orders/{quoted(request.progress['order_id'])}/payments")


def capture(request: OperationRequest) -> HttpRequest:
    """Capture the whole authorization; Razorpay has no partial capture."""
    return _capture(request.charge_reference, request)


def capture_charge(request: ChargeRequest) -> HttpRequest:
    """Capture the authorization of a payment with automatic capture. A payment is captured once."""
    return _capture(request.reference or "", request)


def read_payment(request: OperationRequest) -> HttpRequest:
    return HttpRequest(method="GET", path=f"/v1/payments/{quoted(request.charge_reference)}")


def refund(operation_request: OperationRequest) -> HttpRequest:
    """Refund all or a part. Only this request of Razorpay's has an idempotency key."""
    request = post(
        f"/v1/payments/{quoted(operation_request.charge_reference)}/refund",
        {
            "amount": operation_request.amount,
            "speed": "normal",
            "receipt": operation_request.provider_key,
            "notes": _notes(operation_request.provider_key),
        },
    )
    headers = {**request.headers, "X-Refund-Idempotency": operation_request.provider_key}
    return HttpRequest(method=request.method, path=request.path, headers=headers, body=request.body)


def read_refund(request: OperationRequest) -> HttpRequest:
    return HttpRequest(method="GET", path=f"/v1/refunds/{quoted(request.reference or '')}")


def refunds_of_payment(request: OperationRequest) -> HttpRequest:
    """List all refunds of the payment; ours carries our key as its receipt."""
    return refunds_of(request.charge_reference)


def refunds_of(payment_id: str) -> HttpRequest:
    """List the refunds of a payment, whoever made them. Without a count only the last ten would be listed."""
    return HttpRequest(method="GET", path=f"/v1/payments/{quoted(payment_id)}/refunds?count={_PAGE_ITEMS}")


def _capture(payment_id: str, request: ChargeRequest | OperationRequest) -> HttpRequest:
    body = {"amount": request.amount, "currency": request.currency}
    return post(f"/v1/payments/{quoted(payment_id)}/capture", body)


def customer_of(request: ChargeRequest) -> str:
    """The customer at Razorpay to whom a saved token belongs; empty if the request names none."""
    return _customer_and_token(request)[0]


def _recurring(request: ChargeRequest) -> HttpRequest:
    """Charge a saved token, which belongs to a customer of Razorpay's."""
    customer_id, token = _customer_and_token(request)
    body: dict[str, Any] = {**_payment(request), "token": token, "recurring": True}
    if customer_id:
        body["customer_id"] = customer_id
    return post("/v1/payments/create/recurring", body)


def _customer_and_token(request: ChargeRequest) -> tuple[str, str]:
    """Our token is `cust_…:token_…`, or the token alone with the payment's customer as Razorpay's customer."""
    customer_id, _, token = request.token.rpartition(":")
    known = request.customer.id if request.customer is not None else None
    if not customer_id and known is not None and known.startswith("cust_"):
        customer_id = known
    return customer_id, token


def _upi_intent(request: ChargeRequest) -> HttpRequest:
    """Request a link for a UPI app. The token is not sent: the payer chooses app and account."""
    body = {**_payment(request), "method": UPI, "upi": {"flow": "intent"}}
    return post("/v1/payments/create/upi", body)


def _payment(request: ChargeRequest) -> dict[str, Any]:
    """The fields of both ways of paying. Razorpay refuses a payment without e-mail and phone.

    The payer's receipt goes to that e-mail address; there is no other field for it.
    """
    body: dict[str, Any] = {
        "amount": request.amount,
        "currency": request.currency,
        "order_id": request.progress["order_id"],
        "notes": notes_of(request),
    }
    if request.description:
        body["description"] = request.description[:_MAX_DESCRIPTION_CHARS]
    email = (request.customer.email if request.customer is not None else None) or request.receipt_email
    if email:
        body["email"] = email
    if request.customer is not None and request.customer.phone:
        body["contact"] = request.customer.phone
    return body


def notes_of(request: ChargeRequest) -> dict[str, str]:
    """Our key, then the merchant's metadata by name as far as Razorpay has room: 15 notes of 256 characters.

    A stored map has no order of its own, and the bytes of a request never change.
    """
    given = [(name, text) for name, text in sorted(request.metadata.items()) if name != KEY_NOTE]
    kept = {name: text[:_MAX_NOTE_CHARS] for name, text in given[: _MAX_NOTES - 1]}
    return {**_notes(request.provider_key), **kept}


def _notes(provider_key: str) -> dict[str, str]:
    return {KEY_NOTE: provider_key}


def quoted(part: str) -> str:
    return quote(part, safe="")


def post(path: str, body: dict[str, Any]) -> HttpRequest:
    return HttpRequest(
        method="POST",
        path=path,
        headers={"Content-Type": "application/json"},
        body=json.dumps(body, separators=(",", ":")).encode(),
    )
