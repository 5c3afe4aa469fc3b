"""A capture, void or refund as a DynamoDB item and back."""

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.partitions import FIRST, Partitions
from payflowx.adapters.dynamodb.core.reading import decodes, fields_of
from payflowx.adapters.dynamodb.core.values import Item
from payflowx.adapters.dynamodb.payments.payment_items import (
    attempt_from_item,
    attempt_to_item,
    event_inquiries_from_item,
    event_inquiries_to_item,
    last_error_from_item,
    lease_from_item,
    lease_to_item,
)
from payflowx.adapters.dynamodb.payments.review_items import review_keys, review_since_from
from payflowx.domain.payments.derived_balance import held_by_status
from payflowx.domain.payments.operation import Held, Operation, Origin
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import OperationStatus


def operation_to_item(operation: Operation, partitions: Partitions = FIRST) -> Item:
    """The whole item with its keys; absent values are None and are not stored."""
    due = operation.due_at_ms is not None
    return {
        **keys.operation_key(operation.merchant_id, operation.transaction_id, operation.operation_id),
        "schemaVersion": keys.SCHEMA_VERSION,
        "merchantId": operation.merchant_id,
        "transactionId": operation.transaction_id,
        "operationId": operation.operation_id,
        "kind": operation.kind.value,
        "fingerprint": operation.fingerprint,
        "amount": operation.amount,
        "currency": operation.currency,
        "chargeAttempt": operation.charge_attempt,
        "createdAt": operation.created_at_ms,
        "updatedAt": operation.updated_at_ms,
        "sendDeadline": operation.send_deadline_ms,
        "status": operation.status.value,
        "held": operation.held.value if operation.held else None,
        "bookedAmount": operation.booked_amount,
        "origin": None if operation.origin is Origin.MERCHANT else operation.origin.value,
        "version": operation.version,
        "lease": lease_to_item(operation.lease),
        "attempts": [attempt_to_item(attempt) for attempt in operation.attempts],
        "lastError": fields_of(operation.last_error) if operation.last_error else None,
        "notSentSince": operation.not_sent_since_ms,
        "readyAt": operation.ready_at_ms,
        "dueAt": operation.due_at_ms,
        "dueShard": partitions.due_shard(operation.operation_id) if due else None,
        "drives": operation.drives,
        "searchedAt": operation.searched_at_ms,
        "eventInquiries": event_inquiries_to_item(operation.event_inquiries),
        **review_keys(operation),
    }


@decodes("operation")
def operation_from_item(item: Item) -> Operation:
    """The operation that `operation_to_item` was given."""
    return Operation(
        merchant_id=item["merchantId"],
        transaction_id=item["transactionId"],
        operation_id=item["operationId"],
        kind=OperationKind(item["kind"]),
        fingerprint=item["fingerprint"],
        amount=item["amount"],
        currency=item["currency"],
        charge_attempt=item["chargeAttempt"],
        created_at_ms=item["createdAt"],
        updated_at_ms=item["updatedAt"],
        send_deadline_ms=item["sendDeadline"],
        status=OperationStatus(item["status"]),
        held=_held(item),
        booked_amount=item.get("bookedAmount"),
        origin=Origin(item.get("origin", Origin.MERCHANT)),
        version=item["version"],
        lease=lease_from_item(item["lease"]),
        attempts=tuple(attempt_from_item(attempt) for attempt in item["attempts"]),
        last_error=last_error_from_item(item),
        not_sent_since_ms=item.get("notSentSince"),
        ready_at_ms=item["readyAt"],
        due_at_ms=item.get("dueAt"),
        drives=item["drives"],
        searched_at_ms=item.get("searchedAt"),
        review_since_ms=review_since_from(item),
        event_inquiries=event_inquiries_from_item(item),
    )


def _held(item: Item) -> Held | None:
    """Release 0.2.0 stores no `held`, and leaves the one of a newer release as it is.

    Outside of review the status says it. In review only the stored one does; None: the payment's amounts decide.
    """
    stored = item.get("held")
    return held_by_status(OperationStatus(item["status"])) or (Held(stored) if stored else None)
