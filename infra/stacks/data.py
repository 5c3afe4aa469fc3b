"""The data that must never be lost: the key, the tables, and the secrets that sign cursors and checkout addresses."""

from aws_cdk import Stack
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.constructs.shared.backups import Backups
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
        self.backups = self._backups(settings)
        self.cursor_secret = self._signing_secret(
            "CursorSecret",
            settings,
            description="Signs list cursors of the PayFlowX API",
            not_rotated="It signs list cursors only; a new value makes clients start their lists again.",
        )
        self.checkout_secret = self._signing_secret(
            "CheckoutSecret",
            settings,
            description="Signs checkout addresses of PayFlowX",
            not_rotated="Operators rotate it with `payflowx checkout rotate-secret`: addresses are valid for a month.",
        )

    def _backups(self, settings: EnvironmentSettings) -> Backups | None:
        if settings.backups is None:
            return None
        tables = (self.tables.transactions, self.tables.idempotency, self.tables.configuration)
        return Backups(self, "Backups", key=self.key, tables=tables, wanted=settings.backups, settings=settings)

    def _signing_secret(
        self, construct_id: str, settings: EnvironmentSettings, *, description: str, not_rotated: str
    ) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            construct_id,
            description=description,
            encryption_key=self.key,
            removal_policy=settings.removal_policy,
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
        )
        acknowledge(secret, {"AwsSolutions-SMG4": not_rotated})
        return secret
