"""Providers and the routing document."""

from dataclasses import dataclass
from functools import cached_property

from payflowx.adapters.dynamodb.merchants.accounts import DynamoDBAccountDirectory
from payflowx.application.operators.set_provider_status import ListProviders, ListUnwellAccounts, SetProviderStatus
from payflowx.application.routing.back_test import BackTestRouting
from payflowx.application.routing.explain_route import ExplainRoute
from payflowx.application.routing.publish_routing import PublishRouting, RollBackRouting
from payflowx.wiring.operators.base import OperatorsBase


@dataclass(kw_only=True)
class RoutingCommands(OperatorsBase):
    @cached_property
    def set_provider_status(self) -> SetProviderStatus:
        return SetProviderStatus(
            merchant_directory=self.merchant_directory, providers=self.providers, clock=self.platform.clock
        )

    @cached_property
    def list_unwell_accounts(self) -> ListUnwellAccounts:
        accounts = DynamoDBAccountDirectory(
            client=self.platform.clients.dynamodb, table=self.settings.configuration_table
        )
        return ListUnwellAccounts(
            merchants_with_accounts=lambda: (owner.merchant_id for owner in accounts.accounts()),
            health=self.account_health,
            clock=self.platform.clock,
        )

    @cached_property
    def list_providers(self) -> ListProviders:
        return ListProviders(merchant_directory=self.merchant_directory, providers=self.providers)

    @cached_property
    def publish_routing(self) -> PublishRouting:
        return PublishRouting(
            publisher=self.routing_publisher,
            merchant_directory=self.merchant_directory,
            check=self.check_routing,
            clock=self.platform.clock,
        )

    @cached_property
    def roll_back_routing(self) -> RollBackRouting:
        return RollBackRouting(
            publisher=self.routing_publisher, merchant_directory=self.merchant_directory, clock=self.platform.clock
        )

    @cached_property
    def explain_route(self) -> ExplainRoute:
        return ExplainRoute(
            merchant_directory=self.merchant_directory,
            publisher=self.routing_publisher,
            check=self.check_routing,
            providers=self.providers,
        )

    @cached_property
    def back_test_routing(self) -> BackTestRouting:
        return BackTestRouting(
            payments=self.payments,
            merchant_directory=self.merchant_directory,
            check=self.check_routing,
            providers=self.providers,
        )
