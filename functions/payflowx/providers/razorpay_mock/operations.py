"""Captures and refunds: requests and the meaning of their answers. Pure.

There are no idempotency keys: an unknown operation is read, not sent again. A capture is read on its payment, which
is captured at most once. A refund carries our key as its receipt.
"""

from typing import Any
from urllib.parse import quote

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
from payflowx.domain.shared.transport import HttpRequest, HttpResponse
from payflowx.providers.json_fields import as_int, as_text, json_object, reference
from payflowx.providers.razorpay_mock.requests import post
from payflowx.providers.razorpay_mock.responses import refused
from payflowx.providers.refusals import RefusedCall


def capture(request: OperationRequest) -> HttpRequest:
    """Capture the whole amount; there is no partial capture."""
    return post(f"{_payment(request)}/capture", {"amount": request.amount, "currency": request.currency})


def refund(request: OperationRequest) -> HttpRequest:
    """Refund all or a part. The receipt is our key, but two refunds may have the same receipt."""
    return post(f"{_payment(request)}/refund", {"amount": request.amount, "receipt": request.provider_key})


def read_payment(request: OperationRequest) -> HttpRequest:
    """Read the payment, which shows its capture."""
    return HttpRequest(method="GET", path=_payment(request))


def refunds_of_payment(request: OperationRequest) -> HttpRequest:
    return HttpRequest(method="GET", path=f"{_payment(request)}/refunds")


def read_refund(request: OperationRequest) -> HttpRequest:
    return HttpRequest(method="GET", path=f"/v1/refunds/{quote(request.reference or '', safe='')}")


def captured(request: OperationRequest, response: HttpResponse) -> StepResult:
    if response.status != 200:
        return refused(RefusedCall.CAPTURE, response)
    outcome = _capture(request, json_object(response))
    return Unknown(code="capture_not_confirmed") if isinstance(outcome, NotFound) else outcome


def capture_found(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Read the payment for its capture."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    return _capture(request, json_object(response))


def refunded(request: OperationRequest, response: HttpResponse) -> StepResult:
    return _ours(request, json_object(response)) if response.status == 200 else refused(RefusedCall.REFUND, response)


def refund_found(request: OperationRequest, response: HttpResponse) -> StepResult:
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    return _ours(request, json_object(response))


def refund_listed(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Find our refund among all refunds of the payment, by our key and never by the amount."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    items = json_object(response)["items"]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError("items is no list of refunds")
    ours = [item for item in items if item.get("receipt") == request.provider_key]
    if len(ours) > 1:
        return Mismatch(code="duplicate_refund")
    return _ours(request, ours[0]) if ours else NotFound(complete=True)


def refund_outcome(item: dict[str, Any]) -> Outcome:
    """The outcome of a refund, regardless of who requested it."""
    refund_id = reference(item.get("id"))
    match item.get("status"):
        case "processed":
            return Succeeded(
                reference=refund_id,
                amount=as_int(item.get("amount")),
                currency=as_text(item.get("currency")),
                merchant_reference=as_text(item.get("receipt")),
            )
        case "pending":
            return Accepted(reference=refund_id)
        case "failed":
            return Declined(code="refund_failed", reference=refund_id)
        case _:
            return Unknown(code="status_not_known")


def _capture(request: OperationRequest, payment: dict[str, Any]) -> Outcome:
    payment_id = reference(payment.get("id"))
    known = (payment_id, as_text(payment.get("order_id")))
    if known != (request.charge_reference, request.charge_progress.get("order_id")):
        return Mismatch(code="reference_differs", reference=payment_id)
    match payment.get("status"):
        case "captured":
            return Succeeded(
                reference=payment_id,
                amount=as_int(payment.get("amount")),
                currency=as_text(payment.get("currency")),
                merchant_reference=request.provider_key,
            )
        case "authorized":
            return NotFound(complete=True)
        case _:
            return Unknown(code="status_not_known")


def _ours(request: OperationRequest, item: dict[str, Any]) -> Outcome:
    if (item.get("payment_id"), item.get("receipt")) != (request.charge_reference, request.provider_key):
        return Mismatch(code="reference_differs", reference=reference(item.get("id")))
    return refund_outcome(item)


def _payment(request: OperationRequest) -> str:
    return f"/v1/payments/{quote(request.charge_reference, safe='')}"
