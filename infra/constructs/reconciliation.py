"""Reconciliation: a function, the queue that carries its runs from page to page, a bucket for settlement files."""

from collections.abc import Callable, Mapping
from typing import cast

from aws_cdk import CfnElement, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.constructs.encryption_key import KEY_ACTIONS
from infra.constructs.function import PayFlowXFunction
from infra.constructs.work_queue import WorkQueue
from infra.settings import EnvironmentSettings
from infra.stacks.data import DataStack

TIMEOUT = Duration.seconds(60)
"""Pages for 40 seconds; what is left is for the last one."""
_CONCURRENCY = 2
"""Batches of ten runs at once: providers' lists have rate limits, and nothing here is urgent."""
_FILES_KEPT = Duration.days(90)


class Reconciliation(Construct):
    """`make_function` makes the function from its environment; the rights it needs are all given here."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        data: DataStack,
        jobs: WorkQueue,
        settings: EnvironmentSettings,
        make_function: Callable[[Mapping[str, str]], PayFlowXFunction],
    ) -> None:
        super().__init__(scope, construct_id)
        self._data = data
        self.runs = WorkQueue(self, "RunsQueue", content="Runs", key=data.key, consumer_timeout=TIMEOUT)
        self.files = self._bucket(settings)
        self.function = make_function(
            {
                "TRANSACTIONS_TABLE": data.tables.transactions.table_name,
                "CONFIGURATION_TABLE": data.tables.configuration.table_name,
                "JOBS_QUEUE_URL": jobs.queue.queue_url,
                "RUNS_QUEUE_URL": self.runs.queue.queue_url,
                "SETTLEMENTS_BUCKET": self.files.bucket_name,
            }
        )
        self._rights(jobs)
        self.runs.feed(self.function.alias, max_concurrency=_CONCURRENCY)
        self._schedule()

    def _bucket(self, settings: EnvironmentSettings) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "SettlementFiles",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self._data.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            lifecycle_rules=[
                s3.LifecycleRule(expiration=_FILES_KEPT, abort_incomplete_multipart_upload_after=Duration.days(1))
            ],
            removal_policy=settings.removal_policy,
        )
        acknowledge(
            bucket,
            {"AwsSolutions-S1": "Read by one function and written by operators, whose calls CloudTrail records."},
        )
        return bucket

    def _rights(self, jobs: WorkQueue) -> None:
        """It reads both tables, changes payments by conditional writes only, and cannot delete anything."""
        tables = self._data.tables
        transactions = tables.transactions.table_arn
        reads = ("GetItem", "BatchGetItem", "Query")
        writes = ("PutItem", "UpdateItem", "BatchWriteItem")
        self._allow([f"dynamodb:{action}" for action in (*reads, *writes)], transactions)
        self._allow(["dynamodb:Query"], f"{transactions}/index/byMerchant")
        self._allow(["dynamodb:Query"], tables.configuration.table_arn)
        self._allow_audit_entries(tables.configuration.table_arn)
        self._allow(["sqs:SendMessage"], jobs.queue.queue_arn)
        self._allow(["sqs:SendMessage"], self.runs.queue.queue_arn)
        self._allow(["s3:GetObject"], self.files.arn_for_objects("*"))
        bucket = Stack.of(self).get_logical_id(cast("CfnElement", self.files.node.default_child))
        acknowledge(
            self.function.role,
            {f"AwsSolutions-IAM5[Resource::<{bucket}.Arn>/*]": "Files are put there at run time, under any name."},
        )
        self._allow(list(KEY_ACTIONS), self._data.key.key_arn)

    def _allow_audit_entries(self, configuration: str) -> None:
        """Entries of the operators' audit log, and no other item of that table: merchants and keys lie there too."""
        self.function.role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["dynamodb:PutItem"],
                resources=[configuration],
                conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["AUDIT#*"]}},
            )
        )

    def _allow(self, actions: list[str], resource: str) -> None:
        self.function.role.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=[resource]))

    def _schedule(self) -> None:
        scheduler.Schedule(
            self,
            "EveryHour",
            description="Starts the reconciliation of yesterday for every account whose list is complete by now",
            schedule=scheduler.ScheduleExpression.rate(Duration.hours(1)),
            target=targets.LambdaInvoke(self.function.alias, retry_attempts=0, max_event_age=Duration.minutes(5)),
        )
