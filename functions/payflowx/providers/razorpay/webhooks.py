"""Reads webhooks: their signature, their subject, and the two events that are proof by themselves."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from payflowx.domain.payments.outcome import Succeeded
from payflowx.domain.providers.events import InvalidSignatureError, ProviderEvent, Webhook
from payflowx.domain.shared.text import provider_code, provider_reference
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.json_fields import as_int, as_object, as_text, json_object, reference
from payflowx.providers.razorpay import disputes
from payflowx.providers.razorpay.operations import key_of_refund
from payflowx.providers.razorpay.responses import noted_key, our_key
from payflowx.providers.razorpay.signature import is_signed

MAX_WEBHOOK_BYTES: Final = 256 * 1024
_NOT_UNDERSTOOD: Final = (ValueError, RecursionError)


def read_webhook(webhook: Webhook, secrets: Sequence[str]) -> ProviderEvent:
    """Read an authentic webhook. Razorpay signs no time: a repeated webhook reports a state that is still true."""
    signature = webhook.headers.get("x-razorpay-signature", "")
    if len(webhook.body) > MAX_WEBHOOK_BYTES or not is_signed(webhook.body, signature, secrets):
        raise InvalidSignatureError
    event_id = provider_reference(webhook.headers.get("x-razorpay-event-id"))
    event_id = event_id or hashlib.sha256(webhook.body).hexdigest()
    try:
        event = json_object(HttpResponse(status=200, headers={}, body=webhook.body))
    except _NOT_UNDERSTOOD:
        return ProviderEvent(event_id=event_id, type="unrecognized")
    kind, payload = provider_code(event.get("event")), as_object(event.get("payload"))
    dispute = as_object(as_object(payload.get("dispute")).get("entity"))
    if dispute:
        return ProviderEvent(
            event_id=event_id,
            type=kind,
            charge_reference=provider_reference(dispute.get("payment_id")),
            charge_key=_key_beside(dispute, payload),
            dispute=disputes.report_of(dispute, event.get("created_at")),
        )
    return _provider_event(event_id, kind, payload)


def _key_beside(dispute: dict[str, Any], payload: dict[str, Any]) -> str | None:
    """Our key in the notes of the disputed payment, which finds the second charge inside one link."""
    payment = as_object(as_object(payload.get("payment")).get("entity"))
    return noted_key(payment) if payment.get("id") == dispute.get("payment_id") else None


def _provider_event(event_id: str, kind: str, payload: dict[str, Any]) -> ProviderEvent:
    payment, order, refund, link = (
        as_object(as_object(payload.get(name)).get("entity")) for name in ("payment", "order", "refund", "payment_link")
    )
    references = (payment.get("id"), refund.get("payment_id"), link.get("id"))
    return ProviderEvent(
        event_id=event_id,
        type=kind,
        charge_reference=next(filter(None, map(provider_reference, references)), None),
        charge_key=our_key(link.get("reference_id"), order.get("receipt")) or noted_key(payment),
        operation_reference=provider_reference(refund.get("id")),
        operation_key=key_of_refund(refund),
        outcome=_charged(order, payment) if kind == "order.paid" else None,
        operation_outcome=_moved(refund) if kind == "refund.processed" else None,
    )


def _charged(order: dict[str, Any], payment: dict[str, Any]) -> Succeeded | None:
    """Only `order.paid` contains the order, whose receipt only we can set.

    A payment's notes prove nothing: a browser with Checkout open may write them.
    """
    key = our_key(order.get("receipt"))
    taken = payment.get("status") == "captured" and payment.get("captured", True) is True
    whole_order = order.get("status") == "paid" and order.get("amount") == payment.get("amount")
    same_order = order.get("id") is not None and order.get("id") == payment.get("order_id")
    if key is None or not (taken and whole_order and same_order) or payment.get("amount_refunded") not in (0, None):
        return None
    try:
        return Succeeded(
            reference=reference(payment.get("id")),
            amount=as_int(payment.get("amount")),
            currency=as_text(payment.get("currency")),
            merchant_reference=key,
        )
    except ValueError:
        return None


def _moved(refund: dict[str, Any]) -> Succeeded | None:
    """Only the account's key can make a refund; `processed` is its last state."""
    key = key_of_refund(refund)
    if key is None or refund.get("status") != "processed":
        return None
    try:
        return Succeeded(
            reference=reference(refund.get("id")),
            amount=as_int(refund.get("amount")),
            currency=as_text(refund.get("currency")),
            merchant_reference=key,
        )
    except ValueError:
        return None
