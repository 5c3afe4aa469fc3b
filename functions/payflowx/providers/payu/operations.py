"""Reads answers to captures, voids and refunds. Pure.

PayU queues them: the answer to a command only says that PayU took the request. The list of the payment's actions
says whether money moved; our action carries our key as its token.
"""

from typing import Any, Final

from payflowx.domain.payments.outcome import (
    Accepted,
    Declined,
    Mismatch,
    NotFound,
    Outcome,
    Rejected,
    StepResult,
    Succeeded,
    Unknown,
)
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.text import provider_code, provider_reference
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.json_fields import as_object, reference
from payflowx.providers.payu.responses import (
    CURRENCY,
    answer_of,
    is_done,
    minor_amount,
    refusal_of,
    refused_at_edge,
    word_of,
)
from payflowx.providers.sanitize import sanitize

_MAX_ACTIONS: Final = 500

_TAKEN: Final = frozenset({"100", "101", "102", "112", "122", "126", "127", "225", "226"})
"""Done, pending, queued, under review, awaiting approval, in progress, requested, delayed to tomorrow."""

_INVALID: Final = frozenset({"105", "117", "124", "128", "129", "303", "304", "305"})
"""Invalid amounts, unsupported partial amounts, missing input: checked before execution."""

_UNDECIDED: Final = {
    "106": "token_used",
    "109": "failed_or_logged_already",
    "111": "payment_in_another_state",
    "116": "payment_not_found",
    "120": "payment_locked",
    "214": "same_amount_within_five_minutes",
    "227": "token_used",
    "301": "captured_already",
}
"""Duplicates, conflicts and locks: an earlier request of ours may be the cause and may have moved the money."""

_WORKING: Final = frozenset({"queued", "requested", "in progress", "od hit", "pending"})
_DONE: Final = "success"
_FAILED: Final = frozenset({"failure", "failed"})

_ACTIONS: Final = {OperationKind.CAPTURE: "capture", OperationKind.VOID: "cancel", OperationKind.REFUND: "refund"}


def queued(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Read the answer to the command. It never proves that money moved: it contains no amount."""
    answer = answer_of(response)
    if isinstance(answer, Unknown):
        return refused_at_edge(response) or answer
    code = _code(answer.get("error_code"))
    if is_done(answer):
        if code not in _TAKEN and code != "":
            return Unknown(code="code_not_known")
        return Accepted(reference=provider_reference(answer.get("request_id")))
    if code in _TAKEN:
        return Unknown(code="status_contradicts_itself")
    return _not_queued(code, answer)


def _not_queued(code: str, answer: dict[str, Any]) -> Outcome:
    message = sanitize(answer.get("msg"))
    if code in _INVALID:
        return Rejected(code=code, message=message)
    if code in _UNDECIDED:
        return Unknown(code=_UNDECIDED[code], message=message)
    return refusal_of(answer) if code == "" else Unknown(code="code_not_known", message=message)


def found(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Find our action in the payment's list. One that moved money decides, else one that still may."""
    answer = answer_of(response)
    if isinstance(answer, Unknown):
        return answer
    if not is_done(answer):
        return Unknown(code="inquiry_failed")
    actions = as_object(answer.get("transaction_details")).get(request.charge_reference)
    if not isinstance(actions, dict) or len(actions) > _MAX_ACTIONS:
        return Unknown(code="payment_not_in_answer")
    ours = [action for action in actions.values() if as_object(action).get("token") == request.provider_key]
    outcomes = [_action(request, action) for action in ours]
    if sum(isinstance(outcome, Succeeded | Mismatch) for outcome in outcomes) > 1:
        return Mismatch(code="moved_twice")
    return min(outcomes, key=_rank, default=NotFound())


def _rank(outcome: Outcome) -> int:
    """Order of precedence: a refusal counts only if there is no other outcome."""
    order = (Mismatch, Succeeded, Unknown, Accepted)
    return next((place for place, kind in enumerate(order) if isinstance(outcome, kind)), len(order))


def _action(request: OperationRequest, action: dict[str, Any]) -> Outcome:
    status = word_of(action.get("status"))
    request_id = provider_reference(action.get("request_id"))
    if status in _WORKING:
        return Accepted(reference=request_id)
    if status in _FAILED:
        return Declined(code=provider_code(action.get("status")), reference=request_id)
    if status != _DONE:
        return Unknown(code="status_not_known")
    if word_of(action.get("action")) != _ACTIONS[request.kind]:
        return Mismatch(code="action_differs", reference=request_id)
    amount = minor_amount(action.get("amt"))
    if amount is None:
        return Unknown(code="amount_not_understood")
    return Succeeded(
        reference=reference(action.get("request_id")),
        amount=amount,
        currency=CURRENCY,
        merchant_reference=request.provider_key,
    )


def _code(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else "" if value is None else "?"
