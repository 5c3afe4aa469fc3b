"""The store of payments. Every write is conditional; its comments say what a failed condition means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core import keys, writes
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import condition_failed, item_found, storage_errors
from payflowx.adapters.dynamodb.core.values import Item, from_attributes, to_attributes
from payflowx.adapters.dynamodb.core.writes import Part
from payflowx.adapters.dynamodb.payments.event_items import event_from_item
from payflowx.adapters.dynamodb.payments.payment_items import from_item, lease_to_item, to_item
from payflowx.adapters.dynamodb.payments.payment_list import PaymentList
from payflowx.domain.outbound_webhooks.merchant_events import merchant_event_of
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.events import Event
from payflowx.domain.payments.payment import Lease, Payment
from payflowx.domain.payments.ports import (
    AlreadySeen,
    Created,
    EventPage,
    Existing,
    PaymentPage,
    PaymentQuery,
    ReferenceTaken,
    Stored,
    VersionConflict,
)
from payflowx.domain.payments.state_machine import Change, SeenEvent
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES, SECOND_MS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DUE_AFTER_LEASE_MS: Final = 15 * SECOND_MS
"""A worker that died is found shortly after its lease has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBPayments:
    """Implements `Payments`. `client` is a boto3 DynamoDB client; `pause` waits some seconds."""

    client: "DynamoDBClient"
    transactions_table: str
    idempotency_table: str
    pause: Callable[[float], None]
    jitter: Callable[[], float]

    # -- accept

    def create(self, payment: Payment, event: Event, idempotency_key: str) -> Created | Existing:
        """All three or none. A taken key, or a taken id if the key's row was lost, gives the earlier payment."""
        parts = [
            (Part.KEY, writes.new_item(self.idempotency_table, _key_item(payment, idempotency_key))),
            (Part.PAYMENT, writes.new_item(self.transactions_table, to_item(payment))),
            (Part.EVENT, writes.new_event(self.transactions_table, event)),
        ]
        for attempt in range(MAX_COMMIT_TRIES):
            refused = writes.transact(self.client, parts)
            if refused is None:
                return Created(payment=payment)
            for part in (Part.KEY, Part.PAYMENT):
                found = refused.failed.get(part)
                if found is not None:
                    return Existing(transaction_id=found["transactionId"], fingerprint=found["fingerprint"])
            self._pause(attempt)
        raise StorageUnavailableError("the payment could not be stored; repeat the request with the same key")

    def find_key(self, merchant_id: str, idempotency_key: str) -> Existing | None:
        """The payment that a key was used for."""
        key = {"pk": keys.idempotency_partition(merchant_id, idempotency_key)}
        item = self._get_item(self.idempotency_table, key)
        return Existing(transaction_id=item["transactionId"], fingerprint=item["fingerprint"]) if item else None

    # -- read

    def get(self, merchant_id: str, transaction_id: str) -> Payment | None:
        """A consistent read."""
        item = self._get_item(self.transactions_table, keys.payment_key(merchant_id, transaction_id))
        return from_item(item) if item else None

    def page(self, query: PaymentQuery) -> PaymentPage:
        """Newest first, by the merchant's index; a bounded number of days and rows a page."""
        return PaymentList(client=self.client, table=self.transactions_table).page(query)

    def events(self, merchant_id: str, transaction_id: str, *, after_seq: int, limit: int) -> EventPage:
        """In order, consistently."""
        expression = Expression()
        condition = (
            f"{expression.equals('pk', keys.payment_partition(merchant_id, transaction_id))} AND "
            f"{expression.name('sk')} BETWEEN {expression.value(keys.event_sort(after_seq + 1))} "
            f"AND {expression.value(keys.LAST_EVENT)}"
        )
        with storage_errors():
            answer = self.client.query(
                TableName=self.transactions_table,
                KeyConditionExpression=condition,
                ConsistentRead=True,
                Limit=limit,
                **expression.arguments(),
            )
        items = [event_from_item(from_attributes(item)) for item in answer["Items"]]
        more = "LastEvaluatedKey" in answer and bool(items)
        return EventPage(items=items, next_seq=items[-1].seq if more else None)

    # -- claim

    def claim(
        self,
        *,
        merchant_id: str,
        transaction_id: str,
        version: int,
        lease: Lease,
        now_ms: int,
        append: Attempt | None,
        reopen: Attempt | None = None,
    ) -> Stored | VersionConflict:
        """Update the item and return it in one call: a claim needs no read."""
        expression = Expression()
        values = {
            "version": version + 1,
            "lease": lease_to_item(lease),
            "dueAt": lease.expires_at_ms + DUE_AFTER_LEASE_MS,
            "dueShard": keys.due_shard(transaction_id),
            "updatedAt": now_ms,
        }
        update = "SET " + expression.assignments(values)
        conditions = [expression.equals("version", version), expression.at_most("lease.expiresAt", now_ms)]
        if append is not None:
            update += f", {writes.appended_attempt(expression, append)}"
            conditions += [expression.absent("chargedAttempt"), *writes.may_append(expression, append)]
        if reopen is not None:
            update += f", {writes.reopened_attempt(expression, reopen)}"
            conditions += [expression.absent("chargedAttempt"), *writes.may_reopen(expression, reopen)]
        return self._update(
            keys.payment_key(merchant_id, transaction_id),
            update,
            conditions,
            expression,
            is_ours=lambda found: found.lease == lease,
        )

    def save_progress(self, payment: Payment, number: int, progress: Mapping[str, str]) -> Stored | VersionConflict:
        """Under our version and lease: an older worker cannot store what it needs to go on charging."""
        attempt = replace(payment.attempt(number), progress=progress)
        attempts = tuple(attempt if a.number == number else a for a in payment.attempts)
        after = replace(payment, attempts=attempts, version=payment.version + 1)
        return self._replace(payment, after)

    def reschedule(self, before: Payment, after: Payment) -> Stored | VersionConflict:
        """Frees the lease and sets the next look."""
        return self._replace(before, after)

    # -- outcome

    def commit(self, change: Change) -> Stored | VersionConflict | ReferenceTaken | AlreadySeen:
        """All parts in one transaction; when its fate is unclear, the stored event tells."""
        try:
            refused = writes.transact(self.client, self._commit_parts(change))
        except StorageUnavailableError:
            return self._own_or_moved(change)
        if refused is None:
            return Stored(payment=change.after)
        if refused.passing:
            self._pause(0)
        if refused.failed.keys() & {Part.PAYMENT, Part.OPERATION} or not refused.failed:
            return self._own_or_moved(change)
        if Part.SEEN in refused.failed:
            return AlreadySeen()
        return ReferenceTaken() if Part.REFERENCE in refused.failed else self._own_or_moved(change)

    def _commit_parts(self, change: Change) -> list[tuple[Part, dict[str, Any]]]:
        table = self.transactions_table
        parts = [(Part.PAYMENT, writes.changed_payment(table, change.before, change.after))]
        if change.operation_before is not None and change.operation_after is not None:
            parts.append(
                (Part.OPERATION, writes.changed_operation(table, change.operation_before, change.operation_after))
            )
        if change.reference and change.attempt_number:
            parts.append((Part.REFERENCE, writes.owned_reference(table, change)))
        if change.seen is not None:
            parts.append((Part.SEEN, writes.seen_event(table, change.seen)))
        return [*parts, (Part.EVENT, writes.new_event(table, change.event, merchant_event_of(change)))]

    def expedite(self, before: Payment, after: Payment, seen: SeenEvent) -> Stored | VersionConflict | AlreadySeen:
        """The next look and the event's row, both or none."""
        table = self.transactions_table
        refused = writes.transact(
            self.client,
            [
                (Part.PAYMENT, writes.changed_payment(table, before, after)),
                (Part.SEEN, writes.seen_event(table, seen)),
            ],
        )
        if refused is None:
            return Stored(payment=after)
        if Part.SEEN in refused.failed:
            return AlreadySeen()
        return VersionConflict(payment=self.get(before.merchant_id, before.transaction_id))

    def _own_or_moved(self, change: Change) -> Stored | VersionConflict:
        """A lost answer is not a lost write: our event's hash on the payment proves that it was written."""
        found = self.get(change.before.merchant_id, change.before.transaction_id)
        if found is not None and found.event_hash == change.event.hash:
            return Stored(payment=found)
        return VersionConflict(payment=found)

    # -- shared

    def _replace(self, before: Payment, after: Payment) -> Stored | VersionConflict:
        expression = Expression()
        update = expression.update(writes.seen(to_item(before)), to_item(after))
        return self._update(
            keys.payment_key(before.merchant_id, before.transaction_id),
            update,
            writes.unmoved_payment(expression, before),
            expression,
            is_ours=lambda found: replace(found, due_at_ms=after.due_at_ms, drives=after.drives) == after,
        )

    def _update(
        self,
        key: Mapping[str, str],
        update: str,
        conditions: list[str],
        expression: Expression,
        *,
        is_ours: Callable[[Payment], bool],
    ) -> Stored | VersionConflict:
        """A failed condition may be our own write whose answer was lost and which the SDK repeated."""
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
            found = from_item(item) if item else None
            return Stored(payment=found) if found is not None and is_ours(found) else VersionConflict(payment=found)
        return Stored(payment=from_item(from_attributes(answer["Attributes"])))

    def _get_item(self, table: str, key: Mapping[str, str]) -> Item | None:
        with storage_errors():
            answer = self.client.get_item(TableName=table, Key=to_attributes(key), ConsistentRead=True)
        return from_attributes(answer["Item"]) if "Item" in answer else None

    def _pause(self, tries: int) -> None:
        """Let the other writer finish: 20 to 40 ms, doubled a try."""
        self.pause(0.02 * 2**tries * (1 + self.jitter()))


def _key_item(payment: Payment, idempotency_key: str) -> Item:
    return {
        "pk": keys.idempotency_partition(payment.merchant_id, idempotency_key),
        "schemaVersion": keys.SCHEMA_VERSION,
        "transactionId": payment.transaction_id,
        "fingerprint": payment.fingerprint,
        "createdAt": payment.created_at_ms,
    }
