"""The conditional writes that payments and operations share. Comments say what a failed condition means."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Generic

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core import keys, writes
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import condition_failed, item_found, storage_errors
from payflowx.adapters.dynamodb.core.partitions import FIRST, Partitions
from payflowx.adapters.dynamodb.core.values import Item, from_attributes, to_attributes
from payflowx.adapters.dynamodb.core.writes import Part
from payflowx.adapters.dynamodb.payments.payment_items import attempt_item_of, lease_assignments
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import SeenEvent
from payflowx.domain.payments.payment import Layout, Lease, due_times_after
from payflowx.domain.payments.ports import AlreadySeen, Stored, VersionConflict
from payflowx.domain.payments.work_item import Owner, OwnerId, id_of
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import DUE_AFTER_LEASE_MS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, kw_only=True)
class DynamoDBAttemptStore(ABC, Generic[Owner]):
    """Implements `AttemptStore`. `client` is a boto3 DynamoDB client."""

    client: "DynamoDBClient"
    transactions_table: str
    idempotency_table: str
    partitions: Partitions = FIRST

    @abstractmethod
    def from_item(self, item: Item) -> Owner: ...

    def claim(
        self,
        owner_id: OwnerId,
        *,
        version: int,
        lease: Lease,
        now_ms: int,
        layout: Layout = Layout.FULL,
        leaves_due: bool = False,
        append: Attempt | None = None,
        reopen: Attempt | None = None,
    ) -> Stored[Owner] | VersionConflict[Owner]:
        """Update the item and return it in one call: a claim needs no read.

        So nobody has seen yet whether this release can read the item. An item of a newer layout gets no attempt before
        it was read: the refused write returns it, and decoding it raises `UnreadableItemError`. Nor has anybody seen
        whether its due time may stay: if not, the second write sets it.
        """
        claim = partial(
            self._claim,
            owner_id,
            version=version,
            lease=lease,
            now_ms=now_ms,
            layout=layout,
            append=append,
            reopen=reopen,
        )
        result = claim(is_read=append is None, leaves_due=leaves_due)
        if isinstance(result, VersionConflict) and result.item is not None and result.item.version == version:
            return claim(is_read=True, leaves_due=False)
        return result

    def _claim(
        self,
        owner_id: OwnerId,
        *,
        version: int,
        lease: Lease,
        now_ms: int,
        layout: Layout,
        append: Attempt | None,
        reopen: Attempt | None,
        is_read: bool,
        leaves_due: bool,
    ) -> Stored[Owner] | VersionConflict[Owner]:
        expression = Expression()
        values: dict[str, Any] = {
            "version": version + 1,
            **lease_assignments(lease),
            "updatedAt": now_ms,
        }
        conditions = [expression.equals("version", version), writes.no_live_lease(expression, now_ms)]
        if leaves_due:
            # Two entries of the index less. A checkout's time is its payer's, and never left to a claim.
            conditions += [_is_due_after(expression, lease), expression.absent("checkout")]
        else:
            values["dueAt"] = lease.expires_at_ms + DUE_AFTER_LEASE_MS
            values["dueShard"] = self.partitions.due_shard(owner_id.operation_id or owner_id.transaction_id)
        update = "SET " + expression.assignments(values)
        if not is_read:
            conditions.append(expression.at_most("schemaVersion", max(Layout)))
        if append is not None or reopen is not None:
            conditions.append(expression.absent("chargedAttempt"))
        if append is not None and not append.is_sent_before_restore:
            # A claim that was decided from a message, and not from a read, begins nothing after the deadline. What may
            # have been sent before a restore is recorded at any time: nothing is sent for it.
            deadline = expression.name("chargeDeadline")
            conditions.append(f"({expression.absent('chargeDeadline')} OR {deadline} > {expression.value(now_ms)})")
        if append is not None:
            item = attempt_item_of(append, owner_id.transaction_id, layout)
            update += f", {writes.appended_attempt(expression, item)}"
            conditions += writes.may_append(expression, append)
        if reopen is not None:
            item = attempt_item_of(reopen, owner_id.transaction_id, layout)
            update += writes.reopened_attempt(expression, reopen, item)
            conditions += writes.may_reopen(expression, reopen, item)
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
        update = expression.update(writes.read(before, self.partitions), writes.item_of(after, self.partitions))
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
                (Part.OWNER, writes.changed(table, self.partitions, before, after)),
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


def _is_due_after(expression: Expression, lease: Lease) -> str:
    """Condition: the stored due time is late enough for the lease, and soon enough for a worker that dies."""
    earliest, latest = due_times_after(lease)
    return f"{expression.name('dueAt')} BETWEEN {expression.value(earliest)} AND {expression.value(latest)}"
