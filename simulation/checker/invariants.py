"""The design's invariants, one function each. A function gets the evidence and yields what breaks its rule."""

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from simulation.checker.evidence import Evidence, Violation
from simulation.kernel import EPOCH_MS
from simulation.providers import KEY_ID, SECRET
from simulation.world import TRANSACTIONS
from testing.dynamodb.values import plain_item

Invariant = Callable[[Evidence], Iterator[Violation]]

_FINAL: Final = {"SUCCESS", "FAILED", "CANCELLED"}
_OPEN: Final = {"STARTED", "UNKNOWN", "ACCEPTED", "REQUIRES_ACTION", "AUTHORIZED"}

# The rows of the design, written down here a second time on purpose.
_PAYMENT_STEPS: Final[Mapping[str, frozenset[str]]] = {
    "PENDING": frozenset({"SUCCESS", "FAILED", "REQUIRES_ACTION", "AUTHORIZED", "CANCELLED", "IN_REVIEW"}),
    "REQUIRES_ACTION": frozenset({"SUCCESS", "FAILED", "AUTHORIZED", "CANCELLED", "IN_REVIEW", "PENDING"}),
    "AUTHORIZED": frozenset({"SUCCESS", "CANCELLED", "IN_REVIEW"}),
    "IN_REVIEW": frozenset({"SUCCESS", "FAILED", "AUTHORIZED", "CANCELLED"}),
    "FAILED": frozenset({"SUCCESS", "IN_REVIEW"}),
    "SUCCESS": frozenset({"IN_REVIEW"}),
    "CANCELLED": frozenset({"IN_REVIEW"}),
}
_CLOSED_ATTEMPTS: Final[Mapping[str, frozenset[str]]] = {
    state: frozenset({state, "SUCCEEDED", "MISMATCH"}) for state in ("DECLINED", "REJECTED", "FENCED")
} | {
    "NOT_SENT": frozenset({"NOT_SENT", "STARTED", "SUCCEEDED", "MISMATCH"}),
    "SUCCEEDED": frozenset({"SUCCEEDED"}),
    "MISMATCH": frozenset({"MISMATCH"}),
}

MAX_PROVIDER_CALLS_PER_HOUR: Final = 90
"""Of one payment, over all its attempts, whatever fails."""
_HOUR_MS: Final = 3_600_000


def i1_one_charge(evidence: Evidence) -> Iterator[Violation]:
    """At most one successful charge a payment."""
    for name, payment in evidence.payments.items():
        if len(payment.charged) > 1:
            books = [(entry["gateway"], entry["reference"], entry["chargeId"]) for entry in payment.charged]
            yield Violation("I1", name, f"charged {len(books)} times: {books}")


def i2_nothing_lost(evidence: Evidence) -> Iterator[Violation]:
    """What was accepted exists, and once faults have stopped it is final or in review."""
    for call in evidence.accepted:
        name = f"{call.answer['transactionId']}@{call.merchant}"
        if name not in evidence.payments or evidence.payments[name].item is None:
            yield Violation("I2", name, "was accepted and is not stored")
    for name, payment in evidence.payments.items():
        if payment.item is not None and payment.status not in {*_FINAL, "IN_REVIEW"}:
            yield Violation("I2", name, f"is still {payment.status} long after the trouble ended")
    if not evidence.result.settled:
        yield Violation("I2", "-", "the system did not come to rest")


def i3_status_is_truth(evidence: Evidence) -> Iterator[Violation]:
    """SUCCESS exactly with one charge of the same amount and currency; FAILED and CANCELLED exactly with none."""
    for name, payment in evidence.payments.items():
        item = payment.item
        if item is None:
            continue
        if payment.status == "SUCCESS":
            wanted = [(item["amount"], item["currency"])]
            found = [(entry["amount"], entry["currency"]) for entry in payment.charged]
            if found != wanted:
                yield Violation("I3", name, f"is SUCCESS, but the books say {found} instead of {wanted}")
        elif payment.status in {"FAILED", "CANCELLED"} and payment.charged:
            yield Violation("I3", name, f"is {payment.status} and was charged at {payment.charged[0]['gateway']}")


