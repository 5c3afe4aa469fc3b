"""The rules across a restore of the tables: ids, numbers of events, and charges that the providers still know."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sandbox.simulators import REAL_PROVIDERS
from simulation.checker.evidence import Evidence, Violation
from simulation.checker.money import misjudged_payments
from simulation.history import Call
from simulation.world import CONFIGURATION, TRANSACTIONS, Result
from testing.dynamodb.values import Item, plain_item

_DAY_MS: Final = 24 * 3_600_000
_CLOCKS_MS: Final = 7_000
_STOPPING_MS: Final = 10 * 60_000
"""From the stop of the API until the tables jump."""


def restored(evidence: Evidence) -> Iterator[Violation]:
    """A key has one id before and after; an event's id is not used again; a charge without a payment is on a list."""
    forgotten = evidence.result.forgotten
    if forgotten is None:
        return
    for call in forgotten.accepted:
        again = [c for c in evidence.created.get((call.merchant, call.key or ""), ()) if c.status == 202]
        for other in again if call.path == "/payments" else ():
            if other.answer["transactionId"] != call.answer["transactionId"]:
                yield Violation("I7", call.answer["transactionId"], "has another id after the restore")
    yield from _numbers(evidence)
    yield from _notified(evidence)
    yield from _lost_charges(evidence)
    yield from _charged_beside_forgotten(evidence)


def _numbers(evidence: Evidence) -> Iterator[Violation]:
    """A payment that was not forgotten as a whole gives none of its events an id or number that its merchant knows."""
    forgotten = evidence.result.forgotten
    for name, payment in evidence.payments.items() if forgotten is not None else ():
        if forgotten is None or name in forgotten.payments:
            continue
        for event in payment.events:
            event_id = f"evt_{payment.transaction_id[4:]}_{event['seq']}"
            if event_id in forgotten.delivered and event["at"] > forgotten.until_ms:
                yield Violation("I16", name, f"event {event['seq']} has an id that was delivered before the restore")
            is_new = "topic" in event and event["at"] > forgotten.until_ms
            if is_new and event["number"] <= forgotten.numbers.get(payment.transaction_id, 0):
                yield Violation("I16", name, f"event {event['seq']} has a number that was delivered before the restore")


def _notified(evidence: Evidence) -> Iterator[Violation]:
    """Each merchant that had an endpoint before the opening has one event of the restore, and nobody has two."""
    result = evidence.result
    if result.forgotten is None or not result.forgotten.opened_ms:
        return
    stored = Counter(event["merchantId"] for event in evidence.of_no_payment.values())
    span = result.forgotten
    for event in evidence.of_no_payment.values():
        told = event["forgotten"]
        if told["from"] > span.from_ms + _CLOCKS_MS or told["until"] + _CLOCKS_MS < span.until_ms - _STOPPING_MS:
            yield Violation("RESTORE", event["merchantId"], f"was told of {told}, and {span.from_ms} was forgotten on")
    for merchant, number in stored.items():
        if number > 1:
            yield Violation("RESTORE", merchant, f"was notified {number} times of one restore")
    for (table, (partition, sort)), item in result.items.items():
        if table != CONFIGURATION or sort != "ENDPOINTS":
            continue
        merchant = partition.removeprefix("E#")
        made = [endpoint["createdAt"] for endpoint in plain_item(item)["endpoints"]]
        if any(at_ms < result.forgotten.until_ms for at_ms in made) and not stored[merchant]:
            yield Violation("RESTORE", merchant, "has an endpoint and was not notified of the restore")


