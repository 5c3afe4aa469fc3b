"""The authorizer."""

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


@dataclass(kw_only=True)
class AuthorizerWiring(Wiring):
    call_limits = AT_ONCE
    settings: AuthorizerSettings

    @classmethod
    def over(cls, platform: Platform) -> Self:
        return cls(platform=platform, settings=AuthorizerSettings.from_environment(platform.environment))

    def prepare(self) -> None:
        _ = self.authenticate

    @cached_property
    def authenticate(self) -> Authenticate:
        keys = DynamoDBApiKeys(client=self.platform.clients.dynamodb, table=self.settings.configuration_table)
        return Authenticate(keys=keys, clock=self.platform.clock)
