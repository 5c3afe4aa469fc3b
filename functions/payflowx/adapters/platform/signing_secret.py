"""The secret of checkout addresses in Secrets Manager, for its rotation. Its text is never read here."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.domain.checkout.signing_secret import SecretVersion
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import SECOND_MS

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_CURRENT: Final = "AWSCURRENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsManagerSigningSecret:
    """Implements `SigningSecret`. Secrets Manager itself moves the stages `AWSCURRENT` and `AWSPREVIOUS`."""

    client: "SecretsManagerClient"
    arn: str

    def current(self) -> SecretVersion:
        with _errors():
            versions = self.client.list_secret_version_ids(SecretId=self.arn)["Versions"]
        for version in versions:
            if _CURRENT in version.get("VersionStages", ()):
                created_at_ms = int(version["CreatedDate"].timestamp() * SECOND_MS)
                return SecretVersion(version_id=version["VersionId"], created_at_ms=created_at_ms)
        raise StorageUnavailableError("the secret has no current version")

    def replace(self, current: SecretVersion, text: str) -> bool:
        """The new version's id follows from the current one: of two rotations at once, only one takes effect."""
        token = hashlib.sha256(f"after:{current.version_id}".encode()).hexdigest()
        try:
            with _errors():
                self.client.put_secret_value(SecretId=self.arn, SecretString=text, ClientRequestToken=token)
        except ClientError:
            return False
        return True


@contextmanager
def _errors() -> Iterator[None]:
    """In words, and without what the service was sent. A version that exists already passes."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceExistsException":
            raise
        raise StorageUnavailableError("the vault did not take the request") from None
    except BotoCoreError:
        raise StorageUnavailableError("the vault did not answer") from None
