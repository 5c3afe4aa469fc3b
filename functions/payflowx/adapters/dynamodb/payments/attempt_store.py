"""The conditional writes that payments and operations share. Comments say what a failed condition means."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, Generic

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core import keys, writes
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import condition_failed, item_found, storage_errors
from payflowx.adapters.dynamodb.core.values import Item, from_attributes, to_attributes
from payflowx.adapters.dynamodb.core.writes import Part
from payflowx.adapters.dynamodb.payments.payment_items import lease_assignments
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import SeenEvent
from payflowx.domain.payments.payment import Lease
from payflowx.domain.payments.ports import AlreadySeen, Stored, VersionConflict
from payflowx.domain.payments.work_item import Owner, OwnerId, id_of
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import SECOND_MS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DUE_AFTER_LEASE_MS: Final = 15 * SECOND_MS
"""The sweeper finds the item of a dead worker shortly after its lease has ended."""


@dataclass(frozen=True, kw_only=True)
class DynamoDBAttemptStore(ABC, Generic[Owner]):
    """Implements `AttemptStore`. `client` is a boto3 DynamoDB client."""

    client: "DynamoDBClient"
    transactions_table: str
    idempotency_table: str

    @abstractmethod
    def from_item(self, item: Item) -> Owner: ...

    def claim(
        self,
        owner_id: OwnerId,
        *,
        version: int,
        lease: Lease,
        now_ms: int,
        append: Attempt | None = None,
        reopen: Attempt | None = None,
    ) -> Stored[Owner] | VersionConflict[Owner]:
        """Update the item and return it in one call: a claim needs no read.

        So nobody has seen yet whether this release can read the item. An item of a newer layout gets no attempt before
        it was read: the refused write returns it, and decoding it raises `UnreadableItemError`.
        """
        claim = partial(
            self._claim, owner_id, version=version, lease=lease, now_ms=now_ms, append=append, reopen=reopen
        )
        result = claim(is_read=append is None)
        if isinstance(result, VersionConflict) and result.item is not None and result.item.version == version:
            return claim(is_read=True)
        return result

    def _claim(
        self,
        owner_id: OwnerId,
        *,
        version: int,
        lease: Lease,
        now_ms: int,
        append: Attempt | None,
        reopen: Attempt | None,
        is_read: bool,
    ) -> Stored[Owner] | VersionConflict[Owner]:
        expression = Expression()
        values = {
            "version": version + 1,
            **lease_assignments(lease),
            "dueAt": lease.expires_at_ms + DUE_AFTER_LEASE_MS,
            "dueShard": keys.due_shard(owner_id.operation_id or owner_id.transaction_id),
            "updatedAt": now_ms,
        }
        update = "SET " + expression.assignments(values)
        conditions = [expression.equals("version", version), expression.at_most("lease.expiresAt", now_ms)]
        if not is_read:
            conditions.append(expression.at_most("schemaVersion", keys.SCHEMA_VERSION))
        if append is not None or reopen is not None:
            conditions.append(expression.absent("chargedAttempt"))
        if append is not None and not append.is_sent_before_restore:
            # A claim that was decided from a message, and not from a read, begins nothing after the deadline. What may
            # have been sent before a restore is recorded at any time: nothing is sent for it.
            deadline = expression.name("chargeDeadline")
            conditions.append(f"({expression.absent('chargeDeadline')} OR {deadline} > {expression.value(now_ms)})")
        if append is not None:
            update += f", {writes.appended_attempt(expression, append)}"
            conditions += writes.may_append(expression, append)
        if reopen is not None:
            update += writes.reopened_attempt(expression, reopen)
            conditions += writes.may_reopen(expression, reopen)
        return self._update(owner_id, update, conditions, expression, is_ours=lambda found: found.lease == lease)

    def save_progress(
        self, before: Owner, number: int, progress: Mapping[str, str]
    ) -> Stored[Owner] | VersionConflict[Owner]:
        """Under our version and lease: an older worker cannot store what it needs to go on."""
        attempts = tuple(replace(a, progress=progress) if a.number == number else a for a in before.attempts)
        return self.reschedule(before, replace(before, attempts=attempts, version=before.version + 1))

    def reschedule(self, before: Owner, after: Owner) -> Stored[Owner] | VersionConflict[Owner]:
        """Update what differs."""
        expression = Expression()
        update = expression.update(writes.read(before), writes.item_of(after))
        return self._update(
            id_of(before),
            update,
            writes.unmoved(expression, before),
            expression,
            is_ours=lambda found: replace(found, due_at_ms=after.due_at_ms, drives=after.drives) == after,
        )

    def expedite(
        self, before: Owner, after: Owner, seen: SeenEvent
    ) -> Stored[Owner] | VersionConflict[Owner] | AlreadySeen:
        """Write the next due time and the event's item, both or none."""
        table = self.transactions_table
        refused = writes.transact(
            self.client,
            [
                (Part.OWNER, writes.changed(table, before, after)),
                (Part.SEEN, writes.seen_event(table, before.merchant_id, seen)),
            ],
        )
        if refused is None:
            return Stored(item=after)
        if Part.SEEN in refused.failed:
            return AlreadySeen()
        found = self._get_item(self.transactions_table, keys.owner_key(id_of(before)))
        return VersionConflict(item=self.from_item(found) if found else None)

    def _update(
        self,
        owner_id: OwnerId,
        update: str,
        conditions: Sequence[str],
        expression: Expression,
        *,
        is_ours: Callable[[Owner], bool],
    ) -> Stored[Owner] | VersionConflict[Owner]:
        """A failed condition may be our own write whose answer was lost and which the SDK repeated."""
        try:
            with storage_errors():
                answer = self.client.update_item(
                    TableName=self.transactions_table,
                    Key=to_attributes(keys.owner_key(owner_id)),
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
            found = self.from_item(item) if item else None
            return Stored(item=found) if found is not None and is_ours(found) else VersionConflict(item=found)
        return Stored(item=self.from_item(from_attributes(answer["Attributes"])))

    def _get_item(self, table: str, key: Mapping[str, str]) -> Item | None:
        if not table:
            raise StorageUnavailableError("this function has no access to idempotency keys")
        with storage_errors():
            answer = self.client.get_item(TableName=table, Key=to_attributes(key), ConsistentRead=True)
        return from_attributes(answer["Item"]) if "Item" in answer else None
