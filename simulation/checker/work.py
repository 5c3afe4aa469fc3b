"""I13 and REST: how much work a payment may cause, and how soon after the last fault it must be over.

Every figure is derived from the back-offs that the design states: inquiries after 5 s, 15 s, 45 s, 2 min, 5 min, 15 min
and then hourly; a lease of 45 s; a sweeper that runs at least every ten minutes.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from simulation.accounts import PROVIDERS
from simulation.checker.evidence import Evidence, OperationEvidence, PaymentEvidence, Stored, Version, Violation
from simulation.checker.providers import (
    HELD_AT_MOST_MS,
    REOPENS_MS,
    inquiries_end_ms,
    refund_stands_ms,
    refusal_proven_ms,
)
from simulation.kernel import EPOCH_MS

_SECOND_MS: Final = 1_000
_MINUTE_MS: Final = 60 * _SECOND_MS
_HOUR_MS: Final = 60 * _MINUTE_MS

INQUIRY_STEPS_MS: Final = tuple(s * _SECOND_MS for s in (5, 15, 45, 120, 300, 900, 3_600))
MAX_SESSIONS_PER_HOUR: Final = len(INQUIRY_STEPS_MS)
"""Of one attempt: its first request, and the inquiries after 5 s, 20 s, 65 s, 185 s, 485 s and 1385 s."""
MAX_HURRIED_PER_HOUR: Final = 20
"""Of steps that are brought forward: events do so eight times a day, clients, operators and reports now and then."""
MAX_REQUESTS_PER_SESSION: Final = 7
"""An inquiry by reference and by list, a cancellation with its confirmation, and one charge of up to four requests."""
_CLOCKS_MS: Final = 7 * _SECOND_MS
"""Two clocks are up to 6 s apart, and a message that is a second early is on time."""


_Session = tuple[int, int]


def i13_bounded_work(evidence: Evidence) -> Iterator[Violation]:
    """An attempt causes as many sessions with its provider an hour as its back-off allows, each of few requests."""
    # After a restore a worker asks at every account of the merchant for a key of which nothing is stored.
    accounts = len(PROVIDERS) if evidence.result.forgotten is not None else 1
    for name, payment in evidence.payments.items():
        yield from _sessions(name, payment, MAX_REQUESTS_PER_SESSION * accounts)
        yield from _early(name, "", payment.versions)
        for operation in payment.operations.values():
            yield from _sessions(name, operation, MAX_REQUESTS_PER_SESSION)
            yield from _ended_sessions(name, operation)
            yield from _early(name, f"{operation.operation_id} ", operation.versions)


def _sessions(name: str, owner: PaymentEvidence | OperationEvidence, most: int) -> Iterator[Violation]:
    """A session that could not store its result does not count: its back-off is the lease."""
    session_of = _session_of(owner)
    stored = {session_of(write.process, write.at_ms) for write, *change in owner.versions if _ends_session(*change)}
    most_sessions = _most_sessions(owner)
    requests: Counter[tuple[int, str, _Session]] = Counter()
    for sent in owner.sent:
        session = session_of(sent.process, sent.at_ms)
        if sent.provider_key and session in stored:
            requests[_hour(sent.at_ms), sent.provider_key, session] += 1
    sessions = Counter((hour, key) for hour, key, _ in requests)
    for (hour, key), count in sessions.items():
        if count > most_sessions(hour):
            yield Violation("I13", name, f"{key} caused {count} sessions with its provider in an hour")
    for (_, key, (process, _claims)), count in requests.items():
        if count > most:
            yield Violation("I13", name, f"process {process} made {count} requests about {key}")


def _session_of(owner: PaymentEvidence | OperationEvidence) -> Callable[[int, int], _Session]:
    """A process, and which of its sessions with the item a time belongs to.

    A process that stood still, and lost its lease meanwhile, may hold a second message about the item: where it takes
    the lease again without having ended its session, another one begins.
    """
    begins: dict[int, list[int]] = defaultdict(list)
    open_by: set[int] = set()
    for write, before, after in owner.versions:
        if before is None or after is None:
            continue
        if _takes_lease(before, after):
            if write.process in open_by:
                begins[write.process].append(write.at_ms)
            open_by.add(write.process)
        elif _ends_session(before, after):
            open_by.discard(write.process)
    return lambda process, at_ms: (process, bisect_right(begins[process], at_ms))


def _ended_sessions(name: str, operation: OperationEvidence) -> Iterator[Violation]:
    """The list of a charge's refunds is asked for by the charge's key: such sessions show in the operation alone."""
    ended = Counter(_hour(write.at_ms) for write, before, after in operation.versions if _ends_session(before, after))
    most_sessions = _most_sessions(operation)
    for hour, count in ended.items():
        if count > most_sessions(hour):
            yield Violation("I13", name, f"{operation.operation_id} was worked on {count} times in an hour")


def _most_sessions(owner: PaymentEvidence | OperationEvidence) -> Callable[[int], int]:
    """How many sessions an hour may have, by what was stored in it."""
    allowed, hurried = Counter[int](), Counter[int]()
    for write, before, after in owner.versions:
        if before is not None and after is not None:
            more = _more_sessions(before, after)
            (allowed if more > 1 else hurried)[_hour(write.at_ms)] += more
    return lambda hour: MAX_SESSIONS_PER_HOUR + allowed[hour] + min(hurried[hour], MAX_HURRIED_PER_HOUR)


def _hour(at_ms: int) -> int:
    return (at_ms - EPOCH_MS) // _HOUR_MS


def _more_sessions(before: Stored, after: Stored) -> int:
    """A new state starts the back-off again; an event, a client or an operator may bring one step forward.

    A late authorization is like a new state, once an attempt: the inquiries follow the money until it lapses.
    """
    states = [[attempt["state"] for attempt in item["attempts"]] for item in (before, after)]
    if len(states[0]) == len(states[1]) and states[0] != states[1]:
        return MAX_SESSIONS_PER_HOUR - 1
    late = ["authorized_late_at" in attempt.get("progress", {}) for attempt in before["attempts"]]
    now_late = ["authorized_late_at" in attempt.get("progress", {}) for attempt in after["attempts"]]
    if len(late) == len(now_late) and sum(now_late) > sum(late):
        return MAX_SESSIONS_PER_HOUR - 1
    hinted = [item.get("eventInquiries", {}) for item in (before, after)]
    is_hinted = hinted[0] != hinted[1]
    return int(after["readyAt"] < before["readyAt"] or states[0] != states[1] or is_hinted)


def _ends_session(before: Stored | None, after: Stored | None) -> bool:
    return bool(before and after and before["lease"]["owner"] and not after["lease"]["owner"])


def _early(name: str, which: str, versions: Sequence[Version]) -> Iterator[Violation]:
    """No inquiry begins before its time, and each fruitless one makes the next one wait longer."""
    for write, before, after in versions:
        if before is None or after is None:
            continue
        if _takes_lease(before, after) and write.at_ms + _CLOCKS_MS < _ready_ms(before):
            yield Violation("I13", name, f"{which}was worked on {before['readyAt'] - write.at_ms} ms before its time")
        if _is_expedited_for_nothing(before, after):
            yield Violation("I13", name, f"{which}has its next attempt brought forward by a hint")
        for one, other in zip(before["attempts"], after["attempts"], strict=False):
            yield from _too_soon(name, which, after, one, other)


def _ready_ms(item: Stored) -> int:
    """An event about a closed attempt causes an inquiry besides the item's own steps."""
    inquiries = item.get("eventInquiries", {})
    return int(min(item["readyAt"], inquiries["ready_at_ms"]) if inquiries.get("waiting") else item["readyAt"])


