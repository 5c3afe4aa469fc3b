"""The list of all refunds of an intent, our own and those that were made in the dashboard. Pure."""

from collections.abc import Sequence
from typing import Any, Final

from payflowx.domain.payments.refund_list import ProviderRefund, RefundState
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.transport import HttpRequest, HttpResponse
from payflowx.providers.json_fields import as_int, json_object, ms_of_seconds, reference
from payflowx.providers.stripe.messages import safe_code
from payflowx.providers.stripe.objects import currency_of, is_object, items_of, our_key
from payflowx.providers.stripe.requests import get

_PAGE: Final = 100
_STATES: Final = {
    "succeeded": RefundState.SUCCEEDED,
    "pending": RefundState.PENDING,
    "requires_action": RefundState.PENDING,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}


def request(charge: ChargeRequest) -> HttpRequest:
    """List the refunds of the intent. Lists are current. Raises ValueError without the intent's id."""
    if charge.reference is None:
        raise ValueError("the charge has no reference")
    return get("/v1/refunds", [("payment_intent", charge.reference), ("limit", str(_PAGE))])


def read(charge: ChargeRequest, response: HttpResponse) -> Sequence[ProviderRefund]:
    """Raises ValueError for a list that has more than one page: a part of it proves nothing."""
    if response.status != 200 or json_object(response).get("has_more") is not False:
        raise ValueError("not a whole list")
    return [_refund(charge, item) for item in items_of(response)]


def _refund(charge: ChargeRequest, item: dict[str, Any]) -> ProviderRefund:
    if not is_object(item, "refund") or item.get("payment_intent") != charge.reference:
        raise ValueError("not a refund of this charge")
    return ProviderRefund(
        reference=reference(item.get("id")),
        provider_key=our_key(item),
        amount=as_int(item.get("amount")),
        currency=currency_of(item),
        state=_STATES[str(item.get("status"))],
        code=safe_code(item.get("failure_reason") or item.get("status")),
        made_at_ms=ms_of_seconds(item.get("created")),
    )
