"""What is sent. Pure. The provider refuses fields that it does not know: nothing is sent that its pages do not list."""

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

_CAPTURE_WITHIN_MINUTES: Final = 7_200
"""The provider's maximum, five days. Whatever is authorized later than that it gives back by itself."""
_PAGE_ITEMS: Final = 100


def authenticate(request: HttpRequest, credentials: Credentials) -> HttpRequest:
    """HTTP Basic with key id and secret."""
    pair = base64.b64encode(f"{credentials.key_id}:{credentials.key_secret}".encode()).decode()
    headers = {**request.headers, "Authorization": f"Basic {pair}"}
    return HttpRequest(method=request.method, path=request.path, headers=headers, body=request.body)


def create_order(request: ChargeRequest) -> HttpRequest:
    """An order that only a payment of ours can pay. The receipt finds it, but keeps no second one from having it.

    The way of capture is said here, because the account's own setting would decide otherwise.
    """
    return _post(
        "/v1/orders",
        {
            "amount": request.amount,
            "currency": request.currency,
            "receipt": request.provider_key,
            "notes": _notes(request.provider_key),
            "partial_payment": False,
            "payment": {"capture": request.capture.value, "capture_options": _capture_options(request.capture)},
        },
    )


def pay_order(request: ChargeRequest) -> HttpRequest:
    """The payment of the order: from a saved token without the payer, or a UPI link that the payer approves."""
    return _upi_intent(request) if request.payment_method_type == UPI else _recurring(request)


def payments_of_order(request: ChargeRequest) -> HttpRequest:
    """The authoritative read: an order's status does not say which payment paid it."""
    return HttpRequest(method="GET", path=f"/v1/orders/{_quoted(request.progress['order_id'])}/payments")


def capture(request: OperationRequest) -> HttpRequest:
    """Take all that is held; the provider takes no part of it."""
    return _post(
        f"/v1/payments/{_quoted(request.charge_reference)}/capture",
        {"amount": request.amount, "currency": request.currency},
    )


def read_payment(request: OperationRequest) -> HttpRequest:
    """The payment that a capture is about."""
    return HttpRequest(method="GET", path=f"/v1/payments/{_quoted(request.charge_reference)}")


def refund(operation_request: OperationRequest) -> HttpRequest:
    """Give back. Here, and only here, the provider has an idempotency key."""
    request = _post(
        f"/v1/payments/{_quoted(operation_request.charge_reference)}/refund",
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
    """The refund by its id."""
    return HttpRequest(method="GET", path=f"/v1/refunds/{_quoted(request.reference or '')}")


def refunds_of_payment(request: OperationRequest) -> HttpRequest:
    """All refunds of the payment, among which ours is known by its receipt."""
    path = f"/v1/payments/{_quoted(request.charge_reference)}/refunds?count={_PAGE_ITEMS}"
    return HttpRequest(method="GET", path=path)


def _recurring(request: ChargeRequest) -> HttpRequest:
    """A charge of a saved token, which belongs to a customer of the provider's."""
    customer_id, token = _customer_and_token(request)
    body: dict[str, Any] = {**_payment(request), "token": token, "recurring": True}
    if customer_id:
        body["customer_id"] = customer_id
    return _post("/v1/payments/create/recurring", body)


def _customer_and_token(request: ChargeRequest) -> tuple[str, str]:
    """Our token is `cust_…:token_…`; or it is the token alone, and the payment's customer is the provider's."""
    customer_id, _, token = request.token.rpartition(":")
    known = request.customer.id if request.customer is not None else None
    if not customer_id and known is not None and known.startswith("cust_"):
        customer_id = known
    return customer_id, token


def _upi_intent(request: ChargeRequest) -> HttpRequest:
    """A link for a UPI app. The token is not sent: the payer chooses app and account."""
    body = {**_payment(request), "method": UPI, "upi": {"flow": "intent"}}
    return _post("/v1/payments/create/upi", body)


def _payment(request: ChargeRequest) -> dict[str, Any]:
    """What both ways of paying need. Without e-mail and phone the provider refuses before it does anything."""
    body: dict[str, Any] = {
        "amount": request.amount,
        "currency": request.currency,
        "order_id": request.progress["order_id"],
        "notes": _notes(request.provider_key),
    }
    if request.customer is not None and request.customer.email:
        body["email"] = request.customer.email
    if request.customer is not None and request.customer.phone:
        body["contact"] = request.customer.phone
    return body


def _capture_options(mode: CaptureMode) -> dict[str, Any]:
    options: dict[str, Any] = {"manual_expiry_period": _CAPTURE_WITHIN_MINUTES, "refund_speed": "normal"}
    if mode is CaptureMode.AUTOMATIC:
        options["automatic_expiry_period"] = _CAPTURE_WITHIN_MINUTES
    return options


def _notes(provider_key: str) -> dict[str, str]:
    return {KEY_NOTE: provider_key}


def _quoted(part: str) -> str:
    return quote(part, safe="")


def _post(path: str, body: dict[str, Any]) -> HttpRequest:
    return HttpRequest(
        method="POST",
        path=path,
        headers={"Content-Type": "application/json"},
        body=json.dumps(body, separators=(",", ":")).encode(),
    )
