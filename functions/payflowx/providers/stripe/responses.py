"""Reads intents: the answers to charges, to reads and to cancellations. Pure. The intent's status decides."""

from typing import Any, Final

from payflowx.domain.payments.outcome import (
    Accepted,
    Authorized,
    ConfirmedCancelled,
    Outcome,
    Progress,
    StepResult,
    Succeeded,
    Unknown,
)
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.json_fields import action, as_int, as_object, json_object, reference
from payflowx.providers.stripe.declines import declined, unpaid
from payflowx.providers.stripe.errors import charge_error
from payflowx.providers.stripe.objects import currency_of, is_object, our_key

_WAITING_ACTIONS: Final = frozenset({"card_await_notification"})
_LATEST_SECONDS: Final = 10**10
"""In the year 2286. A later time is none: it may be one in milliseconds."""


def charged(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the answer to create and confirm, or its stored copy when the key was used before."""
    if response.status != 200:
        return charge_error(request, response)
    found = intent_outcome(request, json_object(response))
    return Unknown(code="canceled_at_once") if isinstance(found, ConfirmedCancelled) else found


def read_back(request: ChargeRequest, response: HttpResponse) -> StepResult:
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    return intent_outcome(request, json_object(response))


def cancelled(_request: ChargeRequest, _response: HttpResponse) -> StepResult:
    """Ignore the answer: only the read that follows counts."""
    return Progress(facts={"cancel_sent": "true"})


def intent_outcome(request: ChargeRequest, intent: dict[str, Any]) -> Outcome:
    """The meaning of a PaymentIntent's status for the charge.

    An intent that was created and is not confirmed belongs to a request that was refused in between, or is executed
    this very moment: its cancellation, read back, decides which.
    """
    intent_id = reference(intent.get("id"))
    if not is_object(intent, "payment_intent"):
        return Unknown(code="not_an_intent")
    match intent.get("status"):
        case "succeeded":
            return Succeeded(reference=intent_id, **_held(intent, "amount_received"))
        case "requires_capture":
            held = _held(intent, "amount_capturable")
            return Authorized(reference=intent_id, lapses_at_ms=_lapses_at_ms(intent), **held)
        case _ if our_key(intent) != request.provider_key:
            return Unknown(code="another_intent")
        case "processing":
            return Accepted(reference=intent_id)
        case "requires_action":
            return _action(intent_id, as_object(intent.get("next_action")))
        case "requires_payment_method" if intent.get("last_payment_error"):
            return declined(intent_id, as_object(intent.get("last_payment_error")), request.private_values)
        case "canceled":
            return _canceled(intent_id, intent)
        case "requires_payment_method" | "requires_confirmation":
            return unpaid(intent_id, "not_confirmed")
        case _:
            return Unknown(code="status_not_known")


def _held(intent: dict[str, Any], field: str) -> dict[str, Any]:
    return {
        "amount": as_int(intent.get(field)),
        "currency": currency_of(intent),
        "merchant_reference": our_key(intent) or "none",
    }


def _lapses_at_ms(intent: dict[str, Any]) -> int | None:
    """The time in `capture_before` of the charge, which is there if the charge is included in the answer."""
    details = as_object(as_object(intent.get("latest_charge")).get("payment_method_details"))
    seconds = as_object(details.get("card")).get("capture_before")
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds < _LATEST_SECONDS:
        return None
    return seconds * SECOND_MS


def _action(intent_id: str, next_action: dict[str, Any]) -> Outcome:
    """Only a redirect can be passed on; other actions need Stripe's script in the payer's browser."""
    if next_action.get("type") in _WAITING_ACTIONS:
        return Accepted(reference=intent_id)
    return action(intent_id, as_object(next_action.get("redirect_to_url")).get("url"))


def _canceled(intent_id: str, intent: dict[str, Any]) -> Outcome:
    if intent.get("amount_received") == 0 and intent.get("amount_received") is not False:
        return ConfirmedCancelled(reference=intent_id)
    return Unknown(code="canceled_with_money")
