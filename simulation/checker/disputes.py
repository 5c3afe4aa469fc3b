"""DISPUTES: what is stored about a dispute is what its provider said last, and no money moves by it."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Final

from simulation.checker.answers import time_of
from simulation.checker.evidence import Evidence, PaymentEvidence, Stored, Violation, alive_between, stored_at
from simulation.history import Commanded, DisputeTurn, PostedWebhook, Warned
from simulation.world import TRANSACTIONS
from testing.dynamodb.values import plain_item

Name = tuple[str, str]
"""A dispute's provider, and its id there."""
ENDED: Final = frozenset({"WON", "LOST", "CLOSED"})
_CLOCKS_MS: Final = 7_000
_MATCHED_MS: Final = 300_000
"""A webhook waits so long at least for the write that makes its charge known."""
_STALE_MS: Final = 30_000
_KEYED: Final = frozenset({"razorpay", "cashfree"})
"""Providers that name our key beside the charge of a dispute: nothing needs to be known of the charge."""
_UNSIGNED: Final = frozenset({"payu"})
"""Providers that do not sign what they tell of disputes."""
_INDIA: Final = timezone(timedelta(hours=5, minutes=30))
_BOOKKEEPING: Final = frozenset(
    {"disputes", "version", "balanceVersion", "eventSeq", "eventHash", "announced", "updatedAt", "lease", "drives"}
)
"""What a report of a dispute may change of its payment: not its status, amounts, attempts or times."""
_AT_FIRST: Final = frozenset({"holdsFirstEvent", "firstEvent"})


@dataclass(slots=True)
class Told:
    """All that a provider said of one dispute, in its order, and when each was taken here first."""

    turns: list[DisputeTurn] = field(default_factory=list)
    taken_ms: dict[str, int] = field(default_factory=dict)
    """When a post of an event arrived that was authentic and at its merchant's address, and was answered with 200."""
    posted_ms: dict[str, int] = field(default_factory=dict)
    """The same, whatever the answer was."""


def told_of(evidence: Evidence) -> Mapping[tuple[str, str, str], Told]:
    """By merchant, provider and the dispute's id."""
    posts: dict[str, list[PostedWebhook]] = defaultdict(list)
    for webhook in evidence.result.history.webhooks:
        if webhook.merchant == webhook.address == webhook.signed_by:
            posts[webhook.event_id].append(webhook)
    found: dict[tuple[str, str, str], Told] = defaultdict(Told)
    for turn in evidence.result.history.dispute_turns:
        told = found[turn.merchant, turn.provider, turn.dispute]
        told.turns.append(turn)
        for webhook in posts.get(turn.event_id, ()):
            told.posted_ms[turn.event_id] = min(webhook.at_ms, told.posted_ms.get(turn.event_id, webhook.at_ms))
            if webhook.status in _TAKEN:
                told.taken_ms[turn.event_id] = min(webhook.at_ms, told.taken_ms.get(turn.event_id, webhook.at_ms))
    return found


_TAKEN: Final = range(200, 300)


def disputes_are_true(evidence: Evidence) -> Iterator[Violation]:
    """Each stored dispute is what its provider said of a charge of this payment, in a post that had arrived; what was
    said later replaces what was said before, never the other way round. One write tells of one dispute.
    """
    told = told_of(evidence)
    for name, payment in evidence.payments.items():
        charges = _charges_of(payment)
        for write, before, after in payment.versions:
            changed = changed_disputes(before, after)
            if after is None or not changed or _is_erasure(before, after):
                continue
            if len(changed) > 1 or len(by_name(after)) < len(by_name(before)):
                yield Violation("DISPUTES", name, f"one write changes {sorted(changed)}")
            for (provider, reference), (old, new) in changed.items():
                said = told.get((payment.merchant, provider, reference), Told())
                turns = [t for t in said.turns if said.posted_ms.get(t.event_id, 1 << 62) <= write.at_ms]
                wrong = _why_untrue(turns, charges, old, new, after)
                if wrong:
                    yield Violation("DISPUTES", name, f"{reference} of {provider} is stored as {new}: {wrong}")


