"""Reconciliation: the reconciler, the queue that carries its runs from page to page, a bucket for settlement files."""

from typing import cast

from aws_cdk import CfnElement, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.constructs.monitoring.metrics import own
from infra.constructs.monitoring.symptom import Symptom
from infra.constructs.outbound_webhooks import OutboundWebhooks
from infra.constructs.payments import Payments
from infra.constructs.shared.function import PayFlowXFunction
from infra.constructs.shared.platform import PARTITIONS, RETRIES, Platform
from infra.constructs.shared.room import Room

_TIMEOUT = Duration.seconds(60)
"""It reads pages for 40 s; the rest is for the last page."""
_CONCURRENCY = 2
"""Batches of ten runs at a time: providers limit the rate of their reports, and nothing here is urgent."""
_FILES_KEPT = Duration.days(90)
_OWN_PARTITIONS = ("Q#*", "S#*")
"""Runs with their findings, and lines of reports that were seen."""


class Reconciliation(Room):
    """The reconciler reads both tables, changes payments by conditional writes, and deletes nothing."""

    def __init__(self, platform: Platform, *, payments: Payments, outbound_webhooks: OutboundWebhooks) -> None:
        self._platform = platform
        self._group = Construct(platform.scope, "Reconciliation")
        self.runs = platform.queue(
            self._group,
            "RunsQueue",
            content="Runs",
            consumer_timeout=_TIMEOUT,
            # No payment waits for a reconciliation.
            impairs_payments=False,
        )
        self.files = self._bucket()
        self.reconciler = self._reconciler(payments, outbound_webhooks)
        self.reconciler.consume(self.runs, max_concurrency=_CONCURRENCY)
        self._schedule()
        self.functions = (self.reconciler,)
        self.queues = (self.runs,)

    def _reconciler(self, payments: Payments, outbound_webhooks: OutboundWebhooks) -> PayFlowXFunction:
        tables = self._platform.tables
        reconciler = self._platform.function(
            "Reconciler",
            handler="reconciler",
            service="reconciler",
            reads=("ALLOWED_PROVIDERS", *PARTITIONS, *RETRIES),
            description="Compares the ledger with the providers' reports",
            timeout=_TIMEOUT,
            sends_to_itself=True,
            calls_out=True,
        )
        reconciler.may_read(tables.transactions, "GetItem", "BatchGetItem", "Query")
        reconciler.may_query(tables.transactions, index="byMerchant")
        reconciler.may_query(tables.transactions, index="reviews")
        reconciler.may_write(tables.transactions, "PutItem", "UpdateItem")
        self._let_store_findings(reconciler)
        reconciler.may_read(tables.configuration, "Query")
        self._let_store_audit_entries(reconciler)
        reconciler.may_send(payments.jobs)
        reconciler.may_send(self.runs)
        reconciler.may_send(outbound_webhooks.queue)
        reconciler.may_use_account_secrets()
        self._let_read_files(reconciler)
        return reconciler

    def _let_read_files(self, reconciler: PayFlowXFunction) -> None:
        reconciler.allow(["s3:GetObject"], [self.files.arn_for_objects("*")])
        # Without it S3 answers 403 for a file that does not exist, and nobody could tell a mistyped name.
        reconciler.allow(["s3:ListBucket"], [self.files.bucket_arn])
        reconciler.may_use_key("s3")
        reconciler.set_environment(SETTLEMENTS_BUCKET=self.files.bucket_name)
        bucket = Stack.of(self.files).get_logical_id(cast("CfnElement", self.files.node.default_child))
        acknowledge(
            reconciler.role,
            {f"AwsSolutions-IAM5[Resource::<{bucket}.Arn>/*]": "Operators upload files at run time, under any name."},
        )

    def _bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self._group,
            "SettlementFiles",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self._platform.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            lifecycle_rules=[
                s3.LifecycleRule(expiration=_FILES_KEPT, abort_incomplete_multipart_upload_after=Duration.days(1))
            ],
            removal_policy=self._platform.settings.removal_policy,
        )
        acknowledge(
            bucket,
            {"AwsSolutions-S1": "One function reads it and operators write it; CloudTrail records operators' calls."},
        )
        return bucket

    def _let_store_findings(self, function: PayFlowXFunction) -> None:
        """Allow batches of findings and listed lines only.

        The action permits deletes as well, which no action of IAM tells from puts: it must not reach a payment.
        """
        function.allow(
            ["dynamodb:BatchWriteItem"],
            [self._platform.tables.transactions.resource.table_arn],
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(_OWN_PARTITIONS)}},
        )

    def _let_store_audit_entries(self, function: PayFlowXFunction) -> None:
        """Allow entries of the operators' audit log only: the same table holds merchants and their API keys."""
        function.allow(
            ["dynamodb:PutItem"],
            [self._platform.tables.configuration.resource.table_arn],
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["AUDIT#*"]}},
        )

    def _schedule(self) -> None:
        self._platform.schedules.every(
            Duration.hours(1),
            self.reconciler,
            scope=self._group,
            construct_id="EveryHour",
            description="Starts the reconciliation of yesterday for every account whose report is complete by now",
            max_age=Duration.minutes(5),
        )

    def symptoms(self) -> dict[str, Symptom]:
        """Discrepancies, and reports that are not read in time."""
        return {
            "ReconciliationDifferences": Symptom(
                metric=self._metric("ReconciliationDifferences"),
                threshold=1,
                runbook="reconciliation-difference",
                says="A provider's report and the ledger disagree.",
            ),
            "ReconciliationsFailed": Symptom(
                metric=self._metric("ReconciliationsFailed"),
                threshold=1,
                runbook="reconciliation-stuck",
                says="A provider's report or settlement file could not be read, many times in a row.",
            ),
            "ReconciliationLate": Symptom(
                # The schedule writes the metric every hour: zero where no day is left.
                metric=self._metric("ReconciliationAge", statistic="Maximum", period=Duration.hours(1)),
                threshold=12 * 3600,
                periods=3,
                missing=cloudwatch.TreatMissingData.BREACHING,
                runbook="reconciliation-stuck",
                says="A day is not reconciled, although its report has been complete for more than twelve hours; or no "
                "reconciliation was started for three hours.",
            ),
        }

    def _metric(self, name: str, *, statistic: str = "Sum", period: Duration | None = None) -> cloudwatch.Metric:
        return own(name, self._platform.settings.name, statistic=statistic, period=period)

    def outputs(self) -> dict[str, str]:
        """The queue, the reconciler and the bucket for settlement files."""
        return super().outputs() | {
            "ReconcilerFunctionName": f"{self.reconciler.function.function_name}:live",
            "SettlementsBucketName": self.files.bucket_name,
        }
