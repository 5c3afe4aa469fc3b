"""Reads answers to charges. Pure. HTTP is 200 for nearly everything: the body decides.

`status` is coarse and `unmappedstatus` is fine: the fine word decides, and only if both agree.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from payflowx.domain.payments.outcome import (
    Accepted,
    Authorized,
    Declined,
    Mismatch,
    NotFound,
    Outcome,
    Rejected,
    StepResult,
    Succeeded,
    Unknown,
)
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import DAY_MS, SECOND_MS
from payflowx.domain.shared.money import to_minor
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.domain.shared.text import provider_code, provider_reference
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.edge import rate_limited, rejected_at_edge, unauthorized
from payflowx.providers.json_fields import as_object, as_text, error_body, json_object, reference
from payflowx.providers.payu.declines import documented
from payflowx.providers.payu.refusals import REFUSALS, sentence_code
from payflowx.providers.refusals import RefusedCall
from payflowx.providers.sanitize import sanitize

CURRENCY: Final = "INR"
"""Answers contain no currency, because PayU India has only one."""

REOPENS_FOR_SECONDS: Final = 5 * DAY_MS // SECOND_MS
"""PayU declares no failure final: merchants must treat "failed", "pending" and an empty status alike as failed, and a
charge that PayU finds later is given back (`autoRefund`).
"""

_RATE_LIMIT_SECONDS: Final = 60

_NO_ERROR: Final = "E000"

_CHARGED: Final = frozenset({"captured", "success"})
_AUTHORIZED: Final = frozenset({"auth"})
_WORKING: Final = frozenset({"pending", "in progress", "initiated"})
_UNANSWERED: Final = frozenset({"dropped"})
"""PayU lists it under failures, but it means that the bank has not answered: the outcome is open."""
_AUTO_REFUND: Final = "autorefund"
"""PayU learned later that the bank had charged, and gives the money back: it lists the payment as failed."""
_DECLINED: Final = frozenset({"failed", "bounced", "usercancelled", _AUTO_REFUND})
_RETURNED: Final = frozenset({"refunded", "cancelled"})
_NOT_FOUND: Final = "not found"

_COARSE: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(_CHARGED | _AUTHORIZED, frozenset({"success"})),
    **dict.fromkeys(_WORKING, frozenset({"pending", "in progress"})),
    **dict.fromkeys(_UNANSWERED | _DECLINED, frozenset({"failure", "failed"})),
}

_AMOUNT: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,6})?")
_MIN_PRIVATE_CHARS: Final = 3
_OBJECTS: Final = ("details", "transaction_details", "payuid", "request_id", "txn_update_id", "refund_id")
"""Members that name what the command made. `mihpayid` names the payment that an operation is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Transaction:
    """The fields that two commands name differently, with their values unchanged."""

    word: Any
    coarse: Any
    """None for a command without a coarse status."""
    reference: Any
    merchant_reference: Any
    amounts: tuple[Any, ...]
    code: Any
    message: Any