def _is_expedited_for_nothing(before: Stored, after: Stored) -> bool:
    """A hint expedites an inquiry. Where no attempt is open or watched there is none, and a back-off must be kept."""
    expedited = after["readyAt"] < before["readyAt"] and after.get("eventSeq") == before.get("eventSeq")
    asked = any(a["state"] in _OPEN or a.get("reopens_until_ms") is not None for a in before["attempts"])
    return expedited and not asked and before["status"] == "PENDING" and after["lease"] == before["lease"]


def _too_soon(name: str, which: str, after: Stored, one: Stored, other: Stored) -> Iterator[Violation]:
    inquiries = other.get("inquiries", 0)
    if inquiries <= one.get("inquiries", 0) or "dueAt" not in after or other.get("deadline_ms") is not None:
        return
    if not which and other["state"] == "SUCCEEDED":
        return  # another writer had closed it; the payment is due for its order
    step_ms = INQUIRY_STEPS_MS[min(inquiries, len(INQUIRY_STEPS_MS) - 1)]
    waits_ms = after["readyAt"] - after["updatedAt"]
    turns_ms = {inquiries_end_ms(other), refusal_proven_ms(other), other.get("reopens_until_ms"), _end_ms(after)}
    at_turn = after["readyAt"] in turns_ms
    if waits_ms < min(step_ms, _capture_wait_ms(other, after["updatedAt"])) and not at_turn:
        yield Violation("I13", name, f"{which}inquires again after {waits_ms} ms instead of {step_ms} ms")


