"""A model of SQS's standard queues: what boto3's client takes, and what it answers or raises. At once, in order."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import ClientError

_MAX_DELAY_SECONDS: Final = 900
_MAX_BODY_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was sent. `group` is the message group, which makes a standard queue fair."""

    body: str
    delay_seconds: int = 0
    group: str | None = None


@dataclass(slots=True)
class Queue:
    """Messages in the order in which they were sent. A queue that is `broken` takes none."""

    messages: list[Message] = field(default_factory=list)
    broken: bool = False


@dataclass(slots=True)
class Sqs:
    """A boto3 SQS client, as far as the functions send with it. A queue exists as soon as its address is used."""

    queues: defaultdict[str, Queue] = field(default_factory=lambda: defaultdict(Queue))

    def send_message(
        self,
        *,
        QueueUrl: str,  # noqa: N803 - the API's names
        MessageBody: str,  # noqa: N803
        DelaySeconds: int = 0,  # noqa: N803
        MessageGroupId: str | None = None,  # noqa: N803
        **_attributes: Any,
    ) -> dict[str, Any]:
        """SendMessage."""
        queue = self.queues[QueueUrl]
        if queue.broken:
            raise _error("ServiceUnavailable", "The queue takes no messages")
        if not 0 <= DelaySeconds <= _MAX_DELAY_SECONDS:
            raise _error("InvalidParameterValue", f"DelaySeconds must be between 0 and {_MAX_DELAY_SECONDS}")
        if not 1 <= len(MessageBody.encode()) <= _MAX_BODY_BYTES:
            raise _error("InvalidParameterValue", "The message body has no valid length")
        queue.messages.append(Message(MessageBody, DelaySeconds, MessageGroupId))
        return {"MessageId": str(len(queue.messages))}


def _error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "SendMessage")