def _why_untrue(
    turns: Sequence[DisputeTurn], charges: frozenset[str], old: Stored | None, new: Stored, payment: Stored
) -> str:
    """Empty for what the provider said."""
    mine = [turn for turn in turns if turn.charge_id in charges]
    if not mine:
        return "no post told of it and of a charge of this payment"
    same = [turn for turn in mine if _says(turn, new, payment)]
    if not same:
        return f"the provider said {[(t.state, t.amount, t.at_ms) for t in mine]}"
    known = [turn for turn in mine if old is not None and turn.at_ms == _true_time(mine, old)]
    if known and max(turn.at_ms for turn in same) < max(turn.at_ms for turn in known):
        return f"the provider had said {known[-1].state} later than that"
    return ""


def _says(turn: DisputeTurn, stored: Stored, payment: Stored) -> bool:
    """The time is the provider's, or ours where its clock is ahead. An erased payment keeps no reason."""
    reason = "" if payment.get("erased") else turn.reason
    facts = (stored["state"], stored["amount"], stored["currency"], stored["reason"], stored.get("is_signed", True))
    is_when = turn.at_ms - _CLOCKS_MS <= stored["reported_at_ms"] <= turn.at_ms
    return is_when and facts == (turn.state, turn.amount, turn.currency, reason, turn.provider not in _UNSIGNED)


def _true_time(turns: Sequence[DisputeTurn], stored: Stored) -> int:
    """The provider's time of the turn that is stored; 0 where several may be it."""
    at = {turn.at_ms for turn in turns if turn.state == stored["state"] and _is_near(turn, stored)}
    return min(at, default=0)


def _is_near(turn: DisputeTurn, stored: Stored) -> bool:
    return bool(turn.at_ms - _CLOCKS_MS <= stored["reported_at_ms"] <= turn.at_ms)


def disputes_move_nothing(evidence: Evidence) -> Iterator[Violation]:
    """A report of a dispute, a lost one too, changes neither status, amounts nor attempts, and makes no operation."""
    for name, payment in evidence.payments.items():
        for write, before, after in payment.versions:
            if before is None or after is None or not changed_disputes(before, after) or _is_erasure(before, after):
                continue
            differs = {key for key in {*before, *after} if before.get(key) != after.get(key)}
            if differs - _BOOKKEEPING - _AT_FIRST:
                yield Violation("DISPUTES", name, f"a report of a dispute changed {sorted(differs - _BOOKKEEPING)}")
            beside = [
                key
                for each in payment.transactions
                if (each.at_ms, each.process) == (write.at_ms, write.process) and after in _afters(each.changed)
                for key in each.changed
                if key != "PAYMENT"
            ]
            if beside:
                yield Violation("DISPUTES", name, f"a report of a dispute changed {beside}")


def _afters(changed: Mapping[str, tuple[Stored | None, Stored | None]]) -> list[Stored | None]:
    return [after for _, after in changed.values()]


def disputes_are_announced(evidence: Evidence) -> Iterator[Violation]:
    """Each change of a dispute is one event with its facts. Its type says what became of it; an end comes once."""
    for name, payment in evidence.payments.items():
        kept = {event["seq"] for event in payment.events}
        for _, before, after in payment.versions:
            changed = changed_disputes(before, after)
            if after is None or not changed or _is_erasure(before, after) or after["eventSeq"] not in kept:
                continue
            event = payment.event_of(after) or {}
            for (provider, reference), (old, new) in changed.items():
                wanted = f"payment.dispute.{_news(old, new)}"
                facts = event.get("facts", {})
                named = tuple(facts.get(fact) for fact in _FACTS)
                if event.get("type") != wanted or event.get("topic") != wanted:
                    yield Violation("DISPUTES", name, f"{reference} {new['state']} is told as {event.get('type')}")
                if named != (provider, reference, new["state"], new["amount"], new.get("evidence_due_at_ms")):
                    yield Violation("DISPUTES", name, f"event {event.get('seq')} tells {facts} of {new}")


