"""The consumer of providers' webhooks: applies queued provider events to payments."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

from payflowx.adapters.dynamodb.merchants.configuration import DynamoDBMerchantConfiguration
from payflowx.adapters.dynamodb.payments.references import DynamoDBReferences
from payflowx.adapters.sqs.messages import PROVIDER_EVENTS
from payflowx.adapters.sqs.queue import Queue
from payflowx.application.inbound_webhooks.match_event import MatchEvent
from payflowx.application.inbound_webhooks.process_provider_event import ProcessProviderEvent
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.wiring.ledger import LedgerWriter, LedgerWriterSettings
from payflowx.wiring.platform import Platform
from payflowx.wiring.providers import ProviderAccess, ProviderSettings


@dataclass(frozen=True, kw_only=True)
class ProviderEventsSettings(LedgerWriterSettings, ProviderSettings):
    notices_queue_url: str


@dataclass(kw_only=True)
class ProviderEventsWiring(LedgerWriter, ProviderAccess):
    settings: ProviderEventsSettings

    @classmethod
    def over(cls, platform: Platform) -> Self:
        return cls(platform=platform, settings=ProviderEventsSettings.from_environment(platform.environment))

    def prepare(self) -> None:
        _ = self.process_provider_event, self.providers.capabilities(), self.platform.concurrency

    @property
    def merchants_of_changes(self) -> DynamoDBMerchantConfiguration:
        return self.merchants

    @cached_property
    def provider_events(self) -> Queue[ReceivedEvent]:
        return Queue(client=self.platform.clients.sqs, url=self.settings.notices_queue_url, codec=PROVIDER_EVENTS)

    @cached_property
    def process_provider_event(self) -> ProcessProviderEvent:
        references = DynamoDBReferences(client=self.platform.clients.dynamodb, table=self.settings.transactions_table)
        return ProcessProviderEvent(
            find=MatchEvent(payments=self.payments, operations=self.operations, references=references),
            payments=self.payments,
            operations=self.operations,
            merchants=self.merchants,
            providers=self.providers,
            provider_events=self.provider_events,
            outcome_writer=self.outcome_writer,
            clock=self.platform.clock,
            telemetry=self.telemetry,
            policy=self.policy,
        )
