"""A merchant's items, newest first: day by day through the index, then the items themselves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.batches import get_items
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import storage_errors
from payflowx.adapters.dynamodb.core.values import Item, from_attributes
from payflowx.domain.shared.limits import DAY_MS, MAX_LIST_DAYS_PER_PAGE, MAX_LIST_ROWS_PER_PAGE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MAX_BATCH: Final = 100
"""The items of one BatchGetItem."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """Which times, from inclusive, until exclusive; `position` continues a list."""

    from_ms: int
    until_ms: int
    position: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantDays(Generic[T]):
    """The index holds keys only, so that a change of status costs no second write; the items are fetched.

    `partitions` names a day's partitions in the index, `read` makes of an item what the list holds.
    """

    client: "DynamoDBClient"
    table: str
    partitions: Callable[[str], Sequence[str]]
    read: Callable[[Item], T]

    def page(self, time_range: TimeRange, limit: int, *, wanted: Callable[[T], bool]) -> tuple[Sequence[T], str | None]:
        """At most `limit` items after at most 31 days and 300 rows; then the client is sent on with a position.

        It reads the rows that the page lacks. Where a filter passes rows over, each further read of a day is twice as
        long as the one before, so that a rare status takes few calls.
        """
        items: list[T] = []
        rows_left = MAX_LIST_ROWS_PER_PAGE
        upper = time_range.position or f"{time_range.until_ms:013d}"
        day_start_ms = (int(upper[:13]) - (0 if time_range.position else 1)) // DAY_MS * DAY_MS
        for _ in range(MAX_LIST_DAYS_PER_PAGE):
            if day_start_ms + DAY_MS <= time_range.from_ms:
                return items, None
            batch = 0
            while rows_left > 0:
                batch = min(max(limit - len(items), 2 * batch), _MAX_BATCH, rows_left)
                rows = self._rows(time_range, day_start_ms, upper, batch)
                for item in self._fetch(rows):
                    upper = item["merchantDaySort"]
                    found = self.read(item)
                    if wanted(found):
                        items.append(found)
                    if len(items) == limit:
                        return items, upper
                rows_left -= len(rows)
                if len(rows) < batch:
                    break
            if rows_left <= 0:
                return items, upper
            upper = f"{day_start_ms:013d}"
            day_start_ms -= DAY_MS
        return items, upper

    def _rows(self, time_range: TimeRange, day_start_ms: int, upper: str, limit: int) -> Sequence[Item]:
        """Keys of one day, strictly below `upper`: a sort key extends its time, so the plain time lies below.

        Any of the day's partitions may hold all the newest rows, so each is asked for as many as are wanted. The sort
        keys of one day differ, whatever their partitions: a position says what was read of each.
        """
        lower = f"{max(time_range.from_ms, day_start_ms):013d}"
        if upper <= lower:
            return []
        partitions = self.partitions(keys.day_of(day_start_ms))
        rows = [row for partition in partitions for row in self._rows_of(partition, lower, upper, limit)]
        return sorted(rows, key=_place, reverse=True)[:limit]

    def _rows_of(self, partition: str, lower: str, upper: str, limit: int) -> Sequence[Item]:
        expression = Expression()
        condition = (
            f"{expression.equals('merchantDay', partition)}"
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

    def _fetch(self, rows: Sequence[Item]) -> Sequence[Item]:
        """The items, in the order of the rows."""
        wanted = [{"pk": row["pk"], "sk": row["sk"]} for row in rows]
        found = {
            (item["pk"], item["sk"]): item for item in get_items(self.client, self.table, wanted, consistent=False)
        }
        return [found[row["pk"], row["sk"]] for row in rows if (row["pk"], row["sk"]) in found]


def _place(row: Item) -> str:
    return str(row["merchantDaySort"])
