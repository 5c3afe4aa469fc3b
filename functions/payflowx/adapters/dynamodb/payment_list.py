"""A merchant's payments, newest first: day by day through the index, then the items themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from payflowx.adapters.dynamodb import keys
from payflowx.adapters.dynamodb.expressions import Expression
from payflowx.adapters.dynamodb.failures import storage_errors
from payflowx.adapters.dynamodb.payment_items import from_item
from payflowx.adapters.dynamodb.values import Item, from_attributes, to_attributes
from payflowx.domain.errors import StorageUnavailableError
from payflowx.domain.limits import DAY_MS, MAX_COMMIT_TRIES, MAX_LIST_DAYS_PER_PAGE, MAX_LIST_ROWS_PER_PAGE
from payflowx.domain.payment import Payment
from payflowx.domain.ports import PaymentPage, PaymentQuery

_BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentList:
    """The index holds keys only, so that a change of status costs no second write; the items are fetched."""

    client: Any
    table: str

    def page(self, query: PaymentQuery) -> PaymentPage:
        """At most `limit` payments after at most 31 days and 300 rows; then the client is sent on with a position."""
        items: list[Payment] = []
        rows_left = MAX_LIST_ROWS_PER_PAGE
        upper = query.position or f"{query.until_ms:013d}"
        day_start_ms = (int(upper[:13]) - (0 if query.position else 1)) // DAY_MS * DAY_MS
        for _ in range(MAX_LIST_DAYS_PER_PAGE):
            if day_start_ms + DAY_MS <= query.from_ms:
                return PaymentPage(items=items, next_position=None)
            while rows_left > 0:
                rows = self._rows(query, day_start_ms, upper, min(_BATCH, rows_left))
                for row in self._fetch(rows):
                    upper = keys.merchant_day_sort(row.created_at_ms, row.transaction_id)
                    if query.status in (None, row.status):
                        items.append(row)
                    if len(items) == query.limit:
                        return PaymentPage(items=items, next_position=upper)
                rows_left -= len(rows)
                if len(rows) < _BATCH:
                    break
            if rows_left <= 0:
                return PaymentPage(items=items, next_position=upper)
            upper = f"{day_start_ms:013d}"
            day_start_ms -= DAY_MS
        return PaymentPage(items=items, next_position=upper)

    def _rows(self, query: PaymentQuery, day_start_ms: int, upper: str, limit: int) -> Sequence[Item]:
        """Keys of one day, strictly below `upper`: a sort key extends its time, so the plain time lies below."""
        expression = Expression()
        lower = f"{max(query.from_ms, day_start_ms):013d}"
        if upper <= lower:
            return []
        condition = (
            f"{expression.equals('merchantDay', keys.merchant_day(query.merchant_id, keys.day_of(day_start_ms)))}"
            f" AND {expression.name('merchantDaySort')} BETWEEN {expression.value(lower)} AND {expression.value(upper)}"
        )
        with storage_errors():
            answer = self.client.query(
                TableName=self.table,
                IndexName="byMerchant",
                KeyConditionExpression=condition,
                ScanIndexForward=False,
                Limit=limit + 1,
                **expression.arguments(),
            )
        rows = [from_attributes(item) for item in answer["Items"]]
        return [row for row in rows if row["merchantDaySort"] != upper][:limit]

    def _fetch(self, rows: Sequence[Item]) -> Sequence[Payment]:
        """The items, in the order of the rows."""
        wanted = [to_attributes({"pk": row["pk"], "sk": row["sk"]}) for row in rows]
        found: dict[str, Payment] = {}
        for _ in range(MAX_COMMIT_TRIES):
            if not wanted:
                return [found[row["pk"]] for row in rows if row["pk"] in found]
            with storage_errors():
                answer = self.client.batch_get_item(RequestItems={self.table: {"Keys": wanted}})
            for attributes in answer["Responses"].get(self.table, []):
                item = from_attributes(attributes)
                found[item["pk"]] = from_item(item)
            wanted = answer.get("UnprocessedKeys", {}).get(self.table, {}).get("Keys", [])
        raise StorageUnavailableError("the database did not return all payments of the page")
