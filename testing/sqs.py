"""A model of SQS's standard queues: what boto3's client takes, and what it answers or raises. At once, in order."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import ClientError

_MAX_DELAY_SECONDS: Final = 900
_MAX_ENTRIES: Final = 10
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
    refuses: Callable[[str], bool] = lambda _body: False
    """Whether a batch's message of this body is refused while the others are taken."""


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

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """SendMessageBatch: one to ten messages, each taken or refused by itself."""
        if not 1 <= len(Entries) <= _MAX_ENTRIES or len({entry["Id"] for entry in Entries}) != len(Entries):
            raise _error("InvalidParameterValue", "A batch has one to ten entries with ids of their own")
        if self.queues[QueueUrl].broken:
            raise _error("ServiceUnavailable", "The queue takes no messages")
        answer: dict[str, list[dict[str, Any]]] = {"Successful": [], "Failed": []}
        for entry in Entries:
            if self.queues[QueueUrl].refuses(str(entry["MessageBody"])):
                answer["Failed"].append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
                continue
            sent = self.send_message(QueueUrl=QueueUrl, **{k: v for k, v in entry.items() if k != "Id"})
            answer["Successful"].append({"Id": entry["Id"], **sent})
        return answer

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: Sequence[str]) -> dict[str, Any]:  # noqa: N803
        """GetQueueAttributes: the number of messages that nobody has taken."""
        waiting = {"ApproximateNumberOfMessages": str(len(self.queues[QueueUrl].messages))}
        return {"Attributes": {name: waiting[name] for name in AttributeNames}}


def _error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "SendMessage")
