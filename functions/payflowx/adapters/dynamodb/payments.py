"""The store of payments. Every write is conditional; its comments say what a failed condition means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb import keys
from payflowx.adapters.dynamodb.event_items import event_from_item, event_to_item
from payflowx.adapters.dynamodb.expressions import Expression
from payflowx.adapters.dynamodb.failures import (
    Cancelled,
    cancellation,
    condition_failed,
    item_found,
    storage_errors,
)
from payflowx.adapters.dynamodb.payment_items import attempt_to_item, from_item, lease_to_item, to_item
from payflowx.adapters.dynamodb.payment_list import PaymentList
from payflowx.adapters.dynamodb.values import Item, from_attributes, to_attributes
from payflowx.domain.attempt import Attempt
from payflowx.domain.conclusion import Change
from payflowx.domain.errors import StorageUnavailableError
from payflowx.domain.events import Event
from payflowx.domain.limits import MAX_ATTEMPTS, MAX_COMMIT_TRIES, SECOND_MS
from payflowx.domain.payment import Lease, Payment
from payflowx.domain.ports import (
    Claimed,
    Created,
    EventPage,
    Existing,
    Moved,
    PaymentPage,
    PaymentQuery,
    ReferenceTaken,
)

_DUE_AFTER_LEASE_MS: Final = 15 * SECOND_MS
"""A worker that died is noticed shortly after its lease has ended."""

_IDEMPOTENCY, _PAYMENT = 0, 1
_HEAD, _REFERENCE = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBPayments:
    """Implements `Payments`. `client` is a boto3 DynamoDB client; `pause` waits some seconds."""

    client: Any
    transactions_table: str
    idempotency_table: str
    pause: Callable[[float], None]
    jitter: Callable[[], float]

    # -- accept

    def create(self, payment: Payment, event: Event, idempotency_key: str) -> Created | Existing:
        """All three or none. A taken key, or a taken id if the key's row was lost, gives the earlier payment."""
        request = {
            "TransactItems": [
                self._put_key(payment, idempotency_key),
                self._put_new(to_item(payment)),
                self._put_new(event_to_item(event)),
            ]
        }
        for attempt in range(MAX_COMMIT_TRIES):
            cancelled = self._transact(request)
            if cancelled is None:
                return Created(payment=payment)
            for place in (_IDEMPOTENCY, _PAYMENT):
                found = cancelled.failed.get(place)
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
    ) -> Claimed | Moved:
        """One update that also returns the item: claim and read are the same call."""
        expression = Expression()
        values = {
            "version": version + 1,
            "lease": lease_to_item(lease),
            "dueAt": lease.expires_at_ms + _DUE_AFTER_LEASE_MS,
            "dueShard": keys.due_shard(transaction_id),
            "updatedAt": now_ms,
        }
        update = "SET " + expression.assignments(values)
        conditions = [expression.equals("version", version), expression.at_most("lease.expiresAt", now_ms)]
        if append is not None:
            attempts = expression.name("attempts")
            new = expression.value([attempt_to_item(append)])
            update += f", {attempts} = list_append({attempts}, {new})"
            conditions += [
                expression.absent("chargedAttempt"),
                f"size({attempts}) = {expression.value(append.number - 1)}",
                f"size({attempts}) < {expression.value(MAX_ATTEMPTS)}",
            ]
        return self._update(
            keys.payment_key(merchant_id, transaction_id),
            update,
            conditions,
            expression,
            is_ours=lambda found: found.lease == lease,
        )

    def save_progress(self, payment: Payment, number: int, progress: Mapping[str, str]) -> Claimed | Moved:
        """Under our version and lease: an older worker cannot store what it needs to go on charging."""
        attempt = replace(payment.attempt(number), progress=progress)
        attempts = tuple(attempt if a.number == number else a for a in payment.attempts)
        after = replace(payment, attempts=attempts, version=payment.version + 1)
        return self._replace(payment, after)

    def reschedule(self, before: Payment, after: Payment) -> Claimed | Moved:
        """Frees the lease and sets the next look."""
        return self._replace(before, after)

    # -- outcome

    def commit(self, change: Change) -> Claimed | Moved | ReferenceTaken:
        """Payment, event and reference in one transaction; when its fate is unclear, the stored event tells."""
        try:
            cancelled = self._transact({"TransactItems": self._commit_items(change)})
        except StorageUnavailableError:
            return self._own_or_moved(change)
        if cancelled is None:
            return Claimed(payment=change.after)
        if _HEAD in cancelled.failed or cancelled.passing:
            if cancelled.passing:
                self._pause(0)
            return self._own_or_moved(change)
        if _REFERENCE in cancelled.failed and change.reference is not None:
            return ReferenceTaken()
        return self._own_or_moved(change)

    def _commit_items(self, change: Change) -> list[dict[str, Any]]:
        before, after = change.before, change.after
        expression = Expression()
        update = expression.update(_seen(before), to_item(after))
        conditions = self._unmoved(expression, before)
        if after.charged_attempt is not None and before.charged_attempt is None:
            conditions.append(expression.absent("chargedAttempt"))
        head = {
            "Update": {
                "TableName": self.transactions_table,
                "Key": to_attributes(keys.payment_key(before.merchant_id, before.transaction_id)),
                "UpdateExpression": update,
                "ConditionExpression": " AND ".join(conditions),
                **expression.arguments(),
            }
        }
        reference = [self._put_reference(change)] if change.reference and change.attempt_number else []
        return [head, *reference, self._put_new(event_to_item(change.event))]

    def _put_reference(self, change: Change) -> dict[str, Any]:
        attempt = change.after.attempt(change.attempt_number or 0)
        expression = Expression()
        ours = f"{expression.equals('transactionId', change.after.transaction_id)} AND " + expression.equals(
            "attempt", attempt.number
        )
        item = {
            **keys.reference_key(attempt.provider, attempt.account_id, change.reference or ""),
            "schemaVersion": keys.SCHEMA_VERSION,
            "merchantId": change.after.merchant_id,
            "transactionId": change.after.transaction_id,
            "attempt": attempt.number,
        }
        return {
            "Put": {
                "TableName": self.transactions_table,
                "Item": to_attributes(item),
                "ConditionExpression": f"{expression.absent('pk')} OR ({ours})",
                **expression.arguments(),
            }
        }

    def _own_or_moved(self, change: Change) -> Claimed | Moved:
        """A lost answer is not a lost write: our event's hash on the payment proves that it was written."""
        found = self.get(change.before.merchant_id, change.before.transaction_id)
        if found is not None and found.event_hash == change.event.hash:
            return Claimed(payment=found)
        return Moved(payment=found)

    # -- shared

    @staticmethod
    def _unmoved(expression: Expression, before: Payment) -> list[str]:
        """Nothing was written since `before` was read, and nobody with a newer epoch has the lease."""
        return [
            expression.equals("version", before.version),
            expression.equals("lease.epoch", before.lease.epoch),
            expression.equals("lease.owner", before.lease.owner),
            expression.equals("eventSeq", before.event_seq),
        ]

    def _replace(self, before: Payment, after: Payment) -> Claimed | Moved:
        expression = Expression()
        update = expression.update(_seen(before), to_item(after))
        return self._update(
            keys.payment_key(before.merchant_id, before.transaction_id),
            update,
            self._unmoved(expression, before),
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
    ) -> Claimed | Moved:
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
            return Claimed(payment=found) if found is not None and is_ours(found) else Moved(payment=found)
        return Claimed(payment=from_item(from_attributes(answer["Attributes"])))

    def _transact(self, request: Mapping[str, Any]) -> Cancelled | None:
        """None when written. The SDK gives its own repeats of this call one token, so they apply once."""
        try:
            with storage_errors():
                self.client.transact_write_items(**request)
        except ClientError as error:
            cancelled = cancellation(error)
            if cancelled is None:
                raise
            return cancelled
        return None

    def _put_key(self, payment: Payment, idempotency_key: str) -> dict[str, Any]:
        item = {
            "pk": keys.idempotency_partition(payment.merchant_id, idempotency_key),
            "schemaVersion": keys.SCHEMA_VERSION,
            "transactionId": payment.transaction_id,
            "fingerprint": payment.fingerprint,
            "createdAt": payment.created_at_ms,
        }
        return self._put_new(item, table=self.idempotency_table)

    def _put_new(self, item: Item, *, table: str | None = None) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": table or self.transactions_table,
                "Item": to_attributes(item),
                "ConditionExpression": "attribute_not_exists(pk)",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def _get_item(self, table: str, key: Mapping[str, str]) -> Item | None:
        with storage_errors():
            answer = self.client.get_item(TableName=table, Key=to_attributes(key), ConsistentRead=True)
        return from_attributes(answer["Item"]) if "Item" in answer else None

    def _pause(self, tries: int) -> None:
        """Let the other writer finish: 20 to 40 ms, doubled a try."""
        self.pause(0.02 * 2**tries * (1 + self.jitter()))


def _seen(before: Payment) -> Item:
    """What is surely stored: the sweeper counts drives without raising the version, so they are always written."""
    return to_item(before) | {"drives": None}
