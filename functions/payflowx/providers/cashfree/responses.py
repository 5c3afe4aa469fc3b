"""Reads answers to charges. Pure. The payments decide, not the status of the order."""

import re
from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeGuard

from payflowx.domain.payments.outcome import (
    ActionRequired,
    Authorized,
    ConfirmedCancelled,
    Declined,
    Mismatch,
    NextAction,
    NotFound,
    NotSent,
    Outcome,
    Progress,
    Rejected,
    StepResult,
    Succeeded,
    Unknown,
)
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.money import to_minor
from payflowx.domain.shared.statuses import CaptureMode, DeclineKind
from payflowx.domain.shared.text import is_clean, provider_code, provider_reference
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.cashfree.declines import kind_of
from payflowx.providers.cashfree.refusals import FEATURE_NOT_ENABLED, REFUSALS
from payflowx.providers.edge import http_date, rejected_at_edge
from payflowx.providers.json_fields import as_object, as_text, error_body, json_array, json_object, reference
from payflowx.providers.refusals import RefusedCall
from payflowx.providers.sanitize import sanitize

_MAX_PAYMENTS: Final = 100
_MAX_SESSION_CHARS: Final = 512
_MAX_URL_CHARS: Final = 2_048
_MAX_FIELDS: Final = 30
_MAX_FIELD_CHARS: Final = 4_096
_MAX_FORM_CHARS: Final = 16_384

_SEVERITY: Final = (DeclineKind.SOFT, DeclineKind.FUNDS, DeclineKind.HARD)

_DECLINED: Final = frozenset({"FAILED", "USER_DROPPED", "CANCELLED"})
_WITHOUT_MONEY: Final = _DECLINED | {"VOID"}

LONGEST_ATTEMPT: Final = timedelta(days=2)
"""An attempt that began before its order expired may succeed within a day at most; doubled here."""

_BEFORE_EXECUTION: Final = frozenset({"invalid_request_error", "validation_error", FEATURE_NOT_ENABLED})
"""The error types that are documented as malformed requests, failed validation and missing features."""
_REFUSING: Final = frozenset({400, 404, 409})
_OBJECT_IDS: Final = frozenset({"cf_payment_id", "cf_refund_id"})
_SURCHARGES: Final = ("payment_surcharge_service_charge", "payment_surcharge_service_tax")
_REPLAYED: Final = "x-idempotency-replayed"
_MAX_VISITED: Final = 1_000
EXISTS: Final = frozenset({"order_already_exists", "order_id_already_exists"})
_DONE_BEFORE: Final = re.compile(r"already|duplicate", re.IGNORECASE)
"""Words of a refusal that may be about an earlier request of ours, whatever its code."""

_MIN_PRIVATE_CHARS: Final = 5
_LONG_NUMBER: Final = re.compile(r"\d(?:[ -]?\d){6,}")
"""Ids of instruments, customers and sessions, by their form: an operation does not know its charge's."""