def debited(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the answer to the debit of a mandate."""
    answer = answer_of(response)
    if isinstance(answer, Unknown):
        return refused_at_edge(response, request.private_values) or answer
    if not is_done(answer):
        return refusal_of(answer, RefusedCall.CHARGE, request.private_values)
    found = as_object(answer.get("details")).get(request.provider_key)
    if not isinstance(found, dict):
        return Unknown(code="transaction_not_in_answer")
    return _outcome(
        _Transaction(
            word=found.get("status"),
            coarse=None,
            reference=found.get("payuid"),
            merchant_reference=found.get("transactionid"),
            amounts=(found.get("amount"),),
            code=found.get("error_code"),
            message=found.get("error_Message") or found.get("field9"),
        ),
        request,
    )


def found(request: ChargeRequest, response: HttpResponse) -> StepResult:
    """Read the answer to an inquiry by our key. "Not Found" is normal shortly after a debit and proves nothing."""
    answer = answer_of(response)
    if isinstance(answer, Unknown):
        return answer
    details = as_object(answer.get("transaction_details")).get(request.provider_key)
    if not isinstance(details, dict):
        return Unknown(code="transaction_not_in_answer")
    if _NOT_FOUND in {word_of(details.get("status")), word_of(details.get("mihpayid"))}:
        return NotFound()
    if not is_done(answer):
        return Unknown(code="inquiry_failed")
    return _outcome(
        _Transaction(
            word=details.get("unmappedstatus"),
            coarse=details.get("status") or "",
            reference=details.get("mihpayid"),
            merchant_reference=details.get("txnid"),
            amounts=(details.get("amt"), details.get("transaction_amount")),
            code=details.get("error_code") or details.get("error"),
            message=details.get("error_Message") or details.get("field9"),
        ),
        request,
    )


def _outcome(found: _Transaction, request: ChargeRequest) -> Outcome:
    word = word_of(found.word)
    if found.coarse is not None and word in _COARSE and word_of(found.coarse) not in _COARSE[word]:
        return Unknown(code="status_contradicts_itself")
    if word in _CHARGED | _AUTHORIZED:
        return _money(found, held=word in _AUTHORIZED)
    if word in _WORKING | _UNANSWERED:
        return Accepted(reference=provider_reference(found.reference))
    if word in _DECLINED:
        return _declined(found, request)
    if word in _RETURNED:
        return Unknown(code=f"status_{word}")
    return Unknown(code="status_not_known")


def _money(found: _Transaction, *, held: bool) -> Outcome:
    payu_id = reference(found.reference)
    given = [value for value in found.amounts if value not in (None, "")]
    if not given:
        return Unknown(code="amount_not_understood")
    amounts = {minor_amount(value) for value in given}
    amount = amounts.pop()
    if amounts or amount is None:
        return Mismatch(code="amount_differs", reference=payu_id)
    kind = Authorized if held else Succeeded
    return kind(
        reference=payu_id,
        amount=amount,
        currency=CURRENCY,
        merchant_reference=as_text(found.merchant_reference),
    )


def _declined(found: _Transaction, request: ChargeRequest) -> Outcome:
    if found.merchant_reference != request.provider_key:
        return Unknown(code="another_transaction")
    reason = documented(found.code, found.message)
    given = found.code if found.code not in (None, "", _NO_ERROR) else found.word
    return Declined(
        kind=reason.kind if reason else DeclineKind.HARD,
        code=reason.code if reason else _plain_code(given, request.token),
        message=sanitize(found.message, known=request.private_values),
        reference=provider_reference(found.reference),
        reopens_for_seconds=REOPENS_FOR_SECONDS,
    )


def _plain_code(code: Any, secret: str) -> str:
    """PayU's codes and words begin with a letter; a bare number could be a phone number."""
    plain = isinstance(code, str) and code[:1].isalpha() and not (secret and secret in code)
    return provider_code(code if plain else None)


# --- shared with operations and reports -----------------------------------------------------------------------


def answer_of(response: HttpResponse) -> dict[str, Any] | Unknown:
    """The body of a 200 as an object. PayU sends JSON as text/html, and real HTML during an outage."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    try:
        return json_object(response)
    except (ValueError, RecursionError):
        return Unknown(code="answer_not_understood")


def refusal_of(
    answer: Mapping[str, Any], call: RefusedCall, private: Sequence[str], *, code: str = ""
) -> Rejected | Unknown:
    """The reason why a command was not executed, from its code, else from its sentence.

    Only what is documented as refused before execution, and names no transaction or request of PayU, is `Rejected`.
    """
    said = answer.get("msg") or answer.get("message")
    reason, message = word_of(said).rstrip("."), sanitize(said, known=private)
    names_object = _names_object(answer)
    if reason == "invalid hash" and not names_object:
        return unauthorized(message)
    if (reason.startswith("requests limit reached") or "too many requests" in reason) and not names_object:
        return rate_limited(message, _RATE_LIMIT_SECONDS)
    return REFUSALS.outcome(call, code or sentence_code(reason), message, names_object=names_object)


def minor_amount(value: Any) -> int | None:
    """Rupees, as text or number, in paise; None for a fraction of a paisa or anything but an amount."""
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value < 0:
        return None
    return to_minor(Decimal(value), CURRENCY)


def refused_at_edge(response: HttpResponse, private: Sequence[str]) -> Rejected | None:
    """An error status from before execution; None for any other, and for one that names an object of PayU's."""
    answer = error_body(response)
    return rejected_at_edge(
        response,
        sanitize(answer.get("msg") or answer.get("message"), known=private),
        names_object=_names_object(answer),
        default_wait_seconds=_RATE_LIMIT_SECONDS,
    )


def _names_object(answer: Mapping[str, Any]) -> bool:
    return any(answer.get(name) for name in _OBJECTS)


def is_done(answer: Mapping[str, Any]) -> bool:
    """Whether PayU executed the command; the state of the payment is separate."""
    status = answer.get("status")
    return not isinstance(status, bool) and status in (1, "1")


def word_of(value: Any) -> str:
    """A status word in one spelling: PayU writes both in-progress and IN PROGRESS."""
    return value.strip().replace("-", " ").replace("_", " ").casefold() if isinstance(value, str) else ""
