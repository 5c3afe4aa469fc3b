"""Reads answers to charges. Pure. Decisions follow `reason`, not `code`, as Razorpay's documentation requires."""

from collections.abc import Mapping
from typing import Any, Final

from payflowx.domain.payments.attempt import CAPTURE_WITHIN
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
from payflowx.domain.shared.limits import DAY_MS, MAX_URL_CHARS, SECOND_MS
from payflowx.domain.shared.statuses import CaptureMode, DeclineKind
from payflowx.domain.shared.text import is_clean, provider_code, provider_reference
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.json_fields import as_int, as_object, as_text, json_object, reference
from payflowx.providers.razorpay.declines import CONTRADICTING, UNDECIDED, UNTIL_READ, kind_of
from payflowx.providers.razorpay.errors import (
    BAD_REQUEST,
    code_of,
    error_of,
    message_of,
    refused,
    says_done_before,
)
from payflowx.providers.razorpay.requests import KEY_NOTE, UPI, capture_within_minutes
from payflowx.providers.refusals import RefusedCall

REOPENS_FOR_SECONDS: Final = 6 * DAY_MS // SECOND_MS
"""Where Razorpay captures by itself, as for orders of release 0.2.0: a failed payment may be authorized for five days
and captured after that, so one more day is watched. An order that waits for our capture is never watched."""
MAX_LISTED: Final = 100
MAX_KEY_CHARS: Final = 40

_AWAITING_PAYER: Final = "awaiting_payer"
_CONTRADICTION: Final = "captured_contradicted"
_UNTAKEN: Final = ("authorized", "created", "failed")
"""Statuses of a payment that took no money. The first of which the order has a payment decides."""
PAYMENT_STATUSES: Final = frozenset({"created", "authorized", "captured", "refunded", "failed"})


