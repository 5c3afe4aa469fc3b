"""A model of Secrets Manager: secrets in the shape in which the functions store them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from testing.dynamodb.database import client_error


@dataclass(slots=True)
class SecretsManager:
    """A boto3 Secrets Manager client. Every account has the same key; `by_arn` holds what its webhooks are signed with,
    the current secret first and then, during a rotation, the one before.
    """

    by_arn: dict[str, tuple[str, ...]] = field(default_factory=dict)
    key_secret: str = "secret"
    texts: Mapping[str, Sequence[str]] = field(default_factory=lambda: {"checkout-tokens": ("t" * 64,)})
    """Secrets of plain text, each with its current version first and then that of before."""
    created_at: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    """The time of the current versions."""

    def webhook_secrets(self, secret_arn: str) -> Sequence[str]:
        """The secrets that sign an account's webhooks."""
        return self.by_arn.get(secret_arn, ("secret",))

    def get_secret_value(self, *, SecretId: str, VersionStage: str = "AWSCURRENT") -> dict[str, Any]:  # noqa: N803 - the API's names
        """GetSecretValue."""
        if SecretId in self.texts:
            return self._text(self.texts[SecretId], VersionStage)
        current, *before = (
            {"keyId": "id", "keySecret": self.key_secret, "webhookSecret": secret}
            for secret in self.webhook_secrets(SecretId)
        )
        text = json.dumps({**current, **({"previous": before[0]} if before else {})})
        return {"SecretString": text, "CreatedDate": self.created_at}

    def _text(self, versions: Sequence[str], stage: str) -> dict[str, Any]:
        found = dict(zip(("AWSCURRENT", "AWSPREVIOUS"), versions, strict=False)).get(stage)
        if found is None:
            raise client_error("GetSecretValue", "ResourceNotFoundException", f"no version {stage}")
        return {"SecretString": found, "CreatedDate": self.created_at}
