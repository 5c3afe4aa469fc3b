"""Wake-ups of reconciliations as SQS messages: an id, and nothing else."""

import json
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.adapters.platform import log_context
from payflowx.domain.shared.errors import PayFlowXError, StorageUnavailableError

_FORMAT: Final = 1


class UnreadableRunError(PayFlowXError):
    """A message that is none of ours; it ends in the dead-letter queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqsRuns:
    """Implements `RunQueue`."""

    client: Any
    queue_url: str

    def send(self, run_id: str, *, delay_seconds: int = 0) -> None:
        """One message."""
        body = json.dumps({"format": _FORMAT, "run_id": run_id}, separators=(",", ":"))
        try:
            self.client.send_message(
                QueueUrl=self.queue_url,
                MessageBody=body,
                DelaySeconds=delay_seconds,
                **log_context.message_attributes(),
            )
        except (ClientError, BotoCoreError) as error:
            raise StorageUnavailableError("the queue did not take the message") from error


def decode_run(body: str) -> str:
    """Raises `UnreadableRunError`."""
    try:
        fields = json.loads(body)
        known, run_id = fields["format"] == _FORMAT, fields["run_id"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UnreadableRunError("the message names no reconciliation") from error
    if not known or not isinstance(run_id, str) or not run_id:
        raise UnreadableRunError("the message has a format that this version does not know")
    return run_id
