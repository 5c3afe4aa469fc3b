"""Reads answers to charges. Pure. The payments decide, not the status of the order."""

from decimal import Decimal
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
from payflowx.domain.shared.money import to_minor
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.domain.shared.text import provider_code
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.cashfree_mock.refusals import REFUSALS
from payflowx.providers.json_fields import (
    action,
    as_object,
    as_text,
    error_body,
    json_array,
    json_object,
    reference,
)
from payflowx.providers.refusals import RefusedCall
from payflowx.providers.sanitize import sanitize

_KINDS: Final = {"BANK_UNAVAILABLE": DeclineKind.SOFT, "INSUFFICIENT_FUNDS": DeclineKind.FUNDS}
_CLOSED_ORDERS: Final = frozenset({"TERMINATED", "EXPIRED"})
_UNPAID: Final = frozenset({"FAILED", "USER_DROPPED", "CANCELLED", "VOID"})


def ordered(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the session, which every payment needs. A duplicate order is an earlier request of ours: unknown."""
    if response.status == 200:
        order = json_object(response)
        if order.get("order_id") != request.provider_key:
            return Unknown(code="another_order")
        return Progress(facts={"payment_session_id": _session(order.get("payment_session_id"))})
    return refused(RefusedCall.CHARGE, response)


def paid(request: ChargeRequest, response: HttpResponse) -> StepResult:
    if response.status == 200:
        return payment(json_object(response))
    error = error_body(response)
    if response.status == 400 and error.get("code") == "instrument_invalid":
        message = sanitize(error.get("message"))
        return Declined(kind=DeclineKind.HARD, code="instrument_invalid", message=message, cancel_required=True)
    return refused(RefusedCall.CHARGE, response)


def found(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read all payments of the order: one that took money decides, else the newest."""
    if response.status == 404 and error_body(response).get("code") == "order_not_found":
        return NotFound()
    payments = payments_in(response)
    if isinstance(payments, Unknown):
        return payments
    succeeded = [item for item in payments if item.get("payment_status") == "SUCCESS"]
    if len(succeeded) > 1:
        return Mismatch(code="duplicate_charge")
    if succeeded:
        return payment(succeeded[0])
    return payment(payments[-1]) if payments else NotFound()


def terminated(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Ignore the answer: only the reads that follow count."""
    return Progress(facts={"terminate_sent": "true"})


def closed(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the order: it must be in a state in which it can never be paid."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    order = json_object(response)
    if order.get("order_id") == request.provider_key and order.get("order_status") in _CLOSED_ORDERS:
        return Progress(facts={"order_closed": "true"})
    if order.get("order_status") == "PAID":
        return Progress(facts={"order_closed": "paid"})
    return Unknown(code="order_not_closed")


def unpaid(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the payments of the closed order: they are final, and no payment proves that no money was taken."""
    payments = payments_in(response)
    if isinstance(payments, Unknown):
        return payments
    succeeded = [item for item in payments if item.get("payment_status") == "SUCCESS"]
    if succeeded:
        return payment(succeeded[0]) if len(succeeded) == 1 else Mismatch(code="duplicate_charge")
    if request.progress.get("order_closed") != "true":
        return Unknown(code="order_paid_without_payment")
    if all(item.get("payment_status") in _UNPAID for item in payments):
        return ConfirmedCancelled(reference=reference(payments[-1].get("cf_payment_id")) if payments else None)
    return Unknown(code="payment_still_open")


def payments_in(response: HttpResponse) -> list[dict[str, Any]] | Unknown:
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    payments = json_array(response)
    if not all(isinstance(item, dict) for item in payments):
        raise ValueError("not a list of payments")
    return payments


def payment(item: dict[str, Any]) -> Outcome:
    """The outcome of a payment, regardless of who requested it."""
    payment_id = reference(item.get("cf_payment_id"))
    match item.get("payment_status"):
        case "SUCCESS":
            return _taken(payment_id, item)
        case "PENDING" | "NOT_ATTEMPTED":
            url = as_object(item.get("data")).get("url")
            return action(payment_id, url) if url else Accepted(reference=payment_id)
        case "FAILED" | "USER_DROPPED" | "CANCELLED":
            return _declined(payment_id, as_object(item.get("error_details")))
        case "VOID":
            return ConfirmedCancelled(reference=payment_id)
        case _:
            return Unknown(code="status_not_known")


def _taken(payment_id: str, item: dict[str, Any]) -> Outcome:
    """A success is a charge or an authorization; only the payment says which."""
    if not isinstance(item.get("is_captured"), bool):
        return Unknown(code="capture_not_understood")
    currency = as_text(item.get("payment_currency"))
    minor = amount_of(item.get("payment_amount"), currency)
    if minor is None:
        return Mismatch(code="amount_differs", reference=payment_id)
    kind = Succeeded if item["is_captured"] else Authorized
    return kind(reference=payment_id, amount=minor, currency=currency, merchant_reference=as_text(item.get("order_id")))


def amount_of(value: Any, currency: str) -> int | None:
    """The amount in minor units; None for a fraction of one. Raises ValueError for anything but a number."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("not an amount")  # noqa: TRY004 - bad data, not a bad argument
    return to_minor(Decimal(value), currency)


def _declined(payment_id: str, error: dict[str, Any]) -> Declined:
    """The order stays open after a failed payment: the decline counts once the order is closed."""
    code = provider_code(error.get("error_code"))
    return Declined(
        kind=_KINDS.get(code, DeclineKind.HARD),
        code=code,
        message=sanitize(error.get("error_description")),
        reference=payment_id,
        cancel_required=True,
    )


def _session(value: object) -> str:
    session = as_text(value)
    if not session or len(session) > 255:
        raise ValueError("not a usable session")
    return session


def refused(call: RefusedCall, response: HttpResponse) -> Rejected | Unknown:
    """Read an error status that is no decline."""
    error = error_body(response)
    if error.get("type") == "idempotency_error":
        return Unknown(code="idempotency_key_reused")
    code, message = error.get("code"), error.get("message")
    return REFUSALS.read(call, response, code, message, wait_header="x-ratelimit-retry")