def _lost_charges(evidence: Evidence) -> Iterator[Violation]:
    """Where a provider has a report that tells the truth, the reconciliation of the forgotten time lists the charge.

    A line that is younger than the provider's lag is counted as timing, and listed by a later run if it stays alone. A
    run whose message failed five times waits for a person who replays the dead letter.
    """
    result = evidence.result
    forgotten = result.forgotten
    if forgotten is None or not result.settled:
        return
    found = "\n".join(
        f"{key} {item}" for (table, key), item in result.items.items() if table == TRANSACTIONS and key[0][0] == "Q"
    )
    early = {
        (item["provider"]["S"], item["merchant_id"]["S"])
        for (table, key), item in result.items.items()
        if table == TRANSACTIONS and key[0][0] == "Q" and _waits_for_a_person(item, result)
    }
    liars = {(change.provider, change.merchant) for change in result.history.report_changes}
    stored = {payment.transaction_id[4:] for payment in evidence.payments.values() if payment.item is not None}
    for entry in result.ledger:
        is_charge = entry.get("kind", "charge") == "charge" and entry["status"] == "charged"
        at_ms = float(entry["at"]) * 1000
        known = str(entry["reference"])[4:20] in stored or (entry["provider"], entry["merchant"]) in liars | early
        if not is_charge or known or entry["provider"] not in REAL_PROVIDERS or _is_young(entry, at_ms, result):
            continue
        if forgotten.from_ms <= at_ms < forgotten.until_ms and entry["chargeId"] not in found:
            yield Violation("RESTORE", str(entry["reference"]), f"was charged at {entry['provider']} and is on no list")


def _charged_beside_forgotten(evidence: Evidence) -> Iterator[Violation]:
    """A payment that was forgotten as a whole still holds its order: no other one that says *once* is sent for it.

    A payer who pays an object of before the stop is not meant, nor a payment that is accepted a day after the opening.
    """
    forgotten = evidence.result.forgotten
    if forgotten is None or not forgotten.opened_ms:
        return
    holders = {(call.merchant, order_id): call for call, order_id in _of_orders(forgotten.accepted)}
    misjudged = set(misjudged_payments(evidence))
    for (merchant, _), calls in evidence.created.items():
        for call, order_id in _of_orders(calls):
            holder = holders.get((merchant, order_id))
            name = f"{call.answer['transactionId']}@{merchant}"
            payment = evidence.payments[name]
            if holder is None or payment.is_checkout or name in misjudged or not payment.versions:
                continue
            created_ms = payment.versions[0][0].at_ms
            is_later = created_ms >= forgotten.opened_ms + _DAY_MS
            if is_later or not _is_once(call) or _has_come_again(holder, evidence):
                continue
            sent = any(entry["at"] * 1000 > forgotten.opened_ms for entry in payment.charged)
            if sent and _is_charged(holder.answer["transactionId"], evidence):
                what = f"was charged beside {holder.answer['transactionId']}, which holds {order_id} and was forgotten"
                yield Violation("I17", name, what)


def _of_orders(calls: Iterable[Call]) -> Iterator[tuple[Call, str]]:
    for call in calls:
        if call.status == 202 and call.path == "/payments" and "orderId" in (body := json.loads(call.body or "{}")):
            yield call, body["orderId"]


def _is_once(call: Call) -> bool:
    return bool(json.loads(call.body or "{}").get("oncePerOrder", True))


def _has_come_again(call: Call, evidence: Evidence) -> bool:
    payment = evidence.payments.get(f"{call.answer['transactionId']}@{call.merchant}")
    return payment is not None and payment.item is not None


def _is_charged(transaction_id: str, evidence: Evidence) -> bool:
    """Whether the books have a charge of it that stays."""
    return any(
        str(entry["reference"])[4:20] == transaction_id[4:]
        and entry.get("kind", "charge") == "charge"
        and entry["status"] == "charged"
        and entry["refunded"] < entry["amount"]
        for entry in evidence.result.ledger
    )


def _is_young(entry: Mapping[str, Any], at_ms: float, result: Result) -> bool:
    """Whether a run that counts lines as timing, or finds none, began before the provider's lag was over.

    Each provider's report is read again in the three days after.
    """
    return any(
        table == TRANSACTIONS
        and (item.get("provider", {}).get("S"), item.get("merchant_id", {}).get("S"))
        == (entry["provider"], entry["merchant"])
        and ("timing" in item.get("counts", {}).get("M", {}) or not item.get("counts", {}).get("M"))
        and at_ms + int(item["lag_ms"]["N"]) > int(item["created_at_ms"]["N"])
        for (table, key), item in result.items.items()
        if key[0][0] == "Q"
    )


def _waits_for_a_person(run: Item, result: Result) -> bool:
    """Whether the run failed, of which an alarm tells a person, or is not done and its message is a dead letter."""
    if "run_id" not in run or run["phase"]["S"] == "done":
        return False
    return run["phase"]["S"] == "failed" or f'"{run["run_id"]["S"]}"' in result.waiting_runs
