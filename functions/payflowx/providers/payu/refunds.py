"""The refunds of a payment, our own and those that were made in PayU's dashboard. Pure.

PayU's list of a payment's actions is its complete history of captures and refunds:
https://docs.payu.in/reference/check_action_status_api_with_payu_id. PayU's report of transactions has no refunds.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from payflowx.domain.payments.outcome import Unknown
from payflowx.domain.payments.refund_list import ProviderRefund, RefundState
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.text import provider_code, provider_reference
from payflowx.domain.shared.transport import HttpRequest, HttpResponse
from payflowx.providers.json_fields import reference
from payflowx.providers.payu import requests
from payflowx.providers.payu.operations import DONE, FAILED, WORKING, history_of
from payflowx.providers.payu.responses import CURRENCY, answer_of, is_done, minor_amount, word_of

_REFUND: Final = "refund"
_STATES: Final[Mapping[str, RefundState]] = {
    DONE: RefundState.SUCCEEDED,
    **dict.fromkeys(WORKING, RefundState.PENDING),
    **dict.fromkeys(FAILED, RefundState.FAILED),
}


def request(charge: ChargeRequest) -> HttpRequest:
    """List the actions of the payment. Raises ValueError without PayU's id of it."""
    if charge.reference is None:
        raise ValueError("the charge has no reference")
    return requests.actions_of(charge.reference)


def read(charge: ChargeRequest, response: HttpResponse) -> Sequence[ProviderRefund]:
    """Raises ValueError for a list that is not the whole one."""
    answer = answer_of(response)
    if isinstance(answer, Unknown) or not is_done(answer):
        raise ValueError("the list was not given")
    history = history_of(answer, charge.reference or "")
    if isinstance(history, Unknown) or not history.is_whole:
        raise ValueError("not a whole list")
    return [_refund(action) for action in history.actions if word_of(action.get("action")) == _REFUND]


def _refund(action: Mapping[str, Any]) -> ProviderRefund:
    amount = minor_amount(action.get("amt"))
    if amount is None:
        raise ValueError("an amount is not understood")
    return ProviderRefund(
        reference=reference(action.get("request_id")),
        provider_key=provider_reference(action.get("token")),
        amount=amount,
        currency=CURRENCY,
        state=_STATES[word_of(action.get("status"))],
        code=provider_code(action.get("status")),
    )
