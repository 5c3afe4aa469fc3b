"""The tables and their copies of an earlier time.

DynamoDB restores into a new table only, and the tables' names belong to CloudFormation and to every function's rights.
So the copy is compared with the table that is in use, item by item, and only what differs is written there: the table
keeps its name, its backups and its place in the stack.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.errors import Exit, OperatorError
from ops.target import Target, aws_errors
from payflowx.adapters.dynamodb.core.keys import parse_payment_partition
from payflowx.application.recovery.restore import UsedNumbers

OUTPUTS: Final = ("TransactionsTableName", "IdempotencyTableName")
"""Never the configuration: a restored one would accept API keys that were revoked since."""
_PAGE: Final = 100
"""Most keys of one BatchGetItem."""
_WRITES: Final = 25
"""Most writes of one BatchWriteItem."""
_ROUNDS: Final = 20
"""How often what DynamoDB left unprocessed is sent again."""
_PAYMENT: Final = {"S": "PAYMENT"}

Item = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsTables:
    """Implements `RestoredTables`."""

    target: Target
    written: dict[str, int] = field(default_factory=dict)
    """Items put and deleted in each table by this process."""

    def check(self, restored_to_ms: int, now_ms: int) -> None:
        """Raise `OperatorError` for a time that is out of reach, before anything is switched off for it.

        The last minutes cannot be restored yet; they can be once everything is off. `begin` judges a missing table.
        """
        moment, client = _second(restored_to_ms), self.target.client("dynamodb")
        if restored_to_ms >= now_ms:
            raise OperatorError(f"{moment:%Y-%m-%d %H:%M:%S} UTC is not over yet.", Exit.USAGE)
        for table in self._tables():
            with aws_errors("read how far back the tables can be restored"):
                if self._status(client, table) is None or self._status(client, _copy_of(table, moment)) is not None:
                    continue
                answer = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
            earliest = answer.get("PointInTimeRecoveryDescription", {}).get("EarliestRestorableDateTime")
            if earliest is None or moment < earliest:
                since = (
                    "is off" if earliest is None else f"goes back to {earliest.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
                )
                raise OperatorError(
                    f"{table} cannot be restored to this time: its point-in-time recovery {since}.",
                    Exit.REFUSED,
                    hint="Nothing was switched off. A backup goes back further: docs/operations/restore.md.",
                )

    def begin(self, restored_to_ms: int, /) -> Mapping[str, str]:
        """Start a restore of each table to that second, unless its copy exists already."""
        moment = _second(restored_to_ms)
        client = self.target.client("dynamodb")
        copies = {}
        for table in self._tables():
            copies[table] = _copy_of(table, moment)
            with aws_errors(f"restore {table} beside itself", changing=True):
                if self._status(client, table) is None:
                    raise OperatorError(
                        f"There is no table {table}.",
                        Exit.UNAVAILABLE,
                        hint=f"Restore a backup of it under this name and as {copies[table]}, then repeat the command: "
                        "docs/operations/restore.md, A table that was deleted.",
                    )
                if self._status(client, copies[table]) is None:
                    client.restore_table_to_point_in_time(
                        SourceTableName=table, TargetTableName=copies[table], RestoreDateTime=moment
                    )
        return copies

    def are_ready(self, copies: Mapping[str, str], /) -> bool:
        client = self.target.client("dynamodb")
        with aws_errors("read the state of the restored tables"):
            return all(self._status(client, copy) == "ACTIVE" for copy in copies.values())

    def touched(self, copies: Mapping[str, str], /) -> Sequence[UsedNumbers]:
        """Read both tables; return the payments that differ, or that only the table in use has."""
        client = self.target.client("dynamodb")
        found: dict[tuple[str, str], UsedNumbers] = {}
        with aws_errors("compare the tables"):
            for table, copy in copies.items():
                for now, before in self._pairs(client, table, copy):
                    if now is not None and now.get("sk") == _PAYMENT and now != before:
                        used = _used(now)
                        found[used.merchant_id, used.transaction_id] = used
        return tuple(found.values())

    def copy(self, copies: Mapping[str, str], /) -> None:
        """Write what differs. A repetition after a kill finds less to do."""
        client = self.target.client("dynamodb")
        with aws_errors("copy the restored items", changing=True):
            for table, copy in copies.items():
                keys = self._key_names(client, table)
                waiting: list[Any] = []
                for before, now in self._pairs(client, copy, table):
                    if before is not None and before != now:
                        waiting.append({"PutRequest": {"Item": before}})
                    self._flush(client, table, waiting, least=_WRITES)
                for now, before in self._pairs(client, table, copy):
                    if now is not None and before is None:
                        waiting.append({"DeleteRequest": {"Key": {name: now[name] for name in keys}}})
                    self._flush(client, table, waiting, least=_WRITES)
                self._flush(client, table, waiting, least=1)

    # -- reading

    def _tables(self) -> Sequence[str]:
        missing = [output for output in OUTPUTS if output not in self.target.outputs]
        if missing:
            raise OperatorError(
                f"The stack does not name its tables: {', '.join(missing)}.",
                Exit.NO_ACCESS,
                hint="It is older than this command line. Deploy it anew.",
            )
        return [self.target.outputs[output] for output in OUTPUTS]

    @staticmethod
    def _status(client: Any, table: str) -> str | None:
        try:
            return str(client.describe_table(TableName=table)["Table"]["TableStatus"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise

    @staticmethod
    def _key_names(client: Any, table: str) -> list[str]:
        return [key["AttributeName"] for key in client.describe_table(TableName=table)["Table"]["KeySchema"]]

    def _pairs(self, client: Any, one: str, other: str) -> Iterator[tuple[Item | None, Item | None]]:
        """Each item of one table, with the item of the same key in the other one."""
        names = self._key_names(client, one)
        start: dict[str, Any] = {}
        while True:
            page = client.scan(TableName=one, Limit=_PAGE, ConsistentRead=True, **start)
            items = page["Items"]
            found = self._found(client, other, [{name: item[name] for name in names} for item in items], names)
            for item in items:
                yield item, found.get(_text(item, names))
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    @staticmethod
    def _found(client: Any, table: str, keys: list[Item], names: Sequence[str]) -> dict[str, Item]:
        found: dict[str, Item] = {}
        asked: Any = {table: {"Keys": keys, "ConsistentRead": True}} if keys else {}
        for _ in range(_ROUNDS):
            if not asked:
                return found
            answer = client.batch_get_item(RequestItems=asked)
            found |= {_text(item, names): item for item in answer["Responses"].get(table, [])}
            asked = answer.get("UnprocessedKeys") or {}
        raise OperatorError(f"{table} is throttled. Run the command again.", Exit.UNAVAILABLE)

    # -- writing

    def _flush(self, client: Any, table: str, waiting: list[Any], *, least: int) -> None:
        """Write what waits, if it is so much."""
        while len(waiting) >= least and waiting:
            batch, waiting[:] = waiting[:_WRITES], waiting[_WRITES:]
            left: Any = {table: batch}
            for _ in range(_ROUNDS):
                left = client.batch_write_item(RequestItems=left).get("UnprocessedItems") or {}
                if not left:
                    break
            else:
                raise OperatorError(f"{table} is throttled. Run the command again.", Exit.UNAVAILABLE)
            self.written[table] = self.written.get(table, 0) + len(batch)


def _second(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)


def _copy_of(table: str, moment: datetime) -> str:
    return f"{table}-restored-{moment:%Y%m%dT%H%M%S}"


def _text(item: Item, names: Sequence[str]) -> str:
    return repr([item[name] for name in names])


def _used(item: Item) -> UsedNumbers:
    merchant_id, transaction_id = parse_payment_partition(item["pk"]["S"])
    return UsedNumbers(
        merchant_id=merchant_id,
        transaction_id=transaction_id,
        seq=int(item["eventSeq"]["N"]),
        number=int(item["announced"]["N"]) if "announced" in item else 0,
        erased="erased" in item,
    )
