"""REPLAYS: a dead letter leaves when its work is queued again or over, and no reconciliation stands still."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from simulation.checker.evidence import Evidence, PaymentEvidence, Violation, stored_at
from simulation.history import Lettered, Write
from simulation.world import TRANSACTIONS
from testing.dynamodb.values import plain_item

_OVER: Final = frozenset({"done", "failed"})
_OF_OPERATION: Final = ("movement_reference", "movement_key")
_KINDS: Final[Mapping[str, str]] = {
    "worker": "a wake-up",
    "provider_events": "an event of a provider",
    "deliverer": "a delivery",
    "reconciler": "a reconciliation",
}
Message = dict[str, Any]


def replays_lose_nothing(evidence: Evidence) -> Iterator[Violation]:
    """Who removes a dead letter has sent the same work before, unless none is left. One about an item that nobody
    knows stays for an operator.
    """
    letters = evidence.result.history.letters
    for place, removed in enumerate(letters):
        if removed.is_sent:
            continue
        before = (one for one in letters[:place] if one.is_sent and one.process == removed.process)
        about = _about(removed)
        if any(_about(one) == about for one in before):
            continue
        why = _why_not(removed, evidence)
        if why:
            yield Violation("REPLAYS", "-", f"a dead letter of the {removed.consumer} about {about} was removed: {why}")


def no_run_stands_still(evidence: Evidence) -> Iterator[Violation]:
    """At rest a reconciliation is over, or its message waits among the dead letters for an operator.

    Meant are those whose request was answered: who gets no answer, or an error, asks again.
    """
    result = evidence.result
    answered = {
        _asked(done.command) for done in result.history.commands if done.ok and done.command["command"] == "reconcile"
    }
    for (table, key), item in result.items.items() if result.settled else ():
        if table != TRANSACTIONS or not key[0].startswith("Q#") or key[1] != "RUN":
            continue
        run = plain_item(item)
        if (run["merchant_id"], run["provider"], run["from_ms"], run["until_ms"]) not in answered:
            continue
        if run["phase"] not in _OVER and f'"{run["run_id"]}"' not in result.waiting_runs:
            what = f"the reconciliation {run['run_id']} of {run['provider']} stands still, and no message is left"
            yield Violation("REPLAYS", run["merchant_id"], what)


def _asked(command: Message) -> tuple[Any, ...]:
    return tuple(command.get(name) for name in ("merchantId", "provider", "fromMs", "untilMs"))


def _about(letter: Lettered) -> tuple[Any, ...]:
    """The work that a message asks for: a run, an event of a provider, a delivery, or the next step of an item."""
    fields = _fields(letter)
    names = ("run_id", "event_id", "merchant_id", "transaction_id", "operation_id", "seq", "read_refunds")
    return (letter.consumer, *(fields.get(name) for name in names))


def _fields(letter: Lettered) -> Message:
    return dict(json.loads(letter.body))


def _why_not(removed: Lettered, evidence: Evidence) -> str:
    """Why the message may not leave unsent; empty where no work is left for it."""
    fields = _fields(removed)
    match removed.consumer:
        case "reconciler":
            run = _stored(evidence, (f"Q#{fields['run_id']}", "RUN"), removed.at_ms)
            return "" if run is None or run["phase"] in _OVER else f"its run is in phase {run['phase']}"
        case "deliverer":
            name = f"M#{fields['merchant_id']}#P#{fields['transaction_id']}"
            event = _stored(evidence, (name, f"EVENT#{fields['seq']:06}"), removed.at_ms)
            return "its event is due" if event is not None and "dueAt" in event else ""
        case "provider_events":
            return _why_event_not(fields, removed.at_ms, evidence)
        case _ if fields.get("read_refunds"):
            return "refunds are to be read"
        case _:  # what is open is due by its stored item; what is not stored an operator is to know
            payment = evidence.payments.get(f"{fields['transaction_id']}@{fields['merchant_id']}")
            is_stored = payment is not None and stored_at(payment.versions, removed.at_ms, before=False) is not None
            return "" if is_stored else "it names no item that is stored"


def _why_event_not(fields: Message, at_ms: int, evidence: Evidence) -> str:
    """A provider's event is applied where the ledger knows what it names: the refund, or else the charge.

    An event that names a refund by an id which nobody knows is about a charge only by that charge's id.
    """
    mine = [payment for payment in evidence.payments.values() if payment.merchant == fields["merchant_id"]]
    is_of_refund = bool(fields.get("movement_reference") or fields.get("movement_key"))
    of_charge = ("charge_reference",) if is_of_refund else ("charge_reference", "charge_key")
    names = {str(fields[name]) for name in (*_OF_OPERATION, *of_charge) if fields.get(name)}
    account = (fields["provider"], fields["account_id"])
    known = [name for payment in mine for name in sorted(names & _names(payment, account, at_ms - _CLOCKS_MS))]
    return f"{known[0]} is known here" if known else ""


def _names(payment: PaymentEvidence, account: tuple[str, str], at_ms: int) -> set[str]:
    """The keys and references at this account that the payment and its operations have had for some time."""
    found = [stored_at(payment.versions, at_ms, before=False)]
    found += [stored_at(operation.versions, at_ms, before=False) for operation in payment.operations.values()]
    attempts = [attempt for item in found if item is not None for attempt in item["attempts"]]
    here = [attempt for attempt in attempts if (attempt["provider"], attempt["account_id"]) == account]
    return {str(attempt[name]) for attempt in here for name in ("provider_key", "reference") if attempt.get(name)}


_CLOCKS_MS: Final = 10_000


def _stored(evidence: Evidence, key: tuple[str, str], at_ms: int) -> Message | None:
    written = (w for w in reversed(evidence.result.history.writes) if w.key == key and _is_before(w, at_ms))
    newest = next(written, None)
    return plain_item(newest.after) if newest is not None and newest.after is not None else None


def _is_before(write: Write, at_ms: int) -> bool:
    return write.table == TRANSACTIONS and write.at_ms <= at_ms


def count_replays(found: Counter[str], evidence: Evidence) -> None:
    """The work of each queue that came back from its dead letters, and what came back twice: its removal failed."""
    history = evidence.result.history
    replayed = [
        letter
        for letter in history.letters
        if letter.is_sent and letter.process in history.invocations
        if history.invocations[letter.process].function == "operations"
    ]
    for letter in replayed:
        found[f"replayed: {_KINDS[letter.consumer]}"] += 1
    processes = {(_about(letter), letter.process) for letter in replayed}
    found["replayed: twice"] += len(processes) - len({about for about, _ in processes})
