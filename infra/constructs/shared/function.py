"""A Lambda function with a role, an encrypted log group and an alias of its own, and exactly the rights it is given."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Literal

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.constructs.monitoring.symptom import Symptom
from infra.constructs.shared.dependencies_layer import ARCHITECTURE, RUNTIME
from infra.constructs.shared.egress import NETWORK_ACTIONS, FixedEgress
from infra.constructs.shared.encryption_key import KEY_ACTIONS, EncryptingService
from infra.constructs.shared.tables import Table
from infra.constructs.shared.work_queue import WorkQueue
from infra.settings import EnvironmentSettings

Read = Literal["BatchGetItem", "GetItem", "Query"]
Write = Literal["ConditionCheckItem", "PutItem", "UpdateItem"]
"""No function may delete an item or scan a table, so neither action can be named."""

_TESTED_VERSION = "Python 3.13 is the newest version that the tests run on; we deploy what we test."
_ALARM_PERIOD = Duration.minutes(5)


class Audience(StrEnum):
    """The party that waits for a function's answer, and is hurt at once by its errors and throttles."""

    MERCHANTS = "merchants"
    """Its errors and throttles impair payments."""
    PAYERS_AND_PROVIDERS = "payers and providers"


class PayFlowXFunction(Construct):
    """Callers use the alias `live`. Versions outlive the deployment that replaces them, so that one step rolls back.

    A `may_` method that names a table, a queue or a secret also sets the variable by which the code finds it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        handler: str,
        description: str,
        code: lambda_.Code,
        layers: list[lambda_.ILayerVersion],
        timeout: Duration,
        memory_mb: int,
        environment: Mapping[str, str],
        key: kms.IKey,
        settings: EnvironmentSettings,
        sends_to_itself: bool = False,
        audience: Audience | None = None,
        egress: FixedEgress | None = None,
        max_executions: int | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self._audience = audience
        answers_merchants = audience is Audience.MERCHANTS
        self._settings = settings
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            retention=settings.log_retention,
            encryption_key=key,
            removal_policy=settings.removal_policy,
        )
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"PayFlowX {construct_id}",
        )
        self.log_group.grant_write(self.role)
        if egress:
            self.allow(NETWORK_ACTIONS, ["*"])
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            handler=handler,
            code=code,
            layers=layers,
            role=self.role,
            timeout=timeout,
            memory_size=memory_mb,
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            tracing=lambda_.Tracing.ACTIVE,
            environment=dict(environment),
            # Without it Lambda drops a message that came back to its function sixteen times. Ours end by themselves:
            # an item after forty drives without progress, a reconciliation after the last page or twenty tries.
            recursive_loop=lambda_.RecursiveLoop.ALLOW if sends_to_itself else None,
            vpc=egress.vpc if egress else None,
            security_groups=[egress.security_group] if egress else None,
            reserved_concurrent_executions=settings.reserved_concurrency if answers_merchants else max_executions,
            # A version that CloudFormation deletes in the deployment that replaces it cannot be rolled back to.
            current_version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN),
        )
        self.alias = lambda_.Alias(self, "Live", alias_name="live", version=self.function.current_version)
        self._acknowledge()

    def set_environment(self, **variables: str) -> None:
        """Add variables; the function's version follows them."""
        for name, value in variables.items():
            self.function.add_environment(name, value)

    def never_repeat_events(self, *, max_age: Duration) -> None:
        """Give up an asynchronous event that fails, or that Lambda could not start within `max_age`.

        By itself Lambda would repeat it twice, and keep throttled events for six hours: old runs would come at once.
        """
        self.alias.configure_async_invoke(retry_attempts=0, max_event_age=max_age)
        acknowledge(
            self.alias,
            {"Serverless-LambdaAsyncFailureDestination": "The next run does a lost one's work."},
        )

    def alarms(self) -> dict[str, Symptom]:
        """Errors and throttles, named after the function.

        A throttled function without an audience delays a queue or a schedule, and that has an alarm of its own.
        """
        impairs_payments = self._audience is Audience.MERCHANTS
        errors = Symptom(
            metric=self.alias.metric_errors(period=_ALARM_PERIOD),
            threshold=3,
            runbook="function-errors",
            says="A function failed three times in five minutes.",
            impairs_payments=impairs_payments,
        )
        throttles = Symptom(
            metric=self.alias.metric_throttles(period=_ALARM_PERIOD),
            threshold=1,
            periods=2,
            runbook="function-throttles",
            says="The account's concurrency limit throttles a function.",
            impairs_payments=impairs_payments,
        )
        found = {f"{self.node.id}FunctionErrors": errors}
        return found | ({f"{self.node.id}FunctionThrottles": throttles} if self._audience else {})

    # -- rights

    def may_read(self, table: Table, *actions: Read) -> None:
        """Allow reads by key. An index takes `may_query`."""
        self._use_table(table, actions)

    def may_write(self, table: Table, *actions: Write) -> None:
        """Allow writes, which the code makes conditional."""
        self._use_table(table, actions)

    def may_query(self, table: Table, *, index: str) -> None:
        """Allow queries of one index."""
        self.allow(["dynamodb:Query"], [f"{table.resource.table_arn}/index/{index}"])
        self.may_use_key("dynamodb")
        self.set_environment(**{table.variable: table.resource.table_name})

    def may_send(self, queue: WorkQueue) -> None:
        """Allow messages to one queue."""
        self.allow(["sqs:SendMessage"], [queue.queue.queue_arn])
        self.may_use_key("sqs")
        self.set_environment(**{queue.variable: queue.queue.queue_url})

    def may_fill(self, queue: WorkQueue) -> None:
        """Allow many messages, and the number of those that wait, so that a late queue gets none."""
        self.may_send(queue)
        self.allow(["sqs:GetQueueAttributes"], [queue.queue.queue_arn])
        self.set_environment(**{f"{queue.content.upper()}_LATE_AT": str(queue.late_at)})

    def consume(self, queue: WorkQueue, *, max_concurrency: int) -> None:
        """Be called with the queue's messages. Lambda reads the queue under this function's role."""
        self.allow(
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            [queue.queue.queue_arn],
        )
        self.may_use_key("sqs")
        queue.feed(self.alias, max_concurrency=max_concurrency)

    def may_use_secret(self, secret: secretsmanager.ISecret, *, variable: str) -> None:
        """Allow reading one secret.

        The right lies on this role only: `grant_read` would write the role into the key's policy, and make the data
        stack depend on this one.
        """
        self.allow(["secretsmanager:GetSecretValue"], [secret.secret_arn])
        self.may_use_key("secretsmanager")
        self.set_environment(**{variable: secret.secret_arn})

    def may_rotate_secret(self, secret: secretsmanager.ISecret, *, variable: str) -> None:
        """Allow storing a new version of one secret, and listing its versions without their texts."""
        self.allow(["secretsmanager:ListSecretVersionIds", "secretsmanager:PutSecretValue"], [secret.secret_arn])
        self.may_use_key("secretsmanager")
        self.set_environment(**{variable: secret.secret_arn})

    def may_use_account_secrets(self, *, store: bool = False) -> None:
        """Allow reading the credentials of all provider accounts of this environment, and storing them if `store`."""
        name = f"payflowx/{self._settings.name}/accounts/*"
        region = Stack.of(self).region
        actions = ["GetSecretValue", *(("CreateSecret", "PutSecretValue") if store else ())]
        self.allow(
            [f"secretsmanager:{action}" for action in actions],
            [f"arn:{Aws.PARTITION}:secretsmanager:{region}:{Aws.ACCOUNT_ID}:secret:{name}"],
        )
        self.may_use_key("secretsmanager")
        reported = f"arn:<AWS::Partition>:secretsmanager:{region}:<AWS::AccountId>:secret:{name}"
        acknowledge(
            self.role,
            {
                f"AwsSolutions-IAM5[Resource::{reported}]": "Operators add accounts at run time; the names of the "
                "accounts' secrets share this one prefix."
            },
        )

    def may_use_key(self, service: EncryptingService) -> None:
        """Allow what this service does with the customer key on behalf of its caller, and only through the service."""
        through = f"{service}.{Stack.of(self).region}.{Aws.URL_SUFFIX}"
        self.allow(KEY_ACTIONS[service], [self._key.key_arn], conditions={"StringEquals": {"kms:ViaService": through}})

    def allow(
        self, actions: Sequence[str], resources: Sequence[str], *, conditions: Mapping[str, Any] | None = None
    ) -> None:
        """Allow actions that only one room needs."""
        self.role.add_to_principal_policy(
            iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions)
        )

    def _use_table(self, table: Table, actions: Sequence[Read | Write]) -> None:
        self.allow([f"dynamodb:{action}" for action in actions], [table.resource.table_arn])
        self.may_use_key("dynamodb")
        self.set_environment(**{table.variable: table.resource.table_name})

    def _acknowledge(self) -> None:
        reason = "X-Ray's actions accept no resource, nor do those on network interfaces."
        acknowledge(self.role, {"AwsSolutions-IAM5[Resource::*]": reason})
        acknowledge(
            self.function,
            {
                "AwsSolutions-L1": _TESTED_VERSION,
                "Serverless-LambdaLatestVersion": _TESTED_VERSION,
                "Serverless-LambdaDLQ": "Callers invoke it synchronously, or a queue with a dead-letter queue does. A "
                "schedule's event may be lost: the next one finds the same work.",
            },
        )
