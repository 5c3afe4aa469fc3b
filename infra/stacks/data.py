"""The data that must never be lost: the key, the tables, and the secret that signs cursors."""

from aws_cdk import Stack
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.constructs.shared.encryption_key import EncryptionKey
from infra.constructs.shared.tables import Tables
from infra.settings import EnvironmentSettings


class DataStack(Stack):
    """A test pins the logical ids: a table with a new id is a new, empty table."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: EnvironmentSettings, tags: dict[str, str]
    ) -> None:
        super().__init__(scope, construct_id, termination_protection=settings.production, tags=tags)
        self.key = EncryptionKey(self, "EncryptionKey", removal_policy=settings.removal_policy).key
        self.tables = Tables(self, "Tables", key=self.key, settings=settings)
        self.cursor_secret = secretsmanager.Secret(
            self,
            "CursorSecret",
            description="Signs list cursors of the PayFlowX API",
            encryption_key=self.key,
            removal_policy=settings.removal_policy,
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
        )
        acknowledge(
            self.cursor_secret,
            {"AwsSolutions-SMG4": "It signs list cursors only; a new value makes clients start their lists again."},
        )
