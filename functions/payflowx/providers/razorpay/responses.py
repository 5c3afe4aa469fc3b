"""Reads answers to charges. Pure. Decisions follow `reason`, not `code`, as Razorpay's documentation requires."""

import re
from collections.abc import Mapping
from typing import Any, Final

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
from payflowx.domain.shared.text import is_clean, provider_code, provider_reference, provider_text
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.json_fields import as_int, as_object, as_text, error_body, json_object, reference, refusal
from payflowx.providers.razorpay.requests import CAPTURE_WITHIN, KEY_NOTE, UPI, capture_within_minutes

REOPENS_FOR_SECONDS: Final = 6 * DAY_MS // SECOND_MS
"""Where Razorpay captures by itself, as for orders of release 0.2.0: a failed payment may be authorized for five days
and captured after that, so one more day is watched. An order that waits for our capture is never watched."""
MAX_LISTED: Final = 100
MAX_KEY_CHARS: Final = 40

_UNDECIDED: Final = frozenset(
    {
        "collect_request_pending",
        "deemed_transaction",
        "duplicate_request",
        "duplicate_rrn_found",
        "order_already_paid",
        "payment_pending",
        "payment_pending_approval",
    }
)
"""These reasons contradict the status `failed`: the money may be on its way, or was taken before."""
_UNTIL_READ: Final = frozenset(
    {"invalid_response_from_gateway", "payment_timed_out", "request_timed_out", "server_error"}
)
"""Not conclusive in the answer to a payment; conclusive on a payment that was read as `failed`."""
_SOFT: Final = _UNTIL_READ | {
    "authentication_failed",
    "authorisation_declined_by_psp",
    "bank_cutoff_in_progress",
    "bank_not_available",
    "bank_technical_error",
    "card_declined",
    "debit_declined",
    "gateway_technical_error",
    "incorrect_atm_pin",
    "incorrect_otp",
    "incorrect_pin",
    "issuer_technical_error",
    "otp_expired",
    "payment_cancelled",
    "payment_collect_request_expired",
    "payment_declined",
    "payment_declined_due_to_high_traffic",
    "payment_failed",
    "payment_session_expired",
    "psp_app_not_available",
    "psp_not_available",
    "upi_app_technical_error",
    "vpa_resolution_failed",
}
_FUNDS: Final = frozenset(
    {
        "credit_limit_exceeded",
        "funds_blocked_by_mandate",
        "insufficient_funds",
        "mcc_amount_limit_exceeded",
        "transaction_daily_count_exceeded",
        "transaction_daily_limit_exceeded",
        "transaction_frequency_limit_exceeded",
        "transaction_limit_exceeded",
    }
)
_HARD: Final = frozenset(
    {
        "bank_account_invalid",
        "card_expired",
        "card_not_enrolled",
        "card_number_invalid",
        "card_type_invalid",
        "compliance_violation",
        "credit_limit_expired",
        "credit_limit_inactive",
        "credit_limit_not_approved",
        "debit_instrument_blocked",
        "debit_instrument_inactive",
        "incorrect_card_details",
        "incorrect_card_expiry_date",
        "incorrect_cardholder_name",
        "incorrect_cvv",
        "international_transaction_not_allowed",
        "invalid_device",
        "invalid_vpa",
        "otp_attempts_exceeded",
        "payment_amount_tampered",
        "payment_risk_check_failed",
        "pin_attempts_exceeded",
        "pin_not_set",
        "transaction_on_vpa_restricted",
        "user_not_eligible",
        "verification_failed",
    }
)
"""On a payment that was read as `failed`, any other reason is a hard decline as well."""
_OUR_FAULT: Final = frozenset(
    {
        "amount_less_than_minimum_amount",
        "bank_not_enabled",
        "card_network_not_enabled",
        "input_validation_failed",
        "invalid_amount",
        "invalid_currency",
        "invalid_email",
        "invalid_mobile_number",
        "invalid_order_id",
        "invalid_request",
        "live_mode_not_enabled",
        "merchant_not_activated",
        "order_amount_mismatch",
        "order_payment_method_mismatch",
        "payment_method_not_enabled",
        "recurring_payment_not_enabled",
        "upi_autopay_not_supported_on_psp",
        "upi_intent_not_enabled",
    }
)
"""Documented as refused before the payment was initiated: no payment exists."""
_OUR_FIELDS: Final = frozenset(
    {"amount", "contact", "currency", "customer_id", "email", "method", "notes", "recurring", "token", "upi"}
)
"""Older errors name the field instead of a reason."""
_DONE_BEFORE: Final = ("already", "duplicate", "in progress", "same idempotency")
"""Words in an error text that may mean that a payment exists."""
_PERSONAL: Final = re.compile(r"\S*@\S*|\+?\d(?:[ -]?\d){6,}|\b(?:token|cust|card|rzp)_\w+")
"""E-mail and UPI addresses, long numbers, and card data."""
_MAX_DESCRIPTION_CHARS: Final = 1_000
_NO_REASON: Final = (None, "", "NA")
_STATUSES: Final = frozenset({"created", "authorized", "captured", "refunded", "failed"})


