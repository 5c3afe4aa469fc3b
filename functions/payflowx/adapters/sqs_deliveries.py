"""Events to be delivered, as SQS messages: ids, and nothing of what the event says."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.domain.delivery_ports import DeliveryJob
from payflowx.domain.errors import PayFlowXError, StorageUnavailableError

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
        try:
            self.client.send_message(
                QueueUrl=self.queue_url,
                MessageBody=encode_delivery(job),
                DelaySeconds=delay_seconds,
                MessageGroupId=job.merchant_id,
            )
        except (ClientError, BotoCoreError) as error:
            raise StorageUnavailableError("the queue did not take the message") from error


def encode_delivery(job: DeliveryJob) -> str:
    """Compact JSON with a format number, so that old and new versions can share a queue."""
    return json.dumps({"format": _FORMAT, **asdict(job)}, separators=(",", ":"))


def decode_delivery(body: str) -> DeliveryJob:
    """Raises `UnreadableDeliveryError`."""
    try:
        fields = json.loads(body)
        if fields["format"] != _FORMAT:
            raise UnreadableDeliveryError("the message has a format that this version does not know")
        job = DeliveryJob(merchant_id=fields["merchant_id"], transaction_id=fields["transaction_id"], seq=fields["seq"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UnreadableDeliveryError("the message is no delivery") from error
    if not isinstance(job.merchant_id, str) or not isinstance(job.transaction_id, str) or type(job.seq) is not int:
        raise UnreadableDeliveryError("the message names no event")
    return job
