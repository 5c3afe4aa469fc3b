"""The payers' pages."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

from payflowx.adapters.dynamodb.checkout.refused_starts import DynamoDBRefusedStarts
from payflowx.adapters.dynamodb.merchants.configuration import DynamoDBMerchantConfiguration
from payflowx.adapters.platform.aws import PROMPT
from payflowx.application.checkout.page import CheckoutPage
from payflowx.wiring.checkout_tokens import CheckoutTokensAccess, CheckoutTokensSettings
from payflowx.wiring.ledger import LedgerWriter, LedgerWriterSettings
from payflowx.wiring.platform import Platform


@dataclass(frozen=True, kw_only=True)
class CheckoutSettings(LedgerWriterSettings, CheckoutTokensSettings):
    checkout_wait_seconds: int


@dataclass(kw_only=True)
class CheckoutWiring(LedgerWriter, CheckoutTokensAccess):
    """Knows what each provider's page can take, and neither its credentials nor a way to it."""

    call_limits = PROMPT
    settings: CheckoutSettings

    @classmethod
    def over(cls, platform: Platform) -> Self:
        return cls(platform=platform, settings=CheckoutSettings.from_environment(platform.environment))

    def prepare(self) -> None:
        _ = self.page, self.telemetry

    @property
    def merchants_of_changes(self) -> DynamoDBMerchantConfiguration:
        return self.merchants

    @cached_property
    def page(self) -> CheckoutPage:
        return CheckoutPage(
            payments=self.payments,
            merchants=self.merchants,
            providers=self.providers,
            tokens=self.checkout_tokens,
            outcome_writer=self.outcome_writer,
            clock=self.platform.clock,
            telemetry=self.telemetry,
            policy=self.policy,
            pause=self.platform.pause,
            wait_seconds=self.settings.checkout_wait_seconds,
            refused_starts=DynamoDBRefusedStarts(
                client=self.platform.clients.dynamodb, table=self.settings.transactions_table
            ),
        )
