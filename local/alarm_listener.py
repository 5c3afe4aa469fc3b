"""Hears what the alarm topic tells, as a subscriber in an account would, and says it at the terminal."""

import contextlib
import json
import threading
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from local.console import say
from local.engine import Engine

_INTERVAL_SECONDS: Final = 2.0
_QUEUE: Final = "alarm-bell"


@dataclass(slots=True)
class AlarmBell:
    """Runs in the background of the stage; a failure costs a line, never the stage."""

    engine: Engine
    topic_arn: str
    heard: list[dict[str, Any]] = field(default_factory=list)
    """Notifications as CloudWatch writes them, the oldest first."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _queue_url: str = ""

    def start(self) -> None:
        """Subscribe, and listen until stopped."""
        sqs = self.engine.client("sqs")
        self._queue_url = sqs.create_queue(QueueName=_QUEUE)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = {"Version": "2012-10-17", "Statement": [self._may_send(arn)]}
        sqs.set_queue_attributes(QueueUrl=self._queue_url, Attributes={"Policy": json.dumps(policy)})
        self.engine.client("sns").subscribe(
            TopicArn=self.topic_arn, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True
        )
        threading.Thread(target=self._run, daemon=True).start()

    def _may_send(self, queue_arn: str) -> dict[str, Any]:
        return {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": self.topic_arn}},
        }

    def stop(self) -> None:
        """Listen no more."""
        self._stop.set()

    def listen(self) -> None:
        """Take what has arrived."""
        sqs = self.engine.client("sqs")
        answer = sqs.receive_message(QueueUrl=self._queue_url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])
            self._hear(json.loads(json.loads(message["Body"])["Message"]))

    def _run(self) -> None:
        while not self._stop.wait(_INTERVAL_SECONDS):
            with contextlib.suppress(ClientError, BotoCoreError, ValueError, KeyError):
                self.listen()

    def _hear(self, notification: dict[str, Any]) -> None:
        self.heard.append(notification)
        if notification.get("NewStateValue") == "ALARM":
            say(f"  ALARM {notification['AlarmName']}: {notification.get('AlarmDescription', '')}")
