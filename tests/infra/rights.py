"""Every right of every function, with the line that needs it, or the page of AWS that asks for it.

`test_rights.py` holds the list to the templates, in both directions, and the lines to the code: a line counts only for
a function whose handler imports its file, directly or not.
"""

from dataclasses import dataclass
from typing import Final

EVERY: Final = (
    "Api Authorizer Checkout Deliverer Notices Operations Reconciler RoutingValidator Sweeper Webhooks Worker"
)
WITH_TABLES: Final = "Api Authorizer Checkout Deliverer Notices Operations Reconciler Sweeper Webhooks Worker"
LEDGER: Final = "Api Checkout Deliverer Notices Operations Reconciler Sweeper Worker"
WRITERS: Final = "Api Checkout Notices Operations Reconciler Sweeper Worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One action on one resource. `lines` are a file below `functions/payflowx/adapters` and a text in it."""

    action: str
    resource: str
    functions: str
    lines: tuple[tuple[str, str], ...] = ()
    page: str = ""


def _code(action: str, resource: str, functions: str, *lines: tuple[str, str]) -> Need:
    return Need(action=action, resource=resource, functions=functions, lines=lines)


def _aws(resource: str, functions: str, page: str, *actions: str) -> tuple[Need, ...]:
    """Rights that AWS itself uses under the function's role, or that the local engine does not enforce."""
    return tuple(Need(action=action, resource=resource, functions=functions, page=page) for action in actions)


_TRANSACTIONS, _CONFIGURATION = "Transactions", "Configuration"
_ENDPOINTS, _DEAD, _ROUTING = "Configuration (endpoints)", "dead letters", "routing document"
_HEALTH, _HEALTH_ITEMS = "Configuration (health)", "dynamodb/merchants/account_health.py"
_WRITES = "dynamodb/core/writes.py"
_PUBLISHER, _READER = "appconfig/publisher.py", "appconfig/reader.py"
_DIRECTORY, _CONFIG = "dynamodb/merchants/directory.py", "dynamodb/merchants/configuration.py"
_RECORDED = "dynamodb/merchants/recorded_changes.py"
_ATTEMPTS, _EVENTS = "dynamodb/payments/attempt_store.py", "dynamodb/webhooks/merchant_events.py"
_OWN_DEAD = "sqs/dead_letters.py"
_CONSUMER_PAGE = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"
_LOGS_PAGE = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html"
_XRAY_PAGE = "https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html"
_TABLE_KEY_PAGE = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html"
_QUEUE_KEY_PAGE = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html"
_SECRET_KEY_PAGE = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html"
_FILE_KEY_PAGE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html"
_MISSING_FILE_PAGE = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"
_QUEUES = (
    *(("Deliveries", "Deliverer"), ("SlowDeliveries", "Deliverer")),
    *(("Jobs", "Worker"), ("SlowJobs", "Worker"), ("Notices", "Notices"), ("Runs", "Reconciler")),
)

