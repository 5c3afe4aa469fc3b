"""ANSWERS: what a client is told is what is stored."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from simulation.checker.evidence import Evidence, PaymentEvidence, Stored, Violation, alive_between
from simulation.checker.transitions import OPEN

_STALE_MS: Final = 30_000
"""A list may show a payment as it was shortly before: it is read from an index and without a promise to be newest."""
_PAYMENT: Final = ("status", "amount", "currency", "capturable", "captured", "refundable", "refunded")
_ATTEMPT: Final = {
    "number": "number",
    "provider": "provider",
    "accountId": "account_id",
    "state": "state",
    "providerKey": "provider_key",
    "providerRef": "reference",
    "providerCode": "code",
}
_EXTRA: Final = {"providerRef": "reference", "amount": "amount", "refundRef": "refund_reference"}
_KIND: Final = {"cap_": "capture", "void": "void", "ref_": "refund"}


def answers_are_stored(evidence: Evidence) -> Iterator[Violation]:
    """Every payment and operation in an answer equals a version that was stored while the request was answered."""
    for call in evidence.result.history.calls:
        if call.status not in {200, 202}:
            continue
        is_list = "items" in call.answer
        for shown in call.answer.get("items", [call.answer]):
            payment = evidence.payments.get(f"{shown.get('transactionId')}@{call.merchant}")
            if payment is None:
                continue
            from_ms = call.at_ms - (_STALE_MS if is_list else 0)
            wrong = why_false(payment, shown, from_ms, call.answered_ms or evidence.result.ended_ms)
            if wrong:
                yield Violation("ANSWERS", payment.name, f"{call.method} {call.path} was answered with {wrong}")


def why_false(payment: PaymentEvidence, shown: Mapping[str, Any], from_ms: int, until_ms: int) -> str:
    """The differences from every version that was stored at some time of the span; empty when one is equal."""
    if "operationId" in shown:
        operation = payment.operations.get(shown["operationId"])
        versions = alive_between(operation.versions, from_ms, until_ms) if operation else []
        return _compare(shown, versions, _operation_answer)
    return _compare(shown, alive_between(payment.versions, from_ms, until_ms), _payment_answer)


def _compare(shown: Mapping[str, Any], versions: list[Stored], answer_of: Callable[[Stored], Mapping[str, Any]]) -> str:
    """Empty when one of the versions would be answered like that."""
    closest: list[str] | None = None
    shown = {**shown, "attempts": [_named(attempt, _ATTEMPT) for attempt in shown["attempts"]]}
    if "extraCharges" in shown:
        shown["extraCharges"] = [_named(extra, _EXTRA) for extra in shown["extraCharges"]]
    shown.setdefault("disputes", [])
    for version in reversed(versions):
        wanted = answer_of(version)
        differs = [f"{name}={shown.get(name)!r}" for name, value in wanted.items() if shown.get(name) != value]
        if not differs:
            return ""
        closest = differs if closest is None or len(differs) < len(closest) else closest
    return ", ".join(closest) if closest else "a state, though nothing was stored"


def _payment_answer(item: Stored) -> dict[str, Any]:
    attempts = item["attempts"]
    charge = attempts[item["chargedAttempt"] - 1] if item.get("chargedAttempt") else _last(attempts)
    error = item.get("lastError")
    return {
        **{name: item.get(name, 0) for name in _PAYMENT},
        "attempts": [_attempt(attempt) for attempt in attempts],
        "provider": charge["provider"] if charge else item["route"]["candidates"][0]["provider"],
        "providerRef": charge.get("reference") if charge else None,
        "cancelRequested": item.get("cancelRequested", False),
        "lastError": _error(error, item["attempts"]) if error else None,
        "nextAction": _action(item),
        "metadata": item.get("metadata", {}),
        "description": item.get("description"),
        "capture": item["capture"],
        "retryCount": max(0, len(attempts) - 1),
        "orderId": item.get("orderId"),
        "oncePerOrder": not item.get("orderBeside", False),
        "contendsWith": item.get("orderContendsWith"),
        "extraCharges": [_extra(extra) for extra in item.get("extraCharges", [])],
        "disputes": _disputes(item),
        "createdAt": time_of(item["createdAt"]),
        "updatedAt": time_of(item["updatedAt"]),
    }


def _operation_answer(item: Stored) -> dict[str, Any]:
    error = item.get("lastError")
    return {
        **{name: item[name] for name in ("operationId", "transactionId", "status", "amount", "currency")},
        "kind": _KIND[item["operationId"][:4]],
        "attempts": [_attempt(attempt) for attempt in item["attempts"]],
        "lastError": _error(error, item["attempts"]) if error else None,
        "provider": item["attempts"][-1]["provider"] if item["attempts"] else None,
        "providerRef": item["attempts"][-1].get("reference") if item["attempts"] else None,
        "origin": item.get("origin", "merchant"),
        "createdAt": time_of(item["createdAt"]),
        "updatedAt": time_of(item["updatedAt"]),
    }


def _named(attempt: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The facts that are compared; times are presented differently than they are stored."""
    return {name: attempt.get(name) for name in names}


