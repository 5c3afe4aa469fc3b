"""Comparing and copying tables, on the local engine; and the journal in its file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.errors import OperatorError
from ops.restore.journal import FileJournal
from ops.restore.tables import AwsTables
from ops.target import Target
from payflowx.application.recovery.restore import UsedNumbers
from payflowx.application.recovery.restore_procedure import Progress, Step
from tests.support.engine import InProcessEngine

RESTORED_TO_MS = 1_800_000_000_000


class EngineTarget(Target):
    """A target whose clients are those of the engine in this process."""

    engine: Any = None

    def client(self, service: str) -> Any:
        return type(self).engine.client(service)


@pytest.fixture
def dynamodb(engine: InProcessEngine) -> Iterator[Any]:
    EngineTarget.engine = engine
    client = engine.client("dynamodb")
    for name, sorted_by in (("Transactions", "sk"), ("Idempotency", None)):
        names = ["pk", *([sorted_by] if sorted_by else [])]
        client.create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": n, "KeyType": kind} for n, kind in zip(names, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in names],
            BillingMode="PAY_PER_REQUEST",
        )
        client.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    yield client
    for name in client.list_tables()["TableNames"]:
        client.delete_table(TableName=name)


@pytest.fixture
def tables(dynamodb: Any) -> AwsTables:
    outputs = {"TransactionsTableName": "Transactions", "IdempotencyTableName": "Idempotency"}
    return AwsTables(target=EngineTarget(name="local", outputs=outputs, options={}, base_url="", stack_prefix="Dev"))


def payment_id(number: int) -> str:
    letters = "".join("abcdefghij"[int(digit)] for digit in f"{number:016}")
    return f"pay_{letters}"


def payment(number: int, seq: int, **more: Any) -> dict[str, Any]:
    return {
        "pk": {"S": f"M#acme#P#{payment_id(number)}"},
        "sk": {"S": "PAYMENT"},
        "eventSeq": {"N": str(seq)},
        **more,
    }


def everything(client: Any, table: str) -> list[Any]:
    return sorted(client.scan(TableName=table)["Items"], key=repr)


def copies_of(dynamodb: Any, tables: AwsTables) -> dict[str, str]:
    """The engine restores the present; the tables in use are changed afterwards."""
    copies = dict(tables.begin(RESTORED_TO_MS))
    assert tables.are_ready(copies)
    return copies


def test_what_differs_is_written_and_nothing_else(dynamodb: Any, tables: AwsTables) -> None:
    for number in range(130):
        dynamodb.put_item(TableName="Transactions", Item=payment(number, 1))
    dynamodb.put_item(TableName="Idempotency", Item={"pk": {"S": "M#acme#payments#k1"}})
    before = everything(dynamodb, "Transactions")
    copies = copies_of(dynamodb, tables)
    dynamodb.put_item(TableName="Transactions", Item=payment(3, 4, announced={"N": "2"}, erased={"BOOL": True}))
    dynamodb.put_item(TableName="Transactions", Item=payment(500, 2))
    dynamodb.delete_item(TableName="Transactions", Key={name: payment(7, 1)[name] for name in ("pk", "sk")})
    dynamodb.put_item(TableName="Idempotency", Item={"pk": {"S": "M#acme#payments#k2"}})
    touched = sorted(tables.touched(copies), key=lambda used: used.seq)
    assert touched == [
        UsedNumbers(merchant_id="acme", transaction_id=payment_id(500), seq=2, number=0, erased=False),
        UsedNumbers(merchant_id="acme", transaction_id=payment_id(3), seq=4, number=2, erased=True),
    ]
    tables.copy(copies)
    assert everything(dynamodb, "Transactions") == before
    assert [item["pk"]["S"] for item in everything(dynamodb, "Idempotency")] == ["M#acme#payments#k1"]
    assert tables.written == {"Transactions": 3, "Idempotency": 1}


def test_a_repetition_finds_nothing_to_do(dynamodb: Any, tables: AwsTables) -> None:
    dynamodb.put_item(TableName="Transactions", Item=payment(1, 1))
    copies = copies_of(dynamodb, tables)
    assert tables.begin(RESTORED_TO_MS) == copies
    tables.copy(copies)
    tables.copy(copies)
    assert tables.written == {}
    assert tables.touched(copies) == ()


NOW_MS = RESTORED_TO_MS * 2


def test_a_time_that_is_not_over_is_refused(tables: AwsTables) -> None:
    with pytest.raises(OperatorError, match="not over yet"):
        tables.check(NOW_MS, NOW_MS)


def test_a_time_before_the_recovery_is_refused_and_one_within_it_is_not(dynamodb: Any, tables: AwsTables) -> None:
    with pytest.raises(OperatorError, match="goes back to"):
        tables.check(1_000_000_000_000, NOW_MS)
    tables.check(RESTORED_TO_MS, NOW_MS)
    dynamodb.update_continuous_backups(
        TableName="Idempotency", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    with pytest.raises(OperatorError, match="Idempotency cannot be restored"):
        tables.check(RESTORED_TO_MS, NOW_MS)


def test_a_table_that_was_deleted_comes_back_from_a_backup(dynamodb: Any, tables: AwsTables) -> None:
    dynamodb.put_item(TableName="Transactions", Item=payment(1, 1))
    backup = dynamodb.create_backup(TableName="Transactions", BackupName="daily")["BackupDetails"]["BackupArn"]
    dynamodb.delete_table(TableName="Transactions")
    tables.check(RESTORED_TO_MS, NOW_MS)
    with pytest.raises(OperatorError, match="no table Transactions") as refused:
        tables.begin(RESTORED_TO_MS)
    copy = "Transactions-restored-20270115T080000"
    assert copy in refused.value.hint
    for name in ("Transactions", copy):
        dynamodb.restore_table_from_backup(TargetTableName=name, BackupArn=backup)
    copies = tables.begin(RESTORED_TO_MS)
    assert copies["Transactions"] == copy
    tables.copy(copies)
    assert tables.written == {}


def test_the_journal_gives_back_what_it_was_given(tmp_path: Path) -> None:
    journal = FileJournal(path=tmp_path / "journal.json")
    assert journal.load() is None
    used = UsedNumbers(merchant_id="acme", transaction_id="pay_x", seq=3, number=1, erased=True)
    progress = Progress(
        restored_to_ms=5,
        done=(Step.PLANNED, Step.OFF),
        sources={"function Api": "none"},
        stopped_at_ms=7,
        copies={"Transactions": "Tx-restored"},
        touched=(used,),
        runs=("run_1",),
    )
    journal.save(progress)
    assert journal.load() == progress


def test_another_file_is_no_journal(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(OperatorError):
        FileJournal(path=tmp_path / "other.json").load()
