"""The authorizer."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from payflowx.adapters.dynamodb.merchants.api_keys import DynamoDBApiKeys
from payflowx.adapters.platform.aws import AT_ONCE
from payflowx.application.merchants.authenticate import Authenticate
from payflowx.wiring.platform import Platform, Wiring
from payflowx.wiring.settings import Settings


@dataclass(frozen=True, kw_only=True)
class AuthorizerSettings(Settings):
    configuration_table: str
    usage_identifiers: tuple[str, ...] = ()
    """`merchant=identifier` of each merchant with a usage plan of its own; `*` is all others. None: no usage plans."""


@dataclass(kw_only=True)
class AuthorizerWiring(Wiring):
    call_limits = AT_ONCE
    settings: AuthorizerSettings

    @classmethod
    def over(cls, platform: Platform) -> Self:
        return cls(platform=platform, settings=AuthorizerSettings.from_environment(platform.environment))

    def prepare(self) -> None:
        _ = self.authenticate, self.usage_identifiers

    @cached_property
    def authenticate(self) -> Authenticate:
        keys = DynamoDBApiKeys(client=self.platform.clients.dynamodb, table=self.settings.configuration_table)
        return Authenticate(keys=keys, clock=self.platform.clock)

    @cached_property
    def usage_identifiers(self) -> Mapping[str, str]:
        """By merchant."""
        pairs = (text.partition("=") for text in self.settings.usage_identifiers)
        return {merchant: identifier for merchant, _, identifier in pairs}