def _extra(extra: Stored) -> dict[str, Any]:
    return {name: extra.get(stored) for name, stored in _EXTRA.items()}


def _disputes(item: Stored) -> list[dict[str, Any]]:
    return [
        {
            "provider": dispute["provider"],
            "providerRef": dispute["reference"],
            "state": dispute["state"],
            "amount": dispute["amount"],
            "currency": dispute["currency"],
            "reason": dispute["reason"],
            "evidenceDueAt": time_of(dispute["evidence_due_at_ms"]) if "evidence_due_at_ms" in dispute else None,
            "openedAt": time_of(dispute["opened_at_ms"]),
            "updatedAt": time_of(dispute["reported_at_ms"]),
            "isSigned": dispute.get("is_signed", True),
        }
        for dispute in item.get("disputes", [])
    ]


def _attempt(attempt: Stored) -> dict[str, Any]:
    return {name: attempt.get(stored) for name, stored in _ATTEMPT.items()}


def _error(error: Stored, attempts: list[Stored]) -> dict[str, Any]:
    """The provider's sentence is the attempt's, as long as the error is about its state."""
    names = {"code": "code", "message": "message", "provider": "provider", "attempt": "attempt"}
    about = attempts[error["attempt"] - 1] if error.get("attempt") else {}
    same = about.get("code") == error.get("provider_code")
    return {name: error.get(stored) for name, stored in names.items()} | {
        "providerCode": error.get("provider_code"),
        "providerMessage": (about.get("message") or None) if same else None,
    }


def _last(attempts: Sequence[Stored]) -> Stored | None:
    """The attempt that was claimed last: an earlier one may have been opened again."""
    return max(attempts, key=lambda attempt: (attempt["epoch"], attempt["number"]), default=None)


def _action(item: Stored) -> dict[str, Any] | None:
    """The payer's next action, as long as the payment waits for it. Only a hosted page says until when.

    A checkout shows our page, whatever is open behind it, unless the payer was to be sent to the provider's at once;
    then it shows ours while nothing is open at a provider and the payer has to choose again.
    """
    checkout = item.get("checkout", {})
    if item["status"] != "REQUIRES_ACTION":
        return None
    if checkout.get("presentation") == "page" or (checkout and _waits_for_choice(item)):
        ends = time_of(checkout["expires_at_ms"])
        page = {"type": "redirect", "url": checkout.get("address"), "fields": None, "expiresAt": ends}
        return page if "address" in checkout else None
    last = _last(item["attempts"]) or {}
    action = last.get("next_action")
    if action is None:
        return None
    until = time_of(last["deadline_ms"]) if checkout and "deadline_ms" in last else None
    return {"type": action["kind"], "url": action["url"], "fields": action.get("fields"), "expiresAt": until}


def _waits_for_choice(item: Stored) -> bool:
    is_open = any(attempt["state"] in OPEN for attempt in item["attempts"])
    return not is_open and item["checkout"].get("choice", {}).get("number") != len(item["attempts"]) + 1


def time_of(at_ms: int) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    seconds, ms = divmod(at_ms, 1_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"
