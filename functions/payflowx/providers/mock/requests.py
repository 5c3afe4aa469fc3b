"""What is sent. Pure."""

import json
from urllib.parse import quote

from payflowx.domain.providers.ports import Charge
from payflowx.domain.shared.transport import Credentials, HttpRequest


def authenticate(request: HttpRequest, credentials: Credentials) -> HttpRequest:
    """A bearer key."""
    headers = {**request.headers, "Authorization": f"Bearer {credentials.key_secret}"}
    return HttpRequest(method=request.method, path=request.path, headers=headers, body=request.body)


def charge(order: Charge) -> HttpRequest:
    """Charge a token. The provider key is the idempotency key and the reference."""
    body = {
        "amount": order.amount,
        "currency": order.currency,
        "source": order.token,
        "reference": order.provider_key,
        "capture": order.capture.value,
    }
    return HttpRequest(
        method="POST",
        path="/v1/charges",
        headers={"Content-Type": "application/json", "Idempotency-Key": order.provider_key},
        body=json.dumps(body, separators=(",", ":")).encode(),
    )


def find(order: Charge) -> HttpRequest:
    """Charges by our reference."""
    return HttpRequest(method="GET", path=f"/v1/charges?reference={quote(order.provider_key, safe='')}")


def cancel(order: Charge) -> HttpRequest:
    """Cancel the charge that was found."""
    charge_id = quote(order.progress["charge_id"], safe="")
    return HttpRequest(method="POST", path=f"/v1/charges/{charge_id}/cancel")


def read(order: Charge) -> HttpRequest:
    """The charge by its id."""
    return HttpRequest(method="GET", path=f"/v1/charges/{quote(order.progress['charge_id'], safe='')}")
