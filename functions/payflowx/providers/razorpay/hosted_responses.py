"""Reads a payment link and the payments of its order. Pure.

The payments decide where money is concerned, and the link's own status about whether it can still be paid.
"""

from typing import Any, Final

from payflowx.domain.payments.hosted import ExtraCharge, FailedTries
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
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
from payflowx.domain.shared.text import provider_code, provider_reference
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.json_fields import action, as_int, as_text, json_object, reference
from payflowx.providers.razorpay.errors import BAD_REQUEST, error_of, message_of, refused, says_done_before
from payflowx.providers.razorpay.hosted_requests import (
    EXISTS_FACT,
    LINK_FACT,
    ORDER_FACT,
    PAYMENT_FACT,
    link_id_of,
)
from payflowx.providers.razorpay.responses import (
    PAYMENT_STATUSES,
    REOPENS_FOR_SECONDS,
    listed,
    noted_key,
    was_given_back,
)
from payflowx.providers.refusals import RefusedCall

_STATUS: Final = "link_status"
_URL: Final = "link_url"
_CLOSED: Final = frozenset({"cancelled", "expired"})
_MAX_LINKS: Final = 100


# --- creating ------------------------------------------------------------------------------------------------


def created(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the new link. A refusal because of its reference may mean that a link exists: the next step reads it.

    Nobody can pay a link that was refused, so every other refusal is final.
    """
    if response.status == 200:
        return _opened(request, json_object(response))
    outcome = refused(RefusedCall.CHARGE, response, request.private_values)
    error = error_of(response)
    if response.status != 400 or error.get("code") != BAD_REQUEST or not isinstance(outcome, Unknown | Rejected):
        return outcome
    if says_done_before(error) or _names_reference(error):
        return Progress(facts={EXISTS_FACT: "true"})
    return Rejected(code=outcome.code, message=outcome.message) if isinstance(outcome, Unknown) else outcome


def opened(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the link that exists with our key."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    link = _ours(request, json_object(response))
    return _opened(request, link) if isinstance(link, dict) else link or Unknown(code="link_not_found")


def _names_reference(error: dict[str, Any]) -> bool:
    description = error.get("description")
    text = description.lower() if isinstance(description, str) else ""
    return error.get("field") == "reference_id" or "reference_id" in text or "reference id" in text


def _opened(request: ChargeRequest, link: dict[str, Any]) -> Outcome:
    """The address is given out only if the link is the one that was asked for."""
    asked = (request.provider_key, request.amount, request.currency)
    if (link.get("reference_id"), as_int(link.get("amount")), as_text(link.get("currency"))) != asked:
        return Rejected(code="object_differs", message="The payment link differs from the request.")
    if link.get("accept_partial") not in (False, None):
        return Rejected(code="object_differs", message="The payment link can be paid in parts.")
    if link.get("status") != "created":
        return Unknown(code="link_not_open")
    return action(reference(link.get("id")), link.get("short_url"))


# --- reading -------------------------------------------------------------------------------------------------


def found(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Find the link by our key, for its closing."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    link = _ours(request, json_object(response))
    if not isinstance(link, dict):
        return link or Unknown(code="nothing_to_close")
    return Progress(facts={LINK_FACT: reference(link.get("id"))})


def cancelled(_request: ChargeRequest, _response: HttpResponse) -> StepResult:
    """Ignore the answer: only the reads that follow count."""
    return Progress(facts={"cancel_sent": "true"})


def link_state(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the link, as facts for the read of its payments; an outcome where it has no payment that could be read."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    link: dict[str, Any] | Mismatch | None = json_object(response)
    known = link_id_of(request)
    if known is None and isinstance(link, dict):
        link = _ours(request, link)
    if not isinstance(link, dict):
        return link or NotFound()
    if link.get("reference_id") != request.provider_key or known not in {None, link.get("id")}:
        return Unknown(code="another_link")
    if link.get("status") == "partially_paid":
        return Mismatch(code="partly_paid", reference=reference(link.get("id")), amount=as_int(link["amount_paid"]))
    if link.get("status") not in _CLOSED | {"created", "paid"}:
        return Unknown(code="status_not_known")
    return _facts(link)


def payment_order(_request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the order of a payment of the link."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    return Progress(facts={ORDER_FACT: reference(json_object(response).get("order_id"))})


def whole(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Return the meaning of the link with all its payments."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    payments = listed(json_object(response))[::-1]  # the newest comes first, and times are in seconds
    if any(payment.get("status") not in PAYMENT_STATUSES for payment in payments):
        return Unknown(code="status_not_known")
    if any(as_text(payment.get("order_id")) != request.progress.get(ORDER_FACT) for payment in payments):
        return Unknown(code="another_order")
    payments.sort(key=lambda payment: as_int(payment.get("created_at")))
    taken = [payment for payment in payments if _took_money(payment)]
    if taken:
        return _succeeded(request, taken)
    return _untaken(request, payments)


def closed_whole(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """As `whole`. An authorization is captured after the next inquiry, which stores that before it is sent."""
    outcome = whole(request, response)
    return Accepted(reference=outcome.reference) if isinstance(outcome, Authorized) else outcome


def captured(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the answer to our capture. Only the captured payment proves it; a read decides the rest."""
    if response.status != 200:
        return refused(RefusedCall.CHARGE, response, request.private_values)
    payment = json_object(response)
    if reference(payment.get("id")) != request.reference or not _took_money(payment):
        return Unknown(code="capture_not_confirmed")
    return _succeeded(request, [payment])


def _ours(request: ChargeRequest, answer: dict[str, Any]) -> dict[str, Any] | Mismatch | None:
    """The link with our key in a list. Raises ValueError for anything but a list."""
    links = answer.get("payment_links")
    if not isinstance(links, list) or len(links) > _MAX_LINKS or not all(isinstance(link, dict) for link in links):
        raise ValueError("payment_links is no list of objects")
    ours = [link for link in links if link.get("reference_id") == request.provider_key]
    if len(ours) > 1:
        return Mismatch(code="duplicate_charge")
    return ours[0] if ours else None


def _facts(link: dict[str, Any]) -> StepResult:
    """The link may not show its order before a payment, or at all: then one of its payments does.

    Without both the link's own status decides: an open one can be paid. A closed one proves nothing, because a failed
    payment, which may be authorized later, is seen in the order only.
    """
    status, link_id = as_text(link.get("status")), reference(link.get("id"))
    order = provider_reference(link.get("order_id"))
    facts = {LINK_FACT: link_id, _STATUS: status, _URL: str(link.get("short_url"))}
    if order is not None:
        return Progress(facts={**facts, ORDER_FACT: order})
    payments = link.get("payments")
    if isinstance(payments, list) and payments:
        return Progress(facts={**facts, PAYMENT_FACT: reference(payments[0].get("payment_id"))})
    if status == "created":
        return action(link_id, link.get("short_url"))
    if status in _CLOSED:
        return _closed_without_proof(link_id, "closed_without_proof", "")
    return Unknown(code="paid_without_payment")


def _took_money(payment: dict[str, Any]) -> bool:
    """Captured, perhaps refunded in full elsewhere since. Raises ValueError for a payment that contradicts itself."""
    status, is_captured = payment.get("status"), payment.get("captured")
    if status == "captured" and is_captured is not False:
        return True
    if status == "refunded" and isinstance(is_captured, bool):
        return is_captured
    if is_captured is True or status in {"captured", "refunded"}:
        raise ValueError("a payment contradicts itself")
    return False


def _succeeded(request: ChargeRequest, taken: list[dict[str, Any]]) -> Outcome:
    """The first payment that took money is the charge; each further one is an extra charge."""
    first, *others = taken
    return Succeeded(**_money(request, first), extra_charges=tuple(_extra(payment) for payment in others))


def _money(request: ChargeRequest, payment: dict[str, Any]) -> dict[str, Any]:
    """The link's order links the payment to our attempt; a note with another key overrides it."""
    return {
        "reference": reference(payment.get("id")),
        "amount": as_int(payment.get("amount")),
        "currency": as_text(payment.get("currency")),
        "merchant_reference": noted_key(payment) or request.provider_key,
    }


def _extra(payment: dict[str, Any]) -> ExtraCharge:
    return ExtraCharge(
        reference=reference(payment.get("id")),
        amount=as_int(payment.get("amount")),
        currency=as_text(payment.get("currency")),
    )


def _untaken(request: ChargeRequest, payments: list[dict[str, Any]]) -> StepResult:
    """No payment took money: one may be on its way, or the link may still be paid."""
    link_id, status = link_id_of(request) or "", request.progress.get(_STATUS)
    held = [payment for payment in payments if payment["status"] == "authorized"]
    if held:
        return Authorized(**_money(request, held[0]))
    if status == "paid":
        return Unknown(code="paid_without_payment")
    failed = [payment for payment in payments if payment["status"] == "failed" or was_given_back(payment)]
    if status == "created":
        return _open(request, link_id, failed)
    if not payments:
        return ConfirmedCancelled(reference=link_id)
    if len(failed) < len(payments):
        return Accepted(reference=link_id)
    code = provider_code(failed[-1].get("error_reason"))
    return _closed_without_proof(link_id, code, message_of(failed[-1].get("error_description"), request.private_values))


def _open(request: ChargeRequest, link_id: str, failed: list[dict[str, Any]]) -> Outcome:
    opened_link = action(link_id, request.progress.get(_URL))
    if not failed or not isinstance(opened_link, ActionRequired):
        return opened_link
    tries = FailedTries(
        count=len(failed),
        code=provider_code(failed[-1].get("error_reason")),
        message=message_of(failed[-1].get("error_description"), request.private_values),
    )
    return ActionRequired(reference=link_id, action=opened_link.action, failed_tries=tries)


def _closed_without_proof(link_id: str, code: str, message: str) -> Declined:
    """A failed payment may be authorized for five days, whatever became of its link."""
    return Declined(
        kind=DeclineKind.SOFT, code=code, message=message, reference=link_id, reopens_for_seconds=REOPENS_FOR_SECONDS
    )
