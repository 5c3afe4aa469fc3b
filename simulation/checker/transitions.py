"""I5, I9 and I15: the steps that stored payments, operations and attempts may take, and who may take them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from simulation.checker.evidence import Evidence, PaymentEvidence, Stored, Version, Violation, is_recorded_by_person
from simulation.history import Source
from simulation.releases import ADDED

OPEN: Final = frozenset({"STARTED", "UNKNOWN", "ACCEPTED", "REQUIRES_ACTION", "AUTHORIZED"})

# The rows of the design, written down here a second time on purpose.
PAYMENT_STEPS: Final[Mapping[str, frozenset[str]]] = {
    "PENDING": frozenset({"SUCCESS", "FAILED", "REQUIRES_ACTION", "AUTHORIZED", "CANCELLED", "IN_REVIEW"}),
    "REQUIRES_ACTION": frozenset({"SUCCESS", "FAILED", "AUTHORIZED", "CANCELLED", "IN_REVIEW", "PENDING"}),
    "AUTHORIZED": frozenset({"SUCCESS", "CANCELLED", "IN_REVIEW"}),
    "IN_REVIEW": frozenset({"SUCCESS", "FAILED", "AUTHORIZED", "CANCELLED"}),
    "FAILED": frozenset({"SUCCESS", "IN_REVIEW"}),
    "SUCCESS": frozenset({"IN_REVIEW"}),
    "CANCELLED": frozenset({"IN_REVIEW"}),
}
OPERATION_STEPS: Final[Mapping[str, frozenset[str]]] = {
    "PENDING": frozenset({"SUCCEEDED", "FAILED", "IN_REVIEW"}),
    "IN_REVIEW": frozenset({"SUCCEEDED", "FAILED"}),
    "SUCCEEDED": frozenset({"IN_REVIEW"}),
    "FAILED": frozenset({"IN_REVIEW"}),
}
_ANSWERED: Final = frozenset(
    {"SUCCEEDED", "AUTHORIZED", "REQUIRES_ACTION", "ACCEPTED", "DECLINED", "MISMATCH", "FENCED"}
)
_LATE: Final = frozenset({"SUCCEEDED", "MISMATCH"})
ATTEMPT_STEPS: Final[Mapping[str, frozenset[str]]] = {
    "STARTED": _ANSWERED | {"NOT_SENT", "REJECTED", "UNKNOWN"},
    "UNKNOWN": _ANSWERED,
    "ACCEPTED": _ANSWERED - {"ACCEPTED"},
    "REQUIRES_ACTION": _ANSWERED - {"REQUIRES_ACTION"},
    "AUTHORIZED": frozenset({"SUCCEEDED", "MISMATCH", "FENCED"}),
    "DECLINED": _LATE,
    "NOT_SENT": _LATE,
    "REJECTED": _LATE,
    "FENCED": _LATE,
    "MISMATCH": frozenset(),
    "SUCCEEDED": frozenset(),
}
_WITHOUT_CHARGE: Final = frozenset({"DECLINED", "NOT_SENT", "REJECTED", "FENCED"})
_MINUTE_MS: Final = 60_000
_STEPPED: Final = {"razorpay", "razorpay_mock", "cashfree", "cashfree_mock"}
"""Their charges take several requests, of which the last one charges."""
_BY_EVIDENCE: Final = frozenset({"SUCCEEDED", "FENCED"})
"""An operator's evidence may close an open attempt like that, and call a closed one a success."""


# --- I5


def i5_transitions(evidence: Evidence) -> Iterator[Violation]:
    """Every stored change is allowed; versions rise by one; only due times change without a version."""
    for name, payment in evidence.payments.items():
        for _, before, after in payment.versions:
            if after is None:
                yield Violation("I5", name, "the payment was deleted")
            elif before is not None:
                yield from _payment_step(name, payment, before, after)
        for operation in payment.operations.values():
            for _, before, after in operation.versions:
                if after is None:
                    yield Violation("I5", name, f"{operation.operation_id} was deleted")
                elif before is not None:
                    yield from _operation_step(name, payment, before, after)


