"""Builds requests. Pure. Amounts are written as decimal literals; no float is involved.

Paths are relative to Cashfree's base address, which ends in /pg.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from payflowx.domain.payments.payment import Customer
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.reconciliation.reports import ReportPage
from payflowx.domain.shared.limits import DAY_MS, SECOND_MS
from payflowx.domain.shared.money import to_major
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.text import is_clean
from payflowx.domain.shared.transport import Credentials, HttpRequest

API_VERSION: Final = "2025-01-01"
REPORT_ROWS: Final = 100
"""A row has about a kilobyte: a page stays well below the largest answer that is read."""

_PAY_PATH: Final = "/orders/sessions"
_NAMESPACE: Final = bytes.fromhex("9ae874c2686b54d2990f7d1544e1fe1b")
"""Fixed: another namespace would give other idempotency keys to the same requests."""

_CUSTOMER_ID: Final = re.compile(r"[A-Za-z0-9_-]{3,50}")
_INDIAN_PHONE: Final = re.compile(r"(?:\+91|0)?([6-9][0-9]{9})")
_FOREIGN_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
"""E.164. Cashfree takes a number of another country only with its plus."""
PAYER_FORMS: Final = {"customer.phone": re.compile(f"{_INDIAN_PHONE.pattern}|{_FOREIGN_PHONE.pattern}")}
"""The telephone numbers that `phone_of` can write."""
MAX_RETURN_URL_CHARS: Final = 250
_MIN_TEXT_CHARS: Final = 3
_MAX_NAME_CHARS: Final = 100
_MAX_NOTE_CHARS: Final = 200
_MAX_TAGS: Final = 10
_MAX_TAG_CHARS: Final = 255
_KEY_TAG: Final = "payflowx_key"
_OURS_TO_CLOSE_MS: Final = 3 * DAY_MS
"""How long after the last moment at which an attempt can begin the order lapses by itself.

As long as inquiries go on: until then it can be terminated and read back at once. A lapsed order is believed to be
closed only when the longest attempt of a payer is over, two days later.
"""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def authenticate(request: HttpRequest, credentials: Credentials) -> HttpRequest:
    """Add client id and secret. The request that pays has a session instead and gets neither."""
    headers = {**request.headers, "x-api-version": API_VERSION}
    if request.path != _PAY_PATH:
        headers |= {"x-client-id": credentials.key_id, "x-client-secret": credentials.key_secret}
    return HttpRequest(method=request.method, path=request.path, headers=headers, body=request.body)


# --- the charge -------------------------------------------------------------------------------------------------


def create_order(request: ChargeRequest) -> HttpRequest:
    """Create an order with our key as its id: a second order with the same id is refused.

    It has no idempotency key. With one, Cashfree would answer a repeated request from a stored copy, also a server
    error, and an order could not be created any more.
    """
    meta: dict[str, Any] = {}
    if request.return_url is not None and len(request.return_url) <= MAX_RETURN_URL_CHARS:
        meta["return_url"] = request.return_url
    deadline_ms = request.charge_deadline_ms
    return order(request, meta=meta, expires_at_ms=None if deadline_ms is None else deadline_ms + _OURS_TO_CLOSE_MS)


def order(
    request: ChargeRequest,
    *,
    meta: Mapping[str, Any],
    expires_at_ms: int | None,
    products: Mapping[str, Any] | None = None,
) -> HttpRequest:
    """Create an order of these properties. `products`: Cashfree's features around a payment."""
    body: dict[str, Any] = {
        "order_id": request.provider_key,
        "order_currency": request.currency,
        "customer_details": _customer(request),
        "order_tags": _tags(request),
    }
    if meta:
        body["order_meta"] = meta
    if expires_at_ms is not None:
        body["order_expiry_time"] = _time(expires_at_ms)
    note = _text(request.description, _MAX_NOTE_CHARS)
    if note is not None:
        body["order_note"] = note
    if products:
        body["products"] = products
    return _post("/orders", request.provider_key, _with_amount("order_amount", request.amount, request.currency, body))


