"""Reads the errors of Razorpay: code, message, and what they are about. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from payflowx.domain.payments.outcome import Rejected, Unknown
from payflowx.domain.shared.text import provider_code
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.edge import rejected_at_edge, unauthorized
from payflowx.providers.json_fields import as_object, error_body
from payflowx.providers.razorpay.refusals import REFUSALS
from payflowx.providers.refusals import RefusedCall
from payflowx.providers.sanitize import sanitize

BAD_REQUEST: Final = "BAD_REQUEST_ERROR"
_NO_REASON: Final = (None, "", "NA")
_OUR_FIELDS: Final = frozenset(
    {"amount", "contact", "currency", "customer_id", "email", "method", "notes", "recurring", "token", "upi"}
)
_TEXTS: Final[Mapping[str, str]] = {
    "requested url was not found on the server": "url_not_found",
    "is/are not required and should not be sent": "extra_field",
    "capture amount must be equal to the amount authorized": "capture_amount_differs",
    "capture request currency must be same": "capture_currency_differs",
    "fully refunded already": "fully_refunded",
    "payment status should be captured": "not_captured",
    "does not have enough balance": "balance_too_low",
    "refund amount provided is greater than amount captured": "refund_exceeds_captured",
    "total refund amount is greater than the refund payment amount": "refund_exceeds_captured",
    "partial refund is currently not supported for this payment method": "partial_refund_unsupported",
    "refund is currently not supported for this payment method": "refund_unsupported",
    "refunds cannot be created on your account": "refunds_disabled",
    "refund on this payment is blocked due to ongoing dispute investigation": "payment_disputed",
    "amount must be at least inr": "amount_below_minimum",
    "payment is more than 6 months old": "payment_too_old",
}
"""Documented sentences of errors that share one reason, or have none. The first that an error contains counts.

The sentence about a total that is too large stands on no page of Razorpay's; public plug-ins handle it.
"""
_BAD_CREDENTIALS: Final = re.compile(r"authentication failed\.?|the api \S+ provided is invalid\.?", re.IGNORECASE)
_DONE_BEFORE: Final = ("already", "duplicate", "in progress", "same idempotency")
"""Words in an error text that may mean that a payment, capture or refund exists."""
_PERSONAL: Final = re.compile(r"\S*@\S*|\+?\d(?:[ -]?\d){6,}|\b(?:token|cust|card|rzp)_\w+")
"""E-mail and UPI addresses, long numbers, and card data."""


def error_of(response: HttpResponse) -> dict[str, Any]:
    """The error inside the body, or an empty object."""
    return as_object(error_body(response).get("error"))


def code_of(error: Mapping[str, Any]) -> str:
    """Our word for a documented sentence, else the reason, else the field's word or the code."""
    description = error.get("description")
    text = description.lower() if isinstance(description, str) else ""
    said = next((code for sentence, code in _TEXTS.items() if sentence in text), None)
    if said is not None:
        return said
    reason = error.get("reason")
    if reason not in _NO_REASON:
        return provider_code(reason)
    names_field = error.get("code") == BAD_REQUEST and error.get("field") in _OUR_FIELDS
    return "field_refused" if names_field else provider_code(error.get("code"))


def message_of(description: object, private: Sequence[str]) -> str:
    """The message without the payer's data, ids of tokens and keys, and private values, cut to length."""
    return sanitize(description, known=private, also=_PERSONAL)


def says_done_before(error: Mapping[str, Any]) -> bool:
    """The text never makes an outcome more certain, only less."""
    description = error.get("description")
    return isinstance(description, str) and any(word in description.lower() for word in _DONE_BEFORE)


def names_payment(error: Mapping[str, Any]) -> bool:
    """A payment exists, so the request was executed at least in part."""
    return as_object(error.get("metadata")).get("payment_id") is not None


def at_edge(response: HttpResponse, message: str) -> Rejected | None:
    """A rate limit or bad credentials, also where these come as a 400; None for an error that names a payment."""
    error = error_of(response)
    if names_payment(error):
        return None
    description = error.get("description")
    text = description if isinstance(description, str) else ""
    if response.status == 400 and _BAD_CREDENTIALS.fullmatch(text.strip()) and error.get("reason") in _NO_REASON:
        return unauthorized(message)
    return rejected_at_edge(response, message, names_object=False)


def refused(call: RefusedCall, response: HttpResponse, private: Sequence[str]) -> Rejected | Unknown:
    """Read an error: a rate limit, bad credentials, a documented refusal that names no payment, else unknown."""
    error = error_of(response)
    message = message_of(error.get("description"), private)
    edge = at_edge(response, message)
    if edge is not None:
        return edge
    if response.status not in {400, 404} or not error:
        return Unknown(code=f"http_{response.status}", message=message)
    outcome = REFUSALS.outcome(call, code_of(error), message, names_object=names_payment(error))
    if isinstance(outcome, Rejected) and says_done_before(error) and not outcome.claims_done:
        return Unknown(code=outcome.code, message=message)
    return outcome
