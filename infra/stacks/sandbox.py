"""The gateway simulators, deployed: the same code as on a laptop, with its ledger in a table. Never in production."""

from aws_cdk import CfnOutput, Duration, IgnoreMode, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.constructs.encryption_key import KEY_ACTIONS
from infra.constructs.function import PayFlowXFunction
from infra.settings import ROOT, EnvironmentSettings
from infra.stacks.data import DataStack


class SandboxStack(Stack):
    """Its address is public; like a vendor, it answers only to the right credentials."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: EnvironmentSettings,
        data: DataStack,
        tags: dict[str, str],
    ) -> None:
        if settings.production:
            raise ValueError(f"{settings.name}: production has no simulators")
        super().__init__(scope, construct_id, tags=tags)
        table = dynamodb.TableV2(
            self,
            "Ledger",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(data.key),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=settings.protected,
            removal_policy=settings.removal_policy,
        )
        secret = secretsmanager.Secret(
            self,
            "Credentials",
            # The worker may read what lies under this prefix.
            secret_name=f"payflowx/{settings.name}/accounts/sandbox",
            description="What the simulators are opened with",
            encryption_key=data.key,
            removal_policy=settings.removal_policy,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template='{"keyId":"sandbox"}',  # noqa: S106 - a name; the secret is generated
                generate_string_key="keySecret",
                password_length=40,
                exclude_punctuation=True,
            ),
        )
        acknowledge(secret, {"AwsSolutions-SMG4": "Opens simulators that hold no money and no personal data."})
        function = PayFlowXFunction(
            self,
            "Simulators",
            handler="sandbox.function.handler",
            description="PayFlowX: gateway simulators",
            code=lambda_.Code.from_asset(
                str(ROOT), exclude=["/*", "!/sandbox", "__pycache__", "*.pyc"], ignore_mode=IgnoreMode.GIT
            ),
            layers=[],
            timeout=Duration.seconds(29),
            memory_mb=512,
            environment={"SANDBOX_TABLE": table.table_name, "SANDBOX_SECRET_ARN": secret.secret_arn},
            key=data.key,
            settings=settings,
        )
        grants = (
            (["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], table.table_arn),
            (["secretsmanager:GetSecretValue"], secret.secret_arn),
            (list(KEY_ACTIONS), data.key.key_arn),
        )
        for actions, resource in grants:
            function.role.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
        url = function.alias.add_function_url(auth_type=lambda_.FunctionUrlAuthType.NONE)
        CfnOutput(self, "SandboxUrl", value=url.url)
        CfnOutput(self, "SandboxSecretArn", value=secret.secret_arn)
