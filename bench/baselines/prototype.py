"""A plain prototype: it accepts with one transaction and one message, and charges between two writes.

It charges once as long as nothing fails. It has no audit log, no routing, no metrics, no webhooks to merchants, and no
answer to a lost response of the provider. Calls: 2 to accept, 2 to work.
"""

import hashlib
import json
import os
import uuid
from typing import Any

import urllib3

from clients import KEYS, QUEUE, TABLE, dynamodb, key, sqs

_http = urllib3.PoolManager()
_PROVIDER = f"{os.environ['AWS_ENDPOINT_URL']}/mock/v1/charges"


def accept(event: dict[str, Any]) -> dict[str, Any]:
    """POST /payments."""
    body = json.loads(event["body"])
    if not isinstance(body["amount"], int) or body["amount"] <= 0 or len(body["currency"]) != 3:
        return {"statusCode": 400, "body": "{}"}
    client_key, payment_id = event["headers"]["Idempotency-Key"], uuid.uuid4().hex
    fingerprint = hashlib.sha256(event["body"].encode()).hexdigest()
    dynamodb.transact_write_items(
        TransactItems=[
            _put(KEYS, {"pk": {"S": f"B#{client_key}"}, "payment": {"S": payment_id}, "hash": {"S": fingerprint}}),
            _put(TABLE, {**key(payment_id), "status": {"S": "PENDING"}, "request": {"S": event["body"]}}),
        ]
    )
    sqs.send_message(QueueUrl=QUEUE, MessageBody=json.dumps({"id": payment_id}))
    print(json.dumps({"message": "accepted", "id": payment_id}))
    return {"statusCode": 202, "body": json.dumps({"id": payment_id, "status": "PENDING"})}


def _put(table: str, item: dict[str, Any]) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}


def work(records: list[dict[str, Any]]) -> None:
    """One batch of the queue."""
    for record in records:
        payment_id = json.loads(record["body"])["id"]
        payment = _move(payment_id, "PENDING", "PROCESSING")
        request = json.loads(payment["request"]["S"])
        content = {"amount": request["amount"], "currency": request["currency"], "token": "tok_success"}
        headers = {"content-type": "application/json", "idempotency-key": payment_id}
        answer = _http.request("POST", _PROVIDER, body=json.dumps(content).encode(), headers=headers)
        _move(payment_id, "PROCESSING", "SUCCESS" if answer.status < 500 else "FAILED")
        print(json.dumps({"message": "charged", "id": payment_id}))


def _move(payment_id: str, before: str, after: str) -> dict[str, Any]:
    answer = dynamodb.update_item(
        TableName=TABLE,
        Key=key(payment_id),
        UpdateExpression="SET #status = :after",
        ConditionExpression="#status = :before",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":after": {"S": after}, ":before": {"S": before}},
        ReturnValues="ALL_NEW",
    )
    return answer["Attributes"]


def finish(_payment_ids: list[str]) -> None:
    """Nothing comes after the charge."""