# --- DUE

LEASE_MS: Final = 45 * _SECOND_MS
DUE_AFTER_LEASE_MS: Final = (15 * _SECOND_MS, 60 * _SECOND_MS)
"""The earliest and latest due time of an item under a lease, after the lease's end."""


def due_after_claims(evidence: Evidence) -> Iterator[Violation]:
    """A lease is taken for 45 s, and the item is due soon after it, and not before: a dead worker is found."""
    for name, payment in evidence.payments.items():
        owners: list[PaymentEvidence | OperationEvidence] = [payment, *payment.operations.values()]
        for owner in owners:
            for write, before, after in owner.versions:
                if before is None or after is None or not _takes_lease(before, after):
                    continue
                lasts_ms = after["lease"]["expiresAt"] - write.at_ms
                if lasts_ms > LEASE_MS + _CLOCKS_MS:
                    yield Violation("DUE", name, f"a claim took a lease for {lasts_ms} ms")
                waits_ms = after.get("dueAt", -1) - after["lease"]["expiresAt"]
                if not DUE_AFTER_LEASE_MS[0] <= waits_ms <= DUE_AFTER_LEASE_MS[1]:
                    yield Violation("DUE", name, f"a claim left it due {waits_ms} ms after the lease's end")


def wake_ups_of_what_is_due(evidence: Evidence) -> Iterator[Violation]:
    """The sweeper postpones an item and counts a wake-up only while it is due: an old index row moves none."""
    for name, payment in evidence.payments.items():
        owners: list[PaymentEvidence | OperationEvidence] = [payment, *payment.operations.values()]
        for owner in owners:
            for write, before, after in owner.versions:
                if before is None or after is None or after.get("drives", 0) <= before.get("drives", 0):
                    continue
                if "dueAt" not in before:
                    yield Violation("DUE", name, "was woken although it is due for nothing")
                elif before["dueAt"] > write.at_ms + _CLOCKS_MS:
                    yield Violation("DUE", name, f"was woken {before['dueAt'] - write.at_ms} ms before it was due")


def progress_ends_the_count(evidence: Evidence) -> Iterator[Violation]:
    """Wake-ups are counted until something changes: forty without progress are a person's, not forty in all."""
    for name, payment in evidence.payments.items():
        for _, before, after, event in payment.changes():
            is_own = event is not None and "operationId" not in event["facts"]
            if is_own and before.get("drives", 0) and after.get("drives", 0):
                yield Violation("DUE", name, f"went on, and {after['drives']} wake-ups are still counted")


def _takes_lease(before: Stored, after: Stored) -> bool:
    return bool(after["lease"]["owner"]) and after["lease"]["epoch"] > before["lease"]["epoch"]


# --- REST

LONGEST_WAIT_MS: Final = {
    "UNKNOWN": _HOUR_MS,
    "REQUIRES_ACTION": _HOUR_MS,
    "ACCEPTED": 6 * _HOUR_MS,
    "cancellation": _HOUR_MS,
    "watched": 6 * _HOUR_MS,
    "next attempt": _HOUR_MS,
    "hinted": 24 * _HOUR_MS,
    "review": 24 * _HOUR_MS,
}
"""To the next step: the last step of the inquiries' back-off; of that of a provider's "pending"; a review's daily one.

An authorization waits until it lapses, unless its cancellation was requested.
"""
WAKE_MS: Final = 100 * _MINUTE_MS
"""From a step's time until it is taken, once faults have stopped: the sweeper's longest postponement is an hour."""


