"""The parts of a transaction. Each names the item it writes and the condition under which it may.

Conditions hold no arithmetic: what must be compared is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.expressions import UNKNOWN, Expression
from payflowx.adapters.dynamodb.core.failures import Cancelled, cancellation, storage_errors
from payflowx.adapters.dynamodb.core.partitions import Partitions
from payflowx.adapters.dynamodb.core.values import Item, to_attributes
from payflowx.adapters.dynamodb.payments import review_items
from payflowx.adapters.dynamodb.payments.event_items import event_to_item, first_event_fields
from payflowx.adapters.dynamodb.payments.operation_items import operation_to_item
from payflowx.adapters.dynamodb.payments.payment_items import to_item
from payflowx.adapters.dynamodb.webhooks.merchant_event_items import merchant_event_fields
from payflowx.domain.outbound_webhooks.merchant_events import MerchantEvent, merchant_event_of
from payflowx.domain.payments.acceptance import held_event
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Change, SeenEvent
from payflowx.domain.payments.events import Event
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.work_item import Owner, id_of
from payflowx.domain.shared.limits import MAX_ATTEMPTS, SECOND_MS
from payflowx.domain.shared.statuses import AttemptState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Part(StrEnum):
    """The kind of item that a part writes: it decides what a failed condition means."""

    KEY = "idempotency key"
    OWNER = "owner"
    PAYMENT = "payment"
    OPERATION = "operation"
    LOCATOR = "locator"
    REFERENCE = "provider reference"
    DISPUTE = "open dispute"
    SEEN = "seen event"
    EVENT = "event"
    ORDER = "order"
    HOLDER = "holder of the order"
    HOLDER_EVENT = "event of the holder of the order"
    ENDPOINTS = "webhook endpoints"
    CATCH_UP = "search for missed events"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionFailed:
    """A transaction of which nothing was written. `failed`: whose conditions did not hold, with the items found."""

    failed: Mapping[Part, Item | None]
    passing: bool
    """For a conflict or a throttle only: the same write may be tried again."""


def transact(client: "DynamoDBClient", parts: Sequence[tuple[Part, Any]]) -> ConditionFailed | None:
    """None when written. The SDK gives its own repeats of this call one token, so they apply once."""
    try:
        with storage_errors():
            client.transact_write_items(TransactItems=[write for _, write in parts])
    except ClientError as error:
        cancelled = cancellation(error)
        if cancelled is None:
            raise
        return _named(cancelled, [part for part, _ in parts])
    return None


def _named(cancelled: Cancelled, parts: Sequence[Part]) -> ConditionFailed:
    failed = {parts[place]: item for place, item in cancelled.failed.items()}
    return ConditionFailed(failed=failed, passing=cancelled.passing)


def new_item(table: str, item: Item) -> dict[str, Any]:
    """Put it where nothing is."""
    return {
        "Put": {
            "TableName": table,
            "Item": to_attributes(item),
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def new_event(
    table: str,
    partitions: Partitions,
    event: Event,
    merchant_event: MerchantEvent | None = None,
    *,
    first: Event | None = None,
) -> dict[str, Any]:
    """The record of the change that the same transaction makes; and what merchants are to be told of, due at once.

    `first`: the first event of the audit log, if it has no item yet; it lies in the item of the second one.
    """
    announced = merchant_event_fields(merchant_event, partitions) if merchant_event else {}
    return new_item(table, event_to_item(event) | first_event_fields(first) | announced)


def event_of_change(table: str, partitions: Partitions, change: Change) -> dict[str, Any]:
    """The item of a change's event."""
    return new_event(table, partitions, change.event, merchant_event_of(change), first=held_event(change.before))


def new_operation(table: str, partitions: Partitions, operation: Operation) -> list[tuple[Part, dict[str, Any]]]:
    """Put an operation, and the item that finds its payment."""
    locator = {
        **keys.locator_key(operation.merchant_id, operation.operation_id),
        "schemaVersion": keys.SCHEMA_VERSION,
        "transactionId": operation.transaction_id,
    }
    return [
        (Part.OPERATION, new_item(table, operation_to_item(operation, partitions))),
        (Part.LOCATOR, new_item(table, locator)),
    ]


def changed(table: str, partitions: Partitions, before: Owner, after: Owner) -> dict[str, Any]:
    """Update the payment or operation, if it is unchanged since the read.

    A first success may be written only where there is none.
    """
    expression = Expression()
    update = expression.update(read(before, partitions), item_of(after, partitions))
    conditions = unmoved(expression, before)
    if _is_first_charge(before, after):
        conditions.append(expression.absent("chargedAttempt"))
    return update_of(table, keys.owner_key(id_of(before)), update, conditions, expression)


def read(before: Payment | Operation, partitions: Partitions) -> Item:
    """The item as read, with unknown what the reader may have derived from other attributes."""
    return seen(item_of(before, partitions)) | dict.fromkeys(_derived(before), UNKNOWN)


def _derived(before: Payment | Operation) -> tuple[str, ...]:
    if isinstance(before, Operation):
        return ("held",)
    return ("reserved", "balanceVersion") if before.is_balance_derived else ()


def _is_first_charge(before: Payment | Operation, after: Payment | Operation) -> bool:
    return (
        isinstance(before, Payment)
        and isinstance(after, Payment)
        and before.charged_attempt is None
        and after.charged_attempt is not None
    )


