"""A payment's audit log as sentences, and what happens to the payment next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from ops.console.money import Currency
from ops.console.rendering import age, time_of, words

_ATTEMPTS: Final = {
    "succeeded": "charged",
    "authorized": "authorized",
    "requires_action": "waits for the payer",
    "accepted": "pending at the provider",
    "declined": "declined",
    "not_sent": "was provably not sent",
    "rejected": "refused by the provider, not executed",
    "unknown": "no usable answer; the outcome is unknown",
    "mismatch": "the answer does not match what was asked",
    "fenced": "cancelled, and read back as not charged",
    "authorized_late": "authorized late; nothing is captured",
}
_OPERATIONS: Final = {"capture": "Capture", "void": "Void", "refund": "Refund"}
_OPERATION_STATES: Final = {
    "requested": "was requested",
    "succeeded": "succeeded",
    "failed": "failed; the amount is given back",
    "in_review": "requires manual review",
}
_EVENTS: Final = {
    "payment.in_review": "Only an operator can decide it",
    "payment.look_requested": "An inquiry was requested",
    "payment.cancel_requested": "The merchant asked to cancel it",
    "payment.stop_requested": "No further attempt will begin: another payment of the order was charged",
    "payment.order_contended": "Charged while another payment holds the order",
    "payment.order_settled": "The order is decided",
    "payment.order_freed": "The order is free again",
    "payment.order_released": "Its order is marked as released",
    "payment.restored": "The tables were restored to an earlier time, and the merchant was told",
    "payment.charged_twice": "The payer paid twice at the provider's page",
    "payment.extra_charge_refunded": "A person recorded the refund of the second charge",
    "payment.erased": "Personal data was erased",
}
_ACTORS: Final = {"api": "merchant, by the API", "worker": "PayFlowX", "sweeper": "PayFlowX", "checkout": "payer"}
_QUIET_FACTS: Final = frozenset({"epoch", "attempt", "provider", "code", "operator", "reason"})
_OPEN: Final = frozenset({"STARTED", "UNKNOWN", "ACCEPTED"})
_FINAL: Final = frozenset({"SUCCESS", "FAILED", "CANCELLED"})
_OVERDUE: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the timeline. `kind` decides its mark."""

    seq: int
    at: str
    after: str
    """Time since the line before."""
    kind: str
    title: str
    detail: str
    actor: str
    status: str | None
    """The payment's new status, where it changed."""
    facts: Mapping[str, Any]
    deliveries: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """The next step. `at` None: at no known time."""

    text: str
    at: str | None = None
    is_urgent: bool = False


def timeline(
    events: Iterable[Mapping[str, Any]], deliveries: Iterable[Mapping[str, Any]], currency: Currency
) -> list[Entry]:
    """Oldest first, each with the deliveries of its merchant event."""
    delivered = {event["seq"]: event["deliveries"] for event in deliveries}
    entries: list[Entry] = []
    before: datetime | None = None
    for event in events:
        at = time_of(event["at"])
        entries.append(
            Entry(
                seq=event["seq"],
                at=event["at"],
                after=f"+{age((at - before).total_seconds())}" if before else "",
                kind=_kind(event),
                title=_title(event, currency),
                detail=_detail(event),
                actor=_actor(event),
                status=event["to"] if event["to"] != event["from"] else None,
                facts={name: value for name, value in event["facts"].items() if name not in _QUIET_FACTS},
                deliveries=delivered.get(event["seq"], ()),
            )
        )
        before = at
    return entries


def next_step(payment: Mapping[str, Any], now: datetime) -> Next:
    """Derived from the stored record, as the worker will do it."""
    due, status = payment["dueAt"], payment["status"]
    last = payment["attempts"][-1] if payment["attempts"] else None
    if payment["leaseUntil"] and time_of(payment["leaseUntil"]) > now:
        return Next(text="A worker is at it now. Its lease ends", at=payment["leaseUntil"])
    if due and now - time_of(due) > _OVERDUE:
        late = age((now - time_of(due)).total_seconds())
        return Next(text=f"It is overdue by {late}: the sweeper should have woken it", at=due, is_urgent=True)
    if status == "IN_REVIEW":
        asked = ". Until then the provider is asked again" if due else ""
        return Next(text=f"An operator decides, with evidence{asked}", at=due, is_urgent=True)
    if status == "REQUIRES_ACTION":
        return Next(text="The payer acts. Until then the provider is asked again", at=due)
    if status == "AUTHORIZED" and not due:
        return Next(text="The merchant captures or voids it. Nothing happens by itself")
    if due is None:
        return _ended(payment)
    if last and last["state"] in _OPEN:
        return Next(text=f"{last['provider']} is asked what became of attempt {last['number']}", at=due)
    if status == "PENDING":
        number = last["number"] + 1 if last else 1
        return Next(text=f"Attempt {number} begins when a worker takes it; at the latest it is woken", at=due)
    return Next(text="The provider is read once more, to find what changed after the end", at=due)


def _ended(payment: Mapping[str, Any]) -> Next:
    open_operations = [one for one in payment["operations"] if one["status"] in {"PENDING", "IN_REVIEW"}]
    if open_operations:
        count = len(open_operations)
        return Next(text=f"{count} operation{'s are' if count > 1 else ' is'} open, see below")
    if payment["status"] in _FINAL:
        return Next(text="Nothing. The payment is final")
    return Next(text="Nothing is planned, and the payment is not final", is_urgent=True)


def _kind(event: Mapping[str, Any]) -> str:
    if event["actor"] == "operator":
        return "operator"
    name = event["type"].partition(".")[0]
    if name in _OPERATIONS:
        return "money"
    if event["actor"] in {"webhook", "provider", "provider_event"}:
        return "provider"
    return {"attempt": "attempt", "payment": "payment"}.get(name, "payment")


def _title(event: Mapping[str, Any], currency: Currency) -> str:
    kind, _, rest = event["type"].partition(".")
    facts = event["facts"]
    if event["type"] == "payment.accepted":
        return f"{currency.text(facts['amount'])} was asked for" if "amount" in facts else "Accepted"
    if kind == "attempt":
        where = f"Attempt {facts['attempt']}" if "attempt" in facts else "Attempt"
        return f"{where} at {facts.get('provider', 'a provider')}: {_ATTEMPTS.get(rest, words(rest).lower())}"
    if kind in _OPERATIONS:
        amount = f" of {currency.text(facts['amount'])}" if isinstance(facts.get("amount"), int) else ""
        return f"{_OPERATIONS[kind]}{amount} {_OPERATION_STATES.get(rest, words(rest).lower())}"
    return _EVENTS.get(event["type"], words(rest or kind))


def _detail(event: Mapping[str, Any]) -> str:
    facts = event["facts"]
    if event["type"] == "payment.accepted":
        providers = str(facts.get("providers", "")).replace(",", ", then ")
        return f"Rule {facts.get('rule', '-')} of document {facts.get('routingDocument', '-')}: {providers}"
    parts = [f"code {facts['code']}"] if facts.get("code") else []
    if "reason" in facts and event["actor"] == "operator":
        parts.append(f"because: {facts['reason']}")
    if isinstance(facts.get("nextStepInSeconds"), int):
        seconds = facts["nextStepInSeconds"]
        parts.append(f"next step in {age(seconds)}" if seconds else "next step at once")
    return "; ".join(parts)


def _actor(event: Mapping[str, Any]) -> str:
    operator = event["facts"].get("operator")
    if operator:
        return f"operator {operator}"
    return _ACTORS.get(event["actor"], words(event["actor"]).lower())