def i4_audit_log(evidence: Evidence) -> Iterator[Violation]:
    """Events 1..n without a gap, the chain intact, the last one equal to the state."""
    for name, payment in evidence.payments.items():
        if payment.item is None:
            continue
        previous, status = "0" * 64, None
        for number, event in enumerate(payment.events, 1):
            if event["seq"] != number:
                yield Violation("I4", name, f"event {number} is missing")
                break
            if event["previousHash"] != previous or event["hash"] != _hash_of(event):
                yield Violation("I4", name, f"the chain breaks at event {number}")
            if event.get("from") != status:
                yield Violation("I4", name, f"event {number} begins with {event.get('from')} instead of {status}")
            previous, status = event["hash"], event["to"]
        head = (payment.item["eventSeq"], payment.item["eventHash"], payment.status)
        if head != (len(payment.events), previous, status):
            yield Violation("I4", name, f"the last event is {status}, the payment is {payment.status}")


def i16_merchant_events(evidence: Evidence) -> Iterator[Violation]:
    """Every new status is published, in the write that made it, numbered without a gap; in the end none is owed."""
    for name, payment in evidence.payments.items():
        if payment.item is None:
            continue
        told = [event for event in payment.events if "topic" in event]
        new = [event["seq"] for event in payment.events if event.get("from") not in {None, event["to"]}]
        if [event["seq"] for event in told] != new:
            yield Violation("I16", name, f"new statuses are events {new}, announced {[e['seq'] for e in told]}")
        numbers = [event["number"] for event in told]
        if numbers != list(range(1, payment.item.get("announced", 0) + 1)):
            yield Violation("I16", name, f"the announced are numbered {numbers}")
        owed = [event["seq"] for event in told if "dueAt" in event or not event.get("planned")]
        if evidence.result.settled and owed:
            yield Violation("I16", name, f"at rest, nobody was told of {owed}")


