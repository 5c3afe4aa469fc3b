"""Stores the records in a DynamoDB table, for the deployed simulators."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sandbox.store import ConflictError, Record


@dataclass(frozen=True, slots=True)
class DynamoDBStore:
    """Implements `Store` with records as JSON. `client` is a boto3 DynamoDB client."""

    client: Any
    table: str
    provider: str

    def get(self, kind: str, key: str) -> Record | None:
        """Reads consistently."""
        answer = self.client.get_item(TableName=self.table, Key=self._key(kind, key), ConsistentRead=True)
        return self._record(answer["Item"]) if "Item" in answer else None

    def put(self, kind: str, key: str, record: Record) -> None:
        """Conditional on the version that was read."""
        version = record.get("version", 0)
        data = json.dumps({**record, "version": version + 1})
        try:
            self.client.put_item(
                TableName=self.table,
                Item={**self._key(kind, key), "data": {"S": data}, "version": {"N": str(version + 1)}},
                ConditionExpression="version = :v" if version else "attribute_not_exists(pk)",
                **({"ExpressionAttributeValues": {":v": {"N": str(version)}}} if version else {}),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise ConflictError from error
            raise

    def all(self, kind: str) -> Iterator[Record]:
        """In the order of their keys."""
        start: dict[str, Any] = {}
        while True:
            answer = self.client.query(
                TableName=self.table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": f"{self.provider}#{kind}"}},
                ConsistentRead=True,
                **start,
            )
            yield from (self._record(item) for item in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def count(self, kind: str) -> int:
        """Reads them all."""
        return sum(1 for _ in self.all(kind))

    def _key(self, kind: str, key: str) -> dict[str, Any]:
        return {"pk": {"S": f"{self.provider}#{kind}"}, "sk": {"S": key}}

    @staticmethod
    def _record(item: dict[str, Any]) -> Record:
        record: Record = json.loads(item["data"]["S"])
        return record
