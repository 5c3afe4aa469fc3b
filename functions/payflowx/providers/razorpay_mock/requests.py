"""Builds requests. Pure."""

import base64
import json
from typing import Any
from urllib.parse import quote

from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import Credentials, HttpRequest


def authenticate(request: HttpRequest, credentials: Credentials) -> HttpRequest:
    """Add HTTP Basic with key id and secret."""
    pair = base64.b64encode(f"{credentials.key_id}:{credentials.key_secret}".encode()).decode()
    headers = {**request.headers, "Authorization": f"Basic {pair}"}
    return HttpRequest(method=request.method, path=request.path, headers=headers, body=request.body)


def create_order(request: ChargeRequest) -> HttpRequest:
    """Create an order. The receipt is our key, but two orders may have the same receipt."""
    body: dict[str, Any] = {
        "amount": request.amount,
        "currency": request.currency,
        "receipt": request.provider_key,
        "notes": {},
    }
    if request.capture is CaptureMode.MANUAL:
        body["payment"] = {"capture": request.capture.value}
    return post("/v1/orders", body)


def pay_order(request: ChargeRequest) -> HttpRequest:
    """Pay the order with a saved token."""
    return post(
        "/v1/payments/create/json",
        {
            "amount": request.amount,
            "currency": request.currency,
            "order_id": request.progress["order_id"],
            "method": "card",
            "token": request.token,
        },
    )


def payments_of_order(request: ChargeRequest) -> HttpRequest:
    """Read the payments of the order: the authoritative state."""
    return HttpRequest(method="GET", path=f"/v1/orders/{quote(request.progress['order_id'], safe='')}/payments")


def post(path: str, body: dict[str, Any]) -> HttpRequest:
    return HttpRequest(
        method="POST",
        path=path,
        headers={"Content-Type": "application/json"},
        body=json.dumps(body, separators=(",", ":")).encode(),
    )
