"""The health of provider accounts: for the functions that route new payments, call providers, or show it."""

from dataclasses import dataclass
from functools import cached_property

from payflowx.adapters.dynamodb.merchants.account_health import HEALTH_LIFETIME_MS, DynamoDBAccountHealth
from payflowx.adapters.provider_health import CountingProviderHealth
from payflowx.wiring.providers import ProviderAccess


@dataclass(kw_only=True)
class ProviderHealthAccess(ProviderAccess):
    @cached_property
    def account_health(self) -> DynamoDBAccountHealth:
        """The accounts that were not well lately, fifteen seconds old at most."""
        return DynamoDBAccountHealth(
            client=self.platform.clients.dynamodb,
            table=self.settings.configuration_table,
            cache=self.platform.cache(HEALTH_LIFETIME_MS),
        )

    @cached_property
    def health(self) -> CountingProviderHealth:
        return CountingProviderHealth(store=self.account_health, clock=self.platform.clock, telemetry=self.telemetry)