def _payment_step(name: str, payment: PaymentEvidence, before: Stored, after: Stored) -> Iterator[Violation]:
    event = payment.event_of(after) if after["eventSeq"] != before["eventSeq"] else None
    by_operator = event is not None and event["actor"] == "operator"
    yield from _statuses(name, "", PAYMENT_STEPS, before, after)
    yield from _versions(name, "", before, after)
    yield from _attempts(name, "", before, after, by_operator=by_operator)
    yield from _facts(name, "", ("amount", "currency", "fingerprint", "createdAt", "route"), before, after)
    charged = before.get("chargedAttempt")
    if charged is not None and after.get("chargedAttempt") != charged and not by_operator:
        yield Violation("I5", name, f"attempt {charged} was the charge and is not any more")
    if before.get("erased") and not after.get("erased"):
        yield Violation("I5", name, "what was erased is there again")
    if before["status"] == "IN_REVIEW" != after["status"] and not by_operator and _is_for_a_person(before, after):
        yield Violation("I5", name, f"left a review that only a person ends, and is {after['status']}")


def _is_for_a_person(before: Stored, after: Stored) -> bool:
    """Whether an attempt took something else than was requested, or a report lists money that no attempt explains."""
    mismatched = any(attempt["state"] == "MISMATCH" for attempt in before["attempts"])
    listed = before.get("lastError", {}).get("code") == "reconciliation"
    return mismatched or (listed and after["status"] in {"FAILED", "CANCELLED"})


def _operation_step(name: str, payment: PaymentEvidence, before: Stored, after: Stored) -> Iterator[Violation]:
    which = f"{after['operationId']} "
    event = next((e for e in payment.events if _is_about(e, before, after)), None)
    by_operator = event is not None and event["actor"] == "operator"
    yield from _statuses(name, which, OPERATION_STEPS, before, after)
    yield from _versions(name, which, before, after)
    yield from _attempts(name, which, before, after, by_operator=by_operator)
    yield from _facts(
        name, which, ("amount", "currency", "kind", "fingerprint", "createdAt", "chargeAttempt"), before, after
    )
    if before["status"] != after["status"] and event is None:
        yield Violation("I5", name, f"{which}went from {before['status']} to {after['status']} without an event")


def _is_about(event: Stored, before: Stored, after: Stored) -> bool:
    """The event of a change of an operation's status."""
    facts = event["facts"]
    told = (facts.get("operationId"), facts.get("operationStatus"), event["at"])
    return before["status"] != after["status"] and told == (after["operationId"], after["status"], after["updatedAt"])


def _statuses(
    name: str, which: str, steps: Mapping[str, frozenset[str]], before: Stored, after: Stored
) -> Iterator[Violation]:
    old, new = before["status"], after["status"]
    if new != old and new not in steps[old]:
        yield Violation("I5", name, f"{which}went from {old} to {new}")


def _versions(name: str, which: str, before: Stored, after: Stored) -> Iterator[Violation]:
    if after["version"] == before["version"]:
        changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
        is_moved = changed == {"dueShard"} and {"dueAt", "dueShard"} <= before.keys() & after.keys()
        if changed - {"dueAt", "drives"} and not is_moved:
            yield Violation("I5", name, f"{which}changed {sorted(changed)} without a new version")
    elif after["version"] != before["version"] + 1:
        yield Violation("I5", name, f"{which}version {before['version']} was followed by {after['version']}")


def _attempts(name: str, which: str, before: Stored, after: Stored, *, by_operator: bool) -> Iterator[Violation]:
    if len(after["attempts"]) < len(before["attempts"]):
        yield Violation("I5", name, f"{which}lost an attempt")
    for one, other in zip(before["attempts"], after["attempts"], strict=False):
        old, new = one["state"], other["state"]
        allowed = ATTEMPT_STEPS[old] | (_BY_EVIDENCE if by_operator else frozenset())
        charge = not which and (_is_without_charge(one, other) or _is_capturing(other))
        exempt = _is_opened_again(one, other, before, after) or charge
        if new != old and new not in allowed and not exempt:
            yield Violation("I5", name, f"{which}attempt {one['number']} went from {old} to {new}")
        if (old, new) == ("NOT_SENT", "STARTED") and _keeps_its_first_time(one, other):
            yield Violation(
                "I5", name, f"{which}attempt {one['number']} has the time of its first try, and is open again"
            )
        for fact in ("provider_key", "provider", "account_id"):
            if one[fact] != other[fact]:
                yield Violation("I5", name, f"{which}attempt {one['number']} was replaced")


