"""Receives the notifications of the alarm topics, as a subscriber in an account would, and prints the alarms."""

import contextlib
import json
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from local.background import Background
from local.console import say
from local.engine import Engine

_INTERVAL_SECONDS: Final = 2.0
_STOP_SECONDS: Final = 1.0
_QUEUE: Final = "local-alarms"


@dataclass(slots=True)
class AlarmListener:
    """Runs in the background of the environment. A call that fails is made again at the next interval."""

    engine: Engine
    topic_arns: tuple[str, ...]
    received: list[dict[str, Any]] = field(default_factory=list)
    """Notifications as CloudWatch writes them, the oldest first."""
    _queue_url: str = ""
    _background: Background = field(init=False)

    def __post_init__(self) -> None:
        self._background = Background(action=self._receive_if_possible, interval_seconds=_INTERVAL_SECONDS)

    def start(self) -> None:
        """Subscribe, and receive until `stop`."""
        sqs = self.engine.client("sqs")
        self._queue_url = sqs.create_queue(QueueName=_QUEUE)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = {"Version": "2012-10-17", "Statement": [self._may_send(arn)]}
        sqs.set_queue_attributes(QueueUrl=self._queue_url, Attributes={"Policy": json.dumps(policy)})
        for topic_arn in self.topic_arns:
            self.engine.client("sns").subscribe(
                TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True
            )
        self._background.start()

    def stop(self) -> None:
        """Receive no more."""
        self._background.stop(_STOP_SECONDS)

    def receive(self) -> None:
        """Take the notifications that have arrived."""
        sqs = self.engine.client("sqs")
        answer = sqs.receive_message(QueueUrl=self._queue_url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])
            self._take(json.loads(json.loads(message["Body"])["Message"]))

    def _receive_if_possible(self) -> None:
        with contextlib.suppress(ClientError, BotoCoreError, ResponseParserError, ValueError, KeyError):
            self.receive()

    def _take(self, notification: dict[str, Any]) -> None:
        self.received.append(notification)
        if notification.get("NewStateValue") == "ALARM":
            say(f"  ALARM {notification['AlarmName']}: {notification.get('AlarmDescription', '')}")

    def _may_send(self, queue_arn: str) -> dict[str, Any]:
        return {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": list(self.topic_arns)}},
        }
