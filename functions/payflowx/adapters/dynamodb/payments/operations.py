"""The store of captures, voids and refunds. Every write is conditional, as in `payments`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core import keys, writes
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import condition_failed, item_found, storage_errors
from payflowx.adapters.dynamodb.core.values import Item, from_attributes, to_attributes
from payflowx.adapters.dynamodb.core.writes import Part
from payflowx.adapters.dynamodb.payments.operation_items import operation_from_item, operation_to_item
from payflowx.adapters.dynamodb.payments.operation_list import OperationList
from payflowx.adapters.dynamodb.payments.payment_items import attempt_to_item, lease_to_item
from payflowx.adapters.dynamodb.payments.payments import DUE_AFTER_LEASE_MS
from payflowx.domain.outbound_webhooks.merchant_events import merchant_event_of
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import (
    AcceptedOperation,
    KnownOperation,
    OperationPage,
    OperationVersionConflict,
    PaymentVersionConflict,
    StoredOperation,
)
from payflowx.domain.payments.payment import Lease
from payflowx.domain.payments.ports import AlreadySeen
from payflowx.domain.payments.state_machine import Change, SeenEvent
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import MAX_ATTEMPTS
from payflowx.domain.shared.operation_request import OperationKind

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBOperations:
    """Implements `Operations`. `client` is a boto3 DynamoDB client."""

    client: "DynamoDBClient"
    transactions_table: str
    idempotency_table: str

    # -- accept

    def accept(
        self, change: Change, idempotency_key: str
    ) -> AcceptedOperation | KnownOperation | PaymentVersionConflict:
        """All or none. A taken key, or a taken id if the key's row was lost, gives the earlier operation."""
        operation = change.operation_after
        if operation is None:
            raise ValueError("a change without an operation accepts nothing")
        table = self.transactions_table
        refused = writes.transact(
            self.client,
            [
                (Part.KEY, writes.new_item(self.idempotency_table, _key_item(operation, idempotency_key))),
                (Part.OPERATION, writes.new_item(table, operation_to_item(operation))),
                (Part.LOCATOR, writes.new_item(table, _locator(operation))),
                (Part.PAYMENT, writes.changed_payment(table, change.before, change.after)),
                (Part.EVENT, writes.new_event(table, change.event, merchant_event_of(change))),
            ],
        )
        if refused is None:
            return AcceptedOperation(operation=operation)
        for part in (Part.KEY, Part.OPERATION):
            found = refused.failed.get(part)
            if found is not None:
                return _known(found)
        return PaymentVersionConflict()

    def find_key(self, merchant_id: str, kind: OperationKind, idempotency_key: str) -> KnownOperation | None:
        """The operation that a key was used for."""
        key = {"pk": keys.operation_idempotency_partition(merchant_id, kind, idempotency_key)}
        item = self._get_item(self.idempotency_table, key)
        return _known(item) if item else None

    # -- read

    def get(self, merchant_id: str, transaction_id: str, operation_id: str) -> Operation | None:
        """A consistent read."""
        item = self._get_item(self.transactions_table, keys.operation_key(merchant_id, transaction_id, operation_id))
        return operation_from_item(item) if item else None

    def of_payment(self, merchant_id: str, transaction_id: str) -> Sequence[Operation]:
        """All of them, by the time of their acceptance."""
        return self._list.all(merchant_id, transaction_id)

    def page(self, merchant_id: str, transaction_id: str, *, limit: int, position: str | None) -> OperationPage:
        """By the time of their acceptance."""
        return self._list.page(merchant_id, transaction_id, limit=limit, position=position)

    @property
    def _list(self) -> OperationList:
        return OperationList(client=self.client, table=self.transactions_table)

    def locate(self, merchant_id: str, operation_id: str) -> str | None:
        """Through the row that was written with the operation."""
        item = self._get_item(self.transactions_table, keys.locator_key(merchant_id, operation_id))
        return str(item["transactionId"]) if item else None

    # -- claim

    def claim(
        self, operation: Operation, *, lease: Lease, now_ms: int, append: Attempt | None
    ) -> StoredOperation | OperationVersionConflict:
        """Update the item and return it, in one call."""
        expression = Expression()
        values = {
            "version": operation.version + 1,
            "lease": lease_to_item(lease),
            "dueAt": lease.expires_at_ms + DUE_AFTER_LEASE_MS,
            "dueShard": keys.due_shard(operation.operation_id),
            "updatedAt": now_ms,
        }
        update = "SET " + expression.assignments(values)
        conditions = [
            expression.equals("version", operation.version),
            expression.at_most("lease.expiresAt", now_ms),
        ]
        if append is not None:
            attempts = expression.name("attempts")
            update += f", {attempts} = list_append({attempts}, {expression.value([attempt_to_item(append)])})"
            conditions += [
                f"size({attempts}) = {expression.value(append.number - 1)}",
                f"size({attempts}) < {expression.value(MAX_ATTEMPTS)}",
            ]
        return self._update(operation, update, conditions, expression, is_ours=lambda found: found.lease == lease)

    def reschedule(self, before: Operation, after: Operation) -> StoredOperation | OperationVersionConflict:
        """Frees the lease and sets the next look."""
        expression = Expression()
        update = expression.update(writes.seen(operation_to_item(before)), operation_to_item(after))
        return self._update(
            before,
            update,
            writes.unmoved(expression, before),
            expression,
            is_ours=lambda found: replace(found, due_at_ms=after.due_at_ms, drives=after.drives) == after,
        )

    def expedite(
        self, before: Operation, after: Operation, seen: SeenEvent
    ) -> StoredOperation | OperationVersionConflict | AlreadySeen:
        """The next look and the event's row, both or none."""
        table = self.transactions_table
        refused = writes.transact(
            self.client,
            [
                (Part.OPERATION, writes.changed_operation(table, before, after)),
                (Part.SEEN, writes.seen_event(table, seen)),
            ],
        )
        if refused is None:
            return StoredOperation(operation=after)
        if Part.SEEN in refused.failed:
            return AlreadySeen()
        return OperationVersionConflict(
            operation=self.get(before.merchant_id, before.transaction_id, before.operation_id)
        )

    # -- shared

    def _update(
        self,
        before: Operation,
        update: str,
        conditions: Sequence[str],
        expression: Expression,
        *,
        is_ours: Callable[[Operation], bool],
    ) -> StoredOperation | OperationVersionConflict:
        """A failed condition may be our own write whose answer was lost and which the SDK repeated."""
        key = keys.operation_key(before.merchant_id, before.transaction_id, before.operation_id)
        try:
            with storage_errors():
                answer = self.client.update_item(
                    TableName=self.transactions_table,
                    Key=to_attributes(key),
                    UpdateExpression=update,
                    ConditionExpression=" AND ".join(conditions),
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **expression.arguments(),
                )
        except ClientError as error:
            if not condition_failed(error):
                raise
            item = item_found(error)
            found = operation_from_item(item) if item else None
            if found is not None and is_ours(found):
                return StoredOperation(operation=found)
            return OperationVersionConflict(operation=found)
        return StoredOperation(operation=operation_from_item(from_attributes(answer["Attributes"])))

    def _get_item(self, table: str, key: Mapping[str, str]) -> Item | None:
        if not table:
            raise StorageUnavailableError("this function has no access to idempotency keys")
        with storage_errors():
            answer = self.client.get_item(TableName=table, Key=to_attributes(key), ConsistentRead=True)
        return from_attributes(answer["Item"]) if "Item" in answer else None


def _key_item(operation: Operation, idempotency_key: str) -> Item:
    return {
        "pk": keys.operation_idempotency_partition(operation.merchant_id, operation.kind, idempotency_key),
        "schemaVersion": keys.SCHEMA_VERSION,
        "transactionId": operation.transaction_id,
        "operationId": operation.operation_id,
        "fingerprint": operation.fingerprint,
        "createdAt": operation.created_at_ms,
    }


def _locator(operation: Operation) -> Item:
    return {
        **keys.locator_key(operation.merchant_id, operation.operation_id),
        "schemaVersion": keys.SCHEMA_VERSION,
        "transactionId": operation.transaction_id,
    }


def _known(item: Item) -> KnownOperation:
    return KnownOperation(
        transaction_id=item["transactionId"], operation_id=item["operationId"], fingerprint=item["fingerprint"]
    )