def ordered(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the order id. An order that is not new or that differs from our request is not paid."""
    if response.status == 200:
        order = json_object(response)
        asked = (request.amount, request.currency, request.provider_key, "created")
        if (as_int(order.get("amount")), order.get("currency"), order.get("receipt"), order.get("status")) != asked:
            return Unknown(code="another_order")
        within = str(capture_within_minutes(request))
        return Progress(facts={"order_id": reference(order.get("id")), CAPTURE_WITHIN: within})
    error = error_of(response)
    if response.status == 400 and error.get("code") == "BAD_REQUEST_ERROR" and not _says_done_before(error):
        return Rejected(code=_code(error), message=message_of(error.get("description"), request))
    return refused(response, request)


def paid(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the answer to a payment. It never proves a charge: the order's payments do."""
    if response.status == 200:
        return _initiated(request, json_object(response))
    if response.status == 400:
        return _not_paid(request, error_of(response))
    return refused(response, request)


def found(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read all payments of the order: one that took money decides, then one that may, then one that did not."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    payments = listed(json_object(response))
    if any(payment.get("status") not in _STATUSES for payment in payments):
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
        return refused(response, request)
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
        case Unknown(code="awaiting_payer") | NotFound():
            return ConfirmedCancelled(reference=request.reference)
        case Declined(reference=payment_id):
            return ConfirmedCancelled(reference=payment_id)
        case _:
            return outcome


def refused(response: HttpResponse, charge: ChargeRequest | None = None) -> Outcome:
    """Read an error status. 429, 401 and 403 are documented as refused before execution; others are unknown."""
    error = error_of(response)
    message = message_of(error.get("description"), charge)
    if response.status in {401, 403, 429}:
        known = {"code": _code(error), "message": message}
        return refusal(response, known, retry_after_header="retry-after")
    return Unknown(code=f"http_{response.status}", message=message)


def message_of(description: object, charge: ChargeRequest | None = None) -> str:
    """The message without the payer's data; empty if it repeats a name, a customer id or a token."""
    if not isinstance(description, str):
        return ""
    kept = _PERSONAL.sub("***", description[:_MAX_DESCRIPTION_CHARS])
    customer = charge.customer if charge is not None else None
    named = (customer.name, customer.id) if customer is not None else ()
    repeated = any(name and name.lower() in kept.lower() for name in (*named, charge.token if charge else None))
    return "" if repeated else provider_text(kept)


def error_of(response: HttpResponse) -> dict[str, Any]:
    """The error inside the body, or an empty object."""
    return as_object(error_body(response).get("error"))


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


def _not_paid(request: ChargeRequest, error: dict[str, Any]) -> Outcome:
    """A 400 is a decline, a refusal or unknown; only documented reasons decide for one of the first two."""
    code, message = _code(error), message_of(error.get("description"), request)
    about = as_object(error.get("metadata"))
    if about.get("order_id") not in (None, request.progress.get("order_id")):
        return Unknown(code="another_order")
    if not error or code in _UNDECIDED | _UNTIL_READ or _says_done_before(error):
        return Unknown(code=code if error else "http_400", message=message)
    payment_id = provider_reference(about.get("payment_id"))
    if payment_id is None and about.get("payment_id") is None and _is_our_fault(error):
        return Rejected(code=code, message=message)
    if code in _SOFT | _FUNDS | _HARD or (code in _OUR_FAULT and payment_id is not None):
        return _declined(request, code, message, payment_id)
    return Unknown(code=code, message=message)


def _is_our_fault(error: Mapping[str, Any]) -> bool:
    if error.get("reason") in _NO_REASON:
        return error.get("code") == "BAD_REQUEST_ERROR" and error.get("field") in _OUR_FIELDS
    return error.get("reason") in _OUR_FAULT


def _says_done_before(error: Mapping[str, Any]) -> bool:
    """The text never makes an outcome more certain, only less."""
    description = error.get("description")
    return isinstance(description, str) and any(word in description.lower() for word in _DONE_BEFORE)


def _decide(request: ChargeRequest, payments: list[dict[str, Any]]) -> Outcome:
    by_status = {word: [p for p in payments if p["status"] == word] for word in _STATUSES}
    if len(by_status["captured"]) > 1:
        return Mismatch(code="duplicate_charge")
    for word in ("captured", "refunded", "authorized", "created", "failed"):
        open_or_taken = [p for p in by_status[word] if not was_given_back(p)]
        if open_or_taken:
            return _payment(request, word, _newest(open_or_taken))
    return _given_back(request, _newest(payments))


def _newest(payments: list[dict[str, Any]]) -> dict[str, Any]:
    return max(payments, key=lambda payment: as_int(payment.get("created_at", 0)))


def _payment(request: ChargeRequest, word: str, payment: dict[str, Any]) -> Outcome:
    facts = _checked(request, payment)
    if word == "refunded":
        # Captured, then refunded outside this system: it goes to manual review.
        taken = payment.get("captured") is True
        elsewhere = Mismatch(code="refunded_elsewhere", reference=facts["reference"])
        return elsewhere if taken else Unknown(code="refund_contradicted")
    if word == "captured":
        return Succeeded(**facts) if payment.get("captured", True) is True else Unknown(code="captured_contradicted")
    if facts["merchant_reference"] != request.provider_key:
        return Mismatch(code="reference_differs", reference=facts["reference"])
    if word == "authorized":
        # Where Razorpay captures by itself, this state is short, or lasts until Razorpay returns the money.
        is_held = request.capture is CaptureMode.MANUAL or is_captured_by_us(request)
        return Authorized(**facts) if is_held else Accepted(reference=facts["reference"])
    if word == "created":
        return _open(request, facts["reference"])
    code = provider_code(payment.get("error_reason"))
    if code in _UNDECIDED:
        return Unknown(code=code)
    return _declined(request, code, message_of(payment.get("error_description"), request), facts["reference"])


def _open(request: ChargeRequest, payment_id: str) -> Outcome:
    """`Accepted` would remove the payer's UPI link, so an open payment with a link is `Unknown`."""
    if request.payment_method_type == UPI and request.reference is not None:
        return Unknown(code="awaiting_payer")
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
    kind = DeclineKind.HARD
    if code in _SOFT:
        kind = DeclineKind.SOFT
    elif code in _FUNDS:
        kind = DeclineKind.FUNDS
    reopens = 0 if CAPTURE_WITHIN in request.progress else REOPENS_FOR_SECONDS
    return Declined(kind=kind, code=code, message=message, reference=payment_id, reopens_for_seconds=reopens)


def _code(error: Mapping[str, Any]) -> str:
    reason = error.get("reason")
    return provider_code(error.get("code") if reason in _NO_REASON else reason)
