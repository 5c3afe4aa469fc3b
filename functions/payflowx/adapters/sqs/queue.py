"""A work queue over SQS, whatever its messages are about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.adapters.platform import log_context
from payflowx.domain.shared.errors import StorageUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec(Generic[T]):
    """What one queue's messages look like. A body is compact JSON with a format number, so that old and new versions
    of a function can share a queue.

    `encode` takes the correlation id of the request at hand, for content that has none of its own.
    `decode` raises `UnreadableMessageError`.
    `facts` are what every log line about the message says.
    `merchant_id` is the message group: on a standard queue that makes the queue fair, so that one merchant's backlog
    does not delay the others'. It returns None when the queue has no groups.
    """

    encode: Callable[[T, str | None], str]
    decode: Callable[[str], T]
    facts: Callable[[T], Mapping[str, log_context.Fact]]
    merchant_id: Callable[[T], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue(Generic[T]):
    """Implements `Jobs`, `ProviderEventQueue`, `Deliveries` and `RunQueue`, each with its codec."""

    client: "SQSClient"
    url: str
    codec: Codec[T]

    def send(self, content: T, *, delay_seconds: int = 0) -> None:
        """Raises `StorageUnavailableError`."""
        merchant_id = self.codec.merchant_id(content)
        group: dict[str, Any] = {} if merchant_id is None else {"MessageGroupId": merchant_id}
        try:
            self.client.send_message(
                QueueUrl=self.url,
                MessageBody=self.codec.encode(content, log_context.current().correlation_id),
                DelaySeconds=delay_seconds,
                **group,
                **log_context.message_attributes(),
            )
        except (ClientError, BotoCoreError) as error:
            raise StorageUnavailableError("the queue did not take the message") from error
