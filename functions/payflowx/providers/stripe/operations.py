"""Captures, voids and refunds: requests and the meaning of their answers. Pure.

A refund carries our key in its metadata. A capture writes its key to the intent. A cancel takes no metadata: a void
is read from the state of our own intent, which can be voided only once.
"""

from typing import Any, Final
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
from payflowx.providers.json_fields import as_int, as_object, json_object, reference
from payflowx.providers.refusals import RefusedCall
from payflowx.providers.stripe.errors import operation_error
from payflowx.providers.stripe.fields import CAPTURE_FIELD, KEY_FIELD
from payflowx.providers.stripe.messages import safe_code
from payflowx.providers.stripe.objects import currency_of, is_object, items_of, our_key
from payflowx.providers.stripe.requests import get, intent_path, post

_REFUNDS_A_PAGE: Final = 100


# --- requests ------------------------------------------------------------------------------------------------


def capture(request: OperationRequest) -> HttpRequest:
    """Capture all or a part; Stripe releases the rest."""
    fields = [
        ("amount_to_capture", str(request.amount)),
        (f"metadata[{CAPTURE_FIELD}]", request.provider_key),
    ]
    return post(f"{intent_path(request.charge_reference)}/capture", fields, key=request.provider_key)


def void(request: OperationRequest) -> HttpRequest:
    """Release the authorization."""
    fields = [("cancellation_reason", "requested_by_customer")]
    return post(f"{intent_path(request.charge_reference)}/cancel", fields, key=request.provider_key)


def refund(request: OperationRequest) -> HttpRequest:
    """Refund all or a part. The amount is always sent, because "the rest" may change between two sends."""
    fields = [
        ("payment_intent", request.charge_reference),
        ("amount", str(request.amount)),
        (f"metadata[{KEY_FIELD}]", request.provider_key),
    ]
    return post("/v1/refunds", fields, key=request.provider_key)


def read_intent(request: OperationRequest) -> HttpRequest:
    return get(intent_path(request.charge_reference))


def find_refund(request: OperationRequest) -> HttpRequest:
    """Read by the refund's id, else list all refunds of the intent: lists are current."""
    if request.reference is not None:
        return get(f"/v1/refunds/{quote(request.reference, safe='')}")
    fields = [("payment_intent", request.charge_reference), ("limit", str(_REFUNDS_A_PAGE))]
    return get("/v1/refunds", fields)


# --- answers -------------------------------------------------------------------------------------------------


def captured(request: OperationRequest, response: HttpResponse) -> StepResult:
    if response.status != 200:
        return operation_error(RefusedCall.CAPTURE, response, request.private_values)
    return _final(_capture_of(request, json_object(response)))


def voided(request: OperationRequest, response: HttpResponse) -> StepResult:
    if response.status != 200:
        return operation_error(RefusedCall.VOID, response, request.private_values)
    return _final(_void_of(request, json_object(response)))


def refunded(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Read the answer to a refund, or its stored copy when the key was used before."""
    if response.status != 200:
        return operation_error(RefusedCall.REFUND, response, request.private_values)
    return _refund_of(request, json_object(response))


def found_capture(request: OperationRequest, response: HttpResponse) -> StepResult:
    """The outcome of a capture, read from the intent."""
    return _capture_of(request, json_object(response)) if response.status == 200 else _unread(response)


def found_void(request: OperationRequest, response: HttpResponse) -> StepResult:
    """The outcome of a void, read from the intent."""
    return _void_of(request, json_object(response)) if response.status == 200 else _unread(response)


def found_refund(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Read the refund by its id, or find the one with our key among all refunds of the intent."""
    if response.status != 200:
        return _unread(response)
    if request.reference is not None:
        return _refund_of(request, json_object(response))
    ours = [item for item in items_of(response) if our_key(item) == request.provider_key]
    if len(ours) > 1:
        return Mismatch(code="duplicate_refund")
    if ours:
        return _refund_of(request, ours[0])
    whole = json_object(response).get("has_more") is False
    return NotFound(complete=True) if whole else Unknown(code="list_incomplete")


def _capture_of(request: OperationRequest, intent: dict[str, Any]) -> Outcome:
    intent_id = _same_intent(request, intent)
    match intent.get("status"):
        case "succeeded":
            return Succeeded(
                reference=intent_id,
                amount=as_int(intent.get("amount_received")),
                currency=currency_of(intent),
                merchant_reference=_capture_key(intent),
            )
        case "canceled":
            return Declined(code="intent_canceled", reference=intent_id)
        case "processing":
            return Accepted(reference=intent_id)
        case "requires_capture":
            return NotFound(complete=True)
        case _:
            return Unknown(code="status_not_known")


def _void_of(request: OperationRequest, intent: dict[str, Any]) -> Outcome:
    intent_id = _same_intent(request, intent)
    match intent.get("status"):
        case "canceled" if intent.get("amount_received") == 0:
            return Succeeded(
                reference=intent_id,
                amount=as_int(intent.get("amount")),
                currency=currency_of(intent),
                merchant_reference=request.provider_key,
            )
        case "succeeded":
            return Declined(code="already_captured", reference=intent_id)
        case "requires_capture":
            return NotFound(complete=True)
        case _:
            return Unknown(code="status_not_known")


def _refund_of(request: OperationRequest, refund_: dict[str, Any]) -> Outcome:
    refund_id = reference(refund_.get("id"))
    if not is_object(refund_, "refund"):
        return Unknown(code="not_a_refund")
    if refund_.get("payment_intent") != request.charge_reference or our_key(refund_) != request.provider_key:
        return Mismatch(code="reference_differs", reference=refund_id)
    match refund_.get("status"):
        case "succeeded":
            return Succeeded(
                reference=refund_id,
                amount=as_int(refund_.get("amount")),
                currency=currency_of(refund_),
                merchant_reference=request.provider_key,
            )
        case "pending" | "requires_action":
            return Accepted(reference=refund_id)
        case "failed" | "canceled":
            return Declined(code=safe_code(refund_.get("failure_reason") or refund_.get("status")), reference=refund_id)
        case _:
            return Unknown(code="status_not_known")


def _same_intent(request: OperationRequest, intent: dict[str, Any]) -> str:
    """The intent's id. Raises ValueError for an intent that is not the charge's."""
    ours = intent.get("id") == request.charge_reference and our_key(intent) == request.charge_key
    if not ours or not is_object(intent, "payment_intent"):
        raise ValueError("another intent")
    return reference(intent.get("id"))


def _capture_key(intent: dict[str, Any]) -> str:
    """The key of the capture, or "none" for a capture made elsewhere, so that the verification detects it."""
    key = as_object(intent.get("metadata")).get(CAPTURE_FIELD)
    return key if isinstance(key, str) and key else "none"


def _final(outcome: Outcome) -> Outcome:
    """After an accepted request, an unchanged or an old state is not conclusive: `Unknown`."""
    return Unknown(code="not_settled") if isinstance(outcome, NotFound | Declined) else outcome


def _unread(response: HttpResponse) -> Unknown:
    return Unknown(code=f"http_{response.status}")