def rest(evidence: Evidence) -> Iterator[Violation]:
    """An open item has a next step soon; and once faults have stopped, each step is taken in time.

    So the time to rest is bounded: by the number of steps that the state leaves, and by the waits between them.
    """
    for name, payment in evidence.payments.items():
        owners: list[PaymentEvidence | OperationEvidence] = [payment, *payment.operations.values()]
        for owner in owners:
            which = "" if owner is payment else f"{owner.versions[0][0].key[1]} "
            came_back = any(
                (after or {}).get("lastError", {}).get("code") == "reversed" for _, _, after in owner.versions
            )
            for number, (write, _, after) in enumerate(owner.versions):
                if after is not None and _is_forgotten(after):
                    yield Violation("REST", name, "waits for its payer and is due for nothing")
                if after is not None and _may_be_charged_unread(after):
                    yield Violation("REST", name, f"{which}may still move money and is due for nothing")
                if after is not None and _is_object_left(after, write.at_ms):
                    yield Violation("REST", name, "may be paid once more in its object, which is not read again")
                if after is not None and not came_back and _may_come_back_unread(after, write.at_ms):
                    yield Violation("REST", name, f"{which}may come back from its payer's bank and is due for nothing")
                if after is None or "dueAt" not in after or after["lease"]["owner"]:
                    continue
                kind = _waits_for(after)
                waits_ms = _next_ms(after) - write.at_ms
                if kind and waits_ms > LONGEST_WAIT_MS[kind] + _CLOCKS_MS:
                    yield Violation("REST", name, f"{which}waits {waits_ms // _MINUTE_MS} min for its {kind}")
                last = number + 1 == len(owner.versions)
                next_ms = evidence.result.ended_ms if last else owner.versions[number + 1][0].at_ms
                from_ms = max(_next_ms(after), write.at_ms, evidence.result.trouble_ended_ms)
                if kind and next_ms - from_ms > WAKE_MS:
                    what = f"{which}was not worked on for {(next_ms - from_ms) // _MINUTE_MS} min ({kind})"
                    yield Violation("REST", name, what)


def objects_are_read_again(evidence: Evidence) -> Iterator[Violation]:
    """A hosted object that a person found paid is read once more, however late it is: that person saw one charge."""
    for name, payment in evidence.payments.items():
        for _, before, after, event in payment.changes():
            if event is None or event["actor"] != "operator":
                continue
            waiting = after.get("eventInquiries", {}).get("waiting", ()) if "dueAt" in after else ()
            for one, other in zip(before["attempts"], after["attempts"], strict=False):
                is_found = one["state"] != "SUCCEEDED" == other["state"]
                is_hosted = "hosted_expires_at" in other.get("progress", {})
                if is_found and is_hosted and other["number"] not in waiting:
                    yield Violation("REST", name, "was found paid by a person, and its object is not read again")


def watches_last(evidence: Evidence) -> Iterator[Violation]:
    """A decline is watched as long as its provider may turn it into a charge, and no amount is held for ever."""
    for name, payment in evidence.payments.items():
        for write, before, after in payment.versions:
            known = {attempt["number"]: attempt["state"] for attempt in (before or {}).get("attempts", [])}
            for attempt in (after or {}).get("attempts", []):
                if known.get(attempt["number"]) == attempt["state"]:
                    continue
                since_ms, until_ms = attempt.get("settled_at_ms", write.at_ms), attempt.get("reopens_until_ms")
                reopens_ms = REOPENS_MS.get(attempt["provider"], 0)
                if attempt["state"] == "DECLINED" and until_ms is not None and until_ms < since_ms + reopens_ms:
                    what = f"watches attempt {attempt['number']} for {(until_ms - since_ms) // _HOUR_MS} h only"
                    yield Violation("REST", name, what)
                if attempt["state"] == "AUTHORIZED" and attempt.get("deadline_ms", 0) > since_ms + HELD_AT_MOST_MS:
                    what = f"believes that attempt {attempt['number']} is held until {attempt['deadline_ms']}"
                    yield Violation("REST", name, what)


