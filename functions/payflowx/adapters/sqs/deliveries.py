"""Events to be delivered, as SQS messages: ids, and nothing of what the event says."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.adapters.platform import log_context
from payflowx.domain.outbound_webhooks.ports import DeliveryJob
from payflowx.domain.shared.errors import PayFlowXError, StorageUnavailableError

_FORMAT: Final = 1


class UnreadableDeliveryError(PayFlowXError):
    """A message that is none of ours; it ends in the dead-letter queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqsDeliveries:
    """Implements `Deliveries`. The merchant is the message group, which makes the queue fair: a merchant whose
    endpoints are slow keeps itself waiting.
    """

    client: Any
    queue_url: str

    def send(self, job: DeliveryJob, *, delay_seconds: int = 0) -> None:
        """One message."""
        correlation_id = job.correlation_id or log_context.current().correlation_id
        try:
            self.client.send_message(
                QueueUrl=self.queue_url,
                MessageBody=encode_delivery(replace(job, correlation_id=correlation_id)),
                DelaySeconds=delay_seconds,
                MessageGroupId=job.merchant_id,
                **log_context.message_attributes(),
            )
        except (ClientError, BotoCoreError) as error:
            raise StorageUnavailableError("the queue did not take the message") from error


def encode_delivery(job: DeliveryJob) -> str:
    """Compact JSON with a format number, so that old and new versions can share a queue."""
    fields = {name: value for name, value in asdict(job).items() if value is not None}
    return json.dumps({"format": _FORMAT, **fields}, separators=(",", ":"))


def facts_of(job: DeliveryJob) -> dict[str, log_context.Fact]:
    """What every line about this delivery says."""
    facts: dict[str, log_context.Fact] = {"transactionId": job.transaction_id, "merchantId": job.merchant_id}
    return facts | ({"correlationId": job.correlation_id} if job.correlation_id else {})


def decode_delivery(body: str) -> DeliveryJob:
    """Raises `UnreadableDeliveryError`."""
    try:
        fields = json.loads(body)
        if fields["format"] != _FORMAT:
            raise UnreadableDeliveryError("the message has a format that this version does not know")
        job = DeliveryJob(
            merchant_id=fields["merchant_id"],
            transaction_id=fields["transaction_id"],
            seq=fields["seq"],
            correlation_id=log_context.received_correlation_id(fields),
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UnreadableDeliveryError("the message is no delivery") from error
    if not isinstance(job.merchant_id, str) or not isinstance(job.transaction_id, str) or type(job.seq) is not int:
        raise UnreadableDeliveryError("the message names no event")
    return job
