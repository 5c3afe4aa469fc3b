"""ASKED: what is stored is what a merchant asked for, and only what the payment allowed then is accepted."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from simulation.checker.evidence import Evidence, OperationEvidence, PaymentEvidence, Stored, Violation
from simulation.history import Write

_DAY_MS: Final = 24 * 3_600_000
_CLOCKS_MS: Final = 7_000
_NOT_ASKED_FOR: Final = frozenset({"late", "made_at_provider"})
"""The fingerprints of refunds that no request asked for."""


def stored_as_asked(evidence: Evidence) -> Iterator[Violation]:
    """A payment and an operation are stored with the amount, the capture, the texts and the times that were asked for.

    Both may be charged or sent for a day; a checkout for as long as its request says.
    """
    for call in evidence.accepted:
        payment = evidence.payments.get(f"{call.answer['transactionId']}@{call.merchant}")
        first = _first(payment) if payment is not None else None
        if payment is None or first is None or "paymentMethod" not in json.loads(call.body or "{}"):
            continue
        wanted, found = _asked(json.loads(call.body or "{}"), first[1]), _as_stored(first[1])
        yield from (Violation("ASKED", payment.name, what) for what in _differences(wanted, found))
    for (_, kind, _), calls in evidence.operated.items():
        for call in calls:
            payment = evidence.payments.get(f"{call.answer.get('transactionId')}@{call.merchant}")
            operation = payment.operations.get(str(call.answer.get("operationId"))) if payment is not None else None
            first = _first(operation) if operation is not None else None
            if call.status != 202 or payment is None or first is None:
                continue
            amount = json.loads(call.body or "{}").get("amount")
            before = _payment_before(payment, first[0])
            left = (before or {}).get("refundable" if kind == "refund" else "capturable")
            wanted = {"kind": kind, "amount": left if amount is None else amount}
            wanted["sendDeadline"] = first[1]["createdAt"] + _DAY_MS
            found = {name: first[1][name] for name in wanted}
            if left is not None or amount is not None:
                yield from (Violation("ASKED", payment.name, what) for what in _differences(wanted, found))


def _asked(body: Mapping[str, Any], first: Stored) -> dict[str, Any]:
    method = body["paymentMethod"]
    lasts_ms = body.get("expiresInSeconds", 86_400) * 1_000 if method["type"] == "checkout" else _DAY_MS
    wanted = {
        "amount": body["amount"],
        "currency": body["currency"],
        "capture": body.get("capture", "automatic"),
        "description": body.get("description"),
        "metadata": body.get("metadata", {}),
        "orderId": body.get("orderId"),
        "beside": "orderId" in body and not body.get("oncePerOrder", True),
        "token": method.get("token"),
        "chargeDeadline": first["createdAt"] + lasts_ms,
    }
    if method["type"] == "checkout":
        wanted |= {"expires": first["createdAt"] + lasts_ms, "methods": method.get("methods", [])}
        wanted["presentation"] = method.get("presentation", "page")
    return wanted


def _as_stored(first: Stored) -> dict[str, Any]:
    names = ("amount", "currency", "capture", "description", "orderId", "chargeDeadline")
    checkout = first.get("checkout")
    found = {
        **{name: first.get(name) for name in names},
        "metadata": first.get("metadata", {}),
        "beside": bool(first.get("orderBeside")),
        "token": first["paymentMethod"].get("token"),
    }
    if checkout is not None:
        found |= {"expires": checkout["expires_at_ms"], "methods": checkout.get("methods", [])}
        found["presentation"] = checkout["presentation"]
    return found


def _differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for name, value in wanted.items():
        if found.get(name) != value:
            yield f"was asked for with the {name} {value!r}, and stored with {found.get(name)!r}"


def accepted_where_allowed(evidence: Evidence) -> Iterator[Violation]:
    """A capture, void or refund is accepted only of a payment whose stored state allows it.

    A refund needs a charge that no review doubts; a capture and a void need an amount that is held, and nothing else
    that is open on it; and no capture is accepted after the cancellation was requested or after the amount has lapsed.
    """
    for name, payment in evidence.payments.items():
        for operation in payment.operations.values():
            first = _first(operation)
            if first is None or first[1].get("fingerprint") in _NOT_ASKED_FOR or first[1].get("origin") == "provider":
                continue
            before = _payment_before(payment, first[0])
            started = evidence.result.history.invocations.get(first[0].process)
            begun_ms = started.at_ms if started is not None else first[0].at_ms
            why = _why_not(before, first[1]["kind"], begun_ms) if before is not None else ""
            if why:
                yield Violation("ASKED", name, f"{operation.operation_id} was accepted although the payment {why}")


def _why_not(before: Stored, kind: str, begun_ms: int) -> str:
    """`begun_ms`: when the process began that looked at the payment; it may have been held up since."""
    status = before["status"]
    if kind == "refund":
        is_charged = status == "SUCCESS" or before.get("orderStanding") == "charged_twice"
        return "" if is_charged else f"was {status}"
    if status != "AUTHORIZED" or "openSettlement" in before:
        return f"was {status}, with {before.get('openSettlement', 'nothing')} open"
    if kind == "capture" and before.get("cancelRequested"):
        return "was to be cancelled"
    lapses_ms = before["attempts"][-1].get("deadline_ms", 1 << 62)
    return "had lapsed" if kind == "capture" and begun_ms > lapses_ms + _CLOCKS_MS else ""


def _first(owner: PaymentEvidence | OperationEvidence) -> tuple[Write, Stored] | None:
    """The write that stored it, where the history has it."""
    if not owner.versions:
        return None
    write, before, after = owner.versions[0]
    return (write, after) if before is None and after is not None else None


def _payment_before(payment: PaymentEvidence, write: Write) -> Stored | None:
    """The payment as it was before the transaction of this write."""
    for other, before, _ in payment.versions:
        if (other.at_ms, other.process) == (write.at_ms, write.process):
            return before
    return None
