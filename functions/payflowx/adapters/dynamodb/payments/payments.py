"""The store of payments. Every write is conditional; its comments say what a failed condition means."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core import keys, writes
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import (
    condition_failed,
    is_conflict,
    item_found,
    storage_errors,
    was_repeated,
)
from payflowx.adapters.dynamodb.core.values import Item, from_attributes
from payflowx.adapters.dynamodb.core.writes import ConditionFailed, Part
from payflowx.adapters.dynamodb.payments import open_disputes
from payflowx.adapters.dynamodb.payments.attempt_store import DynamoDBAttemptStore
from payflowx.adapters.dynamodb.payments.event_items import events_from_item
from payflowx.adapters.dynamodb.payments.payment_items import from_item, to_item
from payflowx.adapters.dynamodb.payments.payment_list import PaymentList
from payflowx.domain.payments.acceptance import held_event
from payflowx.domain.payments.change import Change
from payflowx.domain.payments.events import Event
from payflowx.domain.payments.payment import Payment
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
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.identifiers import derive_transaction_id
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES

_OPERATOR: Final = "operator"
"""The actor of a review's closing: nothing was verified against the provider's answer."""


@dataclass(frozen=True, kw_only=True)
class DynamoDBPayments(DynamoDBAttemptStore[Payment]):
    """Implements `Payments`. `pause` waits some seconds."""

    pause: Callable[[float], None]
    jitter: Callable[[], float]

    def from_item(self, item: Item) -> Payment:
        return from_item(item)

    # -- accept

    def create(self, payment: Payment, event: Event, idempotency_key: str) -> Created[Payment] | Existing:
        """One item, which holds its first event and stands for its key; of the full layout, three items or none."""
        if payment.holds_first_event:
            return self._put(payment)
        created = self.create_with(payment, event, idempotency_key, [])
        if isinstance(created, ConditionFailed):
            raise StorageUnavailableError("the payment was refused without a reason")
        return created

    def create_with(
        self, payment: Payment, event: Event, idempotency_key: str, beside: Sequence[tuple[Part, Any]]
    ) -> Created[Payment] | Existing | ConditionFailed:
        """The same with further parts; `ConditionFailed` if the condition of one of them did not hold."""
        parts = [(Part.PAYMENT, writes.new_item(self.transactions_table, to_item(payment, self.partitions))), *beside]
        if not payment.holds_first_event:
            row = writes.new_item(self.idempotency_table, _key_item(payment, idempotency_key))
            parts += [(Part.KEY, row), (Part.EVENT, writes.new_event(self.transactions_table, self.partitions, event))]
        for attempt in range(MAX_COMMIT_TRIES):
            refused = writes.transact(self.client, parts)
            if refused is None:
                return Created(item=payment)
            key, earlier = (refused.failed.get(part) for part in (Part.KEY, Part.PAYMENT))
            if key is not None:
                return _existing(key)
            if earlier is not None:
                return _existing_payment(from_item(earlier))  # a token holds over the SDK's tries: it is not ours
            if refused.failed.keys() & {part for part, _ in beside}:
                return refused
            self._pause(attempt)
        raise StorageUnavailableError("the payment could not be stored; repeat the request with the same key")

    def _put(self, payment: Payment) -> Created[Payment] | Existing:
        """A plain write has no token: only one that the SDK has repeated may find itself, and its event proves it."""
        write = writes.new_item(self.transactions_table, to_item(payment, self.partitions))["Put"]
        for attempt in range(MAX_COMMIT_TRIES):
            try:
                with storage_errors():
                    self.client.put_item(**write)
            except ClientError as error:
                found = item_found(error) if condition_failed(error) else None
                if found is None:
                    raise
                earlier = from_item(found)
                if was_repeated(error) and _is_same(payment, earlier):
                    return Created(item=earlier)
                return _existing_payment(earlier)
            except StorageUnavailableError as error:
                if not is_conflict(error):
                    raise
                self._pause(attempt)  # the key's payment is being changed: the next try finds it
            else:
                return Created(item=payment)
        raise StorageUnavailableError("the payment could not be stored; repeat the request with the same key")

    def find_key(self, merchant_id: str, idempotency_key: str) -> Existing | None:
        """The payment of the key's id; else the row of the full layout, which outlives a payment that was lost.

        Rows are read until release 0.4.0.
        """
        payment = self.get(merchant_id, derive_transaction_id(merchant_id, idempotency_key))
        if payment is not None:
            return _existing_payment(payment)
        key = {"pk": keys.idempotency_partition(merchant_id, idempotency_key)}
        item = self._get_item(self.idempotency_table, key)
        return _existing(item) if item else None

    # -- read

    def get(self, merchant_id: str, transaction_id: str) -> Payment | None:
        """A consistent read."""
        item = self._get_item(self.transactions_table, keys.payment_key(merchant_id, transaction_id))
        return from_item(item) if item else None

    def page(self, query: PaymentQuery) -> PaymentPage:
        """Newest first, by the merchant's index; a bounded number of days and rows a page."""
        return PaymentList(client=self.client, table=self.transactions_table, partitions=self.partitions).page(query)

    def events(self, merchant_id: str, transaction_id: str, *, after_seq: int, limit: int) -> EventPage:
        """In order, consistently. As long as there is no event's item, the payment holds the first one."""
        for _ in range(MAX_COMMIT_TRIES):
            page = self._stored_events(merchant_id, transaction_id, after_seq=after_seq, limit=limit)
            if page.items or after_seq > 0:
                return page
            payment = self.get(merchant_id, transaction_id)
            first = held_event(payment) if payment else None
            if first is not None or payment is None:
                return EventPage(items=[first] if first else [], next_seq=None)
        raise StorageUnavailableError("the audit log kept changing; repeat the request")

    def _stored_events(self, merchant_id: str, transaction_id: str, *, after_seq: int, limit: int) -> EventPage:
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
        found = [event for item in answer["Items"] for event in events_from_item(from_attributes(item))]
        items = [event for event in found if event.seq > after_seq][:limit]
        more = bool(items) and ("LastEvaluatedKey" in answer or items[-1].seq < found[-1].seq)
        return EventPage(items=items, next_seq=items[-1].seq if more else None)

    # -- outcome

    def commit(self, change: Change) -> Stored[Payment] | VersionConflict[Payment] | ReferenceTaken | AlreadySeen:
        """All parts in one transaction; when its fate is unclear, the stored event tells.

        Accounts of two merchants may have one name, and their providers' ids may be equal: the second merchant's is
        then stored under a key of its own. The common key is asked first, always, so that one merchant's attempts meet
        there whatever release writes them; its items are never deleted.
        """
        result = self.commit_with(change, [])
        return self._own_or_moved(change) if isinstance(result, ConditionFailed) else result

    def commit_with(
        self, change: Change, beside: Sequence[tuple[Part, Any]], *, beside_another_merchant: bool = False
    ) -> Stored[Payment] | VersionConflict[Payment] | ReferenceTaken | AlreadySeen | ConditionFailed:
        """The same with further parts; `ConditionFailed` if only the conditions of those did not hold."""
        parts = [*self._commit_parts(change, beside_another_merchant=beside_another_merchant), *beside]
        try:
            refused = writes.transact(self.client, parts)
        except StorageUnavailableError:
            return self._own_or_moved(change)
        if refused is None:
            return Stored(item=change.after)
        if refused.passing:
            self._pause(0)
        if refused.failed.keys() & {Part.PAYMENT, Part.OPERATION} or not refused.failed:
            return self._own_or_moved(change)
        if Part.SEEN in refused.failed:
            return AlreadySeen()
        if Part.REFERENCE in refused.failed:
            if not beside_another_merchant and _is_of_another_merchant(refused.failed[Part.REFERENCE], change):
                return self.commit_with(change, beside, beside_another_merchant=True)
            return ReferenceTaken()
        if refused.failed.keys() <= {part for part, _ in beside}:
            return refused
        return self._own_or_moved(change)

    def _commit_parts(
        self, change: Change, *, beside_another_merchant: bool = False
    ) -> list[tuple[Part, dict[str, Any]]]:
        table, partitions = self.transactions_table, self.partitions
        parts = [(Part.PAYMENT, writes.changed(table, partitions, change.before, change.after))]
        if change.operation_before is not None and change.operation_after is not None:
            changed = writes.changed(table, partitions, change.operation_before, change.operation_after)
            parts.append((Part.OPERATION, changed))
        elif change.operation_after is not None:
            parts += writes.new_operation(table, partitions, change.operation_after)
        if change.reference and change.attempt_number:
            owned = writes.owned_reference(table, change, beside_another_merchant=beside_another_merchant)
            parts.append((Part.REFERENCE, owned))
        if change.dispute is not None:
            listed = open_disputes.listed(table, change.after, change.dispute)
            parts.append((Part.DISPUTE, listed))
        if change.seen is not None:
            parts.append((Part.SEEN, writes.seen_event(table, change.before.merchant_id, change.seen)))
        return [*parts, (Part.EVENT, writes.event_of_change(table, partitions, change))]

    def _own_or_moved(self, change: Change) -> Stored[Payment] | VersionConflict[Payment]:
        """A lost answer is not a lost write: our event's hash on the payment proves that it was written."""
        found = self.get(change.before.merchant_id, change.before.transaction_id)
        if found is not None and found.event_hash == change.event.hash:
            return Stored(item=found)
        return VersionConflict(item=found)

    def _pause(self, tries: int) -> None:
        """Let the other writer finish: 20 to 40 ms, doubled a try."""
        self.pause(0.02 * 2**tries * (1 + self.jitter()))


