"""Jobs as SQS messages. A message holds ids and hints, never a token or a personal datum."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.adapters.platform import log_context
from payflowx.domain.payments.ports import Job
from payflowx.domain.shared.errors import PayFlowXError, StorageUnavailableError

_FORMAT: Final = 1


class UnreadableJobError(PayFlowXError):
    """A message that is none of ours; it ends in the dead-letter queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqsJobs:
    """Implements `Jobs`. The merchant is the message group: on a standard queue that makes the queue fair,
    so that one merchant's backlog does not delay the others'.
    """

    client: Any
    queue_url: str

    def send(self, job: Job, *, delay_seconds: int = 0) -> None:
        """One message."""
        correlation_id = job.correlation_id or log_context.current().correlation_id
        try:
            self.client.send_message(
                QueueUrl=self.queue_url,
                MessageBody=encode_job(replace(job, correlation_id=correlation_id)),
                DelaySeconds=delay_seconds,
                MessageGroupId=job.merchant_id,
                **log_context.message_attributes(),
            )
        except (ClientError, BotoCoreError) as error:
            raise StorageUnavailableError("the queue did not take the message") from error


def encode_job(job: Job) -> str:
    """Compact JSON with a format number, so that old and new workers can share a queue."""
    fields = {name: value for name, value in asdict(job).items() if value is not None}
    return json.dumps({"format": _FORMAT, **fields}, separators=(",", ":"))


def facts_of(job: Job) -> dict[str, log_context.Fact]:
    """What every line about this job says."""
    facts: dict[str, log_context.Fact] = {"transactionId": job.transaction_id, "merchantId": job.merchant_id}
    optional = {"operationId": job.operation_id, "correlationId": job.correlation_id}
    return facts | {name: value for name, value in optional.items() if value is not None}


def decode_job(body: str) -> Job:
    """Raises `UnreadableJobError`; hints that are not understood are ignored, the row decides."""
    try:
        fields = json.loads(body)
        if fields.pop("format") != _FORMAT:
            raise UnreadableJobError("the message has a format that this version does not know")
        known = {name: fields[name] for name in Job.__dataclass_fields__ if name in fields}
        job = Job(**{**known, "correlation_id": log_context.received_correlation_id(known)})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UnreadableJobError("the message is no job") from error
    texts = (job.merchant_id, job.transaction_id)
    hints = (job.operation_id, job.provider, job.account_id, job.request_hash)
    if not all(isinstance(text, str) and text for text in texts):
        raise UnreadableJobError("the message names no payment")
    if any(hint is not None and not isinstance(hint, str) for hint in hints):
        raise UnreadableJobError("the message's hints are no texts")
    if job.version is not None and (isinstance(job.version, bool) or not isinstance(job.version, int)):
        raise UnreadableJobError("the message's version is no number")
    return job
