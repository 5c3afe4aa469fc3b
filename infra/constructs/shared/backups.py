"""Daily backups of the tables in a vault whose lock keeps them from being deleted too early.

Point-in-time recovery goes back 35 days and ends with its table. These backups are copies: they outlive the table, and
whoever may delete tables may not delete them.
"""

from collections.abc import Sequence
from typing import cast

from aws_cdk import CfnElement, Duration, Stack
from aws_cdk import aws_backup as backup
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.constructs.monitoring.symptom import Symptom
from infra.constructs.shared.tables import Table
from infra.settings import BackupSettings, EnvironmentSettings

_SHORTEST_LOCK_DAYS = 7
_CHANGEABLE_DAYS = 3
"""AWS's shortest time in which a final lock can still be taken back."""


class Backups(Construct):
    """`settings.backups` says for how long, and whether the lock can be taken off again."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        tables: Sequence[Table],
        wanted: BackupSettings,
        settings: EnvironmentSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        lock = backup.LockConfiguration(
            min_retention=Duration.days(min(_SHORTEST_LOCK_DAYS, wanted.days)),
            changeable_for=Duration.days(_CHANGEABLE_DAYS) if wanted.lock_is_final else None,
        )
        self._vault = backup.BackupVault(
            self,
            "Vault",
            encryption_key=key,
            lock_configuration=lock,
            removal_policy=settings.removal_policy,
        )
        plan = backup.BackupPlan(self, "Plan", backup_vault=self._vault)
        plan.add_rule(
            backup.BackupPlanRule(
                rule_name="Daily",
                schedule_expression=events.Schedule.cron(hour="3", minute="10"),
                start_window=Duration.hours(1),
                completion_window=Duration.hours(6),
                delete_after=Duration.days(wanted.days),
            )
        )
        backup.BackupSelection(
            self,
            "Tables",
            backup_plan=plan,
            resources=[backup.BackupResource.from_arn(table.resource.table_arn) for table in tables],
            role=self._role(key, tables),
            disable_default_backup_policy=True,
        )

    def _role(self, key: kms.IKey, tables: Sequence[Table]) -> iam.Role:
        """The rights of a backup of these tables, and none to restore or to delete."""
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("backup.amazonaws.com"),
            description="AWS Backup, for the daily backups of the tables",
        )
        arns = [table.resource.table_arn for table in tables]
        role.add_to_policy(
            iam.PolicyStatement(
                actions=[
                    "dynamodb:CreateBackup",
                    "dynamodb:DescribeTable",
                    "dynamodb:ListTagsOfResource",
                    "dynamodb:StartAwsBackupJob",
                ],
                resources=arns,
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["dynamodb:DescribeBackup", "dynamodb:DeleteBackup"],
                resources=[f"{arn}/backup/*" for arn in arns],
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"], resources=[key.key_arn]
            )
        )
        stack, reason = Stack.of(self), "A backup's name is made when it begins; the right is confined to one table's."
        for table in tables:
            logical_id = stack.get_logical_id(cast("CfnElement", table.resource.node.default_child))
            acknowledge(role, {f"AwsSolutions-IAM5[Resource::<{logical_id}.Arn>/backup/*]": reason})
        return role

    def alarms(self) -> dict[str, Symptom]:
        """Jobs of this vault that failed, and days without any that was completed."""
        return {
            "BackupFailed": Symptom(
                metric=self._jobs("NumberOfBackupJobsFailed", Duration.hours(1)),
                threshold=1,
                runbook="backup-failed",
                says="A daily backup of a table failed; point-in-time recovery goes on.",
            ),
            "BackupMissing": Symptom(
                # A job that was never made, or expired, does not count as failed. Backups begin within an hour, so
                # that 24 hours may lie between two of them: only twice as many without one are a fault.
                metric=self._jobs("NumberOfBackupJobsCompleted", Duration.days(1)),
                threshold=1,
                periods=2,
                comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
                missing=cloudwatch.TreatMissingData.BREACHING,
                runbook="backup-failed",
                says="No table was backed up for two days, or since the deployment; point-in-time recovery goes on.",
            ),
        }

    def _jobs(self, name: str, period: Duration) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/Backup",
            metric_name=name,
            dimensions_map={"BackupVaultName": self._vault.backup_vault_name},
            statistic="Sum",
            period=period,
        )
