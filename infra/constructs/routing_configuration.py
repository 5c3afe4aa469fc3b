"""The routing document in AppConfig: checked twice before it can be deployed, rolled out, and rolled back."""

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_appconfig as appconfig
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.acknowledgements import acknowledge_annotation
from infra.settings import ROUTING, EnvironmentSettings


class RoutingConfiguration(Construct):
    """The schema catches wrong shapes, the function everything that a schema cannot say."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        validator: lambda_.Function,
        settings: EnvironmentSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        acknowledge_annotation(
            validator,
            "@aws-cdk/aws-lambda:addPermissionsToVersionOrAlias",
            "AppConfig calls the function itself; the construct takes neither a version nor an alias.",
        )
        self.application = appconfig.Application(self, "Application", description="PayFlowX")
        self.environment = appconfig.Environment(self, "Environment", application=self.application)
        rollout = appconfig.DeploymentStrategy(
            self, "Rollout", rollout_strategy=self._rollout(gradual=settings.gradual_routing)
        )
        self.strategy = rollout
        self.profile = appconfig.HostedConfiguration(
            self,
            "Routing",
            description="Which provider takes which payment",
            application=self.application,
            type=appconfig.ConfigurationType.FREEFORM,
            content=appconfig.ConfigurationContent.from_file(str(settings.routing_document), "application/json"),
            validators=[
                appconfig.JsonSchemaValidator.from_file(str(ROUTING / "schema.json")),
                appconfig.LambdaValidator.from_function(validator),
            ],
            deploy_to=[self.environment],
            deployment_strategy=rollout,
        )

    @staticmethod
    def _rollout(*, gradual: bool) -> appconfig.RolloutStrategy:
        if gradual:
            return appconfig.RolloutStrategy.linear(
                growth_factor=20,
                deployment_duration=Duration.minutes(10),
                final_bake_time=Duration.minutes(10),
            )
        return appconfig.RolloutStrategy.linear(
            growth_factor=100, deployment_duration=Duration.minutes(0), final_bake_time=Duration.minutes(0)
        )

    @property
    def identifiers(self) -> dict[str, str]:
        """What a function needs to ask for the document."""
        return {
            "ROUTING_APPLICATION": self.application.application_id,
            "ROUTING_ENVIRONMENT": self.environment.environment_id,
            "ROUTING_PROFILE": self.profile.configuration_profile_id,
        }

    @property
    def administered(self) -> list[str]:
        """What publishing touches, for a policy. Deployments and versions are numbered as they are made."""
        application = self._arn(f"application/{self.application.application_id}")
        environment = f"{application}/environment/{self.environment.environment_id}"
        profile = f"{application}/configurationprofile/{self.profile.configuration_profile_id}"
        strategy = self._arn(f"deploymentstrategy/{self.strategy.deployment_strategy_id}")
        return [
            application,
            environment,
            f"{environment}/deployment/*",
            profile,
            f"{profile}/hostedconfigurationversion/*",
            strategy,
        ]

    def _arn(self, resource: str) -> str:
        return f"arn:{Aws.PARTITION}:appconfig:{Stack.of(self).region}:{Aws.ACCOUNT_ID}:{resource}"

    @property
    def arn(self) -> str:
        """The one configuration, for a policy."""
        return f"{self.environment.environment_arn}/configuration/{self.profile.configuration_profile_id}"