def owned_reference(table: str, change: Change, *, beside_another_merchant: bool = False) -> dict[str, Any]:
    """A provider's id gets its one owner, or has it already.

    `beside_another_merchant`: under the merchant's own key, because another merchant has the id under the common one.
    """
    attempt = _attempt_of(change)
    operation_id = change.operation_after.operation_id if change.operation_after else None
    expression = Expression()
    ours = [
        expression.equals("transactionId", change.after.transaction_id),
        expression.equals("attempt", attempt.number),
        expression.equals("operationId", operation_id) if operation_id else expression.absent("operationId"),
    ]
    values = {
        "schemaVersion": keys.SCHEMA_VERSION,
        "merchantId": change.after.merchant_id,
        "transactionId": change.after.transaction_id,
        "attempt": attempt.number,
        "operationId": operation_id,
    }
    update = expression.update({}, values)
    condition = f"({expression.absent('pk')} OR ({' AND '.join(ours)}))"
    names = (attempt.provider, attempt.account_id, change.reference or "")
    own = keys.own_reference_key(change.after.merchant_id, *names)
    key = own if beside_another_merchant else keys.reference_key(*names)
    write = update_of(table, key, update, [condition], expression)
    write["Update"]["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return write


def seen_event(table: str, merchant_id: str, event: SeenEvent) -> dict[str, Any]:
    """A provider's event is applied once. The clean-up by DynamoDB only saves space."""
    item = {
        **keys.seen_key(merchant_id, event.provider, event.account_id, event.event_id),
        "schemaVersion": keys.SCHEMA_VERSION,
        "expiresAt": event.expires_at_ms // SECOND_MS,
    }
    return new_item(table, item)


def unmoved(expression: Expression, before: Payment | Operation) -> list[str]:
    """Conditions: nothing was written since `before` was read, and no newer epoch has the lease.

    A payment's audit log also ends where it did.
    """
    conditions = [
        expression.equals("version", before.version),
        expression.equals("lease.epoch", before.lease.epoch),
        _has_owner(expression, before.lease.owner),
    ]
    if isinstance(before, Payment):
        conditions.append(expression.equals("eventSeq", before.event_seq))
    return conditions


def _has_owner(expression: Expression, owner: str) -> str:
    """Condition: this owner has the lease. That of a released one is empty, or absent in the compact layout."""
    is_owner = expression.equals("lease.owner", owner)
    return is_owner if owner else f"({expression.absent('lease.owner')} OR {is_owner})"


def no_live_lease(expression: Expression, now_ms: int) -> str:
    """Condition: the lease has expired. A released one has no time in the compact layout."""
    return f"({expression.absent('lease.expiresAt')} OR {expression.at_most('lease.expiresAt', now_ms)})"


def item_of(owner: Payment | Operation, partitions: Partitions) -> Item:
    """Return the whole item with its keys; absent values are None."""
    return to_item(owner, partitions) if isinstance(owner, Payment) else operation_to_item(owner, partitions)


def appended_attempt(expression: Expression, attempt: Item) -> str:
    """The assignment that stores a new attempt, as an item, behind the others."""
    attempts = expression.name("attempts")
    return f"{attempts} = list_append({attempts}, {expression.value([attempt])})"


def may_append(expression: Expression, attempt: Attempt) -> list[str]:
    """Conditions: the attempt is the next one, and there is room for it."""
    attempts = expression.name("attempts")
    return [
        f"size({attempts}) = {expression.value(attempt.number - 1)}",
        f"size({attempts}) < {expression.value(MAX_ATTEMPTS)}",
    ]


def reopened_attempt(expression: Expression, attempt: Attempt, item: Item) -> str:
    """Further assignments, and removals: all known attributes of the attempt at its place, and no unknown one."""
    place = _place(expression, attempt)
    changed = "".join(f", {place}.{expression.equals(name, value)}" for name, value in item.items())
    gone = [f"{place}.{expression.name(name)}" for name in attempt.__slots__ if name not in item]
    return f"{changed} REMOVE {', '.join(gone)}"


def may_reopen(expression: Expression, attempt: Attempt, item: Item) -> list[str]:
    """Conditions: the attempt at this place has this key, and nothing was sent for it.

    An attempt whose item holds no key has the derived one, which is then stored or absent.
    """
    place = _place(expression, attempt)
    has_key = f"{place}.{expression.equals('provider_key', attempt.provider_key)}"
    if "provider_key" not in item:
        has_key = f"(attribute_not_exists({place}.{expression.name('provider_key')}) OR {has_key})"
    return [f"{place}.{expression.equals('state', AttemptState.NOT_SENT.value)}", has_key]


def _place(expression: Expression, attempt: Attempt) -> str:
    return f"{expression.name('attempts')}[{attempt.number - 1}]"


def seen(before: Item) -> Item:
    """The item as read, with unknown what is stored without a new version, so that a write sets or removes it.

    The sweeper counts `drives`; of an item in review, `review reindex` adds the index's keys.
    """
    in_review = [name for name in review_items.KEYS if before.get(name) is not None]
    return before | dict.fromkeys(("drives", *in_review), UNKNOWN)


def _attempt_of(change: Change) -> Attempt:
    of: Payment | Operation = change.operation_after or change.after
    return of.attempt(change.attempt_number or 0)


def update_of(
    table: str, key: Mapping[str, str], update: str, conditions: Sequence[str], expression: Expression
) -> dict[str, Any]:
    """An update as a part of a transaction."""
    return {
        "Update": {
            "TableName": table,
            "Key": to_attributes(key),
            "UpdateExpression": update,
            "ConditionExpression": " AND ".join(conditions),
            **expression.arguments(),
        }
    }
