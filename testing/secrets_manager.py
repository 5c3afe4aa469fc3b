"""A model of Secrets Manager: secrets in the shape in which the functions store them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class SecretsManager:
    """A boto3 Secrets Manager client. Every account has the same key; `by_arn` holds what its webhooks are signed with,
    the current secret first and then, during a rotation, the one before.
    """

    by_arn: dict[str, tuple[str, ...]] = field(default_factory=dict)
    key_secret: str = "secret"

    def webhook_secrets(self, secret_arn: str) -> Sequence[str]:
        """The secrets that sign an account's webhooks."""
        return self.by_arn.get(secret_arn, ("secret",))

    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803 - the API's name
        """GetSecretValue."""
        current, *before = (
            {"keyId": "id", "keySecret": self.key_secret, "webhookSecret": secret}
            for secret in self.webhook_secrets(SecretId)
        )
        return {"SecretString": json.dumps({**current, **({"previous": before[0]} if before else {})})}
