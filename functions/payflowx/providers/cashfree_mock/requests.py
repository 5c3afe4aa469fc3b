"""Builds requests. Pure. Amounts are written as decimal literals; no float is involved."""

import json
from typing import Any, Final
from urllib.parse import quote

from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.money import to_major
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import Credentials, HttpRequest

API_VERSION: Final = "2025-01-01"
_AMOUNT: Final = '"@amount"'
_ANONYMOUS_PHONE: Final = "9999999999"
"""The provider requires a phone number; this constant identifies no person."""


def authenticate(request: HttpRequest, credentials: Credentials) -> HttpRequest:
    """Add client id and secret."""
    headers = {
        **request.headers,
        "x-client-id": credentials.key_id,
        "x-client-secret": credentials.key_secret,
        "x-api-version": API_VERSION,
    }
    return HttpRequest(method=request.method, path=request.path, headers=headers, body=request.body)


def create_order(request: ChargeRequest) -> HttpRequest:
    """Create an order with our key as its id: a second order with the same id is refused."""
    body: dict[str, Any] = {
        "order_id": request.provider_key,
        "order_amount": "@amount",
        "order_currency": request.currency,
        "customer_details": {"customer_id": request.provider_key, "customer_phone": _ANONYMOUS_PHONE},
    }
    if request.capture is CaptureMode.MANUAL:
        body["order_meta"] = {"capture": request.capture.value}
    data = json_with_amount(body, request.amount, request.currency)
    return keyed(request.provider_key, HttpRequest(method="POST", path="/pg/orders", body=data))


def pay_session(request: ChargeRequest) -> HttpRequest:
    """Pay the order with a saved instrument."""
    body = {
        "payment_session_id": request.progress["payment_session_id"],
        "payment_method": {"card": {"channel": "post", "instrument_id": request.token}},
    }
    return keyed(request.provider_key, HttpRequest(method="POST", path="/pg/orders/sessions", body=_json(body)))


def payments_of_order(request: ChargeRequest) -> HttpRequest:
    """Read the payments of the order: the authoritative state."""
    return HttpRequest(method="GET", path=f"{order_path(request.provider_key)}/payments")


def terminate_order(request: ChargeRequest) -> HttpRequest:
    """Terminate the order, which can never be paid afterwards."""
    headers = {"Content-Type": "application/json"}
    body = _json({"order_status": "TERMINATED"})
    return HttpRequest(method="PATCH", path=order_path(request.provider_key), headers=headers, body=body)


def read_order(request: ChargeRequest) -> HttpRequest:
    return HttpRequest(method="GET", path=order_path(request.provider_key))


def order_path(order_id: str) -> str:
    return f"/pg/orders/{quote(order_id, safe='')}"


def json_with_amount(body: dict[str, Any], amount: int, currency: str) -> bytes:
    """Encode the body with the amount, in major units, in place of `@amount`."""
    literal = format(to_major(amount, currency), "f")
    return json.dumps(body, separators=(",", ":")).replace(_AMOUNT, literal).encode()


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def keyed(key: str, request: HttpRequest) -> HttpRequest:
    """Post JSON with an idempotency key."""
    headers = {"Content-Type": "application/json", "x-idempotency-key": key}
    return HttpRequest(method=request.method, path=request.path, headers=headers, body=request.body)
