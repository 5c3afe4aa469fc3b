"""Reads answers to captures and refunds. Pure. There is no void: an uncaptured authorization lapses."""

from typing import Any

from payflowx.domain.payments.outcome import (
    Accepted,
    Declined,
    Mismatch,
    NotFound,
    Outcome,
    StepResult,
    Succeeded,
    Unknown,
)
from payflowx.domain.shared.operation_request import OperationRequest
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.json_fields import as_int, as_text, json_object, reference
from payflowx.providers.razorpay.errors import refused
from payflowx.providers.razorpay.responses import MAX_LISTED, listed, noted_key, our_key, was_given_back
from payflowx.providers.refusals import RefusedCall


def captured(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Read the answer to a capture. A refusal may mean that it was captured before, unless its text is in the table."""
    if response.status != 200:
        return refused(RefusedCall.CAPTURE, response, request.private_values)
    outcome = _capture(request, json_object(response))
    return Unknown(code="capture_not_confirmed") if isinstance(outcome, NotFound) else outcome


def capture_found(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Read the payment for its capture."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    return _capture(request, json_object(response))


def refunded(request: OperationRequest, response: HttpResponse) -> StepResult:
    if response.status != 200:
        return refused(RefusedCall.REFUND, response, request.private_values)
    return _refund(request, json_object(response))


def refund_found(request: OperationRequest, response: HttpResponse) -> StepResult:
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    return _refund(request, json_object(response))


def refund_listed(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Find our refund among all refunds of the payment, by our key and never by the amount.

    Only the list says how many it has, so a full page may be cut off.
    """
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    refunds = listed(json_object(response))
    ours = [refund for refund in refunds if key_of_refund(refund) == request.provider_key]
    if len(ours) > 1:
        return Mismatch(code="duplicate_refund")
    if ours:
        return _refund(request, ours[0])
    return NotFound(complete=True) if len(refunds) < MAX_LISTED else Unknown(code="list_incomplete")


def key_of_refund(refund: dict[str, Any]) -> str | None:
    """Our key in the receipt or the notes of a refund."""
    return our_key(refund.get("receipt")) or noted_key(refund)


def _capture(request: OperationRequest, payment: dict[str, Any]) -> Outcome:
    payment_id = reference(payment.get("id"))
    if payment_id != request.charge_reference:
        return Mismatch(code="reference_differs", reference=payment_id)
    order_id = request.charge_progress.get("order_id")
    if order_id is not None and as_text(payment.get("order_id")) != order_id:
        return Mismatch(code="reference_differs", reference=payment_id)
    if was_given_back(payment):
        return Declined(code="authorization_released", reference=payment_id)
    match payment.get("status"), payment.get("captured", True):
        case "captured" | "refunded", True:
            return _moved(request, payment, payment_id)
        case "authorized", _ if payment.get("captured") is not True:
            return NotFound(complete=True)
        case _:
            return Unknown(code="status_not_known")


def _refund(request: OperationRequest, refund: dict[str, Any]) -> Outcome:
    refund_id = reference(refund.get("id"))
    if as_text(refund.get("payment_id")) != request.charge_reference or key_of_refund(refund) != request.provider_key:
        return Mismatch(code="reference_differs", reference=refund_id)
    match refund.get("status"):
        case "processed":
            return _moved(request, refund, refund_id)
        case "pending" | "created":
            return Accepted(reference=refund_id)
        case "failed":
            return Declined(code="refund_failed", reference=refund_id)
        case _:
            return Unknown(code="status_not_known")


def _moved(request: OperationRequest, thing: dict[str, Any], reference_id: str) -> Outcome:
    amount, currency = as_int(thing.get("amount")), as_text(thing.get("currency"))
    if amount != request.amount:
        return Mismatch(code="amount_differs", reference=reference_id)
    if currency != request.currency:
        return Mismatch(code="currency_differs", reference=reference_id)
    return Succeeded(reference=reference_id, amount=amount, currency=currency, merchant_reference=request.provider_key)