def _is_of_another_merchant(owner: Item | None, change: Change) -> bool:
    """Return whether a provider's answer, not an operator's word, is about an id of another merchant's account."""
    is_other = owner is not None and owner["merchantId"] != change.after.merchant_id
    return is_other and change.event.actor != _OPERATOR


def _key_item(payment: Payment, idempotency_key: str) -> Item:
    return {
        "pk": keys.idempotency_partition(payment.merchant_id, idempotency_key),
        "schemaVersion": keys.SCHEMA_VERSION,
        "transactionId": payment.transaction_id,
        "fingerprint": payment.fingerprint,
        "contentFingerprint": payment.content_fingerprint,
        "createdAt": payment.created_at_ms,
    }


def _is_same(payment: Payment, stored: Payment) -> bool:
    """Our own write is found if its answer was lost; then its message is still to be sent.

    The event names the time, but not the whole request: another one of the same millisecond is no write of ours.
    """
    is_ours = stored.event_hash == payment.event_hash
    return is_ours and _existing_payment(stored).is_of(payment.fingerprint, payment.content_fingerprint)


def _existing_payment(payment: Payment) -> Existing:
    return Existing(
        transaction_id=payment.transaction_id,
        fingerprint=payment.fingerprint,
        content_fingerprint=payment.content_fingerprint,
        payment=payment,
    )


def _existing(item: Item) -> Existing:
    """Of a key's row."""
    return Existing(
        transaction_id=item["transactionId"],
        fingerprint=item["fingerprint"],
        content_fingerprint=item.get("contentFingerprint"),
    )