def ordered(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the order id. An order that is not new or that differs from our request is not paid."""
    if response.status == 200:
        order = json_object(response)
        asked = (request.amount, request.currency, request.provider_key, "created")
        if (as_int(order.get("amount")), order.get("currency"), order.get("receipt"), order.get("status")) != asked:
            return Unknown(code="another_order")
        within = str(capture_within_minutes(request))
        return Progress(facts={"order_id": reference(order.get("id")), CAPTURE_WITHIN: within})
    return _not_ordered(request, response)


def paid(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the answer to a payment. It never proves a charge: the order's payments do."""
    if response.status == 200:
        return _initiated(request, json_object(response))
    return _not_paid(request, response)


def found(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read all payments of the order: one that took money decides, then one that may, then one that did not."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    payments = listed(json_object(response))
    if any(payment.get("status") not in PAYMENT_STATUSES for payment in payments):
        return Unknown(code="status_not_known")
    if not payments:
        return NotFound()
    return _decide(request, payments)


def is_captured_by_us(request: ChargeRequest) -> bool:
    """The order waits for our capture, and the payment is one with automatic capture."""
    return CAPTURE_WITHIN in request.progress and request.capture is CaptureMode.AUTOMATIC


def charged(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the answer to our capture of a charge. Only the captured payment proves it; a read decides the rest."""
    if response.status != 200:
        return refused(RefusedCall.CHARGE, response, request.private_values)
    payment = json_object(response)
    if reference(payment.get("id")) != request.reference or payment.get("status") != "captured":
        return Unknown(code="capture_not_confirmed")
    return _payment(request, "captured", payment)


def left(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the payments of an order that nobody captures any more: it is cancelled, as long as nobody has.

    Razorpay returns what is authorized, and what will be.
    """
    outcome = found(request, response)
    match outcome:
        case Authorized(reference=payment_id) | Accepted(reference=payment_id):
            return ConfirmedCancelled(reference=payment_id)
        case Declined(reference=payment_id):
            return ConfirmedCancelled(reference=payment_id)
        case NotFound():
            return ConfirmedCancelled(reference=request.reference)
        case Unknown(code=code) if code == _AWAITING_PAYER or code in UNDECIDED - CONTRADICTING:
            return ConfirmedCancelled(reference=request.reference)
        case _:
            return outcome


def listed(collection: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All objects of a collection. Raises ValueError for a list that may have a gap."""
    items = collection.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError("items is no list of objects")
    if len(items) > MAX_LISTED or as_int(collection.get("count")) != len(items):
        raise ValueError("the list is not complete")
    return items


def our_key(*candidates: object) -> str | None:
    """The first candidate that has the form of our key, or None."""
    for candidate in candidates:
        if isinstance(candidate, str) and candidate.startswith("pfx-") and len(candidate) <= MAX_KEY_CHARS:
            return provider_reference(candidate)
    return None


def noted_key(thing: Mapping[str, Any]) -> str | None:
    """Our key in the notes of an object; an object without notes has an empty list there."""
    return our_key(as_object(thing.get("notes")).get(KEY_NOTE))


def was_given_back(payment: Mapping[str, Any]) -> bool:
    """Never captured and returned in full: no money can be taken any more."""
    return (
        payment.get("status") == "refunded"
        and payment.get("captured") is False
        and payment.get("refund_status") == "full"
        and as_int(payment.get("amount_refunded")) == as_int(payment.get("amount"))
    )


def _initiated(request: ChargeRequest, answer: dict[str, Any]) -> Outcome:
    payment_id = reference(answer.get("razorpay_payment_id"))
    if answer.get("razorpay_order_id") not in (None, request.progress.get("order_id")):
        return Unknown(code="another_order")
    if request.payment_method_type != UPI:
        return Accepted(reference=payment_id)
    link = answer.get("link")
    if not isinstance(link, str) or len(link) > MAX_URL_CHARS or not link.startswith("upi://") or not is_clean(link):
        return Unknown(code="action_without_address")
    return ActionRequired(reference=payment_id, action=NextAction(kind="upi_intent", url=link))


def _not_ordered(request: ChargeRequest, response: HttpResponse) -> Outcome:
    """Without an order nothing can be charged, so every refusal of one is final; only its text may say otherwise."""
    outcome = refused(RefusedCall.CHARGE, response, request.private_values)
    error = error_of(response)
    understood = response.status == 400 and error.get("code") == BAD_REQUEST and not says_done_before(error)
    if isinstance(outcome, Unknown) and understood:
        return Rejected(code=outcome.code, message=outcome.message)
    return outcome


def _not_paid(request: ChargeRequest, response: HttpResponse) -> Outcome:
    """A 400 is a refusal, a decline or unknown; only documented reasons decide for one of the first two."""
    error = error_of(response)
    outcome = refused(RefusedCall.CHARGE, response, request.private_values)
    about = as_object(error.get("metadata"))
    if about.get("order_id") not in (None, request.progress.get("order_id")):
        return Unknown(code="another_order")
    if not isinstance(outcome, Unknown) or response.status != 400 or not error:
        return outcome
    code = code_of(error)
    if code in UNDECIDED | UNTIL_READ or says_done_before(error):
        return outcome
    if kind_of(code) is not None:
        return _declined(request, code, outcome.message, provider_reference(about.get("payment_id")))
    return outcome


def _decide(request: ChargeRequest, payments: list[dict[str, Any]]) -> Outcome:
    by_status = {word: [p for p in payments if p["status"] == word] for word in PAYMENT_STATUSES}
    if len(by_status["captured"]) > 1:
        return Mismatch(code="duplicate_charge")
    contradicted = any(p.get("captured") is True for word in _UNTAKEN for p in by_status[word])
    for word in ("captured", "refunded", *_UNTAKEN):
        if word in _UNTAKEN and contradicted:
            return Unknown(code=_CONTRADICTION)
        open_or_taken = [p for p in by_status[word] if not was_given_back(p)]
        if open_or_taken:
            return _payment(request, word, _newest(open_or_taken))
    return _given_back(request, _newest(payments))


def _newest(payments: list[dict[str, Any]]) -> dict[str, Any]:
    return max(payments, key=lambda payment: as_int(payment.get("created_at", 0)))


def _payment(request: ChargeRequest, word: str, payment: dict[str, Any]) -> Outcome:
    facts = _checked(request, payment)
    if word == "refunded":
        # Captured, then refunded in full elsewhere: a charge, whose refunds are listed by themselves.
        return Succeeded(**facts) if payment.get("captured") is True else Unknown(code="refund_contradicted")
    if word == "captured":
        return Succeeded(**facts) if payment.get("captured", True) is True else Unknown(code=_CONTRADICTION)
    if facts["merchant_reference"] != request.provider_key:
        return Mismatch(code="reference_differs", reference=facts["reference"])
    if word == "authorized":
        # Where Razorpay captures by itself, this state is short, or lasts until Razorpay returns the money.
        is_held = request.capture is CaptureMode.MANUAL or is_captured_by_us(request)
        return Authorized(**facts) if is_held else Accepted(reference=facts["reference"])
    if word == "created":
        return _open(request, facts["reference"])
    code = provider_code(payment.get("error_reason"))
    if code in UNDECIDED:
        return Unknown(code=code, message=message_of(payment.get("error_description"), request.private_values))
    return _declined(
        request, code, message_of(payment.get("error_description"), request.private_values), facts["reference"]
    )


def _open(request: ChargeRequest, payment_id: str) -> Outcome:
    """`Accepted` would remove the payer's UPI link, so an open payment with a link is `Unknown`."""
    if request.payment_method_type == UPI and request.reference is not None:
        return Unknown(code=_AWAITING_PAYER)
    return Accepted(reference=payment_id)


def _given_back(request: ChargeRequest, payment: dict[str, Any]) -> Outcome:
    facts = _checked(request, payment)
    if facts["merchant_reference"] != request.provider_key:
        return Mismatch(code="reference_differs", reference=facts["reference"])
    return ConfirmedCancelled(reference=facts["reference"])


def _checked(request: ChargeRequest, payment: dict[str, Any]) -> dict[str, Any]:
    """The stored order id links the payment to our attempt; a note with another key overrides it."""
    order_id = as_text(payment.get("order_id"))
    ours = order_id == request.progress.get("order_id")
    return {
        "reference": reference(payment.get("id")),
        "amount": as_int(payment.get("amount")),
        "currency": as_text(payment.get("currency")),
        "merchant_reference": (noted_key(payment) or request.provider_key) if ours else order_id,
    }


def _declined(request: ChargeRequest, code: str, message: str, payment_id: str | None) -> Declined:
    """A late authorization may follow every failure: Razorpay exempts no reason. It takes money only once captured."""
    kind = kind_of(code) or DeclineKind.HARD
    reopens = 0 if CAPTURE_WITHIN in request.progress else REOPENS_FOR_SECONDS
    return Declined(kind=kind, code=code, message=message, reference=payment_id, reopens_for_seconds=reopens)
