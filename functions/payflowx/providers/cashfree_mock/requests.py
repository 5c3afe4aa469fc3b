"""What is sent. Pure. Amounts are written as decimal literals; no float ever touches them."""

import json
from typing import Any, Final
from urllib.parse import quote

from payflowx.domain.money import to_major
from payflowx.domain.ports import Charge
from payflowx.domain.transport import Credentials, HttpRequest

API_VERSION: Final = "2025-01-01"
_AMOUNT: Final = '"@amount"'
_ANONYMOUS_PHONE: Final = "9999999999"
"""The vendor demands a phone number; one of ours says nothing about anybody."""


def authenticate(request: HttpRequest, credentials: Credentials) -> HttpRequest:
    """Client id and secret."""
    headers = {
        **request.headers,
        "x-client-id": credentials.key_id,
        "x-client-secret": credentials.key_secret,
        "x-api-version": API_VERSION,
    }
    return HttpRequest(method=request.method, path=request.path, headers=headers, body=request.body)


def create_order(charge: Charge) -> HttpRequest:
    """An order under our key: a second one of the same id is refused."""
    body = {
        "order_id": charge.provider_key,
        "order_amount": "@amount",
        "order_currency": charge.currency,
        "customer_details": {"customer_id": charge.provider_key, "customer_phone": _ANONYMOUS_PHONE},
    }
    literal = format(to_major(charge.amount, charge.currency), "f")
    text = json.dumps(body, separators=(",", ":")).replace(_AMOUNT, literal)
    return _with_key(charge, HttpRequest(method="POST", path="/pg/orders", body=text.encode()))


def pay_session(charge: Charge) -> HttpRequest:
    """Pay the order by a saved instrument."""
    body = {
        "payment_session_id": charge.progress["payment_session_id"],
        "payment_method": {"card": {"channel": "post", "instrument_id": charge.token}},
    }
    return _with_key(charge, HttpRequest(method="POST", path="/pg/orders/sessions", body=_json(body)))


def payments_of_order(charge: Charge) -> HttpRequest:
    """The authoritative read."""
    return HttpRequest(method="GET", path=f"{_order(charge)}/payments")


def terminate_order(charge: Charge) -> HttpRequest:
    """From then on nobody can pay it."""
    headers = {"Content-Type": "application/json"}
    body = _json({"order_status": "TERMINATED"})
    return HttpRequest(method="PATCH", path=_order(charge), headers=headers, body=body)


def read_order(charge: Charge) -> HttpRequest:
    """The order's own state."""
    return HttpRequest(method="GET", path=_order(charge))


def _order(charge: Charge) -> str:
    return f"/pg/orders/{quote(charge.provider_key, safe='')}"


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _with_key(charge: Charge, request: HttpRequest) -> HttpRequest:
    headers = {"Content-Type": "application/json", "x-idempotency-key": charge.provider_key}
    return HttpRequest(method=request.method, path=request.path, headers=headers, body=request.body)
