"""Provider accounts' credentials, written to Secrets Manager. No error and no log line ever holds one."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.domain.merchants.directory import ROTATION_OPEN, AccountSecret, SecretVersion
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import SECOND_MS

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import GetSecretValueResponseTypeDef

_FIELDS: Final = ("keyId", "keySecret", "webhookSecret")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsManagerAccountSecrets:
    """Implements `AccountSecrets`. Nothing is remembered: a rotation decides from what is there."""

    client: "SecretsManagerClient"
    key_arn: str
    """The deployment's own key: the worker may decrypt with no other."""

    def put(self, name: str, secret: AccountSecret) -> str:
        """Over what an earlier, unfinished command left there."""
        text = json.dumps(_fields(secret))
        with _errors():
            try:
                return self.client.create_secret(Name=name, SecretString=text, KmsKeyId=self.key_arn)["ARN"]
            except self.client.exceptions.ResourceExistsException:
                return self.client.put_secret_value(SecretId=name, SecretString=text)["ARN"]

    def replace(self, arn: str, secret: AccountSecret, *, keep_previous: bool) -> None:
        """A webhook secret that is not named stays when the one of before is kept."""
        fields: dict[str, Any] = _fields(secret)
        if keep_previous:
            stored = self._read(arn)
            if "previous" in stored:
                raise Refusal("rotation_open", ROTATION_OPEN)
            before = {name: value for name, value in stored.items() if name in _FIELDS}
            fields = {**{k: v for k, v in before.items() if k == "webhookSecret"}, **fields, "previous": before}
        self._write(arn, fields)

    def holds(self, arn: str, secret: AccountSecret) -> bool:
        """Byte by byte."""
        stored = self._read(arn)
        return all(stored.get(name) == value for name, value in _fields(secret).items())

    def forget_previous(self, arn: str) -> bool:
        """True if there was one."""
        fields = self._read(arn)
        if "previous" not in fields:
            return False
        self._write(arn, {name: value for name, value in fields.items() if name != "previous"})
        return True

    def version(self, arn: str) -> SecretVersion:
        """When the current version was written, and whether the ones of before are still there."""
        answer = self._get(arn)
        written_at_ms = int(answer["CreatedDate"].timestamp() * SECOND_MS)
        return SecretVersion(written_at_ms=written_at_ms, is_rotating="previous" in _understood(answer))

    def key_id(self, arn: str) -> str:
        """The public half of the credentials."""
        return str(self._read(arn)["keyId"])

    def _read(self, arn: str) -> Mapping[str, Any]:
        return _understood(self._get(arn))

    def _get(self, arn: str) -> "GetSecretValueResponseTypeDef":
        with _errors():
            return self.client.get_secret_value(SecretId=arn)

    def _write(self, arn: str, fields: Mapping[str, Any]) -> None:
        with _errors():
            self.client.put_secret_value(SecretId=arn, SecretString=json.dumps(fields))


def _fields(secret: AccountSecret) -> dict[str, Any]:
    values = (secret.key_id, secret.key_secret, secret.webhook_secret)
    return {name: value for name, value in zip(_FIELDS, values, strict=True) if value is not None}


def _understood(answer: "GetSecretValueResponseTypeDef") -> Mapping[str, Any]:
    try:
        fields = json.loads(str(answer["SecretString"]))
        _ = fields["keyId"], fields["keySecret"]
    except (ValueError, KeyError, TypeError):
        # Without `from`: the cause would carry the secret's text.
        raise Refusal("secret_unreadable", "The account's secret does not hold keyId and keySecret.") from None
    return dict(fields)


@contextmanager
def _errors() -> Iterator[None]:
    """In words, and without what the service was sent."""
    try:
        yield
    except ClientError as error:
        match error.response["Error"]["Code"]:
            case "ResourceNotFoundException" | "ValidationException":
                raise Refusal("secret_missing", "The account's secret does not exist.") from None
            case "AccessDeniedException":
                raise Refusal(
                    "secret_forbidden",
                    "The operations function may only touch secrets below payflowx/{environment}/accounts/.",
                ) from None
            case "InvalidRequestException":
                raise Refusal(
                    "secret_deleted", "The account's secret is scheduled for deletion. Restore it first."
                ) from None
            case _:
                raise StorageUnavailableError("the vault did not take the request") from None
    except BotoCoreError:
        raise StorageUnavailableError("the vault did not answer") from None
