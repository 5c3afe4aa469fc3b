"""Reads answers to charges. Pure."""

from typing import Any, Final

from payflowx.domain.payments.outcome import (
    Accepted,
    Authorized,
    ConfirmedCancelled,
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
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.domain.shared.text import provider_code
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
from payflowx.providers.mock.refusals import REFUSALS
from payflowx.providers.refusals import RefusedCall
from payflowx.providers.sanitize import sanitize

_DECLINES: Final = {
    "issuer_unavailable": DeclineKind.SOFT,
    "do_not_honor": DeclineKind.SOFT,
    "processing_error": DeclineKind.SOFT,
    "insufficient_funds": DeclineKind.FUNDS,
    "limit_exceeded": DeclineKind.FUNDS,
}
"""An unknown decline code is a hard decline, so it is not retried."""


def charged(request: ChargeRequest, response: HttpResponse) -> StepResult:
    if response.status == 200:
        return charge(json_object(response))
    error = as_object(error_body(response).get("error"))
    if response.status == 402 and error.get("type") == "card_error":
        return _declined(error, reference(as_object(error.get("charge")).get("id")))
    if error.get("code") == "invalid_source":
        return Declined(kind=DeclineKind.HARD, code="invalid_source", message=sanitize(error.get("message")))
    return refused(RefusedCall.CHARGE, response)


def found(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the answer to an inquiry by our reference."""
    charges = _charges(response)
    if isinstance(charges, Unknown):
        return charges
    if not charges:
        return NotFound()
    return charge(charges[0]) if len(charges) == 1 else Mismatch(code="duplicate_charge")


def found_to_cancel(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """The id of the charge to cancel. A missing charge proves nothing, because it may appear later."""
    charges = _charges(response)
    if isinstance(charges, Unknown):
        return charges
    if len(charges) != 1:
        return Unknown(code="nothing_to_cancel") if not charges else Mismatch(code="duplicate_charge")
    return Progress(facts={"charge_id": reference(charges[0].get("id"))})


def cancelled(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Ignore the answer: only the read that follows counts."""
    return Progress(facts={"cancel_sent": "true"})


def read_back(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the charge after the cancel: it must be in a final state without money."""
    return charge(json_object(response)) if response.status == 200 else Unknown(code=f"http_{response.status}")


def refused(call: RefusedCall, response: HttpResponse) -> Rejected | Unknown:
    """Read an error status that is no decline."""
    error = as_object(error_body(response).get("error"))
    if error.get("type") == "idempotency_error":
        return Unknown(code="idempotency_key_reused")
    return REFUSALS.read(call, response, error.get("code"), error.get("message"))


def _charges(response: HttpResponse) -> list[dict[str, Any]] | Unknown:
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    charges = json_object(response)["data"]
    if not isinstance(charges, list) or not all(isinstance(charge, dict) for charge in charges):
        raise ValueError("data is no list of charges")
    return charges


def charge(item: dict[str, Any]) -> Outcome:
    """The outcome of a charge, regardless of who requested it."""
    charge_id = reference(item.get("id"))
    match item.get("status"):
        case "succeeded":
            return Succeeded(reference=charge_id, **_money(item))
        case "authorized":
            return Authorized(reference=charge_id, **_money(item))
        case "processing":
            return Accepted(reference=charge_id)
        case "requires_action":
            return action(charge_id, as_object(item.get("next_action")).get("url"))
        case "failed":
            return _declined(as_object(item.get("failure")), charge_id)
        case "canceled":
            return ConfirmedCancelled(reference=charge_id)
        case _:
            return Unknown(code="status_not_known")


def _money(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "amount": as_int(item.get("amount")),
        "currency": as_text(item.get("currency")),
        "merchant_reference": as_text(item.get("reference")),
    }


def _declined(failure: dict[str, Any], charge_id: str) -> Declined:
    code = provider_code(failure.get("code"))
    return Declined(
        kind=_DECLINES.get(code, DeclineKind.HARD),
        code=code,
        message=sanitize(failure.get("message")),
        reference=charge_id,
    )
