"""The clients of one account in memory, as `InProcessEngine` gives those of the local engine."""

import uuid
from dataclasses import dataclass, field
from typing import Any, Final

from bench.metering import Meter, MeteredClient, MeteredDatabase
from testing.app_config import AppConfigData
from testing.kms import Kms
from testing.secrets_manager import SecretsManager
from testing.sqs import Message, Sqs
from tests.support.model_tables import model_database
from tests.support.platform import encode_routing_document
from tests.support.world import fallback

_MOST_RECEIVED: Final = 10


class Queues(Sqs):
    """A queue also gives its messages, delayed or not, and forgets them at once."""

    def create_queue(self, *, QueueName: str) -> dict[str, str]:  # noqa: N803 - the API's names
        """CreateQueue; its address is its name."""
        return {"QueueUrl": QueueName}

    def delete_queue(self, *, QueueUrl: str) -> None:  # noqa: N803
        """DeleteQueue."""
        self.queues.pop(QueueUrl, None)

    def receive_message(self, *, QueueUrl: str, **_request: Any) -> dict[str, Any]:  # noqa: N803
        """ReceiveMessage."""
        messages = self.queues[QueueUrl].messages
        taken, messages[:] = messages[:_MOST_RECEIVED], messages[_MOST_RECEIVED:]
        return {"Messages": [_received(message) for message in taken]} if taken else {}

    def delete_message(self, **_request: Any) -> None:
        """DeleteMessage: it is gone already."""


def _received(message: Message) -> dict[str, str]:
    return {"MessageId": str(uuid.uuid4()), "ReceiptHandle": "r", "Body": message.body}


class Secrets(SecretsManager):
    """Secrets that exist as soon as they are read."""

    def create_secret(self, **_request: Any) -> None:
        """CreateSecret."""

    def delete_secret(self, **_request: Any) -> None:
        """DeleteSecret."""

    def get_secret_value(self, *, SecretId: str, VersionStage: str = "AWSCURRENT") -> dict[str, Any]:  # noqa: N803
        """GetSecretValue."""
        if SecretId == "cursor":
            return {"SecretString": "k" * 64}
        return super().get_secret_value(SecretId=SecretId, VersionStage=VersionStage)


class Keys(Kms):
    """One key."""

    def create_key(self) -> dict[str, Any]:
        """CreateKey."""
        return {"KeyMetadata": {"Arn": "key"}}


@dataclass
class ModelEngine:
    """All clients count on one meter."""

    provider: str = "alpha"
    meter: Meter = field(default_factory=Meter)
    now_ms: Any = lambda: 0

    def __post_init__(self) -> None:
        self.database = model_database(self.now_ms)
        document = encode_routing_document(fallback(self.provider))
        self._clients = {
            "dynamodb": MeteredDatabase(self.database, self.meter),
            "sqs": MeteredClient(Queues(), self.meter),
            "secretsmanager": MeteredClient(Secrets(), self.meter),
            "kms": MeteredClient(Keys(), self.meter),
            "appconfigdata": MeteredClient(AppConfigData(lambda: document), self.meter),
        }

    def client(self, service: str) -> Any:
        """The one client of a service."""
        return self._clients[service]
