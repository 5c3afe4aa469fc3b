"""Reads a Checkout Session and its intent. Pure.

The intent decides where money is concerned, and the session's own status about whether it can still be paid.
"""

from typing import Any, Final

from payflowx.domain.payments.hosted import FailedTries
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    ConfirmedCancelled,
    Outcome,
    Progress,
    Rejected,
    StepResult,
    Unknown,
)
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.json_fields import action, as_int, as_object, json_object, reference
from payflowx.providers.refusals import RefusedCall
from payflowx.providers.stripe.errors import operation_error
from payflowx.providers.stripe.hosted_requests import SESSION_FACT, TRIED_FACT, session_id_of
from payflowx.providers.stripe.messages import decline_code, safe_message
from payflowx.providers.stripe.objects import currency_of, is_object, items_of, our_key
from payflowx.providers.stripe.responses import intent_outcome

_URL: Final = "tried_url"
_CODE: Final = "tried_code"
_MESSAGE: Final = "tried_message"
_TAKEN: Final = frozenset({"succeeded", "requires_capture"})
_UNPAID: Final = frozenset({None, "canceled", "requires_payment_method"})
"""The states of the intent of an expired session in which the payer's card takes no more money."""
_UNDER_WAY: Final = frozenset({"processing", "requires_action", "requires_confirmation"})
"""The payer's try had begun before the session expired, and nobody can cancel it: Stripe refuses to cancel the intent.

https://docs.stripe.com/api/payment_intents/cancel
"""


def created(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the new session, or its stored copy. Its address is given out only if it is the session that was asked for.

    No request of this step charges, so every error of a parameter is a refusal.
    """
    if response.status != 200:
        return operation_error(RefusedCall.CHARGE, response, request.private_values)
    session = json_object(response)
    if not is_object(session, "checkout.session"):
        return Unknown(code="not_a_session")
    if not _is_as_requested(request, session):
        return Rejected(code="object_differs", message="The session differs from the request.")
    if session.get("status") != "open":
        return Unknown(code="session_not_open")
    return action(reference(session.get("id")), session.get("url"))


def expired(_request: ChargeRequest, _response: HttpResponse) -> StepResult:
    """Ignore the answer: only the read that follows counts."""
    return Progress(facts={"expire_sent": "true"})


def read_back(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Return the session's meaning; for an open one with a failed try the facts that the count of tries needs."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    session = json_object(response)
    if not is_object(session, "checkout.session") or session.get("client_reference_id") != request.provider_key:
        return Unknown(code="another_session")
    known, session_id = session_id_of(request), reference(session.get("id"))
    if known is not None and session_id != known:
        return Unknown(code="another_session")
    intent = session.get("payment_intent")
    if intent is not None and not is_object(as_object(intent), "payment_intent"):
        return Unknown(code="intent_not_expanded")
    return _outcome(request, session, as_object(intent))


def counted(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Return the open session with its failed tries. Without a readable list at least the last one is known."""
    facts = request.progress
    count = 1
    if response.status == 200:
        charges = items_of(response)
        if any(charge.get("payment_intent") != facts.get(TRIED_FACT) for charge in charges):
            return Unknown(code="charges_of_another_intent")
        count = max(1, sum(charge.get("status") == "failed" for charge in charges))
    opened = action(session_id_of(request) or "", facts.get(_URL))
    tries = FailedTries(count=count, code=facts.get(_CODE, ""), message=facts.get(_MESSAGE, ""))
    if not isinstance(opened, ActionRequired):
        return opened
    return ActionRequired(reference=opened.reference, action=opened.action, failed_tries=tries)


def _is_as_requested(request: ChargeRequest, session: dict[str, Any]) -> bool:
    asked = (request.provider_key, request.amount, request.currency, "payment")
    shown = (session.get("client_reference_id"), as_int(session.get("amount_total")), currency_of(session))
    return (*shown, session.get("mode")) == asked


def _outcome(request: ChargeRequest, session: dict[str, Any], intent: dict[str, Any]) -> StepResult:
    status = intent.get("status")
    if status in _TAKEN:
        return intent_outcome(request, intent)
    if intent and our_key(intent) != request.provider_key:
        return Unknown(code="another_intent")
    match session.get("status"):
        case "open":
            return _open(request, session, intent)
        case "expired":
            return _expired(session, intent)
        case "complete" if status == "canceled":
            return intent_outcome(request, intent)  # an authorization that was released
        case "complete" if status == "processing":
            return Accepted(reference=reference(session.get("id")))
        case "complete":
            return Unknown(code="complete_and_unpaid")
        case _:
            return Unknown(code="status_not_known")


def _open(request: ChargeRequest, session: dict[str, Any], intent: dict[str, Any]) -> StepResult:
    """An open session can be paid, whatever failed in it. Its bank may be processing a try."""
    session_id = reference(session.get("id"))
    if intent.get("status") == "processing":
        return Accepted(reference=session_id)
    error = as_object(intent.get("last_payment_error"))
    opened = action(session_id, session.get("url"))
    if not error or not isinstance(opened, ActionRequired):
        return opened
    return Progress(
        facts={
            SESSION_FACT: session_id,
            TRIED_FACT: reference(intent.get("id")),
            _URL: opened.action.url,
            _CODE: decline_code(error),
            _MESSAGE: safe_message(error.get("message"), request.private_values),
        }
    )


def _expired(session: dict[str, Any], intent: dict[str, Any]) -> Outcome:
    """Expired, and its intent absent or unpaid: the proof that the session takes no money any more."""
    session_id = reference(session.get("id"))
    status = intent.get("status")
    if status in _UNDER_WAY:
        return Accepted(reference=session_id)
    if status not in _UNPAID:
        return Unknown(code="status_not_known")
    if intent and as_int(intent.get("amount_received")) != 0:
        return Unknown(code="canceled_with_money")
    if session.get("payment_status") != "unpaid":
        return Unknown(code="expired_and_paid")
    return ConfirmedCancelled(reference=session_id)
