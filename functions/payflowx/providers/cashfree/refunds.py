"""The list of all refunds of a charge: our own, those made in the dashboard, and Cashfree's automatic ones. Pure."""

from collections.abc import Sequence
from typing import Any, Final

from payflowx.domain.payments.refund_list import ProviderRefund, RefundState
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.identifiers import parse_provider_key
from payflowx.domain.shared.text import provider_code, provider_reference
from payflowx.domain.shared.transport import HttpRequest, HttpResponse
from payflowx.providers.cashfree.requests import refunds_of
from payflowx.providers.cashfree.responses import minor_amount
from payflowx.providers.json_fields import as_text, json_array, ms_of_time, reference

_STATES: Final = {
    "SUCCESS": RefundState.SUCCEEDED,
    "PENDING": RefundState.PENDING,
    "ONHOLD": RefundState.PENDING,
    "CANCELLED": RefundState.FAILED,
    "FAILED": RefundState.FAILED,
}


def request(charge: ChargeRequest) -> HttpRequest:
    """List the refunds of the order. Raises ValueError without the payment's id, by which they are told apart."""
    if charge.reference is None:
        raise ValueError("the charge has no reference")
    return refunds_of(charge.provider_key, charge.provider_key)


def read(charge: ChargeRequest, response: HttpResponse) -> Sequence[ProviderRefund]:
    """Leave out refunds of other payments of the order: Cashfree returns a second payment by itself.

    One with an id of ours is ours, whatever payment it took the money from.
    """
    if response.status != 200:
        raise ValueError("not a list")
    refunds = refunds_in(response, charge.provider_key)
    return [_refund(refund) for refund in refunds if _is_of(charge, refund)]


def refunds_in(response: HttpResponse, order_id: str) -> list[dict[str, Any]]:
    """All refunds of the order. Raises ValueError for anything but a refund of this order."""
    refunds = json_array(response)
    for refund in refunds:
        if not isinstance(refund, dict) or refund.get("order_id") != order_id:
            raise ValueError("not a list of this order's refunds")
    return refunds


def _is_of(charge: ChargeRequest, refund: dict[str, Any]) -> bool:
    is_ours = parse_provider_key(provider_reference(refund.get("refund_id")) or "") is not None
    return reference(refund.get("cf_payment_id")) == charge.reference or is_ours


def _refund(refund: dict[str, Any]) -> ProviderRefund:
    """A refund that was made in the dashboard has an id of its own making, which is no key of ours."""
    currency = as_text(refund.get("refund_currency"))
    amount = minor_amount(refund.get("refund_amount"), currency)
    if amount is None:
        raise ValueError("not an amount of this currency")
    status = as_text(refund.get("refund_status"))
    return ProviderRefund(
        reference=reference(refund.get("cf_refund_id")),
        provider_key=provider_reference(refund.get("refund_id")),
        amount=amount,
        currency=currency,
        state=_STATES[status],
        code=provider_code(f"refund_{status.lower()}"),
        made_at_ms=ms_of_time(refund.get("created_at")),
    )
