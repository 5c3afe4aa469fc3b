"""Builds the commands about an invoice. Pure.

Sources: https://docs.payu.in/reference/create_invoice_api, https://docs.payu.in/reference/expire_invoice_api, and the
documents of PayU's own SDK, https://github.com/payu-intrepos/web-sdk-php/tree/main/doc.
"""

import json
from typing import Final

from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import MINUTE_MS
from payflowx.domain.shared.transport import HttpRequest
from payflowx.providers.payu.fields import payer_of, product_of
from payflowx.providers.payu.requests import amount_text, command

PAYER_NEEDS: Final = ("firstname", "email", "phone")
_ADDRESS: Final = ("address1", "city", "state", "country", "zipcode")


def create_invoice(request: ChargeRequest) -> HttpRequest:
    """Create an invoice with our key as the transaction id, without any message of PayU's to the payer.

    PayU counts the lifetime from the creation: it is the time from the attempt's first send to the object's expiry, so
    that a repeated request has the same bytes. Raises ValueError for an attempt that has not begun.
    """
    if request.hosted is None or request.sent_at_ms is None:
        raise ValueError("an invoice belongs to a checkout's attempt that has begun")
    payer = payer_of(request)
    details: dict[str, str | int] = {
        "amount": amount_text(request.amount, request.currency),
        "txnid": request.provider_key,
        "productinfo": product_of(request),
        **{name: payer[name] for name in (*PAYER_NEEDS, *_ADDRESS) if name in payer},
        "validation_period": max(1, (request.hosted.expires_at_ms - request.sent_at_ms) // MINUTE_MS),
        "time_unit": "M",
        "send_email_now": "0",
        "send_sms": "0",
    }
    return command("create_invoice", json.dumps(details, separators=(",", ":")))


def expire_invoice(request: ChargeRequest) -> HttpRequest:
    return command("expire_invoice", request.provider_key)
