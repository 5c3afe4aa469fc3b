"""What we rely on the local engine for. A new version of it must pass this before it is pinned."""

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.support.engine import InProcessEngine

TABLE = "idempotency"


def put(client: Any, **request: Any) -> None:
    client.put_item(TableName=TABLE, **request)


def transact(client: Any, *items: dict[str, Any], **options: Any) -> None:
    client.transact_write_items(TransactItems=list(items), **options)


def new(pk: str, **attributes: Any) -> dict[str, Any]:
    return {
        "Put": {
            "TableName": TABLE,
            "Item": {"pk": {"S": pk}, **attributes},
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def test_a_condition_that_fails_tells_what_is_there(dynamodb: Any) -> None:
    put(dynamodb, Item={"pk": {"S": "a"}, "n": {"N": "1"}})
    with pytest.raises(ClientError) as failed:
        dynamodb.update_item(
            TableName=TABLE,
            Key={"pk": {"S": "a"}},
            UpdateExpression="SET n = :two",
            ConditionExpression="n = :two",
            ExpressionAttributeValues={":two": {"N": "2"}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert failed.value.response["Error"]["Code"] == "ConditionalCheckFailedException"
    response: Any = failed.value.response
    assert response["Item"] == {"pk": {"S": "a"}, "n": {"N": "1"}}


def test_a_transaction_is_all_or_nothing_and_says_what_failed(dynamodb: Any) -> None:
    put(dynamodb, Item={"pk": {"S": "b"}, "n": {"N": "1"}})
    with pytest.raises(ClientError) as failed:
        transact(dynamodb, new("a"), new("b"))
    reasons = failed.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed"]
    assert reasons[1]["Item"] == {"pk": {"S": "b"}, "n": {"N": "1"}}
    assert "Item" not in dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": "a"}})


def test_a_repeated_client_token_applies_once(dynamodb: Any) -> None:
    put(dynamodb, Item={"pk": {"S": "c"}, "n": {"N": "0"}})
    add = {
        "Update": {
            "TableName": TABLE,
            "Key": {"pk": {"S": "c"}},
            "UpdateExpression": "SET n = n + :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }
    for _ in range(3):
        transact(dynamodb, add, ClientRequestToken="same")
    assert dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": "c"}})["Item"]["n"] == {"N": "1"}


def test_an_update_appends_to_a_list_and_returns_the_item(dynamodb: Any) -> None:
    put(dynamodb, Item={"pk": {"S": "d"}, "xs": {"L": []}, "lease": {"M": {"epoch": {"N": "0"}}}})
    answer = dynamodb.update_item(
        TableName=TABLE,
        Key={"pk": {"S": "d"}},
        UpdateExpression="SET xs = list_append(xs, :x)",
        ConditionExpression="lease.epoch = :zero AND size(xs) = :zero",
        ExpressionAttributeValues={":x": {"L": [{"S": "1"}]}, ":zero": {"N": "0"}},
        ReturnValues="ALL_NEW",
    )
    assert answer["Attributes"]["xs"] == {"L": [{"S": "1"}]}


def test_a_sparse_index_forgets_what_lost_its_key(dynamodb: Any) -> None:
    item = {"pk": {"S": "p"}, "sk": {"S": "s"}, "dueShard": {"S": "due#00"}, "dueAt": {"N": "5"}}
    dynamodb.put_item(TableName="transactions", Item=item)

    def due() -> int:
        answer = dynamodb.query(
            TableName="transactions",
            IndexName="due",
            KeyConditionExpression="dueShard = :s AND dueAt <= :t",
            ExpressionAttributeValues={":s": {"S": "due#00"}, ":t": {"N": "9"}},
        )
        return int(answer["Count"])

    assert due() == 1
    dynamodb.update_item(
        TableName="transactions",
        Key={"pk": {"S": "p"}, "sk": {"S": "s"}},
        UpdateExpression="REMOVE dueAt, dueShard",
    )
    assert due() == 0


def test_a_standard_queue_takes_a_group_and_a_delay(engine: "InProcessEngine") -> None:
    sqs = engine.client("sqs")
    url = sqs.create_queue(QueueName="contract")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"n": 1}), MessageGroupId="acme", DelaySeconds=900)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    sqs.send_message(QueueUrl=url, MessageBody="now", MessageGroupId="acme", DelaySeconds=0)
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "now"
    sqs.delete_queue(QueueUrl=url)