def _is_forgotten(item: Stored) -> bool:
    """A checkout that waits for its payer must be due when it ends."""
    return "checkout" in item and item["status"] == "REQUIRES_ACTION" and "dueAt" not in item


def _may_be_charged_unread(item: Stored) -> bool:
    """Whatever its status: it is inquired about what is open, and what may still turn out otherwise, until that ends.

    The capture or void of a held amount is inquired about instead of the charge.
    """
    if "dueAt" in item or "openSettlement" in item:
        return False
    return any(a["state"] in _OPEN or (a["state"] in _CLOSED and "reopens_until_ms" in a) for a in item["attempts"])


def _is_object_left(item: Stored, at_ms: int) -> bool:
    """A hosted object that was paid is read once more when nobody can pay in it any more, whoever found it paid."""
    waiting = item.get("eventInquiries", {}).get("waiting", ()) if "dueAt" in item else ()
    return any(
        a["state"] == "SUCCEEDED"
        and at_ms + _CLOCKS_MS < int(a.get("progress", {}).get("hosted_expires_at", 0))
        and a["number"] not in waiting
        for a in item["attempts"]
    )


def _may_come_back_unread(item: Stored, at_ms: int) -> bool:
    """A refund that succeeded must be due once more, when its payer's bank can no longer return it.

    One that came back is decided by a person. Clocks differ, and a step may be taken a second early.
    """
    if item.get("kind") != "refund" or item["status"] != "SUCCEEDED" or "dueAt" in item:
        return False
    return any(a["state"] == "SUCCEEDED" and at_ms + _CLOCKS_MS < refund_stands_ms(a) for a in item["attempts"])


def _next_ms(item: Stored) -> int:
    """The time of the next step. A further attempt waits for the inquiry that an event about a closed one caused."""
    inquiries = item.get("eventInquiries", {})
    if not inquiries.get("waiting") or any(a["state"] in _OPEN for a in item["attempts"]):
        return int(item["readyAt"])
    return int(
        max(item["readyAt"], inquiries["ready_at_ms"]) if item["status"] == "PENDING" else inquiries["ready_at_ms"]
    )


def _waits_for(item: Stored) -> str:
    """The kind of step that an item waits for.

    Empty for one that waits for its merchant, or that has ended and is read once more weeks later.
    """
    if item["status"] == "IN_REVIEW":
        return "review"
    opened = [attempt for attempt in item["attempts"] if attempt["state"] in _OPEN]
    if opened and item.get("cancelRequested"):
        return "cancellation"
    if opened:
        return "UNKNOWN" if opened[0]["state"] == "STARTED" else opened[0]["state"].replace("AUTHORIZED", "")
    if any(a.get("reopens_until_ms") is not None for a in item["attempts"]):
        return "watched"
    if item.get("eventInquiries", {}).get("waiting"):
        return "hinted"
    return "next attempt" if item["status"] == "PENDING" else ""


_OPEN: Final = {"STARTED", "UNKNOWN", "ACCEPTED", "REQUIRES_ACTION", "AUTHORIZED"}
_CLOSED: Final = {"DECLINED", "NOT_SENT", "REJECTED", "FENCED"}


def _end_ms(item: Stored) -> int | None:
    """When a checkout ends: at its expiry, and at once where it is still open after that."""
    expires_ms: int | None = item.get("checkout", {}).get("expires_at_ms")
    if expires_ms is None or item["status"] != "REQUIRES_ACTION":
        return expires_ms
    return max(expires_ms, int(item["updatedAt"]))


def _capture_wait_ms(attempt: Stored, now_ms: int) -> int:
    """Money that waits for our capture is inquired about after half of the time that is left, a minute at least."""
    within_minutes = attempt.get("progress", {}).get("capture_within_minutes")
    left_ms = attempt["started_at_ms"] + int(within_minutes) * _MINUTE_MS - now_ms if within_minutes else -1
    return max(_MINUTE_MS, left_ms // 2) if left_ms >= 0 else _HOUR_MS
