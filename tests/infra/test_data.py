"""Resources with data are encrypted, recoverable and protected."""

import json
from typing import Any

import pytest

from payflowx.domain.shared.limits import DUE_SHARDS
from tests.infra.conftest import STACKS, every, resources, template
from tests.support.tables import INDEXES, KEY_SCHEMAS


def test_every_table_is_recoverable_encrypted_and_protected() -> None:
    for stack, name, table in every("AWS::DynamoDB::GlobalTable"):
        where = f"{stack}/{name}"
        assert table["BillingMode"] == "PAY_PER_REQUEST", where
        assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}, where
        for replica in table["Replicas"]:
            assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True, where
            assert replica["SSESpecification"]["KMSMasterKeyId"], where
            assert replica["DeletionProtectionEnabled"] is (not stack.startswith("Dev")), where
        policy = template(stack)["Resources"][name]["DeletionPolicy"]
        assert policy == ("Delete" if stack.startswith("Dev") else "Retain"), where


def test_one_region_writes() -> None:
    """Two would both pass a condition, each on its own copy, and both charge."""
    tables = list(every("AWS::DynamoDB::GlobalTable"))
    assert len(tables) > 3
    for stack, name, table in tables:
        assert len(table["Replicas"]) == 1, f"{stack}/{name}: see decision 35"


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


def test_every_key_rotates_and_admits_logs_and_alarms() -> None:
    for stack, name, key in every("AWS::KMS::Key"):
        where = f"{stack}/{name}"
        statements = {s.get("Sid"): s for s in key["KeyPolicy"]["Statement"]}
        assert key["EnableKeyRotation"] is True, where
        assert "kms:EncryptionContext:aws:logs:arn" in statements["Logs"]["Condition"]["ArnLike"], where
        assert statements["Alarms"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}, where


def test_every_secret_has_our_key_and_a_generated_value() -> None:
    for stack, name, secret in every("AWS::SecretsManager::Secret"):
        where = f"{stack}/{name}"
        assert secret["KmsKeyId"], where
        assert "GenerateSecretString" in secret, where
        assert "SecretString" not in secret, where


def test_only_operators_and_the_reconciler_read_the_index_of_reviews_and_disputes() -> None:
    readers = {
        (stack, role["Ref"].split("Role")[0])
        for stack, _, policy in every("AWS::IAM::Policy")
        if "/index/reviews" in json.dumps(policy)
        for role in policy["Roles"]
    }
    assert {name for _, name in readers} == {"Operations", "Reconciler"}, readers
    assert len(readers) == 2 * len({stack for stack, _, _ in every("AWS::IAM::Policy") if stack.endswith("Service")})


def test_production_has_daily_backups_in_a_locked_vault_and_dev_has_none() -> None:
    assert not list(resources("Dev-Data", "AWS::Backup::BackupVault"))
    (vault,) = resources("Prod-Data", "AWS::Backup::BackupVault").values()
    assert vault["LockConfiguration"] == {"MinRetentionDays": 7}
    assert vault["EncryptionKeyArn"]
    (plan,) = resources("Prod-Data", "AWS::Backup::BackupPlan").values()
    (rule,) = plan["BackupPlan"]["BackupPlanRule"]
    assert rule["Lifecycle"] == {"DeleteAfterDays": 35}
    (selection,) = resources("Prod-Data", "AWS::Backup::BackupSelection").values()
    assert len(selection["BackupSelection"]["Resources"]) == len(resources("Prod-Data", "AWS::DynamoDB::GlobalTable"))


def backup_alarm(metric: str) -> dict[str, Any]:
    alarms = resources("Prod-Service", "AWS::CloudWatch::Alarm")
    (alarm,) = (alarm for alarm in alarms.values() if alarm.get("MetricName") == metric)
    (dimension,) = alarm["Dimensions"]
    assert dimension["Name"] == "BackupVaultName"
    assert alarm["AlarmActions"]
    return alarm


def test_a_failed_backup_raises_an_alarm() -> None:
    assert backup_alarm("NumberOfBackupJobsFailed")["TreatMissingData"] == "notBreaching"


def test_a_backup_that_never_began_raises_an_alarm_after_two_days() -> None:
    """A job that was never made fails nowhere: there is no metric of it at all."""
    alarm = backup_alarm("NumberOfBackupJobsCompleted")
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Statistic"]) == (24 * 3600, 2, "Sum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["TreatMissingData"] == "breaching"
