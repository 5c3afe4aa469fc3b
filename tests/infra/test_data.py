"""What holds data: encrypted, recoverable, protected, and with ids that never move."""

import pytest

from infra.settings import ENVIRONMENTS
from payflowx.domain.shared.limits import DUE_SHARDS
from tests.infra.conftest import STACKS, every, resources, template
from tests.support.tables import INDEXES, KEY_SCHEMAS

STATEFUL = (
    "AWS::DynamoDB::GlobalTable",
    "AWS::KMS::Key",
    "AWS::SecretsManager::Secret",
)


@pytest.mark.parametrize(("stack", "name"), every("AWS::DynamoDB::GlobalTable"))
def test_every_table_is_recoverable_encrypted_and_protected(stack: str, name: str) -> None:
    table = resources(stack, "AWS::DynamoDB::GlobalTable")[name]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    for replica in table["Replicas"]:
        assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert replica["SSESpecification"]["KMSMasterKeyId"]
        assert replica["DeletionProtectionEnabled"] is (not stack.startswith("Dev"))
    policy = template(stack)["Resources"][name]["DeletionPolicy"]
    assert policy == ("Delete" if stack.startswith("Dev") else "Retain")


@pytest.mark.parametrize("stack", [s for s in STACKS if s.endswith("Data")])
def test_the_tables_are_the_ones_that_the_code_and_the_tests_use(stack: str) -> None:
    tables = {
        "transactions"
        if "GlobalSecondaryIndexes" in t
        else "configuration"
        if len(t["KeySchema"]) == 2
        else "idempotency": t
        for t in resources(stack, "AWS::DynamoDB::GlobalTable").values()
    }
    for name, keys in KEY_SCHEMAS.items():
        assert [k["AttributeName"] for k in tables[name]["KeySchema"]] == [attribute for attribute, _ in keys]
    for index in tables["transactions"]["GlobalSecondaryIndexes"]:
        assert [k["AttributeName"] for k in index["KeySchema"]] == [name for name, _ in INDEXES[index["IndexName"]]]
        assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    types = {a["AttributeName"]: a["AttributeType"] for a in tables["transactions"]["AttributeDefinitions"]}
    assert types == dict(KEY_SCHEMAS["transactions"]) | {n: t for index in INDEXES.values() for n, t in index}
    assert DUE_SHARDS == 16


@pytest.mark.parametrize("environment", [e.stage_id for e in ENVIRONMENTS])
def test_logical_ids_of_everything_stateful(environment: str) -> None:
    """A changed id is a new, empty resource, and the old one is orphaned or deleted: never change this list."""
    found = {name for kind in STATEFUL for name in resources(f"{environment}-Data", kind)}
    assert found == {
        "EncryptionKey514CDF8F",
        "TablesTransactions0A3166B4",
        "TablesIdempotency498FF680",
        "TablesConfiguration5CABED14",
        "CursorSecretABAE1358",
    }


@pytest.mark.parametrize(("stack", "name"), every("AWS::KMS::Key"))
def test_every_key_rotates_and_admits_logs_and_alarms(stack: str, name: str) -> None:
    key = resources(stack, "AWS::KMS::Key")[name]
    assert key["EnableKeyRotation"] is True
    statements = {s.get("Sid"): s for s in key["KeyPolicy"]["Statement"]}
    assert "kms:EncryptionContext:aws:logs:arn" in statements["Logs"]["Condition"]["ArnLike"]
    assert statements["Alarms"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}


@pytest.mark.parametrize(("stack", "name"), every("AWS::SecretsManager::Secret"))
def test_every_secret_has_our_key_and_a_generated_value(stack: str, name: str) -> None:
    secret = resources(stack, "AWS::SecretsManager::Secret")[name]
    assert secret["KmsKeyId"]
    assert "GenerateSecretString" in secret
    assert "SecretString" not in secret