_FACTS: Final = ("provider", "disputeReference", "disputeState", "disputeAmount", "evidenceDueAtMs")


def _news(old: Stored | None, new: Stored) -> str:
    if new["state"] in ENDED and (old is None or old["state"] != new["state"]):
        return str(new["state"]).lower()
    is_over = old is not None and old["state"] in ENDED
    return "opened" if old is None or (is_over and new["state"] not in ENDED) else "updated"


def nothing_told_is_lost(evidence: Evidence) -> Iterator[Violation]:
    """At rest, a dispute is as the provider said last, of all that arrived while its charge was known here or became
    known soon after; and so are the time of its beginning and its deadline, in whatever order the posts arrived.
    """
    if not evidence.result.settled:
        return
    owners = {
        (payment.merchant, provider, reference): payment
        for payment in evidence.payments.values()
        if payment.item is not None
        for provider, reference in _references(payment.item)
    }
    for (merchant, provider, dispute), told in told_of(evidence).items():
        payment = owners.get((merchant, provider, told.turns[0].charge_id))
        if payment is None or payment.item is None:
            continue
        known_ms = _known_ms(payment, provider, told.turns[0].charge_id)
        missed = [turn for turn in told.turns if _is_due_here(evidence, told, turn, known_ms)]
        if not missed:
            continue
        last = max(missed, key=lambda turn: (turn.at_ms, turn.number))
        stored = by_name(payment.item).get((provider, dispute))
        if stored is None:
            yield Violation("DISPUTES", payment.name, f"{dispute} of {provider} was told and is not stored")
            continue
        now = [turn for turn in told.turns if turn.at_ms >= last.at_ms and _says(turn, stored, payment.item)]
        if not now:
            what = f"{dispute} of {provider} is stored as {stored['state']}, and was told as {last.state} last"
            yield Violation("DISPUTES", payment.name, what)
        if stored["opened_at_ms"] > min(turn.at_ms for turn in missed):
            yield Violation("DISPUTES", payment.name, f"{dispute} of {provider} began earlier than is stored")
        deadlines = [turn for turn in missed if turn.due_ms is not None]
        if deadlines and "evidence_due_at_ms" not in stored:
            yield Violation("DISPUTES", payment.name, f"{dispute} of {provider} has lost its deadline")
        named_ms = max((turn.at_ms for turn in deadlines), default=0)
        named = {_deadline(turn) for turn in told.turns if turn.due_ms is not None and turn.at_ms >= named_ms}
        if deadlines and stored.get("evidence_due_at_ms") not in named:
            yield Violation("DISPUTES", payment.name, f"{dispute} of {provider} has a deadline that nobody named last")


def _is_due_here(evidence: Evidence, told: Told, turn: DisputeTurn, known_ms: int) -> bool:
    """Whether this arrived, and not only before its charge was known or before a restore that forgot it."""
    at_ms = told.taken_ms.get(turn.event_id)
    forgotten = evidence.result.forgotten
    if at_ms is None or at_ms + _MATCHED_MS < known_ms:
        return False
    return forgotten is None or at_ms > forgotten.until_ms


def _known_ms(payment: PaymentEvidence, provider: str, charge_id: str) -> int:
    """Since when the item names the charge, or an attempt whose key the provider names beside it."""
    times = [
        write.at_ms
        for write, before, after in payment.versions
        if after is not None
        and _knows(after, provider, charge_id)
        and (before is None or not _knows(before, provider, charge_id))
    ]
    return max(times, default=1 << 62)


def _knows(item: Stored, provider: str, charge_id: str) -> bool:
    if provider in _KEYED:
        return any(attempt["provider"] == provider for attempt in item["attempts"])
    return (provider, charge_id) in _references(item)


def _references(item: Stored) -> set[Name]:
    """The charges that an item names, further ones inside an object of a checkout among them."""
    attempts = item["attempts"]
    charges = [(attempt["provider"], attempt["reference"]) for attempt in attempts if "reference" in attempt]
    extra = [
        (attempts[each.get("attempt", 1) - 1]["provider"], each["reference"]) for each in item.get("extraCharges", [])
    ]
    return {*charges, *extra}


