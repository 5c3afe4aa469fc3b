"""Builds requests. Pure."""

import json
from urllib.parse import quote

from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.transport import Credentials, HttpRequest


def authenticate(request: HttpRequest, credentials: Credentials) -> HttpRequest:
    """Add the secret key as bearer token."""
    headers = {**request.headers, "Authorization": f"Bearer {credentials.key_secret}"}
    return HttpRequest(method=request.method, path=request.path, headers=headers, body=request.body)


def charge(request: ChargeRequest) -> HttpRequest:
    """Charge a token. The provider key is the idempotency key and the reference."""
    body = {
        "amount": request.amount,
        "currency": request.currency,
        "source": request.token,
        "reference": request.provider_key,
        "capture": request.capture.value,
    }
    return HttpRequest(
        method="POST",
        path="/v1/charges",
        headers={"Content-Type": "application/json", "Idempotency-Key": request.provider_key},
        body=json.dumps(body, separators=(",", ":")).encode(),
    )


def find(request: ChargeRequest) -> HttpRequest:
    """List the charges that carry our reference."""
    return HttpRequest(method="GET", path=f"/v1/charges?reference={quote(request.provider_key, safe='')}")


def cancel(request: ChargeRequest) -> HttpRequest:
    charge_id = quote(request.progress["charge_id"], safe="")
    return HttpRequest(method="POST", path=f"/v1/charges/{charge_id}/cancel")


def read(request: ChargeRequest) -> HttpRequest:
    return HttpRequest(method="GET", path=f"/v1/charges/{quote(request.progress['charge_id'], safe='')}")
