"""Reads the answers about an invoice. Pure.

PayU shows the invoice's transaction, not the invoice, so two commands decide together: only an expiry that met no try,
and a read that finds none, prove that nothing was paid. After a try PayU declares no failure final for five days.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from payflowx.domain.payments.hosted import FailedTries
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    ConfirmedCancelled,
    Declined,
    NextAction,
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
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.json_fields import as_object
from payflowx.providers.payu.hosts import INVOICE_PATH
from payflowx.providers.payu.responses import (
    REOPENS_FOR_SECONDS,
    answer_of,
    found,
    is_done,
    minor_amount,
    refusal_of,
    refused_at_edge,
    word_of,
)
from payflowx.providers.refusals import RefusedCall

CLOSED: Final = "invoice_closed"
"""What the expiry met: `_UNTRIED`, `_IN_PROGRESS`, or an invoice that PayU does not know."""
_UNTRIED: Final = "untried"
_IN_PROGRESS: Final = "in_progress"
_MISSING: Final = "missing"

_EXPIRED: Final = "invoice expired"
_EXPIRED_IN_PROGRESS: Final = "invoice expired, transaction is already in progress"
_NO_INVOICE: Final = "invoice does not exist for this txnid"
"""The three answers of the expiry: https://github.com/payu-intrepos/web-sdk-php/blob/main/doc/expireInvoice.md"""

_INVALID_PARAMETER: Final = re.compile(
    r"invalid (?:amount|productinfo|firstname|email|phone|validation period|time unit)"
)
"""A refused creation names the parameter: https://github.com/payu-intrepos/web-sdk-php/blob/main/doc/createInvoice.md"""
_INVOICE_ID: Final = re.compile(r"[0-9a-f]{16,96}")
_DROPPED: Final = "dropped"


def created(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the address of the new invoice. The answer has no amount: PayU shows it with the transaction only."""
    answer = answer_of(response)
    if isinstance(answer, Unknown):
        return refused_at_edge(response, request.private_values) or answer
    if word_of(answer.get("Status")) != "success":
        return _refused(request, answer)
    if answer.get("Transaction Id") != request.provider_key:
        return Rejected(code="object_differs", message="reference")
    invoice_id = _invoice_id(answer.get("URL"))
    return _address(invoice_id) if invoice_id else Unknown(code="action_without_address")


def read(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the transaction of an invoice that may be open: a failed try ends nothing."""
    outcome, details = _transaction(request, response)
    invoice_id = request.hosted.object_id if request.hosted else None
    match outcome:
        case Declined() | Accepted() if invoice_id and _is_failed_try(outcome, details):
            return _address(invoice_id, _tries(outcome, details))
        case NotFound() if invoice_id:
            return _address(invoice_id)
        case Accepted():
            return Accepted(reference=invoice_id or outcome.reference)
        case _:
            return outcome


def expired(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read what the expiry met. An answer that is not understood leaves the invoice open."""
    answer = answer_of(response)
    if isinstance(answer, Unknown):
        return answer
    said = word_of(answer.get("msg")).rstrip(". ")
    if is_done(answer) and said == _EXPIRED:
        return Progress(facts={CLOSED: _UNTRIED})
    if is_done(answer) and said == _EXPIRED_IN_PROGRESS:
        return Progress(facts={CLOSED: _IN_PROGRESS})
    if not is_done(answer) and said == _NO_INVOICE:
        return Progress(facts={CLOSED: _MISSING})
    return Unknown(code="expiry_not_understood")


def read_closed(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the transaction of an expired invoice."""
    outcome, details = _transaction(request, response)
    reference = request.hosted.object_id if request.hosted else None
    closed = request.progress[CLOSED]
    match outcome:
        case NotFound() if closed == _UNTRIED:
            return ConfirmedCancelled(reference=reference)
        case NotFound() if closed == _IN_PROGRESS:
            return Accepted(reference=reference)
        case NotFound():
            return Unknown(code="nothing_to_close")
        case Declined() | Accepted() if closed != _IN_PROGRESS and _is_failed_try(outcome, details):
            return _watched(outcome, details, reference)
        case Declined() | Accepted():
            return Accepted(reference=reference or outcome.reference)
        case _:
            return outcome


def _refused(request: ChargeRequest, answer: Mapping[str, Any]) -> Rejected | Unknown:
    refused = refusal_of(answer, RefusedCall.CHARGE, request.private_values)
    said = word_of(answer.get("msg") or answer.get("message")).rstrip(".")
    if isinstance(refused, Unknown) and _INVALID_PARAMETER.fullmatch(said):
        return Rejected(code="invalid_parameter", message=refused.message)
    return refused


def _transaction(request: ChargeRequest, response: HttpResponse) -> tuple[Outcome, Mapping[str, Any]]:
    """The outcome as for any charge, and the transaction's own fields."""
    outcome = found(request, response)
    answer = answer_of(response)
    fields = {} if isinstance(answer, Unknown) else as_object(answer.get("transaction_details"))
    details = as_object(fields.get(request.provider_key))
    if isinstance(outcome, Progress):
        raise ValueError("a read has no progress")  # noqa: TRY004 - `found` returns outcomes only
    return _with_payer_paid(outcome, details), details


def _with_payer_paid(outcome: Outcome, details: Mapping[str, Any]) -> Outcome:
    """Add the payer's amount, where a declared fee or discount explains its difference to the payment's amount."""
    if not isinstance(outcome, Succeeded):
        return outcome
    paid = minor_amount(details.get("net_amount_debit"))
    fee, discount = (minor_amount(details.get(name)) or 0 for name in ("additional_charges", "disc"))
    explained = outcome.amount + fee - discount
    return replace(outcome, payer_paid=paid) if paid == explained != outcome.amount else outcome


def _is_failed_try(outcome: Declined | Accepted, details: Mapping[str, Any]) -> bool:
    """A declined try, and one that the payer left at the bank's page: PayU may still turn either into a charge."""
    return isinstance(outcome, Declined) or word_of(details.get("unmappedstatus")) == _DROPPED


def _tries(outcome: Declined | Accepted, details: Mapping[str, Any]) -> FailedTries:
    """PayU shows the last try only, so one is counted."""
    if isinstance(outcome, Declined):
        return FailedTries(count=1, code=outcome.code, message=outcome.message)
    return FailedTries(count=1, code=word_of(details.get("unmappedstatus")))


def _watched(outcome: Declined | Accepted, details: Mapping[str, Any], reference: str | None) -> Declined:
    tries = _tries(outcome, details)
    return Declined(
        kind=DeclineKind.SOFT,
        code=tries.code,
        message=tries.message,
        reference=reference,
        reopens_for_seconds=REOPENS_FOR_SECONDS,
    )


def _address(invoice_id: str, tries: FailedTries | None = None) -> ActionRequired:
    """The invoice's page at the account's own page host."""
    page = NextAction(kind="redirect", url=f"{INVOICE_PATH}?invoiceId={invoice_id}")
    return ActionRequired(reference=invoice_id, action=page, failed_tries=tries)


def _invoice_id(url: Any) -> str | None:
    """The invoice's id in the address that PayU gives; None for an address of another form."""
    if not isinstance(url, str):
        return None
    parts = urlsplit(url)
    ids = parse_qs(parts.query).get("invoiceId", [])
    is_page = parts.path == INVOICE_PATH and len(ids) == 1
    return ids[0] if is_page and _INVOICE_ID.fullmatch(ids[0]) else None
