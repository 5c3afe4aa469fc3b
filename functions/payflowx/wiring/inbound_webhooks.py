"""The webhook receiver: authenticates providers' webhooks and queues them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

from payflowx.adapters.dynamodb.merchants.configuration import MERCHANT_LIFETIME_MS, DynamoDBWebhookAccounts
from payflowx.adapters.platform.aws import PROMPT
from payflowx.adapters.sqs.messages import PROVIDER_EVENTS
from payflowx.adapters.sqs.queue import Queue
from payflowx.application.inbound_webhooks.receive_webhook import ReceiveWebhook
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.wiring.platform import Platform
from payflowx.wiring.providers import ProviderAccess, ProviderSettings


@dataclass(frozen=True, kw_only=True)
class WebhookReceiverSettings(ProviderSettings):
    notices_queue_url: str


@dataclass(kw_only=True)
class WebhookReceiverWiring(ProviderAccess):
    call_limits = PROMPT
    settings: WebhookReceiverSettings

    @classmethod
    def over(cls, platform: Platform) -> Self:
        return cls(platform=platform, settings=WebhookReceiverSettings.from_environment(platform.environment))

    def prepare(self) -> None:
        _ = self.receive_webhook, self.providers.capabilities(), self.platform.secrets

    @cached_property
    def provider_events(self) -> Queue[ReceivedEvent]:
        return Queue(client=self.platform.clients.sqs, url=self.settings.notices_queue_url, codec=PROVIDER_EVENTS)

    @cached_property
    def receive_webhook(self) -> ReceiveWebhook:
        accounts = DynamoDBWebhookAccounts(
            client=self.platform.clients.dynamodb,
            table=self.settings.configuration_table,
            merchants=self.merchants,
            cache=self.platform.cache(MERCHANT_LIFETIME_MS),
        )
        return ReceiveWebhook(
            accounts=accounts,
            providers=self.providers,
            secrets=self.platform.secrets,
            provider_events=self.provider_events,
            clock=self.platform.clock,
            telemetry=self.telemetry,
        )
