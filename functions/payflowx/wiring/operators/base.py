"""The wiring that several families of operators' commands share."""

from dataclasses import dataclass
from functools import cached_property

from payflowx.adapters.account_secrets import SecretsManagerAccountSecrets
from payflowx.adapters.appconfig.document import decode_routing_document
from payflowx.adapters.appconfig.publisher import AppConfigPublisher
from payflowx.adapters.dynamodb.merchants.directory import DynamoDBMerchantDirectory
from payflowx.adapters.sqs.dead_letters import SqsDeadLetters
from payflowx.application.routing.publish_routing import CheckRouting
from payflowx.wiring.merchant_events import MerchantEventAccess
from payflowx.wiring.operators.settings import OperatorsSettings
from payflowx.wiring.provider_health import ProviderHealthAccess
from payflowx.wiring.reading import LedgerReader
from payflowx.wiring.refunds import RefundReader


@dataclass(kw_only=True)
class OperatorsBase(LedgerReader, MerchantEventAccess, RefundReader, ProviderHealthAccess):
    settings: OperatorsSettings

    @cached_property
    def merchant_directory(self) -> DynamoDBMerchantDirectory:
        """Reads what is stored, never a cache."""
        return DynamoDBMerchantDirectory(client=self.platform.clients.dynamodb, table=self.settings.configuration_table)

    @cached_property
    def account_secrets(self) -> SecretsManagerAccountSecrets:
        return SecretsManagerAccountSecrets(
            client=self.platform.clients.secretsmanager, key_arn=self.settings.account_secrets_key_arn
        )

    @cached_property
    def routing_publisher(self) -> AppConfigPublisher:
        return AppConfigPublisher(
            client=self.platform.clients.appconfig,
            application=self.settings.routing_application,
            environment=self.settings.routing_environment,
            profile=self.settings.routing_profile,
            strategy=self.settings.routing_strategy,
        )

    @cached_property
    def check_routing(self) -> CheckRouting:
        return CheckRouting(decode=decode_routing_document, providers=self.providers)

    @cached_property
    def dead_letters(self) -> SqsDeadLetters:
        return SqsDeadLetters(client=self.platform.clients.sqs, queues=self.settings.queues)
