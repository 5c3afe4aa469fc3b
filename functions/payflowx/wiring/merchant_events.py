"""Merchants' events and endpoints, for every function that reads or delivers them."""

from dataclasses import dataclass
from functools import cached_property

from payflowx.adapters.dynamodb.webhooks.endpoints import DynamoDBWebhookEndpoints
from payflowx.adapters.dynamodb.webhooks.merchant_events import DynamoDBMerchantEvents
from payflowx.application.outbound_webhooks.merchant_events import ReadMerchantEvents
from payflowx.wiring.ledger import Ledger, LedgerSettings


@dataclass(frozen=True, kw_only=True)
class MerchantEventSettings(LedgerSettings):
    configuration_table: str


@dataclass(kw_only=True)
class MerchantEventAccess(Ledger):
    settings: MerchantEventSettings

    @cached_property
    def merchant_events(self) -> DynamoDBMerchantEvents:
        return DynamoDBMerchantEvents(
            client=self.platform.clients.dynamodb,
            table=self.settings.transactions_table,
            partitions=self.partitions,
        )

    @cached_property
    def endpoints(self) -> DynamoDBWebhookEndpoints:
        return DynamoDBWebhookEndpoints(
            client=self.platform.clients.dynamodb,
            table=self.settings.configuration_table,
            transactions_table=self.settings.transactions_table,
            partitions=self.partitions,
        )

    @cached_property
    def read_merchant_events(self) -> ReadMerchantEvents:
        return ReadMerchantEvents(
            merchant_events=self.merchant_events,
            endpoint_store=self.endpoints,
            deliveries=self.deliveries,
            clock=self.platform.clock,
            telemetry=self.telemetry,
        )
