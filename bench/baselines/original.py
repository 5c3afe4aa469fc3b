"""The calls of the design that this product began with: nine and 4 write units a payment, and its share of the polls.

The API reads the key, writes payment and key, and sends. The worker receives up to ten messages; for each it reads,
writes twice, and deletes. It polls until the queue is empty: a hundred jobs at once take eleven polls. Its provider is
a function of its own. The webhook reads, and writes where the status differs.
"""

import json
import uuid
from typing import Any

from clients import KEYS, QUEUE, TABLE, dynamodb, key, sqs


def accept(event: dict[str, Any]) -> dict[str, Any]:
    """POST /payments: four calls."""
    body, client_key = json.loads(event["body"]), event["headers"]["Idempotency-Key"]
    row = {"pk": {"S": f"B#{client_key}"}}
    known = dynamodb.get_item(TableName=KEYS, Key=row).get("Item")
    if known:
        return {"statusCode": 200, "body": known["answer"]["S"]}
    payment_id = uuid.uuid4().hex
    answer = json.dumps({"id": payment_id, "status": "PENDING"})
    payment = {"status": {"S": "PENDING"}, "amount": {"N": str(body["amount"])}, "currency": {"S": body["currency"]}}
    dynamodb.put_item(TableName=TABLE, Item={**key(payment_id), **payment})
    dynamodb.put_item(TableName=KEYS, Item={**row, "answer": {"S": answer}})
    sqs.send_message(QueueUrl=QUEUE, MessageBody=json.dumps({"id": payment_id}))
    print(json.dumps({"message": "accepted", "id": payment_id}))
    return {"statusCode": 202, "body": answer}


def work(_records: list[dict[str, Any]]) -> None:
    """Its own poller: all that the queue holds, up to ten messages at a time."""
    while messages := sqs.receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            payment_id = json.loads(message["Body"])["id"]
            dynamodb.get_item(TableName=TABLE, Key=key(payment_id))
            _write(payment_id, "PROCESSING")
            _write(payment_id, "SUCCESS")
            sqs.delete_message(QueueUrl=QUEUE, ReceiptHandle=message["ReceiptHandle"])
            print(json.dumps({"message": "charged", "id": payment_id}))


def finish(payment_ids: list[str]) -> None:
    """The provider's webhook of each payment."""
    for payment_id in payment_ids:
        item = dynamodb.get_item(TableName=TABLE, Key=key(payment_id))["Item"]
        if item["status"]["S"] != "SUCCESS":
            _write(payment_id, "SUCCESS")


def _write(payment_id: str, status: str) -> None:
    dynamodb.update_item(
        TableName=TABLE,
        Key=key(payment_id),
        UpdateExpression="SET #status = :status",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": {"S": status}},
    )