def _hash_of(event: Mapping[str, Any]) -> str:
    content = {
        "merchant_id": event["merchantId"],
        "transaction_id": event["transactionId"],
        "seq": event["seq"],
        "type": event["type"],
        "status_from": event.get("from"),
        "status_to": event["to"],
        "actor": event["actor"],
        "at_ms": event["at"],
        "facts": event["facts"],
        "previous_hash": event["previousHash"],
        "hash": "",
        "format": 1,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def i5_transitions(evidence: Evidence) -> Iterator[Violation]:
    """Every stored change is allowed; versions rise by one; only due times change without a version."""
    for name, payment in evidence.payments.items():
        for _, before, after in payment.versions:
            if after is None:
                yield Violation("I5", name, "the payment was deleted")
            elif before is not None:
                yield from _step_faults(name, before, after)


def _step_faults(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Violation]:
    old, new = before["status"], after["status"]
    if new != old and new not in _PAYMENT_STEPS[old]:
        yield Violation("I5", name, f"went from {old} to {new}")
    if after["version"] == before["version"]:
        changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
        if changed - {"dueAt", "drives"}:
            yield Violation("I5", name, f"changed {sorted(changed)} without a new version")
    elif after["version"] != before["version"] + 1:
        yield Violation("I5", name, f"version {before['version']} was followed by {after['version']}")
    for one, other in zip(before["attempts"], after["attempts"], strict=False):
        allowed = _CLOSED_ATTEMPTS.get(one["state"])
        if allowed is not None and other["state"] not in allowed:
            yield Violation("I5", name, f"attempt {one['number']} went from {one['state']} to {other['state']}")
        if one["provider_key"] != other["provider_key"] or one["provider"] != other["provider"]:
            yield Violation("I5", name, f"attempt {one['number']} was replaced")
    if len(after["attempts"]) < len(before["attempts"]):
        yield Violation("I5", name, "an attempt disappeared")
    for fact in ("amount", "currency", "fingerprint", "createdAt", "route"):
        if before[fact] != after[fact]:
            yield Violation("I5", name, f"{fact} changed")


def i6_other_body(evidence: Evidence) -> Iterator[Violation]:
    """A key stands for one body: no two bodies are ever accepted with it."""
    for (merchant, key), calls in evidence.created.items():
        bodies = {call.body for call in calls if call.status == 202}
        if len(bodies) > 1:
            yield Violation("I6", f"{key}@{merchant}", "two different bodies were accepted with one key")
        reused = [call for call in calls if call.status == 422 and call.answer["code"] == "idempotency_key_reused"]
        refused = {call.body for call in reused}
        if bodies & refused:
            yield Violation("I6", f"{key}@{merchant}", "a body was accepted once and refused once")
        if refused and len({call.body for call in calls}) == 1:
            yield Violation("I6", f"{key}@{merchant}", "was refused though this merchant used it for one body only")


def i7_one_id(evidence: Evidence) -> Iterator[Violation]:
    """One merchant and key, one id, for ever; and never the same for two merchants."""
    owners: dict[str, tuple[str, str]] = {}
    for owner, calls in evidence.created.items():
        ids = {call.answer["transactionId"] for call in calls if call.status == 202}
        if len(ids) > 1:
            yield Violation("I7", f"{owner[1]}@{owner[0]}", f"has several ids: {sorted(ids)}")
        for found in ids:
            if owners.setdefault(found, owner) != owner:
                yield Violation("I7", found, f"belongs to {owners[found]} and to {owner}")


def i8_key_stored_first(evidence: Evidence) -> Iterator[Violation]:
    """No provider gets a key that is not stored already; a list that is only read may be asked for without any."""
    for sent in evidence.result.history.sent:
        if not sent.stored and not (sent.method == "GET" and sent.provider_key is None):
            what = f"{sent.connector} got {sent.method} {sent.path} with {sent.provider_key}, which was not stored"
            yield Violation("I8", str(sent.provider_key), what)


def i9_one_open_attempt(evidence: Evidence) -> Iterator[Violation]:
    """At most one attempt is open, and a charge that is known ends all attempts."""
    for name, payment in evidence.payments.items():
        for _, before, after in payment.versions:
            if after is None:
                continue
            states = [attempt["state"] for attempt in after["attempts"]]
            if sum(state in _OPEN for state in states) > 1:
                yield Violation("I9", name, f"has several open attempts: {states}")
            began = before is not None and len(after["attempts"]) > len(before["attempts"])
            if began and (set(states[:-1]) & {*_OPEN, "SUCCEEDED", "MISMATCH"}):
                yield Violation("I9", name, f"began an attempt after {states[:-1]}")


def i10_reference_owner(evidence: Evidence) -> Iterator[Violation]:
    """A provider's reference has one owner, for ever."""
    for write in evidence.result.history.writes:
        if not write.key[0].startswith("R#") or write.before is None:
            continue
        before, after = plain_item(write.before), plain_item(write.after or {})
        if (before["transactionId"], before["attempt"]) != (after.get("transactionId"), after.get("attempt")):
            yield Violation("I10", write.key[0], f"went from {before['transactionId']} to {after.get('transactionId')}")


def i11_nothing_crosses(evidence: Evidence) -> Iterator[Violation]:
    """A merchant sees and changes its own payments only."""
    for name, payment in evidence.payments.items():
        if payment.item is not None and payment.item["merchantId"] != payment.merchant:
            yield Violation("I11", name, f"lies with {payment.merchant} and says {payment.item['merchantId']}")
    owners = {payment.transaction_id: payment.merchant for payment in evidence.payments.values()}
    for call in evidence.result.history.calls:
        shown = [call.answer, *call.answer.get("items", [])] if call.status in {200, 202} else []
        for answer in shown:
            if owners.get(answer.get("transactionId", ""), call.merchant) != call.merchant:
                yield Violation("I11", str(answer["transactionId"]), f"was shown to {call.merchant}")


_CARD: Final = re.compile(r"\b4[0-9]{15}\b")


def i12_no_secrets(evidence: Evidence) -> Iterator[Violation]:
    """Tokens and personal data lie on the payment's item only; secrets nowhere."""
    history = evidence.result.history
    secrets = [SECRET, KEY_ID, *evidence.result.api_keys.values()]
    items = {place: repr(item) for place, item in evidence.result.items.items()}
    places: dict[str, Iterator[str]] = {
        "a log line": iter(history.lines),
        "a message": iter(history.messages),
        "an answer": (json.dumps(call.answer) for call in history.calls),
        "an item": (
            text for (table, key), text in items.items() if not (table == TRANSACTIONS and key[1] == "PAYMENT")
        ),
    }
    for place, texts in places.items():
        for text in texts:
            leaked = [word for word in (*secrets, "tok_", "payer@example.com") if word in text]
            if leaked or _CARD.search(text):
                yield Violation("I12", "-", f"{place} holds what it must not: {leaked or 'a card number'}")
                break
    for (_, key), text in items.items():
        if any(secret in text for secret in secrets):
            yield Violation("I12", key[0], "an item holds a secret")


def i13_bounded_work(evidence: Evidence) -> Iterator[Violation]:
    """Whatever fails, a payment makes so many calls to providers an hour and no more."""
    for name, payment in evidence.payments.items():
        hours = Counter((sent.at_ms - EPOCH_MS) // _HOUR_MS for sent in payment.sent)
        most = max(hours.values(), default=0)
        if most > MAX_PROVIDER_CALLS_PER_HOUR:
            yield Violation("I13", name, f"made {most} calls to gateways in an hour")


def i15_older_epochs(evidence: Evidence) -> Iterator[Violation]:
    """After a newer epoch was taken, the older one's holder writes nothing; and an outcome frees the lease."""
    for name, payment in evidence.payments.items():
        held: dict[int, int] = defaultdict(int)
        for write, before, after in payment.versions:
            if before is None or after is None:
                continue
            old, new = before["lease"]["epoch"], after["lease"]["epoch"]
            if new < old:
                yield Violation("I15", name, f"epoch {old} was followed by {new}")
            if new > old:
                held[write.process] = new
            elif held[write.process] and held[write.process] < old and before["attempts"] != after["attempts"]:
                yield Violation("I15", name, f"the holder of epoch {held[write.process]} wrote under epoch {old}")
            if held[write.process] == old and after["eventSeq"] > before["eventSeq"] and after["lease"]["owner"]:
                yield Violation("I15", name, f"an outcome left the lease of epoch {old} taken")


def defects(evidence: Evidence) -> Iterator[Violation]:
    """Not a rule of the design: an exception that nobody foresaw."""
    for what in evidence.result.history.defects[:3]:
        yield Violation("DEFECT", "-", what)


INVARIANTS: Final[tuple[Invariant, ...]] = (
    i1_one_charge,
    i2_nothing_lost,
    i3_status_is_truth,
    i4_audit_log,
    i5_transitions,
    i6_other_body,
    i7_one_id,
    i8_key_stored_first,
    i9_one_open_attempt,
    i10_reference_owner,
    i11_nothing_crosses,
    i12_no_secrets,
    i13_bounded_work,
    i15_older_epochs,
    i16_merchant_events,
    defects,
)
"""I14, that a seed gives one history, is checked by running seeds twice."""


def violations(evidence: Evidence) -> list[Violation]:
    """All that is wrong, in the order of the invariants."""
    return [violation for invariant in INVARIANTS for violation in invariant(evidence)]
