"""Reads answers to captures, voids and refunds. Pure.

PayU queues them: the answer to a command only says that PayU took the request. The list of the payment's actions
says whether money moved; our action carries our key as its token.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from payflowx.providers.refusals import RefusedCall
from payflowx.providers.sanitize import sanitize

_MAX_ACTIONS: Final = 500
_CODE: Final = re.compile(r"[0-9]{1,4}")

_TAKEN: Final = frozenset({"100", "101", "102", "112", "122", "126", "127", "225", "226"})
"""Done, pending, queued, under review, awaiting approval, in progress, requested, delayed to tomorrow."""

_UNDECIDED: Final = {
    "106": "token_used",
    "109": "failed_or_logged_already",
    "111": "payment_in_another_state",
    "116": "payment_not_found",
    "120": "payment_locked",
    "214": "same_amount_within_five_minutes",
    "227": "token_used",
}
"""Duplicates, conflicts and locks: an earlier request of ours may be the cause and may have moved the money."""

WORKING: Final = frozenset({"queued", "requested", "in progress", "od hit", "pending"})
DONE: Final = "success"
FAILED: Final = frozenset({"failure", "failed"})

_ACTIONS: Final = {OperationKind.CAPTURE: "capture", OperationKind.VOID: "cancel", OperationKind.REFUND: "refund"}


def queued(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Read the answer to the command. It never proves that money moved: it contains no amount."""
    answer = answer_of(response)
    if isinstance(answer, Unknown):
        return refused_at_edge(response, request.private_values) or answer
    code = _code(answer.get("error_code"))
    if is_done(answer):
        if code not in _TAKEN and code != "":
            return Unknown(code="code_not_known")
        return Accepted(reference=provider_reference(answer.get("request_id") or answer.get("txn_update_id")))
    if code in _TAKEN:
        return Unknown(
            code="status_contradicts_itself", message=sanitize(answer.get("msg"), known=request.private_values)
        )
    return _not_queued(request, code, answer)


def _not_queued(request: OperationRequest, code: str, answer: dict[str, Any]) -> Rejected | Unknown:
    message = sanitize(answer.get("msg"), known=request.private_values)
    if code in _UNDECIDED:
        return Unknown(code=_UNDECIDED[code], message=message)
    if code and not _CODE.fullmatch(code):
        return Unknown(code="code_not_known", message=message)
    return refusal_of(answer, RefusedCall(request.kind.value), request.private_values, code=code)


def found(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Find our action in the payment's list. One that moved money decides, else one that still may.

    The list is PayU's complete history of the payment. PayU has no list of a payment that it does not know.
    """
    answer = answer_of(response)
    if isinstance(answer, Unknown):
        return answer
    if not is_done(answer):
        return Unknown(code="inquiry_failed", message=sanitize(answer.get("msg"), known=request.private_values))
    history = history_of(answer, request.charge_reference)
    if isinstance(history, Unknown):
        return history
    ours = [action for action in history.actions if action.get("token") == request.provider_key]
    outcomes = [_action(request, action) for action in ours]
    if sum(isinstance(outcome, Succeeded | Mismatch) for outcome in outcomes) > 1:
        return Mismatch(code="moved_twice")
    absent = NotFound(complete=True) if history.is_whole else Unknown(code="list_incomplete")
    return min(outcomes, key=_rank, default=absent)


@dataclass(frozen=True, slots=True)
class History:
    """All captures, voids and refunds of a payment, whoever requested them.

    `is_whole`: at least one action, each of them readable. A captured payment has its capture in the list.
    """

    actions: Sequence[Mapping[str, Any]]
    is_whole: bool


def history_of(answer: Mapping[str, Any], charge_reference: str) -> History | Unknown:
    """Read the list of a payment's actions, which PayU gives by request id."""
    listed = as_object(answer.get("transaction_details")).get(charge_reference)
    if not isinstance(listed, dict):
        return Unknown(code="payment_not_in_answer")
    readable = [action for action in listed.values() if isinstance(action, dict)][:_MAX_ACTIONS]
    return History(actions=readable, is_whole=0 < len(readable) == len(listed))


def _rank(outcome: Outcome) -> int:
    """Order of precedence: a refusal counts only if there is no other outcome."""
    order = (Mismatch, Succeeded, Unknown, Accepted)
    return next((place for place, kind in enumerate(order) if isinstance(outcome, kind)), len(order))


def _action(request: OperationRequest, action: Mapping[str, Any]) -> Outcome:
    status = word_of(action.get("status"))
    request_id = provider_reference(action.get("request_id"))
    if status in WORKING:
        return Accepted(reference=request_id)
    if status in FAILED:
        return Declined(code=provider_code(action.get("status")), reference=request_id)
    if status != DONE:
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
