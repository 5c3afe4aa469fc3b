"""Routing: the routing document in AppConfig. A JSON Schema and a function validate it before each deployment."""

from typing import Any, Final, cast

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_appconfig as appconfig
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.acknowledgements import acknowledge, acknowledge_annotation
from infra.constructs.shared.function import PayFlowXFunction
from infra.constructs.shared.platform import Platform
from infra.constructs.shared.room import Room
from infra.settings import ROUTING

_AT_ONCE: Final[dict[str, Any]] = {
    "growth_factor": 100,
    "deployment_duration": Duration.minutes(0),
    "final_bake_time": Duration.minutes(0),
}


class Routing(Room):
    """The schema refuses wrong shapes; the validator refuses what no schema can express.

    The validator has no alarms and no graphs: AppConfig itself reports a refused document to whoever deploys it.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.validator = platform.function(
            "RoutingValidator",
            handler="routing_validator",
            service="routing_validator",
            reads=("ALLOWED_PROVIDERS",),
            description="Validates a routing document",
            timeout=Duration.seconds(10),
        )
        acknowledge_annotation(
            self.validator.function,
            "@aws-cdk/aws-lambda:addPermissionsToVersionOrAlias",
            "AppConfig calls the function itself; the construct takes neither a version nor an alias.",
        )
        group = self._group = Construct(platform.scope, "Routing")
        self.application = appconfig.Application(group, "Application", description="PayFlowX")
        self.environment = appconfig.Environment(
            group, "Environment", application=self.application, deletion_protection_check=self._deletion_check()
        )
        self.strategy = appconfig.DeploymentStrategy(group, "Rollout", rollout_strategy=self._rollout())
        self.profile = self._profile(group)
        self._wait_for_the_validators_permission()
        if not platform.settings.protected:
            self._let_go_of_the_first_version()

    def watch(self, alarm: cloudwatch.IAlarm) -> None:
        """Roll a document back when this alarm fires while the document is rolled out."""
        role = iam.Role(
            self._group,
            "WatchRole",
            assumed_by=iam.ServicePrincipal("appconfig.amazonaws.com"),
            description="AppConfig: read the alarm that takes a routing document back",
        )
        role.add_to_policy(iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=["*"]))
        acknowledge(
            role,
            {"AwsSolutions-IAM5[Resource::*]": "Composite alarms are described on every resource only."},
        )
        environment = cast("appconfig.CfnEnvironment", self.environment.node.default_child)
        environment.monitors = [
            appconfig.CfnEnvironment.MonitorsProperty(alarm_arn=alarm.alarm_arn, alarm_role_arn=role.role_arn)
        ]
        # AppConfig reads the alarm as soon as it knows it.
        environment.node.add_dependency(role)

    def _profile(self, group: Construct) -> appconfig.HostedConfiguration:
        document = str(self._platform.settings.routing_document)
        return appconfig.HostedConfiguration(
            group,
            "Routing",
            description="Which provider takes which payment",
            application=self.application,
            type=appconfig.ConfigurationType.FREEFORM,
            content=appconfig.ConfigurationContent.from_file(document, "application/json"),
            validators=[
                appconfig.JsonSchemaValidator.from_file(str(ROUTING / "schema.json")),
                appconfig.LambdaValidator.from_function(self.validator.function),
            ],
            deploy_to=[self.environment],
            deletion_protection_check=self._deletion_check(),
            # A first document must be there at once and as a whole: a function without one answers nobody.
            deployment_strategy=appconfig.DeploymentStrategy(
                group, "AtOnce", rollout_strategy=appconfig.RolloutStrategy.linear(**_AT_ONCE)
            ),
        )

    def _deletion_check(self) -> appconfig.DeletionProtectionCheck | None:
        """An account may forbid to delete what was read within an hour. A disposable environment goes all the same."""
        return None if self._platform.settings.protected else appconfig.DeletionProtectionCheck.BYPASS

    def _wait_for_the_validators_permission(self) -> None:
        """AppConfig calls the validator when a deployment begins. CDK only waits for the function."""
        (permission,) = (
            node for node in self.validator.function.node.find_all() if isinstance(node, lambda_.CfnPermission)
        )
        (deployment,) = (node for node in self.profile.node.find_all() if isinstance(node, appconfig.CfnDeployment))
        deployment.add_dependency(permission)

    def _let_go_of_the_first_version(self) -> None:
        """CDK keeps it when the stack is deleted, and AppConfig refuses to delete a profile that has versions."""
        for node in self.profile.node.find_all():
            if isinstance(node, appconfig.CfnHostedConfigurationVersion):
                node.apply_removal_policy(RemovalPolicy.DESTROY)

    def _rollout(self) -> appconfig.RolloutStrategy:
        if self._platform.settings.gradual_routing:
            return appconfig.RolloutStrategy.linear(
                growth_factor=20,
                deployment_duration=Duration.minutes(10),
                final_bake_time=Duration.minutes(10),
            )
        return appconfig.RolloutStrategy.linear(**_AT_ONCE)

    def let_read(self, function: PayFlowXFunction) -> None:
        """Allow reading the deployed document."""
        environment = f"application/{self.application.application_id}/environment/{self.environment.environment_id}"
        function.allow(
            ["appconfig:StartConfigurationSession", "appconfig:GetLatestConfiguration"],
            [self._arn(f"{environment}/configuration/{self.profile.configuration_profile_id}")],
        )
        function.set_environment(**self._identifiers())

    def let_publish(self, function: PayFlowXFunction) -> None:
        """Allow publishing a document: a new version, its deployment, and stopping that deployment."""
        application = self._arn(f"application/{self.application.application_id}")
        environment = f"{application}/environment/{self.environment.environment_id}"
        profile = f"{application}/configurationprofile/{self.profile.configuration_profile_id}"
        strategy = self._arn(f"deploymentstrategy/{self.strategy.deployment_strategy_id}")
        numbered = [f"{environment}/deployment/*", f"{profile}/hostedconfigurationversion/*"]
        function.allow(
            [
                "appconfig:CreateHostedConfigurationVersion",
                "appconfig:GetHostedConfigurationVersion",
                "appconfig:ListDeployments",
                "appconfig:StartDeployment",
                "appconfig:StopDeployment",
            ],
            [application, environment, profile, strategy, *numbered],
        )
        acknowledge(
            function.role,
            {
                f"AwsSolutions-IAM5[Resource::{self._as_reported(arn)}]": "AppConfig numbers them as they are made."
                for arn in numbered
            },
        )
        function.set_environment(ROUTING_STRATEGY=self.strategy.deployment_strategy_id, **self._identifiers())

    def _identifiers(self) -> dict[str, str]:
        return {
            "ROUTING_APPLICATION": self.application.application_id,
            "ROUTING_ENVIRONMENT": self.environment.environment_id,
            "ROUTING_PROFILE": self.profile.configuration_profile_id,
        }

    def _arn(self, resource: str) -> str:
        return f"arn:{Aws.PARTITION}:appconfig:{Stack.of(self.application).region}:{Aws.ACCOUNT_ID}:{resource}"

    def _as_reported(self, arn: str) -> str:
        """The ARN as the rule packs write it: references in angle brackets."""
        ((_, (_, parts)),) = Stack.of(self.application).resolve(arn).items()
        return "".join(f"<{part['Ref']}>" if isinstance(part, dict) else part for part in parts)
