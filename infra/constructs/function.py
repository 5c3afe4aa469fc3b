"""A Lambda function as we want all of them: own role, own encrypted log group, limits, tracing, alias `live`."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.constructs.dependencies_layer import ARCHITECTURE, RUNTIME
from infra.settings import EnvironmentSettings

_TESTED_VERSION = "Python 3.13 is the newest version that the tests run on; we deploy what we test."


class PayFlowXFunction(Construct):
    """Everything outside calls the alias, so that a version can be rolled back in one step."""

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
    ) -> None:
        super().__init__(scope, construct_id)
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
        )
        self.alias = lambda_.Alias(self, "Live", alias_name="live", version=self.function.current_version)
        self._acknowledge()

    def _acknowledge(self) -> None:
        acknowledge(self.role, {"AwsSolutions-IAM5[Resource::*]": "X-Ray's actions take no resource."})
        acknowledge(
            self.function,
            {
                "AwsSolutions-L1": _TESTED_VERSION,
                "Serverless-LambdaLatestVersion": _TESTED_VERSION,
                "Serverless-LambdaDLQ": "Called synchronously, by a queue with its own DLQ, or by a schedule that "
                "repeats: no asynchronous event can get lost.",
            },
        )
