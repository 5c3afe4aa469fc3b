"""Operators' commands, a family a file."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

from payflowx.adapters.dynamodb.payments.due_items import DynamoDBDueItems
from payflowx.application.operators.diagnose import Diagnose, PartitionSettings
from payflowx.wiring.operators.merchants import MerchantCommands
from payflowx.wiring.operators.payments import PaymentCommands
from payflowx.wiring.operators.people import PeopleCommands
from payflowx.wiring.operators.recovery import RecoveryCommands
from payflowx.wiring.operators.routing import RoutingCommands
from payflowx.wiring.operators.settings import OperatorsSettings
from payflowx.wiring.platform import Platform


@dataclass(kw_only=True)
class OperatorsWiring(MerchantCommands, PeopleCommands, RoutingCommands, PaymentCommands, RecoveryCommands):
    """A family of commands each; the last one holds the reviews, too."""

    @classmethod
    def over(cls, platform: Platform) -> Self:
        return cls(platform=platform, settings=OperatorsSettings.from_environment(platform.environment))

    @cached_property
    def diagnose(self) -> Diagnose:
        return Diagnose(
            merchant_directory=self.merchant_directory,
            secrets=self.account_secrets,
            publisher=self.routing_publisher,
            check_routing=self.check_routing,
            dead_letters=self.dead_letters,
            due_items=DynamoDBDueItems(client=self.platform.clients.dynamodb, table=self.settings.transactions_table),
            partitions=PartitionSettings(
                lists=self.partitions.lists,
                due_shards=self.partitions.due_shards,
                written_lists=self.partitions.written_lists,
                written_shards=self.partitions.written_shards,
            ),
            providers=self.providers,
            clock=self.platform.clock,
        )
