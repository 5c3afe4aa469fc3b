"""The list of all refunds of a payment, our own and those that were made in the dashboard. Pure."""

from collections.abc import Sequence
from typing import Any, Final

from payflowx.domain.payments.refund_list import ProviderRefund, RefundState
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.transport import HttpRequest, HttpResponse
from payflowx.providers.json_fields import as_int, as_text, json_object, ms_of_seconds, reference
from payflowx.providers.razorpay.operations import key_of_refund
from payflowx.providers.razorpay.requests import refunds_of
from payflowx.providers.razorpay.responses import MAX_LISTED, listed

_STATES: Final = {
    "created": RefundState.PENDING,
    "pending": RefundState.PENDING,
    "processed": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
}


def request(charge: ChargeRequest) -> HttpRequest:
    """List the refunds of the payment. Raises ValueError without the payment's id."""
    if charge.reference is None:
        raise ValueError("the charge has no reference")
    return refunds_of(charge.reference)


def read(charge: ChargeRequest, response: HttpResponse) -> Sequence[ProviderRefund]:
    """Raises ValueError for a full page: the list may go on, and a part of it proves nothing."""
    if response.status != 200:
        raise ValueError(f"the list was refused with {response.status}")
    items = listed(json_object(response))
    if len(items) >= MAX_LISTED:
        raise ValueError("the list may have more pages")
    return [_refund(charge, item) for item in items]


def _refund(charge: ChargeRequest, item: dict[str, Any]) -> ProviderRefund:
    if item.get("entity") != "refund" or item.get("payment_id") != charge.reference:
        raise ValueError("not a refund of this payment")
    state = _STATES[as_text(item.get("status"))]
    return ProviderRefund(
        reference=reference(item.get("id")),
        provider_key=key_of_refund(item),
        amount=as_int(item.get("amount")),
        currency=as_text(item.get("currency")),
        state=state,
        code="refund_failed" if state is RefundState.FAILED else "",
        made_at_ms=ms_of_seconds(item.get("created_at")),
    )
