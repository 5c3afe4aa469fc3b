"""Webhooks to merchants: the secrets of their endpoints, and the deliverer."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

from payflowx.adapters.dynamodb.webhooks.delivery_source import DynamoDBDeliverySource
from payflowx.adapters.sqs.messages import DELIVERIES
from payflowx.adapters.sqs.queue import Queue
from payflowx.adapters.sqs.queue_room import QueueRoom
from payflowx.adapters.webhooks.cipher import DECRYPTED_LIFETIME_MS, KmsSecretCipher
from payflowx.application.outbound_webhooks.deliver_event import DeliverEvent
from payflowx.domain.outbound_webhooks.ports import DeliveryJob
from payflowx.domain.shared.slow_lane import SlowLane
from payflowx.wiring.merchant_events import MerchantEventAccess, MerchantEventSettings
from payflowx.wiring.platform import Platform

if TYPE_CHECKING:
    from payflowx.domain.outbound_webhooks.ports import WebhookClient


@dataclass(frozen=True, kw_only=True)
class OutboundWebhooksSettings(MerchantEventSettings):
    encryption_key_arn: str
    loopback_allowed: bool


@dataclass(kw_only=True)
class OutboundWebhooks(MerchantEventAccess):
    settings: OutboundWebhooksSettings

    @cached_property
    def cipher(self) -> KmsSecretCipher:
        return KmsSecretCipher(
            client=self.platform.clients.kms,
            key_arn=self.settings.encryption_key_arn,
            cache=self.platform.cache(DECRYPTED_LIFETIME_MS),
        )

    @property
    def is_loopback_allowed(self) -> bool:
        """On a developer's machine only: no merchant may reach the API on a deployed function's loopback address.

        It holds for webhook endpoints, and for the shops that payers return to.
        """
        return self.settings.loopback_allowed and not self.platform.is_lambda


@dataclass(frozen=True, kw_only=True)
class DelivererSettings(OutboundWebhooksSettings):
    slowdeliveries_queue_url: str
    slowdeliveries_late_at: int
    """The number of waiting messages from which on the slow lane gets no more."""


@dataclass(kw_only=True)
class DelivererWiring(OutboundWebhooks):
    settings: DelivererSettings

    @classmethod
    def over(cls, platform: Platform) -> Self:
        return cls(platform=platform, settings=DelivererSettings.from_environment(platform.environment))

    def prepare(self) -> None:
        _ = self.deliver_event

    @cached_property
    def webhook_client(self) -> "WebhookClient":
        from payflowx.adapters.webhooks.client import UrllibWebhookClient  # noqa: PLC0415 - the API posts nothing

        return UrllibWebhookClient(loopback_allowed=self.is_loopback_allowed, now_ms=self.platform.clock.now_ms)

    @cached_property
    def deliver_event(self) -> DeliverEvent:
        return DeliverEvent(
            source=DynamoDBDeliverySource(
                client=self.platform.clients.dynamodb,
                transactions_table=self.settings.transactions_table,
                configuration_table=self.settings.configuration_table,
            ),
            merchant_events=self.merchant_events,
            endpoint_store=self.endpoints,
            operations=self.operations,
            cipher=self.cipher,
            webhook_client=self.webhook_client,
            deliveries=self.deliveries,
            concurrency=self.platform.concurrency,
            clock=self.platform.clock,
            randomness=self.platform.randomness,
            telemetry=self.telemetry,
            slow_lane=self._slow_lane,
        )

    @property
    def _slow_lane(self) -> SlowLane[DeliveryJob]:
        deliveries = Queue(
            client=self.platform.clients.sqs, url=self.settings.slowdeliveries_queue_url, codec=DELIVERIES
        )
        room = QueueRoom(
            waiting=deliveries.waiting,
            late_at=self.settings.slowdeliveries_late_at,
            now_ms=self.platform.clock.now_ms,
            telemetry=self.telemetry,
        )
        return SlowLane(send=deliveries.send, room=room, telemetry=self.telemetry)
