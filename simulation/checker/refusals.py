"""ANSWERS of refusals: a request about a payment is refused only for what was stored meanwhile."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from simulation.checker.evidence import Evidence, Stored, Violation, alive_between
from simulation.history import Call

_ABOUT_PAYMENT: Final = re.compile(
    r"/payments/(?P<payment>pay_[a-z2-7]{16})(?:/(?P<verb>capture|refunds|cancel|operations|events))?"
)
_REFUSED: Final = frozenset({404, 409, 422})
_CLOCKS_MS: Final = 7_000
_OPEN: Final = frozenset({"PENDING", "REQUIRES_ACTION"})
_LEFT: Final = {"capture": "capturable", "refunds": "refundable"}


def refusals_have_reasons(evidence: Evidence) -> Iterator[Violation]:
    """No capture, refund or cancellation is refused that every stored version of its payment allows; nor is a read.

    After a restore, functions decide by what the tables may have forgotten.
    """
    if evidence.result.forgotten is not None:
        return
    for call in evidence.result.history.calls:
        asked = _ABOUT_PAYMENT.fullmatch(call.path) if call.status in _REFUSED else None
        known = _REASONS.get(str(call.answer.get("code"))) if asked else None
        payment = evidence.payments.get(f"{asked['payment']}@{call.merchant}") if asked else None
        if asked is None or known is None or payment is None:
            continue
        seen = alive_between(payment.versions, call.at_ms - _CLOCKS_MS, call.answered_ms)
        is_new = payment.versions[0][0].at_ms > call.at_ms if payment.versions else True
        if not is_new and not any(known(version, asked["verb"], call) for version in seen):
            what = f"{asked['verb'] or 'a read'} was refused as {call.answer['code']}, and nothing stored is a reason"
            yield Violation("ANSWERS", payment.name, what)


def _exceeds(stored: Stored, verb: str, call: Call) -> bool:
    left = stored.get(_LEFT[verb], 0) if verb in _LEFT else 0
    amount = json.loads(call.body or "{}").get("amount")
    return not 1 <= (left if amount is None else amount) <= left


def _is_in_work(stored: Stored, _verb: str, call: Call) -> bool:
    lease = stored["lease"]
    return stored["status"] in _OPEN or bool(lease["owner"] and lease["expiresAt"] > call.at_ms - _CLOCKS_MS)


def _is_in_another_state(stored: Stored, verb: str, call: Call) -> bool:
    match verb:
        case "refunds":
            charge = stored["attempts"][stored["chargedAttempt"] - 1] if stored.get("chargedAttempt") else {}
            is_charged = stored["status"] == "SUCCESS" or stored.get("orderStanding") == "charged_twice"
            return not is_charged or not charge.get("reference")
        case "capture":
            return stored["status"] != "AUTHORIZED" or _holds_no_more(stored, call)
        case _:
            return stored["status"] not in {*_OPEN, "AUTHORIZED"} or "openSettlement" in stored


def _holds_no_more(stored: Stored, call: Call) -> bool:
    """A capture or void is open, the cancellation was requested, or the authorization has lapsed."""
    ends_ms = stored["attempts"][-1].get("deadline_ms") if stored["attempts"] else None
    is_over = ends_ms is not None and call.answered_ms + _CLOCKS_MS >= ends_ms
    return "openSettlement" in stored or bool(stored.get("cancelRequested")) or is_over


def _is_never(_stored: Stored, _verb: str, _call: Call) -> bool:
    """A stored item is found."""
    return False


_REASONS: Final[Mapping[str, Callable[[Stored, str, Call], Any]]] = {
    "amount_exceeded": _exceeds,
    "outcome_unknown": _is_in_work,
    "invalid_state": _is_in_another_state,
    "not_found": _is_never,
}