def _deadline(turn: DisputeTurn) -> int | None:
    """PayU names a day, which ends in India."""
    if turn.due_ms is None or turn.provider != "payu":
        return turn.due_ms
    day = datetime.fromtimestamp(turn.due_ms / 1_000, _INDIA).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((day + timedelta(days=1)).timestamp() * 1_000)


# --- the list of those that await evidence


def open_disputes_are_listed(evidence: Evidence) -> Iterator[Violation]:
    """A dispute that awaits evidence is in the index of open disputes, under its deadline; nothing else is."""
    listed = {
        (key[0], item["provider"], item["reference"], str(item["reviewSort"]).partition("#")[0])
        for (table, key), stored in evidence.result.items.items()
        if table == TRANSACTIONS and key[1].startswith("DISPUTE#") and "reviewSort" in (item := plain_item(stored))
    }
    wanted = {
        (f"M#{payment.merchant}#P#{payment.transaction_id}", *name, f"{dispute['evidence_due_at_ms']:013d}")
        for payment in evidence.payments.values()
        if payment.item is not None
        for name, dispute in by_name(payment.item).items()
        if _awaits(dispute)
    }
    for entry in sorted(listed ^ wanted):
        what = "is on the list of open disputes" if entry in listed else "awaits evidence and is on no list"
        yield Violation("DISPUTES", entry[0], f"{entry[2]} of {entry[1]} {what}")


def lists_show_open_disputes(evidence: Evidence) -> Iterator[Violation]:
    """An operator's list holds what awaits evidence and is not too late, of that merchant, the earliest first."""
    for command, items in _lists(evidence):
        shown = {(i["transactionId"], i["provider"], i["providerRef"], i["evidenceDueAt"]) for i in items}
        if [i["evidenceDueAt"] for i in items] != sorted(i["evidenceDueAt"] for i in items):
            yield Violation("DISPUTES", "-", "the list of open disputes is not by deadline")
        certain, possible = _open_at(evidence, command)
        for entry in sorted(certain - shown):
            yield Violation("DISPUTES", entry[0], f"{entry[2]} of {entry[1]} is not on the list that was read")
        for entry in sorted(shown - possible):
            yield Violation("DISPUTES", entry[0], f"{entry[2]} of {entry[1]} is on the list that was read")


Entry = tuple[str, str, str, str]


def _lists(evidence: Evidence) -> Iterator[tuple[Commanded, list[Stored]]]:
    """Each list that was read to its end, with the items of all its pages."""
    if evidence.result.forgotten is not None:
        return
    pages: dict[tuple[str, str], tuple[Commanded, list[Stored]]] = {}
    for command in evidence.result.history.commands:
        if command.command["command"] != "list_disputes":
            continue
        merchant, position = command.command["merchantId"], command.command.get("position", "")
        first, items = pages.pop((merchant, position), (None, list[Stored]())) if position else (None, list[Stored]())
        if not command.ok or command.answer is None or (position and first is None):
            continue
        first, items = first or command, [*items, *command.answer["items"]]
        if command.answer["nextPosition"] is None:
            yield replace(first, answered_ms=command.answered_ms), items
        else:
            pages[merchant, command.answer["nextPosition"]] = (first, items)


def _open_at(evidence: Evidence, command: Commanded) -> tuple[set[Entry], set[Entry]]:
    """The disputes that must be on the list, and those that may be."""
    certain, possible = set[Entry](), set[Entry]()
    from_ms, until_ms = command.at_ms - _STALE_MS, command.answered_ms
    for payment in evidence.payments.values():
        if payment.merchant != command.command["merchantId"]:
            continue
        versions = alive_between(payment.versions, from_ms, until_ms)
        seen = [_open_of(payment, version, until_ms + _CLOCKS_MS) for version in versions]
        may = [_open_of(payment, version, command.at_ms - _CLOCKS_MS) for version in versions]
        possible |= set().union(*may)
        if stored_at(payment.versions, from_ms, before=True) is not None:
            certain |= set.intersection(*seen) if seen else set()
    return certain, possible


