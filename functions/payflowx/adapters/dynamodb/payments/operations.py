"""The store of captures, voids and refunds. Every write is conditional, as in `payments`."""

from collections.abc import Sequence
from dataclasses import dataclass

from payflowx.adapters.dynamodb.core import keys, writes
from payflowx.adapters.dynamodb.core.values import Item
from payflowx.adapters.dynamodb.core.writes import Part
from payflowx.adapters.dynamodb.payments.attempt_store import DynamoDBAttemptStore
from payflowx.adapters.dynamodb.payments.operation_items import operation_from_item
from payflowx.adapters.dynamodb.payments.operation_list import OperationList
from payflowx.domain.payments.change import Change
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import OperationPage
from payflowx.domain.payments.ports import Created, Existing, VersionConflict
from payflowx.domain.shared.operation_request import OperationKind


@dataclass(frozen=True, kw_only=True)
class DynamoDBOperations(DynamoDBAttemptStore[Operation]):
    """Implements `Operations`."""

    def from_item(self, item: Item) -> Operation:
        return operation_from_item(item)

    # -- accept

    def accept(
        self, change: Change, idempotency_key: str
    ) -> Created[Operation] | Existing | VersionConflict[Operation]:
        """All or none. A taken key, or a taken id if the key's row was lost, gives the earlier operation."""
        operation = change.operation_after
        if operation is None:
            raise ValueError("a change without an operation accepts nothing")
        table, partitions = self.transactions_table, self.partitions
        refused = writes.transact(
            self.client,
            [
                (Part.KEY, writes.new_item(self.idempotency_table, _key_item(operation, idempotency_key))),
                *writes.new_operation(table, partitions, operation),
                (Part.PAYMENT, writes.changed(table, partitions, change.before, change.after)),
                (Part.EVENT, writes.event_of_change(table, partitions, change)),
            ],
        )
        if refused is None:
            return Created(item=operation)
        for part in (Part.KEY, Part.OPERATION):
            found = refused.failed.get(part)
            if found is not None:
                return _known(found)
        return VersionConflict(item=None)

    def find_key(self, merchant_id: str, kind: OperationKind, idempotency_key: str) -> Existing | None:
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


def _key_item(operation: Operation, idempotency_key: str) -> Item:
    return {
        "pk": keys.operation_idempotency_partition(operation.merchant_id, operation.kind, idempotency_key),
        "schemaVersion": keys.SCHEMA_VERSION,
        "transactionId": operation.transaction_id,
        "operationId": operation.operation_id,
        "fingerprint": operation.fingerprint,
        "createdAt": operation.created_at_ms,
    }


def _known(item: Item) -> Existing:
    return Existing(
        transaction_id=item["transactionId"], operation_id=item["operationId"], fingerprint=item["fingerprint"]
    )
