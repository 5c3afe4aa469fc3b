"""The tables as the data stack defines them; a test of the stack compares the two."""

from typing import Any

TRANSACTIONS, IDEMPOTENCY, CONFIGURATION = "transactions", "idempotency", "configuration"

KEY_SCHEMAS: dict[str, list[tuple[str, str]]] = {
    TRANSACTIONS: [("pk", "S"), ("sk", "S")],
    IDEMPOTENCY: [("pk", "S")],
    CONFIGURATION: [("pk", "S"), ("sk", "S")],
}
INDEXES: dict[str, list[tuple[str, str]]] = {
    "due": [("dueShard", "S"), ("dueAt", "N")],
    "byMerchant": [("merchantDay", "S"), ("merchantDaySort", "S")],
    "reviews": [("reviewsOf", "S"), ("reviewSort", "S")],
}


def create_tables(client: Any) -> None:
    """Create them empty."""
    for table, keys in KEY_SCHEMAS.items():
        indexes = INDEXES if table == TRANSACTIONS else {}
        attributes = dict(keys) | {name: kind for index in indexes.values() for name, kind in index}
        request: dict[str, Any] = {
            "TableName": table,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": _schema(keys),
            "AttributeDefinitions": [{"AttributeName": n, "AttributeType": t} for n, t in attributes.items()],
        }
        if indexes:
            request["GlobalSecondaryIndexes"] = [
                {
                    "IndexName": name,
                    "KeySchema": _schema(index),
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
                for name, index in indexes.items()
            ]
        client.create_table(**request)


def delete_tables(client: Any) -> None:
    """Remove them with all that they hold."""
    for table in KEY_SCHEMAS:
        client.delete_table(TableName=table)


def _schema(keys: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for (name, _), kind in zip(keys, ("HASH", "RANGE"), strict=False)]
