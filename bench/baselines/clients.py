"""boto3 as its documentation shows it: default configuration."""

import os

import boto3

dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")
TABLE = os.environ["TRANSACTIONS_TABLE"]
KEYS = os.environ["IDEMPOTENCY_TABLE"]
QUEUE = os.environ["JOBS_QUEUE_URL"]


def key(payment_id: str) -> dict[str, dict[str, str]]:
    """A payment's key in the table of transactions."""
    return {"pk": {"S": f"B#{payment_id}"}, "sk": {"S": "PAYMENT"}}