def _is_opened_again(one: Stored, other: Stored, before: Stored, after: Stored) -> bool:
    """The claim of a worker that sends a provider's newest attempt for the first time: none of it had left before.

    After a restore, any attempt may be found to have left in the forgotten time: it is inquired about and not sent.
    """
    newest = [a["number"] for a in after["attempts"] if a["provider"] == one["provider"]][-1]
    return (
        (one["state"], other["state"]) == ("NOT_SENT", "STARTED")
        and (one["number"] == newest or _is_recorded_only(other))
        and one["request_hash"] == other["request_hash"]
        and after["lease"]["epoch"] > before["lease"]["epoch"]
        and bool(after["lease"]["owner"])
    )


def _keeps_its_first_time(one: Stored, other: Stored) -> bool:
    """An attempt is opened again after it was found not sent: ages, windows and the first send count from then on."""
    is_older = other["started_at_ms"] + _CLOCKS_MS < one.get("settled_at_ms", 0)
    return bool(is_older and not _is_recorded_only(other))


def _is_without_charge(one: Stored, other: Stored) -> bool:
    """An unknown answer to a request before the one that charges, and then proof that none of those has left.

    Nobody can pay a hosted object whose address was not given out, whatever became of its creation.
    """
    progress = one.get("progress", {})
    is_unopened = "hosted_method" in progress and "hosted_object" not in progress
    is_before = one["provider"] in _STEPPED or is_unopened
    return one["state"] == "UNKNOWN" and other["state"] in {"NOT_SENT", "REJECTED"} and is_before


def _is_capturing(other: Stored) -> bool:
    """An attempt that was known to be open is unknown again once our own capture may have left."""
    return other["state"] == "UNKNOWN" and "capture_sent_at" in other.get("progress", {})


def _facts(name: str, which: str, facts: Sequence[str], before: Stored, after: Stored) -> Iterator[Violation]:
    for fact in facts:
        if before[fact] != after[fact]:
            yield Violation("I5", name, f"{which}{fact} changed")


def i5_own_captures(evidence: Evidence) -> Iterator[Violation]:
    """Once our own capture may have left, an attempt ends without a charge only when the provider gave the money back.

    It does so when the time for a capture is over, or when somebody released it there.
    """
    released = {e.charge_id for e in evidence.result.history.entries if e.source is Source.DASHBOARD}
    for name, payment in evidence.payments.items():
        at_provider = {str(line["reference"]): str(line["chargeId"]) for line in payment.books}
        for write, before, after, event in payment.changes():
            if event is not None and event["actor"] == "operator":
                continue
            for one, other in zip(before["attempts"], after["attempts"], strict=False):
                if not _may_be_captured(one) or other["state"] not in _WITHOUT_CHARGE:
                    continue
                minutes = int(one["progress"].get("capture_within_minutes", 0))
                is_over = write.at_ms + _CLOCKS_MS >= one["started_at_ms"] + minutes * _MINUTE_MS
                if not is_over and at_provider.get(one["provider_key"]) not in released:
                    what = f"attempt {one['number']} became {other['state']} after our own capture of it had left"
                    yield Violation("I5", name, what)


def _may_be_captured(attempt: Stored) -> bool:
    return attempt["state"] in OPEN and "capture_sent_at" in attempt.get("progress", {})


def unknown_attributes_stay(evidence: Evidence) -> Iterator[Violation]:
    """The attributes that only a newer release knows stay on the item, its lease and its attempts."""
    for name, payment in evidence.payments.items():
        for versions in (payment.versions, *(operation.versions for operation in payment.operations.values())):
            for _, before, after in versions:
                if before is None or after is None:
                    continue
                parts = [(before, after), (before["lease"], after["lease"])]
                parts += zip(before["attempts"], after["attempts"], strict=False)
                if any(ADDED in one and ADDED not in other for one, other in parts):
                    yield Violation("I5", name, "lost an attribute of a newer release")
                    break


