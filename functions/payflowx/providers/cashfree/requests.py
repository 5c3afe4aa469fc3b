"""Builds requests. Pure. Amounts are written as decimal literals; no float is involved.

Paths are relative to Cashfree's base address, which ends in /pg.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.reconciliation.reports import ReportPage
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.money import to_major
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.transport import Credentials, HttpRequest

API_VERSION: Final = "2025-01-01"
REPORT_ROWS: Final = 100
"""A row has about a kilobyte: a page stays well below the largest answer that is read."""

_PAY_PATH: Final = "/orders/sessions"
_NAMESPACE: Final = bytes.fromhex("9ae874c2686b54d2990f7d1544e1fe1b")
"""Fixed: another namespace would give other idempotency keys to the same requests."""

_CUSTOMER_ID: Final = re.compile(r"[A-Za-z0-9_-]{3,50}")
_INDIAN_PHONE: Final = re.compile(r"(?:\+91|0)?([6-9][0-9]{9})")
_NOBODYS_PHONE: Final = "9999999999"
"""Cashfree requires ten digits and documents that a dummy number is accepted."""
_MAX_RETURN_URL_CHARS: Final = 250
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def authenticate(request: HttpRequest, credentials: Credentials) -> HttpRequest:
    """Add client id and secret. The request that pays has a session instead and gets neither."""
    headers = {**request.headers, "x-api-version": API_VERSION}
    if request.path != _PAY_PATH:
        headers |= {"x-client-id": credentials.key_id, "x-client-secret": credentials.key_secret}
    return HttpRequest(method=request.method, path=request.path, headers=headers, body=request.body)


# --- the charge -------------------------------------------------------------------------------------------------


def create_order(request: ChargeRequest) -> HttpRequest:
    """Create an order with our key as its id: a second order with the same id is refused."""
    body: dict[str, Any] = {
        "order_id": request.provider_key,
        "order_currency": request.currency,
        "customer_details": _customer(request),
        "order_tags": {"payflowx_key": request.provider_key},
    }
    if request.return_url is not None and len(request.return_url) <= _MAX_RETURN_URL_CHARS:
        body["order_meta"] = {"return_url": request.return_url}
    data = _with_amount("order_amount", request.amount, request.currency, body)
    return _post("/orders", "order", request.provider_key, data)


def pay_session(request: ChargeRequest) -> HttpRequest:
    """Pay the order: by a link to the payer's UPI app, or by a saved card, never with its CVV."""
    method: dict[str, Any] = {"card": {"channel": "link", "instrument_id": request.token}}
    if request.payment_method_type == "upi":
        method = {"upi": {"channel": "link"}}
    body = {"payment_session_id": request.progress["payment_session_id"], "payment_method": method}
    return _post(_PAY_PATH, "pay", request.provider_key, _json(body))


def read_order(request: ChargeRequest) -> HttpRequest:
    return _get(_order(request.provider_key), request.provider_key)


def payments_of_order(request: ChargeRequest) -> HttpRequest:
    """Read the payments of the order: the authoritative state."""
    return _get(f"{_order(request.provider_key)}/payments", request.provider_key)


def terminate_order(request: ChargeRequest) -> HttpRequest:
    """Terminate the order: afterwards no new payment of it can start."""
    return _cancelling("PATCH", _order(request.provider_key), request, {"order_status": "TERMINATED"})


def void_charge(request: ChargeRequest) -> HttpRequest:
    """Void the authorization of an attempt; without an authorization, Cashfree refuses."""
    return _cancelling("POST", f"{_order(request.provider_key)}/authorization", request, {"action": "VOID"})


def _cancelling(method: str, path: str, request: ChargeRequest, body: Mapping[str, Any]) -> HttpRequest:
    """Without an idempotency key: a repeated request must be executed again, not answered from a stored copy."""
    headers = {"Content-Type": "application/json", "x-request-id": request.provider_key}
    return HttpRequest(method=method, path=path, headers=headers, body=_json(body))