def ordered(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the answer to a new order. An existing order is an earlier request of ours: the next step reads it."""
    if response.status == 200:
        session = _session_of(request, json_object(response))
        return session if not isinstance(session, Progress) else Progress(facts={"order": "created", **session.facts})
    if response.status in {400, 409} and error_body(response).get("code") in EXISTS:
        return Progress(facts={"order": "existed"})
    return refusal_of(response, RefusedCall.CHARGE, request.private_values)


def order_read(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the session of an existing order. It must have our amount and currency, and be unpaid."""
    if response.status == 200:
        return _session_of(request, json_object(response))
    return Unknown(code=f"http_{response.status}")


def paid(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the answer to the payment of a session: it never takes money, it always needs an action of the payer."""
    if response.status == 200:
        return _next_action(request, json_object(response))
    error, private = error_body(response), request.private_values
    refused = refusal_of(response, RefusedCall.CHARGE, private)
    if isinstance(refused, Rejected):
        return refused
    named = (provider_reference(value) for value in _named(error, {"cf_payment_id"}))
    payment_id = next((known for known in named if known is not None), None)
    if payment_id is not None and 400 <= response.status < 500:
        # The order is closed and read back, which takes seconds; until then the answer proves nothing.
        kind, code, message = DeclineKind.SOFT, refused.code, refused.message
        return Declined(kind=kind, code=code, message=message, reference=payment_id, cancel_required=True)
    return NotSent(code="order_not_visible") if _is_not_visible(response, error) else refused


def _is_not_visible(response: HttpResponse, error: Mapping[str, Any]) -> bool:
    """Whether Cashfree does not know the new order yet: nothing was executed, and the request is sent again.

    `orderpay_...` is also answered for an order that was processed.
    """
    known = error.get("type") == "invalid_request_error" and not _is_replayed(response)
    return response.status == 404 and known and not segment_of(error.get("code")).startswith("orderpay")


def found(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read all payments of the order: one with money decides, then one that is open, then the gravest decline."""
    if response.status == 404 and error_body(response).get("code") == "order_not_found":
        return NotFound()
    payments = payments_in(response, request.provider_key)
    if isinstance(payments, Unknown):
        return payments
    outcomes = [payment_outcome(request, payment) for payment in payments]
    money = [outcome for outcome in outcomes if isinstance(outcome, Succeeded | Authorized | Mismatch)]
    if len(money) > 1:
        return Mismatch(code="duplicate_charge")
    undecided = [outcome for outcome in outcomes if isinstance(outcome, Unknown)]
    declined = [outcome for outcome in outcomes if isinstance(outcome, Declined)]
    gravest = sorted(declined, key=lambda outcome: _SEVERITY.index(outcome.kind), reverse=True)
    return next(iter([*money, *undecided, *gravest]), NotFound())


def sent(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Ignore the answer to the void: only the reads that follow count."""
    return Progress(facts={"void_sent": "true"})


def terminated(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Ignore the answer: only the reads that follow count."""
    return Progress(facts={"terminate_sent": "true"})


def closed(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the order: no payment of it may be able to start or to complete."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    order = json_object(response)
    if order.get("order_id") != request.provider_key:
        return Unknown(code="another_order")
    match order.get("order_status"):
        case "TERMINATED":
            return Progress(facts={"order_closed": "terminated"})
        case "EXPIRED" if _is_long_expired(order, response):
            return Progress(facts={"order_closed": "expired"})
        case "PAID":
            return Progress(facts={"order_closed": "paid"})
        case _:
            return Unknown(code="order_not_closed")


def unpaid(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the payments of the closed order: they are final, and none with money proves that no charge was made."""
    payments = payments_in(response, request.provider_key)
    if isinstance(payments, Unknown):
        return payments
    outcomes = [payment_outcome(request, payment) for payment in payments]
    money = [outcome for outcome in outcomes if isinstance(outcome, Succeeded | Authorized | Mismatch)]
    if request.reference not in {None, *(provider_reference(payment.get("cf_payment_id")) for payment in payments)}:
        return Unknown(code="payment_not_in_answer")
    if money:
        return money[0] if len(money) == 1 else Mismatch(code="duplicate_charge")
    words = {payment.get("payment_status") for payment in payments}
    if not words <= _WITHOUT_MONEY:
        return Unknown(code="payment_still_open")
    how = request.progress.get("order_closed")
    if how in {"terminated", "expired"} or (how == "paid" and "VOID" in words):
        return ConfirmedCancelled(reference=reference(payments[-1].get("cf_payment_id")) if payments else None)
    return Unknown(code="order_paid_without_payment")


def _session_of(request: ChargeRequest, order: dict[str, Any]) -> StepResult:
    if order.get("order_id") != request.provider_key:
        return Unknown(code="another_order")
    currency = as_text(order.get("order_currency"))
    if currency != request.currency or minor_amount(order.get("order_amount"), currency) != request.amount:
        return Unknown(code="order_differs")
    if order.get("order_status") == "PAID":
        return Mismatch(code="order_paid_unasked")
    if order.get("order_status") != "ACTIVE":
        return Unknown(code="order_not_active")
    return Progress(facts={"payment_session_id": session_in(order)})


def session_in(order: dict[str, Any]) -> str:
    """The session, with which anybody can pay the order. Raises ValueError for one that cannot be used."""
    session = as_text(order.get("payment_session_id"))
    if not session or len(session) > _MAX_SESSION_CHARS or not session.isascii() or not session.isprintable():
        raise ValueError("not a usable session")
    return session


def _is_long_expired(order: dict[str, Any], response: HttpResponse) -> bool:
    return expired_for(order, response) > LONGEST_ATTEMPT


def expired_for(order: dict[str, Any], response: HttpResponse) -> timedelta:
    """How long ago the order expired, by the answer's date, Cashfree's clock. Raises if either time is missing."""
    return http_date(response.headers["date"]) - datetime.fromisoformat(as_text(order.get("order_expiry_time")))


# --- what the payer has to do -----------------------------------------------------------------------------------


def _next_action(request: ChargeRequest, answer: dict[str, Any]) -> Outcome:
    """An answer with another amount is not passed on: a payer who never sees it cannot pay it."""
    amount = answer.get("payment_amount")
    if amount is not None and minor_amount(amount, request.currency) != request.amount:
        return Unknown(code="amount_differs")
    payment_id = reference(answer.get("cf_payment_id"))
    data = as_object(answer.get("data"))
    next_action: NextAction | None = None
    match answer.get("action"):
        case "custom":
            next_action = _upi_intent(as_object(data.get("payload")))
        case "link":
            next_action = _redirect(data.get("url"))
        case "form":
            next_action = _form(data)
        case _:
            return Unknown(code="action_not_known")
    if next_action is None:
        return Unknown(code="action_without_address")
    return ActionRequired(reference=payment_id, action=next_action)


def _upi_intent(links: dict[str, Any]) -> NextAction | None:
    """The link for every UPI app; the links for a single app are not used."""
    url = links.get("default")
    return NextAction(kind="upi_intent", url=url) if _is_address(url, "upi://") else None


def _redirect(url: Any) -> NextAction | None:
    return NextAction(kind="redirect", url=url) if _is_address(url, "https://") else None


def _form(data: dict[str, Any]) -> NextAction | None:
    url, method, payload = data.get("url"), data.get("method"), data.get("payload")
    if not _is_address(url, "https://") or not isinstance(method, str) or method.lower() != "post":
        return None
    fields = _fields(payload) if isinstance(payload, dict) else None
    return NextAction(kind="form_post", url=url, fields=fields) if fields is not None else None


def _fields(payload: dict[str, Any]) -> dict[str, str] | None:
    """Texts and whole numbers for a form. A field left out or altered would break the bank's page.

    Half of a surrogate pair can be neither stored nor posted.
    """
    if len(payload) > _MAX_FIELDS:
        return None
    if any(isinstance(value, bool) or not isinstance(value, str | int) for value in payload.values()):
        return None
    fields = {name: str(value) for name, value in payload.items()}
    if any("\ud800" <= char <= "\udfff" for text in (*fields, *fields.values()) for char in text):
        return None
    sizes = [max(len(name), len(value)) for name, value in fields.items()]
    if sum(sizes) > _MAX_FORM_CHARS or max(sizes, default=0) > _MAX_FIELD_CHARS:
        return None
    return fields


def _is_address(url: Any, scheme: str) -> TypeGuard[str]:
    return (
        isinstance(url, str)
        and len(url) <= _MAX_URL_CHARS
        and len(url) > len(scheme)
        and url.startswith(scheme)
        and is_clean(url)
        and not any(char.isspace() for char in url)
    )


# --- payments ---------------------------------------------------------------------------------------------------


def payments_in(response: HttpResponse, order_id: str) -> list[dict[str, Any]] | Unknown:
    """All payments of the order. Raises ValueError for anything but a payment of this order."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    payments = json_array(response)
    if len(payments) > _MAX_PAYMENTS:
        raise ValueError("more payments than one order can have")
    for payment in payments:
        if not isinstance(payment, dict) or payment.get("order_id") != order_id:
            raise ValueError("not a list of this order's payments")
    return payments


def payment_outcome(request: ChargeRequest, payment: dict[str, Any]) -> Outcome:
    """The outcome of one payment of the order."""
    payment_id = reference(payment.get("cf_payment_id"))
    match payment.get("payment_status"):
        case "SUCCESS":
            return _money(request, payment_id, payment)
        case "PENDING" | "NOT_ATTEMPTED":
            # The payer has not acted yet, or the bank has not answered. `Accepted` would remove the payer's link and
            # the deadline after which the order is closed; a payment whose link was never given out is closed sooner.
            return Unknown(code="awaiting_payer")
        case "FAILED" | "USER_DROPPED" | "CANCELLED" as word:
            return _declined(request, payment_id, word, payment)
        case "VOID":
            return Unknown(code="authorization_voided")
        case _:
            return Unknown(code="status_not_known")


def _money(request: ChargeRequest, payment_id: str, payment: dict[str, Any]) -> Outcome:
    """SUCCESS also means authorized: `is_captured` distinguishes the two."""
    held = as_object(payment.get("authorization"))
    taken = payment.get("is_captured")
    if held.get("action") == "VOID":
        return Unknown(code="authorization_voided")
    if taken is False:
        return money_of(payment_id, payment, payment.get("payment_amount"), kind=Authorized)
    if taken is not True and (taken is not None or held):
        return Unknown(code="capture_not_understood")
    amount = payment.get("payment_amount")
    if request.capture is CaptureMode.MANUAL:
        if held.get("action") != "CAPTURE" or held.get("status") != "SUCCESS":
            return Unknown(code="capture_not_understood")
        amount = held.get("captured_amount")
    return money_of(payment_id, payment, amount, kind=Succeeded)


def money_of(
    payment_id: str, payment: dict[str, Any], amount: Any, *, kind: type[Succeeded] | type[Authorized]
) -> Outcome:
    """The amount that the payer paid; a fee on top or another currency is a mismatch."""
    currency = as_text(payment.get("payment_currency"))
    minor = minor_amount(amount, currency)
    if minor is None:
        return Mismatch(code="amount_differs", reference=payment_id)
    return kind(
        reference=payment_id, amount=minor, currency=currency, merchant_reference=as_text(payment.get("order_id"))
    )


def _declined(request: ChargeRequest, payment_id: str, word: str, payment: dict[str, Any]) -> Declined:
    """The order stays open after a failed payment: the decline counts once the order is closed."""
    error = as_object(payment.get("error_details"))
    code = word.lower() if word != "FAILED" else error.get("error_reason") or error.get("error_code")
    return Declined(
        kind=kind_of(payment) if word == "FAILED" else DeclineKind.HARD,
        code=harmless_code(code, request.private_values),
        message=sanitize(error.get("error_description"), known=request.private_values),
        reference=payment_id,
        cancel_required=True,
    )


# --- shared with operations, webhooks and reports -------------------------------------------------------------


def refusal_of(response: HttpResponse, call: RefusedCall, private: Sequence[str]) -> Rejected | Unknown:
    """Decide whether an error was documented as refused before execution; see `refusals`.

    An answer from a stored copy says nothing about this request, and one that names a payment or refund was executed.
    """
    error = error_body(response)
    message = sanitize(error.get("message"), known=private)
    names_object = bool(_named(error, _OBJECT_IDS))
    edge = rejected_at_edge(response, message, names_object=names_object, wait_header="x-ratelimit-retry")
    if edge is not None:
        return edge
    if error.get("type") == "idempotency_error":
        return Unknown(code="idempotency_key_reused", message=message)
    code = harmless_code(error.get("code"), private) if error.get("code") else f"http_{response.status}"
    kind, believed = error.get("type"), response.status in _REFUSING and not _is_replayed(response)
    if not believed or kind not in _BEFORE_EXECUTION:
        return Unknown(code=code, message=message)
    listed = FEATURE_NOT_ENABLED if kind == FEATURE_NOT_ENABLED else segment_of(code)
    refused = REFUSALS.outcome(call, listed, message, names_object=names_object)
    done_before = _DONE_BEFORE.search(f"{code} {message}") is not None
    final = isinstance(refused, Rejected) and (refused.claims_done or not done_before)
    return refused if final else Unknown(code=code, message=message)


def segment_of(code: Any) -> str:
    """The last segment of a dotted code, in small letters: `customer_details.customer_phone_invalid`."""
    return code.rsplit(".", 1)[-1].lower() if isinstance(code, str) else ""


def _is_replayed(response: HttpResponse) -> bool:
    return response.headers.get(_REPLAYED, "").lower() == "true"


def _named(error: Mapping[str, Any], names: Set[str]) -> list[Any]:
    """The values of these members, wherever they stand in an error. One that is too large to search names something."""
    found: list[Any] = []
    left: list[Any] = [error]
    for _ in range(_MAX_VISITED):
        if not left:
            return found
        value = left.pop()
        if isinstance(value, dict):
            found += [value[name] for name in names if value.get(name) is not None]
            left += value.values()
        elif isinstance(value, list):
            left += value
    return [*found, error]


def declared_fee(payment: Mapping[str, Any], currency: str) -> int:
    """The fee, with its tax, that Cashfree says the payer bears on top of the order's amount; in minor units."""
    declared = as_object(payment.get("payment_surcharge"))
    return sum(minor_amount(declared.get(name) or 0, currency) or 0 for name in _SURCHARGES)


def minor_amount(value: Any, currency: str) -> int | None:
    """The JSON number in minor units; None for a fraction of one. Raises ValueError for anything but a number."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value < 0:
        raise ValueError("not an amount")
    return to_minor(Decimal(value), currency)


def harmless_code(said: Any, private: Sequence[str]) -> str:
    """The code, or "unrecognized" if it contains a private value or a long number. A short name may be part of any."""
    code = provider_code(said)
    repeats = any(value in code for value in private if len(value) >= _MIN_PRIVATE_CHARS)
    return "unrecognized" if repeats or _LONG_NUMBER.search(code) else code


def word_in(value: Mapping[str, Any], name: str) -> str:
    """The status word, or an empty text."""
    word = value.get(name)
    return word if isinstance(word, str) else ""
