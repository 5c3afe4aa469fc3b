"""Reads answers to charges. Pure. The intent's status decides; an error only contains part of the intent."""

import re
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
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.json_fields import (
    action,
    as_int,
    as_object,
    as_text,
    error_body,
    json_object,
    reference,
    refusal,
)
from payflowx.providers.stripe.messages import decline_code, safe_code, safe_message
from payflowx.providers.stripe.requests import INTENT_FACT, KEY_FIELD

_SOFT: Final = frozenset(
    {
        *("processing_error", "issuer_not_available", "try_again_later", "reenter_transaction", "approve_with_id"),
        *("do_not_honor", "generic_decline", "call_issuer", "no_action_taken", "service_not_allowed"),
        *("transaction_not_allowed", "not_permitted", "currency_not_supported", "card_not_supported"),
        *("authentication_required", "authentication_not_handled"),
    }
)
_FUNDS: Final = frozenset({"insufficient_funds", "card_velocity_exceeded", "withdrawal_count_limit_exceeded"})
_HARD_ADVICE: Final = frozenset({"do_not_try_again", "confirm_card_data"})

_REFUSED_BEFORE_PROCESSING: Final = frozenset(
    {
        *("amount_too_large", "amount_too_small", "country_unsupported", "invalid_charge_amount", "livemode_mismatch"),
        *("parameter_invalid_empty", "parameter_invalid_integer", "parameter_invalid_string_blank"),
        *("parameter_invalid_string_empty", "parameter_missing", "parameter_unknown", "parameters_exclusive"),
        *("payment_intent_invalid_parameter", "payment_method_invalid_parameter", "payment_method_unactivated"),
        *("resource_missing", "secret_key_required", "testmode_charges_only", "tls_version_unsupported"),
        *("url_invalid", "invalid_charge_amount_no_decimal_compatible"),
    }
)
_UNPAID_STATUSES: Final = frozenset({"requires_payment_method", "requires_confirmation", "requires_action", "canceled"})
_WAITING_ACTIONS: Final = frozenset({"card_await_notification"})
_CURRENCY: Final = re.compile(r"[a-z]{3}")
_MAX_ITEMS: Final = 100


# --- the answer to a charge ----------------------------------------------------------------------------------


