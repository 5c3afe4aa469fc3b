"""Captures, voids and refunds: requests and the meaning of their answers. Pure.

An authorization is captured once or voided once, and its payment shows which. A refund's id is our key: a second
refund with the same id is refused, so a repeated request never refunds twice.
"""

from typing import Any, Final
from urllib.parse import quote

from payflowx.domain.payments.outcome import (
    Accepted,
    Authorized,
    Declined,
    Mismatch,
    NotFound,
    Outcome,
    StepResult,
    Succeeded,
    Unknown,
)
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.transport import HttpRequest, HttpResponse
from payflowx.providers.cashfree_mock.requests import json_with_amount, keyed, order_path
from payflowx.providers.cashfree_mock.responses import amount_of, payment, payments_in, refused
from payflowx.providers.json_fields import as_text, error_body, json_object, reference
from payflowx.providers.refusals import RefusedCall

_ACTIONS: Final = {OperationKind.CAPTURE: "CAPTURE", OperationKind.VOID: "VOID"}


def capture_or_void(request: OperationRequest) -> HttpRequest:
    """Capture all or a part of the authorization, or void it."""
    body = {"action": _ACTIONS[request.kind], "amount": "@amount"}
    return _post(request, "authorization", body)


def refund(request: OperationRequest) -> HttpRequest:
    """Refund all or a part, with our key as the refund's id."""
    return _post(request, "refunds", {"refund_id": request.provider_key, "refund_amount": "@amount"})


def payments_of_order(request: OperationRequest) -> HttpRequest:
    """Read the payments of the order, which show a capture or a void."""
    return HttpRequest(method="GET", path=f"{order_path(request.charge_key)}/payments")


def read_refund(request: OperationRequest) -> HttpRequest:
    """Read the refund by our key, which is its id."""
    key = quote(request.provider_key, safe="")
    return HttpRequest(method="GET", path=f"{order_path(request.charge_key)}/refunds/{key}")


def captured_or_voided(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Read the answer to a capture or void: the payment. An unchanged payment is `Unknown` here."""
    if response.status != 200:
        return refused(RefusedCall(request.kind), response)
    outcome = _settled(request, json_object(response))
    return Unknown(code="not_settled") if isinstance(outcome, NotFound) else outcome


def capture_or_void_found(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Find the payment of the charge among all payments of the order."""
    payments = payments_in(response)
    if isinstance(payments, Unknown):
        return payments
    held = [item for item in payments if reference(item.get("cf_payment_id")) == request.charge_reference]
    return _settled(request, held[0]) if len(held) == 1 else Unknown(code="payment_not_listed")


def refunded(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Read the answer to a refund, or its stored copy when the key was used before."""
    return _ours(request, json_object(response)) if response.status == 200 else refused(RefusedCall.REFUND, response)


def refund_found(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Read the refund. Only the provider's explicit answer says that there is none."""
    if response.status == 200:
        return _ours(request, json_object(response))
    if response.status == 404 and error_body(response).get("code") == "refund_not_found":
        return NotFound(complete=True)
    return Unknown(code=f"http_{response.status}")


def refund_outcome(item: dict[str, Any]) -> Outcome:
    """The outcome of a refund, regardless of who requested it."""
    refund_id = reference(item.get("cf_refund_id"))
    match item.get("refund_status"):
        case "SUCCESS":
            currency = as_text(item.get("refund_currency"))
            amount = amount_of(item.get("refund_amount"), currency)
            if amount is None:
                return Mismatch(code="amount_differs", reference=refund_id)
            key = as_text(item.get("refund_id"))
            return Succeeded(reference=refund_id, amount=amount, currency=currency, merchant_reference=key)
        case "PENDING":
            return Accepted(reference=refund_id)
        case "CANCELLED":
            return Declined(code="refund_cancelled", reference=refund_id)
        case _:
            return Unknown(code="status_not_known")


def _settled(request: OperationRequest, item: dict[str, Any]) -> Outcome:
    payment_id = reference(item.get("cf_payment_id"))
    if (payment_id, item.get("order_id")) != (request.charge_reference, request.charge_key):
        return Mismatch(code="reference_differs", reference=payment_id)
    if item.get("payment_status") == "VOID":
        return _voided(request, item, payment_id)
    match payment(item):
        case Succeeded(amount=amount, currency=currency) if request.kind is OperationKind.CAPTURE:
            key = request.provider_key
            return Succeeded(reference=payment_id, amount=amount, currency=currency, merchant_reference=key)
        case Succeeded():
            return Declined(code="already_captured", reference=payment_id)
        case Authorized():
            return NotFound(complete=True)
        case Mismatch() | Unknown() as outcome:
            return outcome
        case _:
            return Unknown(code="status_not_known")


def _voided(request: OperationRequest, item: dict[str, Any], payment_id: str) -> Outcome:
    if request.kind is not OperationKind.VOID:
        return Declined(code="already_voided", reference=payment_id)
    currency = as_text(item.get("payment_currency"))
    amount = amount_of(item.get("payment_amount"), currency)
    if amount is None:
        return Mismatch(code="amount_differs", reference=payment_id)
    return Succeeded(reference=payment_id, amount=amount, currency=currency, merchant_reference=request.provider_key)


def _ours(request: OperationRequest, item: dict[str, Any]) -> Outcome:
    if (item.get("order_id"), item.get("refund_id")) != (request.charge_key, request.provider_key):
        return Mismatch(code="reference_differs", reference=reference(item.get("cf_refund_id")))
    return refund_outcome(item)


def _post(request: OperationRequest, what: str, body: dict[str, Any]) -> HttpRequest:
    path = f"{order_path(request.charge_key)}/{what}"
    data = json_with_amount(body, request.amount, request.currency)
    return keyed(request.provider_key, HttpRequest(method="POST", path=path, body=data))
