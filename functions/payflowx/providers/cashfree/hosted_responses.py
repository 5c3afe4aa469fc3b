"""Reads the order of a hosted page and all payments inside it. Pure. The payments decide, then the order.

Sources: https://www.cashfree.com/docs/payments/online/resources/payment-lifecycle (an expired order and one whose
termination was requested may still become paid; an order is terminated only when no payment of it is open) and
https://www.cashfree.com/docs/api-reference/payments/latest/payments/get-payments-for-order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from payflowx.domain.payments.hosted import ExtraCharge, FailedTries
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Authorized,
    ConfirmedCancelled,
    Declined,
    Mismatch,
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
from payflowx.domain.shared.text import provider_reference
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.cashfree.responses import (
    EXISTS,
    LONGEST_ATTEMPT,
    declared_fee,
    expired_for,
    minor_amount,
    payment_outcome,
    payments_in,
    refusal_of,
    segment_of,
    session_in,
    word_in,
)
from payflowx.providers.json_fields import as_text, error_body, json_object
from payflowx.providers.refusals import RefusedCall

PAGE: Final = "/view/sessions/checkout"
"""Below the account's endpoint: the page of the sandbox has the sandbox's host."""

_STATUS: Final = "order_status"
_SESSION: Final = "payment_session_id"
_REOPENS: Final = "reopens_for_seconds"
STATE_FACTS: Final = (_STATUS, _SESSION, _REOPENS)
"""The facts about the order that the read of its payments needs. They are not stored."""

_ENDED: Final = frozenset({"EXPIRED", "TERMINATED"})
_FAILED: Final = frozenset({"FAILED", "USER_DROPPED", "CANCELLED"})
_OPEN: Final = frozenset({"PENDING", "NOT_ATTEMPTED"})


# --- creating ---------------------------------------------------------------------------------------------------


def created(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the new order. An existing one is an earlier request of ours: the next step reads it."""
    if response.status == 200:
        return opened(request, response)
    if response.status in {400, 409} and error_body(response).get("code") in EXISTS:
        return Progress(facts={"order": "existed"})
    return refusal_of(response, RefusedCall.CHARGE, request.private_values)


