"""The paths that a run walked, counted: operations, events, deliveries, reports, operators, releases."""

from collections import Counter

from simulation.checker.api_keys import count_api_keys
from simulation.checker.approvals import count_approvals
from simulation.checker.checkout_paths import count_checkout, count_pages
from simulation.checker.dispute_paths import count_dispute_lists, count_disputes
from simulation.checker.evidence import Evidence, OperationEvidence, PaymentEvidence, Stored
from simulation.checker.replays import count_replays
from simulation.checker.transitions import OPEN
from simulation.history import Source
from testing.dynamodb.values import plain_item


def walked(evidence: Evidence) -> Counter[str]:
    """How often each path was walked. `simulation/paths.py` names those that must be."""
    found: Counter[str] = Counter()
    for payment in evidence.payments.values():
        _count_hints(found, payment)
        _count_attempts(found, payment)
        _count_standings(found, payment)
        count_checkout(found, payment)
        count_disputes(found, payment)
        for operation in payment.operations.values():
            _count_operation(found, payment, operation)
        refunds = [o for o in payment.operations.values() if o.item and o.item["kind"] == "refund"]
        found["several refunds of one payment"] += len(refunds) > 1
        for event in payment.events:
            _count_event(found, event)
    _count_world(found, evidence)
    count_pages(found, evidence)
    count_api_keys(found, evidence)
    count_approvals(found, evidence)
    count_dispute_lists(found, evidence)
    count_replays(found, evidence)
    return found


def _count_hints(found: Counter[str], payment: PaymentEvidence) -> None:
    for versions in (payment.versions, *(operation.versions for operation in payment.operations.values())):
        for _, before, after in versions:
            waiting = [(item or {}).get("eventInquiries", {}).get("waiting", []) for item in (before, after)]
            found["an event about a closed attempt is inquired about"] += len(waiting[0]) > len(waiting[1])
            asked = after is not None and len(waiting[0]) < len(waiting[1])
            if after is not None and asked and after["status"] == "PENDING":
                found["an event holds the next attempt"] += not any(a["state"] in OPEN for a in after["attempts"])


def _count_attempts(found: Counter[str], payment: PaymentEvidence) -> None:
    """Count cancellations by what they met, and captures that a connector makes by itself."""
    for _, before, after in payment.versions:
        if before is None or after is None:
            continue
        if "cancelRequested" in after and "cancelRequested" not in before:
            state = before["attempts"][-1]["state"] if before["attempts"] else "no attempt"
            found[f"cancellation beside {state}"] += 1
        for one, other in zip(before["attempts"], after["attempts"], strict=False):
            sent = ["capture_sent_at" in attempt.get("progress", {}) for attempt in (one, other)]
            found[f"own capture at {other['provider']}"] += sent == [False, True]


def _count_standings(found: Counter[str], payment: PaymentEvidence) -> None:
    """Count the ends of a payment's part in its order. One without a stored word is counted."""
    for _, before, after in payment.versions:
        if before is None or after is None or "orderHash" not in after:
            continue
        old, new = (item.get("orderStanding", "counted") for item in (before, after))
        if old != new:
            found[f"order: {old} became {new}"] += 1


def _count_operation(found: Counter[str], payment: PaymentEvidence, operation: OperationEvidence) -> None:
    for _, before, after in operation.versions:
        if before is None or after is None:
            continue
        kind = after["kind"]
        if before["status"] != after["status"]:
            found[f"{kind}: {before['status']} became {after['status']}"] += 1
        for one, other in zip(before["attempts"], after["attempts"], strict=False):
            if one["state"] != other["state"]:
                found[f"{kind} attempt: {one['state']} became {other['state']}"] += 1
        found[f"{kind}: a further attempt"] += len(after["attempts"]) > max(1, len(before["attempts"]))
    item = operation.item
    if item is not None and payment.item is not None:
        found[f"{item['kind']} of a part"] += item["amount"] < payment.item["amount"]
        found[f"{item['kind']} made at the provider"] += item.get("origin") == "provider"


def _count_event(found: Counter[str], event: Stored) -> None:
    found[f"changed by {event['actor']}"] += 1
    for delivery in event.get("deliveries", {}).values():
        found[f"delivery: {delivery['state']}"] += 1
        found["delivery tried again"] += delivery["attempts"] > 1


def _count_world(found: Counter[str], evidence: Evidence) -> None:
    history = evidence.result.history
    for webhook in history.webhooks:
        kind = "of another merchant" if webhook.merchant != webhook.address else "true"
        kind = "signed with another key" if webhook.signed_by != webhook.address else kind
        found[f"provider event: {kind}, answered {webhook.status}"] += 1
    for change in history.report_changes:
        found[f"report line: {change.change}"] += 1
    for command in history.commands:
        found[f"command: {command.command['command']}, {'done' if command.ok else 'refused'}"] += 1
        if command.is_right is not None and command.ok:
            found[f"verdict {'by' if command.is_right else 'against'} the books"] += 1
    for entry in history.entries:
        if entry.source is Source.DASHBOARD:
            found[f"dashboard: {entry.kind}"] += 1
    found["delivery redirected"] += sum(300 <= delivered.status < 400 for delivered in history.deliveries)
    for call in history.calls:
        found["a list of payments"] += "items" in call.answer and call.path == "/payments"
        found["a list of operations"] += "items" in call.answer and call.path.endswith("/operations")
        if call.status >= 400:
            found[f"refused: {call.answer.get('code')}"] += 1
    for (_, key), item in evidence.result.items.items():
        if key[1] == "ENDPOINTS":
            listed = plain_item(item)["endpoints"]
            found["endpoint disabled"] += sum("disabledReason" in endpoint for endpoint in listed)
    newer = any("addedLater" in item for item in evidence.result.items.values())
    found["items of a newer release"] += newer
    for strike in history.strikes:
        found[f"strike: {strike.kind}"] += strike.until_ms > 0
