"""Dead-letter queues as operators see them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.adapters.sqs.messages import DELIVERIES, JOBS, PROVIDER_EVENTS, RUNS
from payflowx.domain.recovery.ports import (
    DeadLetter,
    Message,
    QueueDepth,
    RunWakeUp,
    WorkQueueName,
)
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePair:
    """A work queue and where its failures go, by URL."""

    queue_url: str
    dead_letters_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SqsDeadLetters:
    """Implements `DeadLetters`."""

    client: "SQSClient"
    queues: Mapping[WorkQueueName, QueuePair]

    def depths(self) -> Sequence[QueueDepth]:
        """Approximately, as SQS knows it."""
        return [self._depth(name, pair) for name, pair in self.queues.items()]

    def take(self, queue: WorkQueueName, *, limit: int, hide_seconds: int) -> Sequence[DeadLetter]:
        """Receive once."""
        with _errors():
            answer = self.client.receive_message(
                QueueUrl=self._dead(queue),
                MaxNumberOfMessages=limit,
                VisibilityTimeout=hide_seconds,
                WaitTimeSeconds=1,  # asks all of SQS's servers, where a short poll asks some
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
            )
        return [_letter(message) for message in answer.get("Messages", [])]

    def put_back(self, queue: WorkQueueName, letters: Sequence[DeadLetter]) -> None:
        """Delete them one by one: there are few, and a message whose deletion fails returns by itself."""
        for letter in letters:
            try:
                self.client.change_message_visibility(
                    QueueUrl=self._dead(queue), ReceiptHandle=letter.receipt, VisibilityTimeout=0
                )
            except (ClientError, BotoCoreError):
                continue

    def delete(self, queue: WorkQueueName, letter: DeadLetter) -> None:
        """For good."""
        with _errors():
            self.client.delete_message(QueueUrl=self._dead(queue), ReceiptHandle=letter.receipt)

    def purge(self, queue: WorkQueueName) -> None:
        """All of them; SQS allows it once a minute."""
        with _errors():
            self.client.purge_queue(QueueUrl=self._dead(queue))

    def _depth(self, name: WorkQueueName, pair: QueuePair) -> QueueDepth:
        dead = self._counts(pair.dead_letters_url)
        return QueueDepth(queue=name, waiting=self._counts(pair.queue_url)[0], dead=dead[0], dead_hidden=dead[1])

    def _counts(self, url: str) -> tuple[int, int]:
        with _errors():
            answer = self.client.get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            )
        counts = answer["Attributes"]
        visible = counts.get("ApproximateNumberOfMessages", 0)
        return int(visible), int(counts.get("ApproximateNumberOfMessagesNotVisible", 0))

    def _dead(self, queue: WorkQueueName) -> str:
        return self.queues[queue].dead_letters_url


def decode_message(queue: WorkQueueName, body: str) -> Message:
    """Implements `MessageDecoder`."""
    match queue:
        case WorkQueueName.JOBS | WorkQueueName.SLOW_JOBS:
            return JOBS.decode(body)
        case WorkQueueName.PROVIDER_EVENTS:
            return PROVIDER_EVENTS.decode(body)
        case WorkQueueName.DELIVERIES | WorkQueueName.SLOW_DELIVERIES:
            return DELIVERIES.decode(body)
        case WorkQueueName.RUNS:
            return RunWakeUp(run_id=RUNS.decode(body))


def _letter(message: Mapping[str, Any]) -> DeadLetter:
    attributes = message.get("Attributes", {})
    return DeadLetter(
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        sent_at_ms=int(attributes.get("SentTimestamp", 0)),
        receives=int(attributes.get("ApproximateReceiveCount", 0)),
    )


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if "PurgeQueueInProgress" in error.response["Error"]["Code"]:
            raise Refusal("busy", "The dead letters were purged less than a minute ago. Wait a minute.") from error
        raise StorageUnavailableError("the queue did not take the request") from error
    except BotoCoreError as error:
        raise StorageUnavailableError("the queue did not answer") from error
