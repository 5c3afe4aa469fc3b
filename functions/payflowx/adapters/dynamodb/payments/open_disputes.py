"""The open disputes that await evidence, through the sparse index `reviews`, in a partition of their own.

An entry is written in the transaction that records the dispute. It stays when the dispute ends, without its index keys.
Release 0.2.0 reads neither the entries nor the index.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import storage_errors
from payflowx.adapters.dynamodb.core.values import from_attributes, to_attributes
from payflowx.adapters.dynamodb.payments.review_items import INDEX, PARTITION, SORT
from payflowx.domain.payments.dispute import Dispute
from payflowx.domain.payments.dispute_ports import DisputePage, OpenDispute
from payflowx.domain.payments.payment import Payment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_END_OF_TIME_MS = 10**13 - 1
"""The latest time that thirteen digits hold."""
_NOTHING = {PARTITION: "", SORT: ""}


def listed(table: str, payment: Payment, dispute: Dispute) -> dict[str, Any]:
    """The part of a transaction that keeps the dispute's entry true: listed while it awaits evidence."""
    expression = Expression()
    due_at_ms = dispute.evidence_due_at_ms if dispute.awaits_evidence else None
    entry = {
        "schemaVersion": keys.SCHEMA_VERSION,
        "merchantId": payment.merchant_id,
        "transactionId": payment.transaction_id,
        "provider": dispute.provider,
        "reference": dispute.reference,
        PARTITION: None if due_at_ms is None else keys.disputes_of(payment.merchant_id),
        SORT: None if due_at_ms is None else keys.dispute_sort(due_at_ms, payment.transaction_id, dispute.reference),
    }
    update = expression.update(_NOTHING, entry)
    key = keys.dispute_key(payment.merchant_id, payment.transaction_id, dispute.provider, dispute.reference)
    return {
        "Update": {
            "TableName": table,
            "Key": to_attributes(key),
            "UpdateExpression": update,
            **expression.arguments(),
        }
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBOpenDisputes:
    """Implements `OpenDisputes`."""

    client: "DynamoDBClient"
    table: str

    def page(
        self, merchant_id: str, *, limit: int, position: str | None, from_ms: int, until_ms: int | None = None
    ) -> DisputePage:
        """`position` is the sort key of the last row read, whose deadline may have passed since.

        A query must not begin outside of its own condition.
        """
        begin_ms = from_ms if position is None else min(from_ms, int(position.partition("#")[0]))
        expression = Expression()
        condition = expression.equals(PARTITION, keys.disputes_of(merchant_id))
        first = expression.value(f"{begin_ms:013d}")
        last = expression.value(f"{_END_OF_TIME_MS if until_ms is None else until_ms:013d}")
        condition += f" AND {expression.name(SORT)} BETWEEN {first} AND {last}"
        start = self._start(merchant_id, position)
        with storage_errors():
            answer = self.client.query(
                TableName=self.table,
                IndexName=INDEX,
                KeyConditionExpression=condition,
                Limit=limit,
                **expression.arguments(),
                **start,
            )
        rows = [from_attributes(item) for item in answer["Items"]]
        more = bool(rows) and "LastEvaluatedKey" in answer
        found = [dispute for dispute in _disputes(rows) if dispute.evidence_due_at_ms >= from_ms]
        return DisputePage(items=found, next_position=_position(rows[-1]) if more else None)

    @staticmethod
    def _start(merchant_id: str, position: str | None) -> dict[str, Any]:
        if position is None:
            return {}
        sort, _, provider = position.rpartition("@")
        _, transaction_id, reference = sort.split("#", maxsplit=2)
        key = keys.dispute_key(merchant_id, transaction_id, provider, reference)
        return {"ExclusiveStartKey": to_attributes({PARTITION: keys.disputes_of(merchant_id), SORT: sort, **key})}


def _position(row: dict[str, Any]) -> str:
    provider, _ = row["sk"].removeprefix(keys.DISPUTE_PREFIX).split("#", maxsplit=1)
    return f"{row[SORT]}@{provider}"


def _disputes(rows: Sequence[dict[str, Any]]) -> list[OpenDispute]:
    found = []
    for row in rows:
        due, transaction_id, reference = row[SORT].split("#", maxsplit=2)
        provider, _ = row["sk"].removeprefix(keys.DISPUTE_PREFIX).split("#", maxsplit=1)
        merchant_id, _ = keys.parse_payment_partition(row["pk"])
        found.append(
            OpenDispute(
                merchant_id=merchant_id,
                transaction_id=transaction_id,
                provider=provider,
                reference=reference,
                evidence_due_at_ms=int(due),
            )
        )
    return found
