"""The simulator's DynamoDB against other engines: the same operations, the same answers, the same items."""

import re
from collections.abc import Callable, Iterator
from random import Random
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from testing.dynamodb.database import Database
from testing.dynamodb.tables import Index, Schema, Table
from testing.dynamodb.values import equal
from tests.support.random_operations import DEFINITION, TABLE, random_batch, random_sequence

if TYPE_CHECKING:
    from tests.support.engine import InProcessEngine

LENGTH = 8
KEPT = ("Item", "Items", "Attributes", "LastEvaluatedKey")


def model() -> Database:
    keys = Schema("pk", "sk")
    return Database({TABLE: Table(TABLE, keys, {"byDue": Index(Schema("shard", "due"), keys)})})


def outcome(client: Any, method: str, request: dict[str, Any]) -> dict[str, Any]:
    """What the caller can tell: kept parts of the answer, or the error with its reasons."""
    try:
        answer = getattr(client, method)(**request)
    except ClientError as error:
        reasons = [(r.get("Code"), r.get("Item")) for r in error.response.get("CancellationReasons", [])]
        return {"error": error.response["Error"]["Code"], "item": error.response.get("Item"), "reasons": reasons}
    return {name: answer[name] for name in KEPT if answer.get(name)}


def same(left: Any, right: Any) -> bool:
    """Attribute values by their meaning, everything else as it is."""
    if isinstance(left, dict) and isinstance(right, dict):
        if len(left) == len(right) == 1 and left.keys() == right.keys() and next(iter(left)) in {"N", "L", "M", "S"}:
            return equal(left, right)
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def items_of(client: Any) -> list[Any]:
    found = []
    for pk in "pq":
        answer = client.query(
            TableName=TABLE,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
            ConsistentRead=True,
        )
        found += answer["Items"]
    return found


def as_moto_says_it(found: dict[str, Any]) -> dict[str, Any]:
    """Where moto differs from AWS: the last page has no key, and an update that does not fit ends in no reasons."""
    if ("ValidationError", None) in found.get("reasons", []):
        return {"error": "ValidationException", "item": None, "reasons": []}
    return {name: value for name, value in found.items() if name != "LastEvaluatedKey"}


def compare(other: Any, seed: int, said: Callable[[dict[str, Any]], dict[str, Any]] = lambda found: found) -> None:
    random, ours = Random(seed), model()
    for item in items_of(other):
        other.delete_item(TableName=TABLE, Key={"pk": item["pk"], "sk": item["sk"]})
    for number, (method, request) in enumerate(random_sequence(random, LENGTH)):
        theirs, mine = said(outcome(other, method, request)), said(outcome(ours, method, request))
        assert same(theirs, mine), f"seed {seed}, step {number}: {theirs} / {mine} after {method} {request}"
    assert same(items_of(other), items_of(ours)), f"seed {seed}: other items"


@pytest.fixture(scope="module")
def ministack(engine: "InProcessEngine") -> Iterator[Any]:
    client = engine.client("dynamodb")
    client.create_table(**DEFINITION)
    yield client
    client.delete_table(TableName=TABLE)


@pytest.fixture(scope="module")
def moto() -> Iterator[Any]:
    with mock_aws():
        keys: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        client = boto3.client("dynamodb", region_name="eu-west-1", **keys)
        client.create_table(**DEFINITION)
        yield client


@pytest.mark.parametrize("block", range(20))
def test_the_model_answers_as_the_local_engine(block: int, ministack: Any) -> None:
    for seed in range(block * 100, block * 100 + 100):
        compare(ministack, seed)


@pytest.mark.parametrize("block", range(5))
def test_the_model_answers_as_moto(block: int, moto: Any) -> None:
    """Without `size`, which moto cannot ask of an attribute that is not there, and a doubled NOT, which it refuses."""
    seeds = range(10_000 + block * 100, 10_000 + block * 100 + 100)
    fitting = [seed for seed in seeds if not re.search(r"size\(|NOT NOT", repr(random_sequence(Random(seed), LENGTH)))]
    assert len(fitting) > 20
    for seed in fitting:
        compare(moto, seed, as_moto_says_it)


@pytest.mark.parametrize("engine_name", ["ministack", "moto"])
def test_the_model_writes_batches_as_other_engines(engine_name: str, request: pytest.FixtureRequest) -> None:
    other, ours, random = request.getfixturevalue(engine_name), model(), Random(7)
    for item in items_of(other):
        other.delete_item(TableName=TABLE, Key={"pk": item["pk"], "sk": item["sk"]})
    for number in range(100):
        batch = random_batch(random)
        assert same(outcome(other, "batch_write_item", batch), outcome(ours, "batch_write_item", batch))
        assert same(items_of(other), items_of(ours)), f"batch {number}: other items"


def test_a_batch_of_two_writes_of_one_item_is_refused(ministack: Any) -> None:
    """As the local engine does; moto lets it pass."""
    put = {"PutRequest": {"Item": {"pk": {"S": "p"}, "sk": {"S": "a"}}}}
    for client in (ministack, model()):
        found = outcome(client, "batch_write_item", {"RequestItems": {TABLE: [put, put]}})
        assert found["error"] == "ValidationException"
