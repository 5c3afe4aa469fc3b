"""What the simulator assumes of the stacks is what the templates say."""

import pytest

from payflowx.domain.shared import limits
from simulation import queue
from simulation.functions import FUNCTIONS
from simulation.world import CONFIGURATION, ENVIRONMENT, IDEMPOTENCY, TRANSACTIONS, tables
from testing.dynamodb.tables import Schema
from tests.infra.conftest import resources


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_end_when_lambda_would_end_them(name: str) -> None:
    handler = f"{FUNCTIONS[name].module.__name__}.handler"
    (function,) = [f for f in resources("Dev-Service", "AWS::Lambda::Function").values() if f["Handler"] == handler]
    assert FUNCTIONS[name].timeout_ms == function["Timeout"] * 1_000


def test_the_queue_hides_and_gives_up_alike() -> None:
    sources = resources("Dev-Service", "AWS::Lambda::EventSourceMapping").values()
    (source,) = [s for s in sources if s["EventSourceArn"]["Fn::GetAtt"][0].startswith("Jobs")]
    jobs = resources("Dev-Service", "AWS::SQS::Queue")[source["EventSourceArn"]["Fn::GetAtt"][0]]
    assert jobs["VisibilityTimeout"] * 1_000 == queue.VISIBILITY_MS
    assert jobs["RedrivePolicy"]["maxReceiveCount"] == queue.MAX_RECEIVES
    assert source["BatchSize"] == queue.BATCH


@pytest.mark.parametrize("name", [TRANSACTIONS, IDEMPOTENCY, CONFIGURATION])
def test_the_tables_have_the_same_keys_and_indexes(name: str) -> None:
    found = resources("Dev-Data", "AWS::DynamoDB::GlobalTable")
    (table,) = [properties for logical_id, properties in found.items() if name in logical_id]
    ours = tables()[name]
    assert ours.schema == schema_of(table)
    assert {index: i.schema for index, i in ours.indexes.items()} == {
        index["IndexName"]: schema_of(index) for index in table.get("GlobalSecondaryIndexes", [])
    }


def schema_of(definition: dict[str, list[dict[str, str]]]) -> Schema:
    return Schema(*[key["AttributeName"] for key in definition["KeySchema"]])


def test_retries_and_deadline_are_those_of_an_environment() -> None:
    handler = "payflowx.entrypoints.worker.handler"
    (worker,) = [f for f in resources("Dev-Service", "AWS::Lambda::Function").values() if f["Handler"] == handler]
    variables = worker["Environment"]["Variables"]
    for name in ("MAX_RETRIES", "CHARGE_DEADLINE_HOURS", "NOT_SENT_PATIENCE_MINUTES"):
        assert ENVIRONMENT[name] == variables[name], name
    assert set(ENVIRONMENT["ALLOWED_PROVIDERS"].split(",")) <= set(variables["ALLOWED_PROVIDERS"].split(","))
    assert limits.DUE_SHARDS == 16