NEEDS: Final[tuple[Need, ...]] = (
    # -- routing document
    _code("appconfig:StartConfigurationSession", _ROUTING, "Api", (_READER, ".start_configuration_session(")),
    _code("appconfig:GetLatestConfiguration", _ROUTING, "Api", (_READER, ".get_latest_configuration(")),
    *(
        _code(f"appconfig:{action}", _ROUTING, "Operations", (_PUBLISHER, line))
        for action, line in (
            ("CreateHostedConfigurationVersion", ".create_hosted_configuration_version("),
            ("GetHostedConfigurationVersion", ".get_hosted_configuration_version("),
            ("ListDeployments", ".list_deployments("),
            ("StartDeployment", ".start_deployment("),
            ("StopDeployment", ".stop_deployment("),
        )
    ),
    # -- tables
    _code(
        *("dynamodb:BatchGetItem", _TRANSACTIONS, "Api Deliverer Operations Reconciler Sweeper"),
        ("dynamodb/core/batches.py", "client.batch_get_item("),
    ),
    _code(
        *("dynamodb:BatchGetItem", _ENDPOINTS, "Deliverer"),
        ("dynamodb/webhooks/delivery_source.py", "self.configuration_table: [endpoints_key("),
    ),
    _code("dynamodb:BatchWriteItem", _TRANSACTIONS, "Reconciler", ("dynamodb/core/batches.py", ".batch_write_item(")),
    _code(
        *("dynamodb:GetItem", _CONFIGURATION, "Authorizer Operations Webhooks"),
        ("dynamodb/merchants/api_keys.py", ".get_item("),
        (_CONFIG, ".get_item("),
    ),
    _code("dynamodb:GetItem", _ENDPOINTS, "Api Deliverer", ("dynamodb/webhooks/endpoints.py", ".get_item(")),
    _code("dynamodb:GetItem", _HEALTH, "Worker", (_HEALTH_ITEMS, ".get_item(")),
    _code("dynamodb:GetItem", "Idempotency", "Api", ("dynamodb/payments/attempt_store.py", ".get_item(")),
    _code("dynamodb:GetItem", _TRANSACTIONS, LEDGER, (_ATTEMPTS, ".get_item("), (_EVENTS, ".get_item(")),
    _code("dynamodb:PutItem", _CONFIGURATION, "Operations", (_RECORDED, '"Put": {')),
    _code("dynamodb:PutItem", "Configuration (audit entries)", "Reconciler", (_RECORDED, '"Put": {')),
    _code("dynamodb:PutItem", "Idempotency", "Api", (_WRITES, '"Put": {')),
    _code("dynamodb:PutItem", _TRANSACTIONS, WRITERS, (_WRITES, '"Put": {')),
    _code(
        *("dynamodb:Query", _CONFIGURATION, "Api Checkout Notices Operations Reconciler Webhooks Worker"),
        (_CONFIG, ".query("),
        ("dynamodb/merchants/accounts.py", ".query("),
    ),
    _code(
        *("dynamodb:Query", _TRANSACTIONS, "Api Notices Operations Reconciler Sweeper Worker"),
        ("dynamodb/payments/payments.py", ".query("),
        ("dynamodb/payments/due_items.py", ".query("),
        ("dynamodb/payments/operation_list.py", ".query("),
    ),
    _code("dynamodb:UpdateItem", _CONFIGURATION, "Operations", (_DIRECTORY, ".update_item(")),
    _code("dynamodb:UpdateItem", _ENDPOINTS, "Api Deliverer", ("dynamodb/webhooks/endpoints.py", ".update_item(")),
    _code("dynamodb:UpdateItem", _HEALTH, "Worker", (_HEALTH_ITEMS, ".update_item(")),
    _code("dynamodb:UpdateItem", _TRANSACTIONS, LEDGER, (_WRITES, '"Update": {'), (_EVENTS, ".update_item(")),
    # -- the key: for endpoints' secrets by the code, otherwise by services under the role
    _code("kms:Encrypt", "key (for webhook-endpoint)", "Api", ("webhooks/cipher.py", "self.client.encrypt(")),
    _code("kms:Decrypt", "key (for webhook-endpoint)", "Deliverer", ("webhooks/cipher.py", "self.client.decrypt(")),
    *_aws(
        "key (through dynamodb)",
        WITH_TABLES,
        _TABLE_KEY_PAGE,
        *("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"),
        *("kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
    ),
    *_aws("key (through sqs)", f"{WRITERS} Deliverer Webhooks", _QUEUE_KEY_PAGE, "kms:Decrypt", "kms:GenerateDataKey"),
    *_aws(
        "key (through secretsmanager)",
        "Api Checkout Operations Reconciler Webhooks Worker",
        _SECRET_KEY_PAGE,
        *("kms:Decrypt", "kms:GenerateDataKey"),
    ),
    *_aws("key (through s3)", "Reconciler", _FILE_KEY_PAGE, "kms:Decrypt"),
    # -- logs and traces
    *_aws("logs", EVERY, _LOGS_PAGE, "logs:CreateLogStream", "logs:PutLogEvents"),
    _code("logs:FilterLogEvents", "logs", "Operations", ("failure_log.py", ".filter_log_events(")),
    *_aws("*", EVERY, _XRAY_PAGE, "xray:PutTelemetryRecords", "xray:PutTraceSegments"),
    # -- files
    _code("s3:GetObject", "settlement files", "Reconciler", ("settlement_files.py", ".get_object(")),
    *_aws("settlement files", "Reconciler", _MISSING_FILE_PAGE, "s3:ListBucket"),
    # -- secrets
    _code("secretsmanager:CreateSecret", "account secrets", "Operations", ("account_secrets.py", ".create_secret(")),
    _code(
        "secretsmanager:PutSecretValue", "account secrets", "Operations", ("account_secrets.py", ".put_secret_value(")
    ),
    _code(
        *("secretsmanager:GetSecretValue", "account secrets", "Operations Reconciler Webhooks Worker"),
        ("platform/secrets_manager.py", ".get_secret_value("),
    ),
    _code(
        *("secretsmanager:ListSecretVersionIds", "checkout secret", "Operations"),
        ("platform/signing_secret.py", ".list_secret_version_ids("),
    ),
    _code(
        *("secretsmanager:PutSecretValue", "checkout secret", "Operations"),
        ("platform/signing_secret.py", ".put_secret_value("),
    ),
    _code(
        *("secretsmanager:GetSecretValue", "checkout secret", "Api Checkout"),
        ("platform/secrets_manager.py", "VersionStage=_PREVIOUS"),
    ),
    _code(
        *("secretsmanager:GetSecretValue", "cursor secret", "Api"),
        ("platform/secrets_manager.py", ".get_secret_value("),
    ),
    # -- queues
    *(
        need
        for queue, consumer in _QUEUES
        for need in _aws(queue, consumer, _CONSUMER_PAGE, "sqs:ReceiveMessage", "sqs:DeleteMessage")
    ),
    *(
        need
        for queue, consumer in _QUEUES
        for need in (
            *_aws(queue, consumer, _CONSUMER_PAGE, "sqs:GetQueueAttributes"),
            _code("sqs:GetQueueAttributes", queue, "Operations", (_OWN_DEAD, ".get_queue_attributes(")),
        )
    ),
    *(
        _code("sqs:GetQueueAttributes", queue, "Sweeper", ("sqs/queue.py", ".get_queue_attributes("))
        for queue in ("Deliveries", "Jobs")
    ),
    *(
        _code(f"sqs:{action}", _DEAD, "Operations", (_OWN_DEAD, line))
        for action, line in (
            ("ChangeMessageVisibility", ".change_message_visibility("),
            ("DeleteMessage", ".delete_message("),
            ("GetQueueAttributes", ".get_queue_attributes("),
            ("PurgeQueue", ".purge_queue("),
            ("ReceiveMessage", ".receive_message("),
        )
    ),
    _code("sqs:SendMessage", "Deliveries", f"{WRITERS} Deliverer", ("sqs/queue.py", ".send_message(")),
    _code("sqs:SendMessage", "Jobs", WRITERS, ("sqs/queue.py", ".send_message(")),
    _code("sqs:SendMessage", "SlowDeliveries", "Deliverer Operations", ("sqs/queue.py", ".send_message(")),
    _code("sqs:SendMessage", "SlowJobs", "Operations Worker", ("sqs/queue.py", ".send_message(")),
    _code("sqs:SendMessage", "Notices", "Notices Operations Webhooks", ("sqs/queue.py", ".send_message(")),
    _code("sqs:SendMessage", "Runs", "Operations Reconciler", ("sqs/queue.py", ".send_message(")),
)
