"""Dead letters: what five invocations could not handle, and what may be done with them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.outbound_webhooks.ports import DeliveryJob
from payflowx.domain.payments.ports import Job
from payflowx.domain.shared.errors import PayFlowXError


class WorkQueueName(StrEnum):
    """A queue with dead letters."""

    JOBS = "jobs"
    PROVIDER_EVENTS = "notices"
    DELIVERIES = "deliveries"
    RUNS = "runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWakeUp:
    """A message that a reconciliation goes on with."""

    run_id: str


Message = Job | ReceivedEvent | DeliveryJob | RunWakeUp


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message as it lies there. `receipt` names this look at it, not the message."""

    message_id: str
    receipt: str = field(repr=False)
    body: str = field(repr=False)
    sent_at_ms: int
    receives: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDepth:
    """About how many messages wait, in the queue and among its dead letters."""

    queue: WorkQueueName
    waiting: int
    dead: int
    dead_hidden: int
    """Dead letters that somebody is looking at, or that a replay left where they are."""


class DeadLetters(Protocol):
    """The dead-letter queue of each work queue. Raises `StorageUnavailableError`."""

    def depths(self) -> Sequence[QueueDepth]: ...

    def take(self, queue: WorkQueueName, *, limit: int, hide_seconds: int) -> Sequence[DeadLetter]:
        """At most `limit`; hidden from everybody else for that long."""
        ...

    def put_back(self, queue: WorkQueueName, letters: Sequence[DeadLetter]) -> None:
        """Visible again at once. Failing to costs time only."""
        ...

    def delete(self, queue: WorkQueueName, letter: DeadLetter) -> None: ...

    def purge(self, queue: WorkQueueName) -> None: ...


class UnreadableMessageError(PayFlowXError):
    """A message that is none of ours, or of a format that this version does not know."""


class MessageDecoder(Protocol):
    """What a message of a queue is about. Raises `UnreadableMessageError`."""

    def __call__(self, queue: WorkQueueName, body: str) -> Message: ...


class FailureLog(Protocol):
    """Why a message failed, as its function logged it: newest last, a few lines, none if nothing is found."""

    def failures(self, queue: WorkQueueName, message_id: str, since_ms: int) -> Sequence[str]: ...
