"""The store of orders: every write is a part of a payment's transaction."""

from dataclasses import dataclass, replace
from typing import Any

from payflowx.adapters.dynamodb.core import keys, writes
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import storage_errors
from payflowx.adapters.dynamodb.core.values import Item, from_attributes, to_attributes
from payflowx.adapters.dynamodb.core.writes import ConditionFailed, Part
from payflowx.adapters.dynamodb.orders.order_items import order_from_item, order_to_item
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.domain.orders.order import Order
from payflowx.domain.orders.ordered_change import OrderedChange
from payflowx.domain.orders.ports import OrderMoved, Taking
from payflowx.domain.payments.events import Event
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import (
    AlreadySeen,
    Created,
    Existing,
    ReferenceTaken,
    Stored,
    VersionConflict,
)


@dataclass(frozen=True, kw_only=True)
class DynamoDBOrders:
    """Implements `Orders`, over the store of payments."""

    payments: DynamoDBPayments

    def get(self, merchant_id: str, order_hash: str) -> Order | None:
        """A consistent read."""
        with storage_errors():
            answer = self.payments.client.get_item(
                TableName=self._table,
                Key=to_attributes(keys.order_key(merchant_id, order_hash)),
                ConsistentRead=True,
            )
        return order_from_item(from_attributes(answer["Item"])) if "Item" in answer else None

    def create(
        self, payment: Payment, event: Event, idempotency_key: str, taking: Taking
    ) -> Created[Payment] | Existing | OrderMoved:
        """A failed condition of the order returns its item: the first try needs no read."""
        parts = [self._order_part(taking.before, taking.after)]
        if taking.released is not None:
            released = taking.released
            parts.append(
                (Part.HOLDER, writes.changed(self._table, self.payments.partitions, released.before, released.after))
            )
        created = self.payments.create_with(payment, event, idempotency_key, parts)
        return self._moved(created) if isinstance(created, ConditionFailed) else created

    def commit(
        self, ordered: OrderedChange
    ) -> Stored[Payment] | VersionConflict[Payment] | ReferenceTaken | AlreadySeen | OrderMoved:
        """One transaction; when its fate is unclear, the payment's stored event tells."""
        parts: list[tuple[Part, Any]] = []
        if ordered.order_after is not None:
            parts.append(self._order_part(ordered.order_before, ordered.order_after))
        if ordered.holder_change is not None:
            held = ordered.holder_change
            parts.append((Part.HOLDER, writes.changed(self._table, self.payments.partitions, held.before, held.after)))
            parts.append((Part.HOLDER_EVENT, writes.event_of_change(self._table, self.payments.partitions, held)))
        result = self.payments.commit_with(ordered.change, parts)
        return self._moved(result) if isinstance(result, ConditionFailed) else result

    def _order_part(self, before: Order | None, after: Order) -> tuple[Part, dict[str, Any]]:
        if before is None:
            return Part.ORDER, writes.new_item(self._table, order_to_item(replace(after, version=1)))
        expression = Expression()
        numbered = replace(after, version=before.version + 1)
        update = expression.update(order_to_item(before), order_to_item(numbered))
        conditions = [expression.equals("version", before.version)]
        key = keys.order_key(before.merchant_id, before.order_hash)
        write = writes.update_of(self._table, key, update, conditions, expression)
        write["Update"]["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return Part.ORDER, write

    def _moved(self, refused: ConditionFailed) -> OrderMoved:
        found: Item | None = refused.failed.get(Part.ORDER)
        return OrderMoved(order=order_from_item(found) if found else None)

    @property
    def _table(self) -> str:
        return self.payments.transactions_table
