"""Dead letters: messages that failed in five invocations, and the ports to handle them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.outbound_webhooks.ports import DeliveryJob
from payflowx.domain.payments.ports import Job


class WorkQueueName(StrEnum):
    """A work queue that has a dead-letter queue."""

    JOBS = "jobs"
    PROVIDER_EVENTS = "notices"
    DELIVERIES = "deliveries"
    SLOW_JOBS = "slow-jobs"
    SLOW_DELIVERIES = "slow-deliveries"
    RUNS = "runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWakeUp:
    """A message that wakes a worker for a reconciliation run."""

    run_id: str


Message = Job | ReceivedEvent | DeliveryJob | RunWakeUp


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message in a dead-letter queue. `receipt` identifies this receive, not the message."""

    message_id: str
    receipt: str = field(repr=False)
    body: str = field(repr=False)
    sent_at_ms: int
    receives: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDepth:
    """The approximate number of messages in a queue and in its dead-letter queue."""

    queue: WorkQueueName
    waiting: int
    dead: int
    dead_hidden: int
    """Dead letters that another command has received, or that a replay kept."""


class DeadLetters(Protocol):
    """The dead-letter queue of each work queue. Raises `StorageUnavailableError`."""

    def depths(self) -> Sequence[QueueDepth]: ...

    def take(self, queue: WorkQueueName, *, limit: int, hide_seconds: int) -> Sequence[DeadLetter]:
        """Receive at most `limit` messages and hide them from other receivers for `hide_seconds`."""
        ...

    def put_back(self, queue: WorkQueueName, letters: Sequence[DeadLetter]) -> None:
        """Make messages visible again at once. A failure only delays them."""
        ...

    def delete(self, queue: WorkQueueName, letter: DeadLetter) -> None: ...

    def purge(self, queue: WorkQueueName) -> None: ...


class MessageDecoder(Protocol):
    """Parses the messages of each queue. Raises `UnreadableMessageError`."""

    def __call__(self, queue: WorkQueueName, body: str) -> Message: ...


class FailureLog(Protocol):
    """The logged failures of a message: a few lines, newest last; empty if none is found."""

    def failures(self, queue: WorkQueueName, message_id: str, since_ms: int) -> Sequence[str]: ...
