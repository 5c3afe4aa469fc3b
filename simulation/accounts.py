"""Merchants' accounts at providers: an address, key pairs and webhook secrets of their own, and their rotation."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.simulator import Credentials
from sandbox.simulators import REAL_PROVIDERS, SIMULATORS

PROVIDERS: Final = (*SIMULATORS, *REAL_PROVIDERS)
SECRET: Final = "simulated-gateway-secret"
KEY_ID: Final = "simulated-gateway-id"
WEBHOOK_SECRET: Final = "simulated-webhook-secret"
"""Every secret text begins with one of these."""
_SIGNS_WITH_ITS_OWN: Final = frozenset({"stripe", "razorpay"})
"""Providers whose webhooks have a secret of their own; the others sign with the key secret."""
_PATHS: Final = {"cashfree": "/pg"}
"""What belongs to the provider's address rather than to its requests."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The keys that open an account, until `ends_ms` where it was replaced."""

    key_id: str
    key_secret: str
    webhook_secret: str | None

    @property
    def credentials(self) -> Credentials:
        """As simulators take it."""
        return Credentials(key_id=self.key_id, key_secret=self.key_secret)

    def fields(self) -> dict[str, str]:
        """As commands and stored secrets name them."""
        named = {"keyId": self.key_id, "keySecret": self.key_secret}
        return named if self.webhook_secret is None else {**named, "webhookSecret": self.webhook_secret}

    def texts(self) -> Iterator[str]:
        """All that must not be seen anywhere."""
        yield from (text for text in (self.key_id, self.key_secret, self.webhook_secret) if text)


@dataclass(slots=True)
class ProviderAccount:
    """One merchant's account at one provider. The newest of `valid` signs webhooks; each of them opens the account."""

    merchant: str
    provider: str
    issued: list[KeyPair] = field(default_factory=list)
    valid: list[KeyPair] = field(default_factory=list)
    webhook_path: str = ""
    """Where its dashboard posts events to; the API tells it when the account is created."""

    def __post_init__(self) -> None:
        self.valid.append(self.issue())

    def issue(self) -> KeyPair:
        """Another key pair. It opens the account as soon as it is `valid`."""
        suffix = f"{self.merchant}-{self.provider}-{len(self.issued)}"
        own = f"{WEBHOOK_SECRET}-{suffix}" if self.provider in _SIGNS_WITH_ITS_OWN else None
        pair = KeyPair(f"{KEY_ID}-{suffix}", f"{SECRET}-{suffix}", own)
        self.issued.append(pair)
        return pair

    @property
    def host(self) -> str:
        """The host of its address."""
        return f"{self.provider}.{self.merchant}.example"

    @property
    def secret_arn(self) -> str:
        """The name of its secret in Secrets Manager."""
        return f"arn:secret:{self.merchant}:{self.provider}"

    def configured(self) -> dict[str, Any]:
        """As the command that creates a merchant takes it."""
        return {
            "provider": self.provider,
            "accountId": "main",
            "endpoint": f"https://{self.host}{_PATHS.get(self.provider, '')}",
            "secretArn": self.secret_arn,
        }

    def stored_secret(self) -> str:
        """The text of its secret when the run begins."""
        return json.dumps(self.valid[-1].fields())
