"""The API: payments, their operations, webhook endpoints and merchant events."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from payflowx.adapters.appconfig.reader import AppConfigRules
from payflowx.adapters.dynamodb.checkout.refused_starts import DynamoDBRefusedStarts
from payflowx.adapters.dynamodb.merchants.configuration import DynamoDBMerchantConfiguration
from payflowx.adapters.dynamodb.webhooks.catch_ups import DynamoDBCatchUps
from payflowx.adapters.platform.aws import PROMPT
from payflowx.adapters.platform.cursors import Cursors
from payflowx.application.orders.take_order import TakeOrder
from payflowx.application.outbound_webhooks.manage_endpoints import ManageEndpoints
from payflowx.application.payments.cancel_payment import CancelPayment
from payflowx.application.payments.create_payment import CreatePayment
from payflowx.application.payments.request_operation import RequestOperation
from payflowx.domain.payments.payment import Layout
from payflowx.wiring.checkout_tokens import CheckoutOpenerAccess, CheckoutOpenerSettings
from payflowx.wiring.ledger import LedgerWriter, LedgerWriterSettings
from payflowx.wiring.outbound_webhooks import OutboundWebhooks, OutboundWebhooksSettings
from payflowx.wiring.platform import Platform
from payflowx.wiring.provider_health import ProviderHealthAccess
from payflowx.wiring.reading import LedgerReader, LedgerReaderSettings


@dataclass(frozen=True, kw_only=True)
class ApiSettings(LedgerReaderSettings, LedgerWriterSettings, OutboundWebhooksSettings, CheckoutOpenerSettings):
    idempotency_table: str = field()
    compact_payments: bool
    """Whether new payments are stored in the layout that release 0.2.0 cannot read. Both are read either way."""
    cursor_secret_arn: str
    routing_application: str
    routing_environment: str
    routing_profile: str


@dataclass(kw_only=True)
class ApiWiring(LedgerReader, LedgerWriter, OutboundWebhooks, CheckoutOpenerAccess, ProviderHealthAccess):
    call_limits = PROMPT
    settings: ApiSettings

    @classmethod
    def over(cls, platform: Platform) -> Self:
        return cls(platform=platform, settings=ApiSettings.from_environment(platform.environment))

    def prepare(self) -> None:
        _ = self.create_payment, self.read_payments, self.providers.capabilities()

    @property
    def merchants_of_changes(self) -> DynamoDBMerchantConfiguration:
        return self.merchants

    # -- payments

    @cached_property
    def create_payment(self) -> CreatePayment:
        return CreatePayment(
            payments=self.payments,
            take_order=TakeOrder(
                orders=self.orders,
                payments=self.payments,
                operations=self.operations,
                is_automatic_refund_on=self.is_automatic_refund_on,
                clock=self.platform.clock,
            ),
            jobs=self.jobs,
            merchants=self.merchants,
            rules=self.routing_rules,
            providers=self.providers,
            clock=self.platform.clock,
            telemetry=self.telemetry,
            policy=self.policy,
            layout=Layout.COMPACT if self.settings.compact_payments else Layout.FULL,
            health=self.health,
            checkout_opener=self.checkout_opener,
            refused_starts=DynamoDBRefusedStarts(
                client=self.platform.clients.dynamodb, table=self.settings.transactions_table
            ),
        )

    @cached_property
    def routing_rules(self) -> AppConfigRules:
        return AppConfigRules(
            client=self.platform.clients.appconfigdata,
            application=self.settings.routing_application,
            environment=self.settings.routing_environment,
            profile=self.settings.routing_profile,
            clock=self.platform.clock,
        )

    @cached_property
    def cancel_payment(self) -> CancelPayment:
        return CancelPayment(
            payments=self.payments,
            providers=self.providers,
            outcome_writer=self.outcome_writer,
            operations=self.operations,
            request_operation=self.request_operation,
            merchants=self.merchants,
            clock=self.platform.clock,
            policy=self.policy,
        )

    # -- operations

    @cached_property
    def request_operation(self) -> RequestOperation:
        return RequestOperation(
            payments=self.payments,
            operations=self.operations,
            providers=self.providers,
            outcome_writer=self.outcome_writer,
            jobs=self.jobs,
            clock=self.platform.clock,
            telemetry=self.telemetry,
            policy=self.policy,
            pause=self._pause_between_tries,
        )

    def _pause_between_tries(self, tries: int) -> None:
        """20 to 40 ms, doubled a try, at most 2.5 s for all eight: requests for the same money at once take turns."""
        self.platform.pause(0.01 * 2**tries * (1 + self.platform.randomness.jitter()))

    # -- webhooks to merchants

    @cached_property
    def manage_endpoints(self) -> ManageEndpoints:
        return ManageEndpoints(
            endpoint_store=self.endpoints,
            catch_ups=DynamoDBCatchUps(client=self.platform.clients.dynamodb, table=self.settings.transactions_table),
            cipher=self.cipher,
            clock=self.platform.clock,
            randomness=self.platform.randomness,
            loopback_allowed=self.is_loopback_allowed,
        )

    # -- lists

    @cached_property
    def cursors(self) -> Cursors:
        """Signs list positions."""
        return Cursors(key=lambda: self.platform.secrets.text(self.settings.cursor_secret_arn))
