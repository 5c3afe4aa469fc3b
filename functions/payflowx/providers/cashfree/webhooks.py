"""Reads Cashfree's webhooks. Pure. The signature covers time and body: a success is proof, a failure never is."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from payflowx.domain.payments.outcome import Outcome, Succeeded
from payflowx.domain.providers.events import InvalidSignatureError, ProviderEvent, Webhook
from payflowx.domain.shared.text import provider_code, provider_reference
from payflowx.providers.cashfree import disputes
from payflowx.providers.cashfree.operations import refund_outcome
from payflowx.providers.cashfree.responses import declared_fee, money_of, word_in
from payflowx.providers.cashfree.signature import is_signed, is_timely
from payflowx.providers.json_fields import as_object, as_text, parse

_MAX_BYTES: Final = 64 * 1024
_UNREADABLE: Final = (ValueError, KeyError, TypeError, ArithmeticError, RecursionError)


def read(webhook: Webhook, secrets: Sequence[str]) -> ProviderEvent:
    """Read an authentic webhook. Raises `InvalidSignatureError` for any other, without a reason."""
    timestamp = webhook.headers.get("x-webhook-timestamp", "")
    signature = webhook.headers.get("x-webhook-signature", "")
    if len(webhook.body) > _MAX_BYTES or not is_timely(timestamp, webhook.received_at_ms):
        raise InvalidSignatureError
    if not is_signed(timestamp, webhook.body, signature, secrets):
        raise InvalidSignatureError
    message = _object(webhook.body)
    data, kind = as_object(message.get("data")), provider_code(message.get("type"))
    refund = as_object(data.get("refund") or data.get("auto_refund"))
    if refund:
        return _refund(webhook, kind, refund)
    if isinstance(data.get("dispute"), dict):
        return _dispute(webhook, kind, data["dispute"], as_object(data.get("order_details")))
    if isinstance(data.get("payment"), dict):
        return _payment(webhook, kind, data["payment"], as_object(data.get("order")))
    return ProviderEvent(event_id=_event_id(webhook, kind, None, None), type=kind)


def _payment(webhook: Webhook, kind: str, payment: dict[str, Any], order: dict[str, Any]) -> ProviderEvent:
    """The order id is beside the payment, and inside it in newer versions; if both exist, they must agree."""
    keys = {part["order_id"] for part in (order, payment) if isinstance(part.get("order_id"), str)}
    key = keys.pop() if len(keys) == 1 else None
    payment_id = provider_reference(payment.get("cf_payment_id"))
    proof: Outcome | None = None
    if kind == "PAYMENT_SUCCESS_WEBHOOK" and key is not None and payment_id is not None:
        proof = _charged(payment_id, {**payment, "order_id": key})
    return ProviderEvent(
        event_id=_event_id(webhook, kind, payment_id, payment.get("payment_status")),
        type=kind,
        charge_reference=payment_id,
        charge_key=provider_reference(key),
        outcome=proof,
    )


def _charged(payment_id: str, payment: dict[str, Any]) -> Outcome | None:
    """The charge, if the money was captured and not only authorized.

    Cashfree's samples have no `is_captured`. Without it a card payment may be an authorization, where the account has
    that feature, and is read; a UPI payment is not, because no mandate was requested. A payment with a declared fee is
    read too: its amount is not the order's.
    """
    captured, is_upi = payment.get("is_captured"), word_in(payment, "payment_group").startswith("upi")
    if payment.get("payment_status") != "SUCCESS" or payment.get("authorization"):
        return None
    if captured is not True and not (captured is None and is_upi):
        return None
    try:
        outcome = money_of(payment_id, payment, payment.get("payment_amount"), kind=Succeeded)
        if declared_fee(payment, as_text(payment.get("payment_currency"))):
            return None
    except _UNREADABLE:
        return None
    return outcome if isinstance(outcome, Succeeded) else None


def _refund(webhook: Webhook, kind: str, refund: dict[str, Any]) -> ProviderEvent:
    """A refund of ours, one made in the dashboard, or an automatic one: the payment that it names says of which charge.

    Only one that a merchant requested is proof, and only if it names its payment and order: one of an order that was
    paid twice may be of the other payment. For any other, the refunds of the charge are read.
    """
    refund_id = provider_reference(refund.get("cf_refund_id"))
    charge_reference = provider_reference(refund.get("cf_payment_id"))
    charge_key = provider_reference(refund.get("order_id"))
    proof: Outcome | None = None
    if refund.get("refund_type") == "MERCHANT_INITIATED" and charge_reference and charge_key:
        try:
            found = refund_outcome(refund)
        except _UNREADABLE:
            found = None
        proof = found if isinstance(found, Succeeded) else None
    return ProviderEvent(
        event_id=_event_id(webhook, kind, refund_id, refund.get("refund_status")),
        type=kind,
        charge_reference=charge_reference,
        charge_key=charge_key,
        operation_reference=refund_id,
        operation_key=provider_reference(refund.get("refund_id")),
        operation_outcome=proof,
    )


def _dispute(webhook: Webhook, kind: str, dispute: dict[str, Any], order: dict[str, Any]) -> ProviderEvent:
    return ProviderEvent(
        event_id=_event_id(webhook, kind, None, None),
        type=kind,
        charge_reference=provider_reference(order.get("cf_payment_id")),
        charge_key=provider_reference(order.get("order_id")),
        dispute=disputes.report_of(dispute, order),
    )


def _event_id(webhook: Webhook, kind: str, object_id: str | None, status: Any) -> str:
    """Derived from the signed bytes: Cashfree's header for the event id is not signed."""
    if object_id is not None and isinstance(status, str):
        said = f"{kind}\n{object_id}\n{status}".encode(errors="backslashreplace")
    else:
        said = webhook.body
    return hashlib.sha256(said).hexdigest()[:40]


def _object(body: bytes) -> dict[str, Any]:
    """The message, or an empty object for an authentic body that is not understood."""
    try:
        return as_object(parse(body))
    except (ValueError, RecursionError):
        return {}
