"""Merchants' accounts and the providers that they are at: for every function that deals with a provider."""

from dataclasses import dataclass
from functools import cached_property

from payflowx.adapters.dynamodb.merchants.configuration import MERCHANT_LIFETIME_MS, DynamoDBMerchantConfiguration
from payflowx.domain.shared.metrics import Metric
from payflowx.providers.registry import Registry
from payflowx.wiring.platform import Wiring
from payflowx.wiring.settings import Settings


@dataclass(frozen=True, kw_only=True)
class ProviderSettings(Settings):
    allowed_providers: tuple[str, ...]
    configuration_table: str


@dataclass(kw_only=True)
class ProviderAccess(Wiring):
    settings: ProviderSettings

    @cached_property
    def merchants(self) -> DynamoDBMerchantConfiguration:
        """Merchants, a minute old at most."""
        return DynamoDBMerchantConfiguration(
            client=self.platform.clients.dynamodb,
            table=self.settings.configuration_table,
            cache=self.platform.cache(MERCHANT_LIFETIME_MS),
            everyone=self.platform.cache(MERCHANT_LIFETIME_MS),
        )

    @cached_property
    def providers(self) -> Registry:
        return self.platform.registry(self.settings.allowed_providers, observe=self._observe_call)

    def _observe_call(self, provider: str, step: str, milliseconds: int) -> None:
        ended_ms = self.platform.clock.now_ms()
        self.telemetry.milliseconds(Metric.PROVIDER_LATENCY, milliseconds, provider=provider)
        self.platform.tracing.called(provider, step, ended_ms=ended_ms, took_ms=milliseconds)
