"""Reads of refunds that were made at a provider, for the functions that cause or record them."""

from dataclasses import dataclass
from functools import cached_property

from payflowx.adapters.dynamodb.merchants.configuration import DynamoDBMerchantConfiguration
from payflowx.application.payments.record_provider_refunds import RecordProviderRefunds
from payflowx.wiring.ledger import LedgerWriter, LedgerWriterSettings
from payflowx.wiring.providers import ProviderAccess, ProviderSettings


@dataclass(frozen=True, kw_only=True)
class RefundReaderSettings(LedgerWriterSettings, ProviderSettings):
    """Everything is inherited."""


@dataclass(kw_only=True)
class RefundReader(LedgerWriter, ProviderAccess):
    settings: RefundReaderSettings

    @property
    def merchants_of_changes(self) -> DynamoDBMerchantConfiguration:
        return self.merchants

    @cached_property
    def record_provider_refunds(self) -> RecordProviderRefunds:
        return RecordProviderRefunds(
            payments=self.payments,
            operations=self.operations,
            merchants=self.merchants,
            providers=self.providers,
            outcome_writer=self.outcome_writer,
            clock=self.platform.clock,
            telemetry=self.telemetry,
            policy=self.policy,
        )
