"""Why a message failed, from the log of the function that tried. The logger has redacted the lines already."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.adapters.platform.telemetry import redact
from payflowx.domain.recovery.ports import WorkQueueName
from payflowx.domain.shared.errors import StorageUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

_MAX_PAGES: Final = 5
"""CloudWatch may answer several empty pages before it has searched the whole time."""
_MAX_CHARS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudWatchFailures:
    """Implements `FailureLog`."""

    client: "CloudWatchLogsClient"
    log_groups: Mapping[WorkQueueName, str]

    def failures(self, queue: WorkQueueName, message_id: str, since_ms: int) -> Sequence[str]:
        """Each different failure once, in order.

        Raises `StorageUnavailableError`, also if nothing was found before the whole time was searched.
        """
        arguments: dict[str, Any] = {
            "logGroupName": self.log_groups[queue],
            "filterPattern": f'"{message_id}"',
            "startTime": since_ms,
        }
        found: dict[str, None] = {}
        try:
            for _ in range(_MAX_PAGES):
                page = self.client.filter_log_events(**arguments)
                found |= dict.fromkeys(filter(None, (_failure(e["message"]) for e in page.get("events", []))))
                if "nextToken" not in page:
                    return list(found)
                arguments["nextToken"] = page["nextToken"]
        except (ClientError, BotoCoreError) as error:
            raise StorageUnavailableError("the log did not answer") from error
        if not found:
            raise StorageUnavailableError("the log was not searched to its end")
        return list(found)


def _failure(line: str) -> str | None:
    """The last line of the stack trace: what was raised, and what it said."""
    try:
        entry = json.loads(line)
        last = str(entry["exception"]).strip().splitlines()[-1]
    except (ValueError, KeyError, TypeError, IndexError):
        return None
    return redact(last)[:_MAX_CHARS]
