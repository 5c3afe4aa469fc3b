"""What the answers mean. Pure. Payments decide, not the order's status."""

from decimal import Decimal
from typing import Any, Final

from payflowx.domain.money import to_minor
from payflowx.domain.outcome import (
    Accepted,
    Charged,
    Declined,
    Fenced,
    Mismatch,
    NotFound,
    Outcome,
    Progress,
    StepResult,
    Unknown,
)
from payflowx.domain.ports import Charge
from payflowx.domain.statuses import DeclineKind
from payflowx.domain.text import provider_code, provider_text
from payflowx.domain.transport import HttpResponse
from payflowx.providers.reading import (
    action,
    error_body,
    json_array,
    json_object,
    member,
    reference,
    refusal,
    text,
)

_KINDS: Final = {"BANK_UNAVAILABLE": DeclineKind.SOFT, "INSUFFICIENT_FUNDS": DeclineKind.FUNDS}
_CLOSED_ORDERS: Final = frozenset({"TERMINATED", "EXPIRED"})
_UNPAID: Final = frozenset({"FAILED", "USER_DROPPED", "CANCELLED", "VOID"})


def ordered(charge: Charge, response: HttpResponse) -> StepResult:
    """The session, without which nothing can be paid. A duplicate order is an earlier try of ours: not known."""
    if response.status == 200:
        order = json_object(response)
        if order.get("order_id") != charge.provider_key:
            return Unknown(code="another_order")
        return Progress(facts={"payment_session_id": _session(order.get("payment_session_id"))})
    return _refused(response)


def paid(charge: Charge, response: HttpResponse) -> StepResult:
    """The answer to a payment."""
    if response.status == 200:
        return _payment(json_object(response))
    error = error_body(response)
    if response.status == 400 and error.get("code") == "instrument_invalid":
        message = provider_text(error.get("message"))
        return Declined(kind=DeclineKind.HARD, code="instrument_invalid", message=message, fence_required=True)
    return _refused(response)


def found(charge: Charge, response: HttpResponse) -> StepResult:
    """All payments of the order: one that took money decides, else the newest."""
    payments = _payments(response)
    if isinstance(payments, Unknown):
        return payments
    succeeded = [payment for payment in payments if payment.get("payment_status") == "SUCCESS"]
    if len(succeeded) > 1:
        return Mismatch(code="duplicate_charge")
    if succeeded:
        return _payment(succeeded[0])
    return _payment(payments[-1]) if payments else NotFound()


def terminated(charge: Charge, response: HttpResponse) -> StepResult:
    """Whatever this says, only the reads that follow count."""
    return Progress(facts={"terminate_sent": "true"})


def closed(charge: Charge, response: HttpResponse) -> StepResult:
    """Is the order in a state in which it can never be paid?"""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    order = json_object(response)
    if order.get("order_id") == charge.provider_key and order.get("order_status") in _CLOSED_ORDERS:
        return Progress(facts={"order_closed": "true"})
    if order.get("order_status") == "PAID":
        return Progress(facts={"order_closed": "paid"})
    return Unknown(code="order_not_closed")


def unpaid(charge: Charge, response: HttpResponse) -> StepResult:
    """The order is closed: a payment found now is the last word, and none at all is the proof."""
    payments = _payments(response)
    if isinstance(payments, Unknown):
        return payments
    succeeded = [payment for payment in payments if payment.get("payment_status") == "SUCCESS"]
    if succeeded:
        return _payment(succeeded[0]) if len(succeeded) == 1 else Mismatch(code="duplicate_charge")
    if charge.progress.get("order_closed") != "true":
        return Unknown(code="order_paid_without_payment")
    if all(payment.get("payment_status") in _UNPAID for payment in payments):
        return Fenced(reference=reference(payments[-1].get("cf_payment_id")) if payments else None)
    return Unknown(code="payment_still_open")


def _payments(response: HttpResponse) -> list[dict[str, Any]] | Unknown:
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    payments = json_array(response)
    if not all(isinstance(payment, dict) for payment in payments):
        raise ValueError("not a list of payments")
    return payments


def _payment(payment: dict[str, Any]) -> Outcome:
    payment_id = reference(payment.get("cf_payment_id"))
    match payment.get("payment_status"):
        case "SUCCESS":
            return _charged(payment_id, payment)
        case "PENDING" | "NOT_ATTEMPTED":
            url = member(payment.get("data")).get("url")
            return action(payment_id, url) if url else Accepted(reference=payment_id)
        case "FAILED" | "USER_DROPPED" | "CANCELLED":
            return _declined(payment_id, member(payment.get("error_details")))
        case _:
            return Unknown(code="status_not_known")


def _charged(payment_id: str, payment: dict[str, Any]) -> Outcome:
    currency = text(payment.get("payment_currency"))
    amount = payment.get("payment_amount")
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        return Unknown(code="amount_not_understood")
    minor = to_minor(Decimal(amount), currency)
    if minor is None:
        return Mismatch(code="amount_differs", reference=payment_id)
    return Charged(
        reference=payment_id,
        amount=minor,
        currency=currency,
        merchant_reference=text(payment.get("order_id")),
    )


def _declined(payment_id: str, error: dict[str, Any]) -> Declined:
    """The order stays open after a failed payment: the decline counts once the order is closed."""
    code = provider_code(error.get("error_code"))
    return Declined(
        kind=_KINDS.get(code, DeclineKind.HARD),
        code=code,
        message=provider_text(error.get("error_description")),
        reference=payment_id,
        fence_required=True,
    )


def _session(value: object) -> str:
    session = text(value)
    if not session or len(session) > 255:
        raise ValueError("not a usable session")
    return session


def _refused(response: HttpResponse) -> Outcome:
    error = error_body(response)
    if error.get("type") == "idempotency_error":
        return Unknown(code="idempotency_key_reused")
    if error.get("code") in {"order_already_exists", "order_already_paid"}:
        return Unknown(code=provider_code(error.get("code")))
    return refusal(response, error, retry_after_header="x-ratelimit-retry")
