"""The provider simulators, deployed: the local environment's code, with a table as ledger. Never in production."""

from aws_cdk import CfnOutput, Duration, IgnoreMode, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.constructs.shared.function import PayFlowXFunction
from infra.constructs.shared.tables import Table
from infra.settings import ROOT, EnvironmentSettings
from infra.stacks.data import DataStack


class SandboxStack(Stack):
    """Its address is public; like a provider, it answers only to the right credentials."""

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
        self._settings = settings
        self._data = data
        ledger = self._ledger()
        credentials = self._credentials()
        simulators = self._simulators(ledger, credentials)
        url = simulators.alias.add_function_url(auth_type=lambda_.FunctionUrlAuthType.NONE)
        CfnOutput(self, "SandboxUrl", value=url.url)
        CfnOutput(self, "SandboxSecretArn", value=credentials.secret_arn)

    def _ledger(self) -> Table:
        table = dynamodb.TableV2(
            self,
            "Ledger",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(self._data.key),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self._settings.protected,
            removal_policy=self._settings.table_removal_policy,
        )
        return Table(resource=table, variable="SANDBOX_TABLE")

    def _credentials(self) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            "Credentials",
            # The worker may read every secret under this prefix.
            secret_name=f"payflowx/{self._settings.name}/accounts/sandbox",
            description="Credentials of the simulators",
            encryption_key=self._data.key,
            removal_policy=self._settings.removal_policy,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template='{"keyId":"sandbox"}',  # noqa: S106 - a name; the secret is generated
                generate_string_key="keySecret",
                password_length=40,
                exclude_punctuation=True,
            ),
        )
        acknowledge(secret, {"AwsSolutions-SMG4": "It opens simulators that hold no money and no personal data."})
        return secret

    def _simulators(self, ledger: Table, credentials: secretsmanager.Secret) -> PayFlowXFunction:
        simulators = PayFlowXFunction(
            self,
            "Simulators",
            handler="sandbox.function.handler",
            description="PayFlowX: provider simulators",
            code=lambda_.Code.from_asset(
                str(ROOT), exclude=["/*", "!/sandbox", "__pycache__", "*.pyc"], ignore_mode=IgnoreMode.GIT
            ),
            layers=[],
            timeout=Duration.seconds(29),
            memory_mb=512,
            environment={},
            key=self._data.key,
            settings=self._settings,
        )
        simulators.may_read(ledger, "GetItem", "Query")
        simulators.may_write(ledger, "PutItem")
        simulators.may_use_secret(credentials, variable="SANDBOX_SECRET_ARN")
        return simulators
