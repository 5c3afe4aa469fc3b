"""The customer key of an environment, and the services that may use it."""

from collections.abc import Mapping
from typing import Final, Literal

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.constructs.monitoring.symptom import Symptom

EncryptingService = Literal["dynamodb", "s3", "secretsmanager", "sqs"]
KEY_ACTIONS: Final[Mapping[EncryptingService, tuple[str, ...]]] = {
    "dynamodb": (
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    ),
    "s3": ("kms:Decrypt",),
    "secretsmanager": ("kms:Decrypt", "kms:GenerateDataKey"),
    "sqs": ("kms:Decrypt", "kms:GenerateDataKey"),
}
"""What a service requires of a caller whose data it encrypts with this key; no wildcards."""
_CALLS_A_MINUTE: Final = 480_000
"""80 percent of 10,000 cryptographic calls a second, which is the smallest quota of any region."""


class EncryptionKey(Construct):
    """It encrypts tables, secrets, queues, the alarm topic and logs, and rotates yearly."""

    def __init__(self, scope: Construct, construct_id: str, *, removal_policy: RemovalPolicy) -> None:
        super().__init__(scope, construct_id)
        self.key = kms.Key(
            self,
            "Key",
            description="PayFlowX: payments, configuration, messages and logs",
            enable_key_rotation=True,
            removal_policy=removal_policy,
        )
        self._admit_logs()
        self._admit_alarms()

    def _admit_logs(self) -> None:
        """Admit CloudWatch Logs for the log groups of this account and region only."""
        region = Stack.of(self).region
        arn = f"arn:{Aws.PARTITION}:logs:{region}:{Aws.ACCOUNT_ID}:log-group:*"
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Logs",
                principals=[iam.ServicePrincipal(f"logs.{region}.amazonaws.com")],
                actions=[
                    "kms:Encrypt",
                    "kms:Decrypt",
                    "kms:ReEncrypt*",
                    "kms:GenerateDataKey*",
                    "kms:DescribeKey",
                ],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn}},
            )
        )

    def _admit_alarms(self) -> None:
        """Admit CloudWatch: without this right an alarm cannot publish to the encrypted topic, and no mail is sent."""
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Alarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )


def key_alarms() -> dict[str, Symptom]:
    """Calls of KMS near the account's quota: beyond it KMS throttles tables, queues and secrets alike.

    KMS writes no metric of throttled calls. The metric of all calls of the account and region comes before it.
    """
    calls = cloudwatch.Metric(
        namespace="AWS/Usage",
        metric_name="CallCount",
        dimensions_map={
            "Class": "None",
            "Resource": "CryptographicOperationsSymmetric",
            "Service": "KMS",
            "Type": "API",
        },
        statistic="Sum",
        period=Duration.minutes(1),
    )
    return {
        "KeyCallsNearQuota": Symptom(
            metric=calls,
            threshold=_CALLS_A_MINUTE,
            periods=3,
            runbook="key-calls",
            says="The account's calls of KMS come near their quota: KMS will throttle tables, queues and secrets.",
        )
    }