def opened(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read an order that nobody can pay yet: its address is given out only if the order is ours and open."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    order = json_object(response)
    if (why := _difference(request, order)) is not None:
        return Rejected(code="object_differs", message=why)
    return _address(request, session_in(order)) if order.get(_STATUS) == "ACTIVE" else Unknown(code="order_not_active")


# --- reading ----------------------------------------------------------------------------------------------------


def order_state(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the order itself, before its payments."""
    if response.status != 200:
        return _not_read(response)
    order = json_object(response)
    status = as_text(order.get(_STATUS))
    if (why := _difference(request, order)) is not None:
        if status == "PAID" or (request.hosted is not None and request.hosted.object_id is not None):
            return Mismatch(code=f"{why}_differs", reference=provider_reference(order.get("order_id")))
        if status not in _ENDED:
            return Unknown(code=f"{why}_differs")  # nobody was given its address, and nobody paid
    reopens = _seconds_until_closed(order, response) if status == "EXPIRED" else 0
    session = session_in(order) if status == "ACTIVE" else ""
    return Progress(facts={_STATUS: status, _SESSION: session, _REOPENS: str(reopens)})


def whole(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read all payments: money first, then what the bank still processes, then what can follow in the order."""
    payments = payments_in(response, request.provider_key)
    if isinstance(payments, Unknown):
        return payments
    if not _has_known_payment(request, payments):
        return Unknown(code="payment_not_in_answer")
    money = [found for found in (_money(request, payment) for payment in payments) if found is not None]
    if money:
        return _paid(request, money)
    words = {word_in(payment, "payment_status") for payment in payments}
    if not words <= _FAILED | _OPEN | {"VOID"}:
        return Unknown(code="status_not_known")
    if "PENDING" in words or ("NOT_ATTEMPTED" in words and request.progress[_STATUS] != "ACTIVE"):
        return Accepted(reference=request.provider_key)
    return _without_money(request, payments, words)


def _without_money(request: ChargeRequest, payments: Sequence[dict[str, Any]], words: set[str]) -> Outcome:
    """Return the outcome of an order whose payments have all ended, or have not reached the bank."""
    failed = [payment for payment in payments if payment["payment_status"] in _FAILED]
    match request.progress[_STATUS]:
        case "ACTIVE":
            return _address(request, request.progress[_SESSION], _tries(request, failed))
        case "TERMINATED":
            return ConfirmedCancelled(reference=request.provider_key)
        case "EXPIRED":
            return _expired(request, failed)
        case "PAID" if "VOID" in words:
            return ConfirmedCancelled(reference=request.provider_key)
        case "PAID":
            return Unknown(code="order_paid_without_payment")
        case _:
            return Unknown(code="order_not_closed")


def _expired(request: ChargeRequest, failed: Sequence[dict[str, Any]]) -> Outcome:
    """Proof only after the longest attempt of a payer is over: an attempt may have begun in the last second."""
    reopens_for_seconds = int(request.progress[_REOPENS])
    if reopens_for_seconds <= 0:
        return ConfirmedCancelled(reference=request.provider_key)
    last = _tries(request, failed)
    return Declined(
        kind=DeclineKind.SOFT,
        code=last.code if last else "order_expired",
        message=last.message if last else "",
        reference=request.provider_key,
        reopens_for_seconds=reopens_for_seconds,
    )


def _not_read(response: HttpResponse) -> NotFound | Unknown:
    is_missing = response.status == 404 and segment_of(error_body(response).get("code")) == "order_not_found"
    return NotFound() if is_missing else Unknown(code=f"http_{response.status}")


def _seconds_until_closed(order: dict[str, Any], response: HttpResponse) -> int:
    """How long an attempt that began before the expiry may still succeed: at most `LONGEST_ATTEMPT`."""
    try:
        left = LONGEST_ATTEMPT - expired_for(order, response)
    except (ValueError, KeyError, TypeError):
        left = LONGEST_ATTEMPT
    return -(-min(left, LONGEST_ATTEMPT) // timedelta(seconds=1))


def _difference(request: ChargeRequest, order: dict[str, Any]) -> str | None:
    """Which property of the order differs from the request."""
    if order.get("order_id") != request.provider_key:
        return "reference"
    if order.get("order_currency") != request.currency:
        return "currency"
    return "amount" if minor_amount(order.get("order_amount"), request.currency) != request.amount else None


def _address(request: ChargeRequest, session: str, tries: FailedTries | None = None) -> ActionRequired:
    page = NextAction(kind="form_post", url=PAGE, fields={_SESSION: session})
    return ActionRequired(reference=request.provider_key, action=page, failed_tries=tries)


def _has_known_payment(request: ChargeRequest, payments: Sequence[dict[str, Any]]) -> bool:
    known = {None, request.provider_key, *(provider_reference(payment.get("cf_payment_id")) for payment in payments)}
    return request.reference in known


# --- money ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Money:
    """A payment that says that it took or holds money, and the outcome that this gives."""

    payment: dict[str, Any]
    outcome: Outcome


def _money(request: ChargeRequest, payment: dict[str, Any]) -> _Money | None:
    if payment.get("payment_status") != "SUCCESS":
        return None
    outcome = payment_outcome(request, payment)
    if isinstance(outcome, Succeeded):
        outcome = _without_fee(request, payment, outcome)
    return _Money(payment, outcome)


def _without_fee(request: ChargeRequest, payment: dict[str, Any], paid: Succeeded) -> Succeeded:
    """A fee that Cashfree declares beside the payment was paid on top of the order's amount."""
    fee = declared_fee(payment, paid.currency)
    if not fee or paid.amount != request.amount + fee:
        return paid
    return replace(paid, amount=request.amount, payer_paid=paid.amount)


def _paid(request: ChargeRequest, money: Sequence[_Money]) -> Outcome:
    """The payment's charge is the one that we know, else the first that took money; further ones are extra.

    Cashfree returns the money of further ones by itself. Its times are in seconds: of two that ended in the same second
    nobody can say which one it keeps, so a person decides.
    """
    unclear = [found.outcome for found in money if not isinstance(found.outcome, Succeeded)]
    taken = [(found.payment, found.outcome) for found in money if isinstance(found.outcome, Succeeded)]
    if not taken:
        return unclear[0] if len(unclear) == 1 or not _is_held(unclear) else Mismatch(code="duplicate_charge")
    in_order = sorted(taken, key=lambda pair: _paid_at(pair[0])) if len(taken) > 1 else taken
    outcomes = [outcome for _, outcome in in_order]
    ours = next((outcome for outcome in outcomes if outcome.reference == request.reference), None)
    if ours is None and len(in_order) > 1 and _paid_at(in_order[0][0]) == _paid_at(in_order[1][0]):
        return Mismatch(code="duplicate_charge")
    ours = ours or outcomes[0]
    return replace(ours, extra_charges=tuple(_extra(other) for other in outcomes if other is not ours))


def _is_held(outcomes: Sequence[Outcome]) -> bool:
    return any(isinstance(outcome, Authorized) for outcome in outcomes)


def _extra(paid: Succeeded) -> ExtraCharge:
    return ExtraCharge(reference=paid.reference, amount=paid.amount, currency=paid.currency)


def _paid_at(payment: dict[str, Any]) -> datetime:
    """Raises ValueError without a time: then the payments cannot be put in order."""
    return datetime.fromisoformat(as_text(payment.get("payment_completion_time") or payment.get("payment_time")))


# --- failed tries -----------------------------------------------------------------------------------------------


def _tries(request: ChargeRequest, failed: Sequence[dict[str, Any]]) -> FailedTries | None:
    """Count the payer's failed tries; the list is in no order, so the latest time is the last one."""
    if not failed:
        return None
    last = payment_outcome(request, max(failed, key=lambda payment: word_in(payment, "payment_time")))
    code, message = (last.code, last.message) if isinstance(last, Declined) else ("unrecognized", "")
    return FailedTries(count=len(failed), code=code, message=message)
