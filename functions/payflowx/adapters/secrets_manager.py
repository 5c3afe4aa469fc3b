"""Credentials from Secrets Manager, remembered for five minutes at most: a rotated secret works soon."""

import json
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.adapters.ttl_cache import TtlCache
from payflowx.domain.errors import StorageUnavailableError
from payflowx.domain.limits import MINUTE_MS
from payflowx.domain.transport import Credentials

SECRET_LIFETIME_MS: Final = 5 * MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsManagerSecrets:
    """Implements `Secrets`; also reads plain text secrets."""

    client: Any
    cache: TtlCache[str]

    def credentials(self, secret_arn: str) -> Credentials:
        """A JSON object with `keyId` and `keySecret`."""
        try:
            fields = json.loads(self.text(secret_arn))
            return Credentials(key_id=fields["keyId"], key_secret=fields["keySecret"])
        except (ValueError, KeyError, TypeError):
            # Without `from`: the cause would carry the secret's text into a log.
            raise StorageUnavailableError("a provider's secret does not hold keyId and keySecret") from None

    def text(self, secret_arn: str) -> str:
        """The secret's text."""
        return self.cache.get(secret_arn, lambda: self._load(secret_arn))

    def _load(self, secret_arn: str) -> str:
        try:
            return str(self.client.get_secret_value(SecretId=secret_arn)["SecretString"])
        except (ClientError, BotoCoreError, KeyError) as error:
            raise StorageUnavailableError("a secret could not be read") from error
