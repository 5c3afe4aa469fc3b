"""Feeds the engine's CloudWatch with the metrics that it does not produce itself, so that alarms really fire.

Queue metrics come from the queues' attributes, API Gateway's from the server before the engine. The functions' own
metrics are EMF lines in their logs: read from the engine's log groups and put as metric data, as CloudWatch would do.
"""

import contextlib
import json
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from local.background import Background
from local.engine import Engine
from local.gateway_server import Answered

_INTERVAL_SECONDS: Final = 5.0
_STOP_SECONDS: Final = 1.0
_BATCH: Final = 20
_VISIBLE: Final = "ApproximateNumberOfMessages"
_AGE: Final = "ApproximateAgeOfOldestMessage"


@dataclass(slots=True)
class MetricsPump:
    """Runs in the background of the environment. A round that fails costs samples and nothing else."""

    engine: Engine
    queue_urls: Mapping[str, str]
    api_name: str = ""
    api_stage: str = ""
    answered: deque[Answered] = field(default_factory=deque)
    """The API's answers, removed as they become samples."""
    _read_until_ms: int = 0
    _waiting_since: dict[str, float] = field(default_factory=dict)
    _background: Background = field(init=False)

    def __post_init__(self) -> None:
        self._background = Background(action=self._pump_if_possible, interval_seconds=_INTERVAL_SECONDS)

    def start(self) -> None:
        """Pump until stopped."""
        self._read_until_ms = int(time.time() * 1000)
        self._background.start()

    def stop(self) -> None:
        """No more samples."""
        self._background.stop(_STOP_SECONDS)

    def pump(self) -> int:
        """One round; how many samples were put."""
        samples = [*self._queue_samples(), *self._api_samples(), *self._function_samples()]
        cloudwatch = self.engine.client("cloudwatch")
        for namespace in {namespace for namespace, _ in samples}:
            data = [datum for known, datum in samples if known == namespace]
            for start in range(0, len(data), _BATCH):
                cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[start : start + _BATCH])
        return len(samples)

    def _pump_if_possible(self) -> None:
        with contextlib.suppress(ClientError, BotoCoreError, ResponseParserError, ValueError, KeyError):
            self.pump()

    def _queue_samples(self) -> Iterator[tuple[str, dict[str, Any]]]:
        sqs = self.engine.client("sqs")
        for output, url in self.queue_urls.items():
            name = url.rsplit("/", 1)[-1]
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[_VISIBLE])["Attributes"]
            visible = int(attributes[_VISIBLE])
            since = self._waiting_since.setdefault(name, time.time()) if visible else time.time()
            if not visible:
                self._waiting_since.pop(name, None)
            dimensions = [{"Name": "QueueName", "Value": name}]
            # The engine's alarms see a metric whatever its dimensions: each queue has the one it is watched by.
            metric, value = (
                ("ApproximateNumberOfMessagesVisible", float(visible))
                if "DeadLetter" in output
                else (_AGE, time.time() - since)
            )
            yield "AWS/SQS", {"MetricName": metric, "Dimensions": dimensions, "Value": value}

    def _api_samples(self) -> Iterator[tuple[str, dict[str, Any]]]:
        dimensions = [{"Name": "ApiName", "Value": self.api_name}, {"Name": "Stage", "Value": self.api_stage}]
        while self.answered:
            answer = self.answered.popleft()
            values = {
                "Count": 1.0,
                "4XXError": float(400 <= answer.status < 500),
                "5XXError": float(answer.status >= 500),
                "Latency": float(answer.milliseconds),
            }
            for metric, value in values.items():
                yield "AWS/ApiGateway", {"MetricName": metric, "Dimensions": dimensions, "Value": value}

    def _function_samples(self) -> Iterator[tuple[str, dict[str, Any]]]:
        logs = self.engine.client("logs")
        since_ms, until_ms = self._read_until_ms, int(time.time() * 1000)
        for group in logs.describe_log_groups()["logGroups"]:
            events = logs.filter_log_events(logGroupName=group["logGroupName"], startTime=since_ms)["events"]
            for event in events:
                if event["timestamp"] < until_ms:
                    yield from samples_of(event["message"])
        self._read_until_ms = until_ms  # a round that failed before is read again


def samples_of(line: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The metric data in a log line of CloudWatch's embedded metric format; nothing for any other line."""
    start = line.find('{"_aws"')
    if start < 0:
        return
    try:
        document = json.loads(line[start:])
    except ValueError:
        return
    at = datetime.fromtimestamp(document["_aws"]["Timestamp"] / 1000, UTC)
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = [{"Name": name, "Value": str(document[name])} for name in names]
            for metric in directive["Metrics"]:
                values = document[metric["Name"]]
                for value in values if isinstance(values, list) else [values]:
                    datum = {
                        "MetricName": metric["Name"],
                        "Dimensions": dimensions,
                        "Value": float(value),
                        "Timestamp": at,
                    }
                    yield (
                        directive["Namespace"],
                        datum | ({"Unit": metric["Unit"]} if "Unit" in metric else {}),
                    )