def charged(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the answer to create and confirm, or its stored copy when the key was used before."""
    if response.status == 200:
        found = intent_outcome(request, json_object(response))
        return Unknown(code="canceled_at_once") if isinstance(found, ConfirmedCancelled) else found
    error = as_object(error_body(response).get("error"))
    if response.status == 402 and error.get("type") == "card_error":
        return _declined_at_once(request, error)
    return refused(response, error)


def _declined_at_once(request: ChargeRequest, error: dict[str, Any]) -> Outcome:
    """A decline of our own intent, which took no money."""
    intent = as_object(error.get("payment_intent"))
    intent_id = reference(intent.get("id"))
    if our_key(intent) != request.provider_key:
        return Unknown(code="decline_of_another_intent", message=safe_message(error.get("message")))
    if intent.get("status") not in _UNPAID_STATUSES:
        return Unknown(code="decline_of_an_open_intent", message=safe_message(error.get("message")))
    return _declined(intent_id, error)


def refused(response: HttpResponse, error: dict[str, Any]) -> Rejected | Unknown:
    """Decide whether an error that is no decline was refused before execution.

    Validation errors, rate limits and bad credentials are refused before execution. An error that mentions an
    intent or a charge was executed at least in part; a lock timeout may occur in the middle of an execution.
    """
    code, message = safe_code(error.get("code")), safe_message(error.get("message"))
    if error.get("type") == "idempotency_error":
        return Unknown(code="idempotency_key_reused", message=message)
    if response.status == 429 and code == "lock_timeout":
        return Unknown(code=code, message=message)
    if response.status in {401, 403, 429} or (response.status == 400 and _is_validation(error)):
        before = refusal(response, {"code": code, "message": message}, retry_after_header="retry-after")
        return before if isinstance(before, Rejected) else Unknown(code=code)
    return Unknown(code=f"http_{response.status}" if code == "unrecognized" else code, message=message)


def _is_validation(error: dict[str, Any]) -> bool:
    if error.get("type") != "invalid_request_error" or error.get("payment_intent") or error.get("charge"):
        return False
    if error.get("code") is None:
        return isinstance(error.get("param"), str)
    return error.get("code") in _REFUSED_BEFORE_PROCESSING


# --- inquiries -----------------------------------------------------------------------------------------------


def found_recent(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Find our intent among the newest. A list without it is not conclusive: the search follows."""
    intents = _ours(request, response)
    if not intents:
        return Progress()
    return intent_outcome(request, intents[0]) if len(intents) == 1 else Mismatch(code="duplicate_charge")


def found_by_search(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Return only the id: the status in the search index may be an hour old."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    intents = _ours(request, response)
    return _only(intents) if intents else NotFound()


def read_back(request: ChargeRequest, response: HttpResponse) -> StepResult:
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    return intent_outcome(request, json_object(response))


# --- cancel and confirm -------------------------------------------------------------------------------------


def located_recent(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """The id of the intent to cancel, if it is among the newest."""
    intents = _ours(request, response)
    if not intents:
        return Progress()
    return _only(intents)


def located(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """The id of the intent, if the list did not have it. A missing intent proves nothing."""
    if INTENT_FACT in request.progress:
        return Progress()
    found = found_by_search(request, response)
    return Unknown(code="nothing_to_cancel") if isinstance(found, NotFound) else found


def cancelled(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Ignore the answer: only the read that follows counts."""
    return Progress(facts={"cancel_sent": "true"})


# --- intents -------------------------------------------------------------------------------------------------


def intent_outcome(request: ChargeRequest, intent: dict[str, Any]) -> Outcome:
    """The meaning of a PaymentIntent's status for the charge."""
    intent_id = reference(intent.get("id"))
    if not is_object(intent, "payment_intent"):
        return Unknown(code="not_an_intent")
    match intent.get("status"):
        case "succeeded":
            return Succeeded(reference=intent_id, **_held(intent, "amount_received"))
        case "requires_capture":
            return Authorized(reference=intent_id, **_held(intent, "amount_capturable"))
        case _ if our_key(intent) != request.provider_key:
            return Unknown(code="another_intent")
        case "processing":
            return Accepted(reference=intent_id)
        case "requires_action":
            return _action(intent_id, as_object(intent.get("next_action")))
        case "requires_payment_method" if intent.get("last_payment_error"):
            return _declined(intent_id, as_object(intent.get("last_payment_error")))
        case "canceled":
            return _canceled(intent_id, intent)
        case "requires_payment_method" | "requires_confirmation":
            return Unknown(code="not_confirmed")
        case _:
            return Unknown(code="status_not_known")


def our_key(thing: dict[str, Any]) -> str | None:
    """The provider key in the metadata of an intent, a charge or a refund."""
    key = as_object(thing.get("metadata")).get(KEY_FIELD)
    return key if isinstance(key, str) else None


def currency_of(thing: dict[str, Any]) -> str:
    """The ISO 4217 code in capitals. Raises ValueError for anything else."""
    code = as_text(thing.get("currency"))
    if not _CURRENCY.fullmatch(code):
        raise ValueError("not a currency")
    return code.upper()


def is_object(thing: dict[str, Any], kind: str) -> bool:
    """Whether the object's `object` field names this type."""
    return thing.get("object") == kind


def items_of(response: HttpResponse) -> list[dict[str, Any]]:
    """The objects of a list. Raises ValueError for anything else."""
    items = json_object(response).get("data")
    if not isinstance(items, list) or len(items) > _MAX_ITEMS or not all(isinstance(item, dict) for item in items):
        raise ValueError("data is no list of objects")
    return items


def _ours(request: ChargeRequest, response: HttpResponse) -> list[dict[str, Any]]:
    """The intents of a list that carry our key; empty when the list could not be read."""
    if response.status != 200:
        return []
    return [intent for intent in items_of(response) if our_key(intent) == request.provider_key]


def _only(intents: list[dict[str, Any]]) -> Progress | Mismatch:
    """One key creates one intent; a second intent with the same key goes to manual review."""
    if len(intents) > 1:
        return Mismatch(code="duplicate_charge")
    return Progress(facts={INTENT_FACT: reference(intents[0].get("id"))})


def _held(intent: dict[str, Any], field: str) -> dict[str, Any]:
    return {
        "amount": as_int(intent.get(field)),
        "currency": currency_of(intent),
        "merchant_reference": our_key(intent) or "none",
    }


def _action(intent_id: str, next_action: dict[str, Any]) -> Outcome:
    """Only a redirect can be passed on; other actions need Stripe's script in the payer's browser."""
    if next_action.get("type") in _WAITING_ACTIONS:
        return Accepted(reference=intent_id)
    return action(intent_id, as_object(next_action.get("redirect_to_url")).get("url"))


def _canceled(intent_id: str, intent: dict[str, Any]) -> Outcome:
    if intent.get("amount_received") == 0 and intent.get("amount_received") is not False:
        return ConfirmedCancelled(reference=intent_id)
    return Unknown(code="canceled_with_money")


def _declined(intent_id: str, error: dict[str, Any]) -> Declined:
    """The intent could be confirmed again with another card, so the decline counts once it is cancelled."""
    code = decline_code(error)
    kind = DeclineKind.HARD
    if error.get("advice_code") not in _HARD_ADVICE:
        kind = DeclineKind.SOFT if code in _SOFT else DeclineKind.FUNDS if code in _FUNDS else DeclineKind.HARD
    return Declined(
        kind=kind,
        code=code,
        message=safe_message(error.get("message")),
        reference=intent_id,
        cancel_required=True,
    )
