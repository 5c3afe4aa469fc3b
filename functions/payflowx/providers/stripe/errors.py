"""Reads error answers to charges and operations. Pure. An error only contains part of the intent that it names."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from payflowx.domain.payments.outcome import Outcome, Rejected, Unknown
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.edge import rejected_at_edge
from payflowx.providers.json_fields import as_object, error_body, reference
from payflowx.providers.refusals import RefusedCall
from payflowx.providers.stripe.declines import declined, unpaid
from payflowx.providers.stripe.messages import safe_code, safe_message
from payflowx.providers.stripe.objects import our_key
from payflowx.providers.stripe.refusals import REFUSALS, refusal_code

_CONTENT_STATUSES: Final = frozenset({400, 402, 404})
"""The statuses of requests that failed "given the information provided" (https://docs.stripe.com/api/errors)."""
_UNACCEPTABLE: Final = frozenset({400, 404})
"""The statuses with which Stripe refuses a request. 402 says that the parameters were valid and the request failed."""
_FAILED_STATUSES: Final = frozenset({"requires_payment_method", "requires_confirmation", "canceled"})
_UNPAID_STATUSES: Final = _FAILED_STATUSES | {"requires_action"}
_NAMED_OBJECTS: Final = ("payment_intent", "charge", "refund", "setup_intent")
_SAME_KEY_ELSEWHERE: Final = "idempotency_error"
_CONTENT_TYPES: Final = frozenset({"invalid_request_error", "card_error"})


def charge_error(request: ChargeRequest, response: HttpResponse) -> Outcome:
    """Return the meaning of an error that answers a charge.

    A decline, and an error that names our unpaid intent, count once that intent is cancelled. A documented refusal
    that names nothing was made before execution. Everything else says nothing.
    """
    error = as_object(error_body(response).get("error"))
    if response.status in _CONTENT_STATUSES and error.get("type") != _SAME_KEY_ELSEWHERE:
        if response.status == 402 and error.get("type") == "card_error":
            return _decline(request, error)
        intent = as_object(error.get("payment_intent"))
        if our_key(intent) == request.provider_key and intent.get("status") in _FAILED_STATUSES:
            code = refusal_code(error)
            known = safe_code(error.get("type")) if code == "unrecognized" else code
            return unpaid(
                reference(intent.get("id")), known, safe_message(error.get("message"), request.private_values)
            )
    return operation_error(RefusedCall.CHARGE, response, request.private_values)


def operation_error(call: RefusedCall, response: HttpResponse, private: Sequence[str]) -> Rejected | Unknown:
    """Return the meaning of an error that is no decline.

    A lock timeout may occur in the middle of an execution. Another request may be executed under a key that is in use.
    An operation may be refused with 402 too, because the complete list of the charge's operations decides there.
    """
    error = as_object(error_body(response).get("error"))
    code, message = refusal_code(error), safe_message(error.get("message"), private)
    if error.get("type") == _SAME_KEY_ELSEWHERE:
        return Unknown(code="idempotency_key_reused", message=message)
    names_object = any(error.get(name) for name in _NAMED_OBJECTS)
    if code != "lock_timeout":
        rejected = rejected_at_edge(response, message, names_object=names_object)
        if rejected is not None:
            return rejected
    believed = _UNACCEPTABLE if call is RefusedCall.CHARGE else _CONTENT_STATUSES
    if response.status in believed and error.get("type") in _CONTENT_TYPES:
        found = REFUSALS.outcome(call, code, message, names_object=names_object)
        if isinstance(found, Rejected):
            return found
    known = f"http_{response.status}" if code == "unrecognized" else code
    return Unknown(code=known, message=message, stored=_is_stored(response.headers, response.status))


def _decline(request: ChargeRequest, error: dict[str, Any]) -> Outcome:
    """Return a decline of our own intent, which took no money. An intent that is not named is found by our key.

    An error without a reason leaves it to the intent, whose last error has one.
    """
    intent = as_object(error.get("payment_intent"))
    message = safe_message(error.get("message"), request.private_values)
    if not intent:
        says_why = error.get("decline_code") or error.get("code")
        return (
            declined(None, error, request.private_values)
            if says_why
            else Unknown(code="decline_without_reason", message=message)
        )
    if our_key(intent) != request.provider_key:
        return Unknown(code="decline_of_another_intent", message=message)
    if intent.get("status") not in _UNPAID_STATUSES:
        return Unknown(code="decline_of_an_open_intent", message=message)
    return declined(reference(intent.get("id")), error, request.private_values)


def _is_stored(headers: Mapping[str, str], status: int) -> bool:
    """Return whether every re-send gets this answer: it was replayed, or Stripe says that a retry is pointless."""
    replayed = headers.get("idempotent-replayed", "").lower() == "true"
    final = status >= 500 and headers.get("stripe-should-retry", "").lower() == "false"
    return replayed or final