# --- I9


def waits_are_kept(evidence: Evidence) -> Iterator[Violation]:
    """A provider that rejected a request is asked again after the time that it named, and not at once.

    An operation is tried at most six times that a provider answers. A payer who is present chooses when to try again.
    """
    for name, payment in evidence.payments.items():
        for versions in (payment.versions, *(operation.versions for operation in payment.operations.values())):
            for write, before, after in versions:
                if before is None or after is None or len(after["attempts"]) <= len(before["attempts"]):
                    continue
                if "checkout" in after:
                    continue
                newest = after["attempts"][-1]
                earlier = [a for a in before["attempts"] if a["provider"] == newest["provider"]]
                if not earlier or "sent_before_restore" in newest.get("progress", {}):
                    continue
                settled_ms = earlier[-1].get("settled_at_ms", 0)
                asked_ms = min(earlier[-1].get("retry_after_seconds", 0) * _SECOND_MS, _HOUR_MS)
                answered = sum(attempt["state"] != "NOT_SENT" for attempt in before["attempts"])
                step_ms = _WAITS_MS[min(answered, len(_WAITS_MS)) - 1] if earlier[-1]["state"] == "REJECTED" else 0
                wait_ms = max(asked_ms, step_ms // 2)
                if write.at_ms - settled_ms + _CLOCKS_MS < wait_ms:
                    what = f"attempt {newest['number']} began {write.at_ms - settled_ms} ms after a rejection"
                    yield Violation("I9", name, f"{what}, and {wait_ms} ms were to be waited")
        for operation in payment.operations.values():
            attempts = operation.item["attempts"] if operation.item is not None else []
            sent = [a for a in attempts if "sent_before_restore" not in a.get("progress", {})]
            answered = sum(attempt["state"] != "NOT_SENT" for attempt in sent)
            if answered > _MOST_ANSWERED:
                yield Violation("I9", name, f"{operation.operation_id} was tried {answered} times")


_SECOND_MS: Final = 1_000
_HOUR_MS: Final = 3_600_000
_WAITS_MS: Final = tuple(seconds * _SECOND_MS for seconds in (2, 10, 60, 300, 600))
"""After each answered attempt, times 0.5 to 1: docs/write-path.md."""
_MOST_ANSWERED: Final = 6


def i9_one_open_attempt(evidence: Evidence) -> Iterator[Violation]:
    """At most one attempt of a payment or operation is open; a charge, an execution and a refusal end all attempts."""
    for name, payment in evidence.payments.items():
        yield from _open_attempts(name, "", payment.versions, ends=set())
        for operation in payment.operations.values():
            yield from _open_attempts(name, f"{operation.operation_id} ", operation.versions, ends=_REFUSED)
        yield from _final_refusals(name, payment)
        yield from _begun_after_a_cancellation(name, payment)
        yield from _limits(name, payment)
        yield from _late_requests(name, payment)


def _open_attempts(name: str, which: str, versions: Sequence[Version], *, ends: set[str]) -> Iterator[Violation]:
    for _, before, after in versions:
        if after is None:
            continue
        if after["status"] in _ENDED and any(attempt["state"] in OPEN for attempt in after["attempts"]):
            yield Violation("I9", name, f"{which}is {after['status']} with an open attempt")
        states = [attempt["state"] for attempt in after["attempts"]]
        if sum(state in OPEN for state in states) > 1:
            yield Violation("I9", name, f"{which}has several open attempts: {states}")
        began = before is not None and len(after["attempts"]) > len(before["attempts"])
        more = ends if began and not _is_recorded_only(after["attempts"][-1]) else set()
        if began and is_recorded_by_person(after["attempts"][-1]):
            continue
        if began and set(states[:-1]) & {*OPEN, "SUCCEEDED", "MISMATCH", *more}:
            yield Violation("I9", name, f"{which}began an attempt after {states[:-1]}")
        may_begin = {"PENDING"} if "checkout" not in after else {"REQUIRES_ACTION"}
        if began and after["status"] not in may_begin:
            yield Violation("I9", name, f"{which}began an attempt while it was {after['status']}")


_REFUSED: Final = {"DECLINED", "FENCED"}
_ENDED: Final = {"FAILED", "CANCELLED"}


def _is_recorded_only(attempt: Mapping[str, Any]) -> bool:
    """After a restore, an attempt that may have been sent before it is recorded and inquired about, never sent."""
    return "sent_before_restore" in attempt.get("progress", {}) or is_recorded_by_person(attempt)


def _final_refusals(name: str, payment: PaymentEvidence) -> Iterator[Violation]:
    """Hard declines, lack of funds and declines that may reopen end a payment's attempts.

    The payer of a checkout may have another card: only a decline that may reopen holds the next attempt.
    """
    for _, before, after, _ in payment.changes():
        if len(after["attempts"]) == len(before["attempts"]):
            continue
        for attempt in after["attempts"][:-1]:
            if _is_recorded_only(after["attempts"][-1]):
                continue
            if attempt.get("decline_kind") in {"hard", "funds"} and "checkout" not in after:
                what = f"began attempt {len(after['attempts'])} after a decline of kind {attempt['decline_kind']}"
                yield Violation("I9", name, what)
            if attempt.get("reopens_until_ms") is not None:
                yield Violation("I9", name, f"began attempt {len(after['attempts'])} while one may reopen")


def _begun_after_a_cancellation(name: str, payment: PaymentEvidence) -> Iterator[Violation]:
    """A merchant who has the answer that the payment is to be cancelled counts on no further charge."""
    for _, before, after, _ in payment.changes():
        if not before.get("cancelRequested"):
            continue
        states = [attempt["state"] for attempt in before["attempts"]]
        for place, attempt in enumerate(after["attempts"]):
            was = states[place] if place < len(states) else None
            if was in {None, "NOT_SENT"} and attempt["state"] == "STARTED" and not _is_recorded_only(attempt):
                yield Violation("I9", name, f"began attempt {attempt['number']} after its merchant had cancelled it")


MAX_ANSWERED: Final = 4
"""The first attempt and MAX_RETRIES of three. What was not sent does not count, and a payer chooses up to eight times.
"""
MAX_ATTEMPTS: Final = 8
_CLOCKS_MS: Final = 7_000


def _limits(name: str, payment: PaymentEvidence) -> Iterator[Violation]:
    """An attempt begins in time, at a provider of the route, and after few attempts that were answered."""
    for write, before, after, _ in payment.changes():
        if len(after["attempts"]) <= len(before["attempts"]):
            continue
        *earlier, newest = after["attempts"]
        is_of_before = _is_recorded_only(newest)
        if write.at_ms > after["chargeDeadline"] + _CLOCKS_MS and not is_of_before:
            yield Violation("I9", name, f"began attempt {newest['number']} after its charge deadline")
        route = [(c["provider"], c["account_id"]) for c in after["route"]["candidates"]]
        if (newest["provider"], newest["account_id"]) not in route and not is_of_before:
            yield Violation(
                "I9", name, f"began attempt {newest['number']} at {newest['provider']}, outside of its route"
            )
        if len(earlier) >= MAX_ATTEMPTS:
            yield Violation("I9", name, f"began attempt {newest['number']}")
        answered = sum(attempt["state"] != "NOT_SENT" for attempt in earlier)
        if answered >= MAX_ANSWERED and "checkout" not in after:
            yield Violation("I9", name, f"began attempt {newest['number']} after {MAX_ANSWERED} that were answered")


_CHARGES: Final = {
    *("/v1/charges", "/v1/payment_intents", "/pg/orders", "/pg/orders/sessions", "/v1/orders"),
    *("/v1/sessions", "/v1/checkout/sessions", "/v1/payment_links"),
}
"""The requests that charge, or begin to. A cancellation or an inquiry may come later."""
_ON_THE_WAY_MS: Final = 75 * 60_000
"""A request may be on its way for an hour, and a worker held up before it sends."""


def _late_requests(name: str, payment: PaymentEvidence) -> Iterator[Violation]:
    """Nothing that moves money is sent after the deadline of the payment or operation: no key is valid for longer."""
    deadline_ms = payment.item["chargeDeadline"] if payment.item is not None else 0
    for sent in payment.sent:
        if sent.method == "POST" and sent.path in _CHARGES and sent.at_ms > deadline_ms + _ON_THE_WAY_MS:
            yield Violation("I9", name, f"{sent.connector} got {sent.path} after the charge deadline")
    for operation in payment.operations.values():
        if operation.item is None:
            continue
        last_ms = operation.item.get("sendDeadline", 1 << 62) + _ON_THE_WAY_MS
        late = [
            s for s in operation.sent if s.method == "POST" and s.at_ms > last_ms and not s.path.startswith(_POSTED)
        ]
        if late:
            yield Violation("I9", name, f"{operation.operation_id} was sent to {late[0].connector} after its deadline")


_POSTED: Final = ("/merchant/postservice", "/pg/recon")
"""PayU is asked by POST too, at the address of its refunds; Cashfree's report is a POST."""


# --- I15


def i15_older_epochs(evidence: Evidence) -> Iterator[Violation]:
    """After a newer epoch was taken, the older one's holder writes nothing; and an outcome frees the lease."""
    frozen = [(strike.process, strike.at_ms) for strike in evidence.result.history.strikes if strike.kind == "freeze"]
    for name, payment in evidence.payments.items():
        about = {
            event["seq"] for event in payment.events if "operationId" in event["facts"] or event["type"] in _BESIDE
        }
        yield from _epochs(name, "", payment.versions, about, frozen)
        for operation in payment.operations.values():
            yield from _epochs(name, f"{operation.operation_id} ", operation.versions, set(), frozen)


_BESIDE: Final = frozenset({"payment.stop_requested", "payment.order_contended", "payment.order_released"})
"""Changes of a payment by the work on another payment of its order, without its lease; a batch may hold both."""


def _epochs(
    name: str, which: str, versions: Sequence[Version], beside: set[int], frozen: Sequence[tuple[int, int]]
) -> Iterator[Violation]:
    """`beside`: the events of operations, which change a payment under their own lease, and of its order's others.

    `frozen`: when which process was frozen. What it writes afterwards it has decided before, but not before it could
    read what it changes.
    """
    held: dict[int, int] = defaultdict(int)
    read_ms = 0
    for write, before, after in versions:
        stored_ms, read_ms = read_ms, write.at_ms
        if before is None or after is None:
            continue
        old, new = before["lease"]["epoch"], after["lease"]["epoch"]
        if new < old:
            yield Violation("I15", name, f"{which}epoch {old} was followed by {new}")
        if new > old and after["lease"]["owner"]:
            held[write.process] = new
            continue
        halts = (at for process, at in frozen if process == write.process and stored_ms <= at <= write.at_ms)
        if _keeps_expired_lease(min(halts, default=write.at_ms), before, after) and held[write.process] != old:
            yield Violation("I15", name, f"{which}was changed by another, and the lease of epoch {old} stayed")
        has_event = after.get("eventSeq") != before.get("eventSeq")
        if has_event and after["eventSeq"] in beside:
            continue
        mine = held[write.process]
        if mine and mine < old and before["attempts"] != after["attempts"]:
            yield Violation("I15", name, f"{which}the holder of epoch {mine} wrote under epoch {old}")
        if mine == old and after["lease"]["owner"] and (has_event or _states(before) != _states(after)):
            yield Violation("I15", name, f"{which}an outcome left the lease of epoch {old} taken")


def _keeps_expired_lease(decided_ms: int, before: Stored, after: Stored) -> bool:
    """Who changes an item whose lease has expired releases it, so that its former holder can write nothing."""
    owner, is_expired = before["lease"]["owner"], decided_ms > before["lease"]["expiresAt"] + _CLOCKS_MS
    return bool(owner) and is_expired and after["lease"]["owner"] == owner and after["version"] != before["version"]


def _states(item: Stored) -> list[str]:
    return [attempt["state"] for attempt in item["attempts"]]
