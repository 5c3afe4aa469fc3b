"""Credentials from Secrets Manager, remembered for five minutes at most: a rotated secret works soon.

A secret is `{"keyId", "keySecret", "webhookSecret"?, "previous"?}`. `webhookSecret` is left out where the provider
signs webhooks with the key secret; `previous` holds the same fields as they were before a rotation.

A secret that signs is plain text. Secrets Manager itself keeps its version of before, under the stage `AWSPREVIOUS`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.adapters.platform.ttl_cache import TtlCache
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import MINUTE_MS, SECOND_MS
from payflowx.domain.shared.transport import SENDABLE_SECRET, Credentials

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

SECRET_LIFETIME_MS: Final = 5 * MINUTE_MS
_SIGNS_AFTER_MS: Final = 2 * SECRET_LIFETIME_MS
"""A new version signs only when every instance that verifies must have read it."""
_CURRENT: Final = "AWSCURRENT"
_PREVIOUS: Final = "AWSPREVIOUS"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsManagerSecrets:
    """Implements `Secrets`; also reads plain text secrets."""

    client: "SecretsManagerClient"
    cache: TtlCache[str]
    signing_cache: TtlCache[tuple[str, ...]]

    def credentials(self, secret_arn: str) -> Credentials:
        """The current ones; those of before are for webhooks that are still on their way."""
        return _understood(self.text(secret_arn), _credentials)

    def webhook_secrets(self, secret_arn: str) -> Sequence[str]:
        """The current secret, and during a rotation the one of before."""
        return _understood(self.text(secret_arn), _webhook_secrets)

    def text(self, secret_arn: str) -> str:
        """The secret's text."""
        return self.cache.get(secret_arn, lambda: self._load(secret_arn))

    def signing_keys(self, secret_arn: str) -> Sequence[str]:
        """Return the texts that verify a signature, at most two. The first one signs.

        For some minutes after a rotation the version of before still signs: another instance may not know the new one.
        """
        return self.signing_cache.get(secret_arn, lambda: self._load_signing_keys(secret_arn))

    def _load_signing_keys(self, secret_arn: str) -> tuple[str, ...]:
        try:
            current = self.client.get_secret_value(SecretId=secret_arn, VersionStage=_CURRENT)
            previous = self._previous(secret_arn)
            created_at_ms = int(current["CreatedDate"].timestamp() * SECOND_MS)
            text = str(current["SecretString"])
        except (ClientError, BotoCoreError, KeyError) as error:
            raise StorageUnavailableError("a secret could not be read") from error
        if previous is None:
            return (text,)
        is_new = created_at_ms + _SIGNS_AFTER_MS > self.signing_cache.clock_ms()
        return (previous, text) if is_new else (text, previous)

    def _previous(self, secret_arn: str) -> str | None:
        """Return the version of before; None for a secret that was never rotated."""
        try:
            return str(self.client.get_secret_value(SecretId=secret_arn, VersionStage=_PREVIOUS)["SecretString"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise

    def _load(self, secret_arn: str) -> str:
        try:
            return str(self.client.get_secret_value(SecretId=secret_arn)["SecretString"])
        except (ClientError, BotoCoreError, KeyError) as error:
            raise StorageUnavailableError("a secret could not be read") from error


def secrets_of(client: "SecretsManagerClient", new_cache: Callable[[int], TtlCache[Any]]) -> SecretsManagerSecrets:
    """With caches of its own; `new_cache` makes one of a lifetime in milliseconds."""
    return SecretsManagerSecrets(
        client=client,
        cache=new_cache(SECRET_LIFETIME_MS),
        signing_cache=new_cache(SECRET_LIFETIME_MS),
    )


def _understood(text: str, read: Callable[[Mapping[str, Any]], T]) -> T:
    try:
        return read(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError):
        # Without `from`: the cause would carry the secret's text into a log.
        raise StorageUnavailableError("a provider's secret does not hold a keyId and keySecret to use") from None


def _credentials(fields: Mapping[str, Any]) -> Credentials:
    """Raises ValueError for a text that no request can carry."""
    texts = (_text(fields["keyId"]), _text(fields["keySecret"]))
    if not all(SENDABLE_SECRET.fullmatch(text) for text in texts):
        raise ValueError("not printable ASCII")
    return Credentials(key_id=texts[0], key_secret=texts[1])


def _webhook_secrets(fields: Mapping[str, Any]) -> Sequence[str]:
    """The current one, and the one of before if it is one: a secret that nobody could use verifies nothing."""
    current = _webhook_secret(fields)
    try:
        return current, _webhook_secret(fields["previous"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return (current,)


def _webhook_secret(fields: Mapping[str, Any]) -> str:
    """The provider's own secret for webhooks; where it has none, the key secret signs them."""
    own = fields.get("webhookSecret")
    return _text(fields["keySecret"] if own in (None, "") else own)


def _text(value: Any) -> str:
    """A text with characters, or a number that was written without quotes.

    Raises ValueError for anything else: the words None and True would be secrets that everybody knows.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text:
        raise ValueError("not a text")
    return text
