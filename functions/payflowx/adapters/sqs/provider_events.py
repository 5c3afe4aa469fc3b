"""Webhooks of providers as SQS messages: ids, amounts and our keys, never the webhook's body."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.adapters.platform import log_context
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.payments.outcome import Charged, Succeeded
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.shared.errors import PayFlowXError, StorageUnavailableError

_FORMAT: Final = 1
_KEYS: Final = {
    "charge_reference": "charge_reference",
    "charge_key": "charge_key",
    "operation_reference": "movement_reference",
    "operation_key": "movement_key",
}
"""The event's fields and their names in the message, which are older than the fields' own."""
_TEXTS: Final = {"event_id": "event_id", "type": "type", **_KEYS}


class UnreadableProviderEventError(PayFlowXError):
    """A message that is none of ours; it ends in the dead-letter queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqsProviderEvents:
    """Implements `ProviderEventQueue`. The merchant is the message group, which makes the queue fair."""

    client: Any
    queue_url: str

    def send(self, inbound: ReceivedEvent, *, delay_seconds: int = 0) -> None:
        """One message."""
        correlation_id = inbound.correlation_id or log_context.current().correlation_id
        try:
            self.client.send_message(
                QueueUrl=self.queue_url,
                MessageBody=encode_provider_event(replace(inbound, correlation_id=correlation_id)),
                DelaySeconds=delay_seconds,
                MessageGroupId=inbound.merchant_id,
                **log_context.message_attributes(),
            )
        except (ClientError, BotoCoreError) as error:
            raise StorageUnavailableError("the queue did not take the webhook") from error


def encode_provider_event(inbound: ReceivedEvent) -> str:
    """Compact JSON with a format number. Of outcomes only proofs travel; anything else is a hint anyway."""
    provider_event = inbound.provider_event
    outcome, moved = provider_event.outcome, provider_event.operation_outcome
    fields: dict[str, Any] = {
        "merchant_id": inbound.merchant_id,
        "provider": inbound.provider,
        "account_id": inbound.account_id,
        "received_at_ms": inbound.received_at_ms,
        "tries": inbound.tries,
        "correlation_id": inbound.correlation_id,
        **{name: getattr(provider_event, attribute) for attribute, name in _TEXTS.items()},
        "charged": asdict(outcome) if isinstance(outcome, Charged) else None,
        "moved": asdict(moved) if isinstance(moved, Succeeded) else None,
    }
    known = {name: value for name, value in fields.items() if value is not None}
    return json.dumps({"format": _FORMAT, **known}, separators=(",", ":"))


def decode_provider_event(body: str) -> ReceivedEvent:
    """Raises `UnreadableProviderEventError`."""
    try:
        fields = json.loads(body)
        if fields["format"] != _FORMAT:
            raise UnreadableProviderEventError("the message has a format that this version does not know")
        inbound = _inbound(fields)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UnreadableProviderEventError("the message is no webhook") from error
    texts = (
        inbound.merchant_id,
        inbound.provider,
        inbound.account_id,
        inbound.provider_event.event_id,
        inbound.provider_event.type,
    )
    optional = (getattr(inbound.provider_event, name) for name in _KEYS)
    numbers = (inbound.received_at_ms, inbound.tries)
    if not all(isinstance(text, str) for text in texts) or not all(type(number) is int for number in numbers):
        raise UnreadableProviderEventError("the message's fields have wrong types")
    if any(text is not None and not isinstance(text, str) for text in optional):
        raise UnreadableProviderEventError("the message's ids are no texts")
    return inbound


def facts_of(inbound: ReceivedEvent) -> dict[str, log_context.Fact]:
    """What every line about this webhook says."""
    facts: dict[str, log_context.Fact] = {"merchantId": inbound.merchant_id, "provider": inbound.provider}
    return facts | ({"correlationId": inbound.correlation_id} if inbound.correlation_id else {})


def _inbound(fields: Mapping[str, Any]) -> ReceivedEvent:
    charged, moved = fields.get("charged"), fields.get("moved")
    return ReceivedEvent(
        merchant_id=fields["merchant_id"],
        provider=fields["provider"],
        account_id=fields["account_id"],
        received_at_ms=fields["received_at_ms"],
        tries=fields["tries"],
        correlation_id=log_context.received_correlation_id(fields),
        provider_event=ProviderEvent(
            event_id=fields["event_id"],
            type=fields["type"],
            **{attribute: fields.get(name) for attribute, name in _KEYS.items()},
            outcome=Charged(**charged) if charged else None,
            operation_outcome=Succeeded(**moved) if moved else None,
        ),
    )