# --- operations ------------------------------------------------------------------------------------------------


def authorize(request: OperationRequest) -> HttpRequest:
    """Capture or void. Cashfree accepts no reference of ours here, only the idempotency key."""
    path = f"{_order(request.charge_key)}/authorization"
    if request.kind is OperationKind.VOID:
        return _post(path, "void", request.provider_key, _json({"action": "VOID"}))
    data = _with_amount("amount", request.amount, request.currency, {"action": "CAPTURE"})
    return _post(path, "capture", request.provider_key, data)


def refund(request: OperationRequest) -> HttpRequest:
    """Refund with our key as the id: a second refund with the same id is refused."""
    body = {"refund_id": request.provider_key, "refund_speed": "STANDARD"}
    data = _with_amount("refund_amount", request.amount, request.currency, body)
    return _post(f"{_order(request.charge_key)}/refunds", "refund", request.provider_key, data)


def read_refund(request: OperationRequest) -> HttpRequest:
    path = f"{_order(request.charge_key)}/refunds/{quote(request.provider_key, safe='')}"
    return _get(path, request.provider_key)


def payments_of_charge(request: OperationRequest) -> HttpRequest:
    """Read the charge's payments: a capture or void is a part of the payment that it changed."""
    return _get(f"{_order(request.charge_key)}/payments", request.provider_key)


# --- reports ----------------------------------------------------------------------------------------------------


def report_page(page: ReportPage) -> HttpRequest:
    """List all events of a time range, to the second; Cashfree includes both ends."""
    pagination: dict[str, Any] = {"limit": REPORT_ROWS}
    if page.cursor is not None:
        pagination["cursor"] = page.cursor
    filters = {"start_date": _time(page.from_ms), "end_date": _time(page.until_ms - 1)}
    body = _json({"pagination": pagination, "filters": filters})
    return HttpRequest(method="POST", path="/recon", headers={"Content-Type": "application/json"}, body=body)


def idempotency_key(operation: str, key: str) -> str:
    """The version 5 UUID of operation and key: Cashfree requires a UUID, and refuses one key for two bodies."""
    raw = bytearray(hashlib.sha1(_NAMESPACE + f"{operation}:{key}".encode(), usedforsecurity=False).digest()[:16])
    raw[6] = raw[6] & 0x0F | 0x50
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _customer(request: ChargeRequest) -> dict[str, str]:
    """The minimum of personal data that Cashfree accepts. A saved card belongs to a customer of this id."""
    known = request.customer
    named = known.id if known and request.payment_method_type == "card" else None
    phone = _INDIAN_PHONE.fullmatch(known.phone) if known and known.phone else None
    return {
        "customer_id": named if named and _CUSTOMER_ID.fullmatch(named) else request.provider_key.replace("-", ""),
        "customer_phone": phone.group(1) if phone else _NOBODYS_PHONE,
    }


def _with_amount(name: str, amount: int, currency: str, rest: Mapping[str, Any]) -> bytes:
    """The object with the amount as its first member, written as a decimal number."""
    literal = format(to_major(amount, currency), "f")
    return f'{{"{name}":{literal},'.encode() + _json(rest)[1:]


def _order(key: str) -> str:
    return f"/orders/{quote(key, safe='')}"


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _get(path: str, key: str) -> HttpRequest:
    return HttpRequest(method="GET", path=path, headers={"x-request-id": key})


def _post(path: str, operation: str, key: str, body: bytes) -> HttpRequest:
    headers = {
        "Content-Type": "application/json",
        "x-idempotency-key": idempotency_key(operation, key),
        "x-request-id": key,
    }
    return HttpRequest(method="POST", path=path, headers=headers, body=body)


def _time(at_ms: int) -> str:
    at = _EPOCH + timedelta(seconds=at_ms // SECOND_MS)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
