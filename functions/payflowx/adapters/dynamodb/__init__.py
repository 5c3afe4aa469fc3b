"""DynamoDB: the store of payments, idempotency keys and configuration."""
