"""Reads answers to captures, voids and refunds. Pure.

A refund has our key as its id. A capture or void carries no key of ours: it is a part of the payment that it
changed. We make at most one at a time, so the state of the payment is the outcome of ours.
"""

from collections.abc import Sequence
from typing import Any, Final

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
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.text import provider_reference
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.cashfree.refunds import refunds_in
from payflowx.providers.cashfree.responses import (
    minor_amount,
    payments_in,
    refusal_of,
    word_in,
)
from payflowx.providers.json_fields import as_object, as_text, error_body, json_object, reference
from payflowx.providers.refusals import RefusedCall
from payflowx.providers.sanitize import sanitize

_ACTIONS: Final = {OperationKind.CAPTURE: "CAPTURE", OperationKind.VOID: "VOID"}


def authorized(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Read the answer to a capture or void: the payment after it."""
    if response.status != 200:
        return refusal_of(response, RefusedCall(request.kind.value), request.private_values)
    outcome = _authorization(request, json_object(response))
    return Unknown(code="action_not_recorded") if isinstance(outcome, NotFound) else outcome


def authorization_found(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Find the payment of the charge among those of its order."""
    payments = payments_in(response, request.charge_key)
    if isinstance(payments, Unknown):
        return payments
    ours = [p for p in payments if provider_reference(p.get("cf_payment_id")) == request.charge_reference]
    return _authorization(request, ours[0]) if len(ours) == 1 else Unknown(code="payment_not_in_answer")


def refunded(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Read the answer to a refund. A duplicate is an earlier request of ours: unknown until it is read."""
    if response.status == 200:
        return _refund(request, json_object(response))
    return refusal_of(response, RefusedCall.REFUND, request.private_values)


def refund_listed(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Find the refund with our key in the complete list of the order's refunds."""
    if response.status == 404 and error_body(response).get("type") == "invalid_request_error":
        return NotFound()  # Not documented as the answer for an order without refunds: nothing follows.
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    ours = [
        refund for refund in refunds_in(response, request.charge_key) if refund.get("refund_id") == request.provider_key
    ]
    if len(ours) > 1:
        return Mismatch(code="duplicate_refund")
    return _refund(request, ours[0]) if ours else NotFound(complete=True)


def _authorization(request: OperationRequest, payment: dict[str, Any]) -> Outcome:
    payment_id = reference(payment.get("cf_payment_id"))
    if payment.get("order_id") != request.charge_key or payment_id != request.charge_reference:
        return Unknown(code="another_payment")
    status, taken = word_in(payment, "payment_status"), payment.get("is_captured")
    details = as_object(payment.get("authorization"))
    action, state = word_in(details, "action"), word_in(details, "status")
    if action and state == "PENDING":
        return Accepted(reference=payment_id) if action == _ACTIONS[request.kind] else Unknown(code="other_action")
    if action and state != "SUCCESS":
        return Unknown(code="status_not_known")
    if taken is not True and (action == "VOID" or (not action and status == "VOID")):
        if request.kind is OperationKind.CAPTURE:
            return Declined(code="authorization_voided", reference=payment_id)
        return _moved(request, payment, payment.get("payment_amount"))
    if taken is True and action == "CAPTURE" and status == "SUCCESS":
        if request.kind is OperationKind.VOID:
            return Declined(code="authorization_captured", reference=payment_id)
        return _moved(request, payment, details.get("captured_amount"))
    if taken is False and not action and status == "SUCCESS":
        return NotFound(complete=True)
    return Unknown(code="status_not_known")


def _moved(request: OperationRequest, payment: dict[str, Any], amount: Any) -> Outcome:
    payment_id = reference(payment.get("cf_payment_id"))
    currency = as_text(payment.get("payment_currency"))
    minor = minor_amount(amount, currency)
    if minor is None:
        return Mismatch(code="amount_differs", reference=payment_id)
    action_id = provider_reference(as_object(payment.get("authorization")).get("action_reference"))
    return Succeeded(
        reference=action_id or payment_id,
        amount=minor,
        currency=currency,
        merchant_reference=request.provider_key,
    )


def _refund(request: OperationRequest, refund: dict[str, Any]) -> Outcome:
    if refund.get("refund_id") != request.provider_key or refund.get("order_id") != request.charge_key:
        return Unknown(code="another_refund")
    if provider_reference(refund.get("cf_payment_id")) != request.charge_reference:
        return Mismatch(code="another_payment", reference=provider_reference(refund.get("cf_refund_id")))
    return refund_outcome(refund, request.private_values)


def refund_outcome(refund: dict[str, Any], private: Sequence[str] = ()) -> Outcome:
    refund_id = provider_reference(refund.get("cf_refund_id"))
    match refund.get("refund_status"):
        case "SUCCESS":
            currency = as_text(refund.get("refund_currency"))
            minor = minor_amount(refund.get("refund_amount"), currency)
            if minor is None:
                return Mismatch(code="amount_differs", reference=refund_id)
            return Succeeded(
                reference=reference(refund.get("cf_refund_id")),
                amount=minor,
                currency=currency,
                merchant_reference=as_text(refund.get("refund_id")),
            )
        case "PENDING" | "ONHOLD":
            return Accepted(reference=refund_id)
        case "CANCELLED" | "FAILED" as word:
            message = sanitize(refund.get("status_description"), known=private)
            return Declined(code=f"refund_{word.lower()}", message=message, reference=refund_id)
        case _:
            return Unknown(code="status_not_known")