def pay_session(request: ChargeRequest) -> HttpRequest:
    """Pay the order: by a link to the payer's UPI app, or by a saved card, never with its CVV.

    It has no idempotency key: after a 404 about a new order, the next request must be executed and not answered from a
    stored copy.
    """
    method: dict[str, Any] = {"card": {"channel": "link", "instrument_id": request.token}}
    if request.payment_method_type == "upi":
        method = {"upi": {"channel": "link"}}
    body = {"payment_session_id": request.progress["payment_session_id"], "payment_method": method}
    return _post(_PAY_PATH, request.provider_key, _json(body))


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
    return _with_body(method, path, request.provider_key, _json(body))


# --- operations ------------------------------------------------------------------------------------------------


def authorize(request: OperationRequest) -> HttpRequest:
    """Capture or void. Cashfree accepts no reference of ours here, only the idempotency key."""
    path, name = f"{_order(request.charge_key)}/authorization", request.kind.value
    data = _json({"action": "VOID"})
    if request.kind is OperationKind.CAPTURE:
        data = _with_amount("amount", request.amount, request.currency, {"action": "CAPTURE"})
    sent = _post(path, request.provider_key, data)
    return replace(sent, headers={**sent.headers, "x-idempotency-key": idempotency_key(name, request.provider_key)})


def refund(request: OperationRequest) -> HttpRequest:
    """Refund with our key as the id: a second refund with the same id is refused.

    It has no idempotency key, for the reason given at `create_order`.
    """
    body = {"refund_id": request.provider_key, "refund_speed": "STANDARD"}
    data = _with_amount("refund_amount", request.amount, request.currency, body)
    return _post(f"{_order(request.charge_key)}/refunds", request.provider_key, data)


def refunds_of(order_id: str, request_id: str) -> HttpRequest:
    """List the refunds of an order, whoever requested them. Cashfree documents no pages of this list."""
    return _get(f"{_order(order_id)}/refunds", request_id)


def refunds_of_charge(request: OperationRequest) -> HttpRequest:
    return refunds_of(request.charge_key, request.provider_key)


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
    """The payer's data that Cashfree takes. A saved card belongs to a customer of this id.

    Without a telephone number Cashfree refuses the order.
    """
    payer = request.customer or Customer()
    named = payer.id if request.payment_method_type == "card" else None
    details = {
        "customer_id": named if named and _CUSTOMER_ID.fullmatch(named) else request.provider_key.replace("-", ""),
        "customer_phone": phone_of(payer),
        "customer_name": _text(payer.name, _MAX_NAME_CHARS),
        "customer_email": _email(request.receipt_email or payer.email),
    }
    return {name: value for name, value in details.items() if value is not None}


def phone_of(payer: Customer | None) -> str | None:
    """Ten digits for an Indian number, else plus, country code and number; None for any other text."""
    given = payer.phone if payer else None
    indian = _INDIAN_PHONE.fullmatch(given or "")
    if indian:
        return indian.group(1)
    return given if given and _FOREIGN_PHONE.fullmatch(given) else None


def _email(given: str | None) -> str | None:
    """An address that is too long is left out: a part of it would be another address."""
    return given if given and _MIN_TEXT_CHARS <= len(given) <= _MAX_NAME_CHARS else None


def _tags(request: ChargeRequest) -> dict[str, str]:
    """Our key, and the merchant's metadata by name as far as ten tags allow."""
    ours = {_KEY_TAG: request.provider_key}
    named = {name: _text(value, _MAX_TAG_CHARS, least=1) for name, value in sorted(request.metadata.items())}
    theirs = [(name, value) for name, value in named.items() if value is not None and name not in ours]
    return ours | dict(theirs[: _MAX_TAGS - 1])


def _text(given: str | None, most: int, *, least: int = _MIN_TEXT_CHARS) -> str | None:
    """One line without control characters, cut to length by code points; None if too little is left."""
    kept = "".join(char if is_clean(char) else " " for char in given or "")
    line = " ".join(kept.split())[:most].strip()
    return line if len(line) >= least else None


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


def _post(path: str, key: str, body: bytes) -> HttpRequest:
    return _with_body("POST", path, key, body)


def _with_body(method: str, path: str, key: str, body: bytes) -> HttpRequest:
    headers = {"Content-Type": "application/json", "x-request-id": key}
    return HttpRequest(method=method, path=path, headers=headers, body=body)


def _time(at_ms: int) -> str:
    at = _EPOCH + timedelta(seconds=at_ms // SECOND_MS)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