def _open_of(payment: PaymentEvidence, item: Stored, at_ms: int) -> set[Entry]:
    return {
        (payment.transaction_id, *name, time_of(dispute["evidence_due_at_ms"]))
        for name, dispute in by_name(item).items()
        if _awaits(dispute) and dispute["evidence_due_at_ms"] >= at_ms
    }


def _awaits(dispute: Stored) -> bool:
    return dispute["state"] == "OPEN" and "evidence_due_at_ms" in dispute


def deadlines_are_warned_of(evidence: Evidence) -> Iterator[Violation]:
    """Every hour, what awaits evidence within three days and is not too late is counted, and named, once each."""
    for warned in evidence.result.history.warnings:
        if warned.near is None or evidence.result.forgotten is not None:
            continue
        certain, possible = _near_at(evidence, warned)
        named = [(txn, provider, reference) for txn, provider, reference in map(_named, warned.lines)]
        if len(named) != warned.near or len(set(named)) != len(named):
            yield Violation("DISPUTES", "-", f"{warned.near} deadlines were counted, and {sorted(named)} named")
        for entry in sorted(certain - set(named)):
            yield Violation("DISPUTES", entry[0], f"nobody was warned of the deadline of {entry[2]} of {entry[1]}")
        for entry in sorted(set(named) - possible):
            yield Violation("DISPUTES", entry[0], f"{entry[2]} of {entry[1]} was warned of")


_SOON_MS: Final = 3 * 24 * 3_600_000


def _near_at(evidence: Evidence, warned: Warned) -> tuple[set[tuple[str, str, str]], set[tuple[str, str, str]]]:
    certain, possible = set[tuple[str, str, str]](), set[tuple[str, str, str]]()
    for payment in evidence.payments.values():
        from_ms, until_ms = warned.at_ms - _STALE_MS, warned.answered_ms
        versions = alive_between(payment.versions, from_ms, until_ms)
        may = [_near(payment, v, warned.at_ms - _CLOCKS_MS, until_ms + _CLOCKS_MS + _SOON_MS) for v in versions]
        must = [_near(payment, v, until_ms + _CLOCKS_MS, warned.at_ms - _CLOCKS_MS + _SOON_MS) for v in versions]
        possible |= set().union(*may)
        if stored_at(payment.versions, from_ms, before=True) is not None and must:
            certain |= set.intersection(*must)
    return certain, possible


def _near(payment: PaymentEvidence, item: Stored, from_ms: int, until_ms: int) -> set[tuple[str, str, str]]:
    return {
        (payment.transaction_id, *name)
        for name, dispute in by_name(item).items()
        if _awaits(dispute) and from_ms <= dispute["evidence_due_at_ms"] <= until_ms
    }


def _named(line: str) -> tuple[str, str, str]:
    found = dict(_FACT.findall(line))
    return found["transactionId"], found["provider"], found["disputeReference"]


_FACT: Final = re.compile(r"'(transactionId|provider|disputeReference)': '([^']*)'")

# --- shared


def by_name(item: Stored | None) -> dict[Name, Stored]:
    """The disputes of an item."""
    return {(each["provider"], each["reference"]): each for each in (item or {}).get("disputes", [])}


def changed_disputes(before: Stored | None, after: Stored | None) -> dict[Name, tuple[Stored | None, Stored]]:
    """The disputes that a write adds or changes."""
    if before is not None and after is not None and before.get("disputes") == after.get("disputes"):
        return {}
    known = by_name(before)
    return {name: (known.get(name), new) for name, new in by_name(after).items() if known.get(name) != new}


def _is_erasure(before: Stored | None, after: Stored) -> bool:
    return bool(after.get("erased")) and not (before or {}).get("erased")


def _charges_of(payment: PaymentEvidence) -> frozenset[str]:
    return frozenset(str(line["chargeId"]) for line in payment.books if line["kind"] == "charge")
