"""Reads answers to charges. Pure. Decisions follow `reason`, not `code`, as Razorpay's documentation requires."""

from typing import Any, Final

from payflowx.domain.payments.outcome import (
    Accepted,
    Authorized,
    Declined,
    Mismatch,
    NotFound,
    Outcome,
    Progress,
    Rejected,
    StepResult,
    Succeeded,
    Unknown,
)
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import DAY_MS, SECOND_MS
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.domain.shared.text import provider_code, provider_reference
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.json_fields import (
    action,
    as_int,
    as_object,
    as_text,
    error_body,
    json_object,
    reference,
)
from payflowx.providers.razorpay_mock.refusals import REFUSALS
from payflowx.providers.refusals import RefusedCall
from payflowx.providers.sanitize import sanitize

REOPENS_FOR_SECONDS: Final = 5 * DAY_MS // SECOND_MS
"""A failed payment may be authorized late: within three days, in rare cases five."""

_SOFT: Final = frozenset({"bank_technical_error", "gateway_technical_error", "issuer_technical_error"})
_FUNDS: Final = frozenset({"insufficient_funds", "transaction_limit_exceeded", "transaction_daily_limit_exceeded"})
_REOPENING: Final = frozenset({"payment_failed"})
_UNDECIDED: Final = frozenset(
    {
        "payment_pending",
        "request_timed_out",
        "payment_timed_out",
        "server_error",
        "order_already_paid",
        "duplicate_request",
    }
)


def ordered(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the id of the order, which every payment needs."""
    if response.status == 200:
        return Progress(facts={"order_id": reference(json_object(response).get("id"))})
    return refused(RefusedCall.CHARGE, response)


def paid(request: ChargeRequest, response: HttpResponse) -> StepResult:
    if response.status == 200:
        return _payment(request, json_object(response))
    error = as_object(error_body(response).get("error"))
    payment_id = provider_reference(as_object(error.get("metadata")).get("payment_id"))
    if response.status == 400 and error.get("reason") == "invalid_token":
        return Declined(kind=DeclineKind.HARD, code="invalid_token", message=sanitize(error.get("description")))
    if response.status == 400 and error.get("reason") in _UNDECIDED:
        return Unknown(code=provider_code(error.get("reason")))
    if response.status == 400 and payment_id is not None:
        return _declined(error.get("reason"), error.get("description"), payment_id)
    return refused(RefusedCall.CHARGE, response)


def found(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read all payments of the order: one that took money decides, else the newest."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    items = json_object(response)["items"]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError("items is no list of payments")
    captured = [item for item in items if item.get("status") == "captured"]
    if len(captured) > 1:
        return Mismatch(code="duplicate_charge")
    if captured:
        return _payment(request, captured[0])
    return _payment(request, items[-1]) if items else NotFound()


def _payment(request: ChargeRequest, payment: dict[str, Any]) -> Outcome:
    payment_id = reference(payment.get("id") or payment.get("razorpay_payment_id"))
    match payment.get("status"):
        case "captured":
            return Succeeded(reference=payment_id, **_checked(request, payment))
        case "authorized":
            return Authorized(reference=payment_id, **_checked(request, payment))
        case "created":
            steps = payment.get("next")
            first = as_object(steps[0]) if isinstance(steps, list) and steps else {}
            return action(payment_id, first.get("url")) if first else Accepted(reference=payment_id)
        case "failed":
            return _declined(payment.get("error_reason"), payment.get("error_description"), payment_id)
        case _:
            return Unknown(code="status_not_known")


def _checked(request: ChargeRequest, payment: dict[str, Any]) -> dict[str, Any]:
    """A payment does not carry our receipt: the order id that we stored links it to our attempt."""
    order_id = as_text(payment.get("order_id"))
    return {
        "amount": as_int(payment.get("amount")),
        "currency": as_text(payment.get("currency")),
        "merchant_reference": request.provider_key if order_id == request.progress.get("order_id") else order_id,
    }


def _declined(reason: object, description: object, payment_id: str) -> Outcome:
    code = provider_code(reason)
    if code in _UNDECIDED:
        return Unknown(code=code)
    kind = DeclineKind.HARD
    if code in _SOFT | _REOPENING:
        kind = DeclineKind.SOFT
    elif code in _FUNDS:
        kind = DeclineKind.FUNDS
    return Declined(
        kind=kind,
        code=code,
        message=sanitize(description),
        reference=payment_id,
        reopens_for_seconds=REOPENS_FOR_SECONDS if code in _REOPENING else 0,
    )


def refused(call: RefusedCall, response: HttpResponse) -> Rejected | Unknown:
    """Read an error status that is no decline."""
    error = as_object(error_body(response).get("error"))
    code = error.get("reason") or error.get("code")
    return REFUSALS.read(call, response, code, error.get("description"))


def reason_of(response: HttpResponse) -> str:
    return provider_code(as_object(error_body(response).get("error")).get("reason"))
