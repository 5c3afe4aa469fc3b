"""A work queue over SQS, whatever its messages are about."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.adapters.platform import log_context
from payflowx.domain.shared.errors import StorageUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

T = TypeVar("T")

_MAX_BATCH: Final = 10
"""Of SendMessageBatch. Ten messages of ours are far below its limit of bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec(Generic[T]):
    """The form of one queue's messages. A body is compact JSON with a format number, so that old and new versions
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
        try:
            self.client.send_message(QueueUrl=self.url, DelaySeconds=delay_seconds, **self._message(content))
        except (ClientError, BotoCoreError) as error:
            raise StorageUnavailableError("the queue did not take the message") from error

    def send_all(self, contents: Sequence[T]) -> Sequence[T]:
        """Send them by tens, without a delay; return those that the queue did not take.

        A batch is no unit: some of its messages may be refused. They are sent once more. A call that fails as a whole
        ends the sending, because the next one would wait as long for the same failure; its messages may have arrived.
        """
        unsent: list[T] = []
        for start in range(0, len(contents), _MAX_BATCH):
            batch = contents[start : start + _MAX_BATCH]
            try:
                unsent += self._send_batch(self._send_batch(batch))
            except (ClientError, BotoCoreError):
                return [*unsent, *contents[start:]]
        return unsent

    def _send_batch(self, batch: Sequence[T]) -> Sequence[T]:
        """Return what was refused."""
        if not batch:
            return []
        entries: list[Any] = [{"Id": str(place), **self._message(content)} for place, content in enumerate(batch)]
        answer = self.client.send_message_batch(QueueUrl=self.url, Entries=entries)
        return [batch[int(refused["Id"])] for refused in answer.get("Failed", [])]

    def waiting(self) -> int:
        """As many as SQS estimates, without those in work or delayed. Raises `StorageUnavailableError`."""
        try:
            answer = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessages"])
        except (ClientError, BotoCoreError) as error:
            raise StorageUnavailableError("the queue did not tell its length") from error
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def _message(self, content: T) -> dict[str, Any]:
        merchant_id = self.codec.merchant_id(content)
        group = {} if merchant_id is None else {"MessageGroupId": merchant_id}
        body = self.codec.encode(content, log_context.current().correlation_id)
        return {"MessageBody": body, **group, **log_context.message_attributes()}
