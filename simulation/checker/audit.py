"""I4 of who did what: events name their true actors and amounts, operators are recorded, reviews are shown truly."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from simulation.checker.evidence import Evidence, OperationEvidence, PaymentEvidence, Stored, Violation
from simulation.world import CONFIGURATION, TRANSACTIONS
from testing.dynamodb.values import plain_item

_BESIDE: Final = frozenset({"orders", "provider"})
"""Another payment of the order causes a change; a list of the provider's proves one."""
_ACTORS: Final[Mapping[str, str]] = {
    "api": "api",
    "checkout": "payer",
    "worker": "worker",
    "sweeper": "sweeper",
    "operations": "operator",
    "provider_events": "webhook",
    "reconciler": "reconciliation",
}
_RECORDED: Final[Mapping[str, str]] = {
    "create_merchant": "merchant.created",
    "rotate_key": "key.rotated",
    "create_key": "key.created",
    "revoke_key": "key.revoked",
    "rotate_credentials": "credentials.rotated",
    "finish_credentials_rotation": "credentials.rotation_finished",
    "set_orders": "merchant.orders_set",
    "reconcile": "reconciliation.started",
}
"""Commands, and how the operators' log calls what they did."""
_DAY_MS: Final = 24 * 3_600_000
_CLOCKS_MS: Final = 7_000
_HELD_UP_MS: Final = 15 * 60_000


def actors_are_true(evidence: Evidence) -> Iterator[Violation]:
    """Each audit event names who made the change, by the function that wrote it, and an operation's amount."""
    invocations = evidence.result.history.invocations
    for write in evidence.result.history.writes:
        if write.table != TRANSACTIONS or write.before is not None or write.after is None:
            continue
        function = invocations[write.process].function if write.process in invocations else ""
        if not write.key[1].startswith("EVENT#") or function not in _ACTORS or "actor" not in write.after:
            continue
        actor = write.after["actor"]["S"]
        if actor not in {_ACTORS[function], *_BESIDE}:
            yield Violation("I4", write.key[0], f"event {write.key[1]} of {function} says that it is by {actor}")
    for name, payment in evidence.payments.items():
        for event in payment.events:
            if event["type"].startswith("review.") and event["from"] != "IN_REVIEW":
                yield Violation("I4", name, f"event {event['seq']} closes a review of what is {event['from']}")
            operation = payment.operations.get(str(event["facts"].get("operationId")))
            item = operation.item if operation is not None else None
            if ".review_" in event["type"] and operation is not None and _was_closed(operation, event["at"]):
                yield Violation("I4", name, f"event {event['seq']} closes the review of {operation.operation_id} again")
            if item is not None and event["facts"].get("amount", item["amount"]) != item["amount"]:
                what = f"event {event['seq']} tells {event['facts']['amount']} of {item['amount']}"
                yield Violation("I4", name, what)


def _was_closed(operation: OperationEvidence, at_ms: int) -> bool:
    """Whether the change of this time began outside of a review."""
    changes = ((before, after) for _, before, after in operation.versions if before is not None and after is not None)
    return any(
        before["updatedAt"] != at_ms == after["updatedAt"] and before["status"] != "IN_REVIEW"
        for before, after in changes
    )


def operators_are_recorded(evidence: Evidence) -> Iterator[Violation]:
    """Every change that an operator makes, of whatever, is in the operators' log, with the person and the reason."""
    entries = [
        plain_item(item)
        for (table, (partition, _)), item in evidence.result.items.items()
        if table == CONFIGURATION and partition.startswith("AUDIT#")
    ]
    for entry in entries:
        if not entry.get("operator") or not entry.get("reason"):
            yield Violation("I4", entry["sk"], f"{entry['action']} names no operator, or no reason")
    known = {(entry["action"], entry.get("merchantId")) for entry in entries}
    for command in evidence.result.history.commands:
        action, merchant = _RECORDED.get(command.command["command"]), command.command.get("merchantId")
        if command.ok and action is not None and (action, merchant) not in known:
            yield Violation("I4", str(merchant), f"{command.command['command']} was done, and no log tells who did it")


def reviews_are_shown(evidence: Evidence) -> Iterator[Violation]:
    """The list of reviews tells each one's amount, reason, and since when it has been open."""
    for command in evidence.result.history.commands:
        if command.command["command"] != "list_reviews" or not command.ok or evidence.result.forgotten is not None:
            continue
        for shown in (command.answer or {}).get("items", []):
            payment = evidence.payments.get(f"{shown['transactionId']}@{shown['merchantId']}")
            owner = payment.operations.get(shown["operationId"]) if payment and shown["operationId"] else payment
            spans = list(_reviews(owner)) if owner is not None else []
            read = [
                (since_ms, item)
                for since_ms, at_ms, until_ms, item in spans
                if at_ms <= command.answered_ms + _CLOCKS_MS and until_ms >= command.at_ms - _CLOCKS_MS
            ]
            if owner is None or not read or shown["reason"] == "unreadable":
                continue
            told = (shown["reason"], shown["money"])
            if not any(told == _of_review(item) for _, item in read):
                what = f"is on the list of reviews with {told}, stored is {_of_review(read[-1][1])}"
                yield Violation("I4", shown["transactionId"], what)
            told_ms = datetime.fromisoformat(shown["since"]).timestamp() * 1_000
            if all(abs(told_ms - since_ms) > _HELD_UP_MS for since_ms, _ in read):
                yield Violation("I4", shown["transactionId"], f"is on the list of reviews since {shown['since']}")


def _reviews(owner: PaymentEvidence | OperationEvidence) -> Iterator[tuple[int, int, int, Stored]]:
    """Each version in review: since when it is, when it was stored, and until when."""
    since_ms = 0
    for number, (write, before, after) in enumerate(owner.versions):
        if after is None or after["status"] != "IN_REVIEW":
            continue
        if before is None or before["status"] != "IN_REVIEW":
            since_ms = write.at_ms
        later = owner.versions[number + 1][0].at_ms if number + 1 < len(owner.versions) else 1 << 62
        yield since_ms, write.at_ms, later, after


_MINOR: Final = 100


def _of_review(item: Stored) -> tuple[Any, Any]:
    whole, rest = divmod(item["amount"], _MINOR)
    return item.get("lastError", {}).get("code"), f"{whole}.{rest:02d} {item['currency']}"
